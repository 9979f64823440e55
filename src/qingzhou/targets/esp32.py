"""Espressif's ESP32-S3 (Unihiker K10 and others) and ESP32-P4: the quantiser of their library ESP-DL, esp-ppq."""

from __future__ import annotations

from .target import WORKERS, Recipe, Target

ESP32 = Target(
    name="esp32",
    english="Espressif ESP32",
    chinese="乐鑫 ESP32 芯片",
    recipe=Recipe(
        packages=("esp-ppq==1.3.12", "torch==2.13.0", "numpy==2.4.6", "onnx==1.19.1", "onnxruntime==1.32.0"),
        bare=(),
        pythons=("3.11", "3.12", "3.13"),
        systems=("linux-x86_64", "linux-aarch64", "win32-x86_64", "darwin-aarch64"),
        megabytes=1300,
        brings=(
            "Espressif's esp-ppq 1.3.12 (Apache 2.0), which quantises and simulates, and PyTorch, on which it runs",
            "乐鑫的 esp-ppq 1.3.12（Apache 2.0），用来量化和模拟，以及它所用的 PyTorch",
        ),
    ),
    chips=("esp32s3", "esp32p4"),
    ending=".{chip}.espdl",
    worker=WORKERS / "for_esp32.py",
    layout="NCHW",
    seconds=3600.0,
    memory=12 << 30,
    calibration=50,
    judged=100,
    advice=(
        "Scales are powers of two: scores move by a fifth or more where nearly all answers stay. Go by the answer.",
        "这里的量化步长只能是 2 的幂，因此得分可能变动五分之一以上，而回答几乎都不变：请以回答为准。",
    ),
)
