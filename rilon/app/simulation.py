"""Trying a rule book on the past: what would have become of the disclosures of last month.

Every matrix of the log is judged again, by the marks it bore and the standing its recipients had. Nothing is stored,
and no section is opened: rules look at marks only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rilon.app.editions import Editions
from rilon.app.unit import Work
from rilon.domain.alert import Alert, Edition
from rilon.domain.conditions import NOTHING, Obligations
from rilon.domain.disclosure import Disclosure
from rilon.domain.judge import Judge
from rilon.domain.matrix import Asked, Network, Verdict, judge
from rilon.domain.rules import Decision, RuleBook
from rilon.domain.values import Code, Effect, MemberId, Sensitivity, Value

PAGE = 1000
MAX_CHANGES = 1000
"""So many changed cells are listed; all are counted."""


class Changed(Value, frozen=True):
    """A cell that would have been decided otherwise.

    Attributes:
        before, after: verdicts. approvers: how many would have to sign. rules: ids of what would carry the new verdict.
        obliges: what rules would attach to it. approvers_before, obliges_before: how many had to, and what they did.
        looser: it would be easier to let go, or go under fewer conditions.
    """

    item: UUID
    at: datetime
    recipient: MemberId
    sensitivity: Sensitivity
    before: Effect
    after: Effect
    approvers: int
    rules: tuple[Code, ...]
    obliges: Obligations | None
    approvers_before: int
    obliges_before: Obligations | None
    looser: bool


class Simulation(Value, frozen=True):
    """What a book would have made of the past.

    Attributes:
        disclosures: how many matrices were judged again. changed: in how many of them a cell differs.
        erased: how many could not be judged, because their marks are erased.
        cells: changed cells, the first ``MAX_CHANGES``. more: how many further ones there are.
        looser, stricter: changed cells by direction.
    """

    disclosures: int
    changed: int
    erased: int
    looser: int
    stricter: int
    cells: tuple[Changed, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Past:
    """A matrix of the past: when it was proposed, what the rules looked at, and what they said."""

    item: UUID
    at: datetime
    asked: Asked
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class _Then:
    """The directory as a past matrix saw it: a refusal for an unverified node names it."""

    me: str
    exercise: bool
    unverified: frozenset[str]

    def standing(self, member: str) -> str:
        return "absent" if member in self.unverified else "verified"


_ORDER = (Effect.ALLOW, Effect.ASK, Effect.REFUSE)


def again(past: Past, by: Judge, network: Network, at: datetime) -> Iterator[Changed]:
    """The cells of a past matrix that would be decided otherwise. Pure."""
    unverified = frozenset(v.recipient for v in past.verdicts if "invariant.verified-node" in v.rules)
    recipients = tuple(dict.fromkeys(v.recipient for v in past.verdicts))
    sections = tuple(dict.fromkeys(v.sensitivity for v in past.verdicts))
    then = _Then(network.me, network.exercise, unverified)
    cells = judge(past.asked, recipients, sections, then, by, at).cells
    now = {(c.recipient, c.sensitivity): c for c in cells}
    for old in past.verdicts:
        decision = now[old.key].decision
        obliged, obliges = _attached(old), _attached(decision)
        if (decision.effect, decision.approvers, obliges) != (old.effect, old.approvers, obliged):
            rules = tuple(f.rule for f in decision.deciding)
            yield Changed(
                past.item,
                past.at,
                old.recipient,
                old.sensitivity,
                old.effect,
                decision.effect,
                decision.approvers,
                rules,
                obliges,
                old.approvers,
                obliged,
                _looser(old, decision),
            )


def _attached(said: Verdict | Decision) -> Obligations | None:
    """What rules attach to what may go; what is refused goes under nothing."""
    return None if said.effect is Effect.REFUSE else said.obliges or None


def _looser(old: Verdict, decision: Decision) -> bool:
    """By effect, then by people, then by conditions; some of which stricter and some looser count as looser."""
    before, after = (_ORDER.index(old.effect), old.approvers), (_ORDER.index(decision.effect), decision.approvers)
    return after < before or (after == before and not decision.obliges.within(old.obliges or NOTHING))


def summed(pasts: Iterable[Past], erased: int, by: Judge, network: Network, at: datetime) -> Simulation:
    """Judge every past matrix again and count. Pure."""
    disclosures = changed = looser = stricter = 0
    cells: list[Changed] = []
    for past in pasts:
        disclosures += 1
        found = list(again(past, by, network, at))
        changed += bool(found)
        loose = sum(cell.looser for cell in found)
        looser, stricter = looser + loose, stricter + len(found) - loose
        cells += found[: MAX_CHANGES - len(cells)]
    more = looser + stricter - len(cells)
    return Simulation(disclosures, changed, erased, looser, stricter, tuple(cells), more)


async def simulate(
    work: Work, editions: Editions, book: RuleBook, network: Network, since: datetime, until: datetime | None
) -> Simulation:
    """Judge the disclosures of a time again, by a book as if it were in force now.

    Args:
        since, until: when they were proposed: from, and before; None: until now.

    Raises:
        UnavailableError: the log or the marks are away.
    """
    pasts: list[Past] = []
    erased = 0
    async for page in _matrices(work, since, until):
        marks = await editions.marks_of([(item, edition) for item, _, edition, _ in page])
        for (item, at, edition, verdicts), opened in zip(page, marks, strict=True):
            if opened is not None:
                pasts.append(Past(item, at, opened.asked(edition), verdicts))
            else:
                erased += 1
    return summed(pasts, erased, Judge(book), network, work.clock.now())


async def _edition(work: Work, item: UUID, manifest: bytes) -> Edition:
    return next(e for e in (await work.read(Alert, item)).editions if e.digest == manifest)


_Matrix = tuple[UUID, datetime, Edition, tuple[Verdict, ...]]


async def _matrices(work: Work, since: datetime, until: datetime | None) -> AsyncIterator[Sequence[_Matrix]]:
    """Every proposed matrix of a time with its edition, which stands before it in the same append.

    Who joins a circle later makes a second matrix of the same edition, which is read again then: few are, and to keep
    them all would be to hold every manifest of the log.
    """
    editions: dict[bytes, Edition] = {}
    items: dict[bytes, UUID] = {}
    position = 0
    while page := await work.log.page(position, PAGE):
        found: list[_Matrix] = []
        for recorded in page:
            event = recorded.event
            if isinstance(event, Alert.Posted | Alert.Corrected):
                editions[event.edition.digest], items[event.edition.digest] = event.edition, event.originator_id
            elif isinstance(event, Disclosure.Proposed | Disclosure.Reproposed):
                item, edition = items[event.manifest], editions.pop(event.manifest, None)
                edition = edition or await _edition(work, item, event.manifest)
                if since <= event.timestamp and (until is None or event.timestamp < until):
                    found.append((item, event.timestamp, edition, event.verdicts))
        yield found
        position = page[-1].position
