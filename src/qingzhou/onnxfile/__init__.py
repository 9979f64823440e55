"""The graph as an .onnx file.

lower.py     blocks and late operators -> what opset 11 has; lower_*.py: of detectors and heads; on lowering.py
emit.py      a graph as the bytes of a model; write.py: number by number into a file; metadata.py: what else it says
verify.py    every conversion is checked
read.py      any .onnx -> a graph, its numbers left in the file (tensor.py); upgrade.py: of any opset
integers.py  QDQ -> the float network inside it, and its integers
"""
