"""Say words of held-out voices into running noise, and count what the scene "listen" would act on.

    PYTHONPATH=src python tests/oracle/trained_sound/judge.py [MODEL.pth]

Needs what make.py needs. The figures in docs/en/scenes.md are of this. Those of words that may be cut off are of a
network that make.py --everywhere trained, and that this judged with --everywhere.
"""

import collections
import sys
import tempfile
from pathlib import Path

import make
import numpy as np

import qingzhou
from qingzhou.runtime import listen

SECONDS, TAKES, SURE = 3, 12, 0.8


def take(word, voice, rng, place):
    """Three seconds of noise in which a word begins in the second of them; "" is noise alone."""
    sound = make.noise(SECONDS * listen.RATE, rng)
    if word:
        said, start = make.spoken(word, voice, rng, place), rng.integers(listen.RATE, 2 * listen.RATE)
        sound *= 10 ** rng.uniform(-2.3, -0.6)
        sound[start : start + len(said)] += said[: len(sound) - start]
    return sound / np.abs(sound).max() * rng.uniform(0.2, 0.9)


def acted_on(model, path):
    """The words that a rule would act on, "above 0.8", while a recording plays."""
    with listen.Microphone(str(path), step=listen.STEP) as microphone:
        heard = [sound for sound in microphone if listen.loudness(sound) > listen.QUIET and listen.centred(sound)]
    answers = [model.predict(listen.spectrogram(sound)) for sound in heard]
    return {answer.label for answer in answers if answer.confidence > SURE} - {make.OTHER}


def verdict(word, acted):
    """What became of a recording."""
    if word == make.OTHER:
        return "other: taken for a word" if acted else "other: left alone"
    return "word: right" if acted == {word} else "word: taken for another" if acted else "word: missed"


def main():
    """Record, listen, count."""
    given = [word for word in sys.argv[1:] if word != make.EVERYWHERE]
    make.take = take
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        model = qingzhou.convert(given[0] if given else make.HERE / "basenn.pth", work / "words.onnx")
        make.record(work / "sounds", make.HELD_OUT, np.random.Generator(np.random.PCG64(99)), TAKES)
        found = collections.Counter(
            verdict(path.parent.name, acted_on(model, path)) for path in sorted((work / "sounds").glob("*/*.wav"))
        )
    for text, count in sorted(found.items()):
        print(f"{count:5} {text}")


if __name__ == "__main__":
    main()
