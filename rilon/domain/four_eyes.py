"""Four eyes over what leaves: never the author's own, never the same twice, and a focal point's among them."""

from __future__ import annotations

from rilon.domain.matrix import Verdict
from rilon.domain.values import VULNERABLE, OfficerId, Role
from rilon.errors import RefusedError

FOR_FOCAL_POINTS = frozenset({Role.FOCAL_POINT, Role.DEPUTY})
"""Roles that decide as a focal point does."""


def reviews_of(cells: tuple[Verdict, ...]) -> int:
    """How many people review a break-glass release: two where a victim's or child's section left, else one."""
    return 1 + any(cell.sensitivity in VULNERABLE for cell in cells)


def check_no_author(by: OfficerId, principals: frozenset[OfficerId], authors: frozenset[OfficerId]) -> None:
    """Refuse who wrote any version: a colleague's correction must not let its first author decide.

    Args:
        principals: in whose place a deputy decides; empty for everybody else.

    Raises:
        RefusedError: ``disclosure.own-item``; ``disclosure.own-item-by-deputy``: who stands in for nobody else.
    """
    if by in authors:
        raise RefusedError("disclosure.own-item", "You cannot decide about your own alert.", fix="Ask a colleague.")
    if principals and principals <= authors:
        message = "Whom you stand in for wrote this alert, and cannot decide about it by way of you."
        raise RefusedError("disclosure.own-item-by-deputy", message, fix="Ask another focal point.")


def free_voice(by: OfficerId, principals: frozenset[OfficerId], used: frozenset[OfficerId]) -> OfficerId | None:
    """In whose place a deputy speaks, None for everybody else; where neither has spoken yet.

    Raises:
        RefusedError: ``disclosure.second-person``: the same person twice.
    """
    free = principals - used
    if by in used or (principals and not free):
        raise RefusedError("disclosure.second-person", "A second, different person must do this.")
    return min(free, default=None)
