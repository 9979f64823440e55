"""What a file holds, and what its tool means by it: each folder is one tool.

table.py    one line each, and open_source(): which of them reads a file; source.py: what such a line says
torch/      the container, tensors and layers of PyTorch
openmmlab/  MMEdu, mmcls, mmpretrain, mmdet: a known network by its tensors, settings by the training's config
basenn/     networks that were saved whole
ultralytics/  the same of Ultralytics, whose layers say from which others they take what they work on
tflite/     TensorFlow Lite's operators, and what their integers stand for
onnx.py     models that are ONNX already
network.py  what every source gives; read.py: from a file to it; as_asked.py: pictures prepared as the user says
"""
