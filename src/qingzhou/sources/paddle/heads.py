"""Which files are Paddle's, by their first bytes and names: light, since every file is asked."""

from __future__ import annotations

import struct
from collections.abc import Collection

PROGRAMS = (".json", ".pdmodel")  # the newer one first
PARAMETERS, INFO = ".pdiparams", ".pdiparams.info"
OLDEST = ("__model__", "__params__")
SETTINGS = ("inference.yml", "infer_cfg.yml", "inference.yaml", "deploy.yaml")
LABELS = ("label_list.txt", "labels.txt", "imagenet1k_label_list.txt", "class_id_map.txt", "label.txt")
HEADER = struct.Struct("<IQIi")  # of a tensor in a file of parameters
MOST_PROGRAM = 1 << 28  # bytes
LONGEST = 1 << 12  # of a TensorDesc


def is_pir(head: bytes) -> bool:
    """Whether a text begins as a program of Paddle 3."""
    start = b"".join(head[:200].split())
    return start.startswith(b'{"base_code":{') and b'"magic":"pir"' in start


def looks_like(head: bytes) -> bool:
    """Whether a file begins as a ProgramDesc: with its first block, which begins with its number, 0."""
    at = 1
    while at < 10 and head[at : at + 1] >= b"\x80":
        at += 1
    return head[:1] == b"\x0a" and head[at + 1 : at + 4] == b"\x08\x00\x10"


def begins(head: bytes) -> bool:
    """Whether a file begins as one of parameters does."""
    if len(head) < HEADER.size + 2:
        return False
    version, levels, inner, size = HEADER.unpack_from(head)
    return version == levels == inner == 0 and 2 <= size <= LONGEST and head[HEADER.size] == 0x08


def inside(names: Collection[str]) -> bool:
    """Whether parts of these names may be a model of Paddle."""
    plain = {name.rpartition("/")[2] for name in names}
    return any(name.endswith((".pdmodel", PARAMETERS)) for name in plain) or set(OLDEST) <= plain


def single(names: Collection[str]) -> bool:
    """Whether a folder with these files is one model, and not a place where several lie."""
    return len({stem_of(name) for name in names if inside([name])}) == 1 or set(OLDEST) <= set(names)


def base(name: str) -> str:
    """A name without its folders."""
    return name.rpartition("/")[2]


def stem_of(name: str) -> str:
    """Without the ending that says which half it is."""
    for suffix in (INFO, PARAMETERS, *PROGRAMS):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name.rpartition("/")[0] + "/" if base(name) in OLDEST else name
