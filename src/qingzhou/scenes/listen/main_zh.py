"""识别声音：把麦克风最近一秒的声音变成图片（声谱图），再用模型分类。

训练用的图片要用同样的方法制作：  python -m qingzhou_runtime.listen 声音文件夹 图片文件夹

用法：  python main.py            按 Ctrl+C 结束
        python main.py 录音.wav   用录音代替麦克风
        python main.py --sim      用 sim/sound.wav 或三个音调，把动作打印出来
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.listen import Microphone, centred, loudness, spectrogram
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
SOUND = "auto"  # "auto" 是麦克风；也可以写 .wav 文件
SECONDS = 1.0  # 多少秒的声音变成一张图片，与训练时相同
QUIET = 0.01  # 音量（0 到 1）不超过这个值的声音不识别
RULES = []  # 什么时候做什么，例如：'当 "开灯" 高于 0.8：引脚(24, 开)，说("好的")'

words = start(__doc__)

# 1. 打开模型、规则和麦克风
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Microphone(words[0] if words else SOUND, SECONDS) as microphone:
    # 2. 每秒四次，取最近一秒的声音
    for sound in microphone:
        if loudness(sound) <= QUIET:
            rules.check(None)  # 没有声音，之后规则可以再次触发
            continue
        if not centred(sound):
            continue  # 声音在边上，可能不完整；很快它就会移到中间
        # 3. 把声音变成图片，再识别图片
        answer = model.predict(spectrogram(sound))
        print(caption(answer))
        rules.check(answer)
