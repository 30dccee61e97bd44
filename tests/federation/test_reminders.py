"""A node restored from an old backup learns from its peers what it had forgotten, and can take it back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest

from rilon.app.follower import catch_up
from rilon.app.incoming import Arrived
from rilon.app.recall_desk import RecallOrder
from rilon.app.reminders import Reminders
from rilon.audit.statements import Statements
from rilon.crypto import statement
from rilon.domain.alert import Alert
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding, holding_id
from rilon.domain.recall import Recall
from rilon.domain.rules import Rule, RuleBook
from rilon.domain.values import Effect, Role
from rilon.errors import RilonError
from rilon.network.health import LinkState
from rilon.projections import board
from tests.fakes.memory_bus import MemoryHub
from tests.federation.couriers import delivered, posts, until
from tests.federation.test_key_epochs import confirm, renew
from tests.nodes import MemoryNode, Person, acquaint, draft_of, lines, memory_node, pump


async def open_node(member: str) -> MemoryNode:
    return await memory_node(member, book=RuleBook(member, 1, (Rule("open", Effect.ALLOW, "All may go."),)))


async def pair() -> tuple[MemoryNode, MemoryNode]:
    th, my = await open_node("th"), await memory_node("my")
    await acquaint(th, my)
    return th, my


async def remind(holder: MemoryNode) -> None:
    """Let a holder look and return what it finds, as a new process would."""
    follower = Reminders(holder.desks.work)
    await catch_up(holder.log, follower)
    await follower.tend()


async def restored(backup: MemoryNode, *peers: MemoryNode) -> MemoryNode:
    """The node as its backup had it, under a new log that its peers have confirmed; nothing is carried yet."""
    node = backup.copy()
    node.sent = {}
    node.clock.forward(days=1)
    await renew(node, b"N" * 16)
    for peer in peers:
        peer.sent.pop(node.member, None)
        await peer.desks.directory.take_in(await node.desks.directory.introduction())
        await confirm(peer, node)
    return node


async def story(*, before: int = 1, after: int = 2) -> tuple[MemoryNode, MemoryNode, list[UUID], Person]:
    """Thailand's node, restored; Malaysia's, which holds all; the items the backup had forgotten; a focal point."""
    th, my = await pair()
    focal = await th.officer(Role.FOCAL_POINT)
    author = await th.officer()
    for _ in range(before):
        await th.post(author, draft_of("TIP-RECRUIT", "my"))
    backup = th.copy()
    lost = [await th.post(author, draft_of("TIP-RECRUIT", "my")) for _ in range(after)]
    assert set(await pump(th, my)) == {""}
    node = await restored(backup, my)
    assert set(await pump(node, my)) == {""}
    return node, my, lost, focal


async def holding(node: MemoryNode, item: UUID) -> Holding:
    return await node.desks.work.read(Holding, holding_id("th", item))


async def kinds(node: MemoryNode) -> Counter[type]:
    return Counter(type(e) for e in await node.events())


async def check_statements(node: MemoryNode) -> Counter[str]:
    proved: Counter[str] = Counter()
    statements = Statements(proved)
    for event in await node.events():
        statements.check(event)
    return proved


async def test_it_learns_what_it_had_forgotten_and_takes_it_back() -> None:
    th, my, (first, second), focal = await story()
    await remind(my)
    assert await pump(my, th) == [""] * len([e for e in await th.events() if isinstance(e, Entry.Accepted)])
    found = await kinds(th)
    assert (found[Alert.Recovered], found[Disclosure.Resumed], found[Disclosure.Recovered]) == (2, 2, 2)
    assert (await th.disclosure(first)).holders == ("my",)
    await th.desks.alerts.withdraw(focal.caller, first, "posted by mistake")
    await th.desks.recalls.recall(focal.caller, "th", second, RecallOrder("by mistake", "mistake"))
    assert set(await pump(th, my)) == {""}
    assert (await holding(my, first)).state == "withdrawn"
    await catch_up(my.log, my.desks.erasures)
    await my.desks.erasures.tend()
    assert set(await pump(my, th)) == {""}
    assert (await kinds(th))[Recall.Confirmed] == 1
    for node in (th, my):
        await check_statements(node)


async def test_what_is_said_again_is_not_returned_and_nothing_twice() -> None:
    th, my, lost, _ = await story(before=3, after=1)
    for _ in range(2):
        await remind(my)
    reminded = [e for e in await my.events() if isinstance(e, Holding.Reminded)]
    assert [e.originator_id for e in reminded] == [holding_id("th", item) for item in lost]
    fields = {name for r in await lines(my, th) if r.line.kind == "reminder" for name in r.attachment}
    assert not {name for name in fields if name.startswith(("key", "ciphertext"))}


async def test_nothing_goes_back_before_the_new_log_has_said_all_it_knows() -> None:
    th, my = await pair()
    backup = th.copy()
    await th.post(await th.officer(), draft_of("TIP-RECRUIT", "my"))
    await pump(th, my)
    await restored(backup, my)
    await remind(my)
    assert not (await kinds(my))[Holding.Reminded]


async def test_a_peer_that_the_backup_had_forgotten_is_told_of_the_new_log() -> None:
    th, my = await open_node("th"), await memory_node("my")
    backup = th.copy()
    await acquaint(th, my)
    item = await th.post(await th.officer(), draft_of("TIP-RECRUIT", "my"))
    await pump(th, my)
    node = await restored(backup, my)
    await node.desks.directory.take_in(await my.desks.directory.introduction())
    await confirm(node, my)
    assert set(await pump(node, my)) == {""}
    await remind(my)
    assert set(await pump(my, node)) == {""}
    assert (await node.disclosure(item)).holders == ("my",)


async def test_a_forgotten_version_of_a_known_item_is_corrected_and_another_one_is_a_fork() -> None:
    th, my = await pair()
    author = await th.officer(Role.OFFICER, Role.FOCAL_POINT)
    item, other = [await th.post(author, draft_of("TIP-RECRUIT", "my")) for _ in range(2)]
    backup = th.copy()
    for one in (item, other):
        await th.desks.alerts.correct(author.caller, one, draft_of("TIP-RECRUIT", "my"))
    await pump(th, my)
    node = await restored(backup, my)
    await node.desks.alerts.correct(author.caller, other, draft_of("TIP-RECRUIT", "my"))
    await pump(node, my)
    await remind(my)
    assert set(await pump(my, node)) == {""}
    found = {e.originator_id: e for e in await node.events() if isinstance(e, Alert.EditionRecovered)}
    forked = next(e for e in (await node.desks.work.read(Alert, other)).editions if e.sections and e.version == 2)
    assert (found[item].contradicts, found[other].contradicts) == (None, forked.digest)
    assert (await node.desks.work.read(Alert, other)).edition == forked  # what we can show stays in force here
    await node.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    assert (await node.desks.work.read(Alert, item)).edition.version == 3
    assert set(await pump(node, my)) == {""}
    assert {e.version for e in (await holding(my, item)).grants.editions} == {1, 2, 3}
    await check_statements(node)


async def test_the_board_says_that_the_content_is_at_holders_only() -> None:
    th, my, (first, *_), focal = await story()
    await remind(my)
    await pump(my, th)
    officer = await th.officer()
    (event,) = [e for e in await th.events() if isinstance(e, Alert.Recovered) and e.originator_id == first]
    item, row = board.changes(event, 9)
    shown = board.entry(item, [row], focal.caller, th.clock.now())
    assert shown is not None
    assert (shown.basis, shown.sensitivities, shown.summary_version) == ("recovered", (), 0)
    assert board.entry(item, [row], officer.caller, th.clock.now()) is None
    with pytest.raises(RilonError) as refused:
        await th.desks.reading.open_(focal.caller, "th", first, "summary", "triage")
    assert refused.value.status == 404


Spoil = Callable[[dict[str, bytes], tuple[bytes, ...]], tuple[dict[str, bytes], tuple[bytes, ...]]]


async def resigned(part: str, there: MemoryNode) -> Spoil:
    def spoil(parts: dict[str, bytes], digests: tuple[bytes, ...]) -> tuple[dict[str, bytes], tuple[bytes, ...]]:
        said = statement.parse(parts[part])
        return parts | {part: statement.sign(said.kind, said.body, there.desks.keys.ring().signing)}, digests

    return spoil


def without(part: str) -> Spoil:
    return lambda parts, digests: ({n: p for n, p in parts.items() if not n.startswith(part)}, digests)


def flipped(part: str) -> Spoil:
    def spoil(parts: dict[str, bytes], digests: tuple[bytes, ...]) -> tuple[dict[str, bytes], tuple[bytes, ...]]:
        name = next(n for n in parts if n.startswith(part))
        return parts | {name: parts[name][:-1] + bytes([parts[name][-1] ^ 1])}, digests

    return spoil


async def test_what_we_did_not_sign_and_grant_is_refused_with_a_reason() -> None:
    th, my, _, _ = await story(after=2)
    await remind(my)
    waiting = [a for a in await lines(my, th) if a.line.kind == "reminder"]
    good, other = waiting

    def swapped(parts: dict[str, bytes], digests: tuple[bytes, ...]) -> tuple[dict[str, bytes], tuple[bytes, ...]]:
        return parts, digests[::-1]

    def mixed(parts: dict[str, bytes], digests: tuple[bytes, ...]) -> tuple[dict[str, bytes], tuple[bytes, ...]]:
        return parts | {"release": other.attachment["release"]}, (digests[0], other.line.digests[1])

    spoils = {
        "reminder.signature": [await resigned("manifest", my), await resigned("release", my), flipped("manifest")],
        "reminder.digests": [swapped],
        "reminder.manifest": [mixed],
        "reminder.part": [without("grant"), without("leaf"), without("path.")],
        "tree.path": [flipped("path"), flipped("path."), flipped("leaf.")],
    }
    log_id, seq = b"o" * 16, 0
    before = await kinds(th)
    for code, ways in spoils.items():
        for spoil in ways:
            seq += 1
            parts, digests = spoil(dict(good.attachment), good.line.digests)
            line = type(good.line)("reminder", digests)
            assert await th.desks.incoming.accept("my", log_id, [Arrived(seq, line, parts)]) == [code]
    assert (await kinds(th)) - before == Counter({Entry.Refused: seq})
    good_again = [Arrived(seq + n, good.line, good.attachment) for n in (1, 2)]
    assert await th.desks.incoming.accept("my", log_id, good_again) == ["", "reminder.known"]


async def test_a_grant_to_another_member_and_a_log_that_forgot_nothing_take_nothing() -> None:
    th, my, _, _ = await story(after=1)
    id_ = await memory_node("id")
    await acquaint(th, id_)
    await remind(my)
    (good,) = [a for a in await lines(my, th) if a.line.kind == "reminder"]
    one = Arrived(1, good.line, good.attachment)
    assert await th.desks.incoming.accept("id", b"o" * 16, [one]) == ["reminder.holder"]
    assert await id_.desks.incoming.accept("th", b"o" * 16, [one]) == ["reminder.unasked"]


async def test_over_couriers_page_by_page_and_the_urgent_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rilon.app.reminders.PAGE", 2)
    th, my = await pair()
    backup, author = th.copy(), await th.officer()
    for urgency in ("normal", "immediate", "high", "normal", "immediate"):
        await th.post(author, draft_of("TIP-RECRUIT", "my", urgency=urgency))
    hub = MemoryHub("th", "my")
    async with posts(hub, th, my) as made:
        await delivered(made)
    node = backup.copy()
    node.clock.forward(days=1)
    await renew(node, b"N" * 16)
    async with posts(hub, node, my) as made:
        await until(lambda: (h := made["my"].link("th")) and h.state is LinkState.UNVERIFIED)
        await confirm(my, node)
        follower = Reminders(my.desks.work)
        await delivered(made)
        await catch_up(my.log, follower)
        for page in (2, 4, 5, 5):
            await follower.tend()
            assert (await kinds(my))[Holding.Reminded] == page
        await delivered(made)
    found = [e.edition.urgency for e in await node.events() if isinstance(e, Alert.Recovered)]
    assert found == ["immediate", "immediate", "high", "normal", "normal"]
