"""Log-mel numbers from librosa for tests/scenes/test_listen.py. Run once:  pip install librosa && python make.py

The sound is drawn from a recipe and not kept: see sound() in the test, which draws it again.
"""

import librosa
import numpy as np

RATE = 16000


def sound() -> np.ndarray:
    """A rising tone, a second tone that comes and goes, and a little noise."""
    time = np.arange(RATE) / RATE
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal(RATE)
    rising = np.sin(2 * np.pi * (150 * time + 2500 * time**2))
    return 0.3 * rising + 0.2 * np.sin(2 * np.pi * 900 * time) * (time > 0.5) + 0.01 * noise


# librosa lays its window of 400 samples into the middle of 512; ours begins with the frame, 56 samples later.
padded = np.concatenate([np.zeros(56), sound(), np.zeros(56)])
mel = librosa.feature.melspectrogram(
    y=padded,
    sr=RATE,
    n_fft=512,
    win_length=400,
    hop_length=160,
    window="hann",
    center=False,
    power=2.0,
    n_mels=64,
    fmin=0,
    fmax=8000,
    htk=True,
    norm=None,
)
decibels = librosa.power_to_db(mel, ref=np.max, amin=1e-10, top_db=80)
np.savez_compressed("mel.npz", decibels=decibels[:, :98].astype(np.float32), librosa=librosa.__version__)
print(librosa.__version__, decibels.shape)
