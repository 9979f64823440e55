"""What a file holds, and what its tool means by it: each folder is one tool.

torch/      the container, tensors and layers of PyTorch
openmmlab/  MMEdu, mmcls, mmpretrain, mmdet: a known network by its tensors, settings by the training's config
basenn/     networks that were saved whole
network.py  what every source gives; as_asked.py: pictures prepared as the user says
"""
