"""Networks written down as calls of PyTorch's operators (ATen): one table for all files that hold such calls.

table.py    the operator's name -> a small function; which of them show the numbers of another tensor
machine.py  Machine: calls operators by name; tensors that are views of others, or changed in place
bind.py     arguments as the functions want them; refuse.py: what cannot be converted, and the way out
arithmetic.py, kinds.py, activations.py, reductions.py, axes.py, picking.py, making.py, windows.py, norms.py, resize.py,
attention.py, recurrent.py   the functions, one page for each kind
"""
