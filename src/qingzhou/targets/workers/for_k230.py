"""Canaan's compiler and simulator, nncase: an .onnx to a .kmodel for the K230. See start.py for order and answer.

Calibration and inputs are uint8 pixels (N, C, H, W); mean and std go into the file, so that the board feeds bytes.
Without a mean they are float32 as they are.

What nncase cannot take ends its whole process, by an exception of .NET that nobody catches. So all the work is done in
a child of this process, and what it printed is read when it has died.
"""

import json
import os
import re
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

Doing = Callable[[str], None]

FULL = (
    "No space left on device",
    "disk is full",
    "File too large",
    "file length was too large",
    "Disk quota exceeded",
)
# What its importer visits, as ONNX calls it. Of others it says so at the end alone, if nothing failed before.
KNOWN = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant
ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp
Expand Flatten Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
HardSigmoid HardSwish Hardmax Identity InstanceNormalization LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual
Log LogSoftmax LpNormalization MatMul Max MaxPool Min Mod Mul Neg Not OneHot Or PRelu Pad Pow QLinearConv
QLinearMatMul QuantizeLinear RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize
ReverseSequence Round ScatterND Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth
Split Sqrt Squeeze Sub Sum Tan Tanh Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
""".split()  # noqa: SIM905
SAID, ANSWER = "nncase.txt", "nncase.json"
# How it names what it cannot take (src/Nncase.Importer of https://github.com/kendryte/nncase).
NAMED = (r"Not Supported Onnx op: (\w+)", r"Not Yet Supported (\w+) Operation", r"OnnxImporter\.Visit(\w+)\(")


def versions() -> dict[str, str]:
    """What the board's runtime must be: a .kmodel does not say which version made it."""
    environment()
    import nncase  # noqa: F401 - that it can be imported, and starts .NET

    return {"nncase": metadata.version("nncase")}


def work(order: dict[str, Any], doing: Doing) -> dict[str, Any]:
    """{"versions", "outputs"}, {"layer", "why"}, {"wrong"} or {"full"}."""
    with open(SAID, "wb") as said:
        child = os.fork()
        if child == 0:
            in_child(order, doing, said.fileno())
    status = os.waitpid(child, 0)[1]
    text = Path(SAID).read_text("utf-8", "replace")
    sys.stderr.write(text)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == 9:
        raise MemoryError  # the system ends what takes too much
    if status:
        return refusal(text, order["operators"])
    answer: dict[str, Any] = json.loads(Path(ANSWER).read_text("ascii"))
    return answer


def in_child(order: dict[str, Any], doing: Doing, said: int) -> None:
    """Writes its answer and ends; it never returns."""
    status = 1
    try:
        os.dup2(said, 1)
        os.dup2(said, 2)
        Path(ANSWER).write_text(json.dumps(compiled(order, doing)), "ascii")
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def refusal(text: str, operators: list[str]) -> dict[str, Any]:
    """What is told of a child that died, by what it printed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["?"]
    thrown = next((line for line in lines if line.startswith("Unhandled exception")), lines[-1])
    why = thrown.replace("Unhandled exception. ", "")[:300]
    if any(words in text for words in FULL):
        return {"full": True}
    found = next((match[1] for match in (re.search(one, text) for one in NAMED) if match), None)
    if found not in operators:
        found = next((one for one in operators if one not in KNOWN), None)
    return {"layer": found, "why": why} if found else {"wrong": why}


def environment() -> None:
    """What nncase needs and does not set: .NET's place and age, its own plug-in, the simulator, which is a program."""
    site = Path(sysconfig.get_paths()["purelib"])
    os.environ.update(
        DOTNET_ROOT=str(site / "dnv/net/runtime/.net"),
        DOTNET_ROLL_FORWARD="Major",  # it asks for .NET 7, and this is 8
        DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1",
        DOTNET_CLI_TELEMETRY_OPTOUT="1",
        DOTNET_EnableDiagnostics="0",
        NNCASE_PLUGIN_PATH=str(site / "nncase/modules/kpu"),
        PATH=os.environ.get("PATH", "") + os.pathsep + str(site),
    )


def compiled(order: dict[str, Any], doing: Doing) -> dict[str, Any]:
    """Compile, write, simulate."""
    environment()
    doing("reading")
    import nncase
    import numpy as np

    calibration = np.load(order["calibration"])
    compiler = nncase.Compiler(options_for(nncase, order, calibration))
    compiler.import_onnx(Path(order["model"]).read_bytes(), nncase.ImportOptions())
    rounding = nncase.PTQTensorOptions()
    rounding.samples_count = len(calibration)
    rounding.calibrate_method = "Kld"
    rounding.set_tensor_data([[one[None] for one in calibration]])
    compiler.use_ptq(rounding)
    doing("building")
    compiler.compile()
    model = compiler.gencode_tobytes()
    Path(order["out"]).write_bytes(model)
    return {"versions": {"nncase": metadata.version("nncase")}, "outputs": simulated(nncase, np, model, order, doing)}


def options_for(nncase: Any, order: dict[str, Any], calibration: Any) -> Any:
    options = nncase.CompileOptions()
    options.target = order["chip"]
    options.dump_asm = options.dump_ir = False
    options.preprocess = order["mean"] is not None
    if options.preprocess:
        options.input_type, options.input_range = "uint8", [0, 255]
        options.input_shape, options.input_layout = [1, *calibration.shape[1:]], "NCHW"
        options.mean, options.std = order["mean"], order["std"]
    return options


def simulated(nncase: Any, np: Any, model: bytes, order: dict[str, Any], doing: Doing) -> list[str]:
    """The names of files with the simulator's answers."""
    simulator = nncase.Simulator()
    simulator.load_model(model)
    inputs, start = np.load(order["inputs"], mmap_mode="r"), time.monotonic()
    rows: list[list[Any]] = []
    for i, one in enumerate(inputs):
        if rows and time.monotonic() - start > order["seconds"]:
            break
        doing("simulating %d/%d" % (i + 1, len(inputs)))
        simulator.set_input_tensor(0, nncase.RuntimeTensor.from_numpy(np.array(one[None])))
        simulator.run()
        rows.append([np.array(simulator.get_output_tensor(k).to_numpy()) for k in range(simulator.outputs_size)])
    names: list[str] = []
    for k, column in enumerate(zip(*rows)):
        names.append("output_%d.npy" % k)
        np.save(names[-1], np.concatenate([np.asarray(one, np.float32) for one in column]))
    return names
