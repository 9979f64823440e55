"""从一个开头往下写。

用法：  python 本文件.py 开头
不写开头时，用词表里的第一个字。
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, lines, start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
LENGTH = 20  # 再写多少个字

words = start(__doc__)

# 1. 打开模型。它认识的字都在 vocabulary 里
model = load(Path(__file__).with_name(MODEL), kind="text")
vocabulary = list(model.card.vocabulary)

# 2. 开头
beginning = " ".join(words) or vocabulary[0]

# 3. 每次预测下一个字，接在后面，再预测下一个
print("模型认识 %d 个字：%s……" % (len(vocabulary), line("".join(vocabulary[:20]))))
print("总选最可能的字：", lines(model.generate(beginning, LENGTH)))
print("按概率随机选字：", lines(model.generate(beginning, LENGTH, seed=1)))
