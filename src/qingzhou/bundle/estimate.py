"""What can be expected of a model on a device, before anybody copies anything: pictures a second, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..devices import Device, all_devices
from ..errors import BundleError
from .form import OnDevice

LIVE = ("camera", "video", "web", "ask", "cascade", "listen")
LEAST_LIVE, LEAST = 0.5, 0.05  # answers a second: of a scene that should follow what it sees, and of any other
# MB of Python, numpy, Pillow and onnxruntime; and of each MB of weights, which onnxruntime keeps and rearranges.
# Measured: MobileNetV2 84 MB in FP32 (file 9), 60 in INT8 (3); ResNet50 311 (94), 119 in INT8 (24).
BASE_MB, EACH_MB, LIVE_MB = 60, 2.5, 25

# Networks that MMEdu trains: million MACs and MB in FP32, the most able first (qingzhou info tells both).
NETWORKS = {
    "classification": (
        ("ResNet50", 4087, 94),
        ("ResNet18", 1814, 45),
        ("MobileNet", 299, 9),
        ("ShuffleNet_v2", 144, 5),
        ("MobileNetV3", 55, 6),
        ("LeNet", 0.4, 0.3),
    ),
    "detection": (("Yolov3", 2781, 15), ("SSD_Lite", 662, 12)),
}


@dataclass(frozen=True)
class Estimate:
    """fps: answers a second, None where the network's cost is not known; memory_mb: of the whole program."""

    fps: float | None
    memory_mb: float
    source: str

    @property
    def rate(self) -> str:
        """fps in a few digits: "0.19", "4.9", "36", "> 1000"; "" where it is not known."""
        if self.fps is None:
            return ""
        return "> 1000" if self.fps > 1000 else f"{self.fps:.0f}" if self.fps >= 10 else f"{self.fps:.2g}"

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {"fps": self.fps and round(self.fps, 3), "memory_mb": round(self.memory_mb), "source": self.source}


def estimate(
    device: Device, scene: str, macs: float, size: float, precision: str, gain: float | None = None
) -> Estimate:
    """Of a network of so many MACs in so many bytes; gain: what the precision is known to give beside FP32."""
    speed = device.speed.get(precision, device.speed["fp32"]) if gain is None else gain * device.speed["fp32"]
    fps = speed * 1e6 / macs if macs else None
    memory = BASE_MB + EACH_MB * size / 1e6 + (LIVE_MB if scene in LIVE else 0)
    return Estimate(fps, memory, device.speed_source)


def check(device: Device, scene: str, form: OnDevice, force: bool) -> Estimate:
    """The estimate; BundleError, which names a network that would work, where it is too slow or too large.

    `force` lets estimates pass, but not a file that is larger than all of the device's memory.
    """
    found = estimate(device, scene, form.macs, form.size, form.precision, form.gain)
    if form.size > device.memory_mb * 1e6:
        raise _too_large(device, scene, form, found, whole=True)
    if not force and found.memory_mb > device.free_mb:
        raise _too_large(device, scene, form, found, whole=False)
    if not force and found.fps is not None and found.fps < least(scene):
        raise _too_slow(device, scene, form, found)
    return found


def least(scene: str) -> float:
    """Answers a second that a scene needs."""
    return LEAST_LIVE if scene in LIVE else LEAST


def advice(device: Device, scene: str, form: OnDevice) -> tuple[str, str]:
    """A network, and a device, that would do, in English and Chinese; "" where there is none."""
    en, zh = "", ""
    network = next(_fitting(device, scene, form.card.task, form.precision), None)
    if network is not None:
        name, fps = network
        en = f"{name} would work there (about {fps:.1f} a second): train that one. "
        zh = f"{name} 可以在它上面运行（大约每秒 {fps:.1f} 次），请训练这个网络。"
    other = _other_device(scene, form)
    if other:
        en, zh = f"{en}This one would run on: {other}. ", f"{zh}这个网络可以在 {other} 上运行。"
    return en, zh


def _fitting(device: Device, scene: str, task: str, precision: str) -> Iterator[tuple[str, float]]:
    for name, macs, size in NETWORKS.get(task, ()):
        found = estimate(device, scene, macs * 1e6, size * (0.28 if precision == "int8" else 1) * 1e6, precision)
        if found.fps is not None and found.fps >= least(scene) and found.memory_mb <= device.free_mb:
            yield name, found.fps


def _other_device(scene: str, form: OnDevice) -> str:
    """The weakest device where this network would do, first among those that were counted themselves; "" if none."""
    known = (one for one in all_devices() if one.speed)
    for device in sorted(known, key=lambda one: (one.counted_on != one.name, one.speed["fp32"])):
        found = estimate(device, scene, form.macs, form.size, form.precision)
        fast = found.fps is None or found.fps >= least(scene)
        if fast and found.memory_mb <= device.free_mb and form.engine in device.engines:
            return device.name
    return ""


def _too_slow(device: Device, scene: str, form: OnDevice, found: Estimate) -> BundleError:
    assert found.fps is not None
    rounded, (en, zh) = form.precision == "int8", advice(device, scene, form)
    return BundleError(
        en=f"{form.card.network} on {device.title['en']} would give about {found.fps:.2g} answers a second "
        f"({form.macs / 1e9:.3g} GMACs in {form.precision.upper()}; {found.source}); the scene {scene} needs "
        f"{least(scene):g}. {en}{'' if rounded else 'INT8 may help: --data FOLDER. '}To make it all the same: --force",
        zh=f"{form.card.network} 在{device.title['zh']}上大约每秒只有 {found.fps:.2g} 次（{form.macs / 1e9:.3g} GMACs，"
        f"{form.precision.upper()}；{found.source}），场景 {scene} 至少需要 {least(scene):g} 次。"
        f"{zh}{'' if rounded else '也可以试试 INT8：--data 文件夹。'}仍要做包：--force",
    )


def _too_large(device: Device, scene: str, form: OnDevice, found: Estimate, whole: bool) -> BundleError:
    has = device.memory_mb if whole else device.free_mb
    (en, zh), forced = advice(device, scene, form), not whole
    return BundleError(
        en=f"{form.card.network} ({form.size / 1e6:.0f} MB) would need about {found.memory_mb:.0f} MB of memory; "
        f"{device.title['en']} has {has} MB for it. {en}{'To make it all the same: --force' if forced else ''}",
        zh=f"{form.card.network}（{form.size / 1e6:.0f} MB）大约需要 {found.memory_mb:.0f} MB 内存，"
        f"而{device.title['zh']}只有 {has} MB 可用。{zh}{'仍要做包：--force' if forced else ''}",
    )
