"""From cells of the matrix to a release: the only producer of grants (protocol.md, Release).

Preview, approval and sealing take the same verdicts: a draft is made of cells, an approver signs the draft's body, and
what is released is that draft. ``grants of all releases == approved or rule-allowed cells`` is a property test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec
from msgspec.structs import replace

from rilon.crypto import release as wire
from rilon.crypto import statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain import conditions as granted
from rilon.domain.alert import Edition
from rilon.domain.disclosure import Disclosure
from rilon.domain.draft import Draft, GrantRecord
from rilon.domain.identity import Listing
from rilon.domain.matrix import Verdict
from rilon.domain.officer import Officer
from rilon.domain.values import VULNERABLE, Code, Effect, MemberId, Purpose, Role, Sensitivity, Value
from rilon.errors import ProofError

MAX_RULES = 32
"""Most rule ids that a grant can name (``rilon.crypto.release``). One carries it; all of them stand in the log."""


class Conditions(Value, frozen=True):
    """What the author lays down for every grant of an item.

    Attributes:
        readers: who may read at the receiving node, sorted; see ``rilon.crypto.release.Terms``.
        purposes: what it may be used for; empty: not limited.
        onward: ``ask`` or ``no``. court: that, or ``yes`` where it was asked for (``rilon.app.onward_desk``).
        rescue: desks that have victims' and children's sections at once when a life is at risk, by recipient.
    """

    readers: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    onward: Code = "ask"
    court: Code = "ask"
    rescue: dict[MemberId, Code] = msgspec.field(default_factory=dict)

    def own(self, until: datetime) -> granted.Conditions:
        """What holds for every recipient and section of an item that ends then, before any rule adds to it."""
        return granted.Conditions(self.purposes, self.onward, self.court, until)

    def in_court(self, *, asked: bool) -> Conditions:
        """These, and use in court where a holder asked for it."""
        return replace(self, court="yes") if asked else self


def draft(
    edition: Edition,
    cells: Sequence[Verdict],
    conditions: Conditions,
    rulebook: bytes,
    basis: str,
    at: datetime,
    entropy: Callable[[int], bytes],
) -> Draft:
    """Turn cells into a release body and its grants, one per recipient.

    Args:
        edition: the version whose sections the cells are about.
        cells: at least one.
        rulebook: digest of the book that judged them.
        basis: ``rule``, ``approval`` or ``break-glass``.
    """
    drafted = wire.draft_release(
        manifest=edition.digest,
        rulebook=rulebook,
        basis=cast("wire.Basis", basis),
        created=int(at.timestamp()),
        terms=[_terms(edition, to, cells, conditions, at) for to in sorted({c.recipient for c in cells})],
        entropy=entropy,
    )
    grants = {g.grant.recipient: GrantRecord(g.data, g.position, g.path) for g in drafted.grants}
    body, approvers = strict.encode(drafted.body), max(c.approvers for c in cells)
    return Draft(body, wire.body_digest(drafted.body), approvers, tuple(cells), grants, drafted.seed)


def _terms(
    edition: Edition, recipient: str, cells: Sequence[Verdict], conditions: Conditions, at: datetime
) -> wire.Terms:
    mine = [c for c in cells if c.recipient == recipient]
    sensitivities = {c.sensitivity for c in mine}
    to_rescue = any(c.break_glass for c in mine) and sensitivities <= VULNERABLE
    allowed = {rule for c in mine if c.effect is Effect.ALLOW for rule in c.rules}
    return wire.Terms(
        recipient=recipient,
        readers=(conditions.rescue[recipient],) if to_rescue else conditions.readers,
        parts=tuple(_parts(edition, mine, conditions.own(edition.expires_at), at)),
        rules=tuple(sorted(allowed))[:MAX_RULES],
    )


def _parts(edition: Edition, cells: Sequence[Verdict], own: granted.Conditions, at: datetime) -> Iterator[wire.Part]:
    """One recipient's sections, those under the same conditions together."""
    obliges = {c.sensitivity: c.obliges or granted.NOTHING for c in cells}
    found: dict[granted.Conditions, list[int]] = {}
    for section in sorted(edition.sections, key=lambda s: s.position):
        if section.sensitivity in obliges:
            found.setdefault(own.under(obliges[section.sensitivity], at), []).append(section.position)
    for under, leaves in found.items():
        onward, court = cast("wire.Onward", under.onward), cast("wire.Court", under.court)
        until = int(under.until.timestamp())
        yield wire.Part(tuple(leaves), onward, court, tuple(sorted(under.purposes)), under.caveats, until)


def conditions_of(part: wire.Part) -> granted.Conditions:
    """The conditions of a part of a grant."""
    until = datetime.fromtimestamp(part.until, UTC)
    return granted.Conditions(part.purposes, part.onward, part.court, until, part.caveats)


def body_of(waiting: Draft) -> wire.ReleaseBody:
    """The body an approver signs."""
    return wire.read_body(waiting.body)


def granted_under(waiting: Draft, edition: Edition) -> dict[tuple[str, Sensitivity], granted.Conditions]:
    """The conditions of every cell of a draft, read from the very grants that are signed."""
    sections = {s.position: s.sensitivity for s in edition.sections}
    grants = (wire.read_grant(record.grant) for record in waiting.grants.values())
    parts = ((grant.recipient, part) for grant in grants for part in grant.parts)
    return {(to, sections[place]): conditions_of(part) for to, part in parts for place in part.leaves}


def sign(waiting: Draft, approvals: Sequence[bytes], key: SigningKey) -> tuple[bytes, bytes]:
    """Make the release statement of a draft and its approvals; the statement and its digest."""
    given = tuple(read_approval(a) for a in approvals)
    body = strict.encode(wire.Release(body_of(waiting), given))
    return statement.sign(wire.KIND, body, key), statement.statement_digest(wire.KIND, body)


def read_approval(data: bytes) -> wire.Approval:
    """An approval from its bytes.

    Raises:
        MalformedError: it is none.
    """
    return strict.decode(data, wire.Approval, limit=wire.LIMIT_BYTES)


def check_approval(waiting: Draft, data: bytes, officer: str, key: bytes | None) -> None:
    """Check that this officer signed exactly this draft with their own key.

    Raises:
        ProofError: ``approval.no-key``, ``approval.officer``, ``approval.*``, ``signature.invalid``.
        MalformedError: the bytes are no approval.
    """
    check_consent(waiting.digest, data, officer, key)


def check_consent(digest: bytes, data: bytes, officer: str, key: bytes | None) -> None:
    """Check that this officer consented, with their own key, to what has this digest. Raises as ``check_approval``."""
    given = read_approval(data)
    if key is None:
        fix = "Run: rilon officer enrol-key; then a second focal point confirms it."
        raise ProofError("approval.no-key", "You have no confirmed approval key.", fix=fix)
    if given.officer != officer:
        raise ProofError("approval.officer", "This approval is somebody else's.")
    wire.verify_consent(digest, given, wire.approver_key(key))


def check_focal_consent(digest: bytes, data: bytes, signer: Officer) -> None:
    """Check the consent of a focal point whose role and key a second one has confirmed, to what has this digest.

    Raises:
        ProofError: ``approval.no-key``, ``approval.officer``, ``approval.kid``, ``signature.invalid``.
        MalformedError: no approval.
    """
    if not signer.approves or Role.FOCAL_POINT not in signer.confirmed:
        raise ProofError("approval.no-key", "Only a focal point with a confirmed key signs this.")
    check_consent(digest, data, signer.ref, signer.approval_key)


def approver_keys(listing: Listing) -> dict[str, wire.ApproverKey]:
    """The people of a Member who may approve, and their keys, as its roster names them."""
    return {a.officer: wire.approver_key(a.key) for a in (listing.roster.approvers if listing.roster else ())}


class Releases:
    """Lets go what the matrix allows, and puts the rest before the approvers."""

    def __init__(self, key: SigningKey, entropy: Callable[[int], bytes]) -> None:
        self._key, self._entropy = key, entropy

    def let_go(
        self, disclosure: Disclosure, edition: Edition, conditions: Conditions, rulebook: bytes, at: datetime
    ) -> None:
        """Release the allowed cells and, for life at risk, summaries and what rescue desks need; draft the rest.

        The disclosure has just been proposed, so its verdicts are the matrix as judged in this very command.
        """
        glass = [v for v in disclosure.verdicts if v.break_glass]
        rest = [v for v in disclosure.verdicts if not v.break_glass]
        parts = (
            ("rule", [v for v in rest if v.effect is Effect.ALLOW]),
            ("break-glass", [v for v in glass if v.sensitivity not in VULNERABLE]),
            ("break-glass", [v for v in glass if v.sensitivity in VULNERABLE]),  # its readers are the rescue desk alone
            ("approval", [v for v in rest if v.effect is Effect.ASK]),
        )
        for basis, cells in parts:
            if not cells:
                continue
            made = draft(edition, cells, conditions, rulebook, basis, at, self._entropy)
            if basis == "approval":
                disclosure.wait_for(made, disclosure.author, "proposed", at)
            else:
                self.release(disclosure, made, basis, (), at)

    def redraft(
        self,
        disclosure: Disclosure,
        edition: Edition,
        cells: Sequence[Verdict],
        conditions: Conditions,
        rulebook: bytes,
        by: str,
        why: str,
        at: datetime,
    ) -> None:
        """Put other cells before the approvers than waited so far: ``cut``, or ``rejudged``."""
        made = draft(edition, cells, conditions, rulebook, "approval", at, self._entropy)
        disclosure.wait_for(made, by, why, at)

    def release(
        self, disclosure: Disclosure, waiting: Draft, basis: str, approvals: Sequence[bytes], at: datetime
    ) -> None:
        """Sign a draft with its approvals and let it go."""
        signed, digest = sign(waiting, approvals, self._key)
        disclosure.release(signed, digest, basis, waiting, at)
