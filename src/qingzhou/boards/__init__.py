"""Programs for boards without Linux: MicroPython and C++, filled with a model's classes and preparation of pictures.

    cut.py        what of a camera's picture the model sees, by the card's steps
    programs.py   the programs of a board, as texts by their names
    memory.py     whether a model fits into a board, before anything is copied there

canmv/ is for the K230's CanMV firmware, esp_vision/ for Espressif's MicroPython firmware ESP-VISION, esp_idf/ a project
for Espressif's compiler. What a board has is in devices/: this only writes.
"""
