"""Another engine on the page: taken only where it is faster and its answers are equal; here by a WebGPU that Chromium's
processor imitates (SwiftShader), which is right and slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from chromium import ARGUMENTS, EXECUTABLE, Page, served
from onnx import numpy_helper

import qingzhou
from qingzhou.bundle import browser
from qingzhou.bundle.browser import GRAPHICS, write_page
from qingzhou.model import load

pytestmark = pytest.mark.browser

ORACLE = Path(__file__).parents[1] / "oracle"
DIGITS = ORACLE / "digits/test"
WORDS = [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=WebMachineLearningNeuralNetwork",
]
Visit = Callable[[], Page]


@pytest.fixture(scope="module")
def imitating(playwright: Any) -> Iterator[Any]:
    """A Chromium with a WebGPU of its own."""
    found = playwright.chromium.launch(executable_path=EXECUTABLE, args=[*ARGUMENTS, *WORDS])
    yield found
    found.close()


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(ORACLE / "trained/lenet_digits.pth", tmp_path_factory.mktemp("model") / "lenet.onnx").path


@pytest.fixture(scope="module")
def folder(lenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small network, with the second engine; its 6 channels are 8, two of them zeros."""
    proto = onnx.load(lenet)
    for tensor in proto.graph.initializer:
        array = numpy_helper.to_array(tensor)
        widths = [(0, 2 if size == 6 else 0) for size in array.shape]
        tensor.CopyFrom(numpy_helper.from_array(np.pad(array, widths), tensor.name))
    del proto.graph.value_info[:]
    wide = tmp_path_factory.mktemp("wide") / "lenet.onnx"
    onnx.save(proto, wide)
    return page_of(wide, tmp_path_factory.mktemp("page"))


def page_of(model: Path, folder: Path) -> Path:
    """With the second engine, whatever the network's size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browser, "LEAST_MACS", 0)
        write_page(model, load(model).card, folder, "en")
    return folder


@pytest.fixture
def visit(imitating: Any, folder: Path) -> Iterator[Visit]:
    """The page in one profile, opened as often as wanted."""
    context = imitating.new_context()
    with served(folder) as url:
        yield lambda: Page(context.new_page(), url)
    context.close()


SEEK = """async ({slow, gain, broken = ""}) => {
  const {seekFaster} = await import("./faster.js");
  const told = [];
  const WebGPU = {provider: "webgpu", there: async () => (await navigator.gpu?.requestAdapter()) != null};
  const found = await seekFaster(qingzhou.model, "a key", (one) => told.push(one), {ways: {WebGPU}, slow, gain});
  globalThis.told = told;
  return {found, switched: qingzhou.model.runner !== qingzhou.model.session};
}"""
TAKEN = {"slow": 0, "gain": 1e9}


def test_which_pages_carry_it(lenet: Path, tmp_path: Path) -> None:
    """Large networks of pictures in floats do, small ones do not."""
    write_page(lenet, load(lenet).card, tmp_path / "small", "en")
    assert not any((tmp_path / "small" / name).exists() for name in GRAPHICS)
    large = qingzhou.convert(ORACLE / "trained/mobilenet_digits.pth", tmp_path / "large.onnx").path
    write_page(large, load(large).card, tmp_path / "large", "en")
    assert all((tmp_path / "large" / name).is_file() for name in GRAPHICS)


def test_equal_and_faster_is_taken(visit: Visit) -> None:
    """Then the answers are its own, equal to the processor's; at first both are asked."""
    page = visit()
    pictures = [path.read_bytes() for path in sorted(DIGITS.glob("*/*.png"))[::40]]
    before = [page.predict(picture)["scores"] for picture in pictures]
    found = page.ask(SEEK, TAKEN)
    assert found["switched"] and found["found"]["why"] == "faster" and found["found"]["name"] == "WebGPU"
    for picture, scores in zip(pictures, before, strict=True):
        np.testing.assert_allclose(page.predict(picture)["scores"], scores, atol=1e-4)
    assert len(pictures) > 6 and page.ask("() => qingzhou.model.runner.left") == 0, "the last ones by WebGPU alone"
    assert page.ask("() => told") == [] and page.problems == []


def test_one_that_is_wrong_is_never_taken(lenet: Path, imitating: Any, tmp_path: Path) -> None:
    """WebGPU in ONNX Runtime Web 1.30 computes a Conv of 6 channels wrongly (findings/), which LeNet has: seen."""
    with served(page_of(lenet, tmp_path / "page")) as url:
        page = Page(imitating.new_page(), url)
        found = page.ask(SEEK, TAKEN)
        assert not found["switched"] and found["found"]["why"] == "not_equal"
        assert page.ask(SEEK, TAKEN) == found, "remembered"


def test_slower_is_not_taken_and_remembered(visit: Visit) -> None:
    """The second time nothing is loaded for it."""
    page = visit()
    found = page.ask(SEEK, {"slow": 0, "gain": 0})
    assert not found["switched"] and found["found"]["why"] == "not_faster"
    again = visit()
    assert again.ask(SEEK, {"slow": 0, "gain": 0}) == found
    assert not any(url.endswith(GRAPHICS) for url in again.requests)
    assert any(url.endswith("ort_gpu.wasm") for url in page.requests)


def test_where_the_processor_is_fast_nothing_is_tried(visit: Visit) -> None:
    page = visit()
    assert page.ask(SEEK, {"slow": 1e6, "gain": 1}) == {"found": None, "switched": False}
    assert not any(url.endswith(GRAPHICS) for url in page.requests)


def test_an_imitation_by_the_processor_is_no_graphics_processor(visit: Visit) -> None:
    """By the page's own choice of ways: neither SwiftShader nor a WebNN that this system has not."""
    page = visit()
    own = """async () => {
      const {seekFaster} = await import("./faster.js");
      return seekFaster(qingzhou.model, "another", () => {}, {slow: 0, gain: 1e9});
    }"""
    found = page.ask(own)
    assert found is None or found["name"] == "WebNN"
    assert page.ask("() => qingzhou.model.runner === qingzhou.model.session") or found


@pytest.mark.parametrize("way", ["other answers", "an error"])
def test_one_that_errs_later_is_dropped_aloud(way: str, visit: Visit) -> None:
    """Its session is made to err after the trial: the answer is the processor's, said, and remembered."""
    page = visit()
    picture = next(DIGITS.glob("5/*.png")).read_bytes()
    before = page.predict(picture)["scores"]
    assert page.ask(SEEK, TAKEN)["switched"]
    page.ask(
        """(way) => {
          const {runner} = qingzhou.model;
          const right = runner.fast;
          runner.fast = {run: async (feed) => {
            if (way === "an error") throw new Error("the device is lost");
            const outputs = await right.run(feed);
            for (const name in outputs) outputs[name].data[0] += 1;
            return outputs;
          }};
        }""",
        way,
    )
    assert page.predict(picture)["scores"] == pytest.approx(before, abs=1e-6)
    assert page.ask("() => [told.length, told[0]?.why, qingzhou.model.runner === qingzhou.model.session]") == [
        1,
        "not_equal",
        True,
    ]
    assert page.ask("() => JSON.parse(localStorage.getItem('a key')).why") == "not_equal"
