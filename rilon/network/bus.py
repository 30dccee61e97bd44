"""``Bus`` over NATS: publish into Members' inboxes at the hub, pull frames from our own.

It survives whatever the hub does: it dials again and again with growing, jittered patience, reading its credentials
anew, and asks again for frames whenever an answer might have been lost.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from rilon.domain.values import MemberId
from rilon.errors import InvalidError, RilonError, UnavailableError
from rilon.network.claims import CONSUMER, account_of, frame_subject
from rilon.network.dial import dial, explain, hang_up
from rilon.network.ports import MAX_FRAME_BYTES, BusHealth, Incoming, Posted

WINDOW = 64
"""Frames in flight at once: at most 32 MiB."""
BATCH = 64
"""Frames asked for at once: what a slow reader must hold is at most 32 MiB."""
ANSWER_S = 5.0
PULL_S = 5
"""How long one request for frames stands at the hub. After a crash of ours, frames go to the dead request so long."""
GRACE_S = 2.0
PATIENCE_S = (0.1, 2.0)
"""First and longest pause between attempts to connect."""
STEADY_S = 5.0
"""A connection that held so long resets the patience."""
NO_INBOX_S = 1.0

FRAME_SUBJECT_WORDS = 4
INBOX_FULL = frozenset({10047, 10076, 10077})
"""NATS' codes for limits of a stream: store, messages, messages per subject."""


class _Fault(msgspec.Struct):
    code: int = 0
    err_code: int = 0


class _Answer(msgspec.Struct):
    """The hub's answer to a frame. Even a refusal carries ``seq: 0``: only the absence of ``error`` means yes."""

    error: _Fault | None = None


class NatsBus:
    """A node's connection to the hub.

    Args:
        url: ``nats://`` or ``tls://host:port``.
        credentials: our ``.creds`` file, made by ``rilon hub add-member``; read again for every attempt to connect.
        tls: see ``dial.client_tls``; None only towards a hub on this machine.
        jitter: draws from [0, 1); spreads the nodes out when all of them reconnect. No secret.
    """

    def __init__(
        self,
        url: str,
        credentials: Path,
        tls: ssl.SSLContext | None = None,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url, self._credentials, self._tls, self._jitter = url, credentials, tls, jitter
        self._client: Client | None = None
        self._line: asyncio.Future[None]  # done when the line of ``_client`` breaks: who waits for an answer stops
        self._inbox = self._account = ""
        self._changed = asyncio.Event()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._window = asyncio.Semaphore(WINDOW)
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._trouble, self._published, self._received, self._pulls = "Not connected yet.", 0, 0, 0

    def __repr__(self) -> str:
        return f"NatsBus({self._url!r})"

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay_connected(), name="bus")
        self._task.add_done_callback(lambda _: self._switch(None))
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def publish(self, recipient: MemberId, frame: bytes, message_id: str) -> Posted:
        """See ``Bus``."""
        if len(frame) > MAX_FRAME_BYTES:
            raise InvalidError("bus.frame-too-large", f"A frame has at most {MAX_FRAME_BYTES} bytes.")
        async with self._window:
            if self._client is None:
                return Posted.AWAY
            asking = asyncio.create_task(self._ask(self._client, recipient, frame, message_id))
            try:
                either: set[asyncio.Future[Any]] = {asking, self._line}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                return asking.result() if asking.done() else Posted.AWAY
            finally:
                asking.cancel()

    async def frames(self) -> AsyncIterator[Incoming]:
        """See ``Bus``."""
        while not self._closed:
            if self._task is not None and self._task.done():
                self._task.result()  # a fault of ours: better loud than deaf
            async for message in self._pull():
                self._received += 1
                yield self._incoming(message)

    def health(self) -> BusHealth:
        """See ``Bus``."""
        connected = self._client is not None
        return BusHealth(connected, "" if connected else self._trouble, self._published, self._received)

    async def close(self) -> None:
        """See ``Bus``."""
        if self._closed:
            return
        self._closed = True
        await self._give_back()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def connected(self) -> None:
        """Wait for a connection."""
        while self._client is None:
            await self._changed.wait()

    async def _stay_connected(self) -> None:
        patience, longest = PATIENCE_S
        loop = asyncio.get_running_loop()
        while not self._closed:
            since = loop.time()
            await self._one_connection()
            patience = PATIENCE_S[0] if loop.time() - since > STEADY_S else min(patience * 2, longest)
            await asyncio.sleep(patience * (0.5 + self._jitter() / 2))

    async def _one_connection(self) -> None:
        """Connect, serve until the line breaks, and clear up."""
        line = asyncio.get_running_loop().create_future()

        async def on_closed() -> None:
            _end(line)

        try:
            client = await dial(self._url, self._credentials, self._tls, on_trouble=self._note, on_closed=on_closed)
        except UnavailableError as error:
            self._note(error.message)
            return
        try:
            await self._open(client, line)
            await line
        except (NatsError, OSError, RilonError) as error:
            self._note(explain(error).message)
        finally:
            _end(line)
            self._switch(None)
            await hang_up(client)

    async def _open(self, client: Client, line: asyncio.Future[None]) -> None:
        self._account = account_of(self._credentials.read_text())
        self._inbox = client.new_inbox()

        async def arrive(message: Msg) -> None:
            self._arrived.put_nowait(message)

        await client.subscribe(f"{self._inbox}.*", cb=arrive)
        self._line = line
        self._switch(client)

    def _switch(self, client: Client | None) -> None:
        """Connected or not: whoever waits for the one or for an answer of the other wakes up."""
        self._client = client
        if client is None:
            self._arrived.put_nowait(None)
        self._changed.set()
        self._changed = asyncio.Event()

    async def _pull(self) -> AsyncIterator[Msg]:
        """The frames that answer one request; ends when it is used up, expired, lost or pointless."""
        client = self._client
        if client is None:
            await self._changed.wait()
            return
        self._pulls += 1
        answers_to = f"{self._inbox}.{self._pulls}"
        request = msgspec.json.encode({"batch": BATCH, "expires": PULL_S * 1_000_000_000})
        with suppress(NatsError, OSError):
            await client.publish("hub.next", request, reply=answers_to)
        deadline = asyncio.get_running_loop().time() + PULL_S + GRACE_S
        left = BATCH
        while left and (message := await self._next(deadline)) is not None:
            if _is_frame(message):
                left -= 1
                yield message
            elif message.subject == answers_to:
                await self._pause(message)
                return

    async def _next(self, deadline: float) -> Msg | None:
        """What arrives next; None when the line broke, the bus was closed, or nothing came in time."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._arrived.get()
        except TimeoutError:
            return None

    async def _pause(self, status: Msg) -> None:
        """After "your request ran out" ask again at once; after "no inbox" wait for the hub to make one."""
        if (status.headers or {}).get("Status") != "408":
            with suppress(TimeoutError):
                async with asyncio.timeout(NO_INBOX_S):
                    await self._changed.wait()

    def _incoming(self, message: Msg) -> Incoming:
        async def ack() -> None:
            await self._answer(message, b"+ACK")

        return Incoming(message.data, message.subject.split(".")[1], ack)

    async def _ask(self, client: Client, recipient: MemberId, frame: bytes, message_id: str) -> Posted:
        subject, headers = frame_subject(self._account, recipient), {"Nats-Msg-Id": message_id}
        try:
            answer = await client.request(subject, frame, timeout=ANSWER_S, headers=headers)
        except NoRespondersError:
            return Posted.NOBODY
        except (NatsError, OSError):
            return Posted.AWAY
        return self._judge(answer.data)

    async def _answer(self, message: Msg, word: bytes) -> None:
        # A hub that lies about the address makes us speak at our own doors only.
        if self._client is not None and message.reply.startswith(f"$JS.ACK.{self._account}.{CONSUMER}."):
            with suppress(NatsError, OSError):
                await self._client.publish(message.reply, word)

    async def _give_back(self) -> None:
        """What lies here unread comes again at once instead of after the hub's patience."""
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None and _is_frame(message):
                await self._answer(message, b"-NAK")

    def _judge(self, answer: bytes) -> Posted:
        try:
            fault = msgspec.json.decode(answer, type=_Answer).error
        except msgspec.DecodeError:
            fault = _Fault()
        if fault is None:
            self._published += 1
            return Posted.TAKEN
        if fault.err_code in INBOX_FULL:
            return Posted.FULL
        self._note(f"The hub refused a frame (code {fault.err_code}).")
        return Posted.REFUSED

    def _note(self, trouble: str) -> None:
        self._trouble = trouble


def _end(line: asyncio.Future[None]) -> None:
    if not line.done():
        line.set_result(None)


def _is_frame(message: Msg) -> bool:
    """Frames keep the subject they were published to. Headers do not tell: a sender may write any status into them."""
    words = message.subject.split(".")
    return len(words) == FRAME_SUBJECT_WORDS and words[0] == "rilon"
