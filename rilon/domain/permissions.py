"""Who may do what here: role x action, and role x sensitivity. One table; the golden file prints it for a lawyer."""

from __future__ import annotations

from enum import StrEnum

from rilon.domain.values import Code, Instant, OfficerId, Role, Sensitivity, Value
from rilon.errors import RefusedError


class Action(StrEnum):
    """``scope:resource:action``; scope is always this node."""

    USE = "node:self:use"
    PREVIEW = "node:alert:preview"
    POST = "node:alert:post"
    ATTACH = "node:attachment:add"
    CORRECT = "node:alert:correct"
    REFER = "node:item:refer"
    WITHDRAW = "node:alert:withdraw"
    RECALL = "node:alert:recall"
    ERASE = "node:alert:erase"
    READ_BOARD = "node:board:read"
    OPEN_SECTION = "node:section:open"
    ACKNOWLEDGE = "node:item:acknowledge"
    REPLY = "node:item:reply"
    ASK_ONWARD = "node:item:ask-onward"
    SEE_DELIVERIES = "node:delivery:read"
    READ_REPLIES = "node:reply:read"
    SEE_APPROVALS = "node:approval:read"
    DECIDE = "node:approval:decide"
    REVIEW = "node:release:review"
    SEE_CIRCLES = "node:circle:read"
    KEEP_CIRCLES = "node:circle:keep"
    SEE_LINKS = "node:link:read"
    VERIFY_PEER = "node:link:verify"
    CARRY = "node:link:carry"
    TURN_KEYS = "node:key:turn"
    ENROL = "node:officer:enrol"
    CONFIRM = "node:officer:confirm"
    CALL_UPON = "node:officer:call-upon"
    OFFER_KEY = "node:key:offer"
    SEE_OFFICERS = "node:officer:read"
    PUBLISH_RULES = "node:rules:publish"
    SEE_RULES = "node:rules:read"
    HEAR_OVERDUE = "node:overdue:hear"
    KEEP_TEAMS = "node:team:keep"
    TAKE_CARE = "node:item:care"
    REPLAY = "node:history:replay"
    SEE_OPENINGS = "node:opening:read"
    SEE_HISTORY = "node:history:read"


_OFFICERS = frozenset({Role.OFFICER, Role.FOCAL_POINT, Role.PROTECTION})
_APPROVERS = frozenset({Role.FOCAL_POINT, Role.PROTECTION, Role.DEPUTY})
_NFP = frozenset({Role.FOCAL_POINT})
_AUDIT = frozenset({Role.AUDITOR})
_ALL = frozenset(Role)

PERMISSIONS: dict[Action, frozenset[Role]] = {
    Action.USE: _ALL,
    Action.PREVIEW: _OFFICERS,
    Action.POST: _OFFICERS,
    Action.ATTACH: _OFFICERS,
    Action.CORRECT: _OFFICERS,
    Action.WITHDRAW: _OFFICERS,
    Action.REFER: _OFFICERS,
    Action.RECALL: _OFFICERS,
    Action.ERASE: _NFP | {Role.PROTECTION},
    Action.READ_BOARD: _OFFICERS,
    Action.OPEN_SECTION: _OFFICERS,
    Action.ACKNOWLEDGE: _OFFICERS,
    Action.REPLY: _OFFICERS,
    Action.ASK_ONWARD: _OFFICERS,
    Action.SEE_DELIVERIES: _OFFICERS | {Role.DEPUTY} | _AUDIT,
    Action.READ_REPLIES: _OFFICERS,
    Action.SEE_APPROVALS: _APPROVERS,
    Action.DECIDE: _APPROVERS,
    Action.REVIEW: _NFP | {Role.DEPUTY},
    Action.SEE_CIRCLES: _OFFICERS | {Role.DEPUTY},
    Action.KEEP_CIRCLES: _NFP,
    Action.SEE_LINKS: _NFP | {Role.ADMINISTRATOR} | _AUDIT,
    Action.VERIFY_PEER: _NFP,
    Action.CARRY: _NFP | {Role.ADMINISTRATOR},
    Action.TURN_KEYS: frozenset({Role.ADMINISTRATOR}),
    Action.ENROL: _NFP,
    Action.CONFIRM: _NFP,
    Action.CALL_UPON: _NFP,
    Action.OFFER_KEY: _APPROVERS,
    Action.SEE_OFFICERS: _NFP | {Role.ADMINISTRATOR} | _AUDIT,
    Action.PUBLISH_RULES: _NFP,
    Action.SEE_RULES: _ALL,
    Action.HEAR_OVERDUE: _NFP,
    Action.KEEP_TEAMS: _NFP,
    Action.TAKE_CARE: _OFFICERS,
    Action.REPLAY: _AUDIT,
    Action.SEE_OPENINGS: _AUDIT,
    Action.SEE_HISTORY: _AUDIT | _NFP,
}
"""Deny by default: an action that is missing here is a KeyError in the first test that meets it."""

UNCONFIRMED = frozenset({Action.USE, Action.OFFER_KEY})
"""What somebody may do in a role that nobody has confirmed yet: find out who they are, and offer a key."""

_BASIC = frozenset({Sensitivity.SUMMARY, Sensitivity.NOMINAL, Sensitivity.ATTACHMENT})

ENTITLEMENTS: dict[Role, frozenset[Sensitivity]] = {
    Role.OFFICER: _BASIC,
    Role.FOCAL_POINT: _BASIC | {Sensitivity.SOURCE},
    Role.PROTECTION: _BASIC | {Sensitivity.VICTIM, Sensitivity.CHILD},
    Role.AUDITOR: frozenset(),
    Role.DEPUTY: _BASIC | {Sensitivity.SOURCE},
    Role.ADMINISTRATOR: frozenset(),
}
"""What each role may open. Auditors and administrators read no content (product.md)."""


class Caller(Value, frozen=True):
    """An authenticated officer, with only the roles they use now (a token may carry fewer than they have).

    Attributes:
        ref: the officer's opaque id. agency, desk: where they work, for grants that name readers.
        waiting: roles that allow next to nothing: no second focal point has confirmed them, or nobody calls upon them.
        until: when what they called with ends; None: it is no token.
        stands_in_for: focal points who have called upon this deputy; ``DEPUTY`` is among the roles only then.
    """

    ref: OfficerId
    roles: frozenset[Role]
    agency: Code
    desk: Code
    waiting: frozenset[Role] = frozenset()
    until: Instant | None = None
    stands_in_for: frozenset[OfficerId] = frozenset()

    def may(self, action: Action) -> bool:
        """Whether one of the roles allows the action."""
        roles = self.roles | self.waiting if action in UNCONFIRMED else self.roles
        return bool(PERMISSIONS[action] & roles)

    def must(self, action: Action) -> None:
        """Refuse what none of the roles allows.

        Raises:
            RefusedError: ``permission.denied``.
        """
        if not self.may(action):
            keeps = Role.FOCAL_POINT in self.roles  # who is the one that others are sent to
            fix = "A colleague in another role may do it." if keeps else "Ask your focal point."
            raise RefusedError("permission.denied", "Your role does not allow this.", fix=fix)

    def may_read(self, sensitivity: Sensitivity) -> bool:
        """Whether one of the roles opens sections of that sensitivity."""
        return any(sensitivity in ENTITLEMENTS[role] for role in self.roles)

    @property
    def readers(self) -> frozenset[str]:
        """How readers may name this officer: ``entitled``, by agency, desk or id; by role for own items only."""
        named = {"entitled", f"officer:{self.ref}", *(f"role:{role}" for role in self.roles)}
        codes = {f"agency:{self.agency}", f"desk:{self.desk}", self.unit}
        # a code with a colon could pose as a desk of another agency
        return frozenset(named if ":" in self.agency + self.desk else named | codes)

    @property
    def unit(self) -> str:
        """The desk of their agency, as readers name it."""
        return f"desk:{self.agency}:{self.desk}"

    def among(self, readers: tuple[str, ...]) -> bool:
        """Whether a grant's readers include this officer."""
        return not self.readers.isdisjoint(readers)
