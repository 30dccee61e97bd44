"""Pictures made by the tests: sound ones, and every kind of bad one."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from random import Random

from PIL import Image
from PIL.PngImagePlugin import PngInfo

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
SECRET = b"GPS-13.7563N-100.5018E"
"""Stands in every hidden corner of ``marked``."""


def noise(width: int = 60, height: int = 40, mode: str = "RGB", seed: int = 1) -> Image.Image:
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), Random(seed).randbytes(size))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def photo(width: int = 60, height: int = 40, seed: int = 1) -> bytes:
    """A sound JPEG."""
    return saved(noise(width, height, seed=seed), "JPEG")


def marked() -> dict[str, bytes]:
    """Pictures that carry ``SECRET`` where cameras, editors and attackers put such things."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6
    text = PngInfo()
    text.add_text("Comment", SECRET.decode())
    return {
        "jpeg exif": saved(noise(), "JPEG", exif=exif),
        "jpeg comment": saved(noise(), "JPEG", comment=SECRET),
        "jpeg profile": saved(noise(), "JPEG", icc_profile=SECRET),
        "jpeg tail": photo() + SECRET,
        "jpeg with a zip behind": photo() + b"PK\x03\x04" + SECRET,
        "png text": saved(noise(), "PNG", pnginfo=text),
        "png chunk": PNG_HEAD + saved(noise(), "PNG")[8:33] + chunk(b"prVt", SECRET) + saved(noise(), "PNG")[33:],
        "png tail": saved(noise(), "PNG") + SECRET,
        "png see-through": saved(noise(mode="RGBA"), "PNG", pnginfo=text),
        "webp": saved(noise(), "WEBP", exif=exif),
        "gif": saved(noise(mode="L"), "GIF", comment=SECRET),
        "gif film": saved(
            noise(mode="L"), "GIF", save_all=True, append_images=[noise(mode="L", seed=2)], comment=SECRET
        ),
    }


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def claimed_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims any size, and compresses well enough to deliver it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(1 << 24), 9)
    return PNG_HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def bad() -> dict[str, bytes]:
    """Pictures that are none, or too much."""
    sound = photo()
    return {
        "bomb": claimed_png(30_000, 30_000),
        "largest claim": claimed_png((1 << 31) - 1, (1 << 31) - 1),
        "claim in a jpeg": sound[:3]
        + sound[3:].replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 65_000, 65_000)),
        "text bomb": PNG_HEAD + saved(noise(), "PNG")[8:33] + chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 28))),
        "cut off": sound[: len(sound) // 2],
        "beginning only": sound[:3],
        "nothing but a beginning": PNG_HEAD,
        "wrong inside": PNG_HEAD + bytes(range(256)) * 8,
        "webp that is none": b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(64),
        "gif of no size": b"GIF89a" + bytes(16),
    }
