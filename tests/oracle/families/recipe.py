"""The numbers of the references in this folder, recreated with numpy alone.

Recipe "pcg64-tiled-v1": one Generator(PCG64(seed)) for the whole checkpoint, walked in the manifest's order. Each
tensor is drawn as tests/oracle/rebuild.py draws it, but of more than PERIOD numbers only the first PERIOD are drawn and
then repeated. Cast to the dtype; tensors named in "exponents" are then multiplied by that power of two, which is exact.
The exponents make every convolution and linear layer give numbers around 1, so that nothing drowns in anything else.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
PERIOD = 100_003  # a prime, so that no row of a weight repeats another
sys.path.insert(0, str(FOLDER.parent))

from rebuild import draw  # noqa: E402


def read(name):
    """One manifest: title, classes, seed, input_seed, input_shape, entries, exponents, logits, probs."""
    with gzip.open(FOLDER / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


def fill(manifest):
    """Key -> array."""
    rng = np.random.Generator(np.random.PCG64(manifest["seed"]))
    exponents = manifest["exponents"]
    drawn = {key: numbers(rng, key, shape).astype(dtype, copy=False) for key, shape, dtype in manifest["entries"]}
    for key, exponent in exponents.items():
        drawn[key] *= np.float32(2.0**exponent)
    return drawn


def numbers(rng, key, shape):
    """One tensor as float64 or float32, before its power of two."""
    size = int(np.prod(shape))
    if size <= PERIOD:
        return draw(rng, key, shape)
    few = rng.normal(size=PERIOD) * np.sqrt(2 / np.prod(shape[1:]))
    return np.resize(few.astype(np.float32), shape)


def picture(manifest):
    """The input, float32."""
    rng = np.random.Generator(np.random.PCG64(manifest["input_seed"]))
    return rng.normal(size=manifest["input_shape"]).astype(np.float32)
