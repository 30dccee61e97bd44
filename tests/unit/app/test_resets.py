"""A frozen link goes on by the signatures of two focal points' own keys; no token, and no old signature, does it."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec import structs

from rilon.app.link_desk import to_sign
from rilon.app.unit import Unit
from rilon.audit.statements import Statements
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.values import Role
from rilon.errors import ProofError, RilonError
from tests.nodes import MemoryNode, Person, acquaint, memory_node


async def stage() -> tuple[MemoryNode, Person, Person]:
    """A node whose link to Malaysia is frozen, and its two focal points."""
    th, my = await memory_node("th"), await memory_node("my")
    await acquaint(th, my)
    await th.desks.links.frozen("my", "link.fork", b"evidence")
    return th, await th.approver(), await th.approver()


async def refusal(node: MemoryNode, by: Person, consent: bytes, peer: str = "my") -> str:
    before = await node.log.head()
    with pytest.raises(RilonError) as refused:
        await node.desks.links.reset(by.caller, peer, consent)
    assert await node.log.head() == before
    return refused.value.code


async def test_a_token_does_not_reset_and_neither_does_a_signature_over_something_else() -> None:
    th, one, two = await stage()
    halt = await th.desks.links.halted(one.caller, "my")
    keyless = await th.officer(Role.FOCAL_POINT)
    assert await refusal(th, keyless, one.consent(halt.digest)) == "approval.no-key"
    assert await refusal(th, two, one.consent(halt.digest)) == "approval.officer"
    assert await refusal(th, await th.approver(Role.PROTECTION), one.consent(halt.digest)) == "permission.denied"
    assert await refusal(th, one, one.consent(halt.digest), "zz") == "not-found"
    for changes in ({"number": 2}, {"peer": "id"}, {"evidence": bytes(32)}, {"code": "link.rolled-back"}):
        assert (
            await refusal(th, one, one.consent(to_sign("th", structs.replace(halt.fork, **changes))))
            == "signature.invalid"
        )
    assert await refusal(th, one, one.consent(to_sign("my", halt.fork))) == "signature.invalid"
    await th.reset(one, "my")
    assert await refusal(th, one, one.consent(halt.digest)) == "link.second-person"
    assert (await th.desks.links.halted(two.caller, "my")).signed == (one.caller.ref,)
    assert (await th.reset(two, "my")).answer == b"reset"
    with pytest.raises(RilonError) as whole:
        await th.desks.links.halted(two.caller, "my")
    assert whole.value.code == "link.not-frozen"
    await th.desks.links.frozen("my", "link.fork", b"evidence")
    assert await refusal(th, two, two.consent(halt.digest)) == "signature.invalid", "that was for the fork before"


async def checked(node: MemoryNode) -> Counter[str]:
    proved: Counter[str] = Counter()
    statements = Statements(proved)
    for event in await node.events():
        statements.check(event)
    return proved


async def test_verify_finds_a_reset_that_nobody_or_somebody_else_signed() -> None:
    th, one, two = await stage()
    await th.reset(one, "my")
    before = await checked(th)
    whole = th.copy()
    await whole.reset(two, "my")
    assert (await checked(whole))["approvals"] == before["approvals"] + 1
    digest = (await th.desks.links.halted(two.caller, "my")).digest
    for by, consent, code in (
        (two, one.consent(digest), "approval.officer"),
        (two, two.consent(bytes(32)), "signature.invalid"),
        (one, one.consent(digest), "link.second-person"),
    ):
        assert await forged(th, PeerLink.ResetSigned, by=by.caller.ref, consent=consent) == code
    assert await forged(th, PeerLink.Reset) == "link.unsigned"


async def forged(node: MemoryNode, event: type, **facts: object) -> str:
    """What the check says of a log into which a database's administrator wrote such an event."""
    there = node.copy()

    async def do(unit: Unit) -> bytes:
        link = await unit.get(PeerLink, link_stream("my"))
        link.trigger_event(event, **facts, timestamp=unit.at)
        return b""

    await there.desks.work.run(do)
    with pytest.raises(ProofError) as found:
        await checked(there)
    return found.value.code
