"""INT8 by several hands, side by side: `python benchmarks/int8.py [--model FILE --data FOLDER] [--memory]`.

Ours, NNCF's and onnxruntime's own quantiser get the same inputs to calibrate with and are judged on the same others.
Each works in a fresh process on one core. "cost" is CPU time as a multiple of running the bare network on the same
inputs in the same minutes; of ours that is equalising, calibrating and searching, and "ranges" all but the search,
with preparing the pictures. "wall" and "peak" of ours have judging in them. "three colours" is ours without the fourth
channel of quant/wide.py, "of bytes" ours of the model with uint8 as its input. "SQNR" is of what the
last layers give on inputs that were judged. "ORT" and "OpenVINO" are speeds by CPU time on one thread, in turns, as
multiples of onnxruntime's with FP32. NNCF is needed for its rows only: pip install nncf openvino
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import ENVIRONMENT, HERE, in_turns, one_core

ORACLE = HERE.parent / "tests" / "oracle"
MOST_HEARD = 24  # inputs that the SQNR is taken on
Feeds = Callable[[], Iterator[dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Work:
    """What a quantiser gets: a model, data, a place for its own, how many inputs calibrate, and the device."""

    model: str
    data: str
    out: str
    count: int
    target: str

    @property
    def narrow(self) -> bool:
        """Whether the device has no VNNI: each of the three then has its own way to weights of 7 bits."""
        from qingzhou.quant.target import TARGETS, chosen

        return TARGETS[chosen(self.target)].narrow


# -- the quantisers ---------------------------------------------------------------------------------------------------


def ours(work: Work, feeds: Feeds) -> dict[str, float]:
    """quantize(), as everybody calls it; its parts that are no judging have a clock."""
    import qingzhou
    from qingzhou.quant import pipeline
    from qingzhou.quant.search import Search

    inputs, ranges, search = clock(pipeline, "Inputs"), clock(pipeline, "observed"), clock(Search, "best")
    made = qingzhou.quantize(
        work.model, work.data, work.out, target=work.target, any_speed=True, max_drop=100, calibration=work.count
    )
    if made.path is None:
        raise SystemExit(made.explanation)
    return {"cost": inputs[0] + ranges[0] + search[0], "ranges": inputs[0] + ranges[0]}


def three_colours(work: Work, feeds: Feeds) -> dict[str, float]:
    """The same without the fourth channel that the first convolution gets for x86: what that gains is seen beside."""
    from qingzhou.quant import pipeline

    pipeline.widened = lambda model: model
    return ours(work, feeds)


def clock(place: Any, name: str) -> list[float]:
    """From now on a function's CPU seconds are summed up in the one number of this list."""
    work, spent = getattr(place, name), [0.0]

    def clocked(*inputs: Any) -> Any:
        start = time.process_time()
        try:
            return work(*inputs)
        finally:
            spent[0] += time.process_time() - start

    setattr(place, name, clocked)
    return spent


def nncf(work: Work, feeds: Feeds) -> dict[str, float]:
    """Its default preset, with fast bias correction."""
    os.environ.setdefault("NNCF_TELEMETRY", "0")
    import nncf
    import onnx
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    fix = OverflowFix.ENABLE if work.narrow else OverflowFix.DISABLE
    start = time.process_time()
    made = nncf.quantize(
        onnx.load(work.model),
        nncf.Dataset(list(feeds())),
        subset_size=work.count,
        advanced_parameters=AdvancedQuantizationParameters(overflow_fix=fix),
    )
    onnx.save(made, work.out)
    return {"cost": time.process_time() - start}


def onnxruntimes(method: str) -> Callable[[Work, Feeds], dict[str, float]]:
    """Its static quantiser: QDQ, weights by channel, after the preparation that its documentation asks for."""

    def quantize(work: Work, feeds: Feeds) -> dict[str, float]:
        import onnx
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        from qingzhou.quant.network import Network

        network = Network(onnx.load(work.model))
        inner = {node.output[0] for node in (*network.weighted, *network.between())}
        after = [node.name for node in network.proto.graph.node if node.output[0] not in inner]  # softmax, boxes
        start = time.process_time()
        prepared = f"{work.out}.prepared.onnx"
        quant_pre_process(work.model, prepared, skip_symbolic_shape=True, skip_optimization=True)
        quantize_static(
            prepared,
            work.out,
            Reader(feeds()),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=work.narrow,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
            nodes_to_exclude=after,
        )
        return {"cost": time.process_time() - start}

    return quantize


class Reader:
    """Inputs one by one, as onnxruntime's quantiser wants them."""

    def __init__(self, feeds: Iterator[dict[str, np.ndarray]]) -> None:
        self.feeds = feeds

    def get_next(self) -> dict[str, np.ndarray] | None:
        """None at the end."""
        return next(self.feeds, None)


QUANTIZERS: dict[str, Callable[[Work, Feeds], dict[str, float]]] = {
    "qingzhou": ours,
    "three colours": three_colours,
    "NNCF": nncf,
    **{f"onnxruntime {method}": onnxruntimes(method) for method in ("MinMax", "Percentile", "Entropy")},
}


# -- in a process of its own ------------------------------------------------------------------------------------------


def make(name: str, work: Work) -> dict[str, float]:
    """Quantise; what it cost as multiples of the bare network, in wall seconds, and the most memory in MB."""
    from qingzhou.bench.memory import peak

    feeds = feeds_of(work)
    begun = time.perf_counter()
    made = QUANTIZERS[name](work, feeds)
    wall, most = time.perf_counter() - begun, peak() or 0
    bare = min(bare_seconds(work.model, feeds) for _ in range(3))
    return {**{key: seconds / bare for key, seconds in made.items()}, "wall": wall, "peak": most / 1e6}


def feeds_of(work: Work) -> Feeds:
    """The inputs that calibrate, prepared one by one; those that quantize() chooses."""
    from qingzhou.quant.split import split
    from qingzhou.runtime.predict import Predictor

    predictor = Predictor(work.model)
    cases = split(Path(work.data), calibration=work.count).calibration
    return lambda: ({predictor.card.input.name: predictor.prepare(case.data)} for case in cases)


def bare_seconds(model: str, feeds: Feeds) -> float:
    """CPU time of the network alone."""
    from qingzhou.runtime.engine.session import open_session

    session = open_session(model)
    every = list(feeds())
    start = time.process_time()
    for feed in every:
        session.run(None, feed)
    return time.process_time() - start


def judged(work: Work) -> dict[str, Any]:
    """Accuracy before and after, what was lost with its interval, and the SQNR; on inputs that did not calibrate."""
    import onnx

    from qingzhou.quant.judge import judge
    from qingzhou.quant.pair import Pair
    from qingzhou.quant.signal import session
    from qingzhou.quant.split import split
    from qingzhou.quant.target import chosen, runs_here
    from qingzhou.runtime.predict import Predictor

    parts = split(Path(work.data), calibration=work.count)
    emulated = not runs_here(chosen(work.target))
    before, model = Predictor(work.model), onnx.load(work.out)
    found = judge(Pair(before, Predictor(work.model, before.card, session=session(model, emulated=emulated))), parts)
    feeds = [{before.card.input.name: before.prepare(case.data)} for case in parts.held_out[:MOST_HEARD]]
    sqnr = heard(onnx.load(work.model), model, feeds, emulated)
    return {"measure": found.measure, "figures": found.figures(), "drop": found.drop, "sqnr": sqnr}


def heard(before: Any, after: Any, feeds: list[dict[str, np.ndarray]], emulated: bool) -> float:
    """SQNR in dB of what the last layers give, rounded if it is; the mean of them."""
    from qingzhou.quant.network import Network
    from qingzhou.quant.signal import decibels, session

    heads = Network(before).heads
    readers = {name: node for node in after.graph.node if node.op_type.endswith("eLinear") for name in node.input[:1]}
    rounded = [readers[readers[name].output[0]].output[0] if name in readers else name for name in heads]
    one, two = session(before, heads), session(after, rounded, emulated)
    signal, error = np.zeros(len(heads)), np.zeros(len(heads))
    for feed in feeds:
        for i, (a, b) in enumerate(zip(one.run(heads, feed), two.run(rounded, feed), strict=True)):
            signal[i] += np.square(a, dtype=np.float64).sum()
            error[i] += np.square(a - b, dtype=np.float64).sum()
    return float(decibels(signal, error).mean())


def speeds(*models: str) -> dict[str, dict[str, float]]:
    """Of each model on each engine, as a multiple of the first on onnxruntime."""
    from qingzhou.engines import ENGINES, Settings
    from qingzhou.runtime.predict import Predictor

    first = Predictor(models[0])
    works: dict[tuple[str, str], Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, model in enumerate(models):
            for engine in (ENGINES[name] for name in ("onnxruntime", "openvino") if ENGINES[name].version()):
                path = Path(model)
                if engine.name != "onnxruntime":
                    path = Path(folder) / f"{number}{engine.suffix}"
                    engine.compile(Path(model), first.card, path, "fp32")
                session = engine.open(path, Settings(threads=1))
                floats = "float" in session.get_inputs()[0].type
                card = first.card if floats else Predictor(model).card
                feed = Predictor(models[0], card).feed(card.sample)
                works[engine.name, model] = partial(session.run, None, feed)
        found = dict(zip(works, in_turns(list(works.values())), strict=True))
    return {model: {engine: ratio for (engine, of), ratio in found.items() if of == model} for model in models}


# -- the table --------------------------------------------------------------------------------------------------------


def main() -> None:
    """A table for each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", action="append", default=[], help="a checkpoint or .onnx, besides our own")
    parser.add_argument("--data", action="append", default=[], help="its pictures, once for each --model")
    parser.add_argument("--only", action="store_true", help="only the models that are named")
    parser.add_argument("--target", default="auto", help="the device; of another the arithmetic is emulated")
    parser.add_argument("--memory", action="store_true", help="also the memory with 50, 100 and 200 pictures")
    parser.add_argument("--make", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--judge", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--time", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make or options.judge or options.time:
        alone(options)
        return
    given = list(zip(map(Path, options.model), map(Path, options.data), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        for number, (model, data) in enumerate([*([] if options.only else own()), *given]):
            place = Path(folder) / str(number)
            place.mkdir()
            source = converted(model, place)
            of_bytes = None if model.suffix == ".onnx" else converted(model, place, input_type="uint8")
            side_by_side(source, data, place, options.target, of_bytes)
            if options.memory:
                memory(source, data, place, options.target)


def own() -> Iterator[tuple[Path, Path]]:
    """The trained models among the tests, with their pictures."""
    for path in sorted((ORACLE / "trained").glob("*.pth")):
        yield path, ORACLE / "digits" / "test"
    yield ORACLE / "trained_v3" / "checkpoint.pth", ORACLE / "digits" / "test"
    yield ORACLE / "trained_ssd" / "checkpoint.pth", ORACLE / "trained_ssd"


# What the checkpoints of these folders do not say: the sizes that they were trained with.
HOW: dict[str, dict[str, Any]] = {
    "trained_v3": {"input_size": (64, 64)},
    "trained_ssd": {"input_size": (160, 160), "score_threshold": 0.05, "form": "raw"},
}


def converted(model: Path, folder: Path, input_type: str = "float32") -> Path:
    """The .onnx of a checkpoint, of one of the two kinds of input."""
    if model.suffix == ".onnx":
        return model
    import qingzhou

    place = model.parent.name
    name = f"{place if place in HOW else model.stem}{'' if input_type == 'float32' else '.bytes'}"
    return qingzhou.convert(model, folder / f"{name}.onnx", input_type=input_type, **HOW.get(place, {})).path


HEADS = ("", "size", "accuracy", "drop, points (95 %)", "SQNR", "cost", "ranges", "wall", "peak", "ORT", "OpenVINO")


def side_by_side(model: Path, data: Path, folder: Path, target: str, of_bytes: Path | None) -> None:
    """All quantisers on one model: what they cost, what they lose, and how fast the outcome is.

    of_bytes  the same model with uint8 as its input, which ours makes INT8 too
    """
    works = {name: (name, model) for name in QUANTIZERS} | ({"of bytes": ("qingzhou", of_bytes)} if of_bytes else {})
    made = {name: folder / f"{name.replace(' ', '_')}.onnx" for name in works}
    rows = {name: asked("--make", *work, data, made[name], 100, target) for name, work in works.items()}
    there = [name for name in made if "failed" not in rows[name]]
    for name in there:
        rows[name] |= asked("--judge", *works[name], data, made[name], 100, target)
    times = asked("--time", model, *(made[name] for name in there))
    print(f"\n{model.stem}, {model.stat().st_size / 1e6:.2f} MB, {data}")
    line(*HEADS)
    line("FP32", "1.000", *[""] * 7, *speed(times, model))
    for name, row in rows.items():
        if "failed" in row:
            print(f"{name:24}{row['failed']}")
        else:
            size = made[name].stat().st_size / model.stat().st_size
            line(name, f"{size:.3f}", *cells(row), *speed(times, made[name]))


def line(*texts: str) -> None:
    """One line of the table."""
    print("{:24}{:>6}{:>16}{:>26}{:>9}{:>8}{:>8}{:>9}{:>8}{:>7}{:>10}".format(*texts), flush=True)


def cells(row: dict[str, Any]) -> list[str]:
    """From the accuracy to the peak."""
    before, after, drop, low, high = (100 * share for share in (*row["figures"], *row["drop"]))
    return [
        f"{before:.2f}→{after:.2f}",
        f"{drop:+.2f} ({low:+.2f} … {high:+.2f})",
        f"{row['sqnr']:.1f} dB",
        f"{row['cost']:.1f}x",
        f"{row['ranges']:.1f}x" if "ranges" in row else "",
        f"{row['wall']:.1f} s",
        f"{row['peak']:.0f} MB",
    ]


def speed(times: dict[str, Any], model: Path) -> list[str]:
    """Two cells."""
    found = (times.get(str(model), {}).get(engine) for engine in ("onnxruntime", "openvino"))
    return ["" if ratio is None else f"{ratio:.2f}" for ratio in found]


def memory(model: Path, data: Path, folder: Path, target: str) -> None:
    """Whether memory grows with the number of pictures."""
    print(f"\n{model.stem}: peak in MB with{'50':>9}{'100':>7}{'200 inputs':>17}")
    for name in QUANTIZERS:
        out = folder / "memory.onnx"
        rows = [asked("--make", name, model, data, out, count, target) for count in (50, 100, 200)]
        print(f"{name:24}" + "".join(f"{row.get('peak', np.nan):10.0f}" for row in rows), flush=True)


def asked(*argv: object) -> dict[str, Any]:
    """The answer of a fresh process; {"failed": its last line} where it failed."""
    done = subprocess.run([sys.executable, __file__, *map(str, argv)], capture_output=True, env=ENVIRONMENT)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode:
        return {"failed": said[-1][:150] if said else f"exit {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def alone(options: argparse.Namespace) -> None:
    """What a fresh process is asked."""
    one_core()
    if options.time:
        answer: Any = speeds(*options.time)
    else:
        name, model, data, out, count, target = options.make or options.judge
        work = Work(model, data, out, int(count), target)
        answer = make(name, work) if options.make else judged(work)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
