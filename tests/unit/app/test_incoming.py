"""What comes in: sound releases become holdings, every unsound one is refused by name, and nothing newer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from rilon.crypto import section, strict
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding, holding_id
from rilon.domain.kinds import FORMAT
from rilon.domain.values import Line, Purpose, Sensitivity
from rilon.errors import UnavailableError
from tests.fakes.forgery import Forgery, contents, full
from tests.fakes.items import HANDLING, ITEM, OTHER_NODE, approve
from tests.fakes.receiving import HELD, World, receiving
from tests.nodes import MemoryNode


@pytest_asyncio.fixture(scope="module")
async def world() -> World:
    return await receiving()


# Sound releases


async def test_a_sound_release_is_held_and_opens(world: World) -> None:
    (code,), my = await world.take(world.forge().arrives())
    assert code == ""
    granted, accepted = (await my.events())[-2:]
    assert isinstance(granted, Holding.Granted)
    assert isinstance(accepted, Entry.Accepted)
    assert (granted.origin, granted.item, accepted.item) == ("th", HELD, HELD)
    assert [s.sensitivity for s in granted.edition.sections] == [Sensitivity.SUMMARY]
    reader = await my.officer()
    opened = await my.desks.reading.open_(reader.caller, "th", HELD, Sensitivity.SUMMARY, Purpose.IDENTIFY_VICTIM)
    assert opened.fields


async def test_approved_and_broken_glass_releases_are_held(world: World) -> None:
    everything = world.forge(texts=full(), granted=tuple(full()), basis="approval", terms={"rules": ()})
    vital = world.forge(basis="break-glass", head={"urgency": "life_at_risk"}, terms={"rules": ()})
    for sound in (world.signed(everything, world.focal, world.second), vital):
        codes, _ = await world.take(sound.arrives())
        assert codes == [""]


async def test_more_of_an_item_and_a_newer_version_join_what_is_held(world: World) -> None:
    texts = full()
    first = world.forge(texts=texts)
    more = world.signed(first.but(granted=("summary", "nominal"), basis="approval"), world.focal)
    newer = world.forge(texts=texts, head={"version": 2, "corrects": first.item.manifest.digest}, seed=1)
    codes, my = await world.take(first.arrives(), more.arrives(), newer.arrives())
    assert codes == [""] * 3
    holding = await my.desks.work.read(Holding, holding_id("th", HELD))
    assert [e.version for e in holding.grants.editions] == [1, 1, 2]
    one, two = holding.grants.editions[:2]
    assert one.sections[0].sealed == next(s for s in two.sections if s.sensitivity is Sensitivity.SUMMARY).sealed


# Unsound releases, each by its name

RED = msgspec.structs.replace(HANDLING, tlp="TLP:RED")
STRICT = msgspec.structs.replace(HANDLING, tlp="TLP:AMBER+STRICT")
STRANGER = "e" * 32


def unsound() -> dict[str, tuple[str, Callable[[World], Forgery]]]:
    """Every forgery: the code it is refused with, and how it is made."""
    later = 1_900_000_001
    return {
        "for another": ("release.recipient", lambda w: w.forge(recipient="id")),
        "outlives its item": ("release.until", lambda w: w.forge(terms={"until": later})),
        "all may read RED": ("release.readers", lambda w: w.forge(head={"handling": RED})),
        "an agency may read RED": (
            "release.readers",
            lambda w: w.forge(head={"handling": RED}, terms={"readers": ("agency:navy", "desk:d1")}),
        ),
        "all may read AMBER+STRICT": ("release.readers", lambda w: w.forge(head={"handling": STRICT})),
        "of another origin": ("release.origin", lambda w: w.forge(origin="id")),
        "an exercise": ("release.world", lambda w: w.forge(head={"kind": "EXERCISE"}, texts={"summary": b""})),
        "by rule, a victim": ("release.rule", lambda w: w.forge(granted=("summary", "victim"))),
        "by rule, a child": ("release.rule", lambda w: w.forge(texts=full(), granted=("child",))),
        "by no rule": ("release.rule", lambda w: w.forge(terms={"rules": ()})),
        "glass, nominal": (
            "release.break-glass",
            lambda w: w.forge(texts=full(), basis="break-glass", granted=("summary", "nominal"), head=VITAL),
        ),
        "glass, no summary": (
            "release.break-glass",
            lambda w: w.forge(texts=full(), basis="break-glass", granted=("source",), head=VITAL),
        ),
        "glass, no life at risk": ("release.break-glass", lambda w: w.forge(basis="break-glass")),
        "unapproved": ("approval.missing", lambda w: w.forge(basis="approval")),
        "a victim, one approval": (
            "approval.missing",
            lambda w: w.signed(w.forge(basis="approval", granted=("victim",)), w.focal),
        ),
        "approved twice by one": (
            "approval.officer",
            lambda w: w.signed(w.forge(basis="approval", granted=("victim",)), w.focal, w.focal),
        ),
        "approved by nobody known": (
            "approval.officer",
            lambda w: (f := w.forge(basis="approval")).but(approvals=[approve(f.leaving.body, STRANGER, OTHER_NODE)]),
        ),
        "approved with a key not listed": (
            "approval.kid",
            lambda w: (f := w.forge(basis="approval")).but(
                approvals=[approve(f.leaving.body, w.focal.caller.ref, OTHER_NODE)]
            ),
        ),
        "approved another body": (
            "signature.invalid",
            lambda w: w.forge(basis="approval").but(
                approvals=w.signed(w.forge(basis="approval", seed=1), w.focal).approvals
            ),
        ),
        "by rule, with a false approval beside": (
            "approval.officer",
            lambda w: (f := w.forge()).but(approvals=[approve(f.leaving.body, STRANGER, OTHER_NODE)]),
        ),
        "signed by another node": ("statement.kid", lambda w: w.forge(signing=OTHER_NODE)),
        "no section's content": ("content.unreadable", lambda w: w.forge(texts={"summary": FORMAT + b"\xc1"})),
        "an empty content": ("content.format", lambda w: w.forge(texts={"summary": b""})),
        "a field of another section": ("invalid.several", lambda w: w.forge(texts={"summary": contents()["victim"]})),
        "another item's release": (
            "release.origin",
            lambda w: w.forge(parts={"release": w.forge(seed=1).arrives()[1]["release"]}, digests=mixed(w)),
        ),
        "two statements in one": (
            "statement.kind",
            lambda w: w.forge(parts={"manifest": w.forge().arrives()[1]["release"]}),
        ),
        "no digests": ("release.digests", lambda w: w.forge(digests=())),
        "digests of another release": (
            "release.digests",
            lambda w: w.forge(digests=w.forge(seed=1).arrives()[0].digests),
        ),
        "digests turned round": ("release.digests", lambda w: w.forge(digests=w.forge().arrives()[0].digests[::-1])),
        "a digest too many": (
            "release.digests",
            lambda w: w.forge(digests=(*w.forge().arrives()[0].digests, bytes(32))),
        ),
        "another grant": ("tree.path", lambda w: w.forge(parts={"grant": w.forge(seed=1).arrives()[1]["grant"]})),
        "another place": ("tree.path", lambda w: w.forge(parts={"position": b"\x7f"})),
        "a place in two bytes": ("release.position", lambda w: w.forge(parts={"position": b"\0" + place(w)})),
        "no place": ("release.position", lambda w: w.forge(parts={"position": b""})),
        "another section's leaf": ("release.place", lambda w: w.forge(parts=swapped(w, "leaf", "path"))),
        "another section's key": ("section.commitment", lambda w: w.forge(parts=swapped(w, "key"))),
        "another section's text": ("section.digest", lambda w: w.forge(parts=swapped(w, "ciphertext"))),
        "a short key": ("key.length", lambda w: w.forge(parts={w.forge().part("key", "summary"): bytes(31)})),
        "a section withheld for a reason of one's own": (
            "release.withheld",
            lambda w: w.forge(parts={w.forge().part("withheld", "summary"): b"because"}),
        ),
        "a leaf that is none": ("cbor.type", lambda w: w.forge(parts={w.forge().part("leaf", "summary"): b"\xf9\0\0"})),
    }


VITAL = {"urgency": "life_at_risk"}


def place(world: World) -> bytes:
    return world.forge().arrives()[1]["position"]


def mixed(world: World) -> tuple[bytes, ...]:
    return world.forge().arrives()[0].digests[0], world.forge(seed=1).arrives()[0].digests[1]


def swapped(world: World, *names: str) -> dict[str, bytes]:
    """The summary's parts of these names, taken from the victim's section."""
    forgery = world.forge(granted=("summary", "victim"))
    parts = forgery.arrives()[1]
    return {forgery.part(name, "summary"): parts[forgery.part(name, "victim")] for name in names}


@pytest.mark.parametrize("name", unsound())
async def test_an_unsound_release_is_refused_by_name_and_never_held(world: World, name: str) -> None:
    code, make = unsound()[name]
    assert await world.code(make(world)) == code


async def test_a_release_without_any_of_its_parts_is_refused(world: World) -> None:
    parts = list(world.forge().arrives()[1])
    assert len(parts) == 9
    for name in parts:
        assert await world.code(world.forge(parts={name: None})) == "release.part"


async def test_two_truths_under_one_version_are_a_fork(world: World) -> None:
    first, other = world.forge(), world.forge(seed=1)
    orphan = world.forge(head={"version": 2, "corrects": other.item.manifest.digest}, seed=2)
    codes, my = await world.take(first.arrives(), other.arrives(), orphan.arrives())
    assert codes == ["", "release.fork", "release.fork"]
    assert len((await my.desks.work.read(Holding, holding_id("th", HELD))).grants.editions) == 1


async def test_a_fork_is_one_too_when_the_newer_version_comes_first(world: World) -> None:
    first, other = world.forge(), world.forge(seed=1)
    newer = world.forge(head={"version": 2, "corrects": first.item.manifest.digest}, seed=2)
    codes, _ = await world.take(newer.arrives(), other.arrives(), first.arrives())
    assert codes == ["", "release.fork", ""]


async def test_no_byte_of_a_release_can_be_changed(world: World) -> None:
    """Every byte of the small parts, and one in 97 of the statements, which lie under signatures."""
    line, parts = world.signed(world.forge(basis="approval"), world.focal).arrives()
    tampered = []
    for name, data in parts.items():
        step = 97 if len(data) > 2000 else 9 if len(data) > 1000 else 1
        for at in {*range(0, len(data), step), len(data) - 1}:
            changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            tampered.append((line, parts | {name: changed}))
        tampered += [(line, parts | {name: data + b"\0"}), (line, parts | {name: data[:-1]})]
    codes, my = await world.take(*tampered)
    assert len(codes) > 800
    assert all(codes)
    new = await my.events((await world.my.log.head()).size)
    assert {type(e) for e in new} == {Entry.Refused}
    assert (await my.stored())[1:] == (await world.my.stored())[1:]


# What is newer than this node


async def test_a_kind_or_format_that_is_newer_is_held_and_shown_by_its_metadata(world: World) -> None:
    kind = world.forge(head={"kind": "NEW-KIND"}, texts={"summary": b"whatever"})
    form = world.forge(texts={"summary": b"\x02whatever"})
    for forgery in (kind, form):
        codes, my = await world.take(forgery.arrives())
        assert codes == [""]
        held = (await my.desks.work.read(Holding, holding_id("th", HELD))).edition
        assert held.kind == forgery.item.manifest.kind
        reader = await my.officer()
        with pytest.raises(UnavailableError) as caught:
            await my.desks.reading.open_(reader.caller, "th", HELD, Sensitivity.SUMMARY, Purpose.IDENTIFY_VICTIM)
        assert (caught.value.code, caught.value.fix != "") == ("content.newer", True)


@pytest.mark.parametrize(
    "changes",
    [
        {"head": {"urgency": "yesterday"}},
        {"head": {"handling": msgspec.structs.replace(HANDLING, tlp="TLP:MAUVE")}},
        {"texts": {"biometric": b"x"}, "granted": ("biometric",)},
    ],
)
async def test_words_this_node_does_not_have_are_kept_whole(world: World, changes: dict[str, Any]) -> None:
    line, parts = world.forge(**changes).arrives()
    codes, my = await world.take((line, parts))
    assert codes == [""]
    (event,) = await my.events((await world.my.log.head()).size)
    assert isinstance(event, Entry.Unknown)
    assert event.line == line
    assert await unsealed(my, event) == parts


async def unsealed(node: MemoryNode, event: Entry.Unknown) -> dict[str, bytes]:
    owner = f"{event.peer}:{event.log_id.hex()}:{event.seq}"
    data = await node.desks.vault.open(event.attachments, section.local_context("entry.unknown", owner.encode()))
    found: dict[str, bytes] = strict.loads(data, limit=1 << 20)
    return found


@pytest.mark.parametrize(
    ("codes", "purposes"),
    [
        ((), None),
        (("border_decision",), {Purpose.BORDER_DECISION}),
        (("border_decision", "new_purpose"), {Purpose.BORDER_DECISION}),
        (("new_purpose",), set()),
    ],
)
async def test_a_purpose_only_newer_nodes_know_allows_nothing_here(world: World, codes: Any, purposes: Any) -> None:
    _, my = await world.take(world.forge(terms={"purposes": codes}).arrives())
    held = (await my.desks.work.read(Holding, holding_id("th", HELD))).edition
    assert held.purposes == purposes


@pytest.mark.parametrize(
    "kind",
    [
        "checkpoint",
        "onward.grant",
        "onward",
        "linkage.start",
        "release.partial",
        "withdrawal.late",
        "superseded.x",
        "directory.x",
        "status",
        "reply",
    ],
)
async def test_a_line_of_an_unknown_kind_is_kept_whole(world: World, kind: str) -> None:
    line, parts = Line(kind, (bytes(32),)), {"item": ITEM, "what": b"ever"}
    codes, my = await world.take((line, parts), (line, {}))
    assert codes == ["", ""]
    first, second = await my.events((await world.my.log.head()).size)
    assert isinstance(first, Entry.Unknown)
    assert isinstance(second, Entry.Unknown)
    assert (await unsealed(my, first), await unsealed(my, second)) == (parts, {})
