#!/usr/bin/env bash
# Pillow turns a TIFF by its Orientation tag when it loads it; up to 9.5 getexif() goes on saying 6, so that whoever turns
# it as EXIF says, PIL.ImageOps.exif_transpose included, turns it twice. In newer ones load() takes the tag away, but
# before load() `size` is already that of the turned picture while getexif() still says 6: who swaps the sides is wrong.
#
# Versions: Pillow 9.5.0 (the last for Python 3.7, as boards have it) and 11.3.0; Python 3.8 to 3.11 has both.
# Seen:  9.5.0   opened (30, 20) orientation 6, loaded (20, 30) orientation 6, exif_transpose (30, 20) upright False
#        11.3.0  opened (20, 30) orientation 6, loaded (20, 30) orientation None, exif_transpose (20, 30) upright True
# Expected: one turn by either way, as for JPEG, and a size that agrees with the tag at every moment.
# Why it matters: code that is right for JPEGs lays scans and camera TIFFs on their side, without an error; and the right
# test depends on the version and on whether the picture is loaded. Turn TIFFs never; swap the sides of tags 256 and 257.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/try.py" <<'PY'
import io

from PIL import Image, ImageOps, __version__

stored = Image.new("RGB", (30, 20))
stored.paste((255, 0, 0), (0, 0, 15, 20))  # orientation 6: turned clockwise to be seen, so the left half is on top
file = io.BytesIO()
stored.save(file, "TIFF", tiffinfo={274: 6})
lazy = Image.open(io.BytesIO(file.getvalue()))
said = "opened %s orientation %s" % (lazy.size, lazy.getexif().get(274))
lazy.load()
said += ", loaded %s orientation %s" % (lazy.size, lazy.getexif().get(274))
turned = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue())))
upright = turned.size == (20, 30) and turned.getpixel((10, 2)) == (255, 0, 0)
print("%-7s %s, exif_transpose %s upright %s" % (__version__, said, turned.size, upright))
PY
for version in 9.5.0 11.3.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install -q --disable-pip-version-check "pillow==$version"
  "$work/$version/bin/python" "$work/try.py" | tee -a "$work/said"
done
grep -q '^9.5.0   opened (30, 20) orientation 6, loaded (20, 30) orientation 6, .* upright False$' "$work/said"
grep -q '^11.3.0  opened (20, 30) orientation 6, loaded (20, 30) orientation None, .* upright True$' "$work/said"
