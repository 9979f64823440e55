"""What the parts of a `.pt2` are called: all that is needed to tell it from any other zip."""

from __future__ import annotations

from collections.abc import Sequence

# Of torch 2.6 and before
OLD = ("serialized_exported_program.json", "serialized_state_dict.json", "serialized_state_dict.pt")


def root_of(names: Sequence[str]) -> str:
    """The one folder that all parts lie in, with its slash; "" where there is none."""
    root = names[0].partition("/")[0] + "/" if names and "/" in names[0] else ""
    return root if root and all(name.startswith(root) for name in names) else ""


def is_archive(names: Sequence[str]) -> bool:
    """Whether these are the parts of a `.pt2`, of whatever age."""
    root = root_of(names)
    own = {name.removeprefix(root) for name in names}
    return ("archive_format" in own and bool(root)) or any(name in own for name in OLD)
