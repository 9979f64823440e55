"""Teaching in seconds: pictures of each class and any network that looks at pictures -> a model of these classes.

backbone.py  the network up to its features;  pictures.py  what it sees in the pictures
head.py      the head, fitted in closed form;  taught.py  the head as operators behind the backbone
lesson.py    all of it: a folder in, one checked .onnx out
"""

from .lesson import Taught as Taught
from .lesson import teach as teach
