"""What a class is called: read from everything that names classes, and matched between data and model.

>>> read_labels({"rock": 1, "paper": 0, "scissors": 2}).names
('paper', 'rock', 'scissors')
>>> read_label_file(Path("classes.txt")).names
('paper', 'rock', 'scissors')
"""

from .choose import choose_labels, named_already, named_in, read_label_lines, wrong_number
from .decode import decode, read_text
from .files import read_label_file, read_label_option
from .match import Matcher, cell, no_label_known, number
from .parts import SPLITS, class_folders, folders_in, split_folders, split_of, unwrapped
from .values import Labels, read_labels
from .words import label_error
from .yaml import yaml_entry

__all__ = [
    "SPLITS",
    "Labels",
    "Matcher",
    "cell",
    "choose_labels",
    "class_folders",
    "decode",
    "folders_in",
    "label_error",
    "named_already",
    "named_in",
    "no_label_known",
    "number",
    "read_label_file",
    "read_label_lines",
    "read_label_option",
    "read_labels",
    "read_text",
    "split_folders",
    "split_of",
    "unwrapped",
    "wrong_number",
    "yaml_entry",
]
