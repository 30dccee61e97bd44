"""What every ``Bus`` owes the courier. A subclass says how to make the hub and how to make it misbehave."""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from rilon.errors import InvalidError
from rilon.network.ports import MAX_FRAME_BYTES, Bus, Incoming, Posted

INBOX_FRAMES = 4
IDS = (f"{n:064x}" for n in itertools.count())


class Playground(ABC):
    """A hub with the Members th, my and au, inboxes of ``INBOX_FRAMES`` and little patience."""

    @abstractmethod
    def bus(self, member: str) -> AbstractAsyncContextManager[Bus]:
        """A connected bus."""

    @abstractmethod
    async def down(self) -> None: ...

    @abstractmethod
    async def up(self) -> None: ...


async def post(bus: Bus, recipient: str, frame: bytes, message_id: str | None = None) -> Posted:
    return await bus.publish(recipient, frame, message_id or next(IDS))


async def until_taken(bus: Bus, recipient: str, frame: bytes) -> None:
    async with asyncio.timeout(10):
        while await post(bus, recipient, frame) is not Posted.TAKEN:
            await asyncio.sleep(0.02)


async def take(frames: AsyncIterator[Incoming], *, ack: bool = True) -> Incoming:
    async with asyncio.timeout(10):
        incoming = await anext(frames)
    if ack:
        await incoming.ack()
    return incoming


async def silence(frames: AsyncIterator[Incoming]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await anext(frames)


class BusContract(ABC):
    @pytest.fixture
    @abstractmethod
    async def ground(self) -> AsyncIterator[Playground]:
        yield ...

    async def test_bytes_arrive_as_they_were_sent(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            frames = my.frames()
            for frame in (b"\x00\r\n\xff", b"", bytes(MAX_FRAME_BYTES)):
                assert await post(th, "my", frame) is Posted.TAKEN
                assert (await take(frames)).frame == frame

    async def test_order_and_sender_are_kept(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("au") as au, ground.bus("my") as my:
            for sender, frame in ((th, b"1"), (au, b"2"), (th, b"3")):
                await post(sender, "my", frame)
            frames = my.frames()
            came = [await take(frames) for _ in range(3)]
            assert [each.frame for each in came] == [b"1", b"2", b"3"]
            assert came[0].sender == came[2].sender != came[1].sender

    async def test_what_was_not_acknowledged_comes_again(self, ground: Playground) -> None:
        async with ground.bus("th") as th:
            await post(th, "my", b"once")
            async with ground.bus("my") as my:
                assert (await take(my.frames(), ack=False)).frame == b"once"
            async with ground.bus("my") as my:
                assert (await take(my.frames())).frame == b"once"

    async def test_what_was_acknowledged_does_not(self, ground: Playground) -> None:
        async with ground.bus("th") as th:
            await post(th, "my", b"once")
            async with ground.bus("my") as my:
                await take(my.frames())
            async with ground.bus("my") as my:
                frames = my.frames()
                await silence(frames)

    async def test_there_is_nobody_by_that_name(self, ground: Playground) -> None:
        async with ground.bus("th") as th:
            assert await post(th, "xx", b"frame") is Posted.NOBODY

    async def test_a_full_inbox_is_full_for_that_sender_alone(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("au") as au, ground.bus("my") as my:
            answers = await asyncio.gather(*(post(th, "my", b"flood") for _ in range(3 * INBOX_FRAMES)))
            assert sorted(answers) == [Posted.FULL] * 2 * INBOX_FRAMES + [Posted.TAKEN] * INBOX_FRAMES
            assert await post(au, "my", b"me too") is Posted.TAKEN
            frames = my.frames()
            assert [(await take(frames)).frame for _ in range(INBOX_FRAMES + 1)] == [b"flood"] * INBOX_FRAMES + [
                b"me too"
            ]
            await until_taken(th, "my", b"more")  # an acknowledgement takes a moment to make room
            assert (await take(frames)).frame == b"more"

    async def test_a_frame_too_large_is_not_sent(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            with pytest.raises(InvalidError) as caught:
                await post(th, "my", bytes(MAX_FRAME_BYTES + 1))
            assert caught.value.code == "bus.frame-too-large"
            frames = my.frames()
            await silence(frames)

    async def test_one_message_id_is_stored_once(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            message_id = next(IDS)
            for _ in range(2):
                assert await post(th, "my", b"twice", message_id) is Posted.TAKEN
            frames = my.frames()
            await take(frames)
            await silence(frames)

    async def test_it_says_when_the_hub_is_away_and_comes_back(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            reading = asyncio.create_task(take(my.frames()))
            await ground.down()
            assert await post(th, "my", b"lost") is Posted.AWAY
            assert not th.health().connected
            assert th.health().trouble.endswith(".")
            await ground.up()
            await until_taken(th, "my", b"found")
            assert (await reading).frame == b"found"
            assert th.health().connected
            assert th.health().trouble == ""

    async def test_it_counts(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            await post(th, "my", b"1")
            await post(th, "xx", b"2")
            await take(my.frames())
            assert (th.health().published, my.health().received) == (1, 1)

    async def test_closing_ends_the_reading(self, ground: Playground) -> None:
        async with ground.bus("th") as th, ground.bus("my") as my:
            reading = asyncio.create_task(anext(my.frames(), None))
            await asyncio.sleep(0.05)
            await my.close()
            await my.close()
            async with asyncio.timeout(5):
                assert await reading is None
            assert await post(my, "th", b"late") is Posted.AWAY
            assert [each async for each in my.frames()] == []
            assert await post(th, "my", b"still there") is Posted.TAKEN
