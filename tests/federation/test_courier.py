"""Real couriers, real desks and real cryptography over a bus that misbehaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from rilon.app.directory_desk import Introduction, fingerprint, sign_identity
from rilon.app.failpoints import Failpoint
from rilon.audit.chains import Chains
from rilon.crypto import frame, strict
from rilon.crypto.frame import Recipient, Route
from rilon.crypto.keys import LinkKey, SigningKey
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.identity import Listing
from rilon.domain.peer_link import PeerLink
from rilon.domain.values import Line, Role
from rilon.errors import FatalError, UnavailableError
from rilon.network import link_out, peer, wire
from rilon.network.health import LinkState
from tests.fakes.memory_bus import Faults, MemoryHub, account_of
from tests.federation.couriers import Executioner, Post, delivered, hurry, pair, post_alerts, posts, until
from tests.nodes import MemoryNode, acquaint, introduce, memory_node


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def entries(node: MemoryNode, peer: str) -> list[int]:
    found = [e for e in await node.events() if isinstance(e, Entry.Accepted | Entry.Refused | Entry.Unknown)]
    return [e.seq for e in found if e.peer == peer]


async def check_chains(node: MemoryNode) -> None:
    chains = Chains(node.log_id)
    for position, event in enumerate(await node.events(), 1):
        chains.check(position, event)


async def test_an_alert_reaches_the_other_node_and_its_receipt_comes_back() -> None:
    th, my = await pair()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await post_alerts(th, 1, "my")
        await delivered(made)
    assert [e.edition.kind for e in await my.events() if isinstance(e, Holding.Granted)] == ["TIP-RECRUIT"]
    (receipted,) = [e for e in await th.events() if isinstance(e, PeerLink.Receipted)][-1:]
    assert receipted.upto == len(await entries(my, "th"))
    assert not receipted.refused
    await check_chains(th)
    await check_chains(my)


async def test_it_arrives_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No poll, no timer: a committed line wakes the courier, a stored one the receipt."""
    monkeypatch.setattr(peer, "LOOK_S", 5.0)
    th, my = await pair()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        before = made["th"].link("my").receipted
        await post_alerts(th, 1, "my")
        await until(lambda: made["th"].link("my").receipted > before, 3.0)


async def test_the_hub_sees_nothing_but_who_and_how_much() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await post_alerts(th, 2, "my")
        await delivered(made)
    sealed = [raw for _, _, raw in hub.seen if frame.parse(raw).form == frame.SEALED]
    statements = [e.edition.manifest for e in await my.events() if isinstance(e, Holding.Granted)]
    assert len(sealed) >= 2
    assert statements
    assert not any(words[40:80] in raw for words in statements for raw in sealed)
    receipts = {len(raw) for sender, _, raw in hub.seen if sender == "my" and frame.parse(raw).form == frame.SEALED}
    assert len(receipts) == 1  # a receipt looks like any short message


@pytest.mark.parametrize("seed", range(3))
async def test_a_bus_that_does_its_worst_loses_nothing_and_repeats_nothing(seed: int) -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my", seed=seed, faults=Faults(loss=0.4, lost_answer=0.2, duplicate=0.3, reorder=0.4))
    async with posts(hub, th, my) as made:
        for _ in range(4):
            await post_alerts(th, 3, "my")
            await post_alerts(my, 1, "th")
            hub.wipe()
        await delivered(made)
    for here, there in ((th, my), (my, th)):
        got = await entries(there, here.member)
        assert got == list(range(1, len(got) + 1))
        await check_chains(here)
    assert sum(isinstance(e, Holding.Granted) for e in await my.events()) == 12
    assert sum(isinstance(e, Holding.Granted) for e in await th.events()) == 4


async def test_a_node_that_was_cut_off_catches_up_alone() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        hub.cut = {"my"}
        await post_alerts(th, 5, "my")
        await post_alerts(my, 2, "th")
        await asyncio.sleep(0.1)
        assert made["my"].link("th").waiting
        hub.cut = set()
        hub.wake()
        await delivered(made)


@pytest.mark.parametrize(
    "point", [p for p in Failpoint if p.startswith("courier.") and p is not Failpoint.COURIER_AFTER_PIECE]
)
@pytest.mark.parametrize("victim", ["th", "my"])
async def test_a_death_at_any_point_loses_nothing_and_repeats_nothing(point: Failpoint, victim: str) -> None:
    th, my = await pair()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        deaths = 0
        for nth in (1, 1, 2, 1, 2):
            made[victim].hook = Executioner(point, nth)
            await post_alerts(th, 2, "my")
            await post_alerts(my, 1, "th")
            await asyncio.sleep(0.02)
            made["th"].hub.redeliver("th")
            made["my"].hub.redeliver("my")
            await delivered(made)
            deaths = made[victim].deaths
        assert deaths >= 3
    for here, there in ((th, my), (my, th)):
        got = await entries(there, here.member)
        assert got == list(range(1, len(got) + 1))
        await check_chains(here)


async def test_the_bus_forgets_a_frame_only_when_it_is_stored() -> None:
    """Its sender would send it again; but only when its patience ends, and a hub's answer would have been a lie."""
    th, my = await pair()
    hub, kept = MemoryHub("th", "my"), list[int]()

    async def look(point: Failpoint) -> None:
        if point in {Failpoint.COURIER_AFTER_COMMIT, Failpoint.COURIER_BEFORE_ACK}:
            kept.append(hub.waiting("my"))

    async with posts(hub, th, my) as made:
        await delivered(made)
        made["my"].hook = look
        await post_alerts(th, 1, "my")
        await delivered(made)
        await until(lambda: hub.waiting("my") == 0)
    assert len(kept) >= 2
    assert all(kept)


async def test_what_the_courier_noted_can_be_thrown_away() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await post_alerts(th, 3, "my")
        await delivered(made)
    async with posts(hub, th, my) as made:  # with new, empty notes
        await post_alerts(th, 2, "my")
        await delivered(made)
    assert await entries(my, "th") == list(range(1, len(await entries(my, "th")) + 1))


async def test_a_lost_database_answer_begins_a_new_life() -> None:
    """The commit went through and nobody was told: the next life finds it in the log and does not store it twice."""
    th, my = await pair()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        accept, left = my.desks.incoming.accept, [1]

        async def forgetful(*args: object) -> list[str]:
            codes = await accept(*args)  # type: ignore[arg-type]
            if left.pop() if left else 0:
                raise UnavailableError("log.outcome-unknown", "The connection was lost.")
            return codes

        my.desks.incoming.accept = forgetful  # type: ignore[method-assign, assignment]
        await post_alerts(th, 3, "my")
        my_hub = made["my"].hub
        await asyncio.sleep(0.05)
        my_hub.redeliver("my")
        await delivered(made)
    assert not left
    got = await entries(my, "th")
    assert got == list(range(1, len(got) + 1))


async def test_a_hello_said_again_is_not_taken_for_the_first() -> None:
    """Its bytes are the same, and a bus drops what comes twice under one id."""
    th, _ = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th):
        await until(lambda: hub.waiting("my") >= 3)
    assert len({raw for _, _, raw in hub.seen}) == 1


async def test_two_couriers_of_one_node_do_no_harm() -> None:
    """They read each other's frames and may get nowhere; nothing is lost or repeated, and one alone goes on."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        second = Post(th, hub)
        second.store = made["th"].store
        second.start()
        await post_alerts(th, 3, "my")
        await asyncio.sleep(0.3)
        await second.stop()
        await delivered(made)
    got = await entries(my, "th")
    assert got == list(range(1, len(got) + 1))


# -- who gets in


async def rejected(node: MemoryNode) -> list[tuple[str, int]]:
    return [(e.code, e.count) for e in await node.events() if isinstance(e, PeerLink.FrameRejected)]


async def send_raw(hub: MemoryHub, sender: str, to: str, raw: bytes, times: int = 1) -> None:
    for n in range(times):
        hub.store(sender, to, raw, f"{n}:{hash(raw)}")


def forged(th: MemoryNode, my: MemoryNode, *, key: LinkKey | None = None, **changes: str) -> bytes:
    """What somebody who has read the directory could send to ``my`` under the name of ``th``."""
    route = replace(Route("th", "my", th.log_id, my.log_id, "real"), **changes)
    body = wire.Entries(th.log_id, my.log_id, 0, 1, bytes(32), (Line("closure", (bytes(32),)),))
    ring = my.desks.keys.ring()
    signer = key or th.desks.keys.ring().link
    return frame.seal(wire.encode(body), wire.attach([{}]), route, Recipient(ring.kem().public), signer)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": LinkKey.from_seed(b"x" * 32)}, "frame.signature"),
        ({"world": "exercise"}, "frame.seal"),
        ({"to": "id"}, "frame.misdirected"),
    ],
    ids=["another signer", "exercise", "for another"],
)
async def test_a_forged_frame_stores_nothing_and_is_recorded_once(changes: dict[str, object], code: str) -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my", "xx", inbox_frames=1000)
    async with posts(hub, th, my) as made:
        await delivered(made)
        before = await entries(my, "th")
        await send_raw(hub, "xx", "my", forged(th, my, **changes), times=60)  # type: ignore[arg-type]
        await until(lambda: made["my"].link("th").rejected >= 60)
    assert await rejected(my) == [(code, 1)]
    assert await entries(my, "th") == before


def said_by(th: MemoryNode, my: MemoryNode, body: wire.SealedBody, attached: bytes = b"") -> bytes:
    """What ``th`` itself seals to ``my``."""
    route = Route("th", "my", th.log_id, my.log_id, "real")
    recipient = Recipient(my.desks.keys.ring().kem().public)
    return frame.seal(wire.encode(body), attached, route, recipient, th.desks.keys.ring().link)


async def test_an_authentic_peer_that_talks_nonsense_is_refused_under_its_name() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    line = Line("closure", (bytes(32),))
    hello = wire.Hello(th.log_id, my.log_id, (b"1", b"2", b"3"), bytes(16), None, True, None, 0, bytes(32), 0)
    route = Route("th", "my", b"", b"", "real")
    nonsense = {
        "wire.not-served": said_by(th, my, wire.Call(th.log_id, my.log_id, bytes(16), b"")),
        "link.other-log": said_by(th, my, wire.Receipt(bytes(16), my.log_id, 0, 0, bytes(32), 0, ())),
        "wire.attachments": said_by(
            th, my, wire.Entries(th.log_id, my.log_id, 0, 9, bytes(32), (line,)), wire.attach([])
        ),
        "cbor.truncated": said_by(th, my, wire.Entries(th.log_id, my.log_id, 0, 9, bytes(32), (line,))),
        "link.chain": frame.sign_hello(wire.encode(hello), route, th.desks.keys.ring().link),
    }
    async with posts(hub, th, my) as made:
        await delivered(made)
        for raw in nonsense.values():
            await send_raw(hub, "th", "my", raw)
        await until(lambda: made["my"].link("th").rejected == len(nonsense))
        assert made["my"].link("th").state is LinkState.OPEN
    assert await rejected(my) == [(code, 1) for code in nonsense]


async def test_a_bus_that_was_closed_ends_a_life_and_not_the_courier() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        closed = made["th"].bus
        assert closed is not None
        await closed.close()
        hub.wake()
        await asyncio.sleep(0.1)
        await made["th"].stop()
        made["th"].start()
        await post_alerts(th, 1, "my")
        await delivered(made)


async def test_a_log_that_was_given_a_new_id_is_carried_by_a_new_start_only() -> None:
    """Else what is signed as of the new log would go on under the counts of the old."""
    th, my = await pair()
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        kem = th.desks.keys.ring().kem().public
        await th.desks.directory.renew_log(th.root, b"another log's id", kem, await th.log.head())
        done, _ = await asyncio.wait([made["th"].task], timeout=10)
        assert done
        only = pytest.RaisesExc(FatalError, check=lambda error: error.code == "link.own-log")
        with pytest.RaisesGroup(only, flatten_subgroups=True):
            await made["th"].task
        assert made["th"].bus is not None
        await made["th"].bus.close()
        made["th"].start()
        async with asyncio.timeout(20):
            while (await my.desks.directory.current()).listings["th"].identity.log_id != b"another log's id":
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("turns", range(4))
async def test_a_courier_that_is_stopped_while_its_life_ends_stops(turns: int) -> None:
    """A task group of Python 3.11 and 3.12 whose own task fails at that moment loses the cancellation."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        assert made["th"].bus is not None
        await made["th"].bus.close()
        hub.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        life = made["th"].task
        life.cancel()
        assert await asyncio.wait([life], timeout=5) == ({life}, set())


async def test_what_another_account_hands_in_is_counted_at_its_owner_and_troubles_nobody_else() -> None:
    """Else who has an account could fill the inbox and the counts of whomever it names, with junk or with replays."""
    th, my, xx = await memory_node("th"), await memory_node("my"), await memory_node("id")
    await acquaint(th, my, xx)
    for node in (th, my, xx):
        await node.desks.directory.publish_account(account_of(node.member))
        await pump_directory(th, my, xx)
    hub = MemoryHub("th", "my", "id", "zz", inbox_frames=1000)
    async with posts(hub, th, my, xx) as made:
        await delivered(made)
        genuine = next(raw for sender, to, raw in hub.seen if (sender, to) == ("th", "my"))
        await send_raw(hub, "id", "my", genuine, times=100)
        await until(lambda: made["my"].link("id").rejected == 100)
        await send_raw(hub, "zz", "my", forged(th, my), times=70)  # an account that no roster names
        await until(lambda: made["my"].link("th").rejected == 70)
        for n in range(5):  # a greeting, genuine; it is looked at, and names another account
            hub.store("zz", "my", genuine, f"greeting {n}")
        await until(lambda: made["my"].link("th").rejected == 75)
        await post_alerts(th, 1, "my")
        await delivered(made)
    assert await rejected(my) == [("frame.account", 1)] * 2
    assert [e for e in await my.events() if isinstance(e, Holding.Granted)]


async def test_a_new_account_is_heard_by_the_hello_that_names_it() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    for account in ("A" + "Z" * 55, account_of("th")):
        await th.desks.directory.publish_account(account)
        if account != account_of("th"):
            await introduce(my, th, verify=False)
    async with posts(hub, th, my) as made:
        await post_alerts(th, 1, "my")
        await delivered(made)
    assert not await rejected(my)


async def pump_directory(*nodes: MemoryNode) -> None:
    for here in nodes:
        for there in nodes:
            if here is not there:
                await introduce(here, there, verify=False)


async def test_a_revoked_peers_frames_are_refused() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        focal = await my.officer(Role.FOCAL_POINT)
        await my.desks.directory.revoke(focal.caller, "th")
        await until(lambda: made["my"].link("th").state is LinkState.REVOKED)
        await post_alerts(th, 1, "my")
        await until(lambda: made["my"].link("th").rejected)
        assert made["my"].link("th").sentence.startswith("The node of TH is revoked")
    assert ("frame.revoked", 1) in await rejected(my)
    assert not [e for e in await my.events() if isinstance(e, Holding.Granted)]


async def test_an_unverified_peer_gets_and_gives_nothing_until_somebody_confirms_it() -> None:
    th, my = await memory_node("th"), await memory_node("my")
    await introduce(th, my)
    await introduce(my, th, verify=False)
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await post_alerts(th, 1, "my")
        await send_raw(hub, "th", "my", forged(th, my))
        await until(lambda: made["my"].link("th") and made["my"].link("th").rejected)
        assert made["my"].link("th").state is LinkState.UNVERIFIED
        assert made["th"].link("my").state is LinkState.GREETING
        assert await entries(my, "th") == []
        await introduce(my, th)
        await delivered(made)
    assert [e for e in await my.events() if isinstance(e, Holding.Granted)]
    assert await rejected(my) == [("link.unverified", 1)]


async def test_a_stranger_cannot_knock_a_peer_out_with_a_root_of_their_own() -> None:
    """Anybody can sign an identity that names ``th``; only the root we know is listened to."""
    th, my = await pair()
    hub = MemoryHub("th", "my", "xx")
    async with posts(hub, th, my) as made:
        await delivered(made)
        root, key = SigningKey.from_seed(b"r" * 64), LinkKey.from_seed(b"x" * 32)
        known = (await my.desks.directory.current()).listing("th")
        identity = sign_identity(
            msgspec.structs.replace(known.identity, seq=99, root=root.public.raw, link=key.public), root
        )
        hello = wire.Hello(th.log_id, my.log_id, (identity, known.roster_statement), b"n" * 16, None, True, None, 0,
                           bytes(32), 0)  # fmt: skip
        raw = frame.sign_hello(wire.encode(hello), Route("th", "my", b"", b"", "real"), key)
        await send_raw(hub, "xx", "my", raw)
        await until(lambda: made["my"].link("th").rejected)
        assert made["my"].link("th").state is LinkState.OPEN
    assert await rejected(my) == [("directory.root", 1)]
    assert (await my.desks.directory.current()).standing("th") == "verified"


@pytest.mark.parametrize(("named", "code"), [(False, "frame.key"), (True, "frame.signature")])
async def test_a_forged_greeting_opens_and_freezes_nothing(named: bool, code: str) -> None:
    """The statements in it are everybody's to copy: only its signature says that the peer itself has spoken."""
    th, my = await pair()
    hub = MemoryHub("th", "my", "xx")
    async with posts(hub, th, my) as made:
        await delivered(made)
        known = (await my.desks.directory.current()).listing("th")
        chain = (known.identity_statement, known.roster_statement)
        hello = wire.Hello(th.log_id, my.log_id, chain, b"n" * 16, None, True, "link.fork", 999, b"?" * 32, 0)
        key = LinkKey.from_seed(b"x" * 32)
        raw = frame.sign_hello(wire.encode(hello), Route("th", "my", b"", b"", "real"), key)
        if named:
            fields = strict.loads(raw, limit=100_000)
            raw = strict.dumps(fields | {"kid": th.desks.keys.ring().link.kid})
        await send_raw(hub, "xx", "my", raw)
        await until(lambda: made["my"].link("th").rejected)
        assert made["my"].link("th").state is LinkState.OPEN
        await post_alerts(my, 1, "th")
        await delivered(made)
    assert await rejected(my) == [(code, 1)]
    assert not [e for e in await my.events() if isinstance(e, PeerLink.Frozen)]


async def test_statements_that_were_verified_are_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    th, my = await pair()
    take_in, times = my.desks.directory.take_in, []

    async def counted(introduced: Introduction) -> Listing:
        times.append(introduced)
        return await take_in(introduced)

    monkeypatch.setattr(my.desks.directory, "take_in", counted)
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        for number in range(20):
            hello = next(raw for sender, _, raw in hub.seen if sender == "th")
            hub.store("th", "my", hello, f"again {number}")
        await until(lambda: hub.waiting("my") == 0)
    assert len(times) == 1


async def test_junk_under_nobodys_name_is_forgotten() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my", "xx", inbox_frames=1000)
    async with posts(hub, th, my) as made:
        await delivered(made)
        size = (await my.log.head()).size
        for n in range(50):
            await send_raw(hub, "xx", "my", bytes([n]) * n)
        await send_raw(hub, "xx", "my", frame.sign_hello(b"", Route("zz", "my", b"", b"", "real"), LinkKey(b"z" * 32)))
        await until(lambda: hub.waiting("my") == 0)
        assert (await my.log.head()).size == size


# -- keys and forks


async def test_nodes_that_missed_each_others_keys_find_each_other_again() -> None:
    """While my is away, th's KEM key changes and the old one is destroyed: what waits for th cannot be opened."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        hub.cut = {"th"}
        await post_alerts(my, 3, "th")
        async with th.desks.keys.exclusive() as draft:
            old, new = draft.kem().kid, draft.new_kem()
            draft.destroy_kem(old)
            await th.desks.keys.save(draft)
        await th.desks.directory.publish_kem(new.public)
        await asyncio.sleep(0.05)
        hub.cut = set()
        hub.wake()
        await delivered(made)
    assert sum(isinstance(e, Holding.Granted) for e in await th.events()) == 3


async def test_a_fork_freezes_the_link_until_two_focal_points_reset_it() -> None:
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
        body = wire.Receipt(my.log_id, th.log_id, 9, 999, bytes(32), 0, ())
        recipient = Recipient(th.desks.keys.ring().kem().public)
        raw = frame.seal(
            wire.encode(body), b"", Route("my", "th", my.log_id, th.log_id, "real"), recipient,
            my.desks.keys.ring().link,
        )  # fmt: skip
        await send_raw(hub, "my", "th", raw)
        await until(lambda: made["th"].link("my").state is LinkState.FROZEN)
        await until(lambda: made["my"].link("th").state is LinkState.PEER_FROZEN)
        (frozen,) = [e for e in await th.events() if isinstance(e, PeerLink.Frozen)]
        assert frozen.code == "link.beyond-sent"
        await post_alerts(th, 1, "my")
        first, second = await th.approver(), await th.approver()
        assert (await th.reset(first, "my")).answer == b"waiting"
        assert made["th"].link("my").state is LinkState.FROZEN
        assert (await th.reset(second, "my")).answer == b"reset"
        await delivered(made)
    assert [e for e in await my.events() if isinstance(e, Holding.Granted)]


async def test_a_frozen_link_stays_frozen_after_a_start() -> None:
    th, my = await pair()
    await th.desks.links.frozen("my", "link.fork", b"evidence")
    async with posts(MemoryHub("th", "my"), th, my) as made:
        await until(lambda: made["th"].link("my"))
        assert made["th"].link("my").state is LinkState.FROZEN


async def test_a_restored_node_is_heard_again_when_somebody_confirms_its_new_log() -> None:
    """Then everything it has for us arrives under the new log, and we send again what its backup had not."""
    th, my = await pair()
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await post_alerts(th, 2, "my")
        await post_alerts(my, 1, "th")
        await delivered(made)
    my.log_id = b"N" * 16
    kem = my.desks.keys.ring().kem().public
    await my.desks.directory.renew_log(my.root, my.log_id, kem, await my.log.head())
    async with posts(hub, th, my) as made:
        await until(lambda: (h := made["th"].link("my")) and h.state is LinkState.UNVERIFIED)
        await post_alerts(my, 1, "th")
        focal = await th.officer(Role.FOCAL_POINT)
        await th.desks.directory.verify(focal.caller, "my", fingerprint(my.root.public.raw))
        await post_alerts(th, 1, "my")
        await delivered(made)
    await check_chains(th)
    await check_chains(my)
    assert not await rejected(th)
    under_new = [e.seq for e in await th.events() if isinstance(e, Entry.Accepted | Entry.Refused)
                 and e.log_id == my.log_id]  # fmt: skip
    assert under_new == list(range(1, len(under_new) + 1))
    assert len({e.item for e in await my.events() if isinstance(e, Holding.Granted)}) == 3


async def test_an_entry_that_fits_no_frame_goes_without_its_attachments(monkeypatch: pytest.MonkeyPatch) -> None:
    th, my = await pair()

    async def huge(*_: object) -> dict[str, bytes]:
        return {f"ciphertext.{n}": bytes(60_000) for n in range(9)}

    async with posts(MemoryHub("th", "my"), th, my) as made:
        await delivered(made)
        monkeypatch.setattr(th.desks.outgoing, "attach", huge)
        await post_alerts(th, 2, "my")
        await delivered(made)
    kept = [e for e in await my.events() if isinstance(e, Entry.Accepted)]
    assert [e.withheld for e in kept[-2:]] == ["too-large", "too-large"]


async def test_a_peer_that_publishes_junk_as_its_key_harms_nobody_else() -> None:
    th, my, bd = await memory_node("th"), await memory_node("my"), await memory_node("bd")
    await my.desks.directory.publish_kem(b"\xff" * 1216)
    await acquaint(th, my, bd)
    async with posts(MemoryHub("th", "my", "bd"), th, my, bd) as made:
        await post_alerts(th, 1, "my", "bd")
        await until(lambda: (h := made["th"].link("bd")) and h.sent and not h.waiting)
        await until(lambda: made["th"].link("my").reason == "link.no-key")
        await my.desks.directory.publish_kem(my.desks.keys.ring().kem().public)
        my_hello = made["my"]
        await my_hello.stop()
        my_hello.start()  # says hello, and with it its new key
        await delivered(made)


async def test_what_cannot_be_sent_is_not_tried_in_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_out, "RETRY_S", 30.0)
    monkeypatch.setattr(link_out, "RETRY_MOST_S", 30.0)
    th, my = await pair()
    hub = MemoryHub("th", "my")
    attach, tries = th.desks.outgoing.attach, []

    async def fails(*_: object) -> dict[str, bytes]:
        tries.append(1)
        raise UnavailableError("blobs.unavailable", "The database cannot be reached.")

    async with posts(hub, th, my) as made:
        await delivered(made)
        monkeypatch.setattr(th.desks.outgoing, "attach", fails)
        await post_alerts(th, 1, "my")
        await asyncio.sleep(0.3)
        assert len(tries) == 1
        monkeypatch.setattr(th.desks.outgoing, "attach", attach)
        await made["my"].stop()
        made["my"].start()
        await delivered(made)
        hub.inbox_frames, before = 0, len(hub.seen)
        await post_alerts(th, 1, "my")
        await asyncio.sleep(0.3)
        assert len(hub.seen) == before + 1
        assert made["th"].link("my").reason == "bus.full"


async def test_trouble_with_one_peers_entry_holds_up_no_other_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    th, my, bd = await memory_node("th"), await memory_node("my"), await memory_node("bd")
    await acquaint(th, my, bd)
    attach = th.desks.outgoing.attach

    async def fails_for_my(event: object, peer: str) -> dict[str, bytes]:
        if peer == "my":
            raise UnavailableError("blobs.unavailable", "The database cannot be reached.")
        return await attach(event, peer)  # type: ignore[arg-type]

    monkeypatch.setattr(th.desks.outgoing, "attach", fails_for_my)
    async with posts(MemoryHub("th", "my", "bd"), th, my, bd) as made:
        await post_alerts(th, 2, "my", "bd")
        await until(lambda: (h := made["bd"].link("th")) and h.received >= 2)
        await until(lambda: made["th"].link("my").reason == "blobs.unavailable")
        monkeypatch.undo()
        hurry(monkeypatch)
        await delivered(made)
