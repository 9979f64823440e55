"""The other end: a file to a server and its results back, under names of ours, checked, and over nobody's files."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from ..bundle.contents import sha256_of, zip_of_ours
from ..conversion import CARDED
from ..devices import load
from ..errors import OutputError, QingzhouError, say
from ..files.sniff import HEAD, model_suffix
from ..own_files import program_place
from ..runtime.errors import lines
from ..runtime.file import open_file
from ..runtime.model.card import Card
from ..scenes import told_of, write_sample
from ..sources.onnx.contents import card_of
from ..whole_file import fitting, folder_beside, move_in
from .asking import Clock, RemoteError, Server

Kind = TypeVar("Kind")

__all__ = ["Remote", "RemoteError", "convert"]
PATIENCE = 0.7  # seconds between questions
LONGEST = 4 * 3600.0  # seconds that a job may wait and run: a class before it, each with minutes of INT8
LARGEST = 2 << 30  # bytes of a file, and of what a bundle unpacks to
SPARE = 8 << 20  # bytes of a disk that are left
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
WAITING = ("queued", "running")


@dataclass(frozen=True)
class Remote:
    """What came back.

    job    as the API tells it, its texts without control characters;  network, explanation  of it
    files  as they lie here, the programs among them;  notes  what the user should know
    """

    job: Mapping[str, Any]
    network: str
    explanation: str
    files: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Order:
    """What was asked for, of which file; `digest` is its SHA-256, `card` that of an .onnx."""

    file: Path
    digest: str
    card: Card | None
    bundle: str
    smaller: bool

    @property
    def model(self) -> str:
        """What comes in any case."""
        adopted = self.card is None and self.file.suffix.lower() == ".onnx"  # the sender's own file stays
        return fitting(self.file.stem, CARDED if adopted else ".onnx")

    def name_for(self, kind: object, called: str) -> str:
        """How we call a file that the server made, by what it is; "" for what was not asked for, or is made here."""
        if kind == "bundle":
            return self.bundle
        if kind == "report" or (kind == "model" and called.lower().endswith(".int8.onnx")):
            return fitting(self.file.stem, ".int8.html" if kind == "report" else ".int8.onnx") if self.smaller else ""
        return self.model if kind == "model" else ""


def convert(
    file: Path,
    server: str,
    out: Path | None = None,
    *,
    device: str | None = None,
    scene: str | None = None,
    actions: Sequence[str] = (),
    data: Path | None = None,
    precision: str = "fp32",
    max_drop: float = 0.5,
    code: str = "",
    lang: str = "en",
    preprocess: str | None = None,
    input_size: Sequence[int] | None = None,
    clock: Clock | None = None,
) -> Remote:
    """Upload, wait, download into a folder; FileMissing, OptionError, RemoteError, OutputError.

    The names are ours: best.onnx, best.int8.onnx and .html, best-unihiker-camera.zip. The program is written here, as
    by the local verb. What lies in the folder and is none of ours stays, and what came gets another name.
    """
    place = Server(server, code, clock)
    if device is not None and not device.isascii():
        device = load(device).name  # the server knows devices by one name each
    asked = {
        "upload": _token(place, place.upload(file), "upload"),
        "data": None if data is None else _token(place, place.upload(data), "upload"),
        "device": device,
        "scene": scene,
        "actions": list(actions),
        "precision": precision,
        "max_drop": max_drop,
        "lang": lang,
        "preprocess": preprocess,
        "input_size": None if input_size is None else [input_size[0], input_size[-1]],
    }
    bundle = "" if device is None else re.sub(r"[/\\:]", "_", fitting(file.stem, f"-{device}-{scene or 'basic'}.zip"))
    order = _Order(file, sha256_of(file), _card_sent(file), bundle, precision == "int8")
    told = _finished(place, _token(place, place.ask("POST", "/api/jobs", asked), "job"))
    return _brought(place, order, told, file.parent if out is None else out)


def _token(place: Server, told: Mapping[str, Any], field: str) -> str:
    """The name of an upload or a job, which goes into addresses."""
    found = told.get(field)
    if not isinstance(found, str) or not TOKEN.fullmatch(found):
        raise place.odd(field, found)
    return found


def _finished(place: Server, job: str) -> dict[str, Any]:
    """The job when it has ended; RemoteError if it failed, or does not end."""
    end = place.clock.now() + LONGEST
    while True:
        told = place.ask("GET", f"/api/jobs/{job}")
        if told.get("state") not in WAITING:
            return {**told, "job": job}
        if place.clock.now() > end:
            raise RemoteError(
                en=f"The job has not ended within {LONGEST / 3600:g} hours; it was given up here. Look at it in a "
                f"browser: {place.shown}/j/{job}",
                zh=f"任务在 {LONGEST / 3600:g} 小时内没有完成，不再等待。可以用浏览器查看：{place.shown}/j/{job}",
            )
        place.clock.sleep(PATIENCE)


@dataclass(frozen=True)
class _Made:
    """A file that the server made: where it is asked for, how we call it, its bytes."""

    address: str
    name: str
    size: int


def _made(place: Server, order: _Order, told: Mapping[str, Any]) -> Iterator[_Made]:
    """What is fetched of a finished job, each name once; RemoteError where something is missing or of another type."""
    files, seen = place_of(place, told, "result.files", list), set[str]()
    for entry in files:
        if not isinstance(entry, dict):
            raise place.odd("result.files", entry)
        called, size = entry.get("name"), entry.get("size")
        if not isinstance(called, str) or not 0 < len(called) <= 255:
            raise place.odd("name", called)
        if type(size) is not int or not 0 < size <= LARGEST:
            raise place.odd("size", size)
        name = order.name_for(entry.get("kind"), called)
        if name and name not in seen:
            seen.add(name)
            yield _Made(f"/api/jobs/{told['job']}/files/{quote(called, safe='')}", name, size)
    if order.model not in seen:
        raise place.odd("result.files", [entry.get("name") for entry in files])


def place_of(place: Server, told: object, path: str, kind: type[Kind]) -> Kind:
    """A value by its path, "result.files"; RemoteError if it is not there, or of another type."""
    found = told
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if type(found) is not kind:
        raise place.odd(path, found)
    return found


def _brought(place: Server, order: _Order, told: dict[str, Any], out: Path) -> Remote:
    """Everything fetched and checked apart; only then it is moved to where it goes."""
    network = place_of(place, told, "result.convert.network", str)
    smaller = told["result"].get("quantize")
    explanation = place_of(place, told, "result.quantize.explanation", str) if smaller else ""
    notes = [lines(text) for text in place_of(place, told, "result.notes", list) if isinstance(text, str)]
    wanted = list(_made(place, order, told))
    folder = _folder(out, sum(one.size for one in wanted))
    files = []
    with folder_beside(folder / order.file.name) as work:
        cards = {one.name: _fetched(place, order, one, work) for one in wanted}
        for name, card in cards.items():
            target = folder / name
            if target.exists() and target.samefile(order.file):
                continue  # an .onnx that came back as it was
            target = program_place(target, _is_ours)
            if target.name != name:
                notes.append(_stays(folder / name, target))
            move_in(work / name, target)
            files.append(target)
            if card is not None:
                files.append(write_sample(target, card))
                notes += told_of(target, files[-1])
    return Remote(_cleaned(told), lines(network), lines(explanation), tuple(files), tuple(notes))


def _fetched(place: Server, order: _Order, one: _Made, work: Path) -> Card | None:
    """One file, checked: the card of a model; None of others."""
    target = work / one.name
    try:
        place.fetch(one.address, target, one.size)
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {one.name}: {err.strerror or err}. Nothing was left behind. Make room, or choose another "
            "folder with -o.",
            zh=f"无法写入 {one.name}：{err.strerror or err}。没有留下不完整的文件。"
            "请清理磁盘空间，或用 -o 换一个文件夹。",
        ) from None
    if one.name.endswith(".onnx"):
        return _checked_model(place, order, target)
    if one.name.endswith(".zip") and not _is_bundle(target):
        raise place.odd(one.name, "no bundle")
    return None


def _checked_model(place: Server, order: _Order, target: Path) -> Card:
    """The card of a model, which must be one of the file that was sent."""
    try:
        card = card_of(target)
    except QingzhouError:
        card = None
    if card is None:
        raise place.odd(target.name, "no model with a card")
    sent = order.card.origin.get("sha256") if order.card else order.digest
    as_sent = order.card is None or target.name.endswith(".int8.onnx") or sha256_of(target) == order.digest
    if card.origin.get("sha256") != sent or not as_sent:
        raise place.odd(target.name, "a model of another file")
    return card


def _card_sent(file: Path) -> Card | None:
    """Of an .onnx that is sent; None of a checkpoint, and of an .onnx without one. ModelError."""
    with open_file(file) as stream:
        head = stream.read(HEAD)
    return card_of(file) if model_suffix(head, file.stat().st_size) == ".onnx" else None


def _is_ours(path: Path) -> bool:
    """Whether a file is one that the verbs wrote, and may be replaced: a model with its card, a bundle unchanged."""
    if path.suffix != ".onnx":
        return path.suffix == ".zip" and _is_bundle(path)
    try:
        return card_of(path) is not None
    except QingzhouError:
        return False


def _is_bundle(path: Path) -> bool:
    """Whether it is a .zip that holds a bundle as it was made, and no name that leads out of it."""
    if not zip_of_ours(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return not any({"", ".", ".."} & set(re.split(r"[/\\]", name)) or ":" in name for name in names)


def _folder(out: Path, size: int) -> Path:
    """The folder for the results, with room for them; OutputError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out).free
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {out}: {err.strerror}. Choose another place with -o.",
            zh=f"无法建立文件夹 {out}：{err.strerror}。请用 -o 换一个位置。",
        ) from None
    if free < size + SPARE:
        raise OutputError(
            en=f"The results have {size / 1e6:.0f} MB, but the disk of {out} only {free / 1e6:.0f} MB left. Make room, "
            "or choose another place with -o.",
            zh=f"结果共 {size / 1e6:.0f} MB，而 {out} 所在的磁盘只剩 {free / 1e6:.0f} MB。"
            "请清理磁盘空间，或用 -o 换一个位置。",
        )
    return out


def _stays(there: Path, target: Path) -> str:
    return say(
        f"{there.name} is not as Qingzhou wrote it; it stays, and what came is called {target.name}.",
        f"{there.name} 不是轻舟生成的原样文件，没有改动它；收到的文件叫 {target.name}。",
    )


def _cleaned(value: Any) -> Any:
    """JSON whose texts steer nothing."""
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, dict):
        return {lines(key): _cleaned(one) for key, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, list) else value
