"""Sharing rules: one line of a Member's own law and policy, the book of them, and what judging a cell finds.

Every rule is judged, not only the first that bites: the officer sees the whole way to yes. Most restrictive wins.
Nothing matched means ask; a broken invariant (``rilon.domain.invariants``) means refuse, whatever a book says.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from rilon.domain.handling import Handling
from rilon.domain.values import Code, Digest, Effect, MemberId, Purpose, Sensitivity, Urgency, Value

NO_RULE = "default.nothing-matched"


class Question(Value, frozen=True):
    """One cell of the disclosure matrix, as the rules see it: who wants to send what to whom, and why.

    Attributes:
        origin, recipient: Members.
        recipient_type: ``member_state``, ``member_organisation``, ``observer_state`` ... (members.json).
        standing: the directory's word on the recipient: ``verified``, ``unverified``, ``revoked`` or ``absent``.
        kind, family: the alert's kind and its family.
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


class When(Value, frozen=True):
    """What a rule applies to. An empty field does not restrict; all fields that are given must match."""

    kinds: frozenset[Code] = frozenset()
    families: frozenset[Code] = frozenset()
    sensitivities: frozenset[Sensitivity] = frozenset()
    urgencies: frozenset[Urgency] = frozenset()
    tlp: frozenset[Code] = frozenset()
    recipients: frozenset[MemberId] = frozenset()
    recipient_types: frozenset[Code] = frozenset()
    purposes: frozenset[Purpose] = frozenset()

    def matches(self, q: Question) -> bool:
        """Whether the rule speaks about this cell. Purposes match when all of the item's lie within the rule's."""
        asked = (
            (self.kinds, q.kind),
            (self.families, q.family),
            (self.sensitivities, q.sensitivity),
            (self.urgencies, q.urgency),
            (self.tlp, q.handling.tlp),
            (self.recipients, q.recipient),
            (self.recipient_types, q.recipient_type),
        )
        named = all(not allowed or value in allowed for allowed, value in asked)
        purposes = q.handling.purposes or frozenset()
        return named and (not self.purposes or (bool(purposes) and purposes <= self.purposes))


class Finding(Value, frozen=True):
    """One rule's verdict in one plain sentence.

    Attributes:
        rule: stable id, quoted in releases and golden files.
        because: one sentence the officer can act on.
        basis: id of the legal instrument or agreement, or "".
        asks: who decides when the effect is ask: ``focal_point``, ``two_approvers``, ``originator``; else "".
        fix: what would change the verdict, or "".
    """

    rule: Code
    effect: Effect
    because: str
    basis: str = ""
    asks: str = ""
    fix: str = ""


class Rule(Value, frozen=True):
    """When this, then that, by this law, said in this sentence."""

    id: Code
    when: When
    effect: Effect
    because: str
    basis: str = ""

    def finding(self) -> Finding:
        """This rule's verdict on a cell it matches."""
        asks = "focal_point" if self.effect is Effect.ASK else ""
        return Finding(self.id, self.effect, self.because, self.basis, asks)


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


class RuleBook(Value, frozen=True):
    """A Member's versioned set of sharing rules."""

    member: MemberId
    version: int
    rules: tuple[Rule, ...]

    def judge(self, q: Question) -> tuple[Finding, ...]:
        """Every matching rule's finding, in the book's order; nothing matched = ask the focal point."""
        found = tuple(r.finding() for r in self.rules if r.when.matches(q))
        return found or (
            Finding(
                NO_RULE,
                Effect.ASK,
                "No sharing rule covers this, so your focal point decides.",
                asks="focal_point",
            ),
        )

    @property
    def digest(self) -> Digest:
        """SHA-256 over the book's deterministic encoding; a release names it."""
        return sha256(msgspec.json.encode(self, order="deterministic")).digest()
