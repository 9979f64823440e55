#!/usr/bin/env bash
# Networks of timm that compute different things have state dicts of the same names and shapes: resnet50, resnetblur50
# (blurs where resnet50 strides) and resnetaa50 (averages there). Each loads the others' weights with strict=True and
# answers with other numbers. Blurring and averaging have no parameters of their own, so no tensor tells of them.
#
# Versions: timm 1.0.31, torch 2.13.0 (CPU), torchvision 0.28.0; Python 3.11 or later.
# Seen:     equal names and shapes; load_state_dict(strict=True) accepts; for one input the scores
#           differ by more than a hundredth of the largest, with weights drawn at random
# Expected: a strict load refuses the weights of another network.
# Why it matters: whoever finds out an architecture by the keys and shapes of a checkpoint, as converters do, takes one for
# the other, and nothing fails: a few percent of the answers are wrong. Only the program or a config tells them apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check torch==2.13.0 torchvision==0.28.0 timm==1.0.31
cat > "$work/try.py" <<'PY'
import contextlib

import torch

for name in ("nms", "qnms"):  # which torchvision looks for, where its build does not fit torch's; nothing here calls them
    with contextlib.suppress(RuntimeError):
        torch.library.define(f"torchvision::{name}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")
import timm

torch.manual_seed(0)
plain = timm.create_model("resnet50").eval()
weights = plain.state_dict()
for name, tensor in weights.items():  # as training leaves them, so that layers do something
    if name.endswith("running_var"):
        tensor.fill_(0.5)
picture = torch.rand(1, 3, 224, 224)
with torch.no_grad():
    expected = plain(picture)
    for name in ("resnetblur50", "resnetaa50"):
        other = timm.create_model(name).eval()
        same = {k: v.shape for k, v in other.state_dict().items()} == {k: v.shape for k, v in weights.items()}
        other.load_state_dict(weights, strict=True)
        share = float((other(picture) - expected).abs().max() / expected.abs().max())
        print(name, "same tensors" if same else "other tensors", "other answers" if share > 0.01 else "same answers")
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/said"
grep -q '^resnetblur50 same tensors other answers$' "$work/said"
grep -q '^resnetaa50 same tensors other answers$' "$work/said"
