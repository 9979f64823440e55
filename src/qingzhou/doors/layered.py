"""BaseNN's class nn, as far as converting goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..model import Model
from .common import OUT_FILE, Request, convert_checkpoint, infers_not, pth_info, trains_not

__all__ = ["nn", "pth_info"]


class nn:
    """A network built layer by layer.

    >>> from BaseNN import nn
    >>> nn().convert(checkpoint="basenn.pth", out_file="iris.onnx")
    """

    def __init__(self, task: str = "cls", save_fold: str | None = None) -> None:
        self.task_type, self.save_fold = task.lower(), save_fold or "checkpoints"

    def convert(
        self,
        checkpoint: str | Path | None = None,
        out_file: str | Path = OUT_FILE,
        backend: Any = "ONNX",
        opset_version: int | None = None,
        ir_version: int | None = None,
        **kwargs: Any,
    ) -> Model:
        """Write `out_file` and a program beside it."""
        return convert_checkpoint(Request(checkpoint, out_file, backend, opset_version, ir_version), kwargs)

    add = trains_not("BaseNN", "add")
    train = trains_not("BaseNN", "train")
    set_seed = trains_not("BaseNN", "set_seed")
    load_dataset = trains_not("BaseNN", "load_dataset")
    load_img_data = trains_not("BaseNN", "load_img_data")
    load_tab_data = trains_not("BaseNN", "load_tab_data")
    load_npz_data = trains_not("BaseNN", "load_npz_data")
    save = trains_not("BaseNN", "save")
    visual_feature = trains_not("BaseNN", "visual_feature")
    extract_feature = trains_not("BaseNN", "extract_feature")
    print_model = trains_not("BaseNN", "print_model")
    load = infers_not("BaseNN", "load", "basenn")
    inference = infers_not("BaseNN", "inference", "basenn")
    print_result = infers_not("BaseNN", "print_result", "basenn")
