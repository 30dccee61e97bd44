"""Sharing rules: one line of a Member's own law and policy, the book of them, and what judging a cell finds.

Every rule is judged, not only the first that bites: the officer sees the whole way to yes. Most restrictive wins.
Nothing matched means ask; a broken invariant (``rilon.domain.invariants``) means refuse, whatever a book says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, structs

from rilon.domain.conditions import NOTHING, Obligations, composed
from rilon.domain.handling import Caveat, Handling, Readers
from rilon.domain.legal import INSTRUMENTS, Agreement, Law, Span, span
from rilon.domain.values import Code, Digest, Effect, Instant, MemberId, Purpose, Sensitivity, Urgency, Value

NO_RULE = "default.nothing-matched"

OptionalCode = Annotated[str, Meta(pattern=r"\A([A-Za-z0-9][A-Za-z0-9_.:+-]{0,63})?\Z")]
"""A code, or "" for none."""


class Consent(StrEnum):
    """What the persons a section is about have said to its sharing, with this recipient, for these purposes."""

    NOT_RECORDED = "not_recorded"
    GIVEN = "given"
    WITHHELD = "withheld"


class Change(StrEnum):
    """What would change a verdict that is not yes."""

    DROP_SECTION = "drop_section"
    NARROW_AUDIENCE = "narrow_audience"
    GET_CONSENT = "get_consent"
    ASK = "ask"
    STATE_PURPOSE = "state_purpose"
    CHANGE_MARKS = "change_marks"
    VERIFY_NODE = "verify_node"
    OTHER_CHANNEL = "other_channel"


class Question(Value, frozen=True, kw_only=True):
    """One cell of the disclosure matrix, as the rules see it: who wants to send what to whom, why, and when.

    Attributes:
        origin, recipient: Members.
        recipient_type: ``member_state``, ``member_organisation``, ``observer_state`` ... (members.json).
        standing: the directory's word on the recipient: ``verified``, ``unverified``, ``revoked`` or ``absent``.
        kind, family: the alert's kind and its family.
        at: the moment of judging; rules and agreements have a beginning and an end.
        subjects: in which parts persons appear in items of this kind (``SubjectRole``); empty: none do.
        circles: closed groups it is addressed to and the recipient belongs to.
        consent: of whom a victim's or child's section is about.
        readers: the widest form in which the author says who may read it there; None: not said yet.
        named: the recipient is named, itself or by a circle; False: it is meant as one of everyone.
        exercise: whether this is the exercise network.
        rescue: the author names a rescue desk there, for a life at risk.
    """

    origin: MemberId
    recipient: MemberId
    recipient_type: Code
    standing: Code
    kind: Code
    family: Code
    urgency: Urgency
    sensitivity: Sensitivity
    handling: Handling
    at: Instant
    subjects: frozenset[Code] = frozenset()
    circles: frozenset[Code] = frozenset()
    consent: Consent = Consent.NOT_RECORDED
    readers: Readers | None = None
    named: bool = True
    exercise: bool = False
    rescue: bool = False


class When(Value, frozen=True):
    """What a rule applies to. An empty field does not restrict; all fields that are given must match.

    What an item has one of (its kind, its TLP) must be among the rule's. What it may have several of decides by the
    rule's effect: who allows must mean all of it, who warns need only mean some. So no further purpose, and no further
    person, ever takes an item out of a refusal.

    Attributes:
        subjects: roles of the persons it is about (``SubjectRole``). caveats: handling caveats it bears any of.
        circles: closed groups of which the recipient gets it through any.
    """

    kinds: frozenset[Code] = frozenset()
    families: frozenset[Code] = frozenset()
    sensitivities: frozenset[Sensitivity] = frozenset()
    urgencies: frozenset[Urgency] = frozenset()
    tlp: frozenset[Code] = frozenset()
    caveats: frozenset[Caveat] = frozenset()
    subjects: frozenset[Code] = frozenset()
    recipients: frozenset[MemberId] = frozenset()
    recipient_types: frozenset[Code] = frozenset()
    circles: frozenset[Code] = frozenset()
    purposes: frozenset[Purpose] = frozenset()

    def matches(self, q: Question, effect: Effect) -> bool:
        """Whether a rule of this effect speaks about the cell."""
        return all(not rule or MATCHES[name](rule, q, effect) for name, rule in structs.asdict(self).items())


def _one(value: Callable[[Question], str]) -> Callable[[frozenset[Any], Question, Effect], bool]:
    return lambda rule, q, _: value(q) in rule


def _purposes(rule: frozenset[Purpose], q: Question, effect: Effect) -> bool:
    """An item without stated purposes may be used for all: no rule for some allows it, every rule for some warns."""
    asked = q.handling.purposes
    if effect is Effect.ALLOW:
        return asked is not None and asked <= rule
    return asked is None or not asked.isdisjoint(rule)


def _subjects(rule: frozenset[str], q: Question, effect: Effect) -> bool:
    if effect is Effect.ALLOW:
        return bool(q.subjects) and q.subjects <= rule
    return not q.subjects.isdisjoint(rule)


MATCHES: Mapping[str, Callable[[frozenset[Any], Question, Effect], bool]] = {
    "kinds": _one(lambda q: q.kind),
    "families": _one(lambda q: q.family),
    "sensitivities": _one(lambda q: q.sensitivity),
    "urgencies": _one(lambda q: q.urgency),
    "tlp": _one(lambda q: q.handling.tlp),
    "recipients": _one(lambda q: q.recipient),
    "recipient_types": _one(lambda q: q.recipient_type),
    "caveats": lambda rule, q, _: not q.handling.codes.isdisjoint(rule),
    "circles": lambda rule, q, _: not q.circles.isdisjoint(rule),
    "purposes": _purposes,
    "subjects": _subjects,
}
"""How each field of ``When`` matches."""


class Finding(Value, frozen=True):
    """One rule's verdict in one plain sentence.

    Attributes:
        rule: stable id, quoted in releases and golden files.
        because: one sentence the officer can act on.
        basis: id of the legal instrument, own law or agreement, or "".
        asks: who decides when the effect is ask: ``focal_point``, ``two_approvers``, ``originator``; else "".
        fix: what would change the verdict, in a sentence, or "".
        law, article: the basis by name, and where in it; "" without one.
        changes: what would change the verdict, in codes; empty where nothing would.
        obliges: what it attaches to the cell, if anything, whoever decides.
    """

    rule: Code
    effect: Effect
    because: str
    basis: str = ""
    asks: str = ""
    fix: str = ""
    law: str = ""
    article: str = ""
    changes: tuple[Change, ...] = ()
    obliges: Obligations | None = None


class Rule(Value, frozen=True):
    """When this, then that, by this law, said in this sentence.

    Attributes:
        basis: id of a legal instrument, or of a law or agreement of the same book, or "".
        article: where in it, when that is not its whole.
        valid_from, valid_until: first and last day, UTC; None: no such bound.
        obliges: conditions of whatever goes by it, or is asked by it; a rule that refuses has none.
    """

    id: Code
    effect: Effect
    because: str
    when: When = When()
    basis: OptionalCode = ""
    article: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    obliges: Obligations = NOTHING


class Voice(NamedTuple):
    """A rule in one span of time, and what it finds then."""

    rule: Rule
    span: Span
    finding: Finding


class RuleBook(Value, frozen=True, dict=True, gc=True):
    """A Member's versioned set of sharing rules, with the laws and agreements of its own that they cite."""

    member: MemberId
    version: int
    rules: tuple[Rule, ...]
    laws: tuple[Law, ...] = ()
    agreements: tuple[Agreement, ...] = ()

    def __repr__(self) -> str:
        """Name and size only."""
        return f"RuleBook({self.member}, {self.version}, {len(self.rules)} rules)"

    @cached_property
    def sources(self) -> Mapping[str, Law | Agreement]:
        """Own laws and agreements by id."""
        every: tuple[Law | Agreement, ...] = (*self.laws, *self.agreements)
        return {source.id: source for source in every}

    def parties(self, rule: Rule) -> frozenset[str]:
        """The Members a rule may let things go to by its agreement; empty: no agreement limits it."""
        source = self.sources.get(rule.basis)
        allows = rule.effect is Effect.ALLOW and isinstance(source, Agreement)
        return source.parties if allows and isinstance(source, Agreement) else frozenset()

    def span(self, rule: Rule) -> Span:
        """From when to when a rule speaks. What allows by an agreement ends with it; what warns by it stays.

        The end of an agreement is told to a node by one person, and by the calendar: neither may loosen anything.
        """
        start, end = span(rule.valid_from, rule.valid_until)
        source = self.sources.get(rule.basis)
        if rule.effect is not Effect.ALLOW or not isinstance(source, Agreement):
            return start, end
        from_, until = source.span
        return max(start, from_), min(end, until)

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """Every rule with when it speaks and what it finds, in the book's order."""
        return tuple(voice for rule in self.rules for voice in self._voices(rule))

    def _voices(self, rule: Rule) -> Iterator[Voice]:
        """What allows under conditions by an agreement asks under them when that has ended.

        Otherwise its end would take the conditions from whatever another rule allows as well.
        """
        spoken, finding = self.span(rule), self.finding(rule)
        yield Voice(rule, spoken, finding)
        _, end = span(rule.valid_from, rule.valid_until)
        if rule.obliges and spoken[1] < end:
            yield Voice(rule, (max(spoken), end), structs.replace(AGREEMENT_OVER, rule=rule.id, obliges=rule.obliges))

    def speaks(self, voice: Voice, q: Question) -> bool:
        """Whether a voice of this book is about a cell at its moment: the definition; ``Judge`` is the fast way."""
        (start, end), rule, parties = voice.span, voice.rule, self.parties(voice.rule)
        return start <= q.at < end and rule.when.matches(q, rule.effect) and (not parties or q.recipient in parties)

    def finding(self, rule: Rule) -> Finding:
        """A rule's verdict on the cells it speaks about."""
        law, article = self.cited(rule)
        asks = "focal_point" if rule.effect is Effect.ASK else ""
        changes, fix = _way_out(rule)
        obliges = rule.obliges or None
        return Finding(rule.id, rule.effect, rule.because, rule.basis, asks, fix, law, article, changes, obliges)

    def cited(self, rule: Rule) -> tuple[str, str]:
        """Name and article of what a rule stands on; "" and "" without a basis."""
        source = self.sources.get(rule.basis) or INSTRUMENTS.get(rule.basis)
        return (source.name, rule.article or source.article) if source else ("", rule.article)

    def judge(self, q: Question) -> tuple[Finding, ...]:
        """Every matching rule's finding, in the book's order; nothing matched = ask the focal point."""
        return tuple(v.finding for v in self.voices if self.speaks(v, q)) or (NOTHING_MATCHED,)

    @property
    def data(self) -> bytes:
        """The deterministic encoding, as the log keeps it."""
        return msgspec.json.encode(self, order="deterministic")

    @property
    def digest(self) -> Digest:
        """SHA-256 over the book's deterministic encoding; a release names it."""
        return sha256(self.data).digest()


NOTHING_MATCHED = Finding(
    NO_RULE,
    Effect.ASK,
    "No sharing rule covers this, so your focal point decides.",
    asks="focal_point",
    fix="Ask your focal point.",
    changes=(Change.ASK,),
)
"""What a book finds in a cell that none of its rules is about."""

AGREEMENT_OVER = structs.replace(
    NOTHING_MATCHED, because="The agreement that this went by has ended, so your focal point decides."
)
"""What an allowing rule that obliges finds when its agreement has ended."""

_WAYS: tuple[tuple[str, Change, str], ...] = (
    ("sensitivities", Change.DROP_SECTION, "leave this section out"),
    ("recipients", Change.NARROW_AUDIENCE, "leave this recipient out"),
    ("recipient_types", Change.NARROW_AUDIENCE, "leave this recipient out"),
    ("circles", Change.NARROW_AUDIENCE, "leave this circle out"),
    ("purposes", Change.STATE_PURPOSE, "limit it to other purposes"),
)


def _way_out(rule: Rule) -> tuple[tuple[Change, ...], str]:
    """What would take a cell out of a rule that warns: what its conditions are about, and people when they may."""
    if rule.effect is Effect.ALLOW:
        return (), ""
    ways = {change: words for name, change, words in reversed(_WAYS) if getattr(rule.when, name)}
    if rule.effect is Effect.ASK:
        ways |= {Change.ASK: "ask your focal point"}
    words = ", or ".join(dict.fromkeys(reversed(ways.values())))
    return tuple(reversed(ways)), f"{words[0].upper()}{words[1:]}." if words else ""


STRICTNESS = {Effect.ALLOW: 0, Effect.ASK: 1, Effect.REFUSE: 2}


class Decision(Value, frozen=True):
    """All findings on one cell, together."""

    findings: tuple[Finding, ...]

    @property
    def effect(self) -> Effect:
        """The most restrictive finding; ask where there is none."""
        return max((f.effect for f in self.findings), key=STRICTNESS.__getitem__, default=Effect.ASK)

    @property
    def approvers(self) -> int:
        """How many people must sign: 0 when allowed by rule, 2 where victims or children are concerned."""
        if self.effect is not Effect.ASK:
            return 0
        return 2 if any(f.asks == "two_approvers" for f in self.findings) else 1

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that carry the verdict."""
        return tuple(f for f in self.findings if f.effect is self.effect)

    @property
    def obliges(self) -> Obligations:
        """What all rules that speak attach to the cell, together."""
        return composed(f.obliges for f in self.findings)

    @property
    def asks(self) -> tuple[str, ...]:
        """Whom to ask, each once; empty when nobody needs to be, or nobody can help."""
        return tuple(dict.fromkeys(f.asks for f in self.findings if f.asks)) if self.effect is Effect.ASK else ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would change the verdict, each once: what all findings that carry it have in common comes first."""
        told = [f.changes for f in self.deciding]
        every = dict.fromkeys(change for changes in told for change in changes)
        return tuple(sorted(every, key=lambda change: sum(change not in changes for changes in told)))
