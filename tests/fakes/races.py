"""Decisions that contradict each other, to be raced over any log; and the judge, who reads nothing but the log.

Each race prepares its round anew and gives two attempts, each a function of the desks it is made at, so that the two
may sit in different processes. Whatever happens, the log must tell one story; who lost was told so by a named refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec

from rilon.app.onward_lines import ASK
from rilon.app.post import Arrived
from rilon.app.reading_desk import reply_owner
from rilon.app.recall_desk import RecallOrder
from rilon.app.unit import Key
from rilon.crypto import onward, section
from rilon.domain.alert import Alert
from rilon.domain.base import Event
from rilon.domain.book_file import default_book, format_book, make_book
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.holding import Holding
from rilon.domain.legal import Agreement
from rilon.domain.officer import Officer
from rilon.domain.onward import Onward
from rilon.domain.recall import Recall
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import Rule, RuleBook, When
from rilon.domain.values import Effect, Line, Purpose, Role, Sensitivity
from rilon.errors import RilonError
from rilon.node.desks import Desks
from tests.nodes import MemoryNode, Person, acquaint, draft_of, lines, memory_node, publish_rules

NOMINAL = Sensitivity.NOMINAL
Attempt = Callable[[Desks], Awaitable[object]]
Outcomes = Sequence[object]

STRICT = Rule("strict", Effect.REFUSE, "No persons leave.", When(sensitivities=frozenset({NOMINAL})))
TREATY = Agreement("th-id", "A fictional memorandum", frozenset({"th", "id"}))
BY_TREATY = Rule("by-treaty", Effect.ALLOW, "The memorandum lets it go.", When(), TREATY.id)
OPEN = RuleBook("id", 1, (Rule("open", Effect.ALLOW, "All may go."),))


@dataclass
class Stage:
    """Thailand, over the log that is raced on, with its people; Indonesia in memory, whose items it holds."""

    node: MemoryNode
    peer: MemoryNode
    author: Person
    focal: Person
    other: Person
    peer_author: Person
    deputy: Person
    heard: int = 0
    number: count[int] = field(default_factory=lambda: count(1))

    async def waiting(self) -> UUID:
        """An alert whose persons wait for approval."""
        return await self.node.post(self.author, draft_of("TIP-RECRUIT", "id"))

    async def vulnerable(self) -> UUID:
        """An alert whose victim's section waits for two approvers."""
        return await self.node.post(self.author, draft_of("VIC-REFER", "id"))

    async def released(self) -> UUID:
        """An alert that Indonesia was granted all of."""
        item = await self.waiting()
        await self.node.approve(item, self.focal)
        return item

    async def asked(self) -> tuple[UUID, bytes]:
        """An alert of ours, and Indonesia's question whether it may use it in court."""
        item = await self.released()
        edition = (await self.node.desks.work.read(Alert, item)).edition
        words = onward.encode(onward.Ask("id", (NOMINAL,), True, "The trial begins."))
        owner = reply_owner("id", edition.digest).encode()
        made = section.seal(words, section.local_context(ASK, owner))
        beside = {"item": item.bytes, "key": made.key, "commitment": made.commitment, "ciphertext": made.ciphertext}
        line = Line(ASK, (edition.digest, made.digest))
        assert await self.node.desks.incoming.accept("id", b"Q" * 16, [Arrived(next(self.number), line, beside)]) == [
            ""
        ]
        return item, made.digest

    async def standing_in(self) -> Person:
        """The deputy, who acts in the place of ``focal``."""
        desks, until = self.node.desks, self.node.clock.at + timedelta(hours=1)
        caller = (await desks.work.read(Officer, self.deputy.id)).caller(self.node.clock.at)
        if not caller.stands_in_for:
            await desks.members.call_upon(self.focal.caller, self.deputy.id, until)
            caller = (await desks.work.read(Officer, self.deputy.id)).caller(self.node.clock.at)
        return Person(caller, self.deputy.key)

    async def signed(self, item: UUID, person: Person) -> bytes:
        return person.sign(await self.node.desks.disclosures.show(person.caller, item))

    async def publish(self, desks: Desks, *rules: Rule) -> None:
        """Put a book in force: the default one, and these."""
        await publish_rules(desks, [*default_book("th").rules, *rules], self.other, self.focal)

    async def coming(self) -> list[Arrived]:
        """What Indonesia has for us since last time."""
        found = await lines(self.peer, self.node)
        self.heard += len(found)
        return found


async def set_stage(node: MemoryNode) -> Stage:
    """People and a peer for a founded Thailand."""
    peer = await memory_node("id", book=OPEN)
    author, focal, other = await node.officer(), await node.approver(), await node.approver()
    peer_author, deputy = await peer.officer(), await node.approver(Role.DEPUTY)
    await acquaint(node, peer)
    await peer.desks.incoming.accept("th", node.log_id, await lines(node, peer))
    stage = Stage(node, peer, author, focal, other, peer_author, deputy)
    await node.desks.incoming.accept("id", peer.log_id, await stage.coming())
    return stage


@dataclass(frozen=True)
class Race:
    """Two attempts, the refusals a loser may be told, and whether both may, or always do, win: one after the other."""

    prepare: Callable[[Stage], Awaitable[tuple[Attempt, Attempt]]]
    refusals: frozenset[str]
    exclusive: bool = False
    both: bool = False


async def approve_or_withdraw(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, signed),
        lambda d: d.alerts.withdraw(s.author.caller, item, "It was another boat."),
    )


async def release_or_publish(s: Stage) -> tuple[Attempt, Attempt]:
    await s.publish(s.node.desks)
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return lambda d: d.disclosures.approve(s.focal.caller, item, signed), lambda d: s.publish(d, STRICT)


async def open_or_end(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.peer.post(s.peer_author, draft_of("TIP-RECRUIT", "th"))
    await s.node.desks.incoming.accept("id", s.peer.log_id, await s.coming())
    await s.peer.desks.alerts.withdraw(s.peer_author.caller, item, "It was another boat.")
    ending = await s.coming()
    return (
        lambda d: d.reading.open_(s.author.caller, "id", item, NOMINAL, Purpose.INVESTIGATE_TRAFFICKING),
        lambda d: d.incoming.accept("id", s.peer.log_id, ending),
    )


async def post_or_suspend(s: Stage) -> tuple[Attempt, Attempt]:
    author = await s.node.officer()
    return (
        lambda d: d.alerts.post(author.caller, draft_of("TIP-RECRUIT", "id")),
        lambda d: d.members.suspend(s.focal.caller, author.id),
    )


async def approve_or_suspend(s: Stage) -> tuple[Attempt, Attempt]:
    focal, item = await s.node.approver(), await s.waiting()
    signed = await s.signed(item, focal)
    return (
        lambda d: d.disclosures.approve(focal.caller, item, signed),
        lambda d: d.members.suspend(s.other.caller, focal.id),
    )


async def approve_or_revoke_role(s: Stage) -> tuple[Attempt, Attempt]:
    focal, item = await s.node.approver(), await s.waiting()
    signed = await s.signed(item, focal)
    return (
        lambda d: d.disclosures.approve(focal.caller, item, signed),
        lambda d: d.members.revoke_role(s.other.caller, focal.id, Role.FOCAL_POINT),
    )


async def approve_or_approve(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    one, two = await s.signed(item, s.focal), await s.signed(item, s.other)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, one),
        lambda d: d.disclosures.approve(s.other.caller, item, two),
    )


async def double_click(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed, key = await s.signed(item, s.focal), Key(UUID(int=item.int ^ 1), b"k" * 32)

    async def click(d: Desks) -> object:
        return await d.disclosures.approve(s.focal.caller, item, signed, key)

    return click, click


async def deputy_or_principal(s: Stage) -> tuple[Attempt, Attempt]:
    deputy, item = await s.standing_in(), await s.waiting()
    one, two = await s.signed(item, deputy), await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(deputy.caller, item, one),
        lambda d: d.disclosures.approve(s.focal.caller, item, two),
    )


async def deputy_or_principal_of_two(s: Stage) -> tuple[Attempt, Attempt]:
    """Both together are one person where two must sign."""
    deputy, item = await s.standing_in(), await s.vulnerable()
    one, two = await s.signed(item, deputy), await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(deputy.caller, item, one),
        lambda d: d.disclosures.approve(s.focal.caller, item, two),
    )


def _take_back(s: Stage, item: UUID) -> Attempt:
    return lambda d: d.recalls.recall(s.author.caller, "th", item, RecallOrder("Another boat.", "mistake"))


async def release_or_recall(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return lambda d: d.disclosures.approve(s.focal.caller, item, signed), _take_back(s, item)


async def recall_or_recall(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.released()
    return _take_back(s, item), _take_back(s, item)


async def grant_or_grant(s: Stage) -> tuple[Attempt, Attempt]:
    item, request = await s.asked()
    return (
        lambda d: d.onward.grant(s.focal.caller, item, request),
        lambda d: d.onward.grant(s.other.caller, item, request),
    )


async def grant_or_deny(s: Stage) -> tuple[Attempt, Attempt]:
    item, request = await s.asked()
    return (
        lambda d: d.onward.grant(s.focal.caller, item, request),
        lambda d: d.onward.refuse(s.other.caller, item, request, "law"),
    )


async def deny_or_deny(s: Stage) -> tuple[Attempt, Attempt]:
    item, request = await s.asked()
    return (
        lambda d: d.onward.refuse(s.focal.caller, item, request, "law"),
        lambda d: d.onward.refuse(s.other.caller, item, request, "law"),
    )


async def answer_or_deny(s: Stage) -> tuple[Attempt, Attempt]:
    """The signature that answers yes, and a colleague who says no."""
    item, request = await s.asked()
    await s.node.desks.onward.grant(s.focal.caller, item, request)
    signed = await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, signed),
        lambda d: d.disclosures.refuse(s.other.caller, item, "No."),
    )


async def approve_or_refuse(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, signed),
        lambda d: d.disclosures.refuse(s.other.caller, item, "No."),
    )


async def approve_or_cut(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, signed),
        lambda d: d.disclosures.cut(s.other.caller, item, frozenset({("id", NOMINAL)})),
    )


async def approve_or_correct(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    signed = await s.signed(item, s.focal)
    return (
        lambda d: d.disclosures.approve(s.focal.caller, item, signed),
        lambda d: d.alerts.correct(s.author.caller, item, draft_of("TIP-RECRUIT", "id")),
    )


async def correct_or_withdraw(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    return (
        lambda d: d.alerts.correct(s.author.caller, item, draft_of("TIP-RECRUIT", "id")),
        lambda d: d.alerts.withdraw(s.author.caller, item, "It was another boat."),
    )


async def withdraw_or_close(s: Stage) -> tuple[Attempt, Attempt]:
    item = await s.waiting()
    return (
        lambda d: d.alerts.withdraw(s.author.caller, item, "It was another boat."),
        lambda d: d.alerts.close(s.author.caller, item, "found-safe"),
    )


async def post_or_end_agreement(s: Stage) -> tuple[Attempt, Attempt]:
    await publish_rules(s.node.desks, [BY_TREATY], s.other, s.focal, agreements=[TREATY])
    return (
        lambda d: d.alerts.post(s.author.caller, draft_of("TIP-RECRUIT", "id")),
        lambda d: d.rules.end_agreement(s.other.caller, TREATY.id),
    )


async def _drafted(s: Stage) -> RuleBook:
    book = await s.node.desks.rules.current(s.focal.caller)
    mended = [msgspec.structs.replace(default_book("th").rules[0], because=f"Public, as book {book.version} says.")]
    await s.node.desks.rules.draft(s.focal.caller, format_book(make_book("th", 1, mended)).encode())
    return (await s.node.desks.rules.waiting(s.focal.caller)).book


async def sign_or_sign(s: Stage) -> tuple[Attempt, Attempt]:
    book = await _drafted(s)
    one, two = s.focal.sign_rules(book), s.other.sign_rules(book)
    return (
        lambda d: d.rules.sign(s.focal.caller, book.digest, one),
        lambda d: d.rules.sign(s.other.caller, book.digest, two),
    )


async def sign_or_draft(s: Stage) -> tuple[Attempt, Attempt]:
    book = await _drafted(s)
    await s.node.desks.rules.sign(s.focal.caller, book.digest, s.focal.sign_rules(book))
    text = format_book(default_book("th")).encode()
    return (
        lambda d: d.rules.sign(s.other.caller, book.digest, s.other.sign_rules(book)),
        lambda d: d.rules.draft(s.focal.caller, text, book.version - 1),
    )


async def draft_or_draft(s: Stage) -> tuple[Attempt, Attempt]:
    """Two drafts at once: both may be put up, one after the other, but only one can be signed."""
    book = await s.node.desks.rules.current(s.focal.caller)
    text = format_book(default_book("th")).encode()  # the one in force may cite what another race ended
    return (
        lambda d: d.rules.draft(s.focal.caller, text, book.version),
        lambda d: d.rules.draft(s.other.caller, text, book.version),
    )


GONE = frozenset({"disclosure.nothing-waits"})
DRAFTED = frozenset({"rulebook.draft-changed", "rulebook.version"})
UNLISTED = frozenset({"approval.not-published"})  # the officer was read before, the roster after
RACES: dict[str, Race] = {
    "approve / withdraw": Race(approve_or_withdraw, frozenset({"alert.withdrawn"})),
    "release / rule book published": Race(release_or_publish, frozenset({"disclosure.rejudged"})),
    "open / grant ended": Race(open_or_end, frozenset({"not-found"})),
    "post / suspend": Race(post_or_suspend, frozenset({"officer.suspended"})),
    "approve / suspend": Race(approve_or_suspend, UNLISTED | {"officer.suspended"}),
    "approve / role revoked": Race(approve_or_revoke_role, UNLISTED | {"permission.denied"}),
    "approve / approve": Race(approve_or_approve, GONE, exclusive=True),
    "approve / approve, a double click": Race(double_click, frozenset(), both=True),
    "approve / approve by the deputy": Race(deputy_or_principal, GONE, exclusive=True),
    "approve / approve by the deputy, of two": Race(
        deputy_or_principal_of_two, frozenset({"disclosure.second-person"}), exclusive=True
    ),
    "release / recall": Race(release_or_recall, GONE),
    "recall / recall": Race(recall_or_recall, frozenset({"recall.nothing-granted"}), exclusive=True),
    "onward granted / granted": Race(grant_or_grant, frozenset({"disclosure.waits"}), exclusive=True),
    "onward granted / refused": Race(grant_or_deny, frozenset({"onward.answered", "onward.drafted"}), exclusive=True),
    "onward refused / refused": Race(deny_or_deny, frozenset({"onward.answered"}), exclusive=True),
    "onward signed / refused": Race(answer_or_deny, GONE, exclusive=True),
    "approve / refuse": Race(approve_or_refuse, GONE, exclusive=True),
    "approve / cut": Race(approve_or_cut, GONE | {"disclosure.draft-changed"}, exclusive=True),
    "approve / correct": Race(approve_or_correct, GONE | {"disclosure.draft-changed"}),
    "correct / withdraw": Race(correct_or_withdraw, frozenset({"alert.withdrawn"})),
    "withdraw / close": Race(withdraw_or_close, frozenset({"alert.withdrawn", "alert.closed"}), exclusive=True),
    "rules drafted / drafted": Race(draft_or_draft, frozenset(), both=True),
    "rules signed / signed": Race(sign_or_sign, frozenset(), both=True),
    "rules signed / drafted": Race(sign_or_draft, DRAFTED, exclusive=True),
    "post / agreement ended": Race(post_or_end_agreement, frozenset(), both=True),
}


async def run(race: Race, stage: Stage, one: Desks, two: Desks, lead: int = 0) -> tuple[int, Outcomes]:
    """One round; where the log stood before it, and what the two attempts came to.

    Args:
        lead: by how many turns of the loop the first attempt is ahead; the second one, if negative.
    """
    first, second = await race.prepare(stage)
    before = (await stage.node.log.head()).size
    started = _late(first, one, max(0, -lead)), _late(second, two, max(0, lead))
    return before, await asyncio.gather(*started, return_exceptions=True)


async def _late(attempt: Attempt, desks: Desks, turns: int) -> object:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await attempt(desks)


def judge(race: Race, outcomes: Outcomes, events: Sequence[Event]) -> None:
    """One winner, or two one after the other; a loser who was told why; and a log that tells one story.

    Args:
        events: of the round, in the order of the log.
    """
    lost = [o for o in outcomes if isinstance(o, BaseException)]
    for error in lost:
        assert isinstance(error, RilonError), error
        assert error.code in race.refusals, error.code
    assert len(lost) <= 1, lost
    assert len(lost) == 1 or not race.exclusive, outcomes
    Story().read(events)


class Story:
    """What no order of events may ever tell."""

    def __init__(self) -> None:
        self.over: set[UUID] = set()
        self.strict = False
        self.gone: set[str] = set()
        self.drafted = b""
        self.treaty = True
        self.let_go: dict[UUID, set[bytes]] = {}
        self.answered: set[bytes] = set()

    def read(self, events: Sequence[Event]) -> None:
        for event in events:
            self.check(event)
            self.note(event)

    def check(self, event: Any) -> None:
        by = getattr(event, "by", getattr(event, "author", ""))
        assert by not in self.gone, f"{event} by somebody who is suspended"
        if isinstance(event, Disclosure.Released | Disclosure.Drafted):
            assert event.originator_id not in self.over, f"{event} after the end"
        if isinstance(event, Disclosure.Released) and self.strict:
            assert all(cell.sensitivity is not NOMINAL for cell in event.cells), f"{event} against the book"
        if isinstance(event, Disclosure.Released) and not self.treaty:
            assert all(BY_TREATY.id not in cell.rules for cell in event.cells), f"{event} by an ended agreement"
        if isinstance(event, Disclosure.Released) and event.basis == "approval":
            assert event.originator_id not in self.let_go, f"{event} for the second time"
        if isinstance(event, Recall.Ordered):
            assert self.let_go.get(disclosure_id(event.item), set()) <= {*event.releases}, f"{event} forgets a release"
        if isinstance(event, Onward.Answered):
            assert event.request not in self.answered, f"{event} for the second time"
        if isinstance(event, Holding.Opened):
            assert event.originator_id not in self.over, f"{event} after its grant ended"
        if isinstance(event, Alert.Corrected | Alert.Withdrawn | Alert.Closed):
            assert event.originator_id not in self.over, f"{event} after the end"

    def note(self, event: Any) -> None:
        if isinstance(event, Disclosure.Released) and event.basis == "approval":
            self.let_go.setdefault(event.originator_id, set()).add(event.digest)
        if isinstance(event, Onward.Answered):
            self.answered |= {event.request}
            self.over |= {disclosure_id(event.item)} if event.outcome != "granted" else set()
        if isinstance(event, Alert.Withdrawn | Alert.Closed):
            self.over |= {event.originator_id}
        if isinstance(event, Disclosure.Lapsed | Disclosure.Refused | Disclosure.Returned | Holding.Ended):
            self.over |= {event.originator_id}
        if isinstance(event, Disclosure.Reproposed):
            self.over -= {event.originator_id}
        if isinstance(event, RuleBooks.Drafted):
            self.drafted = event.book
        if isinstance(event, RuleBooks.Published):
            self.strict, self.treaty = b'"strict"' in self.drafted, True
        if isinstance(event, RuleBooks.AgreementEnded):
            self.treaty = False
        if isinstance(event, Officer.Suspended):
            self.gone |= {event.originator_id.hex}
