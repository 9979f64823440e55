"""Sound as a picture."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from passengers import ORACLE
from programs import environment
from qingzhou.errors import FileMissing, InputError
from qingzhou.runtime.listen import (
    BANDS,
    QUIET,
    RATE,
    Microphone,
    centred,
    loudness,
    pictures_of,
    read_wav,
    spectrogram,
)

TIME = np.arange(RATE) / RATE


def write_wav(path: Path, sound: np.ndarray, rate: int = RATE, width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        scaled = np.repeat(sound * (2.0 ** (8 * width - 1) - 1) + (128 if width == 1 else 0), channels)
        file.writeframes(scaled.astype({1: "u1", 2: "<i2", 4: "<i4"}[width]).tobytes())
    return path


@pytest.mark.parametrize("pitch", [200, 1000, 3000, 7000])
def test_a_tone_is_a_line_at_its_height(pitch: int) -> None:
    """The brightest band is the one whose mel holds the pitch: mel = 2595 log10(1 + f / 700), O'Shaughnessy 1987."""
    picture = spectrogram(0.3 * np.sin(2 * np.pi * pitch * TIME))
    assert picture.shape == (BANDS, 98, 3) and picture.dtype == np.uint8
    top = 2595 * np.log10(1 + 8000 / 700)
    wanted = 2595 * np.log10(1 + pitch / 700) / top * (BANDS + 1) - 1
    assert abs((BANDS - 1 - picture[..., 0].mean(axis=1).argmax()) - wanted) <= 1
    assert picture.max() == 255


def test_it_is_the_spectrogram_of_librosa() -> None:
    """tests/oracle/sound: mel after HTK without norm, a Hann window of 400 samples, 80 dB below the loudest."""
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal(RATE)
    rising = np.sin(2 * np.pi * (150 * TIME + 2500 * TIME**2))
    sound = 0.3 * rising + 0.2 * np.sin(2 * np.pi * 900 * TIME) * (TIME > 0.5) + 0.01 * noise
    wanted = np.load(ORACLE / "sound" / "mel.npz")["decibels"]
    found = spectrogram(sound)[::-1, :, 0] / 255 * 80 - 80
    assert wanted.shape == found.shape and np.abs(found - wanted).max() <= 80 / 255


def test_how_loud_it_is_does_not_matter() -> None:
    sound = np.sin(2 * np.pi * 500 * TIME) * np.linspace(0, 1, RATE)
    near, far = spectrogram(sound), spectrogram(0.05 * sound)
    assert np.abs(near.astype(int) - far).max() <= 1
    assert spectrogram(np.zeros(RATE)).max() == 0 and loudness(np.zeros(RATE)) == 0
    assert loudness(np.sin(2 * np.pi * 500 * TIME)) == pytest.approx(0.5**0.5, abs=1e-3)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_wav_becomes_the_same_sound(width: int, rate: int, channels: int, tmp_path: Path) -> None:
    sound = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    found = read_wav(str(write_wav(tmp_path / "a.wav", sound, rate, width, channels)))
    assert len(found) == pytest.approx(RATE, abs=2)
    wanted = 0.5 * np.sin(2 * np.pi * 440 * TIME)
    assert np.abs(found[100:15900] - wanted[100:15900]).max() < 0.06


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x24\0\0\0WAVEfmt ", b"no sound" * 20])
def test_what_is_no_sound(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(InputError):
        read_wav(str(tmp_path / "a.wav"))
    with pytest.raises(FileMissing):
        Microphone("no.wav")


def test_training_pictures_are_what_the_program_sees(tmp_path: Path) -> None:
    """A picture for each look of the program, in folders of the same names."""
    (tmp_path / "sounds" / "开灯").mkdir(parents=True)
    sound = np.sin(2 * np.pi * np.cumsum(np.linspace(200, 4000, 2 * RATE)) / RATE)
    write_wav(tmp_path / "sounds" / "开灯" / "1.wav", sound)
    made = pictures_of(str(tmp_path / "sounds"), str(tmp_path / "pictures"))
    assert [Path(path).relative_to(tmp_path / "pictures").as_posix() for path in made] == [
        f"开灯/1_{number}.png" for number in range(5)
    ]
    with Microphone(str(tmp_path / "sounds" / "开灯" / "1.wav")) as microphone:
        for path, heard in zip(made, microphone, strict=True):
            assert np.array_equal(np.asarray(Image.open(path)), spectrogram(heard))


def burst(start: float, seconds: float = 2.0, length: float = 0.4) -> np.ndarray:
    """A word, as it were: louder noise that begins at `start`, in some noise of the room."""
    noise = np.random.Generator(np.random.PCG64(1)).standard_normal(int(seconds * RATE))
    time = np.arange(len(noise)) / RATE
    return noise * np.where((time >= start) & (time < start + length), 0.2, 0.01)


@pytest.mark.parametrize("start", [0.0, 0.1, 0.3, 0.45, 0.6, 0.77, 0.9, 1.0, 1.3, 1.6])
def test_a_word_is_heard_whole_wherever_it_is(start: float, tmp_path: Path) -> None:
    """At least once, at most twice, and never with its beginning or its end cut off."""
    path = write_wav(tmp_path / "a.wav", np.concatenate([np.zeros(RATE), burst(start), np.zeros(RATE)]))
    with Microphone(str(path)) as microphone:
        seen = [sound for sound in microphone if loudness(sound) > QUIET and centred(sound)]
    assert 1 <= len(seen) <= 2
    whole = pytest.approx((burst(start) ** 2).sum(), rel=0.01)  # the energy of the word
    assert all((sound.astype(float) ** 2).sum() == whole for sound in seen)


def test_what_sounds_all_the_time_is_centred() -> None:
    assert centred(np.sin(2000 * TIME)) and centred(np.zeros(RATE)) and centred(burst(5.0))
    assert not centred(burst(0.0)[:RATE]) and not centred(burst(0.6)[:RATE]) and centred(burst(0.35)[:RATE])


def test_a_second_with_a_word_at_its_end_and_silence_have_their_picture(tmp_path: Path) -> None:
    """Short recordings, and a class that is silence, are not left out; of long ones the silent seconds are."""
    (tmp_path / "sounds" / "word").mkdir(parents=True)
    (tmp_path / "sounds" / "quiet").mkdir()
    write_wav(tmp_path / "sounds" / "word" / "late.wav", burst(0.6, 1.0))
    write_wav(tmp_path / "sounds" / "word" / "short.wav", burst(0, 0.4))
    write_wav(tmp_path / "sounds" / "word" / "long.wav", np.concatenate([burst(0.3, 1.0), np.zeros(9 * RATE)]))
    write_wav(tmp_path / "sounds" / "quiet" / "1.wav", np.zeros(RATE))
    made = [Path(path).name for path in pictures_of(str(tmp_path / "sounds"), str(tmp_path / "pictures"))]
    assert made == ["1_0.png", "late_0.png", "long_0.png", "short_0.png"]
    assert {Image.open(path).size for path in (tmp_path / "pictures").glob("*/*.png")} == {(98, 64)}


def test_a_short_recording_is_a_second_for_the_program_too(tmp_path: Path) -> None:
    with Microphone(str(write_wav(tmp_path / "a.wav", burst(0, 0.4)))) as microphone:
        assert [spectrogram(sound).shape for sound in microphone if centred(sound)] == [(BANDS, 98, 3)]


@pytest.mark.parametrize("language, hint", [("en", "a folder for each class"), ("zh", "每类一个文件夹")])
def test_a_folder_without_recordings(language: str, hint: str, tmp_path: Path) -> None:
    """Such as a phone's .m4a files."""
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "1.m4a").write_bytes(b"x")
    with pytest.raises(FileMissing) as found:
        pictures_of(str(tmp_path / "sounds"), str(tmp_path / "pictures"))
    said = getattr(found.value, language)
    assert hint in said and ".wav" in said and not (tmp_path / "pictures").exists()


def test_a_program_that_is_busy_misses_no_look_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came meanwhile is given a quarter of a second after the other; what is older than that is left out."""
    monkeypatch.setattr(Microphone, "_open", lambda self: None)
    microphone, count = Microphone(), np.arange(5 * RATE, dtype=np.float32)
    looks = iter(microphone)
    for start in range(0, 2 * RATE, RATE // 10):
        microphone._take(count[start : start + RATE // 10])
    assert [(next(looks)[[0, -1]] * 4 / RATE).round(2).tolist() for _ in range(5)] == [[n, n + 4] for n in range(5)]
    microphone._take(count[2 * RATE :])
    assert [(next(looks)[[0, -1]] * 4 / RATE).round(2).tolist() for _ in range(5)] == [
        [n, n + 4] for n in range(12, 17)
    ]


@pytest.mark.parametrize("seconds, width", [(0.5, 48), (1.5, 148), (2.0, 198)])
def test_pictures_of_longer_words(seconds: float, width: int, tmp_path: Path) -> None:
    (tmp_path / "sounds" / "word").mkdir(parents=True)
    write_wav(tmp_path / "sounds" / "word" / "1.wav", burst(1.4, 4.0, seconds * 0.7))
    paths = pictures_of(str(tmp_path / "sounds"), str(tmp_path / "pictures"), seconds)
    assert paths and {Image.open(path).size for path in paths} == {(width, BANDS)}


@pytest.mark.parametrize("words, status", [("", 2), ("a", 2), ("a b c", 2), ("a b 60", 2), ("a b", 1)])
def test_mistakes_on_the_command_line(words: str, status: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qingzhou.runtime.listen", *words.split()]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment(QINGZHOU_LANG="en"), text=True)
    said = done.stdout + done.stderr
    assert done.returncode == status and "Traceback" not in said and "a folder" in said


def test_the_command_counts_the_pictures_of_each_class(tmp_path: Path) -> None:
    for name in ("右", "左"):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        write_wav(tmp_path / "sounds" / name / "1.wav", np.concatenate([burst(0.8)] * len(name)))
    command = [sys.executable, "-m", "qingzhou.runtime.listen", "sounds", "pictures", "1"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment(QINGZHOU_LANG="zh"), check=True)
    lines = done.stdout.decode("utf-8").splitlines()
    counts = [f"{name}：{len(list((tmp_path / 'pictures' / name).glob('*.png')))} 张图片" for name in ("右", "左")]
    assert lines == counts
