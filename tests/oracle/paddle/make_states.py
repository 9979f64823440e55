"""Networks of paddle.vision.models filled with numbers of a recipe, and their answers: states.npz and states.json.

python make_states.py      under paddlepaddle 3.3.1
"""

import json
import pathlib

import numpy as np
import paddle
import paddle.vision.models as models

HERE = pathlib.Path(__file__).parent
SIZE = 64
NETWORKS = {
    "mobilenet_v1": lambda: models.mobilenet_v1(scale=0.25, num_classes=5),
    "mobilenet_v2": lambda: models.mobilenet_v2(scale=0.25, num_classes=5),
    "mobilenet_v3_small": lambda: models.mobilenet_v3_small(num_classes=5),
    "shufflenet_v2_x0_5": lambda: models.shufflenet_v2_x0_5(num_classes=5),
    "squeezenet1_0": lambda: models.squeezenet1_0(num_classes=5),
    "squeezenet1_1": lambda: models.squeezenet1_1(num_classes=5),
    "resnet18": lambda: models.resnet18(num_classes=5),
}


def numbers(key, shape, seed):
    """The same as in tests/sources/test_paddle_states.py."""
    rng = np.random.Generator(np.random.PCG64([seed, *key.encode()]))
    if key.endswith("_variance"):
        return rng.uniform(0.7, 1.3, shape).astype(np.float32)
    if len(shape) < 2:
        return rng.normal(1 if key.endswith("weight") else 0, 0.1, shape).astype(np.float32)
    fan = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
    return (rng.standard_normal(shape) * (1.5 / fan) ** 0.5).astype(np.float32)


def main():
    answers, shapes = {}, {}
    for seed, (name, make) in enumerate(NETWORKS.items()):
        net = make()
        for key, value in net.state_dict().items():
            value.set_value(numbers(key, value.shape, seed))
        net.eval()
        shapes[name] = {key: list(value.shape) for key, value in net.state_dict().items()}
        x = numbers("image", [1, 3, SIZE, SIZE], seed) * 30
        answers[name] = net(paddle.to_tensor(x)).numpy()
    np.savez_compressed(HERE / "states.npz", **answers)
    (HERE / "states.json").write_text(json.dumps(shapes))


main()
