"""A long recording is in memory once, whatever its rate and channels, and comes out as before."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from qingzhou.errors import InputError
from qingzhou.runtime import listen, memory


def write(path: Path, samples: np.ndarray, rate: int, channels: int) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return str(path)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_part_by_part_is_the_whole(rate: int, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.RandomState(0).randint(-20_000, 20_000, (rate * 2 + 7, channels))
    path = write(tmp_path / "a.wav", noise, rate, channels)
    whole = listen.read_wav(path)
    monkeypatch.setattr(listen, "PART", 1009)
    parts = listen.read_wav(path)
    assert whole.dtype == parts.dtype == np.float32 and (whole == parts).all()


def test_the_memory_of_a_long_one(tmp_path: Path) -> None:
    """Bytes for each of its frames; it was 49."""
    frames = 4_000_000
    path = write(tmp_path / "a.wav", np.zeros((frames, 2)), 48_000, 2)
    tracemalloc.start()
    listen.read_wav(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 18 * frames, peak / frames


def test_one_that_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", np.zeros((100_000, 1)), 48_000, 1)
    monkeypatch.setattr(memory, "memory", lambda: 4 << 20)
    assert len(listen.read_wav(path)) == 33_334
    monkeypatch.setattr(memory, "memory", lambda: 2 << 20)
    with pytest.raises(InputError) as caught:
        listen.read_wav(path)
    for text in (caught.value.en, caught.value.zh):
        assert path in text and " 1 MB" in text and "16 kHz" in text


def test_a_header_that_says_more_than_there_is(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "a.wav", np.ones((1000, 1)), 16_000, 1))
    data = path.read_bytes()
    path.write_bytes(data[:40] + (2**31 - 2).to_bytes(4, "little") + data[44:])
    assert len(listen.read_wav(str(path))) == 1000
