"""Approving: by the right people, over exactly what was shown, by the rules of this moment, and not otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio

from rilon.app.disclosure_desk import Waiting
from rilon.app.release import body_of
from rilon.crypto import release, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain.disclosure import Disclosure
from rilon.domain.legal import Agreement
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Role, Sensitivity
from rilon.errors import NotFoundError, RilonError
from tests.fakes.histories import granted
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, publish_rules

SUMMARY, NOMINAL = Sensitivity.SUMMARY, Sensitivity.NOMINAL


@dataclass
class World:
    """Thailand with its people, an alert with persons (``item``) and one with a victim (``victim``), both waiting."""

    node: MemoryNode
    author: Person
    focal: Person
    other: Person
    protection: Person
    item: UUID
    victim: UUID

    def copy(self) -> World:
        return World(self.node.copy(), *(getattr(self, f) for f in list(self.__dataclass_fields__)[1:]))

    async def shown(self, item: UUID | None = None) -> Waiting:
        return await self.node.desks.disclosures.show(self.focal.caller, item or self.item)

    async def approve(self, person: Person, item: UUID | None = None, approval: bytes | None = None) -> bytes:
        signed = person.sign(await self.shown(item)) if approval is None else approval
        return (await self.node.desks.disclosures.approve(person.caller, item or self.item, signed)).answer

    async def refused(self, do: Callable[..., Awaitable[object]], *args: object) -> str:
        """The code; and that neither log nor keys have grown."""
        before = await self.node.stored()
        with pytest.raises(RilonError) as caught:
            await do(*args)
        assert (await self.node.stored())[:2] == before[:2]
        return caught.value.code

    async def publish(self, effect: Effect, sensitivity: Sensitivity, *recipients: str) -> None:
        when = When(sensitivities=frozenset({sensitivity}), recipients=frozenset(recipients))
        await self.node.publish(self.other, Rule("later", effect, "It is so now.", when))

    async def state(self, item: UUID | None = None) -> Disclosure:
        return await self.node.disclosure(item or self.item)


@pytest_asyncio.fixture(scope="module")
async def founded() -> World:
    th, id_, my = [await memory_node(m) for m in ("th", "id", "my")]
    await acquaint(th, id_, my)
    author, focal = await th.approver(Role.OFFICER, Role.FOCAL_POINT), await th.approver()
    other, protection = await th.approver(), await th.approver(Role.PROTECTION)
    item = await th.post(author, draft_of("TIP-RECRUIT", "id", "my"))
    victim = await th.post(author, draft_of("VIC-REFER", "id"))
    return World(th, author, focal, other, protection, item, victim)


@pytest.fixture
def world(founded: World) -> World:
    return founded.copy()


# Who


async def test_a_focal_point_signs_what_was_shown_and_it_goes(world: World) -> None:
    shown = await world.shown()
    assert (shown.author, shown.version, shown.signed_by, shown.draft.approvers) == (world.author.caller.ref, 1, (), 1)
    release.verify_grants(
        body_of(shown.draft), {g.position: g.grant for g in shown.draft.grants.values()}, shown.draft.seed
    )
    assert await world.approve(world.focal) == b"released"
    found = await world.state()
    assert set(granted(found)) == {c.key for c in shown.draft.cells}
    assert await world.refused(world.shown) == "disclosure.nothing-waits"


async def test_the_author_never_approves(world: World) -> None:
    desk, caller, signed = world.node.desks.disclosures, world.author.caller, world.author.sign(await world.shown())
    cells = frozenset({("id", NOMINAL)})
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.approve(caller, world.item, signed),
        lambda: desk.cut(caller, world.item, cells),
        lambda: desk.return_(caller, world.item, "No."),
        lambda: desk.refuse(caller, world.item, "No."),
    ]
    for attempt in attempts:
        assert await world.refused(attempt) == "disclosure.own-item"
    await world.publish(Effect.REFUSE, NOMINAL)  # not even by setting off a new judgement
    assert await world.refused(attempts[0]) == "disclosure.own-item"


async def test_two_different_people_sign_for_a_victim(world: World) -> None:
    assert await world.approve(world.focal, world.victim) == b"waiting"
    again = world.focal.sign(await world.shown(world.victim), b"7" * 32)
    code = await world.refused(world.approve, world.focal, world.victim, again)
    assert code == "disclosure.second-person"
    assert (await world.shown(world.victim)).signed_by == (world.focal.caller.ref,)
    assert await world.approve(world.protection, world.victim) == b"released"


async def test_a_protection_officer_decides_about_victims_only(world: World) -> None:
    desk, caller, signed = (
        world.node.desks.disclosures,
        world.protection.caller,
        world.protection.sign(await world.shown()),
    )
    for attempt in (
        lambda: desk.approve(caller, world.item, signed),
        lambda: desk.cut(caller, world.item, frozenset({("id", NOMINAL)})),
        lambda: desk.return_(caller, world.item, "No."),
        lambda: desk.refuse(caller, world.item, "No."),
    ):
        assert await world.refused(attempt) == "disclosure.not-yours"
    assert await world.refused(lambda: desk.review(caller, world.item, sound=True)) == "permission.denied"
    await desk.return_(caller, world.victim, "Whose consent is this?")
    assert (await world.state(world.victim)).state == "returned"


@pytest.mark.parametrize("role", [Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR])
async def test_nobody_else_decides_or_looks(world: World, role: Role) -> None:
    person = await world.node.officer(role)
    desk, caller = world.node.desks.disclosures, person.caller
    for attempt in (
        lambda: desk.show(caller, world.item),
        lambda: desk.approve(caller, world.item, b""),
        lambda: desk.cut(caller, world.item, frozenset()),
        lambda: desk.return_(caller, world.item, "No."),
        lambda: desk.refuse(caller, world.item, "No."),
        lambda: desk.review(caller, world.item, sound=True),
    ):
        assert await world.refused(attempt) == "permission.denied"


async def test_who_was_suspended_or_relieved_meanwhile_decides_nothing(world: World) -> None:
    signed, desk = world.focal.sign(await world.shown()), world.node.desks.disclosures
    await world.node.desks.members.revoke_role(world.other.caller, world.focal.id, Role.FOCAL_POINT)
    assert await world.refused(world.approve, world.focal, None, signed) == "permission.denied"
    await world.node.desks.members.suspend(world.other.caller, world.focal.id)
    for attempt in (
        lambda: desk.approve(world.focal.caller, world.item, signed),
        lambda: desk.cut(world.focal.caller, world.item, frozenset({("id", NOMINAL)})),
        lambda: desk.refuse(world.focal.caller, world.item, "No."),
        lambda: desk.review(world.focal.caller, world.item, sound=True),
    ):
        assert await world.refused(attempt) == "officer.suspended"


# Over what


async def test_a_signature_that_is_not_this_persons_over_this_draft_is_none(world: World) -> None:
    shown, ref = await world.shown(), world.focal.caller.ref
    approval = strict.decode(world.focal.sign(shown), release.Approval, limit=9999)
    fields = {name: getattr(approval, name) for name in release.Approval.__struct_fields__}
    wrong = {
        "approval.officer": world.other.sign(shown),
        "approval.kid": strict.encode(release.Approval(**fields | {"kid": bytes(16)})),
        "approval.method": strict.encode(release.Approval(**fields | {"method": "passkey"})),
        "signature.invalid": strict.encode(release.Approval(**fields | {"nonce": bytes(32)})),
        "cbor.shape": strict.dumps({}),
        "cbor.truncated": b"",
    }
    for code, signed in wrong.items():
        assert await world.refused(world.approve, world.focal, None, signed) == code
    assert (await world.state()).approvals == {}
    assert approval.officer == ref


async def test_who_signed_another_items_draft_signed_nothing_here(world: World) -> None:
    signed = world.focal.sign(await world.shown(world.victim))
    assert await world.refused(world.approve, world.focal, None, signed) == "signature.invalid"


async def test_who_has_no_published_key_cannot_sign(world: World) -> None:
    bare = await world.node.officer(Role.FOCAL_POINT)
    signed = world.focal.sign(await world.shown())
    assert await world.refused(world.approve, bare, None, signed) == "approval.not-published"


async def test_what_changed_since_one_looked_is_looked_at_again(world: World) -> None:
    old = world.focal.sign(await world.shown())
    keep = frozenset({("id", NOMINAL)})
    done = await world.node.desks.disclosures.cut(world.other.caller, world.item, keep)
    assert done.answer == (await world.shown()).draft.digest
    assert await world.refused(world.approve, world.focal, None, old) == "disclosure.draft-changed"
    assert await world.approve(world.focal) == b"released"
    assert set(granted(await world.state())) == keep


async def test_a_cut_to_what_is_not_there_is_refused(world: World) -> None:
    desk, caller = world.node.desks.disclosures, world.focal.caller
    assert await world.refused(desk.cut, caller, world.item, frozenset({("mm", NOMINAL)})) == "disclosure.draft-changed"
    assert await world.refused(desk.cut, caller, world.item, frozenset()) == "disclosure.cut-all"


@pytest.mark.parametrize("how", ["return_", "refuse"])
async def test_a_draft_that_was_given_back_or_refused_waits_no_more(world: World, how: str) -> None:
    desk = world.node.desks.disclosures
    await getattr(desk, how)(world.focal.caller, world.item, "Please leave out the \u0e0a\u0e37\u0e48\u0e2d.")
    found = await world.state()
    assert found.state == {"return_": "returned", "refuse": "refused"}[how]
    event = (await world.node.events())[-1]
    words = event.comment if isinstance(event, Disclosure.Returned) else event.reason  # type: ignore[union-attr]
    purpose = f"disclosure.{found.state}"
    assert "leave out" in await world.node.desks.vault.open_text(words, purpose, world.item.hex)
    assert await world.refused(desk.refuse, world.focal.caller, world.item, "No.") == "disclosure.nothing-waits"


@pytest.mark.parametrize(
    ("words", "code"), [("", "text.blank"), ("a\0", "text.control"), ("x" * 2001, "text.too-long")]
)
async def test_words_that_are_no_words_are_refused(world: World, words: str, code: str) -> None:
    desk = world.node.desks.disclosures
    for attempt in (desk.return_, desk.refuse):
        assert await world.refused(attempt, world.focal.caller, world.item, words) == code


# When


async def test_what_became_stricter_goes_back_and_what_is_refused_goes_out(world: World) -> None:
    signed = world.focal.sign(await world.shown())
    await world.publish(Effect.REFUSE, NOMINAL, "id")
    with pytest.raises(RilonError) as caught:
        await world.approve(world.focal, None, signed)
    assert caught.value.code == "disclosure.rejudged"
    left = await world.shown()
    assert {c.key for c in left.draft.cells} == {("id", SUMMARY), ("my", SUMMARY), ("my", NOMINAL)}
    assert (await world.state()).drafted[-1].digest == left.draft.digest
    assert await world.approve(world.focal) == b"released"
    assert ("id", NOMINAL) not in granted(await world.state())


async def test_when_nothing_may_go_any_more_it_lapses(world: World) -> None:
    signed = world.focal.sign(await world.shown())
    for peer in ("id", "my"):
        await world.node.desks.directory.revoke(world.other.caller, peer)
    with pytest.raises(RilonError) as caught:
        await world.approve(world.focal, None, signed)
    assert (caught.value.code, (await world.state()).state) == ("disclosure.rejudged", "lapsed")


async def test_what_is_allowed_by_now_still_needs_who_was_asked(world: World) -> None:
    await world.publish(Effect.ALLOW, NOMINAL)
    assert await world.approve(world.focal) == b"released"


async def test_who_changed_their_key_signs_again(world: World) -> None:
    """Peers know the new key only: they would refuse all that leaves under a signature of the old one."""
    await world.approve(world.focal, world.victim)
    await world.node.desks.members.suspend(world.other.caller, world.focal.id)
    await world.node.desks.members.reinstate(world.other.caller, world.focal.id)
    await world.node.desks.members.enrol_key(world.focal.id, SigningKey.from_seed(b"n" * 64).public.raw)
    await world.node.confirm(world.other, world.focal.id)
    with pytest.raises(RilonError) as caught:
        await world.approve(world.protection, world.victim)
    assert caught.value.code == "disclosure.rejudged"
    assert (await world.shown(world.victim)).signed_by == ()
    await world.approve(world.protection, world.victim)
    assert await world.approve(world.other, world.victim) == b"released"


async def test_a_focal_points_signature_counts_for_no_more_than_its_signer_may_do_at_the_release(world: World) -> None:
    """Who was focal point and protection officer when they signed, and is a protection officer only by now."""
    both = await world.node.approver(Role.FOCAL_POINT, Role.PROTECTION)
    assert await world.approve(both, world.victim) == b"waiting"
    await world.node.desks.members.revoke_role(world.other.caller, both.id, Role.FOCAL_POINT)
    with pytest.raises(RilonError) as caught:
        await world.approve(world.protection, world.victim)
    assert caught.value.code == "disclosure.rejudged"
    assert (await world.shown(world.victim)).signed_by == ()
    assert (await world.state(world.victim)).holders == ()


async def test_who_signed_and_may_sign_no_more_has_signed_nothing(world: World) -> None:
    await world.approve(world.focal, world.victim)
    await world.node.desks.members.revoke_role(world.other.caller, world.focal.id, Role.FOCAL_POINT)
    with pytest.raises(RilonError) as caught:
        await world.approve(world.protection, world.victim)
    assert caught.value.code == "disclosure.rejudged"
    await world.approve(world.protection, world.victim)
    assert await world.approve(world.other, world.victim) == b"released"


async def test_by_an_agreement_that_ends_while_something_waits_nothing_goes_but_what_people_signed() -> None:
    """What it allows has gone at once, so it never waits; what it asks for is asked for still, and people decide that.

    Whatever comes after its end is asked for, for nothing allows it.
    """
    th, id_ = await memory_node("th"), await memory_node("id")
    await acquaint(th, id_)
    author, focal, other = await th.officer(), await th.approver(), await th.approver()
    treaty = Agreement("th-id", "A fictional memorandum", frozenset({"th", "id"}))
    allows, asks = When(sensitivities=frozenset({SUMMARY})), When(sensitivities=frozenset({NOMINAL}))
    rules = [
        Rule("allows", Effect.ALLOW, "The memorandum lets it go.", allows, treaty.id),
        Rule("asks", Effect.ASK, "The memorandum lets a focal point decide.", asks, treaty.id),
    ]
    await publish_rules(th.desks, rules, other, focal, agreements=[treaty])
    item = await th.post(author, draft_of("TIP-RECRUIT", "id"))
    signed = focal.sign(await th.desks.disclosures.show(focal.caller, item))
    assert set(granted(await th.disclosure(item))) == {("id", SUMMARY)}
    await th.desks.rules.end_agreement(other.caller, treaty.id)
    assert (await th.desks.disclosures.approve(focal.caller, item, signed)).answer == b"released"
    assert set(granted(await th.disclosure(item))) == {("id", SUMMARY), ("id", NOMINAL)}
    await th.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "id"))
    waiting = await th.desks.disclosures.show(focal.caller, item)
    assert {c.key for c in waiting.draft.cells} == {("id", SUMMARY), ("id", NOMINAL)}


async def test_of_an_alert_that_is_over_nothing_leaves(world: World) -> None:
    signed, desk = world.focal.sign(await world.shown()), world.node.desks.disclosures
    await world.node.desks.alerts.withdraw(world.author.caller, world.item, "It was nothing.")
    assert (await world.state()).state == "lapsed"
    assert await world.refused(world.approve, world.focal, None, signed) == "alert.withdrawn"
    assert await world.refused(desk.cut, world.focal.caller, world.item, frozenset()) == "alert.withdrawn"
    world.node.clock.forward(days=4000)
    late = world.focal.sign(await world.shown(world.victim))
    assert await world.refused(world.approve, world.focal, world.victim, late) == "alert.expired"


async def test_what_does_not_exist_is_not_found(world: World) -> None:
    desk, nothing = world.node.desks.disclosures, UUID(int=1)
    for attempt in (
        lambda: desk.show(world.focal.caller, nothing),
        lambda: desk.approve(world.focal.caller, nothing, b""),
        lambda: desk.review(world.focal.caller, nothing, sound=True),
        lambda: desk.refuse(world.focal.caller, nothing, "No."),
    ):
        assert await world.refused(attempt) == NotFoundError().code


# Afterwards


async def test_broken_glass_is_reviewed_by_a_focal_point_who_is_not_the_author(world: World) -> None:
    desk = world.node.desks.disclosures
    draft = draft_of("MAR-DISTRESS", "id", handling={"tlp": "TLP:AMBER"})
    item = await world.node.post(world.author, draft)
    found = await world.state(item)
    assert (found.reviews_due, found.holders) == (1, ("id",))
    assert await world.refused(lambda: desk.review(world.author.caller, item, sound=True)) == "disclosure.own-item"
    assert (await desk.review(world.focal.caller, item, sound=False)).answer == b"reviewed"
    assert await world.refused(lambda: desk.review(world.focal.caller, item, sound=True)) == "disclosure.no-review-due"


async def test_a_release_carries_the_approvals_and_nothing_about_others(world: World) -> None:
    await world.approve(world.focal)
    event = (await world.node.events())[-1]
    assert isinstance(event, Disclosure.Released)
    body = release.read(statement.parse(event.release).body)
    assert [a.officer for a in body.approvals] == [world.focal.caller.ref]
    assert b"\x62id" not in statement.parse(event.release).body  # CBOR text "id": nobody learns who else has it
    for member, grant in event.grants.items():
        assert release.verify_grant(body.body, grant.grant, grant.position, grant.path).recipient == member


async def test_two_protection_officers_do_not_let_other_sections_go(world: World) -> None:
    second = await world.node.approver(Role.PROTECTION)
    assert {c.sensitivity for c in (await world.shown(world.victim)).draft.cells} > {Sensitivity.VICTIM}
    await world.approve(world.protection, world.victim)
    assert await world.refused(world.approve, second, world.victim) == "disclosure.focal-point"
    assert await world.approve(world.focal, world.victim) == b"released"
