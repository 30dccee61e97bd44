"""Connections to the hub end when we say so, whoever holds the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from nats.aio.client import Client

from rilon.network.dial import dial, hang_up

INFO = b'INFO {"server_id":"fake","version":"2.11.0","max_payload":1048576,"headers":true}\r\n'
MORE_THAN_ANY_BUFFER = 16 * 1024 * 1024
NO_CREDENTIALS = Path("absent.creds")
"""Read only for a hub that asks who we are; this one never does."""
TURNS = 30
"""Of the loop, after which an attempt has long ended (some 24 here)."""


@asynccontextmanager
async def hub(*, silent: bool = False) -> AsyncIterator[str]:
    """What answers a connection and every ping; a silent one reads nothing more after the first."""
    ends: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        writer.write(INFO)
        with suppress(OSError):
            while line := await reader.readline():
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
                    if silent:
                        writer.transport.pause_reading()  # type: ignore[attr-defined] # a read transport

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for end in ends:
            end.transport.abort()
        server.close()
        await server.wait_closed()


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_hub_that_reads_no_more_keeps_no_socket_open() -> None:
    async with hub(silent=True) as url:
        client = Client()
        await client.connect(url, allow_reconnect=False)
        ours: asyncio.StreamWriter = client._transport._io_writer  # type: ignore[union-attr]
        sock = ours.get_extra_info("socket")
        ours.write(bytes(MORE_THAN_ANY_BUFFER))
        await hang_up(client)
        assert sock.fileno() == -1


@pytest.mark.parametrize("again", [None, 0, 1, 2, 3, 4])
async def test_an_attempt_broken_off_at_any_turn_leaves_no_socket_open(
    again: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off again so many turns later too: a bus may be closed while it still clears up a line that broke."""
    opened: list[socket] = []
    honest = asyncio.open_connection

    async def noting(*args: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await honest(*args, **options)
        opened.append(writer.get_extra_info("socket"))
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", noting)
    async with hub() as url:
        for after in range(TURNS):
            attempt = asyncio.create_task(dial(url, NO_CREDENTIALS, None))
            await turns(after)
            attempt.cancel()
            if again is not None:
                await turns(again)
                attempt.cancel()
            with suppress(asyncio.CancelledError):
                await hang_up(await attempt)
            await turns(2)
            assert [one.fileno() for one in opened] == [-1] * len(opened), after
    assert len(opened) > TURNS / 2
