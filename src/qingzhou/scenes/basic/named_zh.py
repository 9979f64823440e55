"""说出一张图片里有的所有类别，或一个文件夹里每张图片的类别。

用法：  python 本文件.py 照片.jpg      也可以写几张照片，或一个文件夹
不写照片时，用模型自带的示例图片。
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.read import pictures_of
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里

words = start(__doc__)

# 1. 打开模型。类别名称和图片的处理方法都写在模型文件里，不用再设置
model = load(Path(__file__).with_name(MODEL), kind="named")

# 2. 选图片
pictures = pictures_of(*words) or [model.sample_input()]

# 3. 一张一张地识别，读不了的会跳过
for picture, result in model.each(pictures):
    # 4. 显示图片里有的所有类别，和对每一个的把握；也可能一个都没有
    if len(pictures) > 1:
        print(line(picture))
    print("结果：%s" % (line("、".join(one.label for one in result.named)) or "没有符合的类别"))
    if result.hint:
        print("提示：%s" % result.hint)
    for one in result.named:
        print("  %-12s 置信度：%.1f%%" % (line(one.label), one.confidence * 100))
