"""What Qingzhou costs, beside others and beside what it was: `python -m benchmarks`.

goals.py     what is wanted, and what was found: a goal, a figure, a row
desk.py      where it is measured: fresh processes that have their turns, of two checkouts; machine.py: on what
rows/        the goals of one subject each, in the table of rows/__init__.py
peers/       what other tools do with the same work; run by a Python that has them

Longer looks at one subject, each a script of its own, `python benchmarks/NAME.py`: convert, detect, engines, int8,
pictures, board, camera, and of the page web, fair and hostile. What all of them share is in measure.py.
"""
