"""Run and train a Graph with torch's own layers: another reading of it than the one that becomes ONNX."""

import math

import torch
import torch.nn.functional as F

ACTS = {"relu": F.relu, "relu6": F.relu6, "hswish": F.hardswish, "hsigmoid": F.hardsigmoid}


def run(graph, weights, x, training):
    """All values of the graph by name; in training BatchNorm's statistics are updated in place."""
    values = {graph.inputs[0].name: x}
    for layer in graph.layers:
        given = [values[name] for name in layer.inputs]
        params = {role: weights[key] for role, key in layer.params.items()}
        values[layer.outputs[0]] = one(layer, given, params, training)
    return values


def one(layer, given, p, training):
    """What a layer gives. KeyError for an operator that no network here has."""
    x, how = given[0], layer.attrs
    match layer.op:
        case "Conv":
            return F.conv2d(x, p["weight"], p.get("bias"), how["stride"], how["padding"][:2], 1, how["groups"])
        case "BatchNorm":
            return F.batch_norm(x, p["mean"], p["var"], p["weight"], p["bias"], training, 0.03, how["eps"])
        case "Act":
            return ACTS[how["kind"]](x)
        case "Linear":
            return F.linear(x, p["weight"], p["bias"])
        case "GlobalAvgPool":
            return x.mean((2, 3), keepdim=True)
        case "Reshape":
            return x.flatten(1)
        case "Add":
            return given[0] + given[1]
        case "Mul":
            return given[0] * given[1]
    raise KeyError(layer.op)


def initial(graph, seed=1):
    """Kaiming's kernels, small matrices, BatchNorm at rest; all but the statistics are to be learnt."""
    torch.manual_seed(seed)
    weights = {}
    for key, shape in graph.params.items():
        if len(shape) == 4:
            weights[key] = torch.randn(shape) * math.sqrt(2 / math.prod(shape[1:]))
        elif len(shape) == 2:
            weights[key] = torch.randn(shape) / math.sqrt(shape[1])
        else:
            weights[key] = torch.ones(shape) if key.endswith(("bn.weight", "running_var")) else torch.zeros(shape)
        weights[key].requires_grad_("running" not in key)
    return weights
