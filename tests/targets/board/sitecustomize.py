"""This computer says that it is the board."""

import platform

platform.machine = lambda: "aarch64"
