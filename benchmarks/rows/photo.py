"""Pictures: a phone's 12 million pixels for a classifier of 224 x 224, and what one answer costs beside bare work."""

from __future__ import annotations

import functools
import time
from functools import partial

from ..desk import Desk, Figure, beside, elsewhere, turns
from ..goals import Goal
from ..machine import Machine

SECONDS = 12  # for each
PHONE = "reading and preparing a 12 MP JPEG for MobileNetV2, 224 x 224, picture by picture in one process"
ANSWER = "predict() of a 640 x 480 picture by MobileNetV2, picture by picture in one process"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """The large one beside the older checkout, the small one beside decoding and a bare run."""
    return (
        Goal("photo 12 MP", "s CPU", PHONE, "then", phone, most=0.4),
        *(
            Goal(f"predict 640x480 {kind}", "s", ANSWER, "bare", partial(answers, kind=kind, file=file), most=1.3)
            for kind, file in (("JPEG", "camera.jpg"), ("PNG", "photo.png"))
        ),
    )


def phone(desk: Desk) -> Figure:
    """CPU seconds for a picture."""
    return beside(phones(desk), "then")


@functools.cache
def phones(desk: Desk) -> list[dict[str, float]]:
    """Of both checkouts."""
    model, photo = desk.converted(desk.file("MobileNet"), "now"), desk.file("phone", "phone.jpg")
    works = {way: partial(elsewhere, preparing, model, photo, checkout=place) for way, place in desk.checkouts.items()}
    return turns(works, SECONDS)


def answers(desk: Desk, kind: str, file: str) -> Figure:
    """Wall seconds for a picture: ours, and decoding and running without us."""
    name = {"JPEG": "camera", "PNG": "photo"}[kind]
    model, photo = desk.converted(desk.file("MobileNet"), "now"), desk.file(name, file)
    found = [elsewhere(predicting, model, photo) for _ in range(2)]
    ours, bare = map(min, zip(*found, strict=True))
    return Figure(ours, bare, ours / bare)


def preparing(model: str, photo: str) -> float:
    """CPU seconds of the fastest of some; runs in a process of its own."""
    import qingzhou

    predictor, times = qingzhou.load(model).predictor, []
    for _ in range(4):
        start = time.process_time()
        predictor.prepare(photo)
        times.append(time.process_time() - start)
    return min(times)


def predicting(model: str, photo: str) -> list[float]:
    """Seconds of ours and of both bare works together; runs in a process of its own."""
    import numpy as np
    from measure import beside as in_turn
    from PIL import Image

    import qingzhou
    from qingzhou.runtime.engine.session import onnxruntime_package

    session = onnxruntime_package().InferenceSession(model, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: np.zeros(entry.shape, np.float32)}
    loaded = qingzhou.load(model)
    plain = (lambda: Image.open(photo).convert("RGB").load(), lambda: session.run(None, feed))
    ours, both, *_ = in_turn(lambda: loaded.predict(photo), plain, rounds=20)
    return [ours / 1e3, both / 1e3]
