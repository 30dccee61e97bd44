"""Connections to the hub end when we say so, whoever holds the other end."""

from __future__ import annotations

import asyncio

from nats.aio.client import Client

from rilon.network.dial import hang_up

INFO = b'INFO {"server_id":"silent","version":"2.11.0","max_payload":1048576,"headers":true}\r\n'
MORE_THAN_ANY_BUFFER = 16 * 1024 * 1024


async def test_a_hub_that_reads_no_more_keeps_no_socket_open() -> None:
    ends: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        writer.write(INFO)
        while not (await reader.readline()).startswith(b"PING"):
            pass
        writer.write(b"PONG\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a read transport

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    client = Client()
    await client.connect(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}", allow_reconnect=False)
    ours: asyncio.StreamWriter = client._transport._io_writer  # type: ignore[union-attr]
    sock = ours.get_extra_info("socket")
    ours.write(bytes(MORE_THAN_ANY_BUFFER))
    await hang_up(client)
    assert sock.fileno() == -1
    ends[0].transport.abort()
    server.close()
    await server.wait_closed()
