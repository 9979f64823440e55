"""What `qingzhou targets` shows, and `qingzhou export` of a file for a chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.filesize import decimal

from ..errors import FileMissing, say
from ..targets.home import Place, home, place_of
from ..targets.target import Target
from .pieces import as_json, console, escape, notes
from .table import facts, table_of

if TYPE_CHECKING:
    from ..engines.artifact import Artifact
    from ..targets.result import OnChip


def targets(found: Mapping[str, Target], json_wanted: bool) -> None:
    """A row for each target: whether its compiler is there, what it is, how large."""
    places, wrong = _places(found)
    if json_wanted:
        state = {name: {"installed": place.python is not None, "stale": place.stale} for name, place in places.items()}
        as_json({"targets": [{**target.as_dict(), **state[name]} for name, target in found.items()]})
        return
    table = table_of("", "", say("chips", "芯片"), say("size", "大小"), say("to install", "安装命令"))
    for name, target in found.items():
        there = places[name].python is not None
        mark = "[green]✓[/]" if there else "[red]✗[/]"
        line = "" if there else f"qingzhou targets install {name}"
        if places[name].stale:
            line += f"  [yellow]{say('(other versions are there)', '（已有其他版本）')}[/]"
        size = f"{target.recipe.megabytes / 1000:.1f} GB"
        table.add_row(mark, f"[bold]{name}[/]  {target.shown}", ", ".join(target.chips), size, line)
    console().print(table)
    for name, place in places.items():
        if place.python is not None:
            console().print(f"{name}  {escape(str(place.python))}")
    notes(console(), wrong)


def _places(found: Mapping[str, Target]) -> tuple[dict[str, Place], list[str]]:
    """Where each lies, and what is wrong with those that are not where a variable says."""
    places, wrong = {}, []
    for name, target in found.items():
        try:
            places[name] = place_of(target)
        except FileMissing as err:
            places[name] = Place(home() / name, None)
            wrong.append(str(err))
    return places, wrong


def brings(target: Target, folder: str) -> None:
    """What an environment would hold, before anything is fetched."""
    screen = console()
    screen.print(f"[bold]{target.shown}[/]  {say(*target.recipe.brings)}")
    screen.print(
        facts(
            (say("size", "大小"), f"{target.recipe.megabytes / 1000:.1f} GB"),
            (say("packages", "软件包"), escape(", ".join((*target.recipe.bare, *target.recipe.packages)))),
            ("Python", say(" or ", " 或 ").join(target.recipe.pythons)),
            (say("folder", "文件夹"), escape(folder)),
        )
    )


def installed(target: Target, versions: Mapping[str, str], json_wanted: bool) -> None:
    """What is there now."""
    if json_wanted:
        as_json({"target": target.name, "versions": dict(versions)})
        return
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    console().print(f"[green]✓[/] {target.name}  {escape(told)}")


def exported(made: Artifact | OnChip, json_wanted: bool) -> None:
    """What export made, for an engine or for a chip."""
    from ..targets.result import OnChip
    from .engines import artifact

    if isinstance(made, OnChip):
        on_chip(made, json_wanted)
    else:
        artifact(made, json_wanted)


def on_chip(made: OnChip, json_wanted: bool) -> None:
    """A file for a chip, and how the vendor's simulator did."""
    if json_wanted:
        as_json(made.as_dict())
        return
    screen = console()
    screen.print(f"[bold]{escape(made.source.name)}[/] → [bold]{escape(made.path.name)}[/]")
    was, now = (f"{100 * share:.2f} %" for share in made.verdict.figures())
    known = made.verdict.labelled
    measure = made.verdict.measure if known else say("as before", "与原来一致")
    told = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    screen.print(
        facts(
            (say("chip", "芯片"), f"{made.chip}  ({made.target.shown}, {escape(told)})"),
            (say("files", "文件"), escape(", ".join(path.name for path in made.files))),
            (say("size", "大小"), decimal(made.size)),
            (measure, f"{was} → [bold]{now}[/]" if known else f"[bold]{now}[/]"),
            *_facts(made),
            (say("time", "用时"), f"{made.seconds:.1f} s"),
        )
    )
    notes(screen, made.notes)
    screen.print("[green]✓[/] " + escape(made.explanation), soft_wrap=True)


def _facts(made: OnChip) -> list[tuple[str, str]]:
    """Of what the compiler told, what is for people; the rest is for the programs of bundles."""
    memory = made.facts.get("memory")
    return [] if memory is None else [(say("memory", "内存"), decimal(int(memory)))]
