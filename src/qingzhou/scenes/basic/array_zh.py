"""识别一组数据，例如一段动作或一段传感器记录。

用法：  python 本文件.py 数据.npz        （用 numpy.savez("数据.npz", data=数组) 保存）
不写文件时，用模型自带的示例数据。
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

# 1. 打开模型
model = load(Path(__file__).with_name(MODEL))

# 2. 准备数据：一个 npz 文件，或一个样本
data = sys.argv[1] if len(sys.argv) > 1 else [model.sample_input()]

# 3. 逐个识别，显示最可能的类别和把握有多大
for number, result in enumerate(model.predict(data), start=1):
    print("第%d个：%s  置信度：%.1f%%" % (number, result.label, result.confidence * 100))
