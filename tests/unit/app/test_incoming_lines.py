"""Lines that come in beside releases: endings, answers, statements; each once, and believed as far as it proves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from rilon.app.directory_desk import IDENTITY, ROSTER, sign_identity
from rilon.app.post import Arrived
from rilon.app.reading_desk import REPLY, reply_owner
from rilon.crypto import section, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain.alert import Alert
from rilon.domain.directory import DIRECTORY_ID, PeerNode
from rilon.domain.entry import Entry, Withheld
from rilon.domain.holding import Holding, holding_id
from rilon.domain.identity import Identity, Roster
from rilon.domain.values import Line, Purpose, Role, Sensitivity
from rilon.errors import ConflictError, RefusedError
from tests.fakes.items import ITEM, OTHER_NODE
from tests.fakes.receiving import HELD, LOG, World, receiving
from tests.nodes import MemoryNode, acquaint, draft_of, introduce, memory_node, pump


@pytest_asyncio.fixture(scope="module")
async def world() -> World:
    return await receiving()


# Other lines


def about(kind: str, *digests: bytes, **parts: bytes) -> tuple[Line, dict[str, bytes]]:
    return Line(kind, digests), {"item": ITEM, **parts}


async def after(world: World, *coming: tuple[Line, dict[str, bytes]]) -> tuple[list[str], Holding]:
    """What becomes of a held item when these lines follow it."""
    codes, my = await world.take(world.forge().arrives(), *coming)
    return codes[1:], await my.desks.work.read(Holding, holding_id("th", HELD))


async def test_a_held_item_is_superseded_and_ends_once(world: World) -> None:
    old, new = world.forge().item.manifest.digest, b"n" * 32
    codes, holding = await after(world, about("superseded", old, new), about("superseded", new, old))
    assert codes == ["", ""]  # of the second we never held the older one
    assert holding.superseded == {old, new}
    for kind in ("withdrawal", "closure"):  # said twice, or closed after it was withdrawn: the graver word stands
        codes, holding = await after(world, about(kind, old), about("withdrawal", old), about("closure", old))
        assert (codes, holding.state) == (["", "", "holding.withdrawn"], "withdrawn")


@pytest.mark.parametrize("kind", ["superseded", "withdrawal", "closure", "status.acknowledged", "reply.hit"])
async def test_an_answer_to_what_is_not_here_is_refused_and_an_end_of_it_noted(world: World, kind: str) -> None:
    """What was over before it was sent never came: its end does, and is no error."""
    digests, answers = (bytes(32), bytes(32)), "." in kind
    codes, _ = await world.take(
        about(kind, *digests), (Line(kind, digests), {}), (Line(kind, digests), {"item": b"short"}), about(kind)
    )
    assert codes[:3] == ["entry.unknown-item" if answers else "", "entry.part", "entry.item"]
    assert codes[3] in {"entry.item", "entry.digests"}


@pytest.mark.parametrize("kind", ["status.acknowledged", "reply.hit"])
async def test_a_line_about_what_is_no_item_at_all_is_refused_alike(world: World, kind: str) -> None:
    """Else a peer that names, say, our directory's id would make the log refuse what we store of it, for ever."""
    line = Line(kind, (bytes(32), bytes(32)))
    codes, _ = await world.take((line, {"item": DIRECTORY_ID.bytes}))
    assert codes == ["entry.unknown-item"]


@pytest.mark.parametrize("digests", [(), (bytes(32),), (bytes(32),) * 3])
async def test_a_correction_names_two_versions(world: World, digests: tuple[bytes, ...]) -> None:
    codes, _ = await after(world, about("superseded", *digests))
    assert codes == ["entry.digests"]


@pytest.mark.parametrize("reason", list(Withheld))
async def test_what_was_withheld_is_an_entry_without_effect(world: World, reason: str) -> None:
    codes, my = await world.take((Line("release", (bytes(32),) * 2), {"withheld": reason.encode()}))
    (event,) = await my.events((await world.my.log.head()).size)
    assert codes == [f"withheld.{reason}"]
    assert isinstance(event, Entry.Accepted)
    assert (event.withheld, event.item) == (reason, None)


async def test_a_recall_of_a_section_that_nobody_knows_takes_nothing(world: World) -> None:
    held = world.forge()
    recall = Line("recall.biometric", (held.item.manifest.digest,)), {"item": ITEM}
    codes, my = await world.take(held.arrives(), recall)
    assert codes == ["", "entry.sensitivity"]
    assert (await my.desks.work.read(Holding, holding_id("th", HELD))).grants.slots(my.clock.now())


async def test_nothing_is_withheld_for_a_reason_of_ones_own(world: World) -> None:
    line = Line("release", (bytes(32),) * 2)
    codes, _ = await world.take((line, {"withheld": b"secret"}), (line, {"withheld": b"\xff"}))
    assert codes == ["entry.withheld", "entry.utf8"]


# Answers about our items


@dataclass
class Asked:
    """Thailand, whose item Malaysia holds and Indonesia does not."""

    world: World
    node: MemoryNode
    item: UUID
    digest: bytes

    async def hear(self, *coming: tuple[Line, dict[str, bytes]], peer: str = "my") -> tuple[list[str], list[Any]]:
        node = self.node.copy()
        before = (await node.log.head()).size
        codes = await node.desks.incoming.accept(peer, LOG, [Arrived(n, *c) for n, c in enumerate(coming, 1)])
        return codes, await node.events(before)

    def reply(self, text: bytes = b"We know this number.", **changes: bytes) -> tuple[Line, dict[str, bytes]]:
        context = section.local_context(REPLY, reply_owner("my", self.digest).encode())
        sealed = section.seal(text, context, b"k" * 32)
        parts = {"key": sealed.key, "commitment": sealed.commitment, "ciphertext": sealed.ciphertext}
        digest = changes.pop("digest", sealed.digest)
        return Line("reply.hit", (self.digest, digest)), {"item": self.item.bytes, **parts, **changes}


@pytest_asyncio.fixture(scope="module")
async def asked(world: World) -> Asked:
    node = world.th.copy()
    third = await memory_node("id")
    await introduce(node, third)
    author = await node.officer()
    item = await node.post(author, draft_of("GOOD-PRACTICE", "my"))
    return Asked(world, node, item, (await node.desks.work.read(Alert, item)).edition.digest)


async def test_an_answer_is_kept_in_a_slot_of_our_own(asked: Asked) -> None:
    codes, (event,) = await asked.hear(asked.reply())
    assert codes == [""]
    assert isinstance(event, Entry.Accepted)
    assert event.item == asked.item
    assert event.text is not None


async def test_a_peer_that_claims_anothers_log_takes_none_of_its_slots(asked: Asked) -> None:
    """A peer names its own log id, so it can name the one that it learnt from another Member's hello."""
    node, third = asked.node.copy(), await memory_node("id")
    item = await node.post(await node.officer(), draft_of("GOOD-PRACTICE", "my", "id"))
    digest = (await node.desks.work.read(Alert, item)).edition.digest
    assert third.member in (await node.disclosure(item)).holders
    for peer, key in (("id", b"e"), ("my", b"k")):
        sealed = section.seal(b"Seen.", section.local_context(REPLY, reply_owner(peer, digest).encode()), key * 32)
        parts = {"key": sealed.key, "commitment": sealed.commitment, "ciphertext": sealed.ciphertext}
        line = Line("reply.sighting", (digest, sealed.digest))
        assert await node.desks.incoming.accept(peer, LOG, [Arrived(1, line, {"item": item.bytes, **parts})]) == [""]


async def test_a_status_is_about_an_item_of_ours_that_the_peer_was_given(asked: Asked) -> None:
    status = Line("status.acknowledged", (asked.digest,)), {"item": asked.item.bytes}
    other = Line("status.acknowledged", (bytes(32),)), {"item": asked.item.bytes}
    assert (await asked.hear(status, other))[0] == ["", "entry.unknown-item"]
    assert (await asked.hear(status, asked.reply(), peer="id"))[0] == ["entry.unknown-item"] * 2


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("section.commitment", {"key": b"j" * 32}),
        ("section.commitment", {"commitment": bytes(32)}),
        ("section.seal", {"ciphertext": bytes(1040)}),
        ("key.length", {"key": b""}),
        ("entry.reply", {"digest": bytes(32)}),
        ("entry.utf8", {"text": b"\xff"}),
        ("text.bidi", {"text": "left \u202e right".encode()}),
        ("text.blank", {"text": b""}),
        ("text.too-long", {"text": b"x" * 16_385}),
        ("entry.item", {"item": b"x" * 15}),
    ],
)
async def test_an_unsound_answer_is_refused_by_name(asked: Asked, code: str, changes: dict[str, bytes]) -> None:
    codes, events = await asked.hear(asked.reply(**changes))
    assert codes == [code]
    assert [type(e) for e in events] == [Entry.Refused]


async def test_an_answer_needs_all_its_parts(asked: Asked) -> None:
    line, parts = asked.reply()
    for name in parts:
        assert (await asked.hear((line, {n: p for n, p in parts.items() if n != name})))[0] == ["entry.part"]


# The directory


def told(world: World, data: bytes) -> tuple[Line, dict[str, bytes]]:
    return Line("directory", (statement.parse(data).digest,)), {"statement": data}


def known(world: World) -> tuple[Identity, Roster]:
    directory = world.th.desks.keys.ring()
    identity = Identity(
        "th", 1, world.th.root.public.raw, world.signing.public.raw, directory.link.public, world.th.log_id, "real"
    )
    return identity, Roster("th", 9, directory.kem().public, (), (), "")


def statements(world: World) -> dict[str, tuple[str, bytes]]:
    identity, roster = known(world)
    new = msgspec.structs.replace

    def said(who: Identity, root: SigningKey = world.th.root) -> bytes:
        return sign_identity(who, root)

    def listed(what: Roster, key: SigningKey = world.signing) -> bytes:
        return statement.sign(ROSTER, strict.encode(what), key)

    other_root = new(identity, seq=2, root=OTHER_NODE.public.raw)
    return {
        "the same": ("", said(identity)),
        "newer": ("", said(new(identity, seq=2))),
        "newer roster": ("", listed(roster)),
        "another world": ("directory.world", said(new(identity, seq=2, world="exercise"))),
        "a fork": ("directory.fork", said(new(identity, log_id=b"x" * 16))),
        "another member": ("directory.root", said(new(identity, member="id", seq=2))),
        "another root": ("directory.root", said(other_root, OTHER_NODE)),
        "not signed by its root": ("statement.kid", said(new(identity, seq=2), OTHER_NODE)),
        "another member's roster": ("directory.member", listed(new(roster, member="id"))),
        "a roster by another key": ("statement.kid", listed(roster, OTHER_NODE)),
        "no identity": ("cbor.shape", statement.sign(IDENTITY, strict.dumps({}), world.th.root)),
        "no roster": ("cbor.shape", statement.sign(ROSTER, strict.dumps({}), world.signing)),
    }


NAMES = [
    "the same", "newer", "newer roster", "another world", "a fork", "another member", "another root",
    "not signed by its root", "another member's roster", "a roster by another key", "no identity", "no roster",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_a_statement_about_who_is_who_is_believed_as_far_as_it_is_signed(world: World, name: str) -> None:
    code, data = statements(world)[name]
    codes, my = await world.take(told(world, data))
    assert codes == [code]
    assert (await my.desks.directory.current()).standing("th") == "verified"
    changed = any(isinstance(e, PeerNode.IdentityChanged | PeerNode.RosterChanged) for e in (await my.events())[-2:])
    assert changed == (name.startswith("newer"))


async def test_a_line_brings_the_statement_that_it_names(world: World) -> None:
    data = statements(world)["newer"][1]
    line, parts = told(world, data)
    codes, _ = await world.take((Line("directory", (bytes(32),)), parts), (Line("directory"), parts), (line, {}))
    assert codes == ["entry.directory", "entry.directory", "entry.part"]


# Once, and only once


async def test_a_line_is_stored_once(world: World) -> None:
    my = world.my.copy()
    arrived = [Arrived(1, *world.forge().arrives()), Arrived(2, *about("checkpoint"))]
    assert await my.desks.incoming.accept("th", LOG, arrived) == ["", ""]
    before = await my.stored()
    for again in (arrived, arrived[1:], [Arrived(2, *about("closure", bytes(32)))]):
        with pytest.raises(ConflictError) as caught:
            await my.desks.incoming.accept("th", LOG, again)
        assert caught.value.code == "entry.stored"
    assert (await my.stored())[:2] == before[:2]
    assert await my.desks.incoming.accept("th", b"M" * 16, arrived[1:]) == [""]  # another log of theirs


async def test_an_honest_story_is_refused_nowhere() -> None:
    th, my = await memory_node("th"), await memory_node("my")
    author, focal = await th.officer(), await th.approver()
    await acquaint(th, my)
    reader = await my.officer()
    item = await th.post(author, draft_of("TIP-RECRUIT", "my"))
    await th.approve(item, focal)
    said = await pump(th, my)
    for _ in range(2):  # the second correction supersedes one that was never released
        await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
        said += await pump(th, my)
    await my.desks.reading.open_(reader.caller, "th", item, Sensitivity.NOMINAL, Purpose.INVESTIGATE_TRAFFICKING)
    await my.desks.reading.acknowledge(reader.caller, "th", item)
    await my.desks.reading.reply(reader.caller, "th", item, "reply.sighting", "Seen at the pier.")
    said += await pump(my, th)
    await th.desks.alerts.withdraw(author.caller, item, "It was another boat.")
    said += await pump(th, my)
    assert len(said) > 6
    assert not any(said)


@pytest.mark.parametrize("peer", ["ph", "th"])
async def test_of_a_peer_that_is_unknown_or_was_revoked_since_its_frame_came_nothing_is_held(
    world: World, peer: str
) -> None:
    my = world.my.copy()
    focal = await my.officer(Role.FOCAL_POINT)
    await my.desks.directory.revoke(focal.caller, "th")
    before = await my.stored()
    with pytest.raises(ConflictError, match=r"entry\.not-verified"):
        await my.desks.incoming.accept(peer, LOG, [Arrived(1, *world.forge().arrives())])
    assert await my.stored() == before


async def test_our_own_trouble_refuses_nothing(world: World) -> None:
    """Only what a peer can cause is written down against it; a role or a state of ours is not its fault."""
    my = world.my.copy()

    async def broken(*_: object) -> None:
        raise RefusedError("ours", "Ours.")

    my.blobs.put = broken  # type: ignore[method-assign, assignment]
    before = await my.stored()
    with pytest.raises(RefusedError):
        await my.desks.incoming.accept("th", LOG, [Arrived(1, *world.forge().arrives())])
    assert await my.stored() == before
