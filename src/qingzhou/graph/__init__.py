"""A network as plain data, and ordinary functions over it.

form.py       Graph, Node, Value, Constant: ONNX's operators and our blocks
record.py     Recorder: how a network's page of code becomes a Graph; trained.py: what a training changed in it
fold.py       passes that make a graph cheaper and keep what it says
shapes.py     shape and dtype of every operator's outputs (shapes_*.py have the rules); infer.py: of a whole network
recognise.py  layers found again where they are spelled out; find.py, recognise_*.py: the patterns
count.py      parameters and multiply-accumulates
"""
