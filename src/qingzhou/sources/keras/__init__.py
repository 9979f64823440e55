"""Keras: `.keras`, `.h5`, TF.js layers models and what Teachable Machine gives, without TensorFlow; nothing is run."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ...errors import UnsupportedCheckpoint
from ..source import Contents, Opened, Part, Source
from .parts import is_json_model, is_page, keras_folder, whole_h5

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network
    from .container import Whole


def _zip(opened: Opened) -> bool:
    return opened.whole is not None and opened.head.startswith(b"PK\x03\x04")


def claims(opened: Opened) -> bool:
    """HDF5, a zip with the parts of a .keras or with an .h5; CheckpointDamaged, UnsafeCheckpoint."""
    if opened.head.startswith(b"\x89HDF\r\n\x1a\n"):
        return True
    if not _zip(opened) and opened.whole is not None:
        return False
    names = opened.names
    if opened.whole is not None:
        return zipped(names)
    return keras_folder(names) == "" or bool(whole_h5(names) and {"keras_model.h5", "labels.txt"} <= {*names})


def zipped(names: Collection[str]) -> bool:
    """A .keras, also packed again, or a zip with an .h5."""
    return keras_folder(names) is not None or bool(whole_h5(names))


def read(opened: Opened, wanted: Wanted) -> Network:
    """Layer by layer; UnsupportedCheckpoint names the layer that is not known."""
    from .container import whole_of
    from .read import read_keras

    return read_keras(opened, opened.content(whole_of), wanted)


def look(opened: Opened) -> Contents:
    """Its tensors, also of weights alone."""
    from .container import tensors_of, whole_of

    try:
        return _looked(opened, opened.content(whole_of))
    except UnsupportedCheckpoint:  # read() says why
        parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in tensors_of(opened).items()]
        return Contents("HDF5", opened.file.size, parts, "Keras")


def _looked(opened: Opened, whole: Whole) -> Contents:
    parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in whole.tensors.items()]
    size = opened.file.size if opened.whole is not None else 0
    return Contents(whole.container, size, parts, f"Keras {whole.version[:20]}", facts=dict(whole.facts))


def claims_page(opened: Opened) -> bool:
    """model.json, or a zip or folder with it and its shards."""
    if opened.whole is not None and not _zip(opened):
        return is_json_model(opened.head)
    return is_page(opened.names)


def read_page(opened: Opened, wanted: Wanted) -> Network:
    """As any other model of Keras."""
    from .read import read_keras
    from .tfjs import page_of

    return read_keras(opened, opened.content(page_of), wanted)


def look_page(opened: Opened) -> Contents:
    """Its tensors."""
    from .tfjs import page_of

    return _looked(opened, opened.content(page_of))


KERAS = Source("keras", "Keras", (".keras", ".h5", ".hdf5"), claims, read, look, beside=("labels.txt",), zipped=zipped)
TFJS = Source(
    "tfjs",
    "TF.js layers models",
    (".json",),
    claims_page,
    read_page,
    look_page,
    beside=("metadata.json", "weights.bin"),
    zipped=is_page,
)
