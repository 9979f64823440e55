"""Continue a text.

Usage:  python THIS_FILE.py beginning
Without a beginning, the first word of the vocabulary is used.
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # the model file, in the same folder as this program
LENGTH = 20  # how many words to write

# 1. Open the model. The words it knows are in its vocabulary
model = load(Path(__file__).with_name(MODEL))
words = list(model.card.vocabulary)

# 2. The beginning
start = sys.argv[1] if len(sys.argv) > 1 else words[0]

# 3. Predict the next word, append it, predict the next
print("The model knows %d words: %s ..." % (len(words), " ".join(words[:20])))
print("Always the likeliest word:", model.generate(start, LENGTH))
print("Words drawn by probability:", model.generate(start, LENGTH, seed=1))
