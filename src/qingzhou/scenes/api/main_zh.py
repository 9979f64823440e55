"""识别别人发来的图片：性能弱的板子可以请这台设备帮忙（它运行 ask 场景）。

用法：  python main.py          按 Ctrl+C 结束
        python main.py --sim    用文件夹里的图片自问自答，然后结束
在终端里：  curl --data-binary @照片.jpg http://（本机地址）:8000/predict
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
    from qingzhou_runtime.stream import Api
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
PORT = 8000  # 图片发送到 http://（本机地址）:8000/predict
RULES = []  # 什么时候在这里做什么，例如：'当 "小猫" 高于 0.8：说("有人发来一只小猫")'

start(__doc__)

# 1. 打开模型和规则
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules:
    # 2. 等待图片。发送者已经得到了回答，这里还可以再做些什么
    for picture, answer in Api(model, PORT):
        rules.check(answer)
