"""build: a model, a device and a scene in; a folder or zip out that runs there as it is."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..assumed import assumed_text
from ..devices import Device, load
from ..errors import OptionError, language, say, use_language
from ..quant import Quantised
from ..runtime.address import hidden
from ..runtime.card import Card
from ..runtime.text import line, markdown, word
from ..scenes import RUNTIME, SCENES, copy_runtime, needs, program
from ..scenes.actions import rules_for, whom
from ..whole_file import fitting, folder_beside
from .contents import FORMAT, VERSION, files_in, write, write_facts
from .estimate import Estimate, check
from .form import Form, Wish, best_form, form_elsewhere
from .kept import said_of_kept
from .place import bundle_place, said_of, take_place
from .renew import PROGRAM, Before, read_before
from .rules import as_rules, check_rules
from .sample import RESULT, Shown, opened, show_sample
from .simulated import write_pictures
from .texts import Facts, install_bat, install_sh, readme, script
from .wheels import as_text, download, requirements, system_packages

PAGE_SCENES = ("basic", "camera")  # what the page for browsers does, both in one


@dataclass(frozen=True)
class Bundle:
    """What was made.

    path      the folder, or the .zip;  size  bytes of its files
    form      the model in it;  wheels  how many are in it, for installing without internet
    program   the name of the one that was written; "" in a page
    kept      what is somebody's own and was found where ours go: its name, and the one that it has now
    """

    path: Path
    device: Device
    scene: str
    form: Form
    estimate: Estimate
    rules: tuple[str, ...]
    files: tuple[str, ...]
    size: int
    wheels: int
    answer: str
    notes: tuple[str, ...]
    seconds: float
    program: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {
            "bundle": str(self.path), "device": self.device.name, "scene": self.scene,
            "network": self.form.card.network, "engine": self.form.engine, "precision": self.form.precision,
            "accuracy": self.form.accuracy, "macs": self.form.macs, "estimate": self.estimate.as_dict(),
            "rules": list(self.rules), "files": list(self.files), "bytes": self.size, "wheels": self.wheels,
            "sample": self.answer, "program": self.program, "kept": dict(self.kept), "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What is to be made; see build()."""

    source: Path
    device: Device
    scene: str
    actions: tuple[str, ...]
    wish: Wish
    offline: bool
    force: bool
    constants: Mapping[str, object]
    second: Path | None
    language: str

    def fits(self, card: Card) -> None:
        """OptionError for a model that the scene does not take, and for actions that cannot be."""
        program(self.scene, card, self.language, self.constants)
        if self.second is None:  # else they may be for the second model's classes
            self.rules(card)

    def rules(self, card: Card, language: str = "") -> tuple[str, ...]:
        """The actions as rules for this model, then those given as RULES. OptionError, RuleError."""
        found = rules_for(self.actions, card, SCENES[self.scene].frames, language or self.language)
        rules = (*found, *as_rules(self.constants.get("RULES", ())))
        check_rules(rules, card.labels, self.device)
        return rules


def build(
    model: str | Path, device: str, scene: str = "basic", *, actions: Sequence[str] = (), out: str | Path | None = None,
    data: str | Path | None = None, engine: str = "", precision: str = "auto", max_drop: float = 0.5,
    offline: bool = False, force: bool = False, constants: Mapping[str, object] | None = None,
    second: str | Path | None = None, lang: str | None = None, rounded: Quantised | None = None,
) -> Bundle:  # fmt: skip
    """Make a bundle of a checkpoint or a converted model.

    scene      one of scenes.SCENES;  actions  "speak", "pin:24", "cat=pin:24": what it does, as rules in main.py
    out        a folder, or a .zip; by default beside the model, as best-unihiker-camera
    data       what `evaluate` reads: makes INT8 possible, and gives the sample picture
    offline    fetch the device's wheels with pip now and put them in
    force      make it although it is estimated to be too slow or too large
    constants  others of main.py's, by name
    second     the second model, where a scene has two
    rounded    what quantize() made of it before; taken where it is for the device's arithmetic

    Nothing is left behind by a failure. In a bundle of ours that is in that place, only what is as we wrote it is
    replaced: a changed main.py stays, with the new one as main_run.py; other changed files become labels.old.txt.
    FileMissing, ModelError, OptionError, BundleError, EngineError, ExtraMissing, AccuracyLost, OutputError, and what
    convert() and quantize() raise.

    >>> build("best.pth", "unihiker", "camera", actions=["speak"]).path
    Path('best-unihiker-camera')
    """
    start, source, target = time.perf_counter(), Path(model), load(device)
    if scene not in SCENES:
        raise _no_scene(scene)
    if target.is_page and scene not in PAGE_SCENES:
        raise _no_page(scene)
    wish = Wish(engine, precision, None if data is None else Path(data), max_drop, rounded)
    other = None if second is None else Path(second)
    order = Order(
        source, target, scene, tuple(actions), wish, offline, force, constants or {}, other, lang or language()
    )
    _check_second(order)
    place = bundle_place(source, out, fitting(source.stem.split(".")[0], f"-{target.name}-{scene}"))
    before = read_before(place)
    with folder_beside(place) as work:
        folder = work / "made" / place.stem
        folder.mkdir(parents=True)
        with said_of(place):
            made = _fill(order, folder, before)
            kept = take_place(folder, place, before, work / "old")
    if made.program not in ("", PROGRAM):
        kept = {**kept, PROGRAM: PROGRAM}
    told = said_of_kept(before, kept, made.program, made.files)
    return replace(made, path=place, kept=kept, notes=(*told, *made.notes), seconds=time.perf_counter() - start)


def _fill(order: Order, folder: Path, before: Before | None) -> Bundle:
    """Everything, into the folder; the program beside one that somebody changed has another name."""
    models = folder.parents[1] / "models"
    models.mkdir()
    make = form_elsewhere if SCENES[order.scene].asks else best_form
    form = make(order.source, order.device, replace(order.wish, fits=order.fits), models)
    expected = check(order.device, order.scene, form, order.force)
    if order.device.is_page:
        return _page(order, folder, form, expected)
    if form.engine:
        form = _moved(form, folder, "model")
    shown, card, second = show_sample(form, folder, order.wish.data), form.card, None
    if order.second is not None:
        second = _second(order, form.engine, folder)
        card = replace(card, labels=[*card.labels, *second.card.labels])
    rules = order.rules(card)
    constants = _constants(order, form, rules)
    if second is not None:
        constants["SECOND"] = second.files[0].name
    wanted = requirements(order.device, form.engine)
    if SCENES[order.scene].looks and order.wish.data is not None:
        write_pictures(opened(form.files[0]), order.wish.data, folder, rules)
    text = program(order.scene, form.card, order.language, constants)
    name = before.program(text) if before else PROGRAM
    write(folder / name, text)
    _write_scripts(order, folder, form, wanted)
    _copy_needs(folder, [form] if second is None else [form, second], before.programs() if before else {})
    wheels = download(order.device, wanted, folder / "wheels") if order.offline else 0
    notes = (*_assumed(form), *form.notes, *whom(order.actions, card), *order.device.remarks)
    told = tuple(map(hidden, rules))  # what is shown of them; main.py has the whole
    made = Bundle(folder, order.device, order.scene, form, expected, told, (), 0, wheels, shown.words, notes, 0.0, name)
    _write_texts(order, folder, form, made, wanted)
    _write_facts(order, folder, form, shown, wanted)
    return _weighed(made, folder)


def _copy_needs(folder: Path, forms: Sequence[Form], own: Mapping[str, str]) -> None:
    """What the programs and scripts in the folder need of the runtime, and those that are somebody's own."""
    ours = [path.read_text("utf-8") for path in folder.iterdir() if path.suffix in (".py", ".sh", ".bat")]
    texts = [*ours, *own.values()]
    copy_runtime(folder / RUNTIME, needs(texts, [form.card for form in forms if form.engine], forms[0].engine))


def _moved(form: Form, folder: Path, name: str) -> Form:
    """The form with its files in the folder, under this name instead of "model"."""
    places = [folder / path.name.replace("model", name, 1) for path in form.files]
    for path, place in zip(form.files, places, strict=True):
        shutil.move(path, place)
    return replace(form, files=tuple(places))


def _second(order: Order, engine: str, folder: Path) -> Form:
    """The second model, for the same engine, in the folder."""
    assert order.second is not None
    models = folder.parents[1] / "second"
    models.mkdir()
    return _moved(best_form(order.second, order.device, Wish(engine), models), folder, "second")


def _check_second(order: Order) -> None:
    """OptionError unless there are as many models as the scene has."""
    two = "SECOND" in SCENES[order.scene].constants
    if two and order.second is None:
        raise OptionError(
            en=f"The scene {order.scene} has two models. Name the second one: --second best2.pth",
            zh=f"场景 {order.scene} 需要两个模型，请指定第二个：--second best2.pth",
        )
    if not two and order.second is not None:
        raise OptionError(
            en=f"The scene {order.scene} has one model only. Leave --second out.",
            zh=f"场景 {order.scene} 只用一个模型，请不要写 --second。",
        )


def _weighed(made: Bundle, folder: Path) -> Bundle:
    files = files_in(folder)
    return replace(made, files=tuple(files), size=sum((folder / name).stat().st_size for name in files))


def _page(order: Order, folder: Path, form: Form, expected: Estimate) -> Bundle:
    """A static page for browsers; it has no main.py, and no actions."""
    from .browser import write_page

    if order.actions or "RULES" in order.constants:
        raise OptionError(
            en="The page for browsers takes no --action. Leave it out, or choose another device.",
            zh="浏览器页面不支持 --action。请去掉它，或换一个设备。",
        )
    write_page(form.files[0], form.card, folder, order.language)
    facts = {"format": FORMAT, "version": VERSION, "qingzhou": __version__, "device": order.device.name,
             "title": dict(order.device.title), "scene": order.scene, "engine": form.engine,
             "precision": form.precision, "network": form.card.network}  # fmt: skip
    write_facts(folder, facts)
    notes = (*_assumed(form), *form.notes, *order.device.remarks)
    made = Bundle(folder, order.device, order.scene, form, expected, (), (), 0, 0, "", notes, 0.0)
    return _weighed(made, folder)


def _assumed(form: Form) -> list[str]:
    """What the model's file did not say of pictures."""
    told = assumed_text(form.card.input, form.card.assumed, form.card.tool)
    return [told] if told else []


def _constants(order: Order, form: Form, rules: Sequence[str]) -> dict[str, object]:
    """The constants at the top of main.py: the model, the rules, and what the device's screen needs."""
    known = SCENES[order.scene].constants
    if rules and "RULES" not in known:
        raise OptionError(
            en=f"The scene {order.scene} takes no --action. Scenes that do: {_with_rules()}.",
            zh=f"场景 {order.scene} 不支持 --action，支持的有：{_with_rules()}。",
        )
    screen = order.device.screen
    found: dict[str, object] = {"MODEL": form.files[0].name, "SIZE": _camera_size(order.device, form.card)}
    if screen is not None:
        found |= {"ROTATE": screen.rotate, "FULL_SCREEN": screen.full_screen}
    return {**{name: value for name, value in found.items() if name in known}, **order.constants,
            **({"RULES": list(rules)} if rules else {})}  # fmt: skip


def _camera_size(device: Device, card: Card) -> str:
    """What the camera is asked for: little where neither a small screen nor the network would show more."""
    small = device.screen is not None and max(device.screen.width, device.screen.height) <= 320
    return "320x240" if small and all(side is not None and side <= 320 for side in card.input.shape[2:]) else "640x480"


def _with_rules() -> str:
    return ", ".join(name for name, scene in SCENES.items() if "RULES" in scene.constants)


def _write_scripts(order: Order, folder: Path, form: Form, wanted: Mapping[str, Sequence[str]]) -> None:
    """Those beside main.py: installing, testing, measuring."""
    chosen = order.language
    write(folder / "selftest.py", script("selftest", chosen))
    if form.engine:
        write(folder / "bench.py", script("bench", chosen))
    write(folder / "install.sh", install_sh(order.device, list(wanted), chosen))
    if not order.device.machine:
        write(folder / "install.bat", install_bat(list(wanted), chosen))


def _write_texts(order: Order, folder: Path, form: Form, made: Bundle, wanted: Mapping[str, Sequence[str]]) -> None:
    """Labels, README, requirements."""
    chosen, labels = order.language, form.card.labels
    if labels:
        write(folder / "labels.txt", "".join(f"{line(label)}\n" for label in labels))
    remark = {"en": "Exact versions with wheels for this device; sh install.sh installs them into packages/",
              "zh": "在这台设备上有安装文件的准确版本；sh install.sh 会装到 packages/"}[chosen]  # fmt: skip
    write(folder / "requirements.txt", as_text(wanted, remark))
    write(folder / "README.md", readme(_told(order, folder, form, made), chosen))


def _told(order: Order, folder: Path, form: Form, made: Bundle) -> Facts:
    """What the README says, in the bundle's language."""
    before = language()
    use_language(order.language)
    try:
        scene = SCENES[order.scene]
        size = sum((folder / name).stat().st_size for name in files_in(folder)) / 1e6
        words = _words(folder, order.device) if order.scene == "basic" else ""
        rate = made.estimate.rate
        speed = rate and say(
            f"Expected: about {rate} a second (an estimate; bench.py measures it).",
            f"预计每秒约 {rate} 次（估计值，bench.py 可以实测）。",
        )  # fmt: skip
        return Facts(
            f"{markdown(order.source.stem)} · {scene.name}", order.device, say(scene.en, scene.zh),
            markdown(form.card.network),
            form.engine, form.precision, say(f"{size:.1f} MB in all", f"共 {size:.1f} MB"), speed, words, order.offline,
            markdown(made.answer), (folder / RESULT).is_file(), made.rules, order.device.remarks,
        )  # fmt: skip
    finally:
        use_language(before)


def _words(folder: Path, device: Device) -> str:
    """What follows main.py to ask about the sample: a file, or the beginning of a text itself; "" for a text that the
    shells of a computer, of which nobody knows which it is, would read in different ways.
    """
    found = next(iter(sorted(folder.glob("sample.*"))), None)
    if found is None or found.suffix != ".txt":
        return f" {found.name}" if found else ""
    text = found.read_text("utf-8").strip()
    if re.fullmatch(r"[^\W_][\w ]*", text):
        return f" {text}"
    return f" {word(text)}" if device.machine else ""


def _write_facts(order: Order, folder: Path, form: Form, shown: Shown, wanted: Mapping[str, Sequence[str]]) -> None:
    """bundle.json: for which device, of what, and the digest of every file."""
    here = [path.name for path in form.files] if form.engine else []
    facts: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, "qingzhou": __version__,
        "device": order.device.name, "title": dict(order.device.title), "machine": order.device.machine,
        "python": list(wanted), "requirements": {name: list(lines) for name, lines in wanted.items()},
        "system": system_packages(order.device, form.engine), "pins": dict(order.device.pin_numbers),
        "scene": order.scene, "language": order.language,
        "name": order.source.stem, "network": form.card.network, "model": here[0] if here else "",
        "model_files": here,
        "engine": form.engine, "precision": form.precision,
        "accuracy": form.accuracy, "macs": form.macs, "screen": _screen(order.device),
        "sample": {"file": shown.file, "answer": shown.answer},
    }  # fmt: skip
    write_facts(folder, facts)


def _screen(device: Device) -> list[int] | None:
    """Width and height of the device's own screen, which the simulator shows."""
    return None if device.screen is None else [device.screen.width, device.screen.height]


def _no_page(scene: str) -> OptionError:
    return OptionError(
        en=f"The page for browsers has no scene {scene}; it can be {' or '.join(PAGE_SCENES)}. Leave --scene out, or "
        "choose another device.",
        zh=f"浏览器页面没有场景 {scene}，可以是 {' 或 '.join(PAGE_SCENES)}。请去掉 --scene，或换一个设备。",
    )


def _no_scene(scene: str) -> OptionError:
    return OptionError(
        en=f"There is no scene {scene}; there are {', '.join(SCENES)}. Choose one of these.",
        zh=f"没有场景 {scene}，可选的有：{'、'.join(SCENES)}。请从中选择。",
    )
