"""从一个开头往下写。

用法：  python 本文件.py 开头
不写开头时，用词表里的第一个字。
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
LENGTH = 20  # 再写多少个字

# 1. 打开模型。它认识的字都在 vocabulary 里
model = load(Path(__file__).with_name(MODEL))
words = list(model.card.vocabulary)

# 2. 开头
start = sys.argv[1] if len(sys.argv) > 1 else words[0]

# 3. 每次预测下一个字，接在后面，再预测下一个
print("模型认识 %d 个字：%s……" % (len(words), "".join(words[:20])))
print("总选最可能的字：", model.generate(start, LENGTH))
print("按概率随机选字：", model.generate(start, LENGTH, seed=1))
