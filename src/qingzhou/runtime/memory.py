"""How much memory this machine has for what is given to a model."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

MOST = 1 << 30  # bytes that one picture or text may take on its way, however much memory there is


def room() -> int:
    """Bytes that one picture or text may take on its way to the network: half of the memory, and MOST at most.

    The other half is for the system, Python, the engine and the network, and for what libraries need in between.
    """
    return min(MOST, memory() // 2)


@functools.lru_cache(maxsize=None)
def memory() -> int:
    """Bytes that this program can have: of the machine, or as its container, its limits or its 32 bits leave it."""
    found = [sys.maxsize]
    try:
        import resource

        found += [resource.getrlimit(which)[0] for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        with open("/sys/fs/cgroup/memory.max") as file:
            found.append(int(file.read()))
    except ImportError:
        found.append(_of_windows())
    except (OSError, ValueError):  # it is not said; "max"
        pass
    return min(size for size in found if size > 0)  # no limit is -1


def _of_windows() -> int:
    """Its MEMORYSTATUSEX: two numbers of 32 bits, its own size being the first, and seven of 64, ullTotalPhys first."""
    import ctypes

    status = (ctypes.c_uint64 * 8)(64)
    system: Any = ctypes
    system.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status[1]
