"""No step of a card takes more memory than there is for one picture: worked out before the first is done."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qingzhou.errors import ImageError, ModelError
from qingzhou.runtime import memory as memory_module
from qingzhou.runtime import predict
from qingzhou.runtime.draw import MOST, draw
from qingzhou.runtime.engine import session
from qingzhou.runtime.model import image, prepare
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.detect import locate, read
from qingzhou.runtime.model.fields import MOST_BOXES
from qingzhou.runtime.model.prepare import plan, prepare_view, step_by_step

MEAN, ONE = [0.0] * 3, [1.0] * 3
NORMAL = {"op": "normalize", "mean": MEAN, "std": ONE}


def resize(kind: str, size: tuple[int, int], how: str = "cv2") -> dict[str, Any]:
    return {"op": "resize", kind: size, "interpolation": how}


def pad(side: int) -> dict[str, Any]:
    return {"op": "pad", "border": [side] * 4, "value": 0}


def entry(steps: Any, shape: Any = (1, 3, None, None), color: str = "RGB") -> Input:
    return Input("x", "image", list(shape), color, list(steps))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A machine with so many MB."""

    def of(megabytes: int) -> None:
        monkeypatch.setattr(memory_module, "memory", lambda: megabytes << 20)

    return of


# steps, the network's (H, W), the picture's (H, W), MB of the machine: and the number and size of the step that asks
# for too much, the network's own size being the last; or None
TOGETHER: dict[str, Any] = {
    "pads on all sides": ([pad(4000)] * 3, (None, None), (8, 8), 4096, (3, 24008, 24008)),
    "pads, at once too large for a board": ([pad(4000)] * 3, (None, None), (8, 8), 512, (2, 16008, 16008)),
    "filled up, then normalised": ([{"op": "pad_to", "size": [8192, 8192]}, NORMAL], (None, None), (8, 8), 4096, None),
    "the same on a board": ([{"op": "pad_to", "size": [8192, 8192]}, NORMAL], (None, None), (8, 8), 512,
                            (2, 8192, 8192)),
    "to a multiple": ([{"op": "pad_to", "multiple": 8192}], (None, None), (8193, 8193), 512, (1, 16384, 16384)),
    "cut out larger": ([{"op": "center_crop", "size": [8192, 8192]}, NORMAL], (None, None), (8, 8), 512,
                            (2, 8192, 8192)),
    "cut out, high from wide": ([{"op": "center_crop", "size": [8192, 1]}], (8192, 1), (1, 8192), 64, None),
    "letterbox": ([resize("inside", [8192, 8192]), {"op": "pad_to", "size": [8192, 8192]}], (None, None), (8, 9), 64,
                  (1, 7282, 8192)),
    "within": ([resize("within", [8192, 8192])], (None, None), (8, 8), 64, (1, 8192, 8192)),
    "the network alone": ([], (8192, 8192), (8, 8), 512, (1, 8192, 8192)),
    "a long picture": ([resize("short", 256)], (256, 256), (2, 60_000), 4096, (1, 256, 7_680_000)),
    "a long picture made square": ([resize("size", [256, 256], "pillow")], (256, 256), (30_000_000, 1), 4096,
                                   (1, 256, 256)),
    "and by its decimals": ([NORMAL, resize("size", [256, 256])], (256, 256), (2_000_000, 1), 4096, (2, 256, 256)),
    "grey": ([{"op": "gray"}, NORMAL], (None, None), (4000, 4000), 512, None),
    "a classifier of today": ([resize("short", 256, "pillow"), {"op": "center_crop", "size": [224, 224]}, NORMAL],
                              (224, 224), (1200, 1600), 64, None),
    "a detector of today": ([resize("within", [1333, 800]), NORMAL, {"op": "pad_to", "multiple": 32}], (None, None),
                            (3000, 4000), 128, None),
    "a phone's photo as a whole": ([NORMAL], (None, None), (3000, 4000), 512, None),
}  # fmt: skip


def nothing(size: tuple[int, int]) -> Any:
    """A picture of this size that takes no memory."""
    return np.broadcast_to(np.uint8(0), (*size, 3))


@pytest.mark.parametrize("case", TOGETHER)
def test_before_anything_is_done(case: str, memory: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    steps, shape, size, megabytes, refused = TOGETHER[case]
    memory(megabytes)
    about = entry(steps, (1, 3, *shape))

    def done(*_: object) -> Any:
        raise AssertionError("done")

    monkeypatch.setattr(prepare, "STEPS", dict.fromkeys(prepare.STEPS, done))
    monkeypatch.setattr(prepare, "resize", done)
    monkeypatch.setattr(prepare, "_at_once", lambda *_: None)
    if refused is None:
        with pytest.raises(AssertionError, match="done"):
            prepare_view(nothing(size), about)
        return
    with pytest.raises(ImageError) as caught:
        prepare_view(nothing(size), about)
    number, height, width = refused
    name = steps[number - 1]["op"] if number <= len(steps) else "resize"
    limit = min(megabytes // 2, 1024)
    for text in (caught.value.en, caught.value.zh):
        assert f" {number} " in text and name in text and f" {limit} MB" in text and "--input-size" in text
        assert f"{width} x {height}" in text and f"{size[1]} x {size[0]}" in text


SHAPES = [(30, 50), (50, 30), (1, 400), (400, 1), (8, 8)]
STEPS = [
    [resize("short", 20, "pillow"), {"op": "center_crop", "size": [16, 16]}, NORMAL],
    [resize("size", [100, 3]), {"op": "center_crop", "size": [16, 160]}],
    [NORMAL, resize("size", [64, 64], "pillow"), pad(5)],
    [NORMAL, resize("within", [90, 60]), {"op": "pad_to", "multiple": 32}],
    [resize("inside", [48, 96]), {"op": "pad_to", "size": [48, 96], "value": [1.0, 2.0, 3.0]}, {"op": "gray"}],
    [{"op": "gray"}, NORMAL],
    [],
]


@pytest.mark.parametrize("steps", STEPS, ids=range(len(STEPS)))
@pytest.mark.parametrize("size", SHAPES)
def test_it_is_what_is_then_made(steps: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    about, made = entry(steps, (1, 3, 40, None)), []

    def noted(step: Any) -> Any:
        return lambda *given: [made.append(step(*given)), made[-1]][1]

    monkeypatch.setattr(prepare, "STEPS", {name: noted(step) for name, step in prepare.STEPS.items()})
    before = np.zeros((*size, 3), np.uint8)
    batch, _ = step_by_step(before, about)
    planned = list(plan(before, about))
    assert [one.size for one in planned] == [*(one.shape[:2] for one in made), batch.shape[2:]]
    held = [before, *made]
    for one, was, now in zip(planned, held, [*made, batch[0]], strict=True):
        assert one.bytes >= now.nbytes and one.bytes >= was.nbytes


@pytest.mark.parametrize("steps", STEPS, ids=range(len(STEPS)))
@pytest.mark.parametrize("size", [(900, 1000), (1, 400_000), (400_000, 1)])
def test_no_more_than_twice_as_much_is_taken(steps: Any, size: tuple[int, int]) -> None:
    """Of numpy's memory; half of the machine's is left to the rest."""
    if any(step.get("interpolation") == "pillow" or "short" in step for step in steps):
        steps = [resize("size", [700, 400]), NORMAL]
    about, before = entry(steps, (1, 3, 40, None)), np.zeros((*size, 3), np.uint8)
    most = max(one.bytes for one in plan(before, about))
    tracemalloc.start()
    step_by_step(before, about)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * most + (1 << 20)


def test_the_middle_of_a_high_one_is_as_before() -> None:
    """Cut off first where it is too large, then filled up where it is too small: the same pixels."""
    before = np.arange(3 * 7 * 3, dtype=np.uint8).reshape(3, 7, 3)
    done = prepare._center_crop(before, {"op": "center_crop", "size": [6, 4]}, entry([]))
    expected = np.zeros((6, 4, 3), np.uint8)
    expected[1:4] = before[:, 2:6]
    np.testing.assert_array_equal(done, expected)


# -- what is decoded and shown --------------------------------------------------------------------------------------


@pytest.mark.parametrize("color", ["RGB", "GRAY"])
def test_a_picture_is_decoded_where_there_is_room(color: str, memory: Callable[[int], None]) -> None:
    memory(1)
    with pytest.raises(ImageError, match="too large"):
        image.read_image(as_png(Image.new("RGB", (500, 400))), color)
    memory(4)
    assert image.read_image(as_png(Image.new("RGB", (500, 400))), color).shape[:2] == (400, 500)


def test_a_large_jpeg_is_decoded_smaller_on_a_small_board(memory: Callable[[int], None]) -> None:
    data, about = as_file(Image.new("RGB", (1600, 1200)), "JPEG"), entry([resize("size", [32, 32])])
    memory(4096)
    assert image.read_for(data, about).shape == (1200, 1600)
    memory(4)
    assert image.read_for(data, about).shape == (600, 800)
    assert image.open_picture(data).size == (400, 300)


def test_a_small_one_is_enlarged_only_where_it_can_be_shown() -> None:
    answer = predict.Prediction("a", 0, 1.0, np.ones(1))
    assert draw(Image.new("RGB", (40, 50)), answer, enlarge=True).size == (160, 200)
    long = Image.new("RGB", (1, 2_000_000))
    assert draw(long, answer, enlarge=True).size == long.size
    assert draw(Image.new("RGB", (2, 100_000)), answer, enlarge=True).size == (2, 100_000)


def test_as_many_things_as_a_picture_can_have() -> None:
    """Of what a network says to have found the best are kept, and so many drawn as can be told apart."""
    many = MOST_BOXES + 500
    rows = np.zeros((1, many, 5), np.float32)
    rows[0, :, 2:4], rows[0, :, 4] = 10, np.linspace(0.1, 1, many)
    card = Card(
        "detection",
        "SSD",
        "MMEdu",
        entry([]),
        Output("dets", "boxes"),
        thresholds={"score": 0, "iou": 0.5, "most": 100},
    )
    found = read({"dets": rows, "labels": np.zeros((1, many), np.int64)}, card)
    assert len(found.scores) == MOST_BOXES and found.scores[0] == 1 and found.scores.min() > rows[0, 499, 4]
    seen = locate(found, ["a"])
    shown, rest = Image.new("RGB", (200, 200)), Image.new("RGB", (200, 200))
    assert draw(shown, seen).tobytes() == draw(rest, seen[:MOST]).tobytes()


def as_file(shown: Any, kind: str) -> bytes:
    import io

    file = io.BytesIO()
    shown.save(file, kind)
    return file.getvalue()


def as_png(shown: Any) -> bytes:
    return as_file(shown, "PNG")


# -- how much there is ------------------------------------------------------------------------------------------------


def test_the_machine_says_how_much_it_has() -> None:
    assert 1 << 24 < memory_module.memory() < 1 << 50
    assert memory_module.room() == min(memory_module.memory() // 2, memory_module.MOST)


@pytest.mark.parametrize("megabytes, room", [(64, 32), (512, 256), (4096, 1024), (1 << 20, 1024)])
def test_half_of_it_and_not_more_than_a_gigabyte(megabytes: int, room: int, memory: Callable[[int], None]) -> None:
    memory(megabytes)
    assert memory_module.room() == room << 20


def test_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its MEMORYSTATUSEX says: 64 bytes, of which the first four are its size and the second eight the memory."""
    import ctypes

    def filled(status: Any) -> int:
        found = status._obj
        assert ctypes.sizeof(found) == 64 and bytes(found)[:8] == (64).to_bytes(8, "little")
        found[1] = 3 << 30
        return 1

    kernel = SimpleNamespace(kernel32=SimpleNamespace(GlobalMemoryStatusEx=filled))
    monkeypatch.setattr(ctypes, "windll", kernel, raising=False)
    assert memory_module._of_windows() == 3 << 30


# -- what has no picture ----------------------------------------------------------------------------------------------


def test_a_state_that_is_too_large_is_refused(memory: Callable[[int], None]) -> None:
    memory(64)
    one = SimpleNamespace(name="h0", shape=[1 << 10, 1, 1 << 14], type="tensor(float)")
    with pytest.raises(ModelError) as caught:
        session.zeros(one)
    assert "h0" in caught.value.en and "64 MB" in caught.value.en and "32 MB" in caught.value.zh
    assert session.zeros(SimpleNamespace(name="h0", shape=[2, "N", 8], type="tensor(int64)")).shape == (2, 1, 8)


class Steps:
    """A network of texts with a state, the sum of the words so far; its scores are that sum."""

    def __init__(self, words: int) -> None:
        self.words, self.lengths = words, list[int]()

    def get_inputs(self) -> Any:
        return [
            SimpleNamespace(name="x", shape=["N", 1], type="tensor(int64)"),
            SimpleNamespace(name="h", shape=[1, 1, 1], type="tensor(float)"),
        ]

    def get_outputs(self) -> Any:
        return [SimpleNamespace(name="y"), SimpleNamespace(name="h_out")]

    def get_overridable_initializers(self) -> Any:
        return []

    def get_modelmeta(self) -> Any:
        card = Card(
            "generation",
            "RNN",
            "BaseNN",
            Input("x", "tokens", [None, 1]),
            Output("y", "values"),
            vocabulary={chr(0x4E00 + n): n for n in range(self.words)},
        )
        return SimpleNamespace(custom_metadata_map={"qingzhou.card": card.to_json()})

    def run(self, names: None, feed: dict[str, Any]) -> Any:
        sums = np.cumsum(feed["x"][:, 0]) + feed["h"].reshape(-1)[0]
        self.lengths.append(len(sums))
        return [np.repeat(sums[:, None, None], self.words, axis=2), sums[-1:].reshape(1, 1, 1).astype(np.float32)]


@pytest.mark.parametrize("megabytes, parts", [(4096, [4000]), (8, [2621, 1379]), (1, [327] * 12 + [76])])
def test_a_long_text_is_read_in_parts_that_fit(megabytes: int, parts: list[int], memory: Callable[[int], None]) -> None:
    memory(megabytes)
    network = Steps(100)
    model = predict.Predictor("x.onnx", session=network)
    text = "".join(chr(0x4E00 + n % 100) for n in range(4000))
    assert model.predict(text).scores.tolist() == [sum(range(100)) * 40] * 100
    assert network.lengths == parts
