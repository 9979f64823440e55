"""Pictures: a phone's 12 million pixels for a classifier of 224 x 224, and what one answer costs beside bare work."""

from __future__ import annotations

import functools
import time
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, beside, elsewhere, turns
from ..goals import Goal
from ..machine import Machine

SECONDS = 8  # for each
PHONE = "reading and preparing a 12 MP JPEG for MobileNetV2, 224 x 224, picture by picture in one process"
ANSWER = "predict() of a 640 x 480 picture by MobileNetV2, one core; bare: decoding and a run without us"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """The large one beside the older checkout, the small one beside decoding and a bare run."""
    return (
        Goal("photo 12 MP", "s CPU", PHONE, "then", phone, most=0.4),
        Goal("predict, JPEG", "s CPU", ANSWER, "bare", partial(answers, name="camera", file="camera.jpg"), most=1.3),
        Goal("predict, PNG", "s CPU", ANSWER, "bare", partial(answers, name="photo", file="photo.png"), most=1.3),
    )


def phone(desk: Desk) -> Figure:
    """CPU seconds for a picture."""
    return beside(phones(desk), "then")


@functools.cache
def phones(desk: Desk) -> list[dict[str, float]]:
    """Each checkout with the model that it converted itself."""
    source, photo = desk.file("MobileNet"), desk.file("phone", "phone.jpg")
    works = {
        way: partial(elsewhere, preparing, desk.converted(source, way), photo, checkout=place)
        for way, place in desk.checkouts.items()
    }
    return turns(works, SECONDS)


def answers(desk: Desk, name: str, file: str) -> Figure:
    """CPU seconds for a picture."""
    model, photo = desk.converted(desk.file("MobileNet"), "now"), desk.file(name, file)
    return beside(elsewhere(predicting, model, photo), "bare")


def preparing(model: str, photo: str) -> float:
    """CPU seconds of the fastest of some; runs in a process of its own."""
    import qingzhou

    predictor, times = qingzhou.load(model).predictor, []
    for _ in range(4):
        start = time.process_time()
        predictor.prepare(photo)
        times.append(time.process_time() - start)
    return min(times)


def predicting(model: str, photo: str) -> list[dict[str, float]]:
    """Rounds of CPU seconds of ours, and of both bare works one after the other; runs in a process of its own."""
    from measure import one_core, turn
    from PIL import Image

    from qingzhou.engines import Settings, open_predictor
    from qingzhou.runtime.engine.session import open_session

    one_core()
    predictor, session = open_predictor(Path(model), Settings(threads=1)), open_session(model, 1)
    feed = {predictor.card.input.name: predictor.prepare(photo)}

    def bare() -> None:
        Image.open(photo).convert("RGB").load()
        session.run(None, feed)

    return turns({"now": lambda: turn(lambda: predictor.predict(photo), 10), "bare": lambda: turn(bare, 10)}, SECONDS)
