"""Whose an account is, how many one may have, and which sessions end with it."""

from __future__ import annotations

import pytest

from rilon.crypto.provider_token import Farewell, Identity
from rilon.domain.access import MAX_ACCOUNTS
from rilon.domain.values import Role
from rilon.errors import ConflictError, NotFoundError, ProofError, RefusedError
from tests.nodes import MemoryNode, Person, memory_node

ISSUER = "https://id.example"


def who(name: str = "somebody", session: str = "") -> Identity:
    return Identity(ISSUER, name, session)


async def joined(node: MemoryNode, identity: Identity) -> tuple[Person, str]:
    """Somebody new with an account, and their session's cookie."""
    person = await node.officer()
    invited = await node.desks.access.invite(None, person.id)
    return person, (await node.desks.accounts.join(invited.code, identity)).cookie


async def test_a_link_is_used_up_by_an_account_and_by_nothing_else() -> None:
    node = await memory_node()
    person, cookie = await joined(node, who())
    present = await node.desks.access.present(cookie)
    invited = await node.desks.access.invite(None, person.id)
    for n in range(2, MAX_ACCOUNTS + 1):
        await node.desks.accounts.bind(present, who(f"account {n}"))
    await node.desks.accounts.bind(present, who("account 2"))
    with pytest.raises(RefusedError):
        await node.desks.accounts.bind(present, who("one too many"))
    held = await node.desks.accounts.accounts(person.caller, person.id)
    assert len({account.id for account in held}) == MAX_ACCOUNTS
    await node.desks.accounts.join(invited.code, who())
    with pytest.raises(NotFoundError):
        await node.desks.accounts.join(invited.code, who())


async def test_an_account_of_another_issuer_is_another() -> None:
    node = await memory_node()
    await joined(node, who())
    with pytest.raises(NotFoundError) as caught:
        await node.desks.accounts.sign_in(Identity("https://id.example/", "somebody"))
    assert caught.value.code == "auth.provider"


async def test_what_was_taken_away_can_be_anothers() -> None:
    node = await memory_node()
    (first, _), (second, cookie) = await joined(node, who()), await joined(node, who("another"))
    present = await node.desks.access.present(cookie)
    with pytest.raises(ConflictError):
        await node.desks.accounts.bind(present, who())
    focal = await node.officer(Role.FOCAL_POINT)
    (account,) = await node.desks.accounts.accounts(focal.caller, first.id)
    with pytest.raises(RefusedError):
        await node.desks.accounts.unbind(second.caller, first.id, account.id)
    await node.desks.accounts.unbind(focal.caller, first.id, account.id)
    await node.desks.accounts.bind(present, who())
    inside = await node.desks.accounts.sign_in(who())
    assert inside.caller.ref == second.caller.ref


async def test_a_session_there_that_another_person_took_over_ends_theirs_alone() -> None:
    """Two people after each other at one browser there, whose provider goes on with one session."""
    node = await memory_node()
    (_, one), (_, two) = await joined(node, who("one", "shared")), await joined(node, who("two", "shared"))
    await node.desks.accounts.end(Farewell(ISSUER, "", "shared", "a ticket"))
    assert [await node.desks.access.stands(cookie) for cookie in (one, two)] == [True, False]
    with pytest.raises(ProofError):
        await node.desks.accounts.end(Farewell(ISSUER, "", "shared", "a ticket"))
    await node.desks.accounts.end(Farewell(ISSUER, "one", "", "another ticket"))
    assert not await node.desks.access.stands(one)
