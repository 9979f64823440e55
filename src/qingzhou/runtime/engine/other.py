"""Which engine opens a file that is no .onnx: its name tells. For programs of one engine the others are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from ..typed import FilePath, Session


def open_other(end: str, path: FilePath, threads: Optional[int] = None) -> Session:
    """ncnn's .param, LiteRT's .tflite, MNN's .mnn, Rockchip's .rknn, or numpy's .npz; what opening them raises."""
    if end == ".param":
        from .ncnn import open_ncnn

        return open_ncnn(path, threads)
    if end == ".tflite":
        from .litert import open_litert

        return open_litert(path, threads)
    if end == ".mnn":
        from .mnn import open_mnn

        return open_mnn(path, threads)
    if end == ".rknn":
        from .rknn import open_rknn

        return open_rknn(path)
    from .arrays import open_arrays

    return open_arrays(path)
