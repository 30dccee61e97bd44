"""Decode the image on stdin and write it anew to stdout. Run as a script, alone: ``python -I images_exec.py JPEG``.

It limits itself before it reads a byte. Any exit code but 0 means that there is no image.
"""

from __future__ import annotations

import resource
import sys
from io import BytesIO

from PIL import Image, ImageFile, ImageOps

MEMORY_BYTES = 1 << 30
CPU_S = 20
MOST_PIXELS = 64_000_000
"""A small file can claim any size (a decompression bomb); the claim is looked at before a pixel is made."""
LONGEST = 4096
"""Larger ones are scaled down to this many pixels a side: a face or a page stays readable, and thin lines carry it."""
QUALITY = 88
LOSSLESS_BYTES = 4 << 20
"""A PNG above this is a photograph, and becomes a JPEG if nothing of it is transparent."""


def confine() -> None:
    """Take from this process what decoding does not need."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def remake(form: str, data: bytes) -> bytes:
    """The image encoded from its pixels: no metadata, colour profile or comment, no second image, nothing behind it."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with Image.open(BytesIO(data), formats=[form]) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise ValueError
        image.draft("RGB", (LONGEST, LONGEST))
        image.load()
        pixels = upright(image)
    clear = pixels.mode == "RGBA"
    if form in {"PNG", "GIF"} or clear:
        made = encoded(pixels, "PNG", optimize=False)
        if clear or len(made) <= LOSSLESS_BYTES:
            return made
    return encoded(pixels, "JPEG", quality=QUALITY)


def upright(image: Image.Image) -> Image.Image:
    """A new image of the pixels only, turned as the camera was held, at most ``LONGEST`` a side."""
    image.thumbnail((LONGEST, LONGEST))
    turned = ImageOps.exif_transpose(image)
    plain = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    return Image.frombytes(plain.mode, plain.size, plain.tobytes())


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of a file."""
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


if __name__ == "__main__":
    confine()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    sys.stdout.buffer.write(remake(sys.argv[1], sys.stdin.buffer.read()))
