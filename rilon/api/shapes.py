"""The words of the API: what bodies hold and what answers hold, where a desk's own words are not said as they are.

Bytes are base64; digests and ids of people and things are told as the log has them.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, structs

from rilon.app.alert_desk import Preview
from rilon.app.circle_desk import CharterDraft
from rilon.app.disclosure_desk import Leaf, Waiting
from rilon.app.onward_desk import Question
from rilon.app.unit import Done
from rilon.domain.circle import CircleRef
from rilon.domain.conditions import Conditions
from rilon.domain.draft import GrantRecord
from rilon.domain.handling import Handling, Reader
from rilon.domain.matrix import Cell
from rilon.domain.permissions import Action
from rilon.domain.rules import Finding
from rilon.domain.values import Code, Digest, Effect, Instant, MemberId, OfficerId, Purpose, Role, Sensitivity, Value

Words = Annotated[str, Meta(min_length=1, max_length=8000)]
"""Something a person writes; the desk says how much fits."""


class Placed(Value, frozen=True):
    """What a command made or changed, and the position to read after (``?after=``).

    Attributes:
        repeated: it was done before under the same idempotency key; this is the first answer again.
    """

    id: UUID
    position: int
    repeated: bool = False


class Recorded(Value, frozen=True):
    """What a command did where there is no id to tell; ``repeated`` as elsewhere."""

    position: int
    repeated: bool = False


class Withdrawal(Value, frozen=True):
    """Why an alert is taken back; it stays at this node, sealed."""

    reason: Words


class CharterChange(Value, frozen=True):
    """The next version of a charter, and the number of the version that was read and changed."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    charter: CharterDraft


class CirclePlaced(Value, frozen=True):
    """A circle that a command made or changed, and the position to read after; ``repeated`` as elsewhere."""

    circle: CircleRef
    position: int
    repeated: bool = False


class Outcome(Value, frozen=True):
    """What came of a circle."""

    outcome: Words


class Closing(Value, frozen=True):
    """With what outcome an alert's work ends."""

    outcome: Code


class Opening(Value, frozen=True):
    """Which section to open, and what for."""

    sensitivity: Sensitivity
    purpose: Purpose


class Reading(Value, frozen=True):
    """What a file is read for."""

    purpose: Purpose


class Reply(Value, frozen=True):
    """A typed answer to the originator, such as ``reply.sighting``."""

    kind: Code
    text: Words


class Referral(Value, frozen=True):
    """Who here needs to know an item, beside the focal points: ``agency:…``, ``desk:<agency>:…``, ``officer:…``."""

    readers: Annotated[frozenset[Reader], Meta(min_length=1, max_length=64)]


class Turning(Value, frozen=True):
    """Why a holder's question is answered with no: one of ``rilon.domain.onward.REFUSALS``."""

    why: Code


class Pausing(Value, frozen=True):
    """Why a request's answer takes longer: asker, court, third-party, translation or force-majeure."""

    why: Code


class Signature(Value, frozen=True):
    """An approval: the encoded, signed consent to exactly the body that was shown (docs/spec/releases.md)."""

    approval: Annotated[bytes, Meta(min_length=1, max_length=48 * 1024)]


class Cut(Value, frozen=True):
    """The cells that may still go, as ``[recipient, sensitivity]``; all others are cut."""

    keep: Annotated[frozenset[tuple[MemberId, Sensitivity]], Meta(min_length=1, max_length=1000)]


class Comment(Value, frozen=True):
    """What the author should change."""

    comment: Words


class Refusal(Value, frozen=True):
    """Why it may not go."""

    reason: Words


class Review(Value, frozen=True):
    """Whether a break-glass release was sound."""

    sound: bool


class Heard(Value, frozen=True):
    """The peer's fingerprint as it was read aloud: sixteen words."""

    words: Annotated[str, Meta(min_length=1, max_length=400)]


class Enrolment(Value, frozen=True):
    """A person to enrol. The name is sealed; everything else is codes."""

    name: Annotated[str, Meta(min_length=1, max_length=800)]
    agency: Code
    desk: Code
    roles: Annotated[frozenset[Role], Meta(min_length=1)]


class TokenOrder(Value, frozen=True):
    """A bearer token to make, for some of the officer's roles."""

    roles: Annotated[frozenset[Role], Meta(min_length=1)]
    days: int = 90


class TokenShown(Value, frozen=True):
    """A fresh token: its text is shown this once."""

    id: Code
    token: str
    position: int

    def __repr__(self) -> str:
        """Not the text."""
        return f"TokenShown({self.id})"


class AccountShown(Value, frozen=True):
    """An account at the Member's identity provider; no name of it is known."""

    id: Code
    bound_at: Instant


class Invitation(Value, frozen=True):
    """A one-time link into the pages: shown this once, good for a day, void once a newer one is made.

    Attributes:
        link: hand it to its officer on a safe way; whoever opens it first comes in as them.
    """

    officer: UUID
    link: str
    expires_at: Instant
    position: int

    def __repr__(self) -> str:
        """Not the link."""
        return f"Invitation({self.officer})"


class RoleChange(Value, frozen=True):
    """A role to give."""

    role: Role


class Until(Value, frozen=True):
    """The moment at which something ends."""

    until: Instant


class PublicKey(Value, frozen=True):
    """The public half of an approval key its owner made (``rilon officer enrol-key``)."""

    public_key: Annotated[bytes, Meta(min_length=1984, max_length=1984)]


class CandidateShown(Value, frozen=True):
    """Who waits to become an approver. Who confirms signs exactly this (docs/spec/releases.md).

    Attributes:
        roles: those that approve. key: the public key; its fingerprint in words is compared by voice.
    """

    member: MemberId
    officer: OfficerId
    roles: tuple[Role, ...]
    key: bytes


class CellShown(Value, frozen=True):
    """One recipient, one section, what the rules say and why.

    Attributes:
        approvers: how many people must sign.
        break_glass: it goes at once, because a life is at risk, and is reviewed afterwards.
        findings: every rule that speaks, in a sentence each, with what it obliges to.
        conditions: under which it goes, or would: the author's and those of all rules; null where it cannot go.
    """

    recipient: MemberId
    sensitivity: Sensitivity
    effect: Effect
    approvers: int
    break_glass: bool
    findings: tuple[Finding, ...]
    conditions: Conditions | None


def show_cell(cell: Cell) -> CellShown:
    """A cell with what follows from its findings."""
    d = cell.decision
    key = cell.recipient, cell.sensitivity
    return CellShown(*key, d.effect, d.approvers, cell.break_glass, d.findings, cell.conditions)


def placed(done: Done) -> Placed:
    """What a command that answers with an id did."""
    return Placed(UUID(bytes=done.answer), done.position, done.repeated)


def recorded(done: Done) -> Recorded:
    """What a command did that has no id to tell."""
    return Recorded(done.position, done.repeated)


class QuestionShown(Value, frozen=True, kw_only=True):
    """A question about more of an item, and what became of it.

    Attributes:
        id: names it, in hex. asker: the holder. member: for whom: a third Member, or the asker.
        court: for use in court. outcome: ``waiting``, ``granted``, or ``refused.`` and why.
        reason: None once it is erased. cells: what it would give, as the rules judge it now; for those who decide.
    """

    id: Code
    asker: MemberId
    member: MemberId
    sections: tuple[Sensitivity, ...]
    court: bool
    at: Instant
    outcome: Code
    reason: str | None
    cells: tuple[CellShown, ...]


def show_question(found: Question) -> QuestionShown:
    """A question with what follows from its findings."""
    return QuestionShown(**structs.asdict(found) | {"cells": tuple(map(show_cell, found.cells))})


class PreviewShown(Value, frozen=True):
    """What would happen if the draft were posted now.

    Attributes:
        handling: the marks it would carry. rulebook: version of the book that judged it.
        cells: recipients x sections.
        kind_before: what kind of alert a correction would make a ``kind`` of; null: it stays what it is.
    """

    kind: Code
    kind_before: Code | None
    handling: Handling
    recipients: tuple[MemberId, ...]
    sections: tuple[Sensitivity, ...]
    rulebook: int
    cells: tuple[CellShown, ...]


def show_preview(found: Preview) -> PreviewShown:
    """A preview with what follows from its findings."""
    cells = tuple(show_cell(cell) for cell in found.matrix.cells)
    facts = (found.kind, found.kind_before, found.handling)
    return PreviewShown(*facts, found.recipients, found.sections, found.rulebook, cells)


class WaitingShown(Value, frozen=True):
    """What an approver sees, can check, and signs.

    Attributes:
        body: the release body; an approval signs its ``digest``, and whoever decodes it finds the same.
        manifest: the signed manifest that the body names. leaves: what proves by it which section a grant gives.
        grants: by recipient: the grant's bytes and its place. With ``seed`` they prove that there is no further grant.
        approvers: how many people must sign. signed_by: who has.
        cells: what would leave, as the rules judge it now.
    """

    item: UUID
    state: Code
    author: OfficerId
    version: int
    handling: Handling
    body: bytes
    digest: Digest
    seed: bytes
    grants: dict[MemberId, GrantRecord]
    approvers: int
    signed_by: tuple[OfficerId, ...]
    cells: tuple[CellShown, ...]
    manifest: bytes
    leaves: tuple[Leaf, ...]


def show_waiting(found: Waiting) -> WaitingShown:
    """What waits, laid flat."""
    draft = found.draft
    return WaitingShown(
        item=found.item,
        state=found.state,
        author=found.author,
        version=found.version,
        handling=found.handling,
        body=draft.body,
        digest=draft.digest,
        seed=draft.seed,
        grants=draft.grants,
        approvers=draft.approvers,
        signed_by=found.signed_by,
        cells=tuple(show_cell(cell) for cell in found.cells),
        manifest=found.manifest,
        leaves=found.leaves,
    )


class Decided(Value, frozen=True):
    """What became of an item's disclosure: ``released``, ``waiting``, ``returned``, ``refused`` or ``reviewed``."""

    item: UUID
    outcome: Code
    position: int
    repeated: bool = False


def decided(item: UUID, done: Done, outcome: str) -> Decided:
    """What a decision did."""
    return Decided(item, outcome, done.position, done.repeated)


class Me(Value, frozen=True):
    """Who a token is, and what it may do."""

    member: MemberId
    officer: OfficerId
    roles: tuple[Role, ...]
    agency: Code
    desk: Code
    actions: tuple[Action, ...]
