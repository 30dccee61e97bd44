"""Nobody gets in: what a Member gone bad, a stranger and a thief try at a real hub, and what they get."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from rilon.errors import ProofError, UnavailableError
from rilon.network import claims
from rilon.network.claims import Kind, NatsKey
from rilon.network.dial import dial
from rilon.network.ports import MAX_FRAME_BYTES, Posted
from tests.fakes.entropy import SeededEntropy
from tests.servers import HubServer, hub_server

pytestmark = pytest.mark.real

INBOX_FRAMES = 5
ENTROPY = SeededEntropy(7)


@pytest_asyncio.fixture(scope="module")
async def site() -> AsyncIterator[HubServer]:
    """TH is the attacker, MY the victim, AU a bystander."""
    async with hub_server(inbox_frames=INBOX_FRAMES, ack_wait_s=0.5) as server:
        await server.add("th", "my", "au")
        yield server


class Raw:
    """A bare NATS client with somebody's credentials, and all that the server complained about."""

    def __init__(self, client: Client, complaints: list[str]) -> None:
        self.client, self.complaints = client, complaints

    async def send(self, subject: str, payload: bytes = b"", reply: str = "", headers: bytes | None = None) -> None:
        """Straight onto the wire, past the library's manners."""
        if headers is None:
            line = f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload
        else:
            line = f"HPUB {subject} {reply} {len(headers)} {len(headers) + len(payload)}\r\n".encode()
            line += headers + payload
        await self.client._send_command(line + b"\r\n")
        await self.client.flush()

    async def complaint(self, words: str) -> None:
        async with asyncio.timeout(5):
            while not any(words in each for each in self.complaints):
                await asyncio.sleep(0.01)

    async def ask(self, subject: str, payload: bytes = b"") -> bytes:
        return (await self.client.request(subject, payload, timeout=1)).data


@asynccontextmanager
async def raw(site: HubServer, creds: Path | str) -> AsyncIterator[Raw]:
    path = creds if isinstance(creds, Path) else site.hub.home.creds(f"members/{creds}")
    complaints: list[str] = []
    client = Client()

    async def note(error: Exception) -> None:
        complaints.append(str(error))

    await client.connect(
        site.hub.home.url, user_credentials=str(path), error_cb=note, allow_reconnect=False, max_reconnect_attempts=1
    )
    try:
        yield Raw(client, complaints)
    finally:
        await client.close()


async def waiting(site: HubServer, member: str) -> int:
    """How many frames lie in a Member's inbox."""
    async with raw(site, site.hub.home.creds("hub")) as admin:
        info = msgspec.json.decode(await admin.ask(f"$JS.API.STREAM.INFO.{site.account(member)}"))
    return int(info["state"]["messages"])


async def empty(site: HubServer, member: str) -> None:
    async with site.bus(member) as bus:
        await bus.connected()
        while await waiting(site, member):
            async for incoming in bus.frames():
                await incoming.ack()
                break
            await asyncio.sleep(0.02)


FORBIDDEN_TO_PUBLISH = {
    "publish as another": "rilon.{my}.au.f",
    "publish outside the form": "rilon.{th}.my.x",
    "publish deeper": "rilon.{th}.my.f.more",
    "publish in every form": "rilon.{th}.my.*",
    "publish to everybody and deeper": "rilon.{th}.*.>",
    "publish as everybody": "rilon.*.my.f",
    "publish everywhere": ">",
    "read another's inbox": "$JS.API.CONSUMER.MSG.NEXT.{my}.in",
    "make a reader at another's inbox": "$JS.API.CONSUMER.CREATE.{my}.mine",
    "make a reader at one's own": "$JS.API.CONSUMER.CREATE.{th}.mine",
    "destroy the reader": "$JS.API.CONSUMER.DELETE.{my}.in",
    "read a frame by number": "$JS.API.STREAM.MSG.GET.{my}",
    "read a frame directly": "$JS.API.DIRECT.GET.{my}",
    "purge": "$JS.API.STREAM.PURGE.{my}",
    "list": "$JS.API.STREAM.LIST",
    "destroy an inbox": "$JS.API.STREAM.DELETE.{my}",
    "make an inbox": "$JS.API.STREAM.CREATE.MINE",
    "restore an inbox": "$JS.API.STREAM.RESTORE.MINE",
    "ask about JetStream": "$JS.API.INFO",
    "ask through the domain": "$JS.hub.API.STREAM.LIST",
    "acknowledge another's frame": "$JS.ACK.{my}.in.1.1.1.1.0",
    "change claims": "$SYS.REQ.CLAIMS.UPDATE",
    "delete claims": "$SYS.REQ.CLAIMS.DELETE",
    "ping servers": "$SYS.REQ.SERVER.PING",
}
FORBIDDEN_TO_HEAR = {
    "everything": ">",
    "all frames": "rilon.>",
    "another's frames": "rilon.*.my.>",
    "another's frames to us": "rilon.{my}.th.f",
    "JetStream's events": "$JS.EVENT.>",
    "acknowledgements": "$JS.ACK.>",
    "the system's events": "$SYS.>",
    "pull requests": "hub.next",
}


@pytest.mark.parametrize("what", FORBIDDEN_TO_PUBLISH)
async def test_a_member_may_not(site: HubServer, what: str) -> None:
    subject = FORBIDDEN_TO_PUBLISH[what].format(th=site.account("th"), my=site.account("my"))
    before = [await waiting(site, member) for member in ("th", "my", "au")]
    async with raw(site, "th") as attacker:
        await attacker.send(subject, b"+ACK")
        await attacker.complaint(r"permissions violation for publish")
    assert [await waiting(site, member) for member in ("th", "my", "au")] == before


@pytest.mark.parametrize("what", FORBIDDEN_TO_HEAR)
async def test_a_member_may_not_hear(site: HubServer, what: str) -> None:
    subject = FORBIDDEN_TO_HEAR[what].format(my=site.account("my"))
    async with raw(site, "th") as attacker:
        await attacker.client.subscribe(subject)
        await attacker.complaint(r"permissions violation for subscription")


async def test_answers_to_others_are_not_heard(site: HubServer) -> None:
    """``_INBOX.>`` may be subscribed to, and shows only what is one's own account's."""
    async with raw(site, "th") as attacker, site.bus("au") as au, site.bus("my") as my:
        heard = await attacker.client.subscribe("_INBOX.>")
        await attacker.client.flush()
        await au.connected()
        await my.connected()
        assert await au.publish("my", b"for MY alone", "heard-1") is Posted.TAKEN
        await (await anext(my.frames())).ack()
        with pytest.raises(NatsError):
            await heard.next_msg(timeout=0.2)
        assert not attacker.complaints


@pytest.mark.parametrize("door", ["rilon.{th}.my.f", "hub.next", "hub.info"])
async def test_an_answer_sent_to_anothers_door_stores_nothing(site: HubServer, door: str) -> None:
    """The hole of one shared account: the hub's own answer, sent to a reply-to, was stored as somebody else's frame."""
    await empty(site, "my")
    async with raw(site, "th") as attacker:
        request = b'{"batch":1,"expires":100000000}' if door == "hub.next" else b"frame"
        for reply in ("rilon.{my}.au.f", "rilon.{th}.au.f"):
            await attacker.send(
                door.format(th=site.account("th")), request, reply.format(th=site.account("th"), my=site.account("my"))
            )
        await asyncio.sleep(0.2)
        assert attacker.client.is_connected
    stored = await waiting(site, "au")
    await empty(site, "my")
    await empty(site, "au")
    assert stored == 0


async def test_a_poisoned_message_id_is_no_delivery(site: HubServer) -> None:
    """Who guesses an id makes the hub answer "duplicate" and drop; so ids are unguessable, new for each attempt."""
    async with site.bus("th") as th, site.bus("au") as au, site.bus("my") as my:
        for bus in (th, au, my):
            await bus.connected()
        frames = my.frames()
        assert await th.publish("my", b"poison", "guessed") is Posted.TAKEN
        assert (await anext(frames)).frame == b"poison"
        assert await au.publish("my", b"first attempt", "guessed") is Posted.TAKEN, "the hub says yes and drops it"
        assert await au.publish("my", b"second attempt", "unguessable") is Posted.TAKEN
        came = await anext(frames)
        assert (came.frame, came.sender) == (b"second attempt", site.account("au"))
    await empty(site, "my")


async def test_a_flood_fills_the_flooders_share_only(site: HubServer) -> None:
    async with site.bus("th") as th, site.bus("au") as au:
        await th.connected()
        await au.connected()
        answers = [await th.publish("my", bytes(MAX_FRAME_BYTES), f"flood-{n}") for n in range(INBOX_FRAMES + 2)]
        assert answers == [Posted.TAKEN] * INBOX_FRAMES + [Posted.FULL] * 2
        assert await au.publish("my", b"still room", "calm-1") is Posted.TAKEN
    assert await waiting(site, "my") == INBOX_FRAMES + 1
    await empty(site, "my")


async def test_a_frame_to_everybody_at_once_reaches_nobody(site: HubServer) -> None:
    """A publisher's ``*`` is a word like any other: no inbox is called so."""
    async with raw(site, "th") as attacker:
        with pytest.raises(NoRespondersError):
            await attacker.ask(f"rilon.{site.account('th')}.*.f", b"to all of you")
    assert [await waiting(site, member) for member in ("th", "my", "au")] == [0, 0, 0]


@pytest.mark.parametrize("where", ["subject", "reply"])
async def test_a_line_too_long_costs_its_sender_the_connection_and_stores_nothing(site: HubServer, where: str) -> None:
    subject, long = f"rilon.{site.account('th')}.my.f", "a" * 5_000
    async with raw(site, "th") as attacker, site.bus("au") as au:
        await au.connected()
        with suppress(NatsError, OSError):
            if where == "subject":
                await attacker.send(f"{subject}.{long}", b"frame")
            else:
                await attacker.send(subject, b"frame", f"_INBOX.{long}")
        async with asyncio.timeout(5):
            while attacker.client.is_connected:
                await asyncio.sleep(0.01)
        assert await waiting(site, "my") == 0
        assert await au.publish("my", b"still there", f"calm-{where}") is Posted.TAKEN
    await empty(site, "my")


async def test_an_oversized_frame_is_not_stored(site: HubServer) -> None:
    async with raw(site, "th") as attacker:
        answer = msgspec.json.decode(
            await attacker.ask(f"rilon.{site.account('th')}.my.f", bytes(MAX_FRAME_BYTES + 2_048))
        )
        assert answer["error"]["description"] == "message size exceeds maximum allowed"
    assert await waiting(site, "my") == 0


HOSTILE_HEADERS = {
    "a status": b"NATS/1.0 408 Request Timeout\r\n\r\n",
    "a status that looks like the library's": b"NATS/1.0\r\nStatus: 408\r\nDescription: Request Timeout\r\n\r\n",
    "no responders": b"NATS/1.0 503\r\n\r\n",
    "end of batch": b"NATS/1.0 409 Message Size Exceeds MaxBytes\r\n\r\n",
    "a status that is no number": b"NATS/1.0 abc\r\n\r\n",
    "no name": b"NATS/1.0\r\n: x\r\n\r\n",
    "no colon": b"NATS/1.0\r\nnonsense\r\n\r\n",
    "not ASCII": b"NATS/1.0\r\n\xff\xfe: \xff\r\n\r\n",
    "the version alone": b"NATS/1.0\r\n\r\n",
    "nothing": b"\r\n",
    "no version": b"X: y\r\n\r\n",
    "broken lines": b"NATS/1.0\r\n\n\n\r\r\n\r\n\r\n",
    "a roll-up": b"NATS/1.0\r\nNats-Rollup: all\r\n\r\n",
    "a life time": b"NATS/1.0\r\nNats-TTL: 1s\r\n\r\n",
    "an expectation": b"NATS/1.0\r\nNats-Expected-Stream: MINE\r\n\r\n",
    "a schedule": b"NATS/1.0\r\nNats-Schedule: @every 1s\r\nNats-Schedule-Target: rilon.x.au.f\r\n\r\n",
    "request info": b'NATS/1.0\r\nNats-Request-Info: {"acc":"SYS"}\r\n\r\n',
}


@pytest.mark.parametrize("what", HOSTILE_HEADERS)
async def test_no_header_stops_the_reader(site: HubServer, what: str) -> None:
    async with raw(site, "th") as attacker, site.bus("au") as au:
        await au.connected()
        await attacker.send(f"rilon.{site.account('th')}.my.f", b"hostile", headers=HOSTILE_HEADERS[what])
        assert await au.publish("my", b"honest", f"honest-{what}") is Posted.TAKEN
    stored = await waiting(site, "my")
    async with site.bus("my") as my:
        await my.connected()
        seen = []
        async with asyncio.timeout(5):  # a status of the sender's making is no status of the hub's: all of it is read
            async for incoming in my.frames():
                seen.append(incoming.frame)
                await incoming.ack()
                if len(seen) == stored:
                    break
        assert b"honest" in seen
        assert all(frame.endswith(b"hostile") for frame in seen if frame != b"honest")
        assert my.health().connected
    await empty(site, "my")
    assert await waiting(site, "au") == 0


async def test_a_stranger_does_not_get_in(site: HubServer) -> None:
    client = Client()

    async def quiet(_: Exception) -> None: ...

    with pytest.raises(NatsError, match=r"(?i)authorization violation"):
        await client.connect(site.hub.home.url, error_cb=quiet, allow_reconnect=False, max_reconnect_attempts=1)
    await client.close()


def forged(site: HubServer, tmp_path: Path, issuer: NatsKey, grants: claims.Claims, *, age: timedelta) -> Path:
    user = NatsKey.new(Kind.USER, ENTROPY)
    issued = datetime.now(UTC) - age
    token = claims.mint(issuer, user.public, "forged", grants, issued, expires=issued + timedelta(hours=1))
    path = tmp_path / "forged.creds"
    path.write_text(claims.credentials(token, user))
    return path


async def refused(site: HubServer, creds: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        await dial(site.hub.home.url, creds, None)
    assert caught.value.code == "bus.credentials"


async def test_expired_credentials_do_not_get_in(site: HubServer, tmp_path: Path) -> None:
    own = site.hub.home.key("members/th")
    grants = claims.member_user_claims(own.public, "STANDARD")
    await refused(site, forged(site, tmp_path, own, grants, age=timedelta(hours=2)))
    fresh = await dial(site.hub.home.url, forged(site, tmp_path, own, grants, age=timedelta(0)), None)
    await fresh.close()


async def test_credentials_of_an_unknown_account_do_not_get_in(site: HubServer, tmp_path: Path) -> None:
    stranger = NatsKey.new(Kind.ACCOUNT, ENTROPY)
    await refused(site, forged(site, tmp_path, stranger, claims.admin_user_claims(), age=timedelta(0)))


async def test_credentials_signed_by_another_member_do_not_get_in_as_this_one(site: HubServer, tmp_path: Path) -> None:
    """TH's key cannot say that a user is MY's: the server looks the account up by the key that signed."""
    thief = site.hub.home.key("members/th")
    grants = claims.member_user_claims(site.account("my"), "STANDARD") | {"issuer_account": site.account("my")}
    await refused(site, forged(site, tmp_path, thief, grants, age=timedelta(0)))


async def test_leaf_credentials_are_no_good_for_a_direct_connection(site: HubServer) -> None:
    creds = await site.hub.add_member("leaf", connection="LEAFNODE")
    await refused(site, creds)


async def push_unchecked(site: HubServer, token: str) -> dict[str, object]:
    async with raw(site, site.hub.home.creds("system")) as admin:
        return dict(msgspec.json.decode(await admin.ask("$SYS.REQ.CLAIMS.UPDATE", token.encode())))


async def test_claims_of_a_rogue_operator_are_refused_before_they_are_pushed(site: HubServer, tmp_path: Path) -> None:
    rogue, account = NatsKey.new(Kind.OPERATOR, ENTROPY), NatsKey.new(Kind.ACCOUNT, ENTROPY)
    grants = claims.member_claims(account.public, site.hub.home.record.hub)
    token = claims.mint(rogue, account.public, "xx", grants, datetime.now(UTC))
    with pytest.raises(ProofError) as caught:
        await site.hub.push(token)
    assert caught.value.code == "claims.signature"
    # Why we check: the server answers that all is well, and only later finds that it is not.
    assert "error" not in await push_unchecked(site, token)
    await refused(site, forged(site, tmp_path, account, claims.admin_user_claims(), age=timedelta(0)))


async def test_signed_claims_to_anothers_doors_open_none(site: HubServer, tmp_path: Path) -> None:
    """Even if the signing key slipped: the hub's exports admit an account under its own key only."""
    account, signer = NatsKey.new(Kind.ACCOUNT, ENTROPY), site.hub.home.key("signer")
    grants = claims.member_claims(site.account("my"), site.hub.home.record.hub)
    token = claims.mint(signer, account.public, "xx", grants, datetime.now(UTC))
    with pytest.raises(ProofError) as caught:
        await site.hub.push(token)
    assert caught.value.code == "claims.grant"
    await push_unchecked(site, token)
    creds = forged(site, tmp_path, account, claims.admin_user_claims(), age=timedelta(0))
    before = await waiting(site, "au")
    async with raw(site, creds) as attacker:
        with pytest.raises(NoRespondersError):
            await attacker.ask(f"rilon.{site.account('my')}.au.f", b"forged")
        with pytest.raises(NoRespondersError):
            await attacker.ask("hub.next", b'{"batch":1,"no_wait":true}')
    assert await waiting(site, "au") == before


async def test_a_server_without_tls_credentials_is_not_spoken_to_in_clear(site: HubServer, tmp_path: Path) -> None:
    """A node that wants TLS never falls back: the plain hub's greeting is no TLS handshake."""
    context = ssl.create_default_context()
    with pytest.raises(UnavailableError) as caught:
        await dial(site.hub.home.url, site.hub.home.creds("members/th"), context)
    assert caught.value.code in {"bus.tls", "bus.away"}
