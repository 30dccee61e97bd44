"""Images in a process of their own: nothing but pixels comes back, and nothing an image does reaches the node."""

from __future__ import annotations

import asyncio
from io import BytesIO

import pytest
from PIL import Image

from rilon.domain.attachments import sniff
from rilon.errors import InvalidError, UnavailableError
from rilon.node import images
from rilon.node.images import ImageProcess
from tests.fakes.pictures import SECRET, bad, marked, noise, photo, saved

MARKED, BAD = marked(), bad()


@pytest.mark.parametrize("data", MARKED.values(), ids=MARKED)
async def test_only_pixels_are_left(data: bytes) -> None:
    assert SECRET in data
    media_type, made = await ImageProcess().image(sniff(data), data)
    assert SECRET not in made
    with Image.open(BytesIO(made)) as image:
        assert media_type == f"image/{image.format.lower()}"  # type: ignore[union-attr]
        assert getattr(image, "n_frames", 1) == 1
        assert not image.getexif()
        assert {"icc_profile", "comment", "exif"}.isdisjoint(image.info)


async def test_an_image_stands_as_it_was_held() -> None:
    _, made = await ImageProcess().image("JPEG", MARKED["jpeg exif"])
    with Image.open(BytesIO(made)) as image:
        assert image.size == (40, 60)


async def test_pixels_stay_what_they_were() -> None:
    before = noise(mode="RGBA")
    _, made = await ImageProcess().image("PNG", saved(before, "PNG"))
    with Image.open(BytesIO(made)) as image:
        assert image.tobytes() == before.tobytes()


async def test_a_large_one_is_scaled_down() -> None:
    media_type, made = await ImageProcess().image("PNG", saved(Image.new("RGB", (6000, 3000), "red"), "PNG"))
    with Image.open(BytesIO(made)) as image:
        assert (media_type, image.size) == ("image/png", (4096, 2048))


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_a_bad_one_is_refused_and_harms_nothing(data: bytes) -> None:
    cleaner = ImageProcess()
    with pytest.raises(InvalidError) as refused:
        await cleaner.image(sniff(data), data)
    assert refused.value.code == "attachment.image"
    assert await cleaner.image("JPEG", photo())


async def test_one_that_takes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "WALL_S", 0.01)
    with pytest.raises(InvalidError):
        await ImageProcess().image("JPEG", photo())


async def test_a_crowd_is_asked_to_come_again() -> None:
    cleaner = ImageProcess()
    some = [cleaner.image("JPEG", photo()) for _ in range(images.WAITING + 3)]
    found = await asyncio.gather(*some, return_exceptions=True)
    assert sum(isinstance(f, UnavailableError) for f in found) == 3
    assert await cleaner.image("JPEG", photo())
