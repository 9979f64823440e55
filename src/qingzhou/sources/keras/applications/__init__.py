"""Networks of keras.applications, known by the shapes of their weights where a file has nothing else.

build.py       a network as Keras' own settings, layers in Keras' order
mobilenets.py  MobileNet V1-V3, EfficientNet;  classics.py  VGG, ResNet, DenseNet, Xception
branched.py    InceptionV3, NASNetMobile
known.py       which of them a file has, how its pictures are prepared
"""
