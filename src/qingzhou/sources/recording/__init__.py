"""Networks that a source writes down operator by operator: what all of those share.

net.py      Net: a Recorder that infers shapes, reckons with sizes that are free, and computes what is constant
folding.py  what ONNX's operators give for constants
finish.py   the end of a network: its outputs by their names, and nothing that they do not need
card.py     what the card says of such a network
labels.py   the names of classes in a labels.txt
windows.py  what SAME adds, and resizing
words.py    Words: how a source speaks of what it cannot convert
"""
