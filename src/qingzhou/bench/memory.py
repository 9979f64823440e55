"""The most memory that this process has had so far."""

from __future__ import annotations

import sys
from pathlib import Path


def peak() -> int | None:
    """Bytes in RAM at the highest, Python and all libraries among them; None where the system does not say."""
    if sys.platform == "win32":
        return _windows()
    try:
        # Not ru_maxrss: Linux lets a new process begin with that of the one that started it (fs/exec.c, exec_mmap).
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _windows() -> int | None:
    """PeakWorkingSetSize: https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-process_memory_counters"""
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "now", "peak_paged", "paged", "peak_non_paged", "non_paged", "file", "peak_file")
        ]

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    kernel.K32GetProcessMemoryInfo.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    found = Counters(cb=ctypes.sizeof(Counters))
    done = kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(found), found.cb)
    return int(found.peak) if done else None
