"""torchvision transforms as BaseNN pickles them: the steps they become, and what is said of those that cannot be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import use_language
from qingzhou.files.types import Opaque
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.sources.read import read_network
from qingzhou.sources.torch.transforms import NOTHING, VARIATIONS, preparation

ORACLE = Path(__file__).parents[1] / "oracle" / "basenn"


def one(name: str, **state: Any) -> Opaque:
    return Opaque(f"torchvision.transforms.transforms.{name}", (), state)


def compose(*transforms: Any) -> Opaque:
    return one("Compose", transforms=list(transforms))


def mode(name: str) -> Opaque:
    return Opaque("torchvision.transforms.functional.InterpolationMode", (name,))


def resize(*size: int, kind: str = "pillow") -> dict[str, Any]:
    return {"op": "resize", **({"size": list(size)} if len(size) == 2 else {"short": size[0]}), "interpolation": kind}


def crop(height: int, width: int) -> dict[str, Any]:
    return {"op": "center_crop", "size": [height, width]}


def pad(*border: int, value: float = 0.0) -> dict[str, Any]:
    return {"op": "pad", "border": list(border), "value": value}


def norm(mean: float | list[float] = 0.0, std: float | list[float] = 255.0) -> dict[str, Any]:
    mean, std = (value if isinstance(value, list) else [value] * 3 for value in (mean, std))
    return {"op": "normalize", "mean": mean, "std": std}


GRAY, HALF = {"op": "gray"}, one("Normalize", mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
IMAGENET = one("Normalize", mean=[0.4, 0.2, 0.0], std=[0.2, 0.4, 1.0])
WHOLE = resize(20, 20)  # where nothing else says how the picture gets its size

# name: (transform, steps for a network of 3 x 20 x 20, names that the notes tell)
CASES: dict[str, tuple[Any, list[dict[str, Any]], list[str]]] = {
    "none": (None, [WHOLE, norm()], []),
    "empty": (compose(), [WHOLE, norm()], []),
    "resize": (compose(one("Resize", size=(20, 20))), [resize(20, 20, kind="cv2"), norm()], []),
    "not composed": (one("Resize", size=(20, 20), antialias=True), [resize(20, 20), norm()], []),
    "a list": ([one("Resize", size=[20, 20], antialias=True)], [resize(20, 20), norm()], []),
    "nn.Sequential": (Opaque("torch.nn.modules.container.Sequential", (), {"_modules": {"0": HALF}}),
                      [WHOLE, norm(127.5, 127.5)], []),
    "short side": (compose(one("Resize", size=24, max_size=None, interpolation=mode("bilinear"), antialias="warn")),
                   [resize(24, kind="cv2"), norm()], []),
    "Pillow's number": (one("Resize", size=[24], interpolation=2), [resize(24, kind="cv2"), norm()], []),
    "nearest": (one("Resize", size=24, interpolation=mode("nearest")), [WHOLE, norm()], ["Resize"]),
    "bicubic": (one("Resize", size=24, interpolation=3), [WHOLE, norm()], ["Resize"]),
    "longest side": (one("Resize", size=24, max_size=30), [WHOLE, norm()], ["Resize"]),
    "imagenet": (compose(one("Resize", size=24, antialias=True), one("CenterCrop", size=(20, 20)), one("ToTensor"),
                         IMAGENET),
                 [resize(24), crop(20, 20), norm([102.0, 51.0, 0.0], [51.0, 102.0, 255.0])], []),
    "version 2": (Opaque("torchvision.transforms.v2._container.Compose", (), {"transforms": [
                      Opaque("torchvision.transforms.v2._geometry.Resize", (), {"size": [20, 20], "antialias": True}),
                      Opaque("torchvision.transforms.v2._misc.Normalize", (), {"mean": [0, 0, 0], "std": [1, 1, 1]})]}),
                  [resize(20, 20), norm()], []),
    "one crop size": (one("CenterCrop", size=20), [crop(20, 20), norm()], []),
    "pad before": (compose(one("Pad", padding=2, fill=1), HALF),
                   [WHOLE, pad(2, 2, 2, 2, value=255.0), norm(127.5, 127.5)], []),
    "pad after": (compose(HALF, one("Pad", padding=[1, 2], fill=-1)),
                  [WHOLE, norm(127.5, 127.5), pad(1, 2, 1, 2, value=-1.0)], []),
    "pad each side": (one("Pad", padding=(1, 2, 3, 4), fill=0), [WHOLE, pad(1, 2, 3, 4), norm()], []),
    "pad nothing": (one("Pad", padding=0), [WHOLE, norm()], []),
    "pad by mirror": (one("Pad", padding=2, padding_mode="reflect"), [WHOLE, norm()], ["Pad"]),
    "pad in colour": (one("Pad", padding=2, fill=(1, 2, 3)), [WHOLE, norm()], ["Pad"]),
    "normalised twice": (compose(HALF, HALF), [WHOLE, norm(127.5, 127.5), norm(0.5, 0.5)], []),
    "one mean for all": (one("Normalize", mean=[0.5], std=(0.5,)), [WHOLE, norm(127.5, 127.5)], []),
    "arrays": (one("Normalize", mean=np.zeros(3), std=np.ones(3)), [WHOLE, norm()], []),
    "two means": (one("Normalize", mean=[0.5, 0.5], std=[0.5, 0.5]), [WHOLE, norm()], ["Normalize"]),
    "std 0": (one("Normalize", mean=[0.5] * 3, std=[0.5, 0.0, 0.5]), [WHOLE, norm()], ["Normalize"]),
    "grey in three": (compose(one("Grayscale", num_output_channels=3), HALF), [WHOLE, GRAY, norm(127.5, 127.5)], []),
    "grey in one": (one("Grayscale", num_output_channels=1), [WHOLE, norm()], ["Grayscale"]),
    "random crop": (one("RandomCrop", size=(20, 20)), [crop(20, 20), norm()], ["RandomCrop"]),
    "random resized": (one("RandomResizedCrop", size=(20, 20)), [resize(20, 20), norm()], ["RandomResizedCrop"]),
    "nested": (compose(compose(one("Resize", size=24)),
                       compose(compose(one("RandomRotation")), one("CenterCrop", size=20)), HALF),
               [resize(24, kind="cv2"), crop(20, 20), norm(127.5, 127.5)], ["RandomRotation"]),
    "a pupil's own": (compose(Opaque("__main__.Sharpen", (), {}), one("Resize", size=24)),
                      [resize(24, kind="cv2"), norm()], ["Sharpen"]),
    "a function": (compose(one("Lambda", lambd=Opaque("__main__.f"))), [WHOLE, norm()], ["Lambda"]),
    "several unknown": (compose(one("GaussianBlur"), one("FiveCrop"), one("GaussianBlur")), [WHOLE, norm()],
                        ["GaussianBlur, FiveCrop"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_steps_and_notes(name: str) -> None:
    transform, steps, told = CASES[name]
    found, notes = preparation(transform, 3, (20, 20))
    assert found == steps
    assert len(notes) == len(told) and all(word in note for word, note in zip(told, notes, strict=True))


def test_one_channel() -> None:
    transform = compose(one("Grayscale", num_output_channels=1), one("Normalize", mean=[0.5], std=[0.25]))
    steps, notes = preparation(transform, 1, (20, 30))
    assert steps == [resize(20, 30), GRAY, norm([127.5], [63.75])] and notes == []
    assert preparation(one("Grayscale", num_output_channels=3), 1, (20, 30))[1]


@pytest.mark.parametrize("name", VARIATIONS)
def test_variations_are_left_out_and_told(name: str) -> None:
    steps, (note,) = preparation(one(name, p=0.5), 3, (20, 20))
    assert steps == [WHOLE, norm()] and "left out at inference" in note and name in note


@pytest.mark.parametrize("name", NOTHING)
def test_what_only_converts_types_is_nothing(name: str) -> None:
    assert preparation(one(name), 3, (20, 20)) == ([WHOLE, norm()], [])


def test_notes_in_chinese() -> None:
    use_language("zh")
    _, notes = preparation(compose(one("ColorJitter"), one("Lambda")), 3, (20, 20))
    assert (
        "ColorJitter" in notes[0]
        and "推理时不使用" in notes[0]
        and "Lambda" in notes[1]
        and "无法在这里重现" in notes[1]
    )


# -- the oracle ------------------------------------------------------------------------------------------------------

MANY = [resize(20, 20), crop(20, 20), GRAY, crop(20, 20), norm()]
FILES = {  # the first resize was antialiased only where torchvision did so by default
    "img_transform": (lambda kind: [resize(20, 20, kind=kind), norm()], 0),
    "img_transform_many": (lambda kind: [resize(24, 24, kind=kind), *MANY], 1),
    "img_transform_obj": (lambda kind: [resize(20, 20, kind=kind), norm([127.5], [127.5])], 0),
}


@pytest.mark.parametrize(("torch", "kind"), [("torch1.13", "cv2"), ("torch2.13", "pillow")])
@pytest.mark.parametrize("case", FILES)
def test_real_files(case: str, torch: str, kind: str) -> None:
    found = read_network(ORACLE / torch / case / "checkpoint.pth").card
    wanted, notes = FILES[case]
    assert found.input.steps == wanted(kind) and len(found.notes) == notes


# -- what nobody writes ----------------------------------------------------------------------------------------------

STRANGE = [None, True, -1, 0, 1 << 70, 1e400, math.nan, "x" * 100_000, b"x", [], [[]], {}, {"a": 1}, (1, 2, 3),
           [None] * 2, [math.nan] * 3, [math.inf] * 3, [1e-60] * 3, [1 << 2000] * 3, Opaque("a.B"),
           Opaque("a.B", (Opaque("a.B"),)), np.array([]), np.zeros((3, 3)), np.array(None),
           np.array(["x"] * 3), [1 << 20] * 2, [1e300] * 3]  # fmt: skip
SETTINGS = {
    "Resize": ("size", "interpolation", "max_size", "antialias"),
    "CenterCrop": ("size",),
    "RandomCrop": ("size",),
    "RandomResizedCrop": ("size",),
    "Pad": ("padding", "fill", "padding_mode"),
    "Normalize": ("mean", "std"),
    "Grayscale": ("num_output_channels",),
    "Compose": ("transforms",),
}
GOOD = {"size": 20, "padding": 2, "mean": [0.5] * 3, "std": [0.5] * 3, "num_output_channels": 3}


def check(transform: Any, channels: int = 3) -> None:
    """Whatever comes out, a card can hold it, and the notes are short."""
    steps, notes = preparation(transform, channels, (20, 20))
    entry = Input("input", "image", [None, channels, 20, 20], "RGB" if channels == 3 else "GRAY", steps)
    card = Card("values", "", "", entry, Output("output", "values"), notes=notes)
    assert Card.from_json(card.to_json()).input.steps == steps
    assert all(len(note) < 2000 for note in notes)


@pytest.mark.parametrize(("name", "setting"), [(name, setting) for name in SETTINGS for setting in SETTINGS[name]])
def test_hostile_settings(name: str, setting: str) -> None:
    for value in STRANGE:
        for channels in (1, 3):
            check(one(name, **{**GOOD, setting: value}), channels)
            check(compose(one(name, **{setting: value}), HALF), channels)


@pytest.mark.parametrize("state", [None, 1, "x", [1], (1,), Opaque("a.B"), {1: 2}], ids=repr)
def test_hostile_states(state: Any) -> None:
    for name in (*SETTINGS, "Lambda", "ToTensor", "Sequential"):
        check(Opaque(f"torchvision.transforms.{name}", (), state))
    check(state)


def test_more_than_anybody_needs() -> None:
    """Compositions inside compositions would be 10^20 transforms; a thousand paddings make no card."""
    bomb: Any = one("ToTensor")
    for _ in range(12):
        bomb = compose(*[bomb] * 100)
    check(bomb)
    check(compose(*[HALF] * 1000))
    empty: Any = compose()
    for _ in range(8):
        empty = compose(*[empty] * 100)
    check(empty)
    _, notes = preparation(compose(*(one(f"T{i}") for i in range(500)), *[HALF] * 600), 3, (20, 20))
    assert notes and "T0" in notes[0] and "Normalize" not in notes[0]
