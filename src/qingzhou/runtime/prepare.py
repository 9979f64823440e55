"""From a picture to the array that a network takes, step by step as in training. The only pre-processing there is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from .card import Input
from .errors import ModelError
from .picture import MOST_PIXELS, too_large
from .resize import new_size, resize, sides

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

BITS = 22  # of Pillow's weights: PRECISION_BITS in its src/libImaging/Resample.c
HALF = 1 << (BITS - 1)
PART = 1 << 17  # numbers that are multiplied at once: they stay in the processor's cache
STRONGEST = 2.5  # times smaller; beyond, so many pixels are weighed for one that Pillow is quicker
KNOWN = (("resize",), ("resize", "center_crop"), ("resize", "normalize"), ("resize", "center_crop", "normalize"))


class View(NamedTuple):
    """Where a picture lies in the network's input: x there is x * scale_x + left, and so for y."""

    height: int
    width: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def resized(self, before: Any, after: Any) -> View:
        """After a resize from (height, width) to another."""
        y, x = after[0] / before[0], after[1] / before[1]
        return self._replace(scale_x=self.scale_x * x, scale_y=self.scale_y * y, left=self.left * x, top=self.top * y)

    def moved(self, right: int, down: int) -> View:
        """After so many pixels were put at the left and top (or cut off there)."""
        return self._replace(left=self.left + right, top=self.top + down)


def prepare(image: Any, entry: Input) -> Array:
    """A picture of read_for(…, entry) or read_image(…, entry.color) -> (1, C, H, W) float32: the card's steps, then
    the network's size.
    """
    return prepare_view(image, entry)[0]


def prepare_view(image: Any, entry: Input) -> Tuple[Array, View]:
    """prepare(), and where the picture then lies."""
    view, found = View(*sides(image)), prepared(image, entry)
    if found is None:
        return step_by_step(image, entry)
    return found.batch, view.resized(sides(image), found.size).moved(-found.left, -found.top)


def step_by_step(image: Any, entry: Input) -> Tuple[Array, View]:
    """prepare_view() for any steps."""
    picture, view = image, View(*sides(image))
    for step in entry.steps:
        before = sides(picture)
        picture = STEPS[step["op"]](picture, step, entry)
        view = _follow(view, step, before, picture.shape[:2])
    height, width = (wanted or now for wanted, now in zip(entry.shape[2:], picture.shape[:2]))
    view = view.resized(picture.shape[:2], (height, width))
    picture = resize(picture, height, width, "cv2")
    planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    if planes.shape[0] != entry.shape[1]:
        raise _channels(planes.shape[0], entry)
    return np.ascontiguousarray(planes[None], dtype=np.float32), view


def _follow(view: View, step: Dict[str, Any], before: Any, after: Any) -> View:
    """The view after a step that made (height, width) of another size."""
    if step["op"] == "resize":
        return view.resized(before, after)
    if step["op"] == "pad":
        return view.moved(step["border"][0], step["border"][1])
    if step["op"] == "center_crop":
        down, right = (_offset(was, now) for was, now in zip(before, after))
        return view.moved(right, down)
    return view


def _offset(before: int, after: int) -> int:
    """What center_crop puts before the first pixel, or cuts off there: half of the difference, half to even."""
    return (after - before) // 2 if after > before else -round((before - after) / 2)


def _resize(picture: Any, step: Dict[str, Any], entry: Input) -> Array:
    height, width = sides(picture)
    size = new_size(step, height, width)
    if size[0] * size[1] > MOST_PIXELS:  # a strip of 1 x 60000 pixels, made 256 high
        raise too_large("%d x %d" % (width, height))
    return resize(picture, size[0], size[1], step["interpolation"])


def _center_crop(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """Offsets are rounded half to even, as mmcls and torchvision do; zeros around a picture that is too small."""
    (height, width), (high, wide) = picture.shape[:2], step["size"]
    more = max(0, high - height), max(0, wide - width)
    if any(more):
        border = [more[1] // 2, more[0] // 2, (more[1] + 1) // 2, (more[0] + 1) // 2]
        picture = _pad(picture, {"border": border, "value": 0}, entry)
        height, width = picture.shape[:2]
    top, left = -_offset(height, high), -_offset(width, wide)
    return picture[top : top + high, left : left + wide]


def _pad(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    left, top, right, bottom = step["border"]
    widths = [(top, bottom), (left, right), (0, 0)][: picture.ndim]
    return np.pad(picture, widths, mode="constant", constant_values=step["value"])


def _pad_to(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """Filled up at the right and bottom; what is larger than a given size stays. Channel by channel in memory."""
    height, width = picture.shape[:2]
    if "multiple" in step:
        high, wide = (-(-side // step["multiple"]) * step["multiple"] for side in (height, width))
    else:
        high, wide = (max(now, least) for now, least in zip((height, width), step["size"]))
    if high * wide > MOST_PIXELS:
        raise too_large("%d x %d" % (wide, high))
    channels = picture.reshape((height, width, -1)).transpose(2, 0, 1)
    planes = np.zeros((len(channels), high, wide), picture.dtype)
    if "value" in step:
        planes += _fill(step["value"], picture.dtype)
    planes[:, :height, :width] = channels
    return planes[0] if picture.ndim == 2 else planes.transpose(1, 2, 0)


def _fill(values: Sequence[float], kind: Any) -> Array:
    """A number for each channel, (C, 1, 1); for pixels rounded and cut to 0 to 255, as OpenCV's copyMakeBorder does."""
    found = np.asarray(values, np.float32).reshape(-1, 1, 1)
    return found if kind != np.uint8 else np.clip(np.rint(found), 0, 255).astype(np.uint8)


def _gray(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """Brightness in every channel, or in one where the network takes one.

    As torchvision's Grayscale: it weighs the channels as red, green, blue in the order in which they lie, which for
    BaseNN's BGR pictures is not their true brightness, but what the network was trained on.
    """
    if picture.ndim == 2:
        return picture
    if picture.dtype == np.uint8:
        grey = np.asarray(Image.fromarray(picture).convert("L"))
    else:
        grey = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return grey if entry.shape[1] == 1 else np.repeat(grey[..., None], 3, axis=2)


def _normalize(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """(x - mean) / std per channel, float32; channel by channel in memory, as the network takes it."""
    mean, std = (np.asarray(step[name], np.float32).reshape(-1, 1, 1) for name in ("mean", "std"))
    channels = picture.reshape((*picture.shape[:2], -1)).transpose(2, 0, 1)
    planes = np.ascontiguousarray(channels).astype(np.float32)
    planes -= mean
    planes /= std
    return planes[0] if picture.ndim == 2 else planes.transpose(1, 2, 0)


STEPS: Dict[str, Callable[[Array, Dict[str, Any], Input], Array]] = {
    "resize": _resize, "center_crop": _center_crop, "pad": _pad, "pad_to": _pad_to, "gray": _gray,
    "normalize": _normalize,
}  # fmt: skip


# -- the steps of most classifiers in one go: resize as Pillow, cut out the middle, normalise ------------------------
#
# The same numbers, sooner. Pillow weighs one pixel after another; here numpy weighs whole rows of those that stay in
# the middle, channel by channel, as the network takes them: on a board less than half of the instructions.


class Weights(NamedTuple):
    """How pixels from `first` to `end` become others: places (counted from `first`) and weights, (taps, count)."""

    first: int
    end: int
    places: Array
    weights: Array


class Prepared(NamedTuple):
    """The batch (1, 3, H, W); the size (height, width) of the picture after the resize; where the batch begins."""

    batch: Array
    size: Tuple[int, int]
    top: int
    left: int


def prepared(picture: Any, entry: Input) -> Optional[Prepared]:
    """What prepare() makes of a picture, bit for bit; None where it has other steps than these."""
    plan = _plan(picture, entry)
    if plan is None:
        return None
    size, (top, left), (high, wide) = plan
    height, width = picture.shape[:2]
    across, down = _weights(width, size[1], left, wide), _weights(height, size[0], top, high)
    needed = picture[down.first : down.end, across.first : across.end]
    out = np.empty((1, 3, high, wide), np.float32)
    for channel, plane in enumerate(out[0]):
        columns = np.ascontiguousarray(needed[..., channel].T)
        plane[...] = _weighed(np.ascontiguousarray(_weighed(columns, across).T), down)
    if entry.steps[-1]["op"] == "normalize":
        mean, std = (np.asarray(entry.steps[-1][name], np.float32).reshape(-1, 1, 1) for name in ("mean", "std"))
        out -= mean
        out /= std
    return Prepared(out, size, top, left)


def _plan(picture: Any, entry: Input) -> Any:
    """(height, width) after the resize, where the part in the middle begins, and its size; None for other steps."""
    steps = {step["op"]: step for step in entry.steps}
    if tuple(steps) not in KNOWN or len(steps) != len(entry.steps) or not isinstance(picture, np.ndarray):
        return None
    if picture.dtype != np.uint8 or picture.ndim != 3:
        return None
    step, (height, width) = steps["resize"], picture.shape[:2]
    if step["interpolation"] != "pillow" or not {"size", "short"} & set(step):
        return None
    size = new_size(step, height, width)
    part = tuple(steps["center_crop"]["size"]) if "center_crop" in steps else size
    if size[0] * size[1] > MOST_PIXELS:
        return None
    changed = size[0] != height and size[1] != width and max(height / size[0], width / size[1]) <= STRONGEST
    if not changed or tuple(entry.shape[1:]) != (3, *part) or part[0] > size[0] or part[1] > size[1]:
        return None
    return size, tuple(round((whole - cut) / 2) for whole, cut in zip(size, part)), part


@functools.lru_cache(maxsize=8)
def _weights(before: int, after: int, start: int, count: int) -> Weights:
    """Of `count` new pixels from `start` on: precompute_coeffs and normalize_coeffs_8bpc of Resample.c, bilinear."""
    scale = before / after
    reach = max(scale, 1.0)  # of the filter, to either side
    centre = (np.arange(start, start + count) + 0.5) * scale
    left = np.maximum(np.trunc(centre - reach + 0.5), 0)
    stop = np.minimum(np.trunc(centre + reach + 0.5), before)
    places = left + np.arange(int((stop - left).max()))[:, None]
    weights = np.maximum(1 - np.abs((places - centre + 0.5) * (1 / reach)), 0) * (places < stop)
    weights /= functools.reduce(np.add, weights)  # one after another, as Pillow adds them
    first, end = int(left[0]), int(stop[-1])
    near = np.minimum(places, end - 1).astype(np.intp) - first
    return Weights(first, end, near, (0.5 + weights * (1 << BITS)).astype(np.int32))


def _weighed(rows: Array, by: Weights) -> Array:
    """(end - first, n) uint8 -> (count, n) uint8: sums of rows, rounded."""
    taps, count = by.places.shape
    out = np.empty((count, rows.shape[1]), np.uint8)
    step = max(1, PART // (taps * rows.shape[1]))
    wide = rows.astype(np.int32)
    for start in range(0, count, step):
        part = slice(start, start + step)
        # einsum multiplies and adds in one pass: half the instructions of doing so one after the other
        total = np.einsum("tnm,tn->nm", wide.take(by.places[:, part], axis=0, mode="clip"), by.weights[:, part])
        total += HALF
        total >>= BITS
        out[part] = total
    return out


def _channels(found: int, entry: Input) -> ModelError:
    return ModelError(
        en="The card prepares pictures with %d channels, but the network takes %s. Convert the checkpoint again."
        % (found, entry.shape[1]),
        zh="说明卡处理出的图片有 %d 个通道，而网络需要 %s 个。请重新转换权重文件。" % (found, entry.shape[1]),
    )
