"""The hub's days: Members come and go, it is killed, it loses all it stored, and comes back."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import ssl
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from rilon.errors import ConflictError, InvalidError, MalformedError, NotFoundError, RefusedError, UnavailableError
from rilon.network import bus as bus_module
from rilon.network.bus import NatsBus
from rilon.network.dial import client_tls, dial
from rilon.network.hub import Hub, inbox_config
from rilon.network.hub_home import HubHome, HubSettings, Tls
from rilon.network.ports import Posted
from rilon.node.embedded import EmbeddedNats
from tests.fakes.entropy import SeededEntropy
from tests.servers import HubServer, WallClock, free_ports, hub_server, open_dir, small_disk

pytestmark = pytest.mark.real


async def soon(condition: Callable[[], Awaitable[bool]], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(server: HubServer, *members: str) -> AsyncIterator[list[NatsBus]]:
    buses = [server.bus(member) for member in members]
    for bus in buses:
        await bus.__aenter__()
        await bus.connected()
    try:
        yield buses
    finally:
        for bus in buses:
            await bus.close()


async def deliver(sender: NatsBus, recipient: str, frame: bytes, reader: NatsBus) -> None:
    """A frame gets through, however often it must be tried."""

    async def read() -> None:
        async for incoming in reader.frames():
            await incoming.ack()
            if incoming.frame == frame:
                return

    async with asyncio.timeout(15):
        reading = asyncio.create_task(read())
        while await sender.publish(recipient, frame, os.urandom(32).hex()) is not Posted.TAKEN:
            await asyncio.sleep(0.02)
        await reading


async def test_a_member_is_let_in_while_the_hub_runs(hub: HubServer) -> None:
    await hub.add("olda", "oldb")
    async with connected(hub, "olda", "oldb") as (old, _):
        assert await old.publish("newa", b"frame", "1") is Posted.NOBODY
        await hub.add("newa")
        async with connected(hub, "newa") as (new,):
            await deliver(old, "newa", b"to the new one", new)
            await deliver(new, "olda", b"from the new one", old)


async def test_a_member_is_let_in_while_the_hub_rests() -> None:
    async with hub_server() as server:
        await server.add("th")
        await server.nats.stop()
        await server.add("my")
        assert [m.member for m in server.hub.members()] == ["th", "my"]
        await server.nats.start()
        assert await server.hub.ensure_streams() == ["my"]
        assert await server.hub.ensure_streams() == []
        async with connected(server, "th", "my") as (th, my):
            await deliver(th, "my", b"frame", my)


async def test_a_revoked_member_is_out_at_once_and_for_good(hub: HubServer, tmp_path: Path) -> None:
    await hub.add("bad", "good")
    account = hub.account("bad")
    kept = tmp_path / "kept.creds"
    kept.write_text(hub.hub.home.creds("members/bad").read_text())
    async with connected(hub, "bad", "good") as (bad, good):
        assert await good.publish("bad", b"not to be read any more", "1") is Posted.TAKEN
        await hub.hub.revoke("bad")

        async def out() -> bool:
            return not bad.health().connected

        await soon(out, 3)
        assert await bad.publish("good", b"frame", "2") is Posted.AWAY
        assert await good.publish("bad", b"frame", "3") is Posted.NOBODY
        with pytest.raises(UnavailableError, match="does not accept our credentials"):
            await dial(hub.hub.home.url, kept, None)
        assert not hub.hub.home.creds("members/bad").exists()
        with pytest.raises(NotFoundError):
            await hub.hub.revoke("bad")

        await hub.add("bad")
        assert hub.account("bad") != account, "who comes back comes back as somebody new"
        async with connected(hub, "bad") as (again,):
            assert await good.publish("bad", b"welcome", "4") is Posted.TAKEN
            assert (await anext(again.frames())).frame == b"welcome"
        with pytest.raises(UnavailableError):
            await dial(hub.hub.home.url, kept, None)


async def test_a_member_revoked_while_the_hub_rests_stays_out() -> None:
    async with hub_server() as server:
        await server.add("th", "bad")
        kept = server.hub.home.path / "kept.creds"
        kept.write_text(server.hub.home.creds("members/bad").read_text())
        await server.nats.stop()
        await server.hub.revoke("bad")
        await server.nats.start()
        await server.hub.ensure_streams()
        with pytest.raises(UnavailableError, match="does not accept our credentials"):
            await dial(server.hub.home.url, kept, None)
        async with connected(server, "th") as (th,):
            assert await th.publish("bad", b"frame", "1") is Posted.NOBODY


async def test_adding_again_renews_credentials_and_keeps_the_account(hub: HubServer) -> None:
    await hub.add("renew")
    account, creds = hub.account("renew"), hub.hub.home.creds("members/renew")
    before = creds.read_text()
    await hub.add("renew")
    assert creds.read_text() != before
    assert hub.account("renew") == account
    async with connected(hub, "renew"):
        pass


async def test_adding_again_heals_a_server_that_forgot_its_members() -> None:
    async with hub_server() as server:
        await server.add("th", "my")
        account = server.account("th")
        await server.nats.stop()
        for claims in (server.hub.home.server / "jwt").iterdir():
            claims.unlink()
        await server.nats.start()
        with pytest.raises(UnavailableError):
            await dial(server.hub.home.url, server.hub.home.creds("members/th"), None)
        await server.add("th", "my")
        assert server.account("th") == account
        async with connected(server, "th", "my") as (th, my):
            await deliver(th, "my", b"frame", my)


async def test_claims_that_the_server_cannot_keep_admit_nobody() -> None:
    async with hub_server() as server:
        kept = server.hub.home.server / "jwt"
        await asyncio.to_thread(shutil.rmtree, kept)
        kept.write_text("no folder: what a broken disk looks like")
        with pytest.raises(UnavailableError) as caught:
            await server.add("th")
        assert caught.value.code == "hub.claims"
        assert "see server/nats.log" in str(caught.value.fix).lower()
        assert not server.hub.home.creds("members/th").exists()
        assert not server.hub.home.record.members


async def test_nothing_is_lost_when_the_hub_is_killed_and_its_store_deleted() -> None:
    """The promise is the courier's: it sends until a receipt comes. Here the receiver's set stands for receipts."""
    frames = {f"frame {n}".encode() for n in range(60)}
    async with hub_server(ack_wait_s=0.5) as server:
        await server.add("th", "my")
        keeper = asyncio.create_task(server.hub.keep_streams(0.1))
        received: set[bytes] = set()

        async def receive(my: NatsBus) -> None:
            async for incoming in my.frames():
                received.add(incoming.frame)
                await incoming.ack()

        async def send(th: NatsBus) -> None:
            while missing := frames - received:
                attempt = os.urandom(16).hex()
                await asyncio.gather(*(th.publish("my", frame, f"{frame.hex()}-{attempt}") for frame in missing))
                await asyncio.sleep(0.1)

        async with connected(server, "th", "my") as (th, my), asyncio.timeout(30):
            reading, sending = asyncio.create_task(receive(my)), asyncio.create_task(send(th))
            for lose in (False, True, True):
                await asyncio.sleep(0.05)
                server.nats.kill()
                if lose:
                    server.lose_store()
                frames |= {os.urandom(8) for _ in range(5)}
                await server.nats.start()
            await sending
            assert received == frames
            await my.close()
            await reading
        keeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeper


async def test_a_full_disk_acknowledges_nothing_that_it_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "ANSWER_S", 1.0)
    with small_disk(4) as disk:
        async with hub_server(disk, ack_wait_s=0.5) as server:
            await server.add("th", "my")
            taken = set()
            async with connected(server, "th") as (th,):
                for n in range(64):
                    frame = os.urandom(1 << 17)
                    if await th.publish("my", frame, str(n)) is Posted.TAKEN:
                        taken.add(frame)
                    else:
                        break
            assert 0 < len(taken) < 64
            server.nats.kill()
            await server.nats.start()
            async with connected(server, "my") as (my,), asyncio.timeout(20):
                async for incoming in my.frames():
                    taken.discard(incoming.frame)
                    await incoming.ack()
                    if not taken:
                        break


async def test_a_changed_limit_reaches_inboxes_that_exist() -> None:
    async with hub_server(inbox_frames=3) as server:
        await server.add("th")
        home, entropy = server.hub.home, SeededEntropy()
        settings = msgspec.structs.replace(home.record.settings, inbox_frames=5)
        home.save(msgspec.structs.replace(home.record, settings=settings))
        later = Hub.open(home.path, WallClock(), entropy)
        assert await later.ensure_streams() == ["th"]
        assert await later.ensure_streams() == []


async def test_an_inbox_cannot_be_filled_deleted_or_kept_for_ever(hub: HubServer) -> None:
    await hub.add("form")
    member = next(m for m in hub.hub.members() if m.member == "form")
    config = inbox_config(member, hub.hub.home.record.settings)
    assert config["name"] == member.account
    assert config["subjects"] == ["rilon.*.form.f"]
    assert (config["retention"], config["discard"], config["storage"]) == ("workqueue", "new", "file")
    assert config["deny_delete"] is config["deny_purge"] is config["discard_new_per_subject"] is True
    assert config["max_age"] == 7 * 86_400 * 10**9
    assert config["max_msgs_per_subject"] == 256


async def test_the_hub_does_not_run() -> None:
    async with hub_server() as server:
        await server.nats.stop()
        with pytest.raises(UnavailableError, match="does not answer"):
            await server.hub.ensure_streams()


async def test_a_bus_closes_at_whatever_moment(hub: HubServer) -> None:
    await hub.add("moment")
    draw = random.Random(1)
    for _ in range(150):
        bus = hub.bus("moment")
        await bus.__aenter__()
        await asyncio.sleep(draw.uniform(0, 0.008))
        async with asyncio.timeout(3):
            await bus.close()
        assert not bus.health().connected


async def test_a_bus_without_credentials_says_so_and_connects_once_they_come(hub: HubServer) -> None:
    async with hub.bus("tardy") as bus:

        async def said() -> bool:
            return "credentials" in bus.health().trouble

        await soon(said)
        assert await bus.publish("th", b"frame", "1") is Posted.AWAY
        await hub.add("tardy")
        async with asyncio.timeout(5):
            await bus.connected()


@pytest.mark.parametrize("member", ["TH", "t", "th.my", "*", ">", "a" * 13, "th my", "", "../x"])
async def test_an_impossible_member_is_refused(hub: HubServer, member: str) -> None:
    before = hub.hub.members()
    with pytest.raises(InvalidError) as caught:
        await hub.hub.add_member(member)
    assert caught.value.code == "hub.member"
    assert hub.hub.members() == before


async def test_what_the_hub_keeps_is_private(hub: HubServer) -> None:
    await hub.add("modes")
    home = hub.hub.home.path
    for path in (*home.glob("keys/**/*"), *home.glob("creds/**/*"), home / "hub.json", home / "server"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for secret in home.rglob("*.seed"):
        seed = secret.read_text().strip()
        assert seed not in (home / "server" / "hub.conf").read_text()
        assert seed not in (home / "hub.json").read_text()
        assert seed not in repr(hub.hub) + repr(hub.hub.home) + repr(hub.hub.home.key("hub"))


def test_a_hub_is_not_made_twice_and_not_guessed(tmp_path: Path) -> None:
    clock, entropy = WallClock(), SeededEntropy()
    with pytest.raises(RefusedError) as caught:
        Hub.open(tmp_path, clock, entropy)
    assert caught.value.code == "hub.absent"
    Hub.init(tmp_path, HubSettings(), clock, entropy)
    record = (tmp_path / "hub.json").read_bytes()
    with pytest.raises(ConflictError):
        Hub.init(tmp_path, HubSettings(), clock, entropy)
    assert (tmp_path / "hub.json").read_bytes() == record
    (tmp_path / "hub.json").write_bytes(record[:-20])
    with pytest.raises(MalformedError):
        Hub.open(tmp_path, clock, entropy)


def test_a_hub_in_clear_is_for_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        Hub.init(tmp_path / "hub", HubSettings(host="hub.example"), WallClock(), SeededEntropy())
    assert caught.value.code == "hub.tls"
    assert not (tmp_path / "hub").exists()


def test_without_the_signing_key_nobody_is_added(tmp_path: Path) -> None:
    hub = Hub.init(tmp_path, HubSettings(), WallClock(), SeededEntropy())
    (tmp_path / "keys" / "signer.seed").unlink()
    with pytest.raises(UnavailableError) as caught:
        asyncio.run(hub.add_member("th"))
    assert caught.value.code == "hub.key-absent"
    assert HubHome.open(tmp_path).record.members == []


def certify(path: Path) -> Callable[[str], tuple[Path, Path]]:
    """A small authority in ``path``; the answer issues a certificate and key."""
    now = datetime.now(UTC)
    authority, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]),
    )

    def build(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        builder = (
            x509.CertificateBuilder(name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
        )
        for extension in (
            x509.BasicConstraints(ca=ca, path_length=None),
            x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False),
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
        ):
            builder = builder.add_extension(
                extension, critical=isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
            )
        return builder.sign(authority, SHA256()).public_bytes(Encoding.PEM)

    (path / "ca.crt").write_bytes(build(name, authority, ca=True))

    def issue(who: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
        (path / f"{who}.crt").write_bytes(build(subject, key, ca=False))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (path / f"{who}.key").write_bytes(pem)
        return path / f"{who}.crt", path / f"{who}.key"

    return issue


async def test_with_tls_both_sides_show_certificates() -> None:
    with open_dir() as files:
        issue = certify(files)
        crt, key = issue("hub")
        for path in (crt, key):  # as a real one's: readable by the user who runs the server
            path.chmod(0o644)
        tls = Tls(certificate=str(crt), key=str(key), authority=str(files / "ca.crt"))
        async with hub_server(tls=tls) as server:
            await server.add("th", "my")
            url, creds = server.hub.home.url, server.hub.home.creds
            context = client_tls(files / "ca.crt", *issue("node"))
            assert context.verify_flags & ssl.VERIFY_X509_STRICT, "of every Python, not of the newest alone"
            async with (
                NatsBus(url, creds("members/th"), context) as th,
                NatsBus(url, creds("members/my"), context) as my,
            ):
                await deliver(th, "my", b"over TLS", my)
            (files / "stranger").mkdir()
            strange = client_tls(files / "ca.crt", *certify(files / "stranger")("node"))
            nameless = ssl.create_default_context(cafile=files / "ca.crt")  # knows the hub, and has nothing to show
            for wrong in (strange, nameless, None):
                with pytest.raises(UnavailableError) as caught:
                    await dial(url, creds("members/th"), wrong)
                assert caught.value.code in {"bus.tls", "bus.away"}


LEAF = """
server_name: node-th
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor_port}"
accounts {{ LINK {{ users: [ {{ user: courier, password: secret }} ] }}, SYS {{}} }}
system_account: SYS
leafnodes {{
  remotes: [ {{ url: "nats://127.0.0.1:{hub}", account: LINK, credentials: "{creds}", compression: disabled }} ]
}}
"""


async def test_a_leaf_node_of_a_member_reaches_its_own_doors_only() -> None:
    leaf_port, port, monitor_port = free_ports(3)
    async with hub_server(leaf_port=leaf_port) as server:
        creds = await server.hub.add_member("th", connection="LEAFNODE")
        await server.add("my", "au")
        with open_dir() as path:
            (path / "leaf").mkdir()
            copied, config = path / "leaf" / "th.creds", path / "leaf" / "leaf.conf"
            copied.write_text(creds.read_text())
            config.write_text(LEAF.format(port=port, monitor_port=monitor_port, hub=leaf_port, creds=copied))
            client = Client()
            async with (
                EmbeddedNats(config, f"http://127.0.0.1:{monitor_port}/healthz"),
                connected(server, "my") as (my,),
            ):
                await client.connect(f"nats://courier:secret@127.0.0.1:{port}", allow_reconnect=False)

                async def taken(subject: str) -> bool:
                    with suppress(NoRespondersError, NatsTimeoutError):
                        return b"error" not in (await client.request(subject, b"through the leaf", timeout=0.3)).data
                    return False

                await soon(partial(taken, f"rilon.{server.account('th')}.my.f"))
                assert (await anext(my.frames())).frame == b"through the leaf"
                assert not await taken(f"rilon.{server.account('my')}.au.f")
                await client.close()


@pytest.mark.long
async def test_a_line_that_went_silent_is_noticed(hub: HubServer) -> None:
    """Nothing is refused and nothing closed: packets just vanish. Pings find out, and nothing is said to be taken."""
    await hub.add("deaf")
    silent = asyncio.Event()
    open_lines: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if not silent.is_set():
                writer.write(data)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings = hub.hub.home.record.settings
        far_reader, far_writer = await asyncio.open_connection(settings.host, settings.port)
        open_lines.extend((writer, far_writer))
        with suppress(OSError):
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        async with NatsBus(f"nats://127.0.0.1:{port}", hub.hub.home.creds("members/deaf")) as bus:
            await bus.connected()
            assert await bus.publish("deaf", b"before", "1") is Posted.TAKEN
            silent.set()
            assert await bus.publish("deaf", b"meanwhile", "2") is Posted.AWAY

            async def noticed() -> bool:
                return not bus.health().connected

            await soon(noticed, 20)
            silent.clear()
            async with asyncio.timeout(10):
                await bus.connected()
            assert await bus.publish("deaf", b"after", "3") is Posted.TAKEN
            frames = bus.frames()
            assert [(await anext(frames)).frame for _ in range(2)] == [b"before", b"after"]
        for writer in open_lines:
            writer.close()
