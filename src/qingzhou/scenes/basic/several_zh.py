"""使用一次需要多个输入的模型，按名称给出每个输入。

用法：  python 本文件.py
这里使用模型自带的示例数据；请在下面换成自己的数据。
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

start(__doc__)

# 1. 打开模型
model = load(Path(__file__).with_name(MODEL))

# 2. 准备数据：每个名称对应一张图片、一行数字或一个数组
data = model.sample_input()
for name in data:
    print("输入：", line(name))

# 3. 计算，显示结果
found = model.predict(data)
for result in found if isinstance(found, list) else [found]:
    print("结果：", line(result.label), result.scores)
