"""The real things, as far as a machine without hardware has them: windows, a voice, pins, ports and a broker.

`scripts/test -m scene`; .ci/run installs what it needs: xvfb, xdotool, espeak-ng, alsa-utils, mosquitto,
a Chinese font, and `pip install -e ".[test,scene]"`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageGrab
from waits import SOON, wait_for

from programs import PYTHON, environment
from qingzhou.errors import DeviceError, OutputError, use_language
from qingzhou.runtime import act, listen
from qingzhou.runtime.parts import optional, voice, worker

pytestmark = pytest.mark.scene
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    use_language("en")
    worker._told.clear()
    yield
    act.close()


# -- a window --


@pytest.fixture
def display(request: pytest.FixtureRequest) -> Iterator[str]:
    """An X server without a monitor, as large as the Unihiker's screen unless the test says otherwise."""
    size = getattr(request, "param", "640x480")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield ":" + number.readline().strip()
    server.terminate()
    server.wait()


def film(path: Path, pictures: list[Path], seconds: float = 60) -> None:
    """A video of the pictures, each for ten frames, again and again."""
    import cv2  # noqa: TID251  # the tests make what OpenCV reads

    frames = [np.asarray(Image.open(one).convert("RGB").resize((320, 240)))[..., ::-1] for one in pictures]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    for number in range(int(seconds * 10)):
        video.write(np.ascontiguousarray(frames[number // 10 % len(frames)]))
    video.release()


WINDOWS = [
    ("auto", "640x480", 0, False),
    ("cv2", "640x480", 0, False),
    ("auto", "240x320", 90, True),
    ("auto", "800x480", 270, True),
]


@pytest.mark.parametrize("window, display, turn, full", WINDOWS, indirect=["display"])
def test_the_camera_scene_with_a_video_as_the_camera(
    window: str, display: str, turn: int, full: bool, write: Write, models: Path, tmp_path: Path
) -> None:
    """A real window: the picture, the box and its label are on the screen; q ends the program."""
    from passengers import ORACLE

    film(tmp_path / "film.avi", [ORACLE / "trained_ssd" / "pictures" / "07.jpg"])
    main = write("camera", "shapes", CAMERA=str(tmp_path / "film.avi"), ROTATE=turn, FULL_SCREEN=full)
    text = main.read_text("utf-8").replace("Screen(FULL_SCREEN, ROTATE)", f"Screen(FULL_SCREEN, ROTATE, {window!r})")
    main.write_text(text, "utf-8")
    program = subprocess.Popen([PYTHON, str(main)], env=environment(DISPLAY=display, QINGZHOU_LANG="en"))
    try:
        shown = wait_for(lambda: painted(display))
        time.sleep(1)
        shown = ImageGrab.grab(xdisplay=display)
        kept = Path(os.environ.get("QINGZHOU_SCREENSHOTS", tmp_path))
        shown.save(kept / f"{window}-{shown.width}x{shown.height}.png")
        colors = np.asarray(shown).reshape(-1, 3).astype(int)
        box = (np.abs(colors - (230, 25, 75)).sum(axis=1) < 60).sum()  # the colour of the first class's box
        assert box > 100
        if full:
            share = min(shown.width / 240, shown.height / 320) ** 2 * 240 * 320 / (shown.width * shown.height)
            assert (colors.sum(axis=1) > 60).mean() > 0.9 * share, "the picture fills the screen"
        key(display, "q")
        assert program.wait(SOON) == 0
    finally:
        program.kill()
        program.wait()


def painted(display: str) -> bool:
    """Whether something colourful is on the screen."""
    colors = np.asarray(ImageGrab.grab(xdisplay=display)).astype(int)
    return bool((colors.max(axis=2) - colors.min(axis=2) > 100).sum() > 100)


def key(display: str, name: str) -> None:
    """Presses a key in the window below the pointer; without a window manager nothing else has the focus."""
    more = {**os.environ, "DISPLAY": display}
    subprocess.run(["xdotool", "mousemove", "100", "100"], env=more, check=True)
    subprocess.run(["xdotool", "key", "--clearmodifiers", name], env=more, check=True)


def test_a_key_is_pressed(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a rule, into another program's window."""
    listener = (
        "import tkinter; root = tkinter.Tk(); root.focus_force(); print('ready', flush=True);"
        "root.bind('<Key>', lambda event: (print(event.keysym, flush=True), root.destroy())); root.mainloop()"
    )
    other = subprocess.Popen([sys.executable, "-c", listener], env=environment(DISPLAY=display), stdout=subprocess.PIPE)
    rule = "from qingzhou.runtime import act; act.do('key', 'space')"
    try:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        time.sleep(1)
        subprocess.run(["xdotool", "mousemove", "50", "50"], env={**os.environ, "DISPLAY": display}, check=True)
        subprocess.run([sys.executable, "-c", rule], env=environment(DISPLAY=display), check=True, timeout=SOON)
        assert other.stdout.readline() == b"space\n"
    finally:
        other.kill()
        other.wait()


def test_a_display_that_is_gone(write: Write) -> None:
    """A window that cannot open is no reason to stop: the answers come as lines."""
    main = write("camera", "shapes", CAMERA="sim")
    done = subprocess.run(
        [PYTHON, str(main)],
        capture_output=True,
        env=environment(DISPLAY=":4321", QINGZHOU_LANG="en"),
        timeout=60,
    )
    assert b"triangle" in done.stdout or b"circle" in done.stdout, done.stderr


# -- voice and sound --


def test_a_voice_speaks_chinese_and_english(tmp_path: Path) -> None:
    """Each text is a sound of its own, as long as it takes to say it; options in a text are text."""
    sounds = {}
    for name, text in (("cat", "cat"), ("long", "I see a big black cat"), ("zh", "小猫来了"), ("option", "--voices")):
        voice.save(text, str(tmp_path / f"{name}.wav"))
        with wave.open(str(tmp_path / f"{name}.wav"), "rb") as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float) / 32768
            sounds[name] = len(data) / file.getframerate(), float(np.sqrt(np.mean(data**2)))
    assert all(0.2 < seconds < 5 and loud > 0.01 for seconds, loud in sounds.values()), sounds
    assert sounds["long"][0] > 1.5 * sounds["cat"][0]


def test_a_disk_that_is_full() -> None:
    """/dev/full takes no byte; as the place of a result it is refused before that."""
    with pytest.raises(DeviceError, match="could not write"):
        voice._espeak("hello", "/dev/full")
    with pytest.raises(OutputError, match="is a device"):
        voice.save("hello", "/dev/full")


@pytest.mark.skipif(Path("/dev/snd").exists(), reason="this machine has a sound card")
def test_no_speaker_and_no_microphone(capsys: pytest.CaptureFixture[str]) -> None:
    """The real aplay and arecord on a machine without sound: one message, and the program goes on or ends in peace."""
    for _ in range(3):
        act.do("speak", "hello")
    act._workers["voice"].finish(SOON)
    assert capsys.readouterr().out.count("No sound came out") == 1
    with listen.Microphone() as microphone:
        assert list(microphone) == []
    assert "No sound comes from the microphone" in capsys.readouterr().out


# -- a camera --


@pytest.mark.skipif(Path("/dev/video0").exists(), reason="this machine has a camera")
def test_no_camera(write: Write) -> None:
    for source in ("auto", 0):
        main = write("camera", "shapes", CAMERA=source)
        done = subprocess.run([PYTHON, str(main)], capture_output=True, env=environment(QINGZHOU_LANG="en"))
        said = done.stderr.decode()
        assert done.returncode == 1 and said.startswith("Problem: ") and said.count("\n") == 1, said
        assert ("No camera was found" if source == "auto" else "cannot be opened") in said


def test_a_video_is_looked_through(write: Write, tmp_path: Path) -> None:
    """The video scene leaves no picture out, however slow the network is."""
    from passengers import ORACLE

    film(tmp_path / "film.avi", sorted((ORACLE / "trained_ssd" / "pictures").glob("*.jpg"))[:2], seconds=4)
    main = write("video", "shapes")
    command = [PYTHON, str(main), str(tmp_path / "film.avi")]
    done = subprocess.run(command, capture_output=True, env=environment(QINGZHOU_LANG="en"), timeout=120)
    assert done.returncode == 0, done.stderr
    rows = (main.parent / "result.csv").read_text("utf-8-sig").splitlines()[1:]
    assert {int(row.partition(",")[0]) for row in rows} == set(range(1, 41))


def test_what_is_said_of_this_machine() -> None:
    """A computer is no board."""
    assert optional.board() == "pc"
