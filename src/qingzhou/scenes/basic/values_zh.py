"""计算模型的输出数值。

用法：  python 本文件.py 数据文件
不写文件时，用模型自带的示例数据。数据里不要包含答案。
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

words = start(__doc__)

# 1. 打开模型
model = load(Path(__file__).with_name(MODEL), kind="values")

# 2. 准备数据：一个文件，或一个样本
data = words[0] if words else [model.sample_input()]

# 3. 逐个计算，显示结果
for number, result in model.each(data):
    print("结果：", result.scores)
    if result.hint:
        print("提示：", result.hint)
