"""Which package `import MMEdu`, `import BaseNN` and `import XEdu` give."""

import compileall
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
REPORT = """
import qingzhou_doors, importlib.util, sys
spec = importlib.util.find_spec("BaseNN")
where = spec.origin if spec else None
print("none" if where is None else "door" if "doors" in where else "original")
"""


def python(code: str, *paths: Path, choice: str | None = None, **env: str) -> str:
    """What a fresh Python prints; `paths` stand on sys.path before ours."""
    variables = {k: v for k, v in os.environ.items() if k not in ("QINGZHOU_DOORS", "PYTHONPATH")}
    packages = sysconfig.get_path("purelib")  # by path and with -S: an installed Qingzhou's .pth must not run
    variables |= {"PYTHONPATH": os.pathsep.join(map(str, [*paths, SRC, packages])), "QINGZHOU_LANG": "en", **env}
    if choice is not None:
        variables["QINGZHOU_DOORS"] = choice
    done = subprocess.run([sys.executable, "-S", "-c", code], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def nothing(folder: Path) -> None:
    """No package at all."""


def package(folder: Path) -> None:
    (folder / "BaseNN").mkdir()
    (folder / "BaseNN" / "__init__.py").write_text("class nn: pass\n", "utf-8")


def module(folder: Path) -> None:
    (folder / "BaseNN.py").write_text("class nn: pass\n", "utf-8")


def left_over(folder: Path) -> None:
    (folder / "BaseNN" / "__pycache__").mkdir(parents=True)


@pytest.mark.parametrize(
    ("make", "choice", "expected"),
    [
        (nothing, None, "door"),
        (nothing, "last", "door"),
        (nothing, "first", "door"),
        (nothing, "off", "none"),
        (nothing, "nonsense", "door"),
        (package, None, "original"),
        (package, "last", "original"),
        (package, " First ", "door"),
        (package, "off", "original"),
        (module, None, "original"),
        (module, "first", "door"),
        (left_over, None, "door"),
        (left_over, "first", "door"),
        (left_over, "off", "none"),
    ],
)
def test_the_original_wins_unless_asked_otherwise(tmp_path: Path, make, choice: str | None, expected: str) -> None:
    make(tmp_path)
    assert python(REPORT, tmp_path, choice=choice) == expected


def test_an_original_that_another_finder_serves_wins(tmp_path: Path) -> None:
    """As with an editable install of the original."""
    package(tmp_path)
    code = f"""
import sys, importlib.util
class Editable:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, {str(tmp_path / "BaseNN/__init__.py")!r}) \\
            if name == "BaseNN" else None
sys.meta_path.append(Editable)
{REPORT}"""
    assert python(code) == "original"


def test_a_broken_finder_beside_ours_does_no_harm(tmp_path: Path) -> None:
    code = """
import sys, qingzhou_doors
class Broken:
    @staticmethod
    def find_spec(name, path=None, target=None):
        raise RuntimeError("broken")
sys.meta_path.append(Broken)
print(qingzhou_doors.DoorFinder.find_spec("BaseNN"))"""
    assert python(code) == "None"


@pytest.mark.parametrize("prefix", ["", "qingzhou.doors."])
def test_every_lesson_import_works_under_both_names(prefix: str) -> None:
    code = f"""
import qingzhou_doors
from {prefix}MMEdu import MMClassification as cls, MMDetection, pth_info, __version__
from {prefix}MMEdu.Classification import MMClassification
from {prefix}MMEdu.Detection import MMDetection
from {prefix}BaseNN import nn, pth_info
from {prefix}XEdu.hub import Workflow as wf
from {prefix}XEdu.hub.workflow import Workflow
from {prefix}XEdu import Workflow as same
assert cls is MMClassification and wf is Workflow is same
print(cls.sota()[:2], wf.support_task())"""
    assert python(code) == "['LeNet', 'MobileNet'] ['mmedu', 'basenn', 'custom']"


def test_both_names_give_the_same_classes() -> None:
    code = """
import qingzhou_doors, XEdu.hub, qingzhou.doors.XEdu.hub
print(XEdu.hub.Workflow is qingzhou.doors.XEdu.hub.Workflow)"""
    assert python(code) == "True"


def test_only_the_three_names_are_ours() -> None:
    code = """
import qingzhou_doors
find = qingzhou_doors.DoorFinder.find_spec
print([find(name) for name in ("mmedu", "MMEdu.x", "numpy", "", "doors")])"""
    assert python(code) == str([None] * 5)


def test_which_tells_what_is_used(tmp_path: Path) -> None:
    package(tmp_path)
    (tmp_path / "XEdu").mkdir()
    code = "from qingzhou.doors import which; print({n: d.provider for n, d in which().items()})"
    assert python(code, tmp_path) == "{'MMEdu': 'none', 'BaseNN': 'original', 'XEdu': 'none'}"
    assert python("import qingzhou_doors;" + code, tmp_path) == str(
        {"MMEdu": "qingzhou", "BaseNN": "original", "XEdu": "qingzhou"}
    )
    code = "import qingzhou_doors, BaseNN;" + code + "; print(which()['BaseNN'].loaded, which()['XEdu'].loaded)"
    assert python(code, tmp_path).splitlines()[1] == "True False"


def test_which_knows_a_module_that_was_put_there_by_hand() -> None:
    code = """
import sys, types
sys.modules["BaseNN"] = types.ModuleType("BaseNN")
from qingzhou.doors import which; print(which()["BaseNN"].provider)"""
    assert python(code) == "original"


def test_installing_twice_installs_once() -> None:
    code = "import sys, qingzhou_doors as d; d.install(); print(sys.meta_path.count(d.DoorFinder))"
    assert python(code) == "1"


def test_start_up_loads_nothing_and_says_nothing() -> None:
    code = """
import os, sys  # every start-up has them
before = set(sys.modules)
import qingzhou_doors
print(sorted(set(sys.modules) - before))"""
    assert python(code) == "['qingzhou_doors']"


def test_start_up_does_next_to_nothing(tmp_path: Path) -> None:
    """Every start of Python imports it: no more than some hundred calls, with byte code, as pip installs it."""
    copied = Path(shutil.copy(SRC / "qingzhou_doors.py", tmp_path))
    compileall.compile_file(copied, quiet=1)
    code = """
import sys, importlib, qingzhou_doors
del sys.modules["qingzhou_doors"]
calls = []
sys.setprofile(lambda frame, event, arg: event in ("call", "c_call") and calls.append(event))
importlib.import_module("qingzhou_doors")
sys.setprofile(None)
print(len(calls))"""
    assert 0 < int(python(code, tmp_path)) < 500


def test_the_pth_file_is_one_import() -> None:
    assert (SRC / "qingzhou_doors.pth").read_bytes() == b"import qingzhou_doors\n"
