#!/usr/bin/env bash
# Ultralytics suppresses turned boxes by another rule than upright ones: a turned box goes if it overlaps any better one
# of its class, also one that has gone itself; an upright box only if it overlaps one that stays.
#
# Versions: ultralytics 8.4.190, torch 2.13.0; Python 3.11 or later.
# Seen:     of three boxes in a row, each overlapping the next and not the one after, upright 2 stay, turned 1
# Expected: the same from both, with the angle 0
# Why it matters: who replaces the NMS of an OBB model by a greedy one (as torchvision's, mmcv's and most runtimes' are) finds
# more boxes than Ultralytics does, in rows of things that lie close together above all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check ultralytics==8.4.190 torch==2.13.0
cat > "$work/try.py" <<'PY'
import torch
from ultralytics.utils.nms import non_max_suppression

x, scores = torch.tensor([50.0, 62.0, 74.0]), torch.tensor([0.9, 0.8, 0.7])
boxes = torch.stack([x, torch.full((3,), 50.0), torch.full((3,), 40.0), torch.full((3,), 20.0), scores])
turned = torch.cat([boxes, torch.zeros(1, 3)])
for name, prediction, rotated in (("upright", boxes, False), ("turned", turned, True)):
    (kept,) = non_max_suppression(prediction[None], 0.25, 0.5, nc=1, rotated=rotated)
    print(name, len(kept))
PY
YOLO_CONFIG_DIR="$work" "$work/env/bin/python" "$work/try.py" | tee "$work/said"
grep -q '^upright 2$' "$work/said"
grep -q '^turned 1$' "$work/said"
