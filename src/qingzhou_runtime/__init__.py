"""The runtime for programs that were copied without their folder qingzhou_runtime: wherever Qingzhou is installed.

A folder of that name beside a program comes first: Python looks there before it looks among what is installed.
"""

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qingzhou.runtime import load as load

_package = find_spec("qingzhou")
for _root in (_package and _package.submodule_search_locations) or ():
    _place = Path(_root, "runtime")
    _spec = spec_from_file_location(__name__, _place / "__init__.py", submodule_search_locations=[str(_place)])
    if _spec is not None and _spec.loader is not None:
        sys.modules[__name__] = module_from_spec(_spec)  # what import gives is found there
        _spec.loader.exec_module(sys.modules[__name__])
