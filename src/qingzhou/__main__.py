"""`python -m qingzhou`: the same verbs where the command `qingzhou` is not on the PATH, as on many school computers."""

from . import cli  # noqa: F401 - its verbs
from .cli_common import main

if __name__ == "__main__":
    main()
