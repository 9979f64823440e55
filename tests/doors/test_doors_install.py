"""The wheel really installed next to the originals: nothing of theirs is overwritten or removed. Slow."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from dear import but_slow
from qingzhou.version import __version__

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[2]
ORIGINALS = {"BaseNN": ("basenn", "2.0.0"), "XEdu": ("xedu_python", "0.2.3"), "MMEdu": ("MMEdu", "0.1.28")}
REPORT = """
import importlib
for name in ("BaseNN", "XEdu", "MMEdu"):
    try:
        print(name, getattr(importlib.import_module(name), "WHO", "door"))
    except ImportError:
        print(name, "none")
"""
RUNTIME = """
from pathlib import Path
from qingzhou_runtime import Predictor
from qingzhou_runtime import read
print(Predictor.__module__, Path(read.__file__).parent.name)
"""


def source_copy(folder: Path) -> Path:
    """The project without its tests; a README and a LICENSE are made where a checkout lacks them."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("README.md", "LICENSE"):
        text = (ROOT / name).read_text("utf-8") if (ROOT / name).exists() else "-\n"
        (folder / name).write_text(text, "utf-8")
    return folder


def fake(folder: Path, package: str) -> Path:
    """A small wheel with the file names of an original."""
    project, version = ORIGINALS[package]
    info = f"{project}-{version}.dist-info"
    files = {
        f"{package}/__init__.py": f"WHO = 'original'\nclass nn: pass\nNAME = {package!r}\n",
        f"{package}/version.py": f"__version__ = {version!r}\n",
        f"{package}/hub/__init__.py": "class Workflow: pass\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    wheel = folder / f"{project}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


class Venv:
    """A fresh environment that sees this one's libraries, but has its own packages."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        binaries = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = binaries / ("python.exe" if sys.platform == "win32" else "python")
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(self.run("-c", code))
        (self.packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")

    def run(self, *args: object) -> str:
        done = subprocess.run([self.python, *args], capture_output=True, text=True, cwd=self.python.parent, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pip(self, *args: object) -> None:
        command = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, wheel: Path) -> None:
        # by force: the libraries may hold it too
        self.pip("install", "-q", "--no-deps", "--no-index", "--force-reinstall", wheel)

    def imports(self) -> dict[str, str]:
        return dict(line.split() for line in self.run("-c", REPORT).splitlines())

    def files(self, package: str) -> dict[str, bytes]:
        folder = self.packages / package
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.py")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, source = tmp_path_factory.mktemp("wheel"), source_copy(tmp_path_factory.mktemp("source"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("qingzhou-*.whl"))


def test_the_wheel_holds_no_folder_of_the_originals(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"qingzhou", "qingzhou_doors.py", "qingzhou_doors.pth", "qingzhou_runtime"}
    assert {f"qingzhou/doors/{name}/__init__.py" for name in ORIGINALS} <= set(names)


def test_the_wheel_says_its_version_and_that_it_is_typed(wheel: Path) -> None:
    """The version stands once, in version.py; py.typed lets type checkers believe our annotations."""
    assert wheel.name.startswith(f"qingzhou-{__version__}-")
    assert {"qingzhou/py.typed", "qingzhou/__main__.py"} <= set(zipfile.ZipFile(wheel).namelist())


ORDERS = [(first, leaves) for first in ("qingzhou", "originals") for leaves in ("qingzhou", "originals")]


@pytest.mark.parametrize(("first", "leaves"), but_slow(ORDERS, set(ORDERS) - {("originals", "qingzhou")}))
def test_installing_and_removing_in_any_order(wheel: Path, tmp_path: Path, first: str, leaves: str) -> None:
    venv, originals = Venv(tmp_path / "venv"), [fake(tmp_path, name) for name in ("BaseNN", "XEdu")]
    for one in [wheel, *originals] if first == "qingzhou" else [*originals, wheel]:
        venv.install(one)
    assert venv.run("-c", RUNTIME) == "qingzhou_runtime.predict runtime"
    before = {name: venv.files(name) for name in ("BaseNN", "XEdu")}
    assert all(before.values())
    assert venv.imports() == {"BaseNN": "original", "XEdu": "original", "MMEdu": "door"}
    if leaves == "qingzhou":
        venv.pip("uninstall", "-q", "-y", "qingzhou")
        assert {name: venv.files(name) for name in before} == before
        assert not list(venv.packages.glob("qingzhou*"))
        assert venv.imports() == {"BaseNN": "original", "XEdu": "original", "MMEdu": "none"}
    else:
        (venv.packages / "BaseNN" / "own.txt").write_text("a pupil's own file keeps the folder alive", "utf-8")
        venv.pip("uninstall", "-q", "-y", "basenn", "xedu_python")
        assert venv.imports() == {"BaseNN": "door", "XEdu": "door", "MMEdu": "door"}


def test_an_editable_install_serves_the_doors(tmp_path: Path) -> None:
    pytest.importorskip("editables")  # what hatchling needs for -e; pip fetches it where it isolates the build
    (tmp_path / "source").mkdir()
    source = source_copy(tmp_path / "source")
    venv = Venv(tmp_path / "venv")
    venv.pip("install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-e", source)
    assert set(venv.imports().values()) == {"door"}
    assert not [name for name in ORIGINALS if (venv.packages / name).exists()]
    assert venv.run("-c", RUNTIME) == "qingzhou_runtime.predict runtime"
    venv.install(fake(tmp_path, "XEdu"))
    assert venv.imports() == {"BaseNN": "door", "XEdu": "original", "MMEdu": "door"}
