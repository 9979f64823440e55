#!/bin/sh
# opencv-python-headless 4.8.1.78 (Linux, x86-64, CPython 3.8 to 3.12): when VideoCapture cannot open a stream, it prints
# the whole address, name and password included, on stderr.
#
# Seen:   [ERROR:0@0.045] global cap.cpp:164 open VIDEOIO(CV_IMAGES): raised OpenCV exception: OpenCV(4.8.1)
#         … error: (-5:Bad argument) CAP_IMAGES: can't find starting number (in the name of file):
#         rtsp://user:secret@127.0.0.1:9/s in function 'icvExtractPattern'
# Why:    after FFmpeg has failed, the backend for numbered picture files (img_%02d.jpg) is asked too, takes the address for
#         a file's name, and its exception is logged at the level ERROR. So the usual advice, OPENCV_LOG_LEVEL=ERROR, does not
#         help; FATAL does. FFmpeg's own lines leave name and password out. Not printed by 4.12.0.88 and 5.0.0.
# Matters for a program whose output is a service's log, or a classroom's screen: the camera is away for a moment, and its
#         password is there.
#
# Nothing answers at 127.0.0.1:9; no network is needed but for pip. Exit status 0 while it is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "opencv-python-headless==4.8.1.78" "numpy==1.26.4"
cat > "$folder/open.py" <<'PY'
import cv2

print("opened:", cv2.VideoCapture("rtsp://user:secret@127.0.0.1:9/s").isOpened())
PY
for level in ERROR FATAL; do
    OPENCV_LOG_LEVEL=$level "$folder/venv/bin/python" "$folder/open.py" > "$folder/$level.txt" 2>&1
    printf '%s: %s line(s) with the password\n' "$level" "$(grep -c 'user:secret@' "$folder/$level.txt" || true)"
done
grep -q 'user:secret@' "$folder/ERROR.txt"
! grep -q 'user:secret@' "$folder/FATAL.txt"
