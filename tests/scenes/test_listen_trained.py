"""Words that a trained network knows, through the program of the scene: from recordings and from the microphone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from passengers import SOUND, WORDS, spectrograms, spoken
from programs import PYTHON, environment, run
from qingzhou.bundle.build import build

Write = Callable[..., Path]
RULES = [f'when "{word}" above 0.8: speak("{word}")' for word in WORDS] + ['当 "停" 高于 0.8：引脚(24, 开)']
RECORDER = """#!{python}
import sys, time
assert sys.argv[1:] == "-q -t raw -f S16_LE -c 1 -r 16000".split(), sys.argv
for start in range(0, {size}, 3200):  # a tenth of a second, in a tenth of a second
    sys.stdout.buffer.write(open({sound!r}, "rb").read()[44:][start : start + 3200])
    sys.stdout.buffer.flush()
    time.sleep(0.1)
"""


def acted(printed: str, action: str) -> list[str]:
    """What one action did, in order. A voice speaks in the background, in the middle of a line perhaps."""
    return re.findall(rf"\[sim\] {action}:? (.*)", printed)


@pytest.mark.parametrize("order", [WORDS, WORDS[::-1], ("左", "左", "跑")], ids=["in order", "backwards", "twice"])
def test_words_are_named_in_their_order_and_acted_on_once(order: tuple[str, ...], write: Write) -> None:
    main = write("listen", "words", RULES=RULES)
    spoken(order, main.parent / "sim" / "sound.wav")
    printed = run(main, "--sim", QINGZHOU_LANG="en")
    assert acted(printed, "speak") == list(order), printed
    assert acted(printed, "pin") == ["24 on"] * order.count("停")


@pytest.mark.parametrize("word", WORDS)
def test_a_recording_by_its_name(word: str, write: Write) -> None:
    """python main.py sound.wav, of a voice that was never heard in training."""
    main = write("listen", "words", RULES=["when any above 0.8: print(label)"])
    shutil.copy(SOUND / "heard" / f"{word}.wav", main.parent / "录音.wav")
    printed = run(main, "录音.wav")
    assert printed.splitlines()[0].startswith(word) and word in printed.splitlines()[1:]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no arecord")
def test_the_microphone(write: Write, tmp_path: Path) -> None:
    """arecord gives the same bytes as a microphone would, as fast as they are spoken."""
    main = write("listen", "words", RULES=["when any above 0.8: print(label)"])
    sound, place = spoken(WORDS, tmp_path / "said.wav"), tmp_path / "bin"
    place.mkdir()
    (place / "arecord").write_text(RECORDER.format(python=sys.executable, size=sound.stat().st_size, sound=str(sound)))
    (place / "arecord").chmod(0o755)
    env = environment(QINGZHOU_LANG="en", PATH=f"{place}:/usr/bin:/bin")
    done = subprocess.run([PYTHON, main], capture_output=True, env=env, timeout=120, encoding="utf-8")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert [line for line in done.stdout.splitlines() if line in WORDS] == list(WORDS), done.stdout
    assert "No sound comes from the microphone" in done.stdout.splitlines()[-1]  # as when it is pulled out


def test_the_bundle_of_a_class(tmp_path: Path) -> None:
    """As the lesson makes it, with the training pictures: so small a network is not made INT8, which would cost more
    there; a rule for a word on the command line.
    """
    made = build(
        SOUND / "basenn.pth",
        "unihiker",
        "listen",
        data=spectrograms(tmp_path / "pictures"),
        actions=["左=speak", "停=pin:24"],
        out=tmp_path / "bundle",
        lang="zh",
    )
    assert made.form.precision == "fp32" and any(
        "million instructions" in note or "百万条指令" in note for note in made.notes
    )
    (made.path / "sim").mkdir()
    spoken(("左", "停"), made.path / "sim" / "sound.wav")
    printed = run(made.path / "main.py", "--sim")
    assert (acted(printed, "speak"), acted(printed, "pin")) == (["左"], ["24 off", "24 on"]), printed
