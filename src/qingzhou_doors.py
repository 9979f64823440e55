"""Lets `import MMEdu`, `import BaseNN` and `import XEdu` find Qingzhou's doors where the originals are not installed.

Imported by qingzhou_doors.pth whenever Python starts: no imports beyond what start-up has done already, no output, no
errors. The environment variable QINGZHOU_DOORS chooses: "last" (the default: an installed original wins), "first"
(Qingzhou wins) or "off".
"""

import os
import sys

TYPE_CHECKING = False  # typing is not imported at start-up
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

NAMES = ("MMEdu", "BaseNN", "XEdu")


class DoorFinder:
    """A finder for sys.meta_path that answers only for the three top-level names."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The door's spec, or None where the original is to be used."""
        if name not in NAMES:
            return None
        try:
            choice = os.environ.get("QINGZHOU_DOORS", "").strip().lower()
            if choice == "off" or (choice != "first" and original(name)):
                return None
            return door(name)
        except Exception:  # a broken neighbour must not break the import that Python can still do without us
            return None


def original(name: str) -> "ModuleSpec | None":
    """The spec of an installed package or module of that name; a left-over folder without __init__.py is none."""
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        if finder is DoorFinder or find_spec is None:
            continue
        spec: ModuleSpec | None = find_spec(name, None)
        if spec is not None and spec.loader is not None and spec.origin is not None:
            return spec
    return None


def door(name: str) -> "ModuleSpec | None":
    """The spec of qingzhou/doors/`name`, found without importing qingzhou."""
    from importlib.util import find_spec, spec_from_file_location

    package = find_spec("qingzhou")
    for root in (package and package.submodule_search_locations) or ():
        folder = os.path.join(root, "doors", name)
        init = os.path.join(folder, "__init__.py")
        if os.path.isfile(init):
            return spec_from_file_location(name, init, submodule_search_locations=[folder])
    return None


def install() -> None:
    """Put the finder before those that would take a left-over empty folder for a package."""
    if DoorFinder not in sys.meta_path:
        sys.meta_path.insert(0, DoorFinder)


install()
