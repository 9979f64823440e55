"""What this machine has: the engines that are installed, and what its processor can."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import onnxruntime, openvino
from .table import ENGINES
from .tensorrt import engine as tensorrt

CPUINFO = Path("/proc/cpuinfo")
# A feature, and the kernel's words for it; any of them will do. x86: arch/x86/include/asm/cpufeatures.h in Linux;
# ARM: Documentation/arch/arm64/elf_hwcaps.rst.
X86 = {
    "AVX2": ("avx2",),
    "AVX-512": ("avx512f",),
    "VNNI": ("avx512_vnni", "avx_vnni"),
    "AMX": ("amx_int8", "amx_bf16"),
    "FP16": ("avx512_fp16", "amx_fp16"),
}
ARM = {
    "NEON": ("asimd", "neon"),
    "dot product": ("asimddp",),
    "FP16": ("asimdhp", "fphp"),
    "int8 matrices": ("i8mm",),
}


@dataclass(frozen=True)
class Machine:
    """What this machine has.

    versions   engine -> its version, or None
    installs   engine -> the line that installs it
    untried    engines that were never run on hardware by Qingzhou's makers
    providers  of onnxruntime;  devices  of OpenVINO;  gpus  of TensorRT
    processor  "x86_64"
    features   what the processor can: AVX2, VNNI, …; empty where that cannot be found out
    computes   what OpenVINO says that it computes in: "FP32", "INT8", "BF16"
    """

    versions: Mapping[str, str | None]
    installs: Mapping[str, str]
    untried: list[str]
    providers: list[str]
    devices: list[str]
    gpus: list[str]
    processor: str
    features: Mapping[str, bool]
    computes: list[str]

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        engines: dict[str, dict[str, object]] = {
            name: {"version": version, "install": self.installs[name], "run_on_hardware": name not in self.untried}
            for name, version in self.versions.items()
        }
        engines["onnxruntime"] |= {"providers": self.providers}
        engines["openvino"] |= {"devices": self.devices, "computes": self.computes}
        engines["tensorrt"] |= {"gpus": self.gpus}
        return {"engines": engines, "processor": self.processor, "features": dict(self.features) or None}


def survey() -> Machine:
    """What is here now."""
    devices, abilities = openvino.devices_and_abilities()
    return Machine(
        {name: engine.version() for name, engine in ENGINES.items()},
        {name: engine.install for name, engine in ENGINES.items()},
        [name for name, engine in ENGINES.items() if not engine.tried],
        onnxruntime.providers(),
        devices,
        tensorrt.gpus(),
        platform.machine(),
        features(),
        abilities,
    )


def processor(cpuinfo: Path = CPUINFO) -> str:
    """What the processor is called: "Intel(R) N100" where Linux says so, else what the system says."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.lower().startswith(("model name", "hardware")))
    return next(filter(None, names), "") or platform.processor() or platform.machine()


def features(cpuinfo: Path = CPUINFO) -> dict[str, bool]:
    """What the processor can, as Linux says; {} on other systems."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    words = {name.strip().lower(): set(text.split()) for name, _, text in (line.partition(":") for line in lines)}
    known, wanted = (words["flags"], X86) if "flags" in words else (words.get("features", set()), ARM)
    return {name: bool(known & set(flags)) for name, flags in wanted.items()} if known else {}
