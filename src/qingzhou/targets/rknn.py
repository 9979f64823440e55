"""Rockchip's NPUs: RK3566 and RK3568 (1 TOPS), RK3576 and RK3588 (6 TOPS)."""

from __future__ import annotations

from .target import WORKERS, Recipe, Target

RKNN = Target(
    name="rknn",
    english="Rockchip NPU",
    chinese="瑞芯微芯片",
    recipe=Recipe(
        packages=(
            "setuptools<81",  # pkg_resources, which it imports and does not ask for
            "numpy==1.26.4",
            "onnx==1.18.0",
            "onnxruntime==1.26.0",
            "protobuf==4.25.4",
            "opencv-python-headless==4.11.0.86",  # it asks for opencv-python, which needs a screen's libraries
            "psutil==7.2.2",
            "ruamel.yaml==0.19.1",
            "scipy==1.17.1",
            "tqdm==4.70.1",
            "fast-histogram==0.14",
        ),
        bare=("rknn-toolkit2==2.5.0",),  # else it asks for PyTorch, 5 GB that nothing here uses: for_rknn.py
        pythons=("3.11", "3.12"),
        systems=("linux-x86_64",),
        megabytes=700,
        brings=(
            "Rockchip's rknn-toolkit2 2.5.0, its compiler and simulator (proprietary, free of charge)",
            "瑞芯微的 rknn-toolkit2 2.5.0：编译器和模拟器（专有软件，免费）",
        ),
    ),
    chips=("rk3566", "rk3568", "rk3576", "rk3588"),
    linux=True,
    also={"rk3588s": "rk3588"},  # fewer pins, the same NPU
    ending=".{chip}.rknn",
    worker=WORKERS / "for_rknn.py",
    seconds=1800.0,
    judged=100,
)
