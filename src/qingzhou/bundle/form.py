"""The best form of a model for a device, made into the files that run there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import onnx

from ..deploy import plan
from ..deploy.make import Maker
from ..deploy.there import judged_there
from ..devices import Device
from ..engines import compile_for, open_predictor
from ..engines.table import engine_for, engine_on_devices
from ..errors import (
    AccuracyLost,
    BundleError,
    EngineError,
    ExtraMissing,
    FileMissing,
    NotFaster,
    NothingToJudge,
    OptionError,
    QingzhouError,
    say,
)
from ..graph.count import Work
from ..onnxfile.facts import Facts
from ..quant import Quantized
from ..quant.pictures import with_pictures
from ..quant.signed import signed
from ..runtime.errors import spaced
from ..runtime.file import is_file
from ..runtime.model.card import Card
from ..targets import TARGETS, OnChip, Target, compile_for_chip
from ..targets.home import needed

PRECISIONS = ("auto", "fp32", "fp16", "int8")


@dataclass(frozen=True)
class Wish:
    """What the user asks of a form; "" or "auto" leaves it to the device's profile.

    rounded  the same model as INT8, made before; taken where it is for the arithmetic that is needed
    fits     raises for a model of another kind, before anybody waits
    """

    engine: str = ""
    precision: str = "auto"
    data: Path | None = None
    max_drop: float = 0.5
    rounded: Quantized | None = None
    fits: Callable[[Card], object] = lambda card: None


@dataclass(frozen=True)
class OnDevice:
    """A model as the device will run it.

    files     the first is the one to open;  size  their bytes
    engine    "" for a model that another machine runs
    macs      multiply-accumulates of one inference; 0 where they are not known
    accuracy  share of held-out data that it answers rightly, where that was measured
    notes     why this form, and what else was tried
    gain      its speed as a multiple of FP32's, by this network's layers or measured; None where not known
    chip      what a vendor's compiler made of it, where that is what runs; `here`: the .onnx that answers for it here
    """

    files: tuple[Path, ...]
    size: int
    card: Card
    engine: str
    precision: str
    macs: int
    accuracy: float | None
    notes: tuple[str, ...]
    gain: float | None = None
    chip: OnChip | None = None
    here: Path | None = None


def best_form(source: Path, device: Device, wish: Wish, folder: Path) -> OnDevice:
    """The first of plan.forms_on() that can be made, written into the folder; the error of the last if none can."""
    _check(source, device, wish)
    if plan.kind_of(source) == "compiled":
        return _as_it_is(source, device, wish, folder)
    job = _Job(device, wish, Maker(source, folder.parent), folder)
    told: list[str] = []
    failed: QingzhouError | None = None
    for form in job.candidates():
        try:
            made = job.make(form)
            return replace(made, notes=(*told, *made.notes))
        except (EngineError, ExtraMissing, AccuracyLost, NothingToJudge, NotFaster) as err:
            failed = err
            told.append(say(f"{form.name} was not taken: {err.en}", f"没有采用 {form.name}：{err.zh}"))
    assert failed is not None  # candidates() gives one at least
    raise failed


def other_forms(source: Path, device: Device, wish: Wish, taken: OnDevice, folder: Path) -> Iterator[OnDevice | str]:
    """All that the device can have beside the one that was taken, each in a folder of its own; or why one is left out.

    OptionError for a file that was compiled before, which has one only.
    """
    if plan.kind_of(source) == "compiled":
        raise OptionError(
            en=f"{source.name} has one form only, so --forms all cannot be. Give the checkpoint or the .onnx.",
            zh=f"{source.name} 只有一种形式，不能用 --forms all。请给出权重文件或 .onnx。",
        )
    job = _Job(device, wish, Maker(source, folder), folder)
    every = plan.forms_on(device, job.maker.given, wish.engine, wish.precision, wish.data is not None, every=True)
    for form in every:
        if (form.engine, form.precision) != (taken.engine, taken.precision):
            place = folder / form.name.replace(" ", "-")
            place.mkdir()
            try:
                yield replace(job, folder=place).make(form)
            except (EngineError, ExtraMissing, AccuracyLost, NothingToJudge, NotFaster) as err:
                yield say(f"{form.name} is not in it: {err.en}", f"没有放入 {form.name}：{err.zh}")


def form_elsewhere(source: Path, device: Device, wish: Wish, folder: Path) -> OnDevice:
    """A model that another machine runs, written into the folder as .onnx: the device need not be able to run it.

    OptionError for an engine or a precision, which nobody could keep.
    """
    if wish.engine or wish.precision != "auto":
        raise OptionError(
            en="In this scene another machine runs the model, so there is no --engine or --precision to choose. Leave "
            "them out; they belong to the bundle for the scene api.",
            zh="这个场景的模型在另一台机器上运行，不能选择 --engine 和 --precision。请去掉它们；"
            "它们应该写在 api 场景的包里。",
        )
    _check(source, device, wish)
    maker = Maker(source, folder.parent)
    model = source if maker.is_ready else maker.boxes.path
    card = open_predictor(model).card
    wish.fits(card)
    return OnDevice((model,), 0, card, "", "", 0, None, ())


@dataclass(frozen=True)
class _Job:
    """One model for one device."""

    device: Device
    wish: Wish
    maker: Maker
    folder: Path

    def candidates(self) -> Iterator[plan.Form]:
        """The best first; OptionError where none is left, BundleError for a file that the device does not read."""
        given, wish = self.maker.given, self.wish
        forms = plan.forms_on(self.device, given, wish.engine, wish.precision, wish.data is not None)
        if not forms:
            raise _no_form(given.path, self.device, wish)
        if self.maker.is_ready and (why := plan.too_new(given, self.device)):
            raise why
        yield from plan.cheapest_first(forms, self.device, self.work)

    @cached_property
    def work(self) -> Work:
        """What the network has to do; of a detector with its boxes."""
        return self.maker.onnx(engine_on_devices("onnxruntime")).work

    def make(self, form: plan.Form) -> OnDevice:
        """One form; EngineError, ExtraMissing or AccuracyLost where it cannot be."""
        if form.engine in TARGETS:
            return self._on_chip(TARGETS[form.engine])
        engine = engine_on_devices(form.engine)
        facts = self.maker.onnx(engine)
        self.wish.fits(open_predictor(facts.path).card)
        if why := plan.refusal(engine, facts):
            raise why
        model, accuracy, gain, notes = facts.path, None, plan.gain(self.device, self.work, form), []
        if form.precision == "int8" and not facts.quantized:
            found, model = self._quantized(facts, form)
            accuracy = found.verdict.figures()[1] if found.verdict and found.verdict.labelled else None
            gain = found.timing.ratio if found.timing else gain
            notes += [found.explanation, *found.notes]
            if engine.arithmetic and engine.version() is not None and self.wish.data is not None:
                notes.append(judged_there(engine, facts.path, found, Path(self.wish.data), self.maker.folder))
        elif self.wish.data is not None:
            model = with_pictures(model, self.wish.data, self.maker.place("seen"))
        if plan.compiled_in(engine, form.precision) is None:
            files: tuple[Path, ...] = (self._onnx_file(model, form.precision),)
        else:
            made = compile_for(form.engine, model, self.folder / f"model{engine.suffix}", form.precision)
            files, notes = made.files, [*notes, *made.notes]
        card, told = open_predictor(files[0]).card, (*notes, self._why(form))
        return OnDevice(files, _bytes(files), card, form.engine, form.precision, facts.work.macs, accuracy, told, gain)

    def _on_chip(self, target: Target) -> OnDevice:
        """A file of a vendor's compiler, judged by its simulator; how fast the chip is, nobody knows before."""
        facts, chip = self.maker.onnx(target), target.chip(self.device.chip)
        self.wish.fits(open_predictor(facts.path).card)
        needed(target)
        place, data = self.folder / f"model{target.ending.format(chip=chip)}", self.wish.data
        made = compile_for_chip(facts.path, target, chip, data, place, max_drop=self.wish.max_drop)
        accuracy = made.verdict.figures()[1] if made.verdict.labelled else None
        notes = (made.explanation, *made.notes)
        return OnDevice(
            made.files, _bytes(made.files), made.card, target.name, "int8", 0, accuracy, notes, None, made, facts.path
        )

    def _quantized(self, model: Facts, form: plan.Form) -> tuple[Quantized, Path]:
        """The model in INT8 for the device's arithmetic, within the promise, and its file. AccuracyLost; NotFaster
        where this computer is the device, unless INT8 was asked for.
        """
        target, found = plan.int8_target(engine_on_devices(form.engine), self.device), self.wish.rounded
        if found is None or found.target != target:
            wanted = self.wish.precision == "int8"
            found = self.maker.int8(model, self.wish.data, target, max_drop=self.wish.max_drop, any_speed=wanted)
        if found.path is not None:
            return found, found.path
        if found.kept_promise and found.timing is not None:
            raise NotFaster(
                en=f"INT8 is not faster on this computer ({found.timing.ratio:.2f} times the speed).",
                zh=f"INT8 在这台电脑上没有更快（速度是原来的 {found.timing.ratio:.2f} 倍）。",
            )
        raise AccuracyLost(
            en="INT8 would cost more of the accuracy than allowed.", zh="INT8 会使准确率下降得比允许的多。"
        )

    def _onnx_file(self, model: Path, precision: str) -> Path:
        """The bundle's own copy; int8 activations where the device's onnxruntime is faster with them."""
        place = self.folder / "model.onnx"
        if precision == "int8" and self.device.signed_int8:
            onnx.save(signed(onnx.load(model, load_external_data=False)), place)
        else:
            shutil.copyfile(model, place)
        if why := plan.too_new(Facts(place), self.device):
            raise why
        return place

    def _why(self, form: plan.Form) -> str:
        engine, precision = form.engine, form.precision
        counted = plan.instructions(self.device, self.work, form)
        if self.wish.engine or not counted:
            return say(f"It runs with {engine} in {precision.upper()}.", f"用 {engine} 以 {precision.upper()} 运行。")
        own = self._is_counted(form)
        others = ", ".join(
            f"{other.engine} {other.precision.upper()} {plan.instructions(self.device, self.work, other):.3g}"
            for other in (plan.Form(e, p) for e, found in self.device.instructions.items() for p in found)
            if other != form and self._is_counted(other) == own  # else it would be another network's
        )
        en, zh = ("this network", "这个网络") if own else ("MobileNetV2", "MobileNetV2 ")
        return say(
            f"It runs with {engine} in {precision.upper()}: {en} takes about {counted:.3g} million instructions so "
            f"(others: {others}; from counts under emulation of {self.device.counted_on}).",
            f"用 {engine} 以 {precision.upper()} 运行：这样{spaced(zh)}大约需要 {counted:.3g} 百万条指令"
            f"（其他：{others}；根据 {self.device.counted_on} 模拟器中的计数）。",
        )

    def _is_counted(self, form: plan.Form) -> bool:
        """Whether the instructions are those of this network."""
        return self.device.instructions_for(self.work, form.engine, form.precision) is not None


def _bytes(files: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _as_it_is(source: Path, device: Device, wish: Wish, folder: Path) -> OnDevice:
    """A file that was compiled before: copied, if the device runs it."""
    engine = engine_for(source)
    if engine.name not in device.engines or (wish.engine and wish.engine != engine.name):
        raise _no_form(source, device, wish)
    name = f"model.{engine.name}{source.suffix}" if engine.beside else f"model{source.suffix}"
    card = open_predictor(source).card
    wish.fits(card)
    places = engine.files(folder / name)
    for part, place in zip(engine.files(source), places, strict=True):
        shutil.copyfile(part, place)
    return OnDevice(
        places, _bytes(places), card, engine.name, "fp32" if wish.precision == "auto" else wish.precision, 0, None, ()
    )


def _check(source: Path, device: Device, wish: Wish) -> None:
    """FileMissing or OptionError for what cannot be, before anybody waits."""
    if not is_file(source):
        raise FileMissing(
            en=f"There is no file {source}; expected a converted model (.onnx) or a checkpoint (.pth). Check the name.",
            zh=f"文件 {source} 不存在，应为转换好的模型（.onnx）或权重文件（.pth）。请检查文件名。",
        )
    if wish.data is not None and not wish.data.exists():
        raise FileMissing(
            en=f"There is no file or folder {wish.data}; expected data to make and judge INT8 with. Check the name.",
            zh=f"文件或文件夹 {wish.data} 不存在，应为用于量化和评估的数据。请检查名称。",
        )
    if wish.precision not in PRECISIONS:
        raise OptionError(
            en=f"--precision is {wish.precision}; it can be {', '.join(PRECISIONS)}.",
            zh=f"--precision 的值是 {wish.precision}，可以是 {'、'.join(PRECISIONS)}。",
        )
    if wish.engine and wish.engine not in device.engines:
        raise OptionError(
            en=f"{device.title['en']} cannot run {wish.engine}; it can run {', '.join(device.engines)}.",
            zh=f"{device.title['zh']}不能用 {wish.engine}，可以用 {'、'.join(device.engines)}。",
        )
    ready = plan.kind_of(source) == "compiled" or Facts(source).quantized
    if (wish.precision == "int8" or wish.engine in TARGETS) and wish.data is None and not ready:
        raise OptionError(
            en="INT8 needs data to calibrate and judge with: --data FOLDER with some of the pictures of training.",
            zh="INT8 量化需要数据来校准和评估：--data 文件夹（放一些训练时那样的图片）。",
        )


def _no_form(source: Path, device: Device, wish: Wish) -> BundleError:
    asked = " ".join(filter(None, (wish.engine, "" if wish.precision == "auto" else wish.precision)))
    return BundleError(
        en=f"{source.name} cannot be brought to {device.title['en']} {f'as {asked}' if asked else ''}: it runs "
        f"{', '.join(device.engines)}. Give the checkpoint or the .onnx, and leave --engine and --precision out.",
        zh=f"{source.name} 无法{f'以 {asked} ' if asked else ''}部署到{device.title['zh']}：它支持 "
        f"{'、'.join(device.engines)}。请给出权重文件或 .onnx，并去掉 --engine 和 --precision。",
    )
