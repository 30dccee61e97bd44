"""Taking back what was shared, from named Members or from all; and erasing it everywhere, here too.

A recall is addressed to each holder as the next line of its link, so it can neither overtake the release it takes back
nor be lost. What has not been delivered yet is withheld from that moment on (``rilon.app.outgoing``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from rilon.app.alert_desk import active
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.domain.alert import Alert
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.holding import Holding, holding_id
from rilon.domain.permissions import Action, Caller
from rilon.domain.recall import EXERCISE_OVER, Recall, check_ground, recall_id
from rilon.domain.text import check_text
from rilon.domain.values import VULNERABLE, Code, MemberId, OfficerId, Role, Sealed, Sensitivity, Value
from rilon.errors import ConflictError, NotFoundError, RefusedError

REASON_CHARACTERS = 2000
REASON = "recall.reason"


class RecallOrder(Value, frozen=True):
    """What to take back.

    Attributes:
        reason: stays here, sealed. ground: one of ``rilon.domain.recall.GROUNDS``.
        members: from whom; None: from all who hold anything of it.
        sensitivity: only sections of this one; None: all.
    """

    reason: Annotated[str, Meta(min_length=1, max_length=8000)]
    ground: Code
    members: frozenset[MemberId] | None = None
    sensitivity: Sensitivity | None = None


class ErasureOrder(Value, frozen=True):
    """What to erase, here and at every holder. See ``RecallOrder``."""

    reason: Annotated[str, Meta(min_length=1, max_length=8000)]
    ground: Code
    sensitivity: Sensitivity | None = None


class RecallDesk:
    """What authors, focal points and protection officers take back and erase."""

    def __init__(self, work: Work, vault: Vault) -> None:
        self._work, self._vault = work, vault

    async def recall(self, caller: Caller, origin: str, item: UUID, order: RecallOrder, key: Key | None = None) -> Done:
        """Take back what was granted of an item of ours, and drop what waits for those Members.

        Raises:
            NotFoundError: no such item, or none that this officer may know of; told alike.
            RefusedError: ``recall.not-originator``: another Member's item; ``recall.not-yours``: neither its author nor
                a focal point or protection officer.
            ConflictError: ``recall.nothing-granted``. InvalidError: ``recall.ground``. MalformedError: the reason.
        """
        caller.must(Action.RECALL)
        check_ground(order.ground)
        words = check_text(order.reason, max_chars=REASON_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            sealed = await self._ordered(unit, caller, origin, item, words)
            disclosure = await unit.get(Disclosure, disclosure_id(item))
            _must_be_theirs(caller, disclosure)
            if not await self.take_back(unit, item, caller.ref, order, sealed):
                raise ConflictError("recall.nothing-granted", "None of them has been given anything of it.")
            return item.bytes

        return await self._work.run(do, key)

    async def erase(self, caller: Caller, origin: str, item: UUID, order: ErasureOrder, key: Key | None = None) -> Done:
        """Destroy the keys of an item of ours before its time: here, and by a recall at every holder.

        Raises:
            NotFoundError: as for ``recall``. RefusedError: ``recall.not-originator``; ``erase.focal-point``: a
                protection officer erases victims' and children's sections only.
            ConflictError: ``alert.nothing-to-erase``. InvalidError: ``recall.ground``. MalformedError: the reason.
        """
        caller.must(Action.ERASE)
        if Role.FOCAL_POINT not in caller.roles and order.sensitivity not in VULNERABLE:
            message = "A protection officer erases victims' and children's sections only."
            raise RefusedError("erase.focal-point", message, fix="Ask a focal point.")
        check_ground(order.ground)
        words = check_text(order.reason, max_chars=REASON_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            sealed = await self._ordered(unit, caller, origin, item, words)
            alert = await unit.get(Alert, item)
            alert.order_erasure(caller.ref, order.ground, sealed, order.sensitivity, self._work.clock.now())
            everywhere = RecallOrder(words, order.ground, None, order.sensitivity)
            await self.take_back(unit, item, caller.ref, everywhere, sealed)
            return item.bytes

        return await self._work.run(do, key)

    async def end_exercise(self, item: UUID, unit: Unit) -> bytes:
        """End an item with the exercise that it was posted to, here and at every holder; nobody's order."""
        sealed, wrap = await self._vault.seal_text(REASON, item.hex, EXERCISE_OVER)
        unit.keep(wrap)
        (await unit.get(Alert, item)).order_erasure(None, EXERCISE_OVER, sealed, None, self._work.clock.now())
        await self.take_back(unit, item, None, RecallOrder(EXERCISE_OVER, EXERCISE_OVER), sealed)
        return b""

    async def take_back(self, unit: Unit, item: UUID, by: OfficerId | None, order: RecallOrder, reason: Sealed) -> bool:
        """Order the recall of everything that matches, in this command; False: nobody was given anything of it."""
        at = self._work.clock.now()
        disclosure = await unit.get(Disclosure, disclosure_id(item))
        recalls = await unit.find(Recall, recall_id(item))
        affected = _affected(disclosure, recalls, order)
        waits = disclosure.draft is not None and not _misses(order.members, disclosure.draft.grants)
        if not affected and not waits:
            return False
        if recalls is None:
            recalls = Recall.begin(item, at)
            unit.add(recalls)
        for manifest, granted in affected.items():
            recalls.order(by, order.ground, reason, manifest, granted, order.sensitivity, at)
        if waits:
            disclosure.lapse("recalled", at)
        return True

    async def _ordered(self, unit: Unit, caller: Caller, origin: str, item: UUID, words: str) -> Sealed:
        """Keep the words of somebody who may order this of an item of ours."""
        await active(unit, caller)
        await self._must_be_ours(unit, caller, origin, item)
        sealed, wrap = await self._vault.seal_text(REASON, item.hex, words)
        unit.keep(wrap)
        return sealed

    async def _must_be_ours(self, unit: Unit, caller: Caller, origin: str, item: UUID) -> None:
        if origin == (await unit.get(Directory, DIRECTORY_ID)).me:
            (await unit.get(Alert, item)).must_be_for(caller)
            return
        holding = await unit.get(Holding, holding_id(origin, item))
        if not holding.seen_by(caller, self._work.clock.now()):
            raise NotFoundError
        fix = "Ask the originator, by a reply."
        raise RefusedError("recall.not-originator", "Only its originator can recall this.", fix=fix)


def _must_be_theirs(caller: Caller, disclosure: Disclosure) -> None:
    if caller.ref not in disclosure.authors and caller.roles.isdisjoint({Role.FOCAL_POINT, Role.PROTECTION}):
        message = "Its author, a focal point or a protection officer recalls this."
        raise RefusedError("recall.not-yours", message, fix="Ask your focal point.")


def _affected(
    disclosure: Disclosure, recalls: Recall | None, order: RecallOrder
) -> dict[bytes, dict[MemberId, frozenset[bytes]]]:
    """By version, who still holds what is to be taken back, and by which releases."""
    found: dict[bytes, dict[MemberId, frozenset[bytes]]] = {}
    for (recipient, release), (manifest, sections) in disclosure.granted.items():
        wanted = sections & {order.sensitivity} if order.sensitivity else sections
        left = [s for s in wanted if recalls is None or not recalls.took(recipient, release, s)]
        if left and not _misses(order.members, (recipient,)):
            holders = found.setdefault(manifest, {})
            holders[recipient] = holders.get(recipient, frozenset()) | {release}
    return found


def _misses(members: frozenset[MemberId] | None, some: Iterable[MemberId]) -> bool:
    return members is not None and members.isdisjoint(some)
