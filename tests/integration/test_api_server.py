"""The API on real sockets: streams that do not hold up a stop, and bytes that are no honest HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest

from rilon.api.requests import MAX_BODY_BYTES
from rilon.errors import RefusedError, UnavailableError
from rilon.front.server import GRACE_S, HEAD_BYTES, ApiServer, listen_tcp, listen_unix
from tests.api import HOST, ApiNode, Client, api_node
from tests.nodes import draft_of


@asynccontextmanager
async def served(api: ApiNode, sock: socket.socket, *, signals: bool = False) -> AsyncIterator[ApiServer]:
    server = ApiServer(api.app, api.services.notifier.close, signals=signals)
    task = asyncio.create_task(server.run_on(sock))
    async with asyncio.timeout(5):
        while not server.started:
            await asyncio.sleep(0.005)
    try:
        yield server
    finally:
        server.stop()
        await task


@asynccontextmanager
async def on_port(api: ApiNode) -> AsyncIterator[int]:
    sock = listen_tcp("127.0.0.1", 0)
    async with served(api, sock):
        yield sock.getsockname()[1]


@contextmanager
def ignoring(number: signal.Signals) -> Iterator[list[int]]:
    """What uvicorn raises again when it has stopped must not stop the tests."""
    caught: list[int] = []
    before = signal.signal(number, lambda n, _: caught.append(n))
    try:
        yield caught
    finally:
        signal.signal(number, before)


async def raw(port: int, request: bytes, *, timeout_s: float = 5, enough: bytes = b"") -> bytes:
    """Send bytes and read until what is enough came, or the other side closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(timeout_s):
            writer.write(request)
            try:
                await writer.drain()
                while not (enough and enough in answer) and (part := await reader.read(65536)):
                    answer += part
            except ConnectionError:
                pass
    except TimeoutError:
        pass
    finally:
        writer.close()
    return answer


@pytest.mark.parametrize("how", ["stop", "signal"])
async def test_an_open_stream_does_not_hold_up_a_stop(how: str, caplog: pytest.LogCaptureFixture) -> None:
    async with api_node(knows=["id"]) as api, httpx.AsyncClient() as http:
        listener, author, sock = await api.client(), await api.node.officer(), listen_tcp("127.0.0.1", 0)
        await api.settle()
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1/notices"
        headers = {"host": HOST, "authorization": f"Bearer {listener.token}"}
        with ignoring(signal.SIGTERM) as caught:
            async with (
                served(api, sock, signals=how == "signal") as server,
                http.stream("GET", url, headers=headers) as answer,
            ):
                lines = answer.aiter_lines()
                assert await anext(lines) == "retry: 3000"
                await api.node.post(author, draft_of("TIP-RECRUIT", "id"))
                await api.settle()
                heard = [await anext(lines) for _ in range(4)]
                assert [line.split(": ")[0] for line in heard] == ["", "id", "event", "data"]
                started = monotonic()
                if how == "stop":
                    server.stop()
                else:
                    os.kill(os.getpid(), signal.SIGTERM)
                assert [line async for line in lines] == [""]
            assert monotonic() - started < GRACE_S / 2
        assert caught == ([signal.SIGTERM] if how == "signal" else [])
        assert not [r for r in caplog.records if r.levelname in {"ERROR", "WARNING"}]


BAD = {
    "not http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no host": b"GET /v1/health HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\nHost: evil.example\r\n\r\n",
    "length and chunks": (
        b"POST /v1/alerts HTTP/1.1\r\nHost: th.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /v1/health HTTP/1.1\r\nHost: th.localhost\r\n\r\n"
    ),
    "two lengths": b"POST / HTTP/1.1\r\nHost: th.localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "negative length": b"POST /v1/alerts HTTP/1.1\r\nHost: th.localhost\r\nContent-Length: -1\r\n\r\n",
    "a hundred thousand headers": b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\n"
    + b"a: b\r\n" * 100_000
    + b"\r\n",
    "one huge header": b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\na: " + b"b" * 4 * HEAD_BYTES + b"\r\n\r\n",
    "a huge path": b"GET /" + b"a" * 2 * HEAD_BYTES + b" HTTP/1.1\r\nHost: th.localhost\r\n\r\n",
    "a folded header": b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\nA: b\r\n c: d\r\nHost: x\r\n\r\n",
    "nul in a header": b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\nA: \0\r\n\r\n",
    "connect": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "absolute path": b"GET http://evil.example/v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_honest_http_is_refused_and_harms_nobody(name: str) -> None:
    async with api_node() as api, on_port(api) as port:
        answer = await raw(port, BAD[name], timeout_s=0.4)
        assert not answer or answer.split(b" ", 2)[1].startswith(b"4"), answer[:200]
        assert answer.count(b"HTTP/1.1 2") == 0
        well = b"GET /v1/health HTTP/1.1\r\nHost: th.localhost\r\nConnection: close\r\n\r\n"
        assert (await raw(port, well)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_endless_body_is_cut_off_at_its_limit() -> None:
    async with api_node() as api, on_port(api) as port:
        officer = await api.client()
        head = (
            f"POST /v1/alerts HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {officer.token}\r\n"
            "Idempotency-Key: an-endless-body\r\nContent-Type: application/json\r\n"
        ).encode()
        chunk = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
        endless = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (4 + MAX_BODY_BYTES // 65536)
        assert (await raw(port, endless, enough=b"\r\n")).startswith(b"HTTP/1.1 413 ")
        announced = head + b"Content-Length: 1000000000\r\n\r\n" + b" " * 1000
        assert (await raw(port, announced, enough=b"\r\n")).startswith(b"HTTP/1.1 413 ")


async def test_nobody_without_a_token_makes_the_node_read_a_body() -> None:
    async with api_node() as api, on_port(api) as port:
        head = f"POST /v1/alerts HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000000\r\n\r\n".encode()
        assert (await raw(port, head, enough=b"\r\n")).startswith(b"HTTP/1.1 401 ")


async def test_an_answer_in_two_parts_is_sent_at_once() -> None:
    sends_at_once: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = writer.get_extra_info("socket")
        sends_at_once.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    sock = listen_tcp("127.0.0.1", 0)
    async with await asyncio.start_server(look, sock=sock):
        _, writer = await asyncio.open_connection(*sock.getsockname())
        assert await sends_at_once
        writer.close()


async def test_a_port_that_is_taken_is_said_plainly() -> None:
    sock = listen_tcp("127.0.0.1", 0)
    sock.listen()
    with pytest.raises(UnavailableError) as caught:
        listen_tcp("127.0.0.1", sock.getsockname()[1])
    assert caught.value.code == "http.port-taken"
    assert caught.value.fix
    sock.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(RefusedError) as caught:
        listen_tcp(host, 0)
    assert caught.value.code == "http.not-loopback"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9"])
def test_loopback_has_names(host: str) -> None:
    listen_tcp(host, 0).close()


async def test_a_unix_socket_is_for_its_group_and_replaces_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    listen_unix(path).close()  # a process that died left its socket behind
    async with api_node() as api:
        async with served(api, listen_unix(path)):
            assert path.stat().st_mode & 0o777 == 0o660
            with pytest.raises(UnavailableError) as caught:
                listen_unix(path)
            assert caught.value.code == "http.socket-taken"
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
                officer = await api.client()
                assert (await Client(http, None, officer.token).get("/v1/me")).status_code == 200
                statuses = {(await Client(http).get("/v1/me")).status_code for _ in range(40)}
                assert statuses == {401}, "callers behind one proxy have no address to be slowed down by"
        (tmp_path / "file").write_text("no socket")
        with pytest.raises(UnavailableError):
            listen_unix(tmp_path / "file")
