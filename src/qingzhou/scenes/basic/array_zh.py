"""识别一组数据，例如一段动作或一段传感器记录。

用法：  python 本文件.py 数据.npz        （用 numpy.savez("数据.npz", data=数组) 保存）
不写文件时，用模型自带的示例数据。
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

words = start(__doc__)

# 1. 打开模型
model = load(Path(__file__).with_name(MODEL), kind="array")

# 2. 准备数据：一个 npz 文件，或一个样本
data = words[0] if words else [model.sample_input()]

# 3. 逐个识别，显示最可能的类别和把握有多大
for number, result in enumerate(model.predict(data), start=1):
    print("第%d个：%s  置信度：%.1f%%" % (number, line(result.label), result.confidence * 100))
