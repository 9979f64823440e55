"""What kind of machine this is, as far as the goals depend on it."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """How many cores are ours, and what INT8 arithmetic they have."""

    cores: int
    vnni: bool  # a product of four bytes in one step
    amx: bool  # tiles of them

    def __str__(self) -> str:
        kind = "x86" if platform.machine().lower() in ("x86_64", "amd64") else platform.machine()
        has = ("AVX512-VNNI and AMX" if self.amx else "VNNI") if self.vnni else "without VNNI"
        return f"{self.cores} {kind} cores {has if has.startswith('without') else f'with {has}'}"


def this_machine() -> Machine:
    """Linux tells; elsewhere the newer arithmetic is taken to be missing, so that nothing is promised."""
    try:
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text("utf-8")))
    except OSError:
        flags = set()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, bool(flags & {"avx512_vnni", "avx_vnni"}), "amx_int8" in flags)
