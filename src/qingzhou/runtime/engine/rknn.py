"""Rockchip's NPU: an .rknn for one chip, run by RKNNLite; the card lies beside it, since the file has no room for one.

Python 3.7; copied to boards. The NPU takes bytes as the camera gives them (NHWC): mean and std are inside the file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List

import numpy as np

from ..errors import EngineError, FileMissing, ModelError
from ..file import is_file, open_file
from ..model.card import KEY, LONGEST, Card, outputs_of
from .as_onnxruntime import Entry, OneByOne
from .package import install_line, package

if TYPE_CHECKING:
    from ..typed import Array, FilePath

CARD = ".json"  # behind the model's name
TITLE = "RKNNLite"
CORES = {"rk3588": "NPU_CORE_0_1_2", "rk3576": "NPU_CORE_0_1"}  # of chips with several, which then share one picture


class RknnSession(OneByOne):
    """A network on the NPU, asked as an onnxruntime session is."""

    def __init__(self, lite: Any, card: Card, text: str) -> None:
        self._lite = lite
        made = card.origin.get("quantised") or {}
        super().__init__(
            [Entry(card.input.name, ["?", *card.input.shape[1:]], "tensor(uint8)")],
            [Entry(str(name), ["?"], "tensor(float)") for name in made.get("outputs") or outputs_of(card)],
            {KEY: text},
        )

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        picture = next(iter(feed.values()))
        found = self._lite.inference(inputs=[np.ascontiguousarray(picture[None])], data_format=["nhwc"])
        if found is None or len(found) != len(self._outputs):
            raise ValueError("the NPU gave no answer")
        return [np.asarray(one)[0] for one in found]


def open_rknn(path: FilePath) -> RknnSession:
    """A session on this board's NPU; FileMissing, ModelError, EngineError, ExtraMissing."""
    name, text = os.path.basename(str(path)), _card(str(path))
    card = Card.from_json(text)
    made = card.origin.get("quantised") or {}
    chip, version = str(made.get("target", "")), str((made.get("versions") or {}).get("rknn-toolkit2", ""))
    api = package("rknnlite.api", TITLE, install_line("rknn-toolkit-lite2"))
    lite = api.RKNNLite()
    mask = getattr(api.RKNNLite, CORES.get(chip, "NPU_CORE_AUTO"), 0)
    try:
        failed = lite.load_rknn(str(path)) != 0 or lite.init_runtime(core_mask=mask) != 0
    except Exception as err:  # it has many kinds; most faults are a number and lines on the screen
        raise _refused(name, chip, version, str(err)) from None
    if failed:
        raise _refused(name, chip, version, "")
    return RknnSession(lite, card, text)


def _card(path: str) -> str:
    for one in (path, path + CARD):
        if not is_file(one):
            raise FileMissing(
                en="There is no file %s. An .rknn and its .json belong together: copy both." % one,
                zh="文件 %s 不存在。.rknn 和它的 .json 要一起复制。" % one,
            )
    with open_file(path + CARD) as file:
        data = file.read(LONGEST + 1)
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise ModelError(
            en="%s is no card of ours. Copy the bundle again." % os.path.basename(path + CARD),
            zh="%s 不是轻舟写的说明卡。请重新复制整个包。" % os.path.basename(path + CARD),
        ) from None


def _refused(name: str, chip: str, version: str, why: str) -> EngineError:
    reason = " ".join(why.split())[:200]
    return EngineError(
        en="This board's NPU did not take %s%s. The file is for %s alone. See that the board has that chip, "
        "/usr/lib/librknnrt.so of version %s or later, and its driver: cat /sys/kernel/debug/rknpu/version"
        % (name, ": " + reason if reason else "", chip or "another chip", version or "2.5.0"),
        zh="这块板子的 NPU 无法使用 %s%s。这个文件只能用于 %s。请确认板子是这种芯片，"
        "有 %s 或更新的 /usr/lib/librknnrt.so 和驱动：cat /sys/kernel/debug/rknpu/version"
        % (name, "：" + reason if reason else "", chip or "另一种芯片", version or "2.5.0"),
    )
