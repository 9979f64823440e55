"""The best form of a model for a device: which engine, which precision; made into its files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from pathlib import Path

import onnx

from ..convert import convert
from ..devices import Device
from ..engines import ENGINES, compile_for, open_predictor
from ..engines.artifact import is_quantised, takes_int8
from ..engines.table import engine_for, is_compiled
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
from ..onnxfile.read import work_of
from ..quant import Quantised, quantize
from ..quant.pictures import with_pictures
from ..quant.signed import signed
from ..runtime.file import is_file
from ..runtime.model.card import Card
from ..whole_file import fitting

PRECISIONS = ("auto", "fp32", "fp16", "int8")
CLEARLY = 1.1  # times fewer instructions that INT8 must take
MOBILENET_V2 = Work(278_790_656, 20_716_416, 6_895_796, 53)  # at 224 x 224: the speeds of the profiles are its


@dataclass(frozen=True)
class Wish:
    """What the user asks of a form; "" or "auto" leaves it to the device's profile.

    rounded  the same model as INT8, made before; taken where it is for the arithmetic that is needed
    """

    engine: str = ""
    precision: str = "auto"
    data: Path | None = None
    max_drop: float = 0.5
    rounded: Quantised | None = None
    fits: Callable[[Card], object] = lambda card: None  # raises for a model of another kind, before anybody waits


@dataclass(frozen=True)
class Form:
    """A model as the device will run it.

    files     the first is the one to open;  size  their bytes
    engine    "" for a model that another machine runs
    macs      multiply-accumulates of one inference; 0 where they are not known
    accuracy  share of held-out data that it answers rightly, where that was measured
    notes     why this form, and what else was tried
    gain      its speed as a multiple of FP32's, by this network's layers or measured; None where not known
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


def best_form(source: Path, device: Device, wish: Wish, folder: Path) -> Form:
    """The first form of forms_for() that can be made, written into the folder; the error of the last if none can."""
    _check(source, device, wish)
    if is_compiled(source):
        return _as_it_is(source, device, wish, folder)
    job = _Job(source, device, wish, folder)
    told: list[str] = []
    failed: QingzhouError | None = None
    for engine, precision in job.candidates():
        try:
            made = job.make(engine, precision)
            return replace(made, notes=(*told, *made.notes))
        except (EngineError, ExtraMissing, AccuracyLost, NothingToJudge, NotFaster) as err:
            failed = err
            told.append(
                say(f"{engine} {precision} was not taken: {err.en}", f"没有采用 {engine} {precision}：{err.zh}")
            )
    assert failed is not None  # candidates() gives one at least
    raise failed


def form_elsewhere(source: Path, device: Device, wish: Wish, folder: Path) -> Form:
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
    model = source
    if not is_compiled(source) and source.suffix.lower() != ".onnx":
        model = convert(source, folder / "model.onnx").path
    card = open_predictor(model).card
    wish.fits(card)
    return Form((model,), 0, card, "", "", 0, None, ())


@dataclass(frozen=True)
class _Job:
    """One model for one device."""

    source: Path
    device: Device
    wish: Wish
    folder: Path

    def candidates(self) -> Iterator[tuple[str, str]]:
        """Engines and precisions, the best first: by the instructions that this network takes where these are known,
        else in the order of the profile; INT8 before FP32 where there are data. OptionError where none is left.
        """
        pairs = [(e, p) for e in self.device.engines for p in self._precisions() if self._may(e, p)]
        if not pairs:
            raise _no_form(self.source, self.device, self.wish)
        yield from sorted(pairs, key=lambda pair: (self._price(*pair), pairs.index(pair)))

    def _price(self, engine: str, precision: str) -> float:
        """Instructions; a little more for INT8, which must be clearly fewer to be worth it. Not known: infinite."""
        return (self._instructions(engine, precision) or inf) * (CLEARLY if precision == "int8" else 1)

    def _instructions(self, engine: str, precision: str) -> float:
        """Millions for this network; of MobileNetV2 where not more is known; 0 where nothing is."""
        found = self.device.instructions_for(self.work, engine, precision) if self.device.cost else None
        return found or self.device.instructions.get(engine, {}).get(precision, 0.0)

    @cached_property
    def work(self) -> Work:
        """What the network has to do; of a detector with its boxes."""
        return work_of(self.onnx_for("onnxruntime"))

    def _precisions(self) -> Sequence[str]:
        if self.rounded_already:
            return ("int8",)
        if self.wish.precision != "auto":
            return (self.wish.precision,)
        return ("int8", "fp32") if self.wish.data else ("fp32",)

    def _may(self, engine: str, precision: str) -> bool:
        if self.wish.engine and engine != self.wish.engine:
            return False
        if engine == "onnxruntime-web":
            return precision == "fp32" or self.wish.precision == "int8" or self.rounded_already
        if self.rounded_already and not takes_int8(ENGINES[engine], self.source):
            return False
        return precision == "int8" or precision in ENGINES[engine].precisions

    def make(self, engine: str, precision: str) -> Form:
        """One form; EngineError, ExtraMissing or AccuracyLost where it cannot be."""
        model, accuracy, notes = self.onnx_for(engine), None, []
        self.wish.fits(open_predictor(model).card)
        macs = work_of(model).macs
        gain = self._gain(engine, precision)
        if precision == "int8" and not self.rounded_already:
            found, model = self._rounded(model, engine)
            accuracy = found.verdict.figures()[1] if found.verdict and found.verdict.labelled else None
            gain = found.timing.ratio if found.timing else gain
            notes += [found.explanation, *found.notes]
        elif self.wish.data is not None:
            model = with_pictures(model, self.wish.data, self._new("seen"))
        if engine == "ncnn":
            made = compile_for("ncnn", model, self.folder / "model.ncnn.param", precision)
            files, notes = made.files, [*notes, *made.notes]
        else:
            files = (self._onnx_file(model, precision),)
        return Form(
            files,
            _bytes(files),
            open_predictor(files[0]).card,
            engine,
            precision,
            macs,
            accuracy,
            (*notes, self._why(engine, precision)),
            gain,
        )

    def onnx_for(self, engine: str) -> Path:
        """The model as .onnx, converted if it is a checkpoint: detectors in the form that the engine can run."""
        if self.source.suffix.lower() == ".onnx":
            check_ceiling(self.source, self.device)
            return self.source
        return self._raw if engine == "ncnn" else self._boxes

    @cached_property
    def _boxes(self) -> Path:
        return convert(self.source, self._new("boxes")).path

    @cached_property
    def _raw(self) -> Path:
        """Without boxes inside, which ncnn cannot make; of what is no detector the same file."""
        found = convert(self.source, self._new("plain"))
        if found.card.task != "detection":
            return found.path
        return convert(self.source, self._new("raw"), form="raw").path

    def _new(self, name: str) -> Path:
        """A place for a model apart from the bundle's own files."""
        place = self.folder.parent / name
        place.mkdir(exist_ok=True)
        return place / fitting(self.source.stem, ".onnx")

    @cached_property
    def rounded_already(self) -> bool:
        """Whether the user's file is INT8."""
        return self.source.suffix.lower() == ".onnx" and is_quantised(self.source)

    def _rounded(self, model: Path, engine: str) -> tuple[Quantised, Path]:
        """The model in INT8 for the device's arithmetic, within the promise, and its file. AccuracyLost; NotFaster
        where this computer is the device, unless INT8 was asked for.
        """
        target, found = "ncnn" if engine == "ncnn" else self.device.int8_target, self.wish.rounded
        if found is None or found.target != target:
            out = self._new(f"int8-{target}").with_suffix(".int8.onnx")
            wanted = self.wish.precision == "int8"
            found = quantize(model, self.wish.data, out, max_drop=self.wish.max_drop, any_speed=wanted, target=target)
        if found.path is not None:
            return found, found.path
        if found.kept_promise and found.timing is not None:
            raise NotFaster(
                en=f"INT8 is not faster on this computer ({found.timing.ratio:.2f} times the speed).",
                zh=f"INT8 在这台电脑上没有更快（速度是原来的 {found.timing.ratio:.2f} 倍）。",
            )
        raise AccuracyLost(
            en="INT8 would cost more of the accuracy than allowed, even with some layers left in float.",
            zh="INT8 会使准确率下降得比允许的多，即使保留部分层为浮点也不行。",
        )

    def _gain(self, engine: str, precision: str) -> float | None:
        """The published gain of MobileNetV2, as this network's instructions differ from its; None where not known."""
        if precision != "int8":
            return None
        mine, reference = (
            [self.device.instructions_for(work, engine, form) for form in ("fp32", "int8")]
            for work in (self.work, MOBILENET_V2)
        )
        if mine[0] is None or mine[1] is None or reference[0] is None or reference[1] is None:
            return None
        published = self.device.speed.get("int8", self.device.speed["fp32"]) / self.device.speed["fp32"]
        return published * (mine[0] / mine[1]) / (reference[0] / reference[1])

    def _onnx_file(self, model: Path, precision: str) -> Path:
        """The bundle's own copy; int8 activations where the device's onnxruntime is faster with them."""
        place = self.folder / "model.onnx"
        if precision == "int8" and self.device.signed_int8:
            onnx.save(signed(onnx.load(model, load_external_data=False)), place)
        else:
            shutil.copyfile(model, place)
        check_ceiling(place, self.device)
        return place

    def _why(self, engine: str, precision: str) -> str:
        counted = self._instructions(engine, precision)
        if self.wish.engine or not counted:
            return say(f"It runs with {engine} in {precision.upper()}.", f"用 {engine} 以 {precision.upper()} 运行。")
        others = ", ".join(
            f"{e} {p.upper()} {self._instructions(e, p):.3g}"
            for e, found in self.device.instructions.items()
            for p in found
            if (e, p) != (engine, precision)
        )
        own = self.device.instructions_for(self.work, engine, precision) is not None
        en, zh = ("this network", "这个网络") if own else ("MobileNetV2", "MobileNetV2 ")
        return say(
            f"It runs with {engine} in {precision.upper()}: {en} takes about {counted:.3g} million instructions so "
            f"(others: {others}; from counts under emulation of {self.device.counted_on}).",
            f"用 {engine} 以 {precision.upper()} 运行：这样{zh}大约需要 {counted:.3g} 百万条指令"
            f"（其他：{others}；根据 {self.device.counted_on} 模拟器中的计数）。",
        )


def check_ceiling(path: Path, device: Device) -> None:
    """BundleError for a model whose opset or IR version the device's onnxruntime does not read."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's errors; the file is opened later, which says what it is
        return
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if opset <= device.opset and model.ir_version <= device.ir:
        return
    raise BundleError(
        en=f"{path.name} was written with opset {opset} and IR version {model.ir_version}; {device.title['en']} reads "
        f"at most opset {device.opset} and IR version {device.ir}. Give the checkpoint instead (qingzhou bundle "
        "best.pth), or convert it again: qingzhou convert best.pth --opset 13 --ir-version 8",
        zh=f"{path.name} 的 opset 是 {opset}、IR 版本是 {model.ir_version}，而{device.title['zh']}最高支持 opset "
        f"{device.opset}、IR {device.ir}。请直接用权重文件做包（qingzhou bundle best.pth），"
        "或重新转换：qingzhou convert best.pth --opset 13 --ir-version 8",
    )


def _bytes(files: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _as_it_is(source: Path, device: Device, wish: Wish, folder: Path) -> Form:
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
    return Form(
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
    ready = source.suffix.lower() == ".onnx" and is_quantised(source)
    if wish.precision == "int8" and wish.data is None and not ready and not is_compiled(source):
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
