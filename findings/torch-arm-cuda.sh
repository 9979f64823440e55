#!/usr/bin/env bash
# PyTorch's wheels on PyPI for 64-bit ARM Linux, so those that a Raspberry Pi takes, were of the CPU alone up to 2.10. From 2.11
# on they are of CUDA 13: `pip install torch` there asks for NVIDIA's libraries as well, and without them the wheel alone
# does not import ("libcublasLt.so.*[0-9] not found").
#
# Versions: torch 2.10.0 and 2.11.0 for manylinux_2_28_aarch64, Python 3.13; only their metadata are fetched.
# Seen:     2.10.0 wants NVIDIA's packages only where platform_machine is x86_64, 2.11.0 on every Linux
# Expected: the same as before: a board has no such GPU
# Why it matters: a requirement that was 100 MB on a board is gigabytes, and may not fit on its card. Ultralytics' own way to
# run an .onnx needs torch, too. Pin torch<2.11 there, or take PyTorch's own index of CPU wheels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
for version in 2.10.0 2.11.0; do
  "$work/env/bin/python" -m pip install -q --disable-pip-version-check --dry-run --ignore-installed --no-deps \
    --target "$work/x" --platform manylinux_2_28_aarch64 --python-version 3.13 --only-binary=:all: \
    --report "$work/$version.json" "torch==$version"
done
cat > "$work/try.py" <<'PY'
import json
import sys

for path in sys.argv[1:]:
    with open(path) as file:
        (wheel,) = json.load(file)["install"]
    wanted = [one for one in wheel["metadata"]["requires_dist"] if "nvidia" in one or "cuda" in one]
    everywhere = [one for one in wanted if "x86_64" not in one]
    print(wheel["metadata"]["version"], len(wanted), "of NVIDIA's,", len(everywhere), "on ARM, too")
PY
"$work/env/bin/python" "$work/try.py" "$work/2.10.0.json" "$work/2.11.0.json" | tee "$work/said"
grep -q '^2.10.0 .* 0 on ARM, too$' "$work/said"
grep -q '^2.11.0 .* [1-9][0-9]* on ARM, too$' "$work/said"
