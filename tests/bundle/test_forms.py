"""A bundle with every form: bench.py tries each on the device, says which won, and one is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from passengers import ORACLE
from qingzhou.bundle.build import build
from qingzhou.bundle.contents import is_sealed, sha256_of
from qingzhou.bundle.forms import keep
from qingzhou.bundle.push import Pushed
from qingzhou.cli import main
from qingzhou.errors import ModelError, OptionError, use_language
from qingzhou.present import boards
from qingzhou.runtime.bundle import measure

LENET = ORACLE / "trained" / "lenet_digits.pth"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program of the bundle, with what is installed here."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "QINGZHOU_LANG": "en"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "bundle.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FP32 with onnxruntime, which is what a computer gets without data, and the others."""
    return build(LENET, "pc", out=tmp_path_factory.mktemp("forms") / "all", forms="all", lang="en").path


def copied(made: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(made, tmp_path / "bundle"))


def test_every_form_is_in_it(made: Path) -> None:
    told = {form["name"]: form for form in facts(made)["forms"]}
    assert next(iter(told)) == "onnxruntime fp32" and {"ncnn fp32", "ncnn fp16"} <= set(told)
    assert "numpy fp32" not in told  # it has no Conv
    for form in told.values():
        assert all((made / name).is_file() for name in form["model_files"]) and form["model"] == form["model_files"][0]
    packages = facts(made)["requirements"]["3.11"]
    assert {line.split("==")[0] for line in packages} >= {"numpy", "Pillow", "onnxruntime", "ncnn"}
    assert (made / "main.py").read_text("utf-8").count('MODEL = "model.onnx"') == 1
    assert is_sealed(facts(made))


def test_a_usual_bundle_has_one(tmp_path: Path) -> None:
    one = build(LENET, "pc", out=tmp_path / "b").path
    assert "forms" not in facts(one) and not list(one.glob("model-*"))


def test_bench_tries_each_and_says_which_won(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    done = run(folder, "bench.py", "0.05")
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report.json").read_text("utf-8"))
    names = [form["name"] for form in facts(folder)["forms"]]
    rows = {f"{row['engine'].split()[0]} {row['precision']}": row for row in report["rows"]}
    assert list(rows) == names and report["won"] in names
    assert measure.winner(rows) == report["won"] and f"Fastest: {report['won']}" in done.stdout
    sizes = {row["size_bytes"] for row in rows.values()}
    assert len(sizes) == len(names)  # each is that form's own


def test_a_form_that_does_not_run_is_left_out(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    (folder / "model-ncnn-fp32.ncnn.bin").write_bytes(b"cut off")
    done = run(folder, "bench.py", "0.05")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert "ncnn fp32          does not run here" in done.stdout and report["won"] != "ncnn fp32"
    assert len(report["rows"]) == len(facts(folder)["forms"]) - 1


WINNERS = [
    ({"a": (10.0, 60, 9), "b": (8.0, 80, 9)}, "b"),
    ({"a": (8.3, 60, 9), "b": (8.0, 80, 9)}, "a"),  # hardly slower, and needs less memory
    ({"a": (8.5, 60, 9), "b": (8.0, 80, 9)}, "b"),
    ({"a": (8.0, 60, 9), "b": (8.1, 60, 4)}, "b"),  # nor more memory: the smaller file
    ({"a": (8.0, None, 9), "b": (8.0, None, 9)}, "a"),
]


@pytest.mark.parametrize(("rows", "name"), WINNERS)
def test_ties_go_to_what_needs_least(rows: dict[str, tuple[float, float | None, int]], name: str) -> None:
    keys = ("latency_ms_p50", "memory_mb", "size_bytes")
    assert measure.winner({one: dict(zip(keys, row, strict=True)) for one, row in rows.items()}) == name


# -- one is kept -----------------------------------------------------------------------------------------------------


def test_one_is_kept(made: Path, tmp_path: Path) -> None:
    """Only its files and packages are left; main.py opens it; what the bundle says of itself is whole."""
    folder = copied(made, tmp_path)
    before = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    kept = keep(folder, "ncnn fp16")
    told = facts(folder)
    assert (told["engine"], told["precision"], told["model"]) == ("ncnn", "fp16", "model-ncnn-fp16.ncnn.param")
    assert "forms" not in told and is_sealed(told) and not kept.notes and 0 < kept.freed < before
    assert sorted(path.name for path in folder.glob("model*")) == [
        "model-ncnn-fp16.ncnn.bin",
        "model-ncnn-fp16.ncnn.param",
    ]
    assert {name: sha256_of(folder / name) for name in told["files"]} == told["files"]
    text = (folder / "requirements.txt").read_text("utf-8")
    assert "ncnn==" in text and "numpy==" in text and "onnxruntime==" not in text
    assert 'MODEL = "model-ncnn-fp16.ncnn.param"' in (folder / "main.py").read_text("utf-8")
    done = run(folder, "selftest.py")
    assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout
    assert run(folder, "main.py", "sample.png").returncode == 0


def test_a_program_that_somebody_changed_stays_theirs(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    mine = (folder / "main.py").read_text("utf-8") + "# mine\n"
    (folder / "main.py").write_text(mine, "utf-8")
    keep(folder, "ncnn fp32")
    assert "# mine" in (folder / "main.py").read_text("utf-8")
    assert facts(folder)["files"]["main.py"] != sha256_of(folder / "main.py")  # so the next build keeps it, too


def test_a_program_with_another_line_is_not_touched(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    (folder / "main.py").write_text("MODEL = other\n", "utf-8")
    kept = keep(folder, "ncnn fp32")
    assert (folder / "main.py").read_text("utf-8") == "MODEL = other\n" and "model-ncnn-fp32" in kept.notes[0]


def test_what_cannot_be_kept(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with pytest.raises(OptionError, match="ncnn fp32") as caught:
        keep(folder, "toaster int4")
    assert "toaster" in caught.value.zh and (folder / "model.onnx").is_file()
    with pytest.raises(ModelError, match="no folder of a bundle"):
        keep(tmp_path, "ncnn fp32")


def test_files_outside_are_never_removed(made: Path, tmp_path: Path) -> None:
    """A bundle.json of somebody else's may name any."""
    folder, other = copied(made, tmp_path), tmp_path / "photo.jpg"
    other.write_text("mine", "utf-8")
    told = facts(folder)
    told["forms"][1]["model_files"] = ["../photo.jpg"]
    (folder / "bundle.json").write_text(json.dumps(told), "utf-8")
    keep(folder, "onnxruntime fp32")
    assert other.is_file()


# -- asked for ------------------------------------------------------------------------------------------------------


def test_where_it_cannot_be(tmp_path: Path) -> None:
    for device, scene in (("browser", "basic"), ("pi5", "ask")):
        with pytest.raises(OptionError, match="--forms all"):
            build(LENET, device, scene, forms="all", out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_on_the_command_line(tmp_path: Path) -> None:
    words = ["bundle", str(LENET), "--device", "pc", "--forms", "all", "--precision", "fp32", "-o", str(tmp_path / "b")]
    shown = CliRunner().invoke(main, [*words, "--json"])
    use_language(None)
    assert shown.exit_code == 0 and any("model-ncnn" in name for name in json.loads(shown.output)["files"])


@pytest.mark.parametrize("wanted", [True, False, None])
def test_push_keeps_the_winner_where_it_is_wanted(
    wanted: bool | None, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """None is not asked for, where nobody can be asked."""
    folder, again = copied(made, tmp_path), []
    done = Pushed("there", 9, 100, 0, "", {"won": "ncnn fp16", "rows": []}, {})

    def push(bundle: Path, *rest: Any, **named: Any) -> Pushed:
        again.append((facts(bundle)["engine"], named))
        return Pushed("there", 3, 10, 6, "", None, {})

    monkeypatch.setattr(boards, "push", push)
    found = boards._keep_winner(done, folder, None, {"keep": wanted, "folder": ""}, False)  # type: ignore[arg-type]
    assert again == ([("ncnn", {"measure": False})] if wanted else [])
    assert found.report == done.report and ("forms" in facts(folder)) is not bool(wanted)
    assert "ncnn fp16" in capsys.readouterr().out
