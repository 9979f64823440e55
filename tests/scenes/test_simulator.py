"""Every scene in the simulator, as a class without boards runs it: the same code, files and printed lines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from passengers import ORACLE, reference
from programs import PYTHON, environment, run
from qingzhou.scenes import SCENES

Write = Callable[..., Path]
ACTS = [
    'when any above 0.8 for 3 frames: speak("I see {label}"), mqtt("siot/shape", label), serial(score)',
    'when "triangle" above 0.9 for 3 frames: pin(24, on), servo(18, 90), show(label), key("space"), sound("ding.wav")',
    'when no "triangle" for 3 frames: pin(24, off), http("http://192.0.2.1/x", "gone"), click(3, 4)',
]
DONE = [
    "speak: I see triangle",
    "mqtt: siot/shape triangle",
    "pin 24 on",
    "servo 18 to 90 degrees",
    "show: triangle",
    "key: space",
    "sound: ding.wav",
    "pin 24 off",
    "http: http://192.0.2.1/x gone",
    "click at 3, 4",
]
CAMERAS = {"camera": {}, "video": {}, "web": {"PORT": 0}}


@pytest.mark.parametrize("scene", CAMERAS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_camera_and_everything_that_rules_can_do(scene: str, language: str, write: Write) -> None:
    main = write(scene, "shapes", language, RULES=ACTS, **CAMERAS[scene])
    printed = run(main, "--sim", QINGZHOU_LANG=language)
    assert ("模拟" in printed) == (language == "zh")
    assert [text for text in DONE if f"[sim] {text}\n" not in printed] == []
    assert printed.count("pin 24 on") == 1
    if scene == "video":
        rows = (main.parent / "result.csv").read_text("utf-8-sig").splitlines()
        assert len(rows) >= 1 + 3 * 5 and "triangle" in rows[1]
    if scene != "web":
        with Image.open(main.parent / "sim_screen.png") as shown:
            assert shown.size[0] > 50


def test_the_environment_switches_it_on_too(write: Write) -> None:
    printed = run(write("camera", "shapes"), QINGZHOU_SIM="1", QINGZHOU_LANG="en")
    assert "triangle" in printed


def test_an_api_asks_itself(write: Write) -> None:
    printed = run(write("api", "shapes", PORT=0, RULES=['when "circle": speak(label)']), "--sim", QINGZHOU_LANG="en")
    assert printed.count("[sim] asked: ") == 3 and "[sim] speak: circle" in printed


def test_one_board_asks_another(write: Write, tmp_path: Path) -> None:
    """The api scene in a process of its own, without the simulator; the ask scene with the simulator's camera."""
    server = write("api", "shapes", PORT=0)
    shutil.copytree(server.parent, tmp_path / "server")
    more = environment(QINGZHOU_LANG="en", PYTHONUNBUFFERED="1")
    process = subprocess.Popen([PYTHON, str(tmp_path / "server" / "main.py")], stdout=subprocess.PIPE, env=more)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)/predict", process.stdout.readline().decode())
        assert found is not None
        asks = write("ask", "shapes", SERVER=f"http://127.0.0.1:{found[1]}", RULES=['when "circle": speak(label)'])
        printed = run(asks, "--sim", QINGZHOU_LANG="en")
        assert "triangle 9" in printed and "[sim] speak: circle" in printed
    finally:
        process.kill()
        process.wait()
    done = subprocess.run([PYTHON, str(asks), "--sim"], capture_output=True, env=more)
    assert done.returncode == 1 and b"does not answer" in done.stderr and b"Traceback" not in done.stderr


def test_one_model_after_another(write: Write) -> None:
    """Each thing that the detector finds is named by the classifier; FIND keeps the others as they are."""
    rule = ["when any above 0.1: print(label)"]
    said = run(write("cascade", "shapes", SECOND="digits.onnx", RULES=rule), "--sim").splitlines()
    assert any(line in "0123456789" for line in said) and "triangle" not in said
    some = run(write("cascade", "shapes", SECOND="digits.onnx", FIND="circle", RULES=rule), "--sim").splitlines()
    assert "triangle" in some and "circle" not in some


def test_sounds(write: Write) -> None:
    """A recording with a second of silence, which is left out; and the simulator's own tones."""
    main = write("listen", "digits", RULES=["when any: speak(label)"])
    assert "[sim] speak: " in run(main, "--sim")
    time = np.arange(16000) / 16000
    sound = np.concatenate([0.5 * np.sin(2000 * time), np.zeros(16000), 0.5 * np.sin(9000 * time)])
    with wave.open(str(main.parent / "sim" / "sound.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    lines = [line for line in run(main, "--sim").splitlines() if "%" in line]
    assert len(lines) == 4  # from 0, 0.25, 1.75 and 2 seconds; between them half or more is silent


def test_sensors(write: Write) -> None:
    """Numbers from serial lines and MQTT make the rows of a table."""
    rows = reference("tab_iris")
    names = ['serial("a")', 'serial("b")', 'mqtt("siot/c")', 'serial("d")']
    main = write("sensor", "iris", SENSORS=names, RULES=['when "2" above 0.5: speak("two")', 'when "0": pin(24, on)'])
    serial = [f"{name}:{float(row[i])}" for row in rows for i, name in ((0, "a"), (1, "b"), (3, "d"))]
    (main.parent / "sim" / "serial.txt").write_text("\n".join(serial))
    (main.parent / "sim" / "mqtt.txt").write_text("\n".join(f"siot/c {float(row[2])}" for row in rows))
    shown = [line for line in run(main, "--sim").splitlines() if "->" in line]
    found = [json.loads(line.partition(" -> ")[0]) for line in shown]
    assert np.allclose(found[-1], rows[-1])
    best = [line.partition(" -> ")[2].split()[0] for line in shown]
    assert best[-1] == str(int(reference("tab_iris", "y")[-1].argmax()))
    sample = run(write("sensor", "iris"), "--sim")
    assert sample.count("->") == 1


def test_all_scenes_are_here() -> None:
    """A new scene needs its test: basic has its own in test_programs.py."""
    assert set(SCENES) == {*CAMERAS, "basic", "api", "ask", "cascade", "listen", "sensor"}


MISTAKES = [
    ({"RULES": ['when "bird": speak("x")']}, ["Rule 1", "bird", "^^^^^^"]),
    ({"CAMERA": "film.mp4"}, ["film.mp4"]),
    ({"ROTATE": 45}, ["ROTATE", "90"]),
    ({"MODEL": "no.onnx"}, ["no.onnx"]),
]


@pytest.mark.parametrize("constants, words", MISTAKES, ids=[str(one[0]) for one in MISTAKES])
def test_a_mistake_is_one_message(constants: dict[str, object], words: list[str], write: Write) -> None:
    main = write("camera", "shapes", **constants)
    done = subprocess.run([PYTHON, str(main), "--sim"], capture_output=True, env=environment(QINGZHOU_LANG="en"))
    said = done.stderr.decode("utf-8")
    assert done.returncode == 1 and said.startswith("Problem: ") and "Traceback" not in said
    assert all(word in said for word in words)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_one_message(write: Write) -> None:
    main = write("video", "shapes")
    (main.parent / "result.csv").symlink_to("/dev/full")
    done = subprocess.run([PYTHON, str(main), "--sim"], capture_output=True, env=environment(QINGZHOU_LANG="en"))
    said = done.stderr.decode("utf-8")
    assert done.returncode == 1 and "Make room on the disk" in said and "Traceback" not in said


def test_help(write: Write) -> None:
    assert "Usage:" in run(write("camera", "shapes"), "--help")


@pytest.mark.parametrize("language, text", [("en", "Rule 1"), ("zh", "第 1 条规则")])
def test_a_program_speaks_the_language_that_it_is_written_in(language: str, text: str, write: Write) -> None:
    """Whatever the board's own language is."""
    main = write("camera", "shapes", language, RULES=["hm"])
    for locale in ("C.UTF-8", "zh_CN.UTF-8"):
        done = subprocess.run([PYTHON, str(main), "--sim"], capture_output=True, env=environment(LC_ALL=locale))
        assert text in done.stderr.decode("utf-8")


def test_a_picture_of_a_folder_of_names(write: Write) -> None:
    """The folder of test pictures is what the camera sees, by name."""
    main = write("camera", "shapes", RULES=["when any: print(label)"])
    shown = [line for line in run(main, "--sim").splitlines() if line in ("circle", "square", "triangle")]
    best = np.load(ORACLE / "trained_ssd" / "detections.npz")
    labels = ["square", "circle", "triangle"]
    names = sorted(path.name for path in (main.parent / "sim").iterdir())
    wanted = [labels[int(best[name][0][5])] for name in names if len(best[name])]
    assert shown == [label for i, label in enumerate(wanted) if i == 0 or label != wanted[i - 1]]
