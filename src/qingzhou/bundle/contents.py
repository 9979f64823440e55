"""A bundle's files: their digests, bundle.json, which lists them, and the zip of them all."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..runtime.file import open_file
from ..runtime.text import escaped, file_name

FORMAT, VERSION, FACTS = "qingzhou.bundle", 1, "bundle.json"
SEAL = "digest"  # in bundle.json: the SHA-256 of the rest of it
EXECUTABLE = ("install.sh",)
PIECE = 1 << 20
LARGEST = 2 << 30  # bytes of an unpacked zip
LARGEST_FACTS = 16 << 20  # bytes of a bundle.json


def write(path: Path, text: str) -> None:
    """UTF-8 as it is, with its own line ends; the folder is new, so nothing can be half there."""
    path.write_bytes(text.encode("utf-8"))
    if path.name in EXECUTABLE:
        os.chmod(path, 0o755)


def write_facts(folder: Path, facts: Mapping[str, object]) -> None:
    """bundle.json: what the bundle is, and the digest of every file; sealed, so that a change of it is seen."""
    write_sealed(folder, facts, digests(folder))


def write_sealed(folder: Path, facts: Mapping[str, object], files: Mapping[str, str]) -> None:
    """The same with the digests that are given: of what we wrote, where somebody has changed some of it."""
    whole = {**facts, "files": dict(files)}
    write(folder / FACTS, as_text({**whole, SEAL: _seal(whole)}))


def as_text(facts: Mapping[str, object]) -> str:
    """JSON that people can read."""
    return escaped(json.dumps(facts, ensure_ascii=False, indent=1)) + "\n"


def is_sealed(facts: Mapping[str, object]) -> bool:
    """Whether it says what we wrote."""
    return facts.get(SEAL) == _seal({name: value for name, value in facts.items() if name != SEAL})


def _seal(facts: Mapping[str, object]) -> str:
    return hashlib.sha256(as_text(facts).encode("utf-8", "surrogatepass")).hexdigest()


def read_facts(text: bytes) -> dict[str, Any] | None:
    """What a bundle.json says; None if it is none of ours."""
    try:
        facts = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and facts.get("format") == FORMAT else None


def written(facts: Mapping[str, object]) -> dict[str, str]:
    """The digests that it lists; {} in a form that has none."""
    files = facts.get("files")
    found = files.items() if isinstance(files, dict) else ()
    return {name: digest for name, digest in found if isinstance(digest, str)}


def files_in(folder: Path) -> list[str]:
    """The names of its files, with /."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its name with /."""
    return {name: sha256_of(folder / name) for name in files_in(folder)}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, piece by piece."""
    with open_file(path) as file:
        return _sha256(file)


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def zipped(folder: Path, place: Path) -> Path:
    """The folder as a zip that unpacks into one folder; scripts stay executable."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files_in(folder):
            info = zipfile.ZipInfo(f"{file_name(folder.name)}/{name}", (2026, 1, 1, 0, 0, 0))
            mode = 0o755 if name in EXECUTABLE else 0o644
            info.external_attr, info.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, (folder / name).read_bytes())
    return place


def zip_of_ours(place: Path) -> bool | None:
    """Whether a zip is as zipped() made it; None if it is no bundle, or too large to look into."""
    try:
        with zipfile.ZipFile(place) as archive:
            return _is_ours(archive)
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile):
        return None


def _is_ours(archive: zipfile.ZipFile) -> bool | None:
    entries = {entry.filename: entry for entry in archive.infolist()}
    top = next((name.partition("/")[0] for name in entries if name.count("/") == 1 and name.endswith("/" + FACTS)), "")
    main = entries.get(f"{top}/{FACTS}")
    if main is None or main.file_size > LARGEST_FACTS or sum(one.file_size for one in entries.values()) > LARGEST:
        return None
    facts = read_facts(archive.read(main))
    if facts is None:
        return None
    wanted = {f"{top}/{name}": digest for name, digest in written(facts).items()}
    if not is_sealed(facts) or set(wanted) != set(entries) - {main.filename} or len(entries) < len(archive.infolist()):
        return False
    return all(_digest_in(archive, name) == digest for name, digest in wanted.items())


def _digest_in(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return _sha256(file)
