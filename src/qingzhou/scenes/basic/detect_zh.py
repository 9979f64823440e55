"""找出一张图片或一个文件夹里所有图片中的东西，并用方框标出来。

用法：  python 本文件.py 照片.jpg      也可以写几张照片，或一个文件夹
不写照片时，用模型自带的示例图片。
"""

import math
import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import draw, keep
    from qingzhou_runtime.read import pictures_of
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
PROGRAM = Path(__file__)  # 画好方框的图片存到本程序旁边

words = start(__doc__)

# 1. 打开模型。类别名称和图片的处理方法都写在模型文件里，不用再设置
model = load(Path(__file__).with_name(MODEL), kind="detect")

# 2. 选图片
pictures = pictures_of(*words) or [model.sample_input()]

# 3. 检测。只想要把握大的结果时，写上阈值：model.each(pictures, threshold=0.8)
for number, (picture, things) in enumerate(model.each(pictures)):
    # 4. 显示找到的每一样东西：类别、把握有多大、方框的左上角和右下角
    if len(pictures) > 1:
        print(line(picture))
    print("找到 %d 个目标" % len(things))
    if things.hint:
        print("提示：%s" % things.hint)
    for thing in things:
        print("  %s  置信度：%.1f%%" % (line(thing.label), thing.confidence * 100))
        print("    方框：(%.0f, %.0f) 到 (%.0f, %.0f)" % thing.box)
        if thing.rotated:  # 能识别方向的模型
            print("    旋转了 %.0f 度" % math.degrees(thing.rotated[4]))
        if thing.keypoints:  # 能识别关键点（例如人体关节）的模型
            print("    关键点：%s" % "  ".join("(%.0f, %.0f)" % point[:2] for point in thing.keypoints))

    # 5. 把方框画在图片上，保存
    result = keep(draw(picture, things), PROGRAM.with_name("%s_result%s.png" % (PROGRAM.stem, number or "")))
    print("图片已保存为 %s" % line(result.name))
