"""What runs a converted model: on the computer that converted it, and, copied beside the sample code, on the board.

    card.py, fields.py   what the model needs, parsed from an untrusted file
    image.py, picture.py pictures; prepare.py, resize.py: made what the network takes, as in training
    detect.py            boxes from a detector's outputs; overlap.py: one box for each thing; masks.py
    tables.py, words.py  tables (rows.py), arrays and texts; read.py: the pictures in a folder
    session.py           opening a model file: with onnxruntime, or with ncnn.py, which reads it through before
    predict.py           load() and Predictor: all of it together; answers.py: what comes out
    place.py             a bundle's machine, Python and packages; install.py, selftest.py, measure.py run there
    draw.py              the answer on the picture
    sample.py            the picture for the self-test

For the programs of the scenes:
    start.py             words of the command line, mistakes told in plain words; sim.py: the simulator
    camera.py            the newest picture, from whichever of sources.py is there; jpeg.py: streams of them
    screen.py            a window, or lines; stream.py, pages.py, plain.py: the board on the network; remote.py asks it
    listen.py            the microphone, and sounds as pictures
    rules.py             what happens when: rule_text.py reads a rule, facts.py what an answer says, sensors.py the rest
    act.py               the actions: voice.py, pins.py, wires.py (serial, MQTT, HTTP); worker.py does the slow ones
    optional.py          packages that only some programs need

Needs Python 3.7, numpy, Pillow and one engine, onnxruntime or ncnn, nothing else. Names are imported when they are
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .start import begin

if TYPE_CHECKING:
    from .answers import Detection, Prediction
    from .card import Card
    from .predict import Predictor, load

if __name__ == "qingzhou_runtime":  # a program's, not the library's
    begin()
try:
    from .place import use_bundle
except ImportError:  # it comes with bundles only
    pass
else:
    use_bundle()  # before numpy, which may be another Python's
__all__ = ["Card", "Detection", "Prediction", "Predictor", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    from importlib import import_module

    place = ".card" if name == "Card" else ".predict"
    return getattr(import_module(place, __name__), name)
