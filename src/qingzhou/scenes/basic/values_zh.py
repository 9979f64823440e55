"""计算模型的输出数值。

用法：  python 本文件.py 数据文件
不写文件时，用模型自带的示例数据。数据里不要包含答案。
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

# 1. 打开模型
model = load(Path(__file__).with_name(MODEL))

# 2. 准备数据：一个文件，或一个样本
data = sys.argv[1] if len(sys.argv) > 1 else [model.sample_input()]

# 3. 逐个计算，显示结果
results = model.predict(data)
for result in results if isinstance(results, list) else [results]:
    print("结果：", result.scores)
