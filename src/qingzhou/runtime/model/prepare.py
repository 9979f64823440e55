"""From a picture to the array that a network takes, step by step as in training. The only pre-processing there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from PIL import Image

from ..errors import ImageError, ModelError
from ..memory import room
from .card import Input

if TYPE_CHECKING:
    from ..typed import Array
    from .picture import Picture
    from .quick import Prepared

    Pixels = Union[Array, Picture]  # in memory, or read as it is resized


class View(NamedTuple):
    """Where a picture lies in the network's input: x there is x * scale_x + left, and so for y."""

    height: int
    width: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def resized(self, before: Sequence[int], after: Sequence[int]) -> View:
        """After a resize from (height, width) to another."""
        y, x = after[0] / before[0], after[1] / before[1]
        return self._replace(scale_x=self.scale_x * x, scale_y=self.scale_y * y, left=self.left * x, top=self.top * y)

    def moved(self, right: int, down: int) -> View:
        """After so many pixels were put at the left and top (or cut off there)."""
        return self._replace(left=self.left + right, top=self.top + down)


def prepare(image: Pixels, entry: Input) -> Array:
    """A picture of read_for(…, entry) or read_image(…, entry.color) -> (1, C, H, W) or (1, H, W, C) float32, or what
    else entry.dtype says: the card's steps, then the network's size and layout.
    """
    return prepare_view(image, entry)[0]


def prepare_view(image: Pixels, entry: Input) -> Tuple[Array, View]:
    """prepare(), and where the picture then lies; ImageError where a step would take more memory than there is."""
    for number, step in enumerate(plan(image, entry), start=1):
        if step.bytes > room():
            raise _too_large(number, step, sides(image))
    view, found = View(*sides(image)), _at_once(image, entry)
    if found is None:
        batch, view = step_by_step(image, entry)
        return _laid_out(batch, entry), view
    return found.batch, view.resized(sides(image), found.size).moved(-found.left, -found.top)


def _laid_out(batch: Array, entry: Input) -> Array:
    """(N, C, H, W) as the network takes it."""
    return batch if entry.layout == "NCHW" else np.ascontiguousarray(batch.transpose(0, 2, 3, 1))


def _at_once(image: Pixels, entry: Input) -> Optional[Prepared]:
    first = entry.steps[0] if entry.steps else {}
    if first.get("interpolation") != "pillow":
        return None
    from .quick import prepared

    return prepared(image, entry, new_size(first, *sides(image)))


class Planned(NamedTuple):
    """A step, the (height, width) after it, and the bytes of what it takes and makes."""

    op: str
    size: Tuple[int, int]
    bytes: int


def plan(image: Pixels, entry: Input) -> Iterator[Planned]:
    """What each step of the card will need, and the resize to the network's size as the last; nothing is done yet."""
    colours, each, held = (1 if entry.color == "GRAY" else 3), 1, 0  # a Picture was counted before
    if isinstance(image, np.ndarray):
        each, held = image.dtype.itemsize, image.nbytes
    size, there = sides(image), image.shape[0]
    for step in (*entry.steps, {}):
        before, (height, width) = each, size
        size = size_after(step or {"op": "resize", "size": _wanted(entry, size)}, height, width)
        colours = 1 if step.get("op") == "gray" and entry.channels == 1 else colours
        each = each if step and step["op"] != "normalize" else 4
        made = size[0] * size[1] * colours * each
        more = 0
        if step.get("op", "resize") == "resize" and size != (height, width):
            more = 24 * (height + width) + 128 * sum(size)  # where each pixel comes from
            if before > 1:  # cv2_linear's sums in float32
                more += 12 * there * size[1] * colours + 2 * made
            elif step.get("interpolation") in FILTERS:  # across first, then down
                more += 4 * there * size[1]
        elif not step and before > 1:
            made = 0  # it is done
        yield Planned(step.get("op", "resize"), size, held + made + more)
        held, there = made, size[0]


def step_by_step(image: Pixels, entry: Input) -> Tuple[Array, View]:
    """prepare_view() for any steps; (1, C, H, W)."""
    picture: Any = image
    view = View(*sides(image))
    for step in entry.steps:
        before = sides(picture)
        picture = STEPS[step["op"]](picture, step, entry)
        view = _follow(view, step, before, picture.shape[:2])
    height, width = _wanted(entry, picture.shape[:2])
    view = view.resized(picture.shape[:2], (height, width))
    picture = resize(picture, height, width, "cv2")
    planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    if planes.shape[0] != entry.channels:
        raise _channels(planes.shape[0], entry)
    return np.ascontiguousarray(planes[None], dtype=entry.dtype), view


def _wanted(entry: Input, size: Tuple[int, int]) -> Tuple[int, int]:
    """(height, width) that the network takes; those of the picture where it takes any."""
    height, width = entry.sides()
    return height or size[0], width or size[1]


def _follow(view: View, step: Dict[str, Any], before: Sequence[int], after: Sequence[int]) -> View:
    """The view after a step that made (height, width) of another size."""
    if step["op"] == "resize":
        return view.resized(before, after)
    if step["op"] == "pad":
        return view.moved(step["border"][0], step["border"][1])
    if step["op"] == "pad_to":
        top, left = _start(step, before, after)
        return view.moved(left, top)
    if step["op"] == "center_crop":
        down, right = (_offset(was, now) for was, now in zip(before, after))
        return view.moved(right, down)
    return view


def _offset(before: int, after: int) -> int:
    """What center_crop puts before the first pixel, or cuts off there: half of the difference, half to even."""
    return (after - before) // 2 if after > before else -round((before - after) / 2)


def _resize(picture: Pixels, step: Dict[str, Any], entry: Input) -> Array:
    height, width = sides(picture)
    size = new_size(step, height, width)
    if "letterbox" in step and step["interpolation"] == "cv2":
        from .letterbox import halved

        small = halved(picture, size)
        if small is not None:
            return small
    return resize(picture, size[0], size[1], step["interpolation"])


def _center_crop(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """Offsets are rounded half to even, as mmcls and torchvision do; zeros around a picture that is too small."""
    (height, width), (high, wide) = picture.shape[:2], step["size"]
    top, left = (max(0, -_offset(*sides)) for sides in ((height, high), (width, wide)))
    picture = picture[top : top + high, left : left + wide]
    more = max(0, high - height), max(0, wide - width)
    border = [more[1] // 2, more[0] // 2, (more[1] + 1) // 2, (more[0] + 1) // 2]
    return _pad(picture, {"border": border, "value": 0}, entry) if any(more) else picture


def _pad(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    left, top, right, bottom = step["border"]
    widths = [(top, bottom), (left, right), (0, 0)][: picture.ndim]
    return np.pad(picture, widths, mode="constant", constant_values=step["value"])


def _pad_to(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """Filled up at the right and bottom, or all round; what is larger than a given size stays. Channel by channel in
    memory.
    """
    height, width = picture.shape[:2]
    high, wide = size_after(step, height, width)
    channels = picture.reshape((height, width, -1)).transpose(2, 0, 1)
    planes = np.zeros((len(channels), high, wide), picture.dtype)
    if "value" in step:
        planes += _fill(step["value"], picture.dtype)
    top, left = _start(step, (height, width), (high, wide))
    planes[:, top : top + height, left : left + width] = channels
    return planes[0] if picture.ndim == 2 else planes.transpose(1, 2, 0)


def _start(step: Dict[str, Any], before: Sequence[int], after: Sequence[int]) -> Tuple[int, int]:
    """(rows, columns) that pad_to puts before the first."""
    return ((after[0] - before[0]) // 2, (after[1] - before[1]) // 2) if "center" in step else (0, 0)


def _fill(values: Sequence[float], kind: np.dtype[Any]) -> Array:
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
    return grey if entry.channels == 1 else np.repeat(grey[..., None], 3, axis=2)


def _normalize(picture: Array, step: Dict[str, Any], entry: Input) -> Array:
    """(x - mean) / std per channel, float32; channel by channel in memory, as the network takes it."""
    channels = picture.reshape((*picture.shape[:2], -1)).transpose(2, 0, 1)
    planes = np.ascontiguousarray(channels).astype(np.float32)
    _scale(planes, step)
    return planes[0] if picture.ndim == 2 else planes.transpose(1, 2, 0)


def _scale(planes: Array, step: Dict[str, Any]) -> None:
    """The same in place, of (..., C, H, W)."""
    mean, std = (np.asarray(step[name], np.float32).reshape(-1, 1, 1) for name in ("mean", "std"))
    planes -= mean
    planes /= std


STEPS: Dict[str, Callable[[Array, Dict[str, Any], Input], Array]] = {
    "resize": _resize,
    "center_crop": _center_crop,
    "pad": _pad,
    "pad_to": _pad_to,
    "gray": _gray,
    "normalize": _normalize,
}


def _too_large(number: int, step: Planned, size: Tuple[int, int]) -> ImageError:
    after, before = "%d x %d" % step.size[::-1], "%d x %d" % size[::-1]
    facts = -(-step.bytes >> 20), room() >> 20
    return ImageError(
        en="Step %d of the model's card, %s, would make %s of a picture of %s and take %d MB of memory; at most %d MB "
        "are free for it here. Take a smaller picture, or convert the checkpoint again with a smaller --input-size."
        % (number, step.op, after, before, *facts),
        zh="说明卡的第 %d 步 %s 会把 %s 的图片变成 %s，需要 %d MB 内存，而这里最多可用 %d MB。"
        "请换小一些的图片，或用更小的 --input-size 重新转换。" % (number, step.op, before, after, *facts),
    )


def _channels(found: int, entry: Input) -> ModelError:
    return ModelError(
        en="The card prepares pictures with %d channels, but the network takes %s. Convert the checkpoint again."
        % (found, entry.channels),
        zh="说明卡处理出的图片有 %d 个通道，而网络需要 %s 个。请重新转换权重文件。" % (found, entry.channels),
    )


# -- sizes, and resizing as the training tools did it: Pillow's antialiased bilinear, and OpenCV's linear -------------


def short_side_to(short: int, height: int, width: int) -> Tuple[int, int]:
    """(height, width) with the short side `short` and the other in proportion, rounded down as mmcls does."""
    if width < height:
        return int(short * height / width), short
    return short, int(short * width / height)


def fit_within(sides: Sequence[int], height: int, width: int) -> Tuple[int, int]:
    """(height, width) as large as two sides, (longer, shorter), allow; rounded as mmcv's imrescale does, 1 at least."""
    scale = min(max(sides) / max(height, width), min(sides) / min(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def fit_inside(size: Sequence[int], height: int, width: int) -> Tuple[int, int]:
    """(height, width) as large as fits into the `size` (height, width), rounded, 1 at least."""
    scale = min(size[0] / height, size[1] / width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def size_after(step: Dict[str, Any], height: int, width: int) -> Tuple[int, int]:
    """(height, width) that a card's step makes of a picture."""
    if step["op"] == "resize":
        return new_size(step, height, width)
    if step["op"] == "pad":
        left, top, right, bottom = step["border"]
        return height + top + bottom, width + left + right
    high, wide = step.get("size", (height, width))
    if step["op"] == "pad_to":
        times = step.get("multiple", 1)
        high, wide = (-(-max(sides) // times) * times for sides in ((height, high), (width, wide)))
    return high, wide


def new_size(step: Dict[str, Any], height: int, width: int) -> Tuple[int, int]:
    """(height, width) that a card's step "resize" gives a picture."""
    if "within" in step:
        return fit_within(step["within"], height, width)
    if "inside" in step:
        return fit_inside(step["inside"], height, width)
    if "letterbox" in step:
        from .letterbox import fit

        return fit(step["letterbox"], height, width)
    high, wide = step.get("size") or short_side_to(step["short"], height, width)
    return high, wide


def sides(picture: Pixels) -> Tuple[int, int]:
    """(height, width) of an array or a Picture."""
    height, width = picture.shape[:2] if isinstance(picture, np.ndarray) else picture.size
    return height, width


FILTERS = {"pillow": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def resize(picture: Pixels, height: int, width: int, interpolation: str) -> Array:
    """(H, W) or (H, W, C), uint8 or float32, or a Picture of image.py -> the same of another size, by "pillow",
    "bicubic" or "cv2".
    """
    if picture.shape[:2] == (height, width):
        return np.asarray(picture if isinstance(picture, np.ndarray) else picture.take())
    if interpolation in FILTERS:
        if isinstance(picture, np.ndarray):
            return _pillow(picture, height, width, FILTERS[interpolation])
        return _pillow_by_strips(picture, height, width, FILTERS[interpolation])
    from .cv2_linear import linear, linear_of_few

    if isinstance(picture, np.ndarray):
        return linear(picture, height, width)
    return linear_of_few(picture, height, width)


def _pillow(picture: Array, height: int, width: int, by: Image.Resampling) -> Array:
    if picture.dtype != np.uint8 and picture.ndim == 3:  # Pillow has floats in one channel only
        return np.stack([_pillow(picture[..., i], height, width, by) for i in range(picture.shape[2])], axis=-1)
    image = Image.fromarray(picture)
    # Across, then down, as Pillow did in training: from 13 on it takes the cheaper order, and differs by a level.
    across = image.resize((width, image.height), by)
    return np.asarray(across.resize((width, height), by))


def _pillow_by_strips(picture: Picture, height: int, width: int, by: Image.Resampling) -> Array:
    """_pillow() of a Picture: what goes across needs its own row only."""
    left, top, right, bottom = picture.box
    across, place = None, 0
    for strip in picture.strips():
        part = strip.resize((width, strip.height), by, (left, 0, right, strip.height))
        across = Image.new(part.mode, (width, picture.shape[0])) if across is None else across
        across.paste(part, (0, place))
        place += strip.height
    small = across.resize((width, height), by, (0, top, width, bottom))  # type: ignore[union-attr]
    return np.asarray(picture.ordered(np.asarray(small)))
