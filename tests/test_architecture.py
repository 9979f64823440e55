"""The rooms import one way only, and nothing that could run what a file holds. Lazy imports count as well."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import qingzhou
from qingzhou.cli import main
from qingzhou.sources.table import MODELS, SOURCES
from quick import QUICK, TESTS

PACKAGE = Path(qingzhou.__file__).parent
# A room imports from rooms above its line only. Rooms of one line do not know each other.
FLOW = [
    ["runtime"],
    ["errors", "version"],
    ["own_files", "progress", "assumed", "endings", "spelling", "confine", "outside"],
    ["whole_file"],
    ["html", "devices"],
    ["files"],
    ["labels", "graph"],
    ["nets"],
    ["onnxfile"],
    ["scenes"],
    ["sources", "engines", "boards"],
    ["model", "options", "adoption"],
    ["making"],
    ["conversion"],
    ["batch", "run", "bare", "info", "demo", "evaluate"],
    ["quant"],
    ["targets"],
    ["deploy", "teaching"],
    ["answers", "bench"],
    ["bundle", "report"],
    ["doors"],
    ["present"],
    ["web"],
    ["cli_usage"],
    ["cli_common"],
    ["cli_boards", "cli_measure", "cli_teach", "cli_web"],
    ["cli"],
    ["__main__"],
]
LEVEL = {room: level for level, rooms in enumerate(FLOW) for room in rooms}
BANNED = {"torch", "pickle", "_pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "cv2"}
OUTSIDE = {
    "numpy",
    "onnx",
    "onnxruntime",
    "PIL",
    "click",
    "rich",
    "jinja2",
    "tomli",
}  # the dependencies in pyproject.toml
EXTRAS = {
    "files": {"pyfive"},
    "sources": {"tensorflow", "tf2onnx"},
    "engines": {"MNN", "_tools"},
    "web": {"fastapi", "starlette", "pydantic", "uvicorn", "h11", "huey", "redis", "fsspec", "segno"},
}  # of a room

# The same for what runs on boards. At its door each module has a place of its own, and the rooms are between them.
ON_BOARDS = [
    ["errors", "typed"],
    ["file", "memory", "address", "text", "whole", "start"],
    ["model"],
    ["read"],
    ["engine", "draw"],
    ["predict"],
    ["bundle"],
    ["parts"],
    ["camera", "listen", "screen", "sensors", "remote"],
    ["act", "stream"],
    ["rules"],
    ["__main__"],
]
PROGRAMS = {  # not imported here
    *(PACKAGE / "scenes").glob("*/*.py"),
    *(PACKAGE / "boards").glob("*/*.py"),
    *(PACKAGE / "targets/workers").glob("*.py"),
}
MODULES = sorted(set(PACKAGE.rglob("*.py")) - PROGRAMS)


def room_of(path: Path) -> str:
    """ "nets" for graph/record.py, "cli" for cli.py, "" for the package's own __init__.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(parsed(path)))


def dotted(called: ast.expr) -> str:
    """ "onnx.load" for that; "?.load" for a method of what has no name."""
    if isinstance(called, ast.Attribute):
        return f"{dotted(called.value)}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else "?"


@functools.cache
def imports(path: Path) -> list[tuple[str, int]]:
    """Every absolute name of a module that this file imports, anywhere in it, with its line."""
    here = ["qingzhou", *path.relative_to(PACKAGE).with_suffix("").parts] if path.is_relative_to(PACKAGE) else []
    found: list[tuple[str, int]] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*here[: -node.level], *filter(None, [node.module])]) if node.level else str(node.module)
            single = base in ("qingzhou", "") or (PACKAGE.parent / base.replace(".", "/")).is_dir()
            found += [(f"{base}.{alias.name}" if single else base, node.lineno) for alias in node.names]
        elif isinstance(node, ast.Call) and dotted(node.func) == "Listed":  # of nets/pages.py: imported by its name
            place = node.args[1]
            assert isinstance(place, ast.Constant)
            found.append((".".join([*here[:-1], str(place.value).partition(".")[0]]), node.lineno))
    return found


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def of_each(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """One test for all these files, which names every one that fails: thousands of tests would take longer."""

    def made(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            wrong = [
                f"{path.parent.name}/{path.name}: {problem}" for path in paths if (problem := problem_of(check, path))
            ]
            assert paths and not wrong, "\n".join(wrong)

        test.__doc__ = check.__doc__
        return test

    return made


def problem_of(check: Callable[[Path], None], path: Path) -> str:
    try:
        check(path)
    except AssertionError as err:
        return str(err)
    return ""


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in MODULES} - {""} == set(LEVEL)


@of_each([path for path in MODULES if room_of(path)])
def test_a_room_imports_only_from_those_above_it(path: Path) -> None:
    own = room_of(path)
    for module, line in imports(path):
        parts = module.split(".")
        if parts[0] != "qingzhou" or len(parts) < 2 or parts[1] == own:
            continue
        assert LEVEL.get(parts[1], 99) < LEVEL[own], f"{name(path)}:{line} imports {module}"


def source_of(module: str) -> str:
    """ "openmmlab" for qingzhou.sources.openmmlab.state; "" for what stands in the room itself, and for other rooms."""
    parts = [*module.split("."), "", ""]
    inside = parts[:2] == ["qingzhou", "sources"]
    return parts[2] if inside and parts[2] in {source.name for source in SOURCES} else ""


@of_each([path for path in MODULES if room_of(path) == "sources"])
def test_no_source_knows_another(path: Path) -> None:
    """But for torch/, which reads what all sources share whose files torch saves; the table alone knows them all."""
    own = source_of(".".join(["qingzhou", *path.relative_to(PACKAGE).with_suffix("").parts]))
    others = {source_of(module) for module, _ in imports(path)} - {own, ""}
    assert not others or name(path) == "sources/table.py", f"{name(path)} imports {others}"


@of_each(MODULES)
def test_endings_of_files_that_are_read_stand_in_the_table_of_sources(path: Path) -> None:
    """No list of them stands anywhere else; a single one may, since an .onnx, say, is also what we write."""
    if room_of(path) == "sources":
        return
    for node in nodes(path):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = {one.value for one in node.elts if isinstance(one, ast.Constant)} & set(MODELS)
            assert len(found) < 2, f"{name(path)}:{node.lineno} lists {sorted(found)}"


@of_each(MODULES)
def test_nothing_that_could_run_a_file(path: Path) -> None:
    for module, line in imports(path):
        assert module.split(".")[0] not in BANNED, f"{name(path)}:{line} imports {module}"
    for node in nodes(path):
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        assert called not in ("eval", "exec", "compile", "__import__"), f"{name(path)}:{node.lineno} calls {called}"


@of_each([path for path in MODULES if room_of(path) == "runtime"])
def test_the_runtime_stands_alone(path: Path) -> None:
    """It is copied to the board: only the standard library, numpy, Pillow and onnxruntime."""
    outside = {module.split(".")[0] for module, _ in imports(path)} & (OUTSIDE | BANNED | {"qingzhou"})
    inside = {module for module, _ in imports(path) if module.startswith("qingzhou.")}
    assert outside <= {"numpy", "PIL", "onnxruntime", "qingzhou"}
    assert all(module.startswith("qingzhou.runtime") for module in inside)


@of_each([path for path in MODULES if room_of(path) == "runtime" and path.name != "__init__.py"])
def test_a_room_of_the_runtime_imports_only_from_those_above_it(path: Path) -> None:
    """But for `__init__`, which every program begins with: it looks for what is there."""
    level = {room: level for level, rooms in enumerate(ON_BOARDS) for room in rooms}
    own = path.relative_to(PACKAGE / "runtime").parts[0].removesuffix(".py")
    for module, line in imports(path):
        parts = module.split(".")
        if parts[:2] == ["qingzhou", "runtime"] and parts[2] != own:
            assert level[parts[2]] < level[own], f"{name(path)}:{line} imports {module}"


def modules() -> dict[str, Path]:
    """All modules by their absolute names; a package is called as its folder is."""
    dotted = {".".join(["qingzhou", *path.relative_to(PACKAGE).with_suffix("").parts]): path for path in MODULES}
    return {one.removesuffix(".__init__"): path for one, path in dotted.items()}


def test_no_modules_import_each_other() -> None:
    """Neither straight nor by way of others, also where an import stands in a function."""
    known = modules()
    uses = {
        one: {module for module, _ in imports(path) if module in known and module != one} for one, path in known.items()
    }
    # What imports nothing that is still there is in no circle.
    while free := [one for one, others in uses.items() if not others & uses.keys()]:
        uses = {one: others for one, others in uses.items() if one not in free}
    assert not {one: sorted(others & uses.keys()) for one, others in uses.items()}


@of_each(MODULES)
def test_only_what_is_a_dependency(path: Path) -> None:
    for module, line in imports(path):
        top = module.split(".")[0]
        fine = top in (*sys.stdlib_module_names, "tomllib") or top in OUTSIDE or top in ("qingzhou", "__future__")
        fine |= top in EXTRAS.get(room_of(path), ())
        assert fine, f"{name(path)}:{line} imports {module}"


@of_each(sorted(PACKAGE.rglob("*.py")))
def test_a_model_is_opened_in_one_place(path: Path) -> None:
    """onnxruntime and onnx read whatever file a model names: the one sees no model unchecked, the other is told."""
    for node in nodes(path):
        named = {getattr(node, field, "") for field in ("attr", "id") if isinstance(getattr(node, field, ""), str)}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.add(node.value)
        assert "InferenceSession" not in named or name(path) == "runtime/engine/session.py", name(path)
        if isinstance(node, ast.Call) and dotted(node.func) in ("onnx.load", "onnx.load_model"):
            said = [word.arg for word in node.keywords if ast.unparse(word.value) == "False"]
            assert "load_external_data" in said, f"{name(path)}:{node.lineno} lets onnx read other files"


# Who may make, move and remove files; all others hand over what is to be written. Most write into a folder or file that
# the one place made for them, which tests/writing/test_opened.py sees from outside.
WRITERS = {
    "whole_file.py", "runtime/whole.py",  # the one place, and on boards
    "model.py", "run.py", "bare.py", "demo/__init__.py", "doors/answers.py", "onnxfile/write.py", "onnxfile/verify.py",
    "engines/ncnn/write.py", "engines/ncnn/engine.py", "engines/litert/write.py", "engines/behind.py",
    "engines/arrays/write.py",
    "engines/mnn/convert.py", "engines/mnn/worker.py",  # a folder of another process, which vanishes
    "runtime/engine/mnn.py",  # a copy for an engine that takes plain names only, which vanishes
    "engines/artifact.py", "engines/openvino.py", "sources/onnx/zipped.py",
    "engines/tensorrt/engine.py", "engines/tensorrt/prepare.py",
    "quant/pictures.py", "bench/measure.py", "bundle/build.py", "bundle/contents.py",
    "bundle/renew.py", "bundle/form.py", "bundle/forms.py", "bundle/board.py", "bundle/browser.py", "bundle/sample.py",
    "bundle/simulated.py", "bundle/wheels.py", "bundle/push.py",
    "bundle/remote.py", "runtime/bundle/measure.py", "runtime/listen.py", "runtime/parts/voice.py",
    "web/remote.py", "teaching/camera.py",
    "deploy/make.py",  # folders in one that vanishes
    "outside.py", "sources/tensorflow/read.py",  # a folder of another process, which vanishes
    "targets/ask.py", "targets/compile.py",  # the same; the log of a compiler that failed
    "targets/install.py",  # environments of vendors' compilers
    "bundle/place.py",  # the folders above a bundle
    "bundle/ssh.py",  # known_hosts, to which a line is added as ssh does it
    "bench/process.py",  # a file without a name
    "bundle/page/serve.py",  # a key that it shows to nobody; it runs where none of this is
    "runtime/bundle/install.py",  # packages/ of a bundle
    "runtime/bundle/selftest.py",  # nowhere: what an engine prints
}  # fmt: skip
WRITES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "mkdtemp", "mkstemp", "TemporaryDirectory", "TemporaryFile",
    "NamedTemporaryFile", "rmtree", "rmdir", "unlink", "rename", "renames", "truncate", "symlink", "link", "copyfile",
    "copy2", "copytree", "move", "extractall", "savez", "savetxt", "save_model",
}  # fmt: skip
OF_MODULES = {"os.replace", "os.remove", "onnx.save", "np.save", "shutil.copy", "wave.open"}


def writes(path: Path) -> Iterator[tuple[str, int]]:
    """Every call that may change the disk, with its line."""
    imported = {
        alias.asname or alias.name
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and node.module != "whole_file"
        for alias in node.names
    }
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            last = called.rpartition(".")[2]
            modes = [*node.args, *(word.value for word in node.keywords if word.arg == "mode")]
            mode = {str(one.value) for one in modes if isinstance(one, ast.Constant)}
            opens = last in ("open", "ZipFile") and any(set(one) & set("wax+") and len(one) < 4 for one in mode)
            if opens or called in OF_MODULES or (last in WRITES and (last != called or called in imported)):
                yield called, node.lineno


@of_each(MODULES)
def test_files_are_written_in_one_place(path: Path) -> None:
    """The server's own folders are the web's affair; what it brings to people's goes through the one place, too."""
    if room_of(path) == "web" and path.name != "remote.py":
        return
    found = [f"{name(path)}:{line} calls {called}" for called, line in writes(path)]
    assert name(path) in WRITERS or not found, found


def test_who_writes_is_listed_for_a_reason() -> None:
    """A line that nobody needs any more goes."""
    needless = {one for one in WRITERS if not (PACKAGE / one).is_file() or not list(writes(PACKAGE / one))}
    assert not needless


# -- the tests ------------------------------------------------------------------------------------------------------


@functools.cache
def reached(path: Path) -> frozenset[str]:
    """The rooms whose modules are imported by this file or by what it imports, anywhere in it; with the command line
    those of verbs that are loaded when they are asked for.
    """
    found, left = set[str](), [path]
    while left:
        here = left.pop()
        verbs = [(f"qingzhou{home}", 0) for home in main.homes.values()] if here == PACKAGE / "cli.py" else []
        for module, _ in [*imports(here), *verbs]:
            parts = module.split(".")
            if parts[0] == "qingzhou" and module not in found:
                found.add(module)
                file = PACKAGE.parent.joinpath(*parts)
                left += [one for one in (file.with_suffix(".py"), file / "__init__.py") if one.is_file()]
    return frozenset(module.split(".")[1] for module in found if "." in module)


def test_the_quick_tests_leave_no_room_out() -> None:
    assert set(QUICK) == set(LEVEL)


@pytest.mark.parametrize("room", sorted(set(QUICK) - {"__main__"}))  # which is started, never imported
def test_a_rooms_quick_tests_reach_it(room: str) -> None:
    for name in QUICK[room]:
        assert (TESTS / name.partition("::")[0]).exists(), name
    places = [TESTS / name.partition("::")[0] for name in QUICK[room]]
    files = [file for place in places for file in (sorted(place.glob("test_*.py")) if place.is_dir() else [place])]
    assert any(room in reached(file) for file in files), files


@of_each([*sorted(PACKAGE.rglob("*.py")), *sorted(TESTS.rglob("*.py"))])
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400
