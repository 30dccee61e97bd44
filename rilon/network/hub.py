"""Administration of the NATS hub: Members in, Members out, and an inbox for each of those who are in.

The hub is an untrusted courier, and this is its whole state: accounts and inboxes. Nothing in it needs a backup but
``keys/`` and ``hub.json``: inboxes that vanish are made again, and the nodes send again whatever was in them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from rilon.app.ports import Clock, Entropy
from rilon.domain.values import MemberId
from rilon.errors import InvalidError, NotFoundError, UnavailableError
from rilon.network import claims
from rilon.network.claims import CONSUMER, Connection, Kind, NatsKey
from rilon.network.dial import client_tls, dial, explain, hang_up
from rilon.network.hub_home import HubHome, HubMember, HubSettings
from rilon.network.ports import MAX_FRAME_BYTES

HEADERS_BYTES = 1 << 10
ANSWER_S = 5.0
CHECK_S = 5.0
MAX_UNACKNOWLEDGED = 1_024
SECOND = 1_000_000_000


class _Fault(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Pushed(msgspec.Struct):
    """The server's answer to claims."""

    error: _Fault | None = None


class _State(msgspec.Struct):
    consumer_count: int = 0


class _Stream(msgspec.Struct):
    config: dict[str, Any]
    state: _State


class _Answer(msgspec.Struct):
    """JetStream's answer to an administrator."""

    error: _Fault | None = None
    total: int = 0
    streams: list[_Stream] | None = None


def inbox_config(member: HubMember, settings: HubSettings) -> dict[str, Any]:
    """A Member's inbox: a work queue, named by its account, that no sender can fill for the others."""
    return {
        "name": member.account,
        "subjects": [claims.frame_subject("*", member.member)],
        "retention": "workqueue",
        "storage": "file",
        "num_replicas": settings.replicas,
        "discard": "new",
        "discard_new_per_subject": True,
        "max_msgs_per_subject": settings.inbox_frames,
        "max_msg_size": MAX_FRAME_BYTES + HEADERS_BYTES,
        "max_age": settings.frame_age_s * SECOND,
        "max_consumers": 1,
        "deny_delete": True,
        "deny_purge": True,
    }


def consumer_config(settings: HubSettings) -> dict[str, Any]:
    """The one reader of an inbox: it pulls, and says itself when a frame may be forgotten."""
    return {
        "durable_name": CONSUMER,
        "name": CONSUMER,
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_wait": int(settings.ack_wait_s * SECOND),
        "max_ack_pending": MAX_UNACKNOWLEDGED,
        "num_replicas": settings.replicas,
    }


class Hub:
    """The hub in one directory, with its server running or not."""

    def __init__(self, home: HubHome, clock: Clock, entropy: Entropy) -> None:
        self._home, self._clock, self._entropy = home, clock, entropy
        self._hub = home.record.hub

    def __repr__(self) -> str:
        return f"Hub({str(self._home.path)!r})"

    @classmethod
    def init(cls, path: Path, settings: HubSettings, clock: Clock, entropy: Entropy) -> Hub:
        """A new hub in ``path``. Errors: see ``HubHome.create``."""
        return cls(HubHome.create(path, settings, clock.now(), entropy), clock, entropy)

    @classmethod
    def open(cls, path: Path, clock: Clock, entropy: Entropy) -> Hub:
        """The hub in ``path``. Errors: see ``HubHome.open``."""
        return cls(HubHome.open(path), clock, entropy)

    @property
    def home(self) -> HubHome:
        """Its directory: url, configuration, credentials."""
        return self._home

    def members(self) -> list[HubMember]:
        """All that ever were, revoked ones too, oldest first."""
        return list(self._home.record.members)

    async def add_member(self, member: MemberId, *, connection: Connection = "STANDARD") -> Path:
        """Let a Member in, or renew the credentials of one that is in; works with the server running or not.

        Args:
            member: id in the directory.
            connection: STANDARD to connect straight to the hub, LEAFNODE through a nats-server of their own.

        Returns:
            The new credentials file, a secret to be handed to the Member.

        Raises:
            InvalidError: ``hub.member``: no such id can be.
            UnavailableError: the server runs but does not take the change; nothing was recorded.
        """
        try:
            msgspec.convert(member, MemberId)
        except msgspec.ValidationError as error:
            raise InvalidError("hub.member", "A Member's id is 2 to 12 small letters.", field="member") from error
        now, serving, signer = self._clock.now(), self._home.record.serving(member), self._home.key("signer")
        name = f"members/{member}"
        key = self._home.key(name) if serving else NatsKey.new(Kind.ACCOUNT, self._entropy)
        # Key first, server second, record last: after a crash anywhere, adding again is right.
        self._home.keep_key(name, key)
        await self.push(claims.mint(signer, key.public, member, claims.member_claims(key.public, self._hub), now))
        if serving is None:
            self._keep(HubMember(member, key.public, now))
        await self._reconcile_if_running()
        grants = claims.member_user_claims(key.public, connection)
        return self._home.issue(key, name, grants, now, self._entropy)

    async def revoke(self, member: MemberId) -> None:
        """Shut a Member out at once: its live connections end, its credentials are void, its inbox is destroyed.

        Raises:
            NotFoundError: ``hub.not-in``.
            UnavailableError: the server runs but does not take the change.
        """
        found = self._home.record.serving(member)
        if found is None:
            raise NotFoundError("hub.not-in", f"{member} is not a Member of this hub.")
        now = self._clock.now()
        grants = claims.revoked_claims(int(now.timestamp()))
        await self.push(claims.mint(self._home.key("signer"), found.account, member, grants, now))
        self._keep(msgspec.structs.replace(found, revoked=now))
        self._home.creds(f"members/{member}").unlink(missing_ok=True)
        await self._reconcile_if_running()

    async def push(self, token: str) -> None:
        """Give a Member's account claims, signed here or elsewhere, to the server.

        Raises:
            ProofError, MalformedError: see ``claims.verify_member``; nothing was sent.
            UnavailableError: ``hub.claims``: the server runs and refused them.
        """
        record = self._home.record
        verified = claims.verify_member(token, record.signer, record.hub)
        if not await self._running():
            self._home.put_claims(verified.sub, token)
            return
        async with self._session("system") as client:
            answer = await _request(client, "$SYS.REQ.CLAIMS.UPDATE", token.encode())
        fault = msgspec.json.decode(answer, type=_Pushed).error
        if fault is not None:
            raise UnavailableError("hub.claims", "The hub's server refused the claims.", fix="See server/nats.log.")

    async def ensure_streams(self) -> list[MemberId]:
        """Make what inboxes are missing and destroy those of revoked Members; whose inboxes were made.

        Raises:
            UnavailableError: ``bus.away`` and the like: the server does not run, or not yet.
        """
        async with self._session("hub") as client:
            return await self._reconcile(client)

    async def keep_streams(self, every_s: float = CHECK_S) -> NoReturn:
        """``ensure_streams`` for ever; the loop of ``rilon hub serve``, so that a lost store heals alone."""
        while True:
            with suppress(UnavailableError):  # the server restarts; the next round finds it
                await self.ensure_streams()
            await asyncio.sleep(every_s)

    async def _reconcile(self, client: Client) -> list[MemberId]:
        settings, made = self._home.record.settings, []
        found = await _streams(client)
        for member in self._home.record.members:
            there, wanted = found.get(member.account), inbox_config(member, settings)
            if member.revoked is not None:
                if there is not None:
                    await _ask(client, f"STREAM.DELETE.{member.account}")
            elif there is None or there.state.consumer_count == 0 or not wanted.items() <= there.config.items():
                await _ask(client, f"STREAM.{'CREATE' if there is None else 'UPDATE'}.{member.account}", wanted)
                reader = {"stream_name": member.account, "config": consumer_config(settings)}
                await _ask(client, f"CONSUMER.CREATE.{member.account}.{CONSUMER}", reader)
                made.append(member.member)
        return made

    async def _reconcile_if_running(self) -> None:
        if await self._running():
            await self.ensure_streams()

    async def _running(self) -> bool:
        settings = self._home.record.settings
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except ConnectionRefusedError:
            return False
        except OSError as error:
            raise UnavailableError("bus.away", f"{self._home.url} cannot be reached.") from error
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    @asynccontextmanager
    async def _session(self, name: str) -> AsyncIterator[Client]:
        """Signed in as the administrator of ``hub`` or ``system``."""
        client = await dial(self._home.url, self._home.creds(name), self._tls())
        try:
            yield client
        finally:
            await hang_up(client)

    def _tls(self) -> ssl.SSLContext | None:
        tls = self._home.record.settings.tls
        return client_tls(Path(tls.authority), Path(tls.certificate), Path(tls.key)) if tls else None

    def _keep(self, member: HubMember) -> None:
        record = self._home.record
        others = [m for m in record.members if m.account != member.account]
        self._home.save(msgspec.structs.replace(record, members=[*others, member]))


async def _streams(client: Client) -> dict[str, _Stream]:
    found: dict[str, _Stream] = {}
    while True:
        answer = await _ask(client, "STREAM.LIST", {"offset": len(found)})
        page = {stream.config["name"]: stream for stream in answer.streams or []}
        found |= page
        if not page or len(found) >= answer.total:
            return found


async def _ask(client: Client, what: str, body: dict[str, Any] | None = None) -> _Answer:
    """One request to JetStream's administration."""
    data = await _request(client, f"$JS.API.{what}", msgspec.json.encode(body) if body is not None else b"")
    answer = msgspec.json.decode(data, type=_Answer)
    if answer.error is not None:
        raise UnavailableError("hub.streams", f"The hub refused {what}: {answer.error.description}.")
    return answer


async def _request(client: Client, subject: str, data: bytes) -> bytes:
    try:
        return (await client.request(subject, data, timeout=ANSWER_S)).data
    except NatsError as error:
        raise explain(error) from error
