"""What lies beside main.py: scripts, labels, README, requirements and bundle.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..devices import Device
from ..errors import language, say, use_language
from ..runtime.text import line, markdown, word
from ..scenes import SCENES
from ..version import __version__
from .contents import FORMAT, VERSION, files_in, write, write_facts
from .form import OnDevice
from .order import Bundle, Order
from .sample import RESULT, Shown
from .texts import Facts, install_bat, install_sh, readme, script
from .wheels import as_text, system_packages


def write_scripts(order: Order, folder: Path, form: OnDevice, wanted: Mapping[str, Sequence[str]]) -> None:
    """Those beside main.py: installing, testing, measuring."""
    chosen = order.language
    write(folder / "selftest.py", script("selftest", chosen))
    if form.engine:
        write(folder / "bench.py", script("bench", chosen))
    write(folder / "install.sh", install_sh(order.device, list(wanted), chosen))
    if not order.device.machine:
        write(folder / "install.bat", install_bat(list(wanted), chosen))


def write_texts(order: Order, folder: Path, form: OnDevice, made: Bundle, wanted: Mapping[str, Sequence[str]]) -> None:
    """Labels, README, requirements."""
    chosen, labels = order.language, form.card.labels
    if labels:
        write(folder / "labels.txt", "".join(f"{line(label)}\n" for label in labels))
    remark = {
        "en": "Exact versions with wheels for this device; sh install.sh installs them into packages/",
        "zh": "在这台设备上有安装文件的准确版本；sh install.sh 会装到 packages/",
    }[chosen]
    write(folder / "requirements.txt", as_text(wanted, remark))
    write(folder / "README.md", readme(_told(order, folder, form, made), chosen))


def _told(order: Order, folder: Path, form: OnDevice, made: Bundle) -> Facts:
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
        )
        return Facts(
            f"{markdown(order.source.stem)} · {scene.name}",
            order.device,
            say(scene.en, scene.zh),
            markdown(form.card.network),
            form.engine,
            form.precision,
            say(f"{size:.1f} MB in all", f"共 {size:.1f} MB"),
            speed,
            words,
            order.offline,
            markdown(made.answer),
            (folder / RESULT).is_file(),
            made.rules,
            order.device.remarks,
        )
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


def write_described(
    order: Order,
    folder: Path,
    form: OnDevice,
    shown: Shown,
    wanted: Mapping[str, Sequence[str]],
    forms: Sequence[Mapping[str, object]],
) -> None:
    """bundle.json: for which device, of what, and the digest of every file; the forms, where there are several."""
    here = [path.name for path in form.files] if form.engine else []
    facts: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "qingzhou": __version__,
        "device": order.device.name,
        "title": dict(order.device.title),
        "machine": order.device.machine,
        "python": list(wanted),
        "requirements": {name: list(lines) for name, lines in wanted.items()},
        "system": system_packages(order.device, form.engine),
        "pins": dict(order.device.pin_numbers),
        "scene": order.scene,
        "language": order.language,
        "name": order.source.stem,
        "network": form.card.network,
        "model": here[0] if here else "",
        "model_files": here,
        "engine": form.engine,
        "precision": form.precision,
        "accuracy": form.accuracy,
        "macs": form.macs,
        "screen": _screen(order.device),
        "sample": {"file": shown.file, "answer": shown.answer},
    }
    if len(forms) > 1:
        facts["forms"] = list(forms)
    write_facts(folder, facts)


def _screen(device: Device) -> list[int] | None:
    """Width and height of the device's own screen, which the simulator shows."""
    return None if device.screen is None else [device.screen.width, device.screen.height]
