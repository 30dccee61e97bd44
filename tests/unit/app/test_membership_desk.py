"""Tokens: who made one is evidence, for they have seen it; and nobody makes one who may not at that moment."""

from __future__ import annotations

import pytest

from rilon.domain.officer import Officer
from rilon.domain.values import Role
from rilon.errors import RefusedError
from tests.nodes import memory_node

ROLES = frozenset({Role.OFFICER})


async def test_the_log_names_who_made_and_who_revoked_a_token() -> None:
    node = await memory_node()
    focal, officer = await node.officer(Role.FOCAL_POINT), await node.officer()
    made = await node.desks.members.issue_token(focal.caller, officer.id, ROLES)
    await node.desks.members.revoke_token(officer.caller, officer.id, made.id)
    issued, revoked = (await node.events())[-2:]
    assert isinstance(issued, Officer.TokenIssued)
    assert isinstance(revoked, Officer.TokenRevoked)
    assert (issued.by, revoked.by) == (focal.caller.ref, officer.caller.ref)


async def test_only_a_focal_point_in_office_makes_tokens() -> None:
    node = await memory_node()
    focal, other = await node.officer(Role.FOCAL_POINT), await node.officer(Role.FOCAL_POINT)
    officer = await node.officer()
    await node.desks.members.suspend(other.caller, focal.id)
    before = await node.stored()
    for nobody, code in ((officer, "permission.denied"), (focal, "officer.suspended")):
        with pytest.raises(RefusedError) as caught:
            await node.desks.members.issue_token(nobody.caller, officer.id, ROLES)
        assert caught.value.code == code
    assert await node.stored() == before
