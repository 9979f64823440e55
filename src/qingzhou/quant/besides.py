"""Masks, keypoints and turned boxes of both models: judged like boxes, by the data or by how well they are repeated."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import say
from ..evaluate.besides import LEAST, outline_of
from ..evaluate.detect import detect
from ..evaluate.doubt import LEAST_MAP
from ..evaluate.result import Box, Case, DetectionScore
from ..runtime.model.card import Card
from ..runtime.model.detection import SURE

SEEN, UNSEEN = 2.0, 0.0  # COCO's marks of keypoints


class Beside(NamedTuple):
    """Of "masks", "keypoints" or "rotated": mAP of both; `labelled`: by true ones, else by those of the first model."""

    kind: str
    labelled: bool
    before: float
    after: float

    @property
    def drop(self) -> float:
        """What was lost, as a share."""
        return self.before - self.after

    @property
    def title(self) -> str:
        """For people."""
        return {
            "masks": say("masks", "掩码"),
            "keypoints": say("keypoints", "关键点"),
            "rotated": say("turned boxes", "旋转框"),
        }[self.kind]


# -- answers that are kept -------------------------------------------------------------------------------------------


class Packed(NamedTuple):
    """A mask that waits: of hundreds of pictures they would fill the memory."""

    shape: tuple[int, ...]
    kind: str
    data: bytes

    def opened(self) -> Any:
        """The mask again."""
        flat = np.frombuffer(zlib.decompress(self.data), np.uint8)
        if self.kind == "bool":
            return np.unpackbits(flat, count=int(np.prod(self.shape))).astype(bool).reshape(self.shape)
        return flat.view(self.kind).reshape(self.shape)


def light(answer: Any) -> Any:
    """What is kept of an answer: boxes with packed masks, and without those that judge nothing."""
    return [_packed(one) for one in answer] if isinstance(answer, list) else answer


def _packed(one: Any) -> Any:
    if one.mask is None:
        return one
    if one.confidence < LEAST:
        return one._replace(mask=None, mask_box=None)
    mask = np.ascontiguousarray(one.mask)
    flat = np.packbits(mask) if mask.dtype == bool else mask
    return one._replace(mask=Packed(mask.shape, mask.dtype.name, zlib.compress(flat.tobytes(), 1)))


def opened(answer: Sequence[Any]) -> list[Any]:
    """The same with masks that can be looked at."""
    return [one._replace(mask=one.mask.opened()) if isinstance(one.mask, Packed) else one for one in answer]


# -- judging ---------------------------------------------------------------------------------------------------------


def tells_more(pairs: Iterable[tuple[Case, Any]]) -> bool:
    """Whether the first model says more of a thing than its box."""
    fields = ("mask", "keypoints", "rotated")
    return any(getattr(one, field, None) is not None for _, both in pairs for one in both.before for field in fields)


def own(case: Case, answer: Sequence[Any], card: Card) -> list[Box]:
    """What a model is sure of in a picture, as the truth for another."""
    least = (card.thresholds or {}).get("score", 0.0)
    return [
        Box(int(one.index), tuple(one.box), outline=outline_of(one, case.data), keypoints=_marked(one.keypoints))
        for one in opened([one for one in answer if one.confidence >= least])
    ]


def _marked(points: Sequence[Sequence[float]] | None) -> list[float] | None:
    """Those that the model sees."""
    if points is None:
        return None
    return [n for x, y, *sure in points for n in (x, y, UNSEEN if sure and sure[0] < SURE else SEEN)]


def besides(card: Card, pairs: Sequence[tuple[Case, Any]], labelled: bool) -> tuple[list[Beside], list[str]]:
    """The figures of each kind that the first model tells, and the kinds of which nothing can be said."""
    if not tells_more(pairs):
        return [], []
    found, lacking = [], set[str]()
    if labelled:
        before, after = _scores(card, pairs)
        found = [one for one in _both(before, after) if one.before > LEAST_MAP]
        lacking = {*before.unjudged, *(score.kind for score in before.besides)} - {one.kind for one in found}
        pairs = [(case._replace(truth=own(case, both.before, card)), both) for case, both in pairs] if lacking else ()
    if not labelled or lacking:
        before, after = _scores(card, pairs)
        found += [one for one in _repeated(before, after) if not labelled or one.kind in lacking]
        lacking |= {*before.unjudged, *(score.kind for score in before.besides)}
    return found, sorted(lacking - {one.kind for one in found})


def _scores(card: Card, pairs: Sequence[tuple[Case, Any]]) -> list[DetectionScore]:
    return [detect(_side(pairs, side), card.labels, beside=True) for side in (0, 1)]


def _side(pairs: Iterable[tuple[Case, Any]], side: int) -> Iterator[tuple[Case, Any]]:
    return ((case, opened(both[side])) for case, both in pairs)


def _both(before: DetectionScore, after: DetectionScore) -> list[Beside]:
    """By true ones. A kind that the second never tells is lost."""
    left = {one.kind: one.map for one in after.besides}
    return [Beside(one.kind, True, one.map, left.get(one.kind, 0.0)) for one in before.besides]


def _repeated(before: DetectionScore, after: DetectionScore) -> list[Beside]:
    """By the first model's own, of what it itself reaches: a mask beside the picture is found by nobody."""
    both = [one for one in _both(before, after) if one.before]
    return [Beside(one.kind, False, 1.0, min(1.0, one.after / one.before)) for one in both]
