#!/usr/bin/env bash
# pyfive cannot read an attribute whose text fills its global heap so far that less than 16 bytes are left.
#
# Versions: pyfive 1.1.2, h5py 3.16.0, numpy 2.4.6; Python 3.11 or later. pyfive 1.3.0 reads it.
# Seen:     struct.error: unpack_from requires a buffer of at least 4088 bytes for unpacking 16 bytes
# Expected: the text, as h5py gives it: the rest of a heap need not be large enough for another entry.
# Why it matters: Keras keeps a model's settings in such an attribute; one of our eleven .h5 files could not be opened.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check pyfive==1.1.2 h5py==3.16.0 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import io
import h5py
import pyfive

data = io.BytesIO()
with h5py.File(data, "w") as file:
    file.attrs["text"] = "x" * 4054
data.seek(0)
try:
    print("read", len(pyfive.File(data).attrs["text"]))
except Exception as err:
    print(type(err).__name__, err)
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/said"
grep -q '^error unpack_from requires' "$work/said"
