"""A draft of what leaves, and the signatures that it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rilon.domain.four_eyes import FOR_FOCAL_POINTS
from rilon.domain.matrix import Verdict
from rilon.domain.values import VULNERABLE, Digest, Effect, MemberId, OfficerId, Role, Sensitivity, Value
from rilon.errors import ConflictError, RefusedError


class GrantRecord(Value, frozen=True):
    """One recipient's grant inside a release: its bytes, its leaf position, and the path to the release's root."""

    grant: bytes
    position: int
    path: bytes


class Draft(Value, frozen=True):
    """A release body that waits for signatures, with the grants it commits to.

    Attributes:
        body, digest: the exact bytes an approver signs over, and their digest.
        approvers: how many different people must sign.
        cells: the cells it would release.
        seed: of the grant tree; shows the approver that there is no further grant.
    """

    body: bytes
    digest: Digest
    approvers: int
    cells: tuple[Verdict, ...]
    grants: dict[MemberId, GrantRecord]
    seed: bytes

    @property
    def for_focal_point(self) -> bool:
        """Whether a focal point must be among those who sign: it shows more than victims' and children's sections."""
        return any(cell.sensitivity not in VULNERABLE for cell in self.cells)

    def cut(self, keep: frozenset[tuple[MemberId, Sensitivity]]) -> tuple[Verdict, ...]:
        """The cells that are left when only these are kept.

        Raises:
            ConflictError: ``disclosure.draft-changed``: one of them is not in it.
            RefusedError: ``disclosure.cut-all``: nothing would be left.
        """
        left = tuple(c for c in self.cells if c.key in keep)
        if len(left) != len(keep):
            raise draft_changed()
        if not left:
            raise RefusedError("disclosure.cut-all", "Nothing would be left.", fix="Refuse or return it instead.")
        return left

    def carried_by(self, basis: str) -> bool:
        """Whether it may leave without a signature: every cell is allowed (``rule``), or a life is at risk for it."""
        if basis == "break-glass":
            return all(cell.break_glass for cell in self.cells)
        return basis == "rule" and all(cell.effect is Effect.ALLOW for cell in self.cells)

    def __repr__(self) -> str:
        """Not the seed, nor 5 KB of grants."""
        return f"Draft({self.digest.hex()})"


def draft_changed() -> ConflictError:
    """Somebody decides about a draft that is no longer the one that waits."""
    return ConflictError("disclosure.draft-changed", "What leaves has changed since you looked.", fix="Look again.")


@dataclass(frozen=True, slots=True)
class Signing:
    """A draft on its way from signature to signature.

    Attributes:
        draft: what waits; None: nothing does.
        approvals: the signatures, by officer. voices: who signed, and those in whose place.
        roles: as what each of them signed.
    """

    draft: Draft | None = None
    approvals: Mapping[OfficerId, bytes] = field(default_factory=dict)
    voices: frozenset[OfficerId] = frozenset()
    roles: Mapping[OfficerId, Role] = field(default_factory=dict)

    def signed(self, by: OfficerId, role: Role, principal: OfficerId | None, approval: bytes) -> Signing:
        """With one signature more (fold)."""
        voices = self.voices | {by, principal or by}
        return Signing(self.draft, {**self.approvals, by: approval}, voices, {**self.roles, by: role})

    @property
    def complete(self) -> bool:
        """Whether all have signed who must."""
        return self.draft is not None and len(self.approvals) >= self.draft.approvers

    def check_focal_point(self, role: Role) -> None:
        """Refuse a last signature when no focal point has signed what is not about victims alone.

        Raises:
            RefusedError: ``disclosure.focal-point``.
        """
        if self.draft is None or not FOR_FOCAL_POINTS.isdisjoint({role, *self.roles.values()}):
            return
        if self.draft.for_focal_point and len(self.approvals) + 1 >= self.draft.approvers:
            fix = "Ask a focal point to sign, or cut it down to the victim's section."
            raise RefusedError("disclosure.focal-point", "A focal point must be among those who sign.", fix=fix)
