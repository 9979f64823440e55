"""Train BaseNN on spoken words as docs/en/scenes.md tells a teacher to, and keep what torch says of unheard voices.

    PYTHONPATH=src python tests/oracle/trained_sound/make.py [--everywhere]

Needs espeak-ng, and: pip install torch==2.13.0 torchvision basenn==2.0.0 opencv-python-headless pandas matplotlib
Writes, beside itself:
    basenn.pth   as BaseNN saves it
    heard/       a recording of each word by VOICE, one of those that were held out
    scores.npz   the pictures of more recordings by voices that were held out, with torch's scores (logits) of them,
                 of heard/, and how many torch had right of all that were held out

The recordings are espeak-ng's voices at many speeds and pitches, each word somewhere in a second and a half, in noise
of several colours and levels. No voice of HELD_OUT is among those trained with. The class "其他" is noise and other
words. All pictures are made by the runtime's own function; with --everywhere, for comparison, a word need not be in the
middle of them.
"""

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
import torch
from BaseNN import nn
from PIL import Image

from qingzhou.runtime import listen
from qingzhou.runtime.listen import RATE, pictures_of, read_wav

HERE, EVERYWHERE = Path(__file__).resolve().parent, "--everywhere"
if EVERYWHERE in sys.argv:
    listen.MIDDLE = listen.STEP = 0.5
WORDS, OTHER = ("停", "右", "左", "跑"), "其他"
MORE = "你好 老师 今天 苹果 中国 谢谢 再见 学校 大海 五 八 你 我 不 好 天".split()  # noqa: SIM905 - to be read
TRAINED = [
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Lee", "Marco",
    "Mario", "Michael", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david",
    "edward", "f1", "f2", "f3", "f5", "grandma", "iven", "john", "linda", "m1", "m2", "m3", "m4", "m6", "m7", "max",
    "michel", "miguel", "norbert", "pablo", "paul", "quincy", "rob", "sandro", "shelby", "steph", "travis",
    "victor", "zac",
]  # fmt: skip
HELD_OUT, VOICE = ["Jacky", "Mike", "ed", "f4", "m5", "m8", "robert", "steph2"], "f4"
TAKES, EPOCHS, SHIPPED = 8, 40, 3  # recordings of a word by a voice; pictures of a class in scores.npz


def spoken(word, voice, rng, place):
    """A voice saying a word once, at some speed and pitch, without the silence around it."""
    speed, pitch = rng.integers(130, 231), rng.integers(25, 76)
    command = ["espeak-ng", "-v", f"cmn+{voice}", "-s", str(speed), "-p", str(pitch), "-w", place, word]
    subprocess.run(command, check=True)
    sound = read_wav(str(place))
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1][:RATE] / np.abs(sound).max()


def noise(length, rng):
    """White to brown noise, now and then with a hum; its loudest sample is 1."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    sound = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 20) ** rng.uniform(0, 1), length)
    sound /= np.abs(sound).max()
    if rng.random() < 0.3:
        hum = np.sin(2 * np.pi * rng.uniform(50, 2000) * np.arange(length) / RATE)
        sound = sound + rng.uniform(0.2, 1) * hum
    return sound / np.abs(sound).max()


def take(word, voice, rng, place, seconds=1.5):
    """A recording: the word at any place in it, and noise 12 to 46 dB below it. "" is noise alone."""
    sound = noise(int(seconds * RATE), rng)
    if word:
        said = spoken(word, voice, rng, place)
        start = rng.integers(0, len(sound) - len(said))
        sound *= 10 ** rng.uniform(-2.3, -0.6)
        sound[start : start + len(said)] += said
    return sound / np.abs(sound).max() * rng.uniform(0.2, 0.9)


def save(path, sound):
    """16 bits, 16 kHz, mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def record(folder, voices, rng, takes):
    """A folder for each class; of OTHER as many as of a word."""
    for voice in voices:
        for number in range(takes):
            for word in WORDS:
                save(folder / word / f"{voice}_{number}.wav", take(word, voice, rng, folder.parent / "said.wav"))
            other = "" if rng.random() < 0.4 else str(rng.choice(MORE))
            save(folder / OTHER / f"{voice}_{number}.wav", take(other, voice, rng, folder.parent / "said.wav"))


def train(pictures):
    """The lesson: BaseNN's own words, on grey pictures of 64 x 98."""
    torch.manual_seed(1)
    classes = sorted(path.name for path in pictures.iterdir())
    model = nn("cls", str(HERE))
    model.load_img_data(str(pictures), classes=classes, color="grayscale", batch_size=64)
    model.add("conv2d", size=(1, 8), kernel_size=(5, 5), stride=2, activation="relu")
    model.add("maxpool", kernel_size=(2, 2))
    model.add("conv2d", size=(8, 16), kernel_size=(3, 3), activation="relu")
    model.add("maxpool", kernel_size=(2, 2))
    model.add("conv2d", size=(16, 16), kernel_size=(3, 3), activation="relu")
    model.add("linear", size=(16 * 4 * 8, 24), activation="relu")
    model.add("linear", size=(24, len(classes)))
    model.train(lr=0.002, epochs=EPOCHS)
    return model.model.eval(), classes


def seen(paths):
    """(N, 64, 98) uint8: pictures as files have them."""
    return np.stack([np.asarray(Image.open(path))[..., 0] for path in paths])


def scores(network, grey):
    """(N, classes) logits for pictures; BaseNN divides by 255."""
    with torch.no_grad():
        return network(torch.from_numpy(grey[:, None] / np.float32(255))).numpy()


def short_recordings(voice, rng, place):
    """heard/: a recording of each word, long enough for one picture; their paths by name."""
    paths = [HERE / "heard" / f"{word}.wav" for word in sorted(WORDS)]
    for path in paths:
        save(path, take(path.stem, voice, rng, place, seconds=1))
    return paths


def some_of_each(truth):
    """The places of SHIPPED pictures of each class, from all over the list."""
    places = [np.flatnonzero(truth == number) for number in np.unique(truth)]
    return np.concatenate([every[np.linspace(0, len(every) - 1, SHIPPED).astype(int)] for every in places])


def main():
    """Record, picture, train, judge. On one thread: several wait for each other longer than they work."""
    torch.set_num_threads(1)
    rng = np.random.Generator(np.random.PCG64(5))
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        record(work / "sounds", TRAINED, rng, TAKES)
        record(work / "unheard", HELD_OUT, rng, TAKES)
        recordings = short_recordings(VOICE, rng, work / "said.wav")
        pictures_of(str(work / "sounds"), str(work / "pictures"))
        network, classes = train(work / "pictures")
        paths = pictures_of(str(work / "unheard"), str(work / "unseen"))
        grey, heard = seen(paths), seen(pictures_of(str(HERE / "heard"), str(work / "heard")))
    truth = np.array([classes.index(Path(path).parent.name) for path in paths])
    found, kept = scores(network, grey), some_of_each(truth)
    right = int((found.argmax(1) == truth).sum())
    np.savez_compressed(
        HERE / "scores.npz",
        classes=classes,
        pictures=grey[kept],
        truth=truth[kept],
        scores=found[kept],
        names=[path.stem for path in recordings],
        heard=scores(network, heard),
        right=right,
        of=len(truth),
    )
    print(right, "of", len(truth), "and of heard/", [classes[row.argmax()] for row in scores(network, heard)])


if __name__ == "__main__":
    main()
