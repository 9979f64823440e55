"""The microphone, and a picture of what it hears: a classifier of pictures can then tell sounds apart.

Training pictures are made by the same function:  python -m qingzhou_runtime.listen sounds pictures
writes for every .wav file in the folder `sounds` and its folders what the program would see while it plays, into
folders of the same names in `pictures`: a spectrogram of each second with a sound in its middle, none of silence.
"""

from __future__ import annotations

import collections
import functools
import os
import shutil
import subprocess
import sys
import threading
import wave
from typing import TYPE_CHECKING, Any, Iterator, List, Tuple

import numpy as np

from .errors import DeviceError, FileMissing, InputError, line, say
from .file import is_file, open_file
from .memory import room
from .parts import sim
from .parts.optional import need, tell
from .whole import replacing

if TYPE_CHECKING:
    from .typed import Array


RATE = 16000  # samples a second
WINDOW, HOP, BANDS = 400, 160, 64  # 25 ms, 10 ms, and mel bands up to 8 kHz: what speech recognition uses
FLOOR = 80.0  # decibels below the loudest that still show
LONGEST = 600  # seconds of a file
PART = 1 << 18  # samples that are read and converted at once
NEEDED = 18  # bytes for each sample of a file, with all that is made of it
STEP = 0.25  # seconds from one look to the next
BEHIND = RATE  # samples that are kept for a program that is busy with the sound before
MIDDLE = 0.15  # of the length: so far from its middle may a sound be that is not cut off
QUIET = 0.01  # what is not louder is silence, from 0 to 1; so does the program begin
USAGE = (
    "python -m qingzhou_runtime.listen SOUNDS PICTURES [SECONDS]: two folders; in SOUNDS a folder of .wav files for "
    "each class. SECONDS from 0.2 to 10, else 1: for longer words; the program's own SECONDS must be the same.",
    "python -m qingzhou_runtime.listen 声音文件夹 图片文件夹 [秒数]：声音文件夹里每类一个文件夹，里面放 .wav 录音。"
    "词比较长时写上秒数（0.2 到 10，不写就是 1），程序里的 SECONDS 也要改成一样。",
)


def spectrogram(samples: Array) -> Array:
    """Sound (n,) of -1 to 1 at 16 kHz -> its log-mel spectrogram, (64, frames, 3) uint8; low tones are at the bottom.

    Brightness is decibels below the loudest of it, so that it does not matter how near the microphone is.
    """
    power = np.abs(np.fft.rfft(_frames(np.asarray(samples, np.float32)), 512)) ** 2
    mel = power @ _filters().T  # (frames, bands)
    decibels = 10 * np.log10(np.maximum(mel, 1e-10))  # -100 at least
    decibels = np.clip(decibels - max(decibels.max(), FLOOR - 100), -FLOOR, 0)  # what is all silence stays dark
    grey = ((decibels / FLOOR + 1) * 255).round().astype(np.uint8).T[::-1]
    return np.repeat(grey[..., None], 3, axis=2)


def loudness(samples: Array) -> float:
    """0 (silence) to 1, as the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(np.asarray(samples, np.float32))))) if len(samples) else 0.0


def centred(samples: Array) -> bool:
    """Whether the centre of the energy is near the middle: then a word is whole. What is at an edge now, the next looks
    have in their middle; what sounds all the time is in the middle at once, and so is silence."""
    energy = np.square(np.asarray(samples, np.float64)) + 1e-12
    return bool(abs(np.average(np.arange(len(energy)) + 0.5, weights=energy) / len(energy) - 0.5) <= MIDDLE)


def _frames(samples: Array) -> Array:
    """(frames, WINDOW) under a Hann window; a sound that is too short ends in silence."""
    if len(samples) < WINDOW:
        samples = np.pad(samples, (0, WINDOW - len(samples)), mode="constant")
    count = 1 + (len(samples) - WINDOW) // HOP
    places = np.arange(WINDOW)[None] + HOP * np.arange(count)[:, None]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.asarray(samples[places] * hann.astype(np.float32))


@functools.lru_cache(maxsize=None)
def _filters() -> Any:
    """(BANDS, 257) triangles, evenly spaced in mel = 2595 log10(1 + f / 700)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    pitch = np.linspace(0, RATE / 2, 257)
    rise = (pitch[None] - corners[:-2, None]) / np.diff(corners)[:-1, None]
    fall = (corners[2:, None] - pitch[None]) / np.diff(corners)[1:, None]
    return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)


# -- sounds ---------------------------------------------------------------------------------------------------------


class Microphone:
    """The last `seconds` of sound, each `step`: samples (n,) float32 of -1 to 1 at 16 kHz.

    A program that is busy gets what it missed later; what it is more than a second behind with is left out.

    >>> with Microphone() as microphone:
    ...     for sound in microphone:
    ...         print(model.predict(spectrogram(sound)).label)

    source  "auto": the microphone; or a .wav file, to its end. DeviceError, FileMissing, InputError.
    """

    def __init__(self, source: str = "auto", seconds: float = 1.0, step: float = STEP) -> None:
        self._length, self._step = int(seconds * RATE), int(step * RATE)
        self._ended = False
        self._process: Any = None
        self._stream: Any = None
        self._new = threading.Condition()
        self._sound = np.zeros(self._length + BEHIND, np.float32)
        self._fresh = -self._length + self._step  # samples that were not given yet; at first all are needed
        self._file = _simulated(source) if sim.active() else None if source == "auto" else read_wav(source)
        if self._file is None:
            self._open()

    def __enter__(self) -> Microphone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Array]:
        if self._file is not None:
            yield from _looks(self._file, self._length, self._step)
            return
        while not self._ended:
            with self._new:
                self._new.wait(0.5)
                if self._fresh < self._step:
                    continue
                self._fresh -= self._step
                end = len(self._sound) - self._fresh
                sound = self._sound[end - self._length : end].copy()
            yield sound

    def _open(self) -> None:
        """arecord is on every Linux with sound and needs no package; elsewhere sounddevice."""
        if shutil.which("arecord"):
            command = ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            threading.Thread(target=self._record, name="microphone", daemon=True).start()
            return
        package = need("sounddevice", "The microphone", "麦克风")
        try:
            self._stream = package.InputStream(
                samplerate=RATE, channels=1, dtype="float32", callback=lambda data, *_: self._take(data[:, 0])
            )
            self._stream.start()
        except Exception as err:  # PortAudio's own
            raise no_microphone(str(err)) from None

    def _record(self) -> None:
        while not self._ended:
            data = self._process.stdout.read(RATE // 5)  # a tenth of a second
            if not data:
                break
            self._take(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768)
        if not self._ended:
            reason = self._process.stderr.read(500).decode("utf-8", "replace").strip().splitlines()
            wrong = no_microphone(reason[-1] if reason else "arecord")
            tell(wrong.en, wrong.zh)
            self._ended = True

    def _take(self, samples: Array) -> None:
        with self._new:
            self._sound = np.concatenate([self._sound, samples])[-len(self._sound) :]
            self._fresh = min(self._fresh + len(samples), BEHIND + self._step)
            self._new.notify_all()

    def close(self) -> None:
        """Let the microphone go."""
        self._ended = True
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._stream is not None:
            self._stream.close()


def _looks(sound: Array, length: int, step: int) -> List[Array]:
    """What is looked at of a recording: all of this length, a step apart. Where the only word is at an edge, as in a
    recording of a second, it is put into silence."""
    found = _pieces(sound, length, step)
    if loudness(sound) <= QUIET or any(map(_heard, found)):
        return found
    edge = np.zeros(length // 2, np.float32)
    return _pieces(np.concatenate([edge, sound, edge]), length, step)


def _pieces(sound: Array, length: int, step: int) -> List[Array]:
    if len(sound) < length:
        sound = np.pad(sound, (0, length - len(sound)), mode="constant")
    return [sound[start : start + length] for start in range(0, len(sound) - length + 1, step)]


def _heard(sound: Array) -> bool:
    return loudness(sound) > QUIET and centred(sound)


def _simulated(source: str) -> Array:
    path = sim.beside(os.path.join("sim", "sound.wav"))
    if source != "auto" or os.path.isfile(path):
        return read_wav(path if source == "auto" else source)
    return np.asarray(sim.tones(RATE))


def read_wav(path: str) -> Array:
    """A .wav file as samples at 16 kHz, its channels mixed; FileMissing or InputError."""
    if not is_file(path):
        path = sim.beside(path)
    if not is_file(path):
        raise FileMissing(
            en="There is no sound %s; expected a .wav file. Check the name and the folder." % path,
            zh="没有声音文件 %s，应为 .wav 文件。请检查文件名和所在的文件夹。" % path,
        )
    try:
        with open_file(path) as opened, wave.open(opened, "rb") as file:
            width, rate = file.getsampwidth(), file.getframerate()
            if width not in (1, 2, 4) or not 1000 <= rate <= 400_000:
                raise _no_wav(path, "%d bit, %d Hz" % (8 * width, rate))
            frame = width * file.getnchannels()
            count = min(file.getnframes(), LONGEST * rate, os.fstat(opened.fileno()).st_size // frame)
            if NEEDED * count > room():
                raise _too_long(path, count // rate)
            sound = np.concatenate([np.zeros(0, np.float32), *_mixed(file, count)])
    except (wave.Error, EOFError, OSError) as err:
        raise _no_wav(path, str(err)) from None
    return _at_rate(sound, rate)


def _mixed(file: Any, left: int) -> Iterator[Array]:
    """Some seconds of a .wav after the other, float32 of one channel, so that it is in memory once."""
    channels, width = file.getnchannels(), file.getsampwidth()
    while left > 0:
        data = file.readframes(min(left, PART))
        samples = np.frombuffer(
            data[: len(data) // (width * channels) * width * channels], {1: "u1", 2: "<i2", 4: "<i4"}[width]
        )
        if not len(samples):
            return
        sound = samples.reshape(-1, channels).mean(axis=1) - (128 if width == 1 else 0)
        yield (sound / 2.0 ** (8 * width - 1)).astype(np.float32)
        left -= PART


def _at_rate(sound: Array, rate: int) -> Array:
    """The same at 16 kHz; what lies above the new limit is averaged away."""
    if rate == RATE or not len(sound):
        return sound
    wide = max(1, round(rate / RATE))
    smooth = np.convolve(sound, np.full(wide, 1 / wide, np.float32), "same") if wide > 1 else sound
    places = np.arange(0, len(sound), rate / RATE)
    out = np.empty(len(places), np.float32)
    for start in range(0, len(places), PART):
        some = places[start : start + PART]
        first, end = int(some[0]), int(some[-1]) + 2
        out[start : start + PART] = np.interp(some, np.arange(first, min(end, len(sound))), smooth[first:end])
    return out


def _no_wav(path: str, reason: str) -> InputError:
    return InputError(
        en="%s cannot be read as sound (%s); expected a .wav file of 8, 16 or 32 bits. Save it as 16 bit PCM."
        % (path, reason),
        zh="无法读取声音 %s（%s），应为 8、16 或 32 位的 .wav 文件。请另存为 16 位 PCM。" % (path, reason),
    )


def _too_long(path: str, seconds: int) -> InputError:
    most, here = NEEDED * RATE, room()
    return InputError(
        en="The recording %s (%d s) does not fit the memory here, of which %d MB may be used; at 16 kHz %d s fit. Cut "
        "it into parts, or save it at 16 kHz." % (path, seconds, here >> 20, here // most),
        zh="录音 %s（%d 秒）放不进这里可用的 %d MB 内存；16 kHz 的录音可以有 %d 秒。请剪成几段，或另存为 16 kHz。"
        % (path, seconds, here >> 20, here // most),
    )


def no_microphone(reason: str) -> DeviceError:
    return DeviceError(
        en="No sound comes from the microphone (%s). Is one connected? arecord -l lists them. Without one: --sim"
        % reason,
        zh="麦克风没有声音（%s）。连接麦克风了吗？用 arecord -l 可以查看。没有麦克风时可加 --sim 运行。" % reason,
    )


# -- training pictures ----------------------------------------------------------------------------------------------


def pictures_of(sounds: str, out: str, seconds: float = 1.0) -> List[str]:
    """PNGs of every .wav below `sounds`, in folders of the same names; their paths. InputError, FileMissing."""
    from PIL import Image

    written = []
    for path, name in _wavs(sounds):
        looks = _looks(read_wav(path), int(seconds * RATE), int(STEP * RATE))
        for number, piece in enumerate(list(filter(_heard, looks)) or looks):  # silence may be a class of its own
            target = os.path.join(out, "%s_%d.png" % (os.path.splitext(name)[0], number))
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            with replacing(target, follow=False) as part:
                Image.fromarray(spectrogram(piece)).save(part)
            written.append(target)
    return written


def _wavs(folder: str) -> Iterator[Tuple[str, str]]:
    """Path, and path below the folder, of every .wav in it; FileMissing where there is none."""
    none = True
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.lower().endswith(".wav"):
                none, path = False, os.path.join(place, name)
                yield path, os.path.relpath(path, folder)
    if none:
        raise FileMissing(
            en="There are no .wav files in %s; expected a folder for each class with recordings in it. Recordings of "
            "other kinds (.mp3, .m4a) must be saved as .wav first, for example with Audacity." % folder,
            zh="%s 里没有 .wav 文件；应为每类一个文件夹，里面放录音。其他格式（.mp3、.m4a）的录音请先用 Audacity 等软件"
            "另存为 .wav。" % folder,
        )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _main() -> None:
    from .start import start

    given = start()
    seconds = _number(given[2]) if len(given) == 3 else 1.0
    if len(given) not in (2, 3) or not 0.2 <= seconds <= 10:
        print(say(*USAGE))
        sys.exit(2)
    paths = pictures_of(given[0], given[1], seconds)
    classes = collections.Counter(os.path.basename(os.path.dirname(path)) for path in paths)
    for name, count in sorted(classes.items()):  # as BaseNN and MMEdu number them
        print(say("%s: %d pictures", "%s：%d 张图片") % (line(name), count))


if __name__ == "__main__":
    _main()
