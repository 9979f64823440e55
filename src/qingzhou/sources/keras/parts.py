"""Which members a Keras file has: light, since every zip and folder is looked at."""

from __future__ import annotations

from collections.abc import Iterable

CONFIG, META, NUMBERS = "config.json", "metadata.json", "model.weights.h5"
LABELS, WHOLE, PAGE = "labels.txt", "keras_model.h5", "model.json"
SHARDED = "model.weights.json"


def keras_folder(names: Iterable[str]) -> str | None:
    """Where the parts of a .keras are: "" as Keras packs them, "model/" where they were unpacked and packed again."""
    found = set(names)
    at = inside(found, CONFIG).removesuffix(CONFIG)
    parts = {f"{at}{name}" for name in (NUMBERS, SHARDED)} | ({META} if not at else set())
    return at if f"{at}{CONFIG}" in found and parts & found else None


def inside(names: Iterable[str], wanted: str) -> str:
    """The member of that name in the outermost folder that has one; "" for none."""
    found = [name for name in names if name.rpartition("/")[2] == wanted and not name.startswith("__MACOSX")]
    return min(found, key=lambda name: (name.count("/"), name)) if found else ""


def whole_h5(names: Iterable[str]) -> str:
    """The .h5 of a zip or folder from Teachable Machine, or of a zip with only one; "" for none."""
    names = list(names)
    others = [name for name in names if name.lower().endswith((".h5", ".hdf5")) and not name.startswith("__MACOSX")]
    return inside(names, WHOLE) or (others[0] if len(others) == 1 else "")


def is_page(names: Iterable[str]) -> bool:
    """A model.json with a .bin beside it, or with nothing else that could be a model: its shards were left behind."""
    names = list(names)
    page = inside(names, PAGE)
    folder = page.rpartition("/")[0]
    alone = all(name.endswith((PAGE, "metadata.json", ".txt", ".md", "/")) for name in names)
    return bool(page) and (alone or any(name.endswith(".bin") and name.rpartition("/")[0] == folder for name in names))


def is_json_model(head: bytes) -> bool:
    """By the first bytes of a model.json."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    words = (b'"modelTopology"', b'"weightsManifest"', b'"layers-model"', b'"graph-model"')
    return start.startswith(b"{") and any(word in head for word in words)
