"""The lines ``onward.ask`` and ``onward.answer``: what is believed of them, and the answer that a decision brings."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from rilon.app.received import NEWER
from rilon.app.unit import Unit
from rilon.crypto import onward as wire
from rilon.crypto import release
from rilon.domain.draft import Draft
from rilon.domain.onward import GRANTED, NOT_APPROVED, REFUSALS, Onward, Request, onward_id
from rilon.domain.text import check_text
from rilon.domain.values import MemberId, OfficerId, Sealed, Sensitivity
from rilon.errors import MalformedError, NotFoundError

ASK: Final = "onward.ask"
"""Purpose label of a question's words, at both ends."""
ANSWER: Final = "onward.answer."
REASON_CHARACTERS: Final = 4000
_OUTCOMES: Final = frozenset({GRANTED, NOT_APPROVED, *(f"refused.{why}" for why in REFUSALS)})


def read_ask(asker: str, manifest: bytes, name: bytes, plaintext: bytes) -> Request:
    """A question that came in, opened.

    Raises:
        MalformedError: ``cbor.*``, ``text.*``; ``release.newer``: it asks for a section this node has no word for.
    """
    said = wire.read(plaintext)
    if not {*said.sections} <= {*Sensitivity}:
        raise MalformedError(NEWER, "This asks for a section that is newer than this node.")
    check_text(said.reason, max_chars=REASON_CHARACTERS, received=True)
    return Request(name, asker, manifest, said.member, tuple(map(Sensitivity, said.sections)), said.court)


async def take_ask(unit: Unit, me: str, item: UUID, request: Request, text: Sealed, at: datetime) -> None:
    """Put a holder's question before the approvers. Raises ConflictError as ``Onward.receive``."""
    asked = await unit.find(Onward, onward_id(me, item))
    if asked is None:
        unit.add(asked := Onward.begin(me, item, at))
    asked.receive(request, text, at)


async def take_answer(unit: Unit, origin: str, item: UUID, request: bytes, kind: str, at: datetime) -> None:
    """Take in an originator's answer.

    Raises:
        NotFoundError, ConflictError: to what was never asked, or was answered. MalformedError: ``onward.outcome``.
    """
    asked = await unit.find(Onward, onward_id(origin, item))
    if asked is None:
        raise NotFoundError("onward.unknown", "This answers what was never asked.")
    outcome = kind.removeprefix(ANSWER)
    if outcome not in _OUTCOMES:
        raise MalformedError(NEWER, "This is answered in words that are newer than this node.")
    asked.hear(request, outcome, at)


async def settle(
    unit: Unit, me: str, item: UUID, draft: Draft, by: OfficerId, at: datetime, outcome: str = GRANTED
) -> None:
    """Answer every question that a decided draft was about: what it released is granted, what was refused is not."""
    if (asked := await unit.find(Onward, onward_id(me, item))) is None:
        return
    for request in asked.waiting:
        if conveys(draft, request):
            asked.answer(by, request.id, outcome, at)


def conveys(draft: Draft, request: Request) -> bool:
    """Whether signing a draft gives a holder something of what it asked for."""
    wanted = {(request.member, section) for section in request.sections}
    in_court = not request.court or for_court(draft, request.member)
    return in_court and any(cell.key in wanted for cell in draft.cells)


def for_court(draft: Draft, member: MemberId | None = None) -> bool:
    """Whether a draft's grants, to a Member or to any, let anything be used in court."""
    grants = (release.read_grant(record.grant) for to, record in draft.grants.items() if member in {None, to})
    return any(part.court == "yes" for grant in grants for part in grant.parts)
