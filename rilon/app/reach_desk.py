"""How officers choose to be reached outside the pages; each for themselves, and nobody else sees it.

A plan is sealed at rest. One that was replaced or forgotten, and a suspended officer's, is erased by the follower that
sends (``app/paging.py``), before it counts the event as read: so a crash in between leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from rilon.app.alert_desk import active
from rilon.app.notices import About
from rilon.app.outbox import Message, Pager, Sender
from rilon.app.unit import Done, Key, Unit, Work
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain.permissions import Caller
from rilon.domain.reach import Plan, Reach, Way, check_plan, reach_id
from rilon.domain.values import Sealed
from rilon.errors import InvalidError, NotFoundError, ProofError

OCCASIONS: Final = frozenset(map(str, About))
_PURPOSE: Final = "reach.plan"


class ReachDesk:
    """Keeps what each officer chose.

    Attributes:
        pagers: the ways this node has. sender: whom its messages come from.
    """

    def __init__(self, work: Work, vault: Vault, pagers: Mapping[Way, Pager], sender: Sender) -> None:
        self._work, self._vault, self.pagers, self.sender = work, vault, pagers, sender

    @property
    def ways(self) -> frozenset[Way]:
        """The ways this node has."""
        return frozenset(self.pagers)

    async def plan(self, caller: Caller) -> Plan | None:
        """What the caller chose; None: nothing, or it was erased."""
        officer = UUID(hex=caller.ref)
        reach = await self._work.seek(Reach, reach_id(officer))
        return await open_plan(self._vault, officer, reach.plan) if reach and reach.plan else None

    async def choose(self, caller: Caller, plan: Plan, key: Key | None = None) -> Done:
        """Be reached so from now on.

        Raises:
            InvalidError: see ``check_plan``.
        """
        check_plan(plan, caller, self.ways, OCCASIONS)
        officer = UUID(hex=caller.ref)
        written = msgspec.json.encode(plan, order="deterministic").decode()

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            reach = await unit.find(Reach, reach_id(officer))
            if reach is None:
                reach = Reach.open_(officer, unit.at)
                unit.add(reach)
            sealed, wrap = await self._vault.seal_text(_PURPOSE, officer.hex, written)
            unit.keep(wrap)
            reach.choose(sealed, unit.at)
            return officer.bytes

        return await self._work.run(do, key)

    async def forget(self, caller: Caller, key: Key | None = None) -> Done:
        """Be reached no more, and have the addresses erased. Raises NotFoundError: there are none."""
        officer = UUID(hex=caller.ref)

        async def do(unit: Unit) -> bytes:
            (await unit.get(Reach, reach_id(officer))).forget(caller.ref, unit.at)
            return officer.bytes

        return await self._work.run(do, key)

    async def try_out(self, caller: Caller) -> tuple[Way, ...]:
        """Send the caller a test by every way they chose; those it went by.

        Raises:
            InvalidError: ``reach.none``: they chose none.
            UnavailableError, RefusedError: ``pager.*``, as the way says.
        """
        plan = await self.plan(caller)
        if plan is None or not plan.ways:
            message = "You have given neither a mail address nor a telephone number yet."
            raise InvalidError("reach.none", message, field="mail", fix="Say first how you are reached.")
        for way in plan.ways:
            test = Message(self._work.entropy.uuid(), plan.address(way), self.sender, self._work.clock.now())
            if way in self.pagers:
                await self.pagers[way].send(test)
        return tuple(way for way in plan.ways if way in self.pagers)


async def open_plan(vault: Vault, officer: UUID, sealed: Sealed) -> Plan | None:
    """What an officer chose; None when it was erased, or does not open."""
    try:
        raw = await vault.open(sealed, section.local_context(_PURPOSE, officer.hex.encode()))
    except (NotFoundError, ProofError):
        return None
    return msgspec.json.decode(raw, type=Plan)
