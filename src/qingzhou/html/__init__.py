"""Reports: one HTML file each, which opens without a network and runs no script.

    page.py      a template and facts in, a file out
    pictures.py  pictures small enough to lie inside the file
    scale.py     where things go in a chart
    templates/   base.html (the page), pieces.html (tables, pictures), charts.html (SVG), and a page for each verb

>>> from qingzhou.html import write_page
>>> write_page(Path("best.html"), "evaluation.html", "zh", found=found)
"""

from .page import write_page
from .pictures import thumbnail

__all__ = ["thumbnail", "write_page"]
