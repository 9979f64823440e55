"""A bundle for a board without Linux: the chip's file, a program that a pupil can read, and what to do with both."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..boards.memory import check_fits
from ..boards.programs import Filling, check_model, programs
from ..deploy.export import export_for_chip
from ..deploy.make import Maker
from ..errors import FileMissing, OptionError, language, say, use_language
from ..runtime.errors import line, spaced
from ..runtime.text import code, file_name, markdown
from ..targets import OnChip, target_named
from ..targets.pixels import feeding
from ..version import __version__
from .contents import FORMAT, VERSION, write, write_facts
from .estimate import Estimate
from .form import OnDevice
from .order import Bundle, Order

SCENES = ("basic", "camera")  # the program does both: it looks through the camera and says what it sees


def fill_board(order: Order, folder: Path) -> Bundle:
    """Everything, into the folder; OptionError, BundleError, and what compile_for_chip() raises."""
    _check(order)
    device, target = order.device, target_named(order.device.engines[0])
    given = Maker(order.source, folder.parents[1]).onnx(target)
    if given.card is not None:
        check_model(device, given.card, order.source.name)  # before anybody waits for a compiler
    wish = order.wish
    place = folder.parents[1] / f"{file_name(order.source.stem)}{target.ending.format(chip=device.chip)}"
    made = export_for_chip(order.source, target, device.chip, place, wish.data, wish.max_drop, order.tell)
    told = check_fits(device, order.source.name, made.size, int(made.facts.get("memory", 0)))
    assert given.card is not None
    way = feeding(given.card, target, order.source)
    _write(order, folder, made, (way.mean, way.std))
    form = OnDevice((), made.size, made.card, target.name, "int8", 0, _accuracy(made), ())
    notes = (made.explanation, *told, *made.notes, *device.remarks)
    expected = Estimate(None, 0.0, device.speed_source)
    return Bundle(folder, device, order.scene, form, expected, (), (), 0, 0, "", notes, 0.0)


def _write(order: Order, folder: Path, made: OnChip, normal: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    device, chosen = order.device, order.language
    filling = Filling(
        made.card, order.source.name, made.path.name, made.size, made.versions, *normal, made.facts, chosen
    )
    found = programs(device, filling)
    for name, text in found.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, text)
    if "main.py" in found:
        shutil.copyfile(made.path, folder / made.path.name)
    if "esp_idf/CMakeLists.txt" in found:
        shutil.copyfile(made.path, folder / "esp_idf/main/model.espdl")
    write(folder / "card.json", made.card.to_json())
    write(folder / "labels.txt", "".join(f"{line(label)}\n" for label in made.card.labels))
    write(folder / "README.md", _readme(order, made, found))
    write_facts(folder, _facts(order, made))


def _facts(order: Order, made: OnChip) -> dict[str, object]:
    """bundle.json."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "qingzhou": __version__,
        "device": order.device.name,
        "title": dict(order.device.title),
        "scene": order.scene,
        "language": order.language,
        "name": order.source.stem,
        "network": made.card.network,
        "engine": made.target.name,
        "chip": made.chip,
        "versions": dict(made.versions),
        "precision": "int8",
        "accuracy": _accuracy(made),
        "simulated": made.held_out[1],
        "on_a_board": False,
    }


def _accuracy(made: OnChip) -> float | None:
    """In the simulator, of held-out data with answers."""
    return made.verdict.figures()[1] if made.verdict.labelled else None


def _readme(order: Order, made: OnChip, found: Mapping[str, str]) -> str:
    """In the bundle's language."""
    before = language()
    use_language(order.language)
    try:
        return "\n\n".join([*_head(order, made), *_steps(order, made, found), *_known(order, made)]) + "\n"
    finally:
        use_language(before)


def _head(order: Order, made: OnChip) -> list[str]:
    title, network = markdown(order.source.stem), markdown(made.card.network)
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    return [
        f"# {title} · {markdown(order.device.shown)}",
        say(
            f"{network}, INT8 for the {made.chip}, {made.size / 1e6:.2f} MB, made by {versions}.",
            f"{network}，{made.chip} 用的 INT8 模型，{made.size / 1e6:.2f} MB，由 {versions} 生成。",
        ),
        made.explanation,
    ]


def _steps(order: Order, made: OnChip, found: Mapping[str, str]) -> list[str]:
    """What to copy where."""
    steps, model = [say("## Steps", "## 步骤")], code(made.path.name)
    if order.device.chip == "k230":
        version = made.versions.get("nncase", "?")
        steps.append(
            say(
                f"1. Look which nncase the board's firmware has (its release notes say): it must be **{version}**, "
                f"or the model does not open.\n2. Copy {model} to the SD card (`/sdcard`).\n3. Open `main.py` in CanMV "
                "IDE and run it.",
                f"1. 看板子固件里的 nncase 是哪个版本（固件的发布说明里有）：必须是 **{version}**，否则模型打不开。\n"
                f"2. 把 {model} 复制到 SD 卡（`/sdcard`）。\n3. 用 CanMV IDE 打开 `main.py` 并运行。",
            )
        )
    elif "main.py" in found:
        steps.append(
            say(
                f"With MicroPython (firmware ESP-VISION): copy {model} to the SD card (`/sdcard`), open `main.py` in "
                "the ESP-VISION IDE and run it.",
                f"用 MicroPython（ESP-VISION 固件）：把 {model} 复制到 SD 卡（`/sdcard`），"
                "用 ESP-VISION IDE 打开 `main.py` 并运行。",
            )
        )
    if "esp_idf/CMakeLists.txt" in found:
        steps.append(
            say(
                "With C++ (ESP-IDF 5.4 or later, once installed):",
                "用 C++（先安装 ESP-IDF 5.4 或更新版本）：",
            )
            + f"\n\n```\ncd esp_idf\nidf.py set-target {made.chip}\nidf.py build flash monitor\n```"
        )
    return steps


def _known(order: Order, made: OnChip) -> list[str]:
    """What is doubtful, and what nobody has tried."""
    never = say(
        "**Not run on a board**: the figures are those of the vendor's simulator.",
        "**没有在板子上运行过**：以上数字来自厂商的模拟器。",
    )
    notes = [*made.notes, *order.device.remarks]
    return [say("## Good to know", "## 说明"), never, "\n".join(f"- {line(note)}" for note in notes)]


def _check(order: Order) -> None:
    """OptionError for what such a board does not have, before anybody waits."""
    wish, device = order.wish, order.device
    title = device.title["zh"]
    named = title + spaced(title[-1])[:-1]  # 行空板 K10 has a space before Chinese words
    for there, name in (
        (order.scene not in SCENES, "--scene"),
        (bool(order.actions) or bool(order.constants), "--action"),
        (order.second is not None, "--second"),
        (order.offline, "--offline"),
        (wish.engine not in ("", *device.engines), "--engine"),
        (wish.precision not in ("auto", "int8"), "--precision"),
    ):
        if there:
            raise OptionError(
                en=f"{device.title['en']} runs no Linux: its program looks through the camera and says what it sees, "
                f"in INT8, by {device.engines[0]}. Leave {name} out.",
                zh=f"{named}不运行 Linux：它的程序用 {device.engines[0]}、INT8 看摄像头并说出看到了什么。"
                f"请去掉 {name}。",
            )
    if wish.data is None:
        raise OptionError(
            en=f"{device.title['en']} runs INT8 only, which needs data to calibrate and judge with: --data FOLDER with "
            "some of the pictures of training.",
            zh=f"{named}只运行 INT8，需要数据来校准和评估：--data 文件夹（放一些训练时那样的图片）。",
        )
    if not wish.data.exists():
        raise FileMissing(
            en=f"There is no file or folder {wish.data}; expected data to make and judge INT8 with. Check the name.",
            zh=f"文件或文件夹 {wish.data} 不存在，应为用于量化和评估的数据。请检查名称。",
        )
