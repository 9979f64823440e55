"""build: a model, a device and a scene in; a folder or zip out that runs there as it is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..assumed import assumed_text
from ..devices import Device, load
from ..errors import OptionError, language, say
from ..progress import Tell, silent
from ..quant import Quantized
from ..runtime.address import hidden
from ..runtime.model.card import Card
from ..runtime.text import file_name
from ..scenes import RUNTIME, SCENES, copy_runtime, needs, program
from ..scenes.actions import whom
from ..version import __version__
from ..whole_file import fitting, folder_beside, only_one
from .board import fill_board
from .contents import FORMAT, VERSION, files_in, write, write_facts
from .estimate import Estimate, check
from .form import OnDevice, Wish, best_form, form_elsewhere, other_forms
from .forms import check_every, described, name_of, together
from .kept import said_of_kept
from .order import Bundle, Order
from .papers import write_described, write_scripts, write_texts
from .place import bundle_place, place_is_file, said_of, take_place
from .renew import PROGRAM, Before, read_before
from .sample import opened, show_sample
from .simulated import write_pictures
from .wheels import OF_PILLOW, download

PAGE_SCENES = ("basic", "camera")  # what the page for browsers does, both in one


def build(
    model: str | Path,
    device: str,
    scene: str = "basic",
    *,
    actions: Sequence[str] = (),
    out: str | Path | None = None,
    data: str | Path | None = None,
    engine: str = "",
    precision: str = "auto",
    max_drop: float = 0.5,
    offline: bool = False,
    force: bool = False,
    constants: Mapping[str, object] | None = None,
    second: str | Path | None = None,
    lang: str | None = None,
    rounded: Quantized | None = None,
    tell: Tell = silent,
    forms: str = "best",
) -> Bundle:
    """Make a bundle of a checkpoint or a converted model.

    scene      one of scenes.SCENES;  actions  "speak", "pin:24", "cat=pin:24": what it does, as rules in main.py
    out        a folder, or a .zip; by default beside the model, as best-unihiker-camera. Of a page for browsers
               also a .html, which is one file
    data       what `evaluate` reads: makes INT8 possible, and gives the sample picture
    offline    fetch the device's wheels with pip now and put them in
    force      make it although it is estimated to be too slow or too large
    constants  others of main.py's, by name
    second     the second model, where a scene has two
    rounded    what quantize() made of it before; taken where it is for the device's arithmetic
    forms      "all": also the other forms that the device can have, which bench.py tries there

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
    if target.is_app and scene != "basic":
        raise _no_app(target, scene)
    wish = Wish(engine, precision, None if data is None else Path(data), max_drop, rounded)
    other = None if second is None else Path(second)
    order = Order(
        source, target, scene, tuple(actions), wish, offline, force, constants or {}, other, lang or language(), tell,
        forms == "all",
    )  # fmt: skip
    _check_second(order)
    if place_is_file(out) and not target.is_page:
        raise _no_file(target)
    check_every(order)
    place = bundle_place(source, out, fitting(source.stem.split(".")[0], f"-{target.name}-{scene}"))
    with only_one(place), folder_beside(place) as work:
        before = read_before(place)
        folder = work / "made" / place.stem
        folder.mkdir(parents=True)
        with said_of(place):
            made = _fill(order, folder, before, place_is_file(place))
            kept = take_place(folder, place, before, work / "old")
    if place_is_file(place):
        made = replace(made, files=(), size=place.stat().st_size)
    if made.program not in ("", PROGRAM):
        kept = {**kept, PROGRAM: PROGRAM}
    told = said_of_kept(before, kept, made.program, made.files)
    return replace(made, path=place, kept=kept, notes=(*told, *made.notes), seconds=time.perf_counter() - start)


def _fill(order: Order, folder: Path, before: Before | None, one_file: bool) -> Bundle:
    """Everything, into the folder; the program beside one that somebody changed has another name."""
    if order.device.programs:
        return _weighed(fill_board(order, folder), folder)
    models = folder.parents[1] / "models"
    models.mkdir()
    make = form_elsewhere if SCENES[order.scene].asks else best_form
    form = make(order.source, order.device, replace(order.wish, fits=order.fits), models)
    expected = check(order.device, order.scene, form, order.force)
    if order.device.is_app:
        return _app(order, folder, form, expected)
    if order.device.is_page:
        return _page(order, folder, form, expected, one_file)
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
    if SCENES[order.scene].looks and order.wish.data is not None:
        write_pictures(opened(form.here or form.files[0]), order.wish.data, folder, rules)
    text = program(order.scene, form.card, order.language, constants)
    own = before.programs() if before else {}
    modules = needs([text, *own.values()], [form.card] if form.engine else [], form.engine)
    pictures = not modules.isdisjoint(OF_PILLOW)
    every, left_out = _every(order, form, folder) if order.every else ([form], [])
    wanted = together(order.device, every, pictures)
    name = before.program(text) if before else PROGRAM
    write(folder / name, text)
    write_scripts(order, folder, form, wanted)
    _copy_needs(folder, every if second is None else [form, second], own)
    wheels = download(order.device, wanted, folder / "wheels") if order.offline else 0
    notes = (*_assumed(form), *form.notes, *left_out, *whom(order.actions, card), *order.device.remarks)
    told = tuple(map(hidden, rules))  # what is shown of them; main.py has the whole
    made = Bundle(folder, order.device, order.scene, form, expected, told, (), 0, wheels, shown.words, notes, 0.0, name)
    write_texts(order, folder, form, made, wanted)
    write_described(order, folder, form, shown, wanted, described(order.device, every, pictures))
    return _weighed(made, folder)


def _copy_needs(folder: Path, forms: Sequence[OnDevice], own: Mapping[str, str]) -> None:
    """What the programs and scripts in the folder need of the runtime, and those that are somebody's own."""
    ours = [path.read_text("utf-8") for path in folder.iterdir() if path.suffix in (".py", ".sh", ".bat")]
    texts = [*ours, *own.values()]
    cards = [form.card for form in forms if form.engine]
    found = (needs(texts, cards, engine) for engine in {form.engine for form in forms})
    copy_runtime(folder / RUNTIME, frozenset().union(*found))


def _every(order: Order, first: OnDevice, folder: Path) -> tuple[list[OnDevice], list[str]]:
    """All forms, the first of them there already, the others with names of their own; and why others are left out."""
    work = folder.parents[1] / "others"
    work.mkdir()
    found = list(other_forms(order.source, order.device, replace(order.wish, fits=order.fits), first, work))
    made = [one for one in found if isinstance(one, OnDevice)]
    moved = [_moved(one, folder, f"model-{name_of(one).replace(' ', '-')}") for one in made]
    return [first, *moved], [one for one in found if isinstance(one, str)]


def _moved(form: OnDevice, folder: Path, name: str) -> OnDevice:
    """The form with its files in the folder, under this name instead of "model"."""
    places = [folder / path.name.replace("model", name, 1) for path in form.files]
    for path, place in zip(form.files, places, strict=True):
        shutil.move(path, place)
    return replace(form, files=tuple(places))


def _second(order: Order, engine: str, folder: Path) -> OnDevice:
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


def _page(order: Order, folder: Path, form: OnDevice, expected: Estimate, one_file: bool) -> Bundle:
    """A static page for browsers; it has no main.py, and no actions."""
    from .browser import write_page

    if order.actions or "RULES" in order.constants:
        raise OptionError(
            en="The page for browsers takes no --action. Leave it out, or choose another device.",
            zh="浏览器页面不支持 --action。请去掉它，或换一个设备。",
        )
    sizes = write_page(form.files[0], form.card, folder, order.language)
    write_facts(folder, _facts(order, form))
    if one_file:
        sizes = replace(sizes, graphics=0)
    told = sizes.said(say("en", "zh"), f"{order.source.stem}.onnx")
    notes = (*_assumed(form), *form.notes, told, *order.device.remarks)
    made = Bundle(folder, order.device, order.scene, form, expected, (), (), 0, 0, "", notes, 0.0)
    return _weighed(made, folder)


def _app(order: Order, folder: Path, form: OnDevice, expected: Estimate) -> Bundle:
    """What an app of somebody's own needs."""
    from .android import fill_app

    form = _moved(form, folder, file_name(order.source.stem))
    fill_app(order, folder, form)
    write_facts(folder, _facts(order, form))
    notes = (*_assumed(form), *form.notes, *order.device.remarks)
    return _weighed(Bundle(folder, order.device, order.scene, form, expected, (), (), 0, 0, "", notes, 0.0), folder)


def _facts(order: Order, form: OnDevice) -> dict[str, object]:
    """bundle.json of a device that runs no Python."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "qingzhou": __version__,
        "device": order.device.name,
        "title": dict(order.device.title),
        "scene": order.scene,
        "engine": form.engine,
        "precision": form.precision,
        "network": form.card.network,
    }


def _assumed(form: OnDevice) -> list[str]:
    """What the model's file did not say of pictures."""
    card = form.card if form.chip is None else form.chip.asked.card  # a chip's own has the normalisation in its file
    told = assumed_text(card.input, card.assumed, card.tool)
    return [told] if told else []


def _constants(order: Order, form: OnDevice, rules: Sequence[str]) -> dict[str, object]:
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
    return {
        **{name: value for name, value in found.items() if name in known},
        **order.constants,
        **({"RULES": list(rules)} if rules else {}),
    }


def _camera_size(device: Device, card: Card) -> str:
    """What the camera is asked for: little where neither a small screen nor the network would show more."""
    small = device.screen is not None and max(device.screen.width, device.screen.height) <= 320
    sides = card.input.sides() if card.input.kind == "image" else ()
    return "320x240" if small and all(side is not None and side <= 320 for side in sides) else "640x480"


def _with_rules() -> str:
    return ", ".join(name for name, scene in SCENES.items() if "RULES" in scene.constants)


def _no_file(device: Device) -> OptionError:
    return OptionError(
        en=f"-o with a name that ends in .html makes a page of one file, which only the device browser has; "
        f"{device.title['en']} takes a folder or a .zip. Choose another name.",
        zh=f"-o 后面以 .html 结尾的名称会生成单文件网页，只有设备 browser 支持；{device.title['zh']}需要文件夹或 .zip。"
        "请换一个名称。",
    )


def _no_page(scene: str) -> OptionError:
    return OptionError(
        en=f"The page for browsers has no scene {scene}; it can be {' or '.join(PAGE_SCENES)}. Leave --scene out, or "
        "choose another device.",
        zh=f"浏览器页面没有场景 {scene}，可以是 {' 或 '.join(PAGE_SCENES)}。请去掉 --scene，或换一个设备。",
    )


def _no_app(device: Device, scene: str) -> OptionError:
    return OptionError(
        en=f"{device.title['en']} has no scene {scene}: the app is yours. Leave --scene out, or take --device browser.",
        zh=f"{device.title['zh']}没有场景 {scene}：应用由你自己编写。请去掉 --scene，或使用 --device browser。",
    )


def _no_scene(scene: str) -> OptionError:
    return OptionError(
        en=f"There is no scene {scene}; there are {', '.join(SCENES)}. Choose one of these.",
        zh=f"没有场景 {scene}，可选的有：{'、'.join(SCENES)}。请从中选择。",
    )
