"""Making a bundle again in its place: what is somebody's own there stays; what we wrote and nobody changed is replaced.

Every step is a renaming, and all are undone if one fails. bundle.json comes last; until then it lists the new files as
well, so that the run after one that was killed knows what is ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..own_files import is_folder, is_plain, kept_name, program_place
from .contents import FACTS, as_text, digests, is_sealed, read_facts, sha256_of, written

UNFINISHED = "unfinished"  # in bundle.json while it is being made again: the digests of the new files
PROGRAM = "main.py"
LONGEST = 1 << 20  # bytes of a program


@dataclass(frozen=True)
class Before:
    """The bundle that is there: its folder, what its bundle.json says, and the digests of what we wrote, by name."""

    folder: Path
    facts: Mapping[str, Any]
    digests: Mapping[str, frozenset[str]]

    def there(self, name: str) -> Path | None:
        """Where this file of ours lies, or what is in its place; None if nothing is, or only behind a link."""
        parts = PurePosixPath(name).parts
        path = self.folder.joinpath(*parts)
        if not parts or path.parts != (*self.folder.parts, *parts) or ".." in parts or "\0" in name:
            return None
        folders = [self.folder.joinpath(*parts[:n]) for n in range(1, len(parts))]
        return path if all(map(is_folder, folders)) and os.path.lexists(path) else None

    def ours(self, name: str, *others: str) -> bool:
        """Whether it is a file as we wrote it, or with one of the other digests."""
        path = self.there(name)
        wanted = self.digests.get(name, frozenset()) | set(others)
        return path is not None and bool(wanted) and is_plain(path) and sha256_of(path) in wanted

    def program(self, text: str) -> str:
        """The name of a new main.py: main_run.py beside one that somebody changed."""
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        return program_place(self.folder / PROGRAM, lambda path: self.ours(path.name, digest)).name

    def programs(self) -> dict[str, str]:
        """The texts of the programs that are somebody's own, by their names; the runtime has to serve them as well."""
        own = (path for path in sorted(self.folder.glob("*.py")) if is_plain(path) and not self.ours(path.name))
        return {path.name: path.read_bytes()[:LONGEST].decode("utf-8", "replace") for path in own}


def read_before(folder: Path) -> Before | None:
    """The bundle in a folder; None if it holds none of ours."""
    place = folder / FACTS
    try:
        facts = read_facts(place.read_bytes()) if is_plain(place) else None
    except OSError:
        return None
    if facts is None:
        return None
    lists = [written(facts), *(written({"files": one}) for one in _unfinished(facts))]
    names = {name for one in lists for name in one}
    return Before(folder, facts, {name: frozenset(one[name] for one in lists if name in one) for name in names})


def _unfinished(facts: Mapping[str, Any]) -> list[Any]:
    """What runs that were killed were about to write."""
    found = facts.get(UNFINISHED)
    return found if isinstance(found, list) else []


def renew(new: Path, before: Before, aside: Path) -> dict[str, str]:
    """Put a finished bundle in the place of the one before: the names of what is somebody's own, and where it is now.

    aside  an empty folder on the same disk, for what is replaced. OSError, and then everything is as it was.
    """
    coming, place = digests(new), before.folder
    coming.pop(FACTS)
    old = [name for name in {**before.digests, **coming} if before.ours(name, *filter(None, [coming.get(name)]))]
    kept = {path: kept_name(path) for path in _in_the_way(before, coming, old)}
    aside.mkdir(exist_ok=True)
    with _marked(before, coming, aside.with_suffix(".json")):
        _carry_out(
            [
                *((place / name, aside / name) for name in old),
                *kept.items(),
                *((new / name, place / name) for name in coming),
                (new / FACTS, place / FACTS),
            ]
        )
    _remove_empty(place, [name for name in old if name not in coming])
    stay = [name for name in before.digests if name not in coming and before.there(name) is not None]
    moved = {_name(place, path): _name(place, now) for path, now in kept.items()}
    return dict(sorted({**{name: name for name in stay}, **moved}.items()))


def _in_the_way(before: Before, coming: Mapping[str, str], old: Sequence[str]) -> list[Path]:
    """What is somebody's own and lies where something of ours comes: a file, or what is no folder where we need one."""
    found = set()
    for name in set(coming) - set(old):
        path = before.folder / name
        above = [before.folder / folder for folder in reversed(PurePosixPath(name).parents[:-1])]
        blocked = [folder for folder in above if os.path.lexists(folder) and not is_folder(folder)]
        if blocked or os.path.lexists(path):
            found.add((blocked or [path])[0])
    return sorted(found)


@contextlib.contextmanager
def _marked(before: Before, coming: Mapping[str, str], part: Path) -> Iterator[None]:
    """While the files change, bundle.json says which are coming; one that somebody changed is kept.

    part  where each new one is written before it is moved to its place
    """
    place = before.folder / FACTS
    was = place.read_bytes()

    def put(text: bytes, name: Path) -> None:
        part.write_bytes(text)
        os.replace(part, name)

    if not is_sealed({name: value for name, value in before.facts.items() if name != UNFINISHED}):
        put(was, kept_name(place))
    put(
        as_text({**before.facts, UNFINISHED: [*_unfinished(before.facts), coming]}).encode("utf-8", "backslashreplace"),
        place,
    )
    try:
        yield
    except BaseException:
        put(was, place)
        raise


def _carry_out(steps: Sequence[tuple[Path, Path]]) -> None:
    """Rename them all, or none."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in steps:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            with contextlib.suppress(OSError):
                os.replace(target, source)
        raise


def _remove_empty(place: Path, names: Sequence[str]) -> None:
    """The folders of these files, where nothing is left in them."""
    folders = {parent for name in names for parent in PurePosixPath(name).parents if parent.parts}
    for folder in sorted(folders, key=lambda one: -len(one.parts)):
        with contextlib.suppress(OSError):
            (place / folder).rmdir()


def _name(place: Path, path: Path) -> str:
    return path.relative_to(place).as_posix()
