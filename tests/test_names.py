"""Two inputs never become one output, what is written hides nothing, and nothing of the user's is written over."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import qingzhou
from dear import but_slow
from lenets import write_lenet
from passengers import digits
from qingzhou import batch
from qingzhou.answers import coco
from qingzhou.cli import main
from qingzhou.conversion import Conversion, run_conversion
from qingzhou.errors import OptionError, OutputError, use_language
from qingzhou.options import Options
from qingzhou.run import Answer
from qingzhou.runtime.draw import keep
from qingzhou.runtime.parts.optional import PACKAGES
from qingzhou.runtime.read import files_in, is_result, pictures_in
from qingzhou.scenes.names import MODULES, is_module
from qingzhou.whole_file import one_name

DIGITS = Path(__file__).parent / "oracle" / "digits" / "basenn.pth"
RUNTIME = Path(qingzhou.__file__).parent / "runtime"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def answer(*words: object, status: int = 0) -> Any:
    done = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


# -- programs that are called as modules are ---------------------------------------------------------------------------

HIDING = [
    "numpy",
    "json",
    "PIL",
    "onnxruntime",
    "cv2",
    "qingzhou_runtime",
    "random",
    "JSON",
    "Pil",
    "imp",
    "tomllib",
    "__init__",
    "sitecustomize",
]
HARMLESS = ["best", "basenn", "test", "模型", "json2", "ｊson", "best.json", "json.v1"]


CALLED = [(name, lang) for name in HIDING for lang in ("en", "zh")]
CHINESE = [(name, "zh") for name in HIDING[1:]]  # the same programs: numpy's is enough to see what is said


@pytest.mark.parametrize(("name", "lang"), but_slow(CALLED, CHINESE))
def test_a_model_called_as_a_module(name: str, lang: str, tmp_path: Path) -> None:
    """Its program is not, it runs, and that it has another name is said."""
    use_language(lang)
    done = run_conversion(write_lenet(tmp_path / "best.pth"), tmp_path / "out" / f"{name}.onnx")
    assert done.program.name == f"{name}_model.py" and not (tmp_path / f"out/{name}.py").exists()
    assert done.program.name in done.told[0] and done.told[0] in done.as_dict()["notes"]
    assert done.told[0].isascii() == (lang == "en")
    ran = subprocess.run([sys.executable, done.program.name], cwd=done.program.parent, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert run_conversion(tmp_path / "best.pth", done.model.path).program == done.program


@pytest.mark.parametrize("name", HARMLESS)
def test_other_models(name: str, tmp_path: Path) -> None:
    done = run_conversion(write_lenet(tmp_path / "a.pth"), tmp_path / "out" / f"{name}.onnx")
    assert done.program.name == f"{name}.py" and done.told == ()


def imported(path: Path) -> set[str]:
    """The modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found - {"load_model"}  # stands in a docstring's example


def test_all_that_programs_import_is_known() -> None:
    """And no file that we write ourselves is called so."""
    programs = [*RUNTIME.rglob("*.py"), *(RUNTIME.parent / "scenes").glob("*/*.py")]
    used = {*PACKAGES, "ncnn", "onnxruntime"}.union(*map(imported, programs))
    assert used and all(map(is_module, used)), sorted(name for name in used if not is_module(name))
    assert not MODULES & {
        "main",
        "selftest",
        "bench",
        "serve",
        "model",
        "labels",
        "sim",
        "readme",
        "packages",
        "wheels",
    }


def test_what_hides_a_module_already_is_said(tmp_path: Path) -> None:
    """It is the user's, so it stays."""
    (tmp_path / "random.py").write_text("mine = 1\n", "utf-8")
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue/__init__.py").touch()
    (tmp_path / "json").mkdir()  # a folder of pictures hides nothing
    (tmp_path / "test.py").touch()
    use_language("en")
    (told,) = run_conversion(write_lenet(tmp_path / "best.pth")).told
    assert "lies queue, random.py," in told and (tmp_path / "random.py").read_text("utf-8") == "mine = 1\n"


def test_two_programs_of_one_name(tmp_path: Path) -> None:
    """json.onnx's program would be json_model.onnx's."""
    use_language("en")
    source = write_lenet(tmp_path / "a.pth")
    for _ in range(2):
        one, other = (run_conversion(source, tmp_path / "out" / f"{name}.onnx") for name in ("json", "json_model"))
        assert (one.program.name, other.program.name) == ("json_model.py", "json_model_run.py")
        assert "json_model.py is not as Qingzhou writes it for this model" in other.told[0]
        assert 'MODEL = "json.onnx"' in one.program.read_text("utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "print('mine')\n",
        lambda text: text.replace("best.onnx", "other.onnx"),
        lambda text: "",
        lambda text: "x" * (1 << 21),
    ],
)
def test_a_program_that_was_changed_stays(change: Any, tmp_path: Path) -> None:
    done = run_conversion(write_lenet(tmp_path / "best.pth"))
    changed = change(done.program.read_text("utf-8"))
    done.program.write_text(changed, "utf-8")
    again = run_conversion(tmp_path / "best.pth")
    assert again.program.name == "best_run.py" and done.program.read_text("utf-8") == changed and len(again.told) == 1


# -- several files at once --------------------------------------------------------------------------------------------

E_ACUTE = ("caf\u00e9", "cafe\u0301")
PAIRS = [
    ("a/best.pth", "b/best.pth"),
    ("a/best.pth", "a/best.pt"),
    ("a/Best.pth", "b/best.pth"),
    ("a/straße.pth", "b/STRASSE.pth"),
    *[(f"a/{E_ACUTE[0]}.pth", f"b/{E_ACUTE[1]}.pth")],
]


@pytest.mark.parametrize("pair", PAIRS)
def test_two_checkpoints_one_model(pair: tuple[str, str], tmp_path: Path) -> None:
    """Nothing is written: one of them would be lost, here or on the stick that they are copied to."""
    for name in pair:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_lenet(tmp_path / name)
    with pytest.raises(OptionError, match="would both become"):
        batch.convert_all([tmp_path / name for name in pair], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_several_of_different_names(tmp_path: Path) -> None:
    files = [write_lenet(tmp_path / name) for name in ("a.pth", "A2.pth", "json.pth")]
    found = batch.convert_all(files, tmp_path / "out")
    assert all(isinstance(result, Conversion) for _, result in found)
    assert {name for name in names(tmp_path / "out") if "/" not in name} == {
        "a.onnx",
        "a.py",
        "A2.onnx",
        "A2.py",
        "json.onnx",
        "json_model.py",
    }


@pytest.mark.parametrize("one, other", [("a/B.PTH", "A/b.pth"), E_ACUTE, ("x/../y", "y")])
def test_one_name(one: str, other: str) -> None:
    assert one_name(Path(one)) == one_name(Path(other)) != one_name(Path("z"))
    assert unicodedata.normalize("NFC", E_ACUTE[1]) == E_ACUTE[0]


# -- pictures of answers ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_conversion(DIGITS, tmp_path_factory.mktemp("model") / "m.onnx").model.path


def put(*places: Path) -> None:
    """A different digit in each place."""
    for place, (path, _) in zip(places, list(digits())[::37], strict=False):
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(place)


SAVED = {
    "folders of one name": (["x/a", "y/a"], ["x/a/1.png", "y/a/1.png"], ["a/1_result.png", "a_2/1_result.png"]),
    "folders": (["x", "y"], ["x/1.png", "y/1.png"], ["x/1_result.png", "y/1_result.png"]),
    "pictures": (["x/1.png", "y/1.png"], ["x/1.png", "y/1.png"], ["1_result.png", "1_result_2.png"]),
    "endings": (["x"], ["x/1.png", "x/1.bmp", "x/1.jpg"], ["1_result.jpg", "1_result.png", "1_result_2.png"]),
    "a folder and a picture": (["x", "y/1.png"], ["x/1.png", "y/1.png"], ["1_result.png", "x/1_result.png"]),
    "the same twice": (["x/1.png", "x/1.png"], ["x/1.png"], ["1_result.png", "1_result_2.png"]),
    "one of ours by its name": (["x"], ["x/1.png", "x/1_result.png"], ["1_result.png", "1_result_result.png"]),
}


@pytest.mark.parametrize("case", SAVED)
def test_every_picture_has_its_own_drawing(case: str, model: Path, tmp_path: Path) -> None:
    """And the same ones the next time."""
    inputs, places, saved = SAVED[case]
    put(*(tmp_path / name for name in places))
    words = ["run", model, *(tmp_path / name for name in inputs), "--save", tmp_path / "out"]
    for _ in range(2):
        found = answer(*words)["results"]
        assert names(tmp_path / "out") == saved
        drawn = [one["drawn"] for one in found]
        assert len(set(drawn)) == len(drawn) == len(saved) and all(map(is_result, drawn))


def test_the_users_pictures_stay(model: Path, tmp_path: Path) -> None:
    """In the target folder, also one that is called as ours would be."""
    put(tmp_path / "in/1.png", tmp_path / "out/1.png", tmp_path / "out/1_result.png")
    before = {name: (tmp_path / "out" / name).read_bytes() for name in ("1.png", "1_result.png")}
    for _ in range(2):
        (found,) = answer("run", model, tmp_path / "in", "--save", tmp_path / "out")["results"]
        assert Path(found["drawn"]).name == "1_result_2.png" and len(names(tmp_path / "out")) == 3
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before


def test_results_are_no_pictures_to_run(model: Path, tmp_path: Path) -> None:
    """Also where they lie among these; how many were left out is said. Other people's are."""
    put(tmp_path / "1.png", tmp_path / "2.jpg", tmp_path / "my_result.png")
    pictures = [tmp_path / name for name in ("1.png", "2.jpg", "my_result.png")]
    answer("run", model, tmp_path, "--save", tmp_path)
    assert len(names(tmp_path)) == 6
    done = CliRunner().invoke(main, ["run", str(model), str(tmp_path), "--json", "--lang", "en"])
    assert [one["input"] for one in json.loads(done.stdout)["results"]] == list(map(str, pictures))
    assert "results of --save or of a program: 3" in done.stderr
    assert list(files_in(tmp_path)) == pictures_in(tmp_path) == list(map(str, pictures))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_drawing_is_whole_or_not_there(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("RGB", (20, 20))
    assert keep(picture, tmp_path / f"a_result{suffix}").name == f"a_result{suffix}"
    before = (tmp_path / f"a_result{suffix}").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match="No space"):
        keep(picture, tmp_path / f"a_result{suffix}")
    assert names(tmp_path) == [f"a_result{suffix}"] and (tmp_path / f"a_result{suffix}").read_bytes() == before


def test_a_detectors_program_reads_no_results(tmp_path: Path) -> None:
    """Run twice on its own folder, where it saves them; a picture called like one of them stays."""
    oracle = Path(__file__).parent / "oracle" / "trained_ssd"
    use_language("en")
    run_conversion(oracle / "checkpoint.pth", tmp_path / "m.onnx", Options(input_size=(160, 160)))
    for number, path in enumerate(sorted(oracle.glob("pictures/*.jpg"))[:2]):
        shutil.copy(path, tmp_path / f"{number}.jpg")
    put(tmp_path / "m_result1.png")
    own = (tmp_path / "m_result1.png").read_bytes()
    for _ in range(2):
        ran = subprocess.run([sys.executable, "m.py", "."], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ran.stdout.count("Found ") == 3 and (tmp_path / "m_result1.png").read_bytes() == own
        assert {path.name for path in tmp_path.glob("*.png")} == {
            "m_result.png",
            "m_result1.png",
            "m_result1_2.png",
            "m_result2.png",
        }


@pytest.mark.parametrize(
    "sources, expected",
    [
        (["x/1.png", "x/2.png"], ["1.png", "2.png"]),
        (["x/1.png", "y/1.png"], ["x/1.png", "y/1.png"]),
        (["x/1.png", "x/1.png"], ["1.png", "1.png"]),
    ],
)
def test_pictures_of_a_coco_file(sources: list[str], expected: list[str], tmp_path: Path) -> None:
    """By their names, which are with folders where two would be one."""
    put(*(tmp_path / name for name in dict.fromkeys(sources)))
    found = coco([Answer(str(tmp_path / name), []) for name in sources], [])
    assert [image["file_name"] for image in found["images"]] == expected
