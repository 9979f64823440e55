"""Key layouts: how other tools call the tensors of a network that has a page here, as rules that rename its layers.

A page has one set of names, mostly mmcls's. A layout says for one tool which of its layers is which of the page's; the
numbers are the same, so the page computes what the tool does. What no name tells, such as how pictures were prepared,
is the tool's usual way and stands in the card's `assumed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..runtime.model.card import Input
from .architecture import Candidate, Page
from .recorded import Recorded, Wanted
from .settings import Settings
from .shapes import Shapes

# (a layer's name in the file, its name on the page), "{}" for a number that is the same in both. A name without numbers
# goes before one with; then the first that fits. A tensor's own name ("weight", "running_mean") comes after it and is
# the same everywhere in torch; where it is not, a rule has the whole name of the tensor.
Rules = Sequence[tuple[str, str]]
OWN: Rules = (("*", "*"),)  # the page has the tool's own names


@dataclass(frozen=True)
class Layout:
    """The names of one tool for the networks of some pages.

    tool    what people call it, for the card
    pages   whose networks they are
    rules   shapes of a file -> how its layers are called; empty if this tool did certainly not write them
    entry   how the tool prepares pictures where nobody says it; None: as the page says of each size
    interpolation  of its resizing, where it is not the page's
    unsaid  a note, in the user's language, on networks that have the same tensors as this one, and compute something
            else; "" where there is none
    """

    tool: str
    pages: tuple[Page, ...]
    rules: Callable[[Shapes], Rules]
    entry: Callable[[], Input] | None = None
    unsaid: Callable[[Settings, Candidate], str] = lambda settings, found: ""
    interpolation: str = ""

    def candidates(self, shapes: Shapes, settings: Settings) -> Iterator[Candidate]:
        """Every size of the pages' networks in which these tensors may be, recorded with the names in the file."""
        rules = self.rules(shapes)
        if not rules:
            return
        page_name = renamer(rules)
        ours = {key: name for key in shapes if (name := page_name(key))}
        if len(set(ours.values())) < len(ours):  # two tensors of one name: not this layout
            return
        theirs = {name: key for key, name in ours.items()}
        back = renamer([(page, file) for file, page in rules])
        for page in self.pages:
            for found in page.candidates({name: shapes[key] for name, key in theirs.items()}, settings):
                yield replace(found, record=self._recorder(found, theirs, back), tool=self.tool)

    def _recorder(
        self, found: Candidate, theirs: Mapping[str, str], back: Callable[[str], str | None]
    ) -> Callable[[Wanted], Recorded]:
        """Records with the tool's usual input; each tensor is called as in the file, also one that is missing there."""

        def record(wanted: Wanted) -> Recorded:
            recorded = found.record(
                replace(wanted, usual=self.entry and self.entry(), interpolation=self.interpolation)
            )
            named = recorded.graph.renamed(lambda key: theirs.get(key) or back(key) or key)
            return replace(recorded, graph=named, notes=tuple(filter(None, [self.unsaid(wanted.settings, found)])))

        return record


def renamer(rules: Rules) -> Callable[[str], str | None]:
    """A tensor's name -> its name on the other side of the rules; None where none of them fits.

    >>> renamer([("layer{}.{}.bn{}", "backbone.layer{}.{}.bn{}")])("layer1.0.bn2.weight")
    'backbone.layer1.0.bn2.weight'
    """
    if tuple(rules) == OWN:
        return lambda key: key
    exact = {found: other for found, other in rules if "{}" not in found}
    patterns = [
        (re.compile(re.escape(found).replace(r"\{\}", r"(\d{1,6})")), other) for found, other in rules if "{}" in found
    ]

    def renamed(key: str) -> str | None:
        layer, _, part = key.rpartition(".")
        if key in exact or layer in exact:
            return exact.get(key) or f"{exact[layer]}.{part}"
        for pattern, other in patterns:
            if matched := pattern.fullmatch(key):
                return other.format(*matched.groups())
            if matched := pattern.fullmatch(layer):
                return f"{other.format(*matched.groups())}.{part}"
        return None

    return renamed
