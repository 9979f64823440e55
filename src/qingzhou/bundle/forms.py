"""A bundle with every form that its device can have: bench.py tries them there, and one is kept.

The first is what the bundle would hold by itself, and what main.py opens; the others lie beside it: model-mnn-fp16.mnn.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..devices import Device
from ..errors import ModelError, OptionError, say
from ..runtime.file import open_file
from ..scenes import SCENES
from .contents import FACTS, SEAL, read_facts, sha256_of, write_sealed, written
from .form import OnDevice
from .order import Order
from .wheels import requirements, system_packages

PROGRAM = "main.py"
OF_FORM = ("engine", "precision", "accuracy", "model", "model_files", "requirements", "system")


def name_of(form: OnDevice) -> str:
    """ "mnn fp16", as bench.py names it."""
    return f"{form.engine} {form.precision}"


def check_every(order: Order) -> None:
    """OptionError where --forms all cannot be: without a model of its own, with two, or in no Python."""
    if order.every and (not order.device.pythons or order.second is not None or SCENES[order.scene].asks):
        raise OptionError(
            en="--forms all is for boards with Python and scenes with one model of their own. Leave it out here.",
            zh="--forms all 只用于有 Python 的板子和自带一个模型的场景。这里请去掉它。",
        )


def together(device: Device, forms: Iterable[OnDevice], pictures: bool) -> dict[str, list[str]]:
    """What pip installs for all of them, for the Pythons that can have the first."""
    first, *others = (requirements(device, form.engine, pictures) for form in forms)
    more = [{python: lines for python, lines in other.items() if python in first} for other in others]
    return {
        python: list(dict.fromkeys([*lines, *(one for other in more for one in other.get(python, ()))]))
        for python, lines in first.items()
    }


def described(device: Device, forms: Sequence[OnDevice], pictures: bool) -> list[dict[str, object]]:
    """The forms as bundle.json has them: what it would say of itself with each of them alone."""
    return [
        {
            "name": name_of(form),
            "engine": form.engine,
            "precision": form.precision,
            "accuracy": form.accuracy,
            "model": form.files[0].name,
            "model_files": [path.name for path in form.files],
            "requirements": requirements(device, form.engine, pictures),
            "system": system_packages(device, form.engine),
        }
        for form in forms
    ]


@dataclass(frozen=True)
class Kept:
    """What was kept: its name, its file, bytes that the bundle is smaller by, and what the user has to do."""

    name: str
    model: str
    freed: int
    notes: tuple[str, ...]


def keep(bundle: Path, name: str) -> Kept:
    """Leave a bundle with one form only, which main.py then opens. ModelError, OptionError; a main.py whose line is
    another stays as it is, and the note says what to write.
    """
    facts = _facts(bundle)
    forms = {str(form.get("name")): form for form in facts.get("forms") or () if isinstance(form, dict)}
    if name not in forms or not all(key in forms[name] for key in OF_FORM):
        raise _no_such(bundle, name, list(forms))
    chosen, before = forms[name], str(facts.get("model"))
    ours, notes = written(facts), []
    if not _point(bundle / PROGRAM, before, chosen["model"], ours):
        notes.append(
            say(
                f'Write at the top of main.py: MODEL = "{chosen["model"]}"',
                f'请在 main.py 顶部写：MODEL = "{chosen["model"]}"',
            )
        )
    gone = {one for form in forms.values() for one in form["model_files"]} - set(chosen["model_files"])
    freed = sum(_removed(bundle, one) for one in gone)
    _fewer_packages(bundle / "requirements.txt", facts, chosen, ours)
    left = {key: value for key, value in facts.items() if key not in ("files", "forms", SEAL)}
    files = {one: digest for one, digest in ours.items() if one not in gone}
    write_sealed(bundle, {**left, **{key: chosen[key] for key in OF_FORM}}, files)
    return Kept(name, chosen["model"], freed, tuple(notes))


def _point(program: Path, before: str, now: str, ours: dict[str, str]) -> bool:
    """main.py opens another model from now on; False if it names none as we wrote it. Somebody's own stays theirs."""
    try:
        text = program.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    changed, found = re.subn(
        rf"^MODEL = {re.escape(json.dumps(before))}", lambda _: f"MODEL = {json.dumps(now)}", text, count=1, flags=re.M
    )
    if found:
        _rewrite(program, changed, ours)
    return bool(found)


def _rewrite(path: Path, text: str, ours: dict[str, str]) -> None:
    """With its new digest where it was as we wrote it."""
    was_ours = ours.get(path.name) == sha256_of(path)
    path.write_bytes(text.encode("utf-8"))
    if was_ours:
        ours[path.name] = sha256_of(path)


def _fewer_packages(path: Path, facts: Mapping[str, Any], chosen: Mapping[str, Any], ours: dict[str, str]) -> None:
    """requirements.txt without the packages of the other forms."""
    every = {line for lines in dict(facts.get("requirements") or {}).values() for line in lines}
    wanted = {line for lines in chosen["requirements"].values() for line in lines}
    if path.is_file():
        lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.split(" ;")[0].strip() not in every - wanted]
        _rewrite(path, "".join(kept), ours)


def _removed(bundle: Path, name: str) -> int:
    """Bytes of a form's file, which is gone then; nothing outside the bundle is touched."""
    path = bundle / name
    inside = os.path.realpath(path).startswith(os.path.realpath(bundle) + os.sep)
    if not inside or not path.is_file():
        return 0
    size = path.stat().st_size
    path.unlink()
    return size


def _facts(bundle: Path) -> dict[str, Any]:
    facts = None
    if (bundle / FACTS).is_file():
        with open_file(bundle / FACTS) as file:
            facts = read_facts(file.read())
    if facts is None:
        raise ModelError(
            en=f"{bundle} is no folder of a bundle, which is what can keep one of its forms. Unpack a .zip first.",
            zh=f"{bundle} 不是部署包的文件夹，无法只保留一种形式。.zip 请先解压。",
        )
    return facts


def _no_such(bundle: Path, name: str, names: Sequence[str]) -> OptionError:
    return OptionError(
        en=f"{bundle} has no form {name[:60]}; it has {', '.join(names) or 'one only'}. Bundles with several are made "
        "with --forms all.",
        zh=f"{bundle} 里没有 {name[:60]} 这种形式，有的是：{'、'.join(names) or '只有一种'}。"
        "含多种形式的包用 --forms all 生成。",
    )
