"""Small files of many kinds, and what OpenCV reads from them in colour and in grey: opencv.npz.

    pip install opencv-python-headless==5.0.0.93 pillow==13.0.0 && python make.py

OpenCV 4.5.5 gives the same.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
PIXELS = (np.kron(rng.integers(0, 255, (3, 4, 3)), np.ones((11, 9, 1))) + rng.integers(-6, 6, (33, 36, 3))).clip(0, 255)
PIXELS = PIXELS.astype(np.uint8)[:21, :26]
PICTURE = Image.fromarray(PIXELS)
GREY = PICTURE.convert("L")
ALPHA = Image.fromarray(np.dstack([PIXELS, PIXELS[..., 0]]))
SIXTEEN = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257 ^ 0x85)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def ycck():
    """A JPEG of four inks as Adobe's programs write them: as brightness, two colours and black."""
    data = saved(PICTURE.convert("CMYK"), "JPEG", quality=90)
    place = data.index(b"Adobe") + 11  # the transform
    return data[:place] + b"\x02" + data[place + 1 :]


JPEG = saved(PICTURE, "JPEG", quality=92)
FILES = {
    "jpeg": JPEG,
    "jpeg 444": saved(PICTURE, "JPEG", quality=92, subsampling=0),
    "jpeg 422": saved(PICTURE, "JPEG", quality=92, subsampling=1),
    "jpeg progressive": saved(PICTURE, "JPEG", progressive=True),
    "jpeg grey": saved(GREY, "JPEG"),
    "jpeg rgb": saved(PICTURE, "JPEG", keep_rgb=True),
    "jpeg cmyk": saved(PICTURE.convert("CMYK"), "JPEG"),
    "jpeg ycck": ycck(),
    "jpeg and another": JPEG + saved(GREY, "JPEG"),
    "mpo": saved(PICTURE, "MPO", save_all=True, append_images=[GREY], quality=92),
    "mpo turned": saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE], quality=92, exif=turned(6)),
    "mpo 444": saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE], quality=92, subsampling=0),
    "mpo grey": saved(GREY, "MPO", save_all=True, append_images=[GREY]),
    "tiff jpeg": saved(PICTURE, "TIFF", compression="jpeg"),
    "tiff jpeg grey": saved(GREY, "TIFF", compression="jpeg"),
    "tiff": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "tiff 1 bit": saved(PICTURE.convert("1"), "TIFF", compression="group4"),
    "tiff 16 bits": saved(SIXTEEN, "TIFF", compression="tiff_lzw"),
    "tiff palette": saved(PICTURE.quantize(9), "TIFF", compression="tiff_lzw"),
    "tiff grey and alpha": saved(ALPHA.convert("LA"), "TIFF", compression="tiff_lzw"),
    "png": saved(PICTURE, "PNG"),
    "png 1 bit": saved(PICTURE.convert("1"), "PNG"),
    "png 16 bits": saved(SIXTEEN, "PNG"),
    "png alpha": saved(ALPHA, "PNG"),
    "png grey and alpha": saved(ALPHA.convert("LA"), "PNG"),
    "png palette": saved(PICTURE.quantize(9), "PNG"),
    "png palette and transparency": saved(PICTURE.quantize(9), "PNG", transparency=3),
    "png one colour transparent": saved(PICTURE, "PNG", transparency=(1, 2, 3)),
    "bmp palette": saved(PICTURE.quantize(9), "BMP"),
    "pbm": saved(PICTURE.convert("1"), "PPM"),
    "webp": saved(PICTURE, "WEBP", lossless=True),
    "webp alpha": saved(ALPHA, "WEBP", lossless=True, exact=True),
}

kept = {}
for name, data in FILES.items():
    whole = np.frombuffer(data, np.uint8)
    kept |= {
        f"{name}/file": whole,
        f"{name}/BGR": cv2.imdecode(whole, cv2.IMREAD_COLOR),
        f"{name}/GRAY": cv2.imdecode(whole, cv2.IMREAD_GRAYSCALE),
    }
np.savez_compressed(Path(__file__).with_name("opencv.npz"), **kept)
