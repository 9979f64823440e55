"""What a device's profile says of any network, beside counts: which form is chosen must be nearly the cheapest.

COUNTS are million instructions of one inference on one thread, counted under emulation by tests/boards/boardlab.py in
bundles of these networks: `N` inferences more in a process, as in benchmarks/board.py. The profiles' numbers are fitted
to them: least squares of the relative errors, none negative.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import qingzhou
from passengers import ORACLE
from qingzhou.deploy.plan import CLEARLY, MOBILENET_V2
from qingzhou.devices import load
from qingzhou.graph.count import NOTHING, Work
from qingzhou.onnxfile.facts import Facts

KEPT = json.loads(Path(__file__).with_name("counts.json").read_text("utf-8"))
WORK = {name: Work(*work) for name, work in KEPT["work"].items()}
COUNTS = [(device, network) for device, networks in KEPT["counts"].items() for network in networks]
AS_THESE = {"jetson": "pi5", "generic-linux-arm64": "pi4-64"}  # not counted themselves: the nearest that was


@pytest.mark.parametrize(("device", "network"), COUNTS)
def test_the_form_that_is_chosen_costs_little_more_than_the_best(device: str, network: str) -> None:
    counted = {tuple(form.split()): count for form, count in KEPT["counts"][device][network].items()}
    told = {form: load(device).instructions_for(WORK[network], *form) for form in counted}
    for form, count in counted.items():
        assert 0.6 < told[form] / count < 1.5, (form, told[form], count)
    price = {form: number * (CLEARLY if form[1] == "int8" else 1) for form, number in told.items()}
    assert counted[min(price, key=price.__getitem__)] <= 1.25 * min(counted.values())


@pytest.mark.parametrize("device", AS_THESE)
def test_devices_that_were_not_counted(device: str) -> None:
    mine, counted = load(device), load(AS_THESE[device])
    assert mine.cost == {name: each for name, each in counted.cost.items() if name in mine.engines}


def test_the_work_of_a_network(tmp_path: Path) -> None:
    """The same multiply-accumulates as ever, and those in groups apart; INT8 has the same to do."""
    model = qingzhou.convert(ORACLE / "trained/mobilenet_digits.pth", tmp_path / "m.onnx")
    work = Facts(model.path).work
    assert work.macs == MOBILENET_V2.macs
    assert work == MOBILENET_V2 == WORK["MobileNetV2 224"]


def test_what_is_not_known() -> None:
    assert load("pc").instructions_for(WORK["LeNet 32"], "onnxruntime", "int8") is None
    assert load("unihiker").instructions_for(NOTHING, "onnxruntime", "int8") is None
