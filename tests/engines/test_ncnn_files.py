"""Files for ncnn: the card inside, and those that would harm ncnn never reach it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from letters import survives

import qingzhou
from passengers import ORACLE, basenn, mmedu
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, ModelError, OptionError, OutputError
from qingzhou.runtime.engine.ncnn_file import parse
from qingzhou.runtime.engine.ncnn_format import CARD
from qingzhou.runtime.engine.ncnn_row import Damaged
from qingzhou.runtime.model.card import Card

pytest.importorskip("ncnn")


DIGITS, SHAPES = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "trained_ssd"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(DIGITS, tmp_path_factory.mktemp("digits") / "数字.onnx")


@pytest.fixture(scope="module")
def compiled(digits: qingzhou.Model) -> Path:
    return compile_for("ncnn", digits.path).path


# -- files -----------------------------------------------------------------------------------------------------------


def test_the_card_is_inside(digits: qingzhou.Model, compiled: Path) -> None:
    card = qingzhou.load(compiled).card
    assert (card.input.name, card.output.name) == ("in0", "out0")
    assert (card.labels, card.input.steps, card.network) == (
        digits.card.labels,
        digits.card.input.steps,
        digits.card.network,
    )
    last = compiled.read_text("ascii").splitlines()[-1]
    assert Card.from_json(last.removeprefix(CARD)) == card


def test_they_are_copied_together(compiled: Path, tmp_path: Path) -> None:
    copy = qingzhou.load(compiled).save(tmp_path / "复制.ncnn.param")
    assert copy.check() < 1e-3 and (tmp_path / "复制.ncnn.bin").is_file()


def test_boxes_inside_the_network(tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu("SSD_Lite", tmp_path))
    with pytest.raises(EngineError) as caught:
        compile_for("ncnn", model.path)
    assert all("qingzhou export best.pth --engine ncnn" in text for text in (caught.value.en, caught.value.zh))
    assert not list(tmp_path.glob("*.bin"))


@pytest.mark.slow
def test_two_stages(tmp_path: Path) -> None:
    """Refused before anything is converted, and as an .onnx."""
    source = mmedu("FasterRCNN", tmp_path)
    for action in (lambda: export_model(source, "ncnn"), lambda: compile_for("ncnn", qingzhou.convert(source).path)):
        with pytest.raises(EngineError) as caught:
            action()
        assert "two-stage" in caught.value.en and "两阶段" in caught.value.zh
    assert not list(tmp_path.glob("*.bin"))


def test_what_the_conversion_says_is_told(tmp_path: Path) -> None:
    made = export_model(basenn("tab_iris"), "ncnn", tmp_path)
    assert list(made.told) == qingzhou.load(made.path).card.notes


def test_no_half_files(digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.bin").mkdir()
    with pytest.raises(OutputError):
        compile_for("ncnn", digits.path, tmp_path / "m.param")
    monkeypatch.setattr("qingzhou.engines.ncnn.write.emit_ncnn", fail)
    with pytest.raises(EngineError):
        compile_for("ncnn", digits.path, tmp_path / "n.param")
    assert [path.name for path in tmp_path.iterdir()] == ["m.bin"]


def fail(*_: object) -> None:
    raise EngineError(en="no", zh="不")


def test_not_installed(digits: qingzhou.Model, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    for action in (lambda: compile_for("ncnn", digits.path), lambda: qingzhou.load(compiled)):
        with pytest.raises(ExtraMissing) as caught:
            action()
        assert all('pip install "qingzhou[ncnn]"' in text for text in (caught.value.en, caught.value.zh))


def test_too_old(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ncnn.Net", type("Net", (), {}))
    with pytest.raises(ExtraMissing, match="too old"):
        qingzhou.load(compiled)


def test_onnx_is_not_imported_to_answer(compiled: Path) -> None:
    """It takes longer than most answers."""
    code = (
        "import sys, qingzhou; qingzhou.load(sys.argv[1]).check(); assert not {'onnx', 'onnxruntime'} & {*sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code, str(compiled)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_devices(compiled: Path) -> None:
    assert qingzhou.load(compiled, device="CPU").check() < 1e-3
    with pytest.raises(OptionError, match="gpu"):
        qingzhou.load(compiled, device="gpu")


# -- damage and traps ------------------------------------------------------------------------------------------------

Change = Callable[[str], str]


def swap(pattern: str, new: str) -> Change:
    return lambda text: re.sub(pattern, lambda _: new, text, count=1)


TRAPS: dict[str, Change] = {
    "empty": lambda text: "",
    "HTML": lambda text: "<html><body>404</body></html>",
    "cut": lambda text: text[: len(text) // 20],
    "no card": lambda text: text[: text.index(CARD)],
    "a card of something else": lambda text: text[: text.index(CARD)] + CARD + "{}\n",
    "code for a card": lambda text: text[: text.index(CARD)] + CARD + "__import__('os')\n",
    "a deep card": lambda text: text[: text.index(CARD)] + CARD + "[" * 100_000 + "\n",
    "two cards": lambda text: text + text[text.index(CARD) :],
    "more layers after the card": lambda text: text + "ReLU 99/x 1 1 out0 out1\n",
    "Chinese": swap("TanH", "双曲"),
    "another magic": swap("7767517", "7767516"),
    "a huge count of layers": swap("\n14 14\n", "\n2000000000 14\n"),
    "no layers": swap("\n14 14\n", "\n0 0\n"),
    "negative counts": swap("\n14 14\n", "\n-1 -1\n"),
    "fewer blobs than there are": swap("\n14 14\n", "\n14 2\n"),
    "more blobs than there are": swap("\n14 14\n", "\n14 2000000000\n"),
    "a layer of ncnn that we do not write": swap("TanH", "MemoryData"),
    "no such layer": swap("TanH", "../../etc/passwd"),
    "a long name": swap("TanH 2/", f"TanH {'n' * 300}"),
    "a huge input": swap("2=1 1=32 0=32", "2=1 1=99999 0=99999"),
    "an input of no size": swap("2=1 1=32 0=32", ""),
    "an input of another size": swap("2=1 1=32 0=32", "2=1 1=16 0=16"),
    "a negative input": swap("2=1 1=32 0=32", "2=1 1=-32 0=-32"),
    "more channels out": swap(" 0=6 ", " 0=600 "),
    "a huge kernel": swap(" 1=5 ", " 1=5000 "),
    "a stride of 0": swap(" 3=1 ", " 3=0 "),
    "a negative padding": swap(" 4=0 ", " 4=-30 "),
    "a huge padding": swap(" 4=0 ", " 4=2147483000 "),
    "more weights": swap(" 6=150", " 6=2147483647"),
    "fewer weights": swap(" 6=150", " 6=1"),
    "a fraction of a channel": swap(" 0=6 ", " 0=6.5 "),
    "beyond a whole number": swap(" 0=6 ", " 0=99999999999999999999 "),
    "no number": swap(" 0=6 ", " 0=nan "),
    "a parameter that would be out of the table": swap(" 5=1 6=150", " 5=1 6=150 77=1"),
    "a parameter before the table": swap(" 5=1 6=150", " 5=1 6=150 -5=1"),
    "int8": swap(" 5=1 6=150", " 5=1 6=150 8=1"),
    "weights from another layer": swap(" 5=1 6=150", " 5=1 6=150 19=1"),
    "a parameter twice": swap(" 5=1 6=150", " 5=1 6=150 6=150"),
    "an activation without its numbers": swap(" 5=1 6=150", " 5=1 6=150 9=3"),
    "an activation that is none": swap(" 5=1 6=150", " 5=1 6=150 9=99"),
    "a list for a number": swap(" 5=1 6=150", " 5=1 -23306=1,150"),
    "a list that is too short": swap(" 5=1 6=150", " 5=1 6=150 9=3 -23310=200,1.0"),
    "a blob that nobody made": swap("1 1 b1 b2", "1 1 b9 b2"),
    "a blob read twice": swap("1 1 b2 b3", "1 1 b1 b3"),
    "a blob made twice": swap("1 1 b1 b2", "1 1 b1 b1"),
    "a blob too many": swap("1 1 b1 b2", "1 2 b1 b2 b99"),
    "a layer without a blob": swap("1 1 b1 b2", "0 0"),
    "more blobs than are named": swap("1 1 b1 b2", "9999 9999 b1 b2"),
    "no input": swap("in0 2=", "other 2="),
    "no output": lambda text: text.replace(" out0", " b99"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str, compiled: Path, tmp_path: Path) -> None:
    changed = TRAPS[trap](before := compiled.read_text("ascii"))
    assert changed != before
    (tmp_path / "m.param").write_text(changed, "utf-8")
    (tmp_path / "m.bin").write_bytes(compiled.with_suffix(".bin").read_bytes())
    with pytest.raises(ModelError) as caught:
        qingzhou.load(tmp_path / "m.param")
    assert len(caught.value.en) < 600


BINS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-4],
    "longer": lambda data: data + bytes(4),
    "another tag": lambda data: b"\x47\x6b\x30\x02" + data[4:],
    "int8": lambda data: (0x000D4B38).to_bytes(4, "little") + data[4:],
    "FP16 said, FP32 there": lambda data: b"\x47\x6b\x30\x01" + data[4:],
}


@pytest.mark.parametrize("trap", BINS)
def test_numbers_that_are_not_those_of_the_layers(trap: str, compiled: Path, tmp_path: Path) -> None:
    (tmp_path / "m.param").write_bytes(compiled.read_bytes())
    with pytest.raises(FileMissing, match=r"m\.bin"):
        qingzhou.load(tmp_path / "m.param")
    (tmp_path / "m.bin").write_bytes(BINS[trap](compiled.with_suffix(".bin").read_bytes()))
    with pytest.raises(ModelError, match="damaged"):
        qingzhou.load(tmp_path / "m.param")


def test_no_change_of_a_letter_ends_the_process(tmp_path: Path) -> None:
    survives(export_model(basenn("res_block"), "ncnn", tmp_path).path, 5)


SHAPED = "7767517\n2 {blobs}\nInput i 0 1 in0 2=4 1=6 0=8\n{line}\n"
LINES = {  # a layer on (4, 6, 8), and the shape that it makes, or None where it cannot be
    "Reshape r 1 1 in0 out0 1=4 0=48": (4, 48),
    "Reshape r 1 1 in0 out0 1=4 0=47": None,
    "Permute p 1 1 in0 out0 0=5": (8, 6, 4),
    "Permute p 1 1 in0 out0 0=6": None,
    "Crop c 1 1 in0 out0 -23309=1,1 -23310=1,3 -23311=1,0": (2, 6, 8),
    "Crop c 1 1 in0 out0 -23309=1,1 -23310=1,5 -23311=1,0": None,
    "Crop c 1 1 in0 out0 -23309=1,3 -23310=1,3 -23311=1,0": None,
    "Crop c 1 1 in0 out0 -23309=1,0 -23310=1,3 -23311=1,3": None,
    "Softmax s 1 1 in0 out0 0=2 1=1": (4, 6, 8),
    "Softmax s 1 1 in0 out0 0=3 1=1": None,
    "Concat c 1 1 in0 out0 0=2": (4, 6, 8),
    "Concat c 1 1 in0 out0 0=3": None,
    "PReLU p 1 1 in0 out0 0=4": (4, 6, 8),
    "PReLU p 1 1 in0 out0 0=5": None,
    "BatchNorm b 1 1 in0 out0 0=4 1=0.0": (4, 6, 8),
    "BatchNorm b 1 1 in0 out0 0=8 1=0.0": None,
    "GroupNorm g 1 1 in0 out0 0=2 1=4 2=1e-05 3=1": (4, 6, 8),
    "GroupNorm g 1 1 in0 out0 0=3 1=4 2=1e-05 3=1": None,
    "Interp i 1 1 in0 out0 0=1 3=12 4=4 6=0": (4, 12, 4),
    "Interp i 1 1 in0 out0 0=3 3=12 4=4 6=0": None,
    "Interp i 1 1 in0 out0 0=1 3=268435456 4=268435456 6=0": None,
    "InnerProduct i 1 1 in0 out0 0=1 1=0 2=192": None,
    "Deconvolution d 1 1 in0 out0 0=2 1=2 3=2 5=1 6=32": (2, 12, 16),
    "Deconvolution d 1 1 in0 out0 0=2 1=2 3=2 5=1 6=33": None,
    "ConvolutionDepthWise c 1 1 in0 out0 0=4 1=3 2=1 3=1 4=1 15=1 11=3 12=1 13=1 14=1 16=1 5=0 6=36 7=4": (4, 6, 8),
    "ConvolutionDepthWise c 1 1 in0 out0 0=4 1=3 2=1 3=1 4=1 15=1 11=3 12=1 13=1 14=1 16=1 5=0 6=36 7=3": None,
    "Convolution1D c 1 1 in0 out0 0=4 1=1 2=1 3=1 4=0 15=0 5=0 6=16": None,
    "Pooling p 1 1 in0 out0 0=1 4=1": (4,),
    "Pooling1D p 1 1 in0 out0 0=1 4=1": None,
    "Pooling p 1 1 in0 out0 0=0 1=9 2=1 3=0 14=0 11=2 12=2 13=0 15=0 5=1 6=0": None,
    "BinaryOp b 1 1 in0 out0 0=0": None,
    "ReLU r 1 1 in0 out0 1=0.5": None,
}


@pytest.mark.parametrize("line", LINES)
def test_shapes_are_followed(line: str) -> None:
    text = SHAPED.format(blobs=2, line=line)
    if LINES[line] is None:
        with pytest.raises(Damaged, match="4: "):
            parse(text)
    else:
        assert parse(text).outputs == (LINES[line],)


STEPS = "7767517\n4 {blobs}\nInput i 0 1 in0 1=7 0=5\nInput h 0 1 h 1=1 0=3\nInput c 0 1 c 1=1 0=3\n{line}\n"
LSTMS = {
    "LSTM l 1 1 in0 out0 0=3 1=60 2=0": (7, 3),
    "LSTM l 1 3 in0 out0 out1 out2 0=3 1=60 2=0": (7, 3),
    "LSTM l 3 3 in0 h c out0 out1 out2 0=3 1=60 2=0": (7, 3),
    "LSTM l 1 1 in0 out0 0=3 1=120 2=2": (7, 6),
    "LSTM l 1 1 in0 out0 0=3 1=60 2=1": None,
    "LSTM l 1 1 in0 out0 0=3 1=60 2=2": None,
    "LSTM l 1 2 in0 out0 out1 0=3 1=60 2=0": None,
    "LSTM l 2 3 in0 h out0 out1 out2 0=3 1=60 2=0": None,
    "LSTM l 3 3 in0 h c out0 out1 out2 0=4 1=80 2=0": None,
    "LSTM l 3 3 in0 h c out0 out1 out2 0=3 1=120 2=2": None,
    "Embed e 1 1 in0 out0 0=3 1=9 2=0 3=27": None,
}


@pytest.mark.parametrize("line", LSTMS)
def test_shapes_with_a_state(line: str) -> None:
    text = STEPS.format(blobs=3 + int(line.split()[3]), line=line)
    if LSTMS[line] is None:
        with pytest.raises(Damaged, match="6: "):
            parse(text)
    else:
        assert parse(text).outputs[0] == LSTMS[line]


@pytest.mark.parametrize(
    ("line", "words"), [("0=3 1=9 2=0 3=27", 9), ("0=3 1=9 2=0 3=28", 0), ("0=3 1=-9 3=-27 2=0", 0)]
)
def test_words(line: str, words: int) -> None:
    text = f"7767517\n2 2\nInput i 0 1 in0 0=1\nEmbed e 1 1 in0 out0 {line}\n"
    if not words:
        with pytest.raises(Damaged):
            parse(text)
    else:
        assert parse(text).words == words and parse(text).outputs == ((1, 3),)
