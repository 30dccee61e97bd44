"""The life of a disclosure: who may decide what, when, and that nothing leaves without its basis."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from msgspec.structs import replace

from rilon.domain.disclosure import Disclosure
from rilon.domain.draft import Draft
from rilon.domain.matrix import Verdict
from rilon.domain.values import Effect, Role, Sensitivity
from rilon.errors import RefusedError
from tests.fakes.histories import START, digest, draft, granted, sealed
from tests.fakes.refusals import refused

AUTHOR, FOCAL, OTHER, THIRD = (c * 32 for c in "abcd")
ITEM = UUID(int=7)
SUMMARY, NOMINAL, VICTIM = Sensitivity.SUMMARY, Sensitivity.NOMINAL, Sensitivity.VICTIM
MAY = Verdict("id", SUMMARY, Effect.ALLOW, ("r",))
ASK = Verdict("id", NOMINAL, Effect.ASK, ("r",), 1)
ASK_MY = Verdict("my", NOMINAL, Effect.ASK, ("r",), 1)
TWO = Verdict("my", VICTIM, Effect.ASK, ("r",), 2)
GLASS = Verdict("my", SUMMARY, Effect.ASK, ("r",), 1, break_glass=True)
WORDS = sealed("words")


def opened(*cells: Verdict) -> Disclosure:
    """A disclosure that was proposed, with a draft of these cells when there are any."""
    found = Disclosure.propose(ITEM, AUTHOR, digest("m"), digest("b"), (MAY, ASK, ASK_MY, TWO, GLASS), START)
    if cells:
        found.wait_for(draft(found, cells, 1), AUTHOR, "proposed", START)
    found.collect_events()
    return found


def sign(disclosure: Disclosure, by: str, role: Role = Role.FOCAL_POINT) -> bool:
    return disclosure.approve(by, role, disclosure.waiting().digest, b"signature", START)


def let_go(disclosure: Disclosure, waiting: Draft, basis: str = "approval") -> None:
    disclosure.release(b"release", digest("release", waiting.digest), basis, waiting, START)


def topics(disclosure: Disclosure) -> list[str]:
    return [type(e).__name__ for e in disclosure.collect_events()]


def stand_in(disclosure: Disclosure, by: str, *principals: str) -> bool:
    waiting = disclosure.waiting().digest
    return disclosure.approve(by, Role.DEPUTY, waiting, b"signature", START, frozenset(principals))


def test_a_deputy_decides_as_one_whom_they_stand_in_for() -> None:
    found = opened(ASK)
    assert stand_in(found, THIRD, FOCAL, OTHER) is True
    (approved,) = found.collect_events()
    assert (approved.by, approved.principal, approved.role) == (THIRD, FOCAL, Role.DEPUTY)


def test_nobody_decides_about_their_own_alert_by_way_of_a_deputy() -> None:
    found, both = opened(ASK), frozenset({AUTHOR, OTHER})
    mine = frozenset({AUTHOR})
    assert refused(found, stand_in, found, THIRD, AUTHOR) == "disclosure.own-item-by-deputy"
    assert refused(found, found.may_decide, THIRD, mine) == "disclosure.own-item-by-deputy"
    assert found.may_decide(THIRD, both) == found.waiting()
    stand_in(found, THIRD, *both)
    assert found.signing.voices == {THIRD, OTHER}


def test_a_deputy_and_their_principal_are_one_person_where_two_must_sign() -> None:
    found = opened(TWO)
    assert sign(found, FOCAL) is False
    assert refused(found, stand_in, found, THIRD, FOCAL) == "disclosure.second-person"
    assert stand_in(found, THIRD, FOCAL, OTHER) is True  # for the other one
    found = opened(TWO)
    assert stand_in(found, THIRD, FOCAL) is False
    assert refused(found, sign, found, FOCAL) == "disclosure.second-person"
    assert refused(found, stand_in, found, THIRD, FOCAL, OTHER) == "disclosure.second-person"
    assert sign(found, OTHER) is True


def test_nobody_reviews_their_own_break_glass_by_way_of_a_deputy() -> None:
    found = opened()
    let_go(found, draft(found, (GLASS,), 1), "break-glass")
    mine = {"principals": frozenset({AUTHOR})}
    with pytest.raises(RefusedError, match="own-item-by-deputy"):
        found.review(THIRD, START, sound=True, **mine)
    found.review(THIRD, START, sound=True, principals=frozenset({FOCAL}))


def test_one_person_signs_one_releases() -> None:
    found = opened(ASK, ASK_MY)
    waiting = found.waiting()
    assert sign(found, FOCAL) is True
    let_go(found, waiting)
    assert (found.state, found.draft, found.approvals) == ("released", None, {})
    assert found.holders == ("id", "my")
    assert granted(found) == {ASK.key: digest("m"), ASK_MY.key: digest("m")}
    approved, released = found.collect_events()
    assert (approved.by, approved.draft) == (FOCAL, waiting.digest)
    assert {m: line.digests for m, line in released.to.items()} == {
        m: (digest("m"), released.digest) for m in ("id", "my")
    }


def test_two_different_people_sign_for_a_victim() -> None:
    found = opened(ASK, TWO)
    waiting = found.waiting()
    assert sign(found, FOCAL) is False
    assert refused(found, sign, found, FOCAL) == "disclosure.second-person"
    assert refused(found, let_go, found, waiting) == "disclosure.no-basis"
    assert sign(found, OTHER) is True
    let_go(found, waiting)
    assert found.state == "released"


def test_protection_officers_alone_sign_for_victims_alone() -> None:
    mixed, alone = opened(ASK, TWO), opened(TWO)
    for found in (mixed, alone):
        assert sign(found, FOCAL, Role.PROTECTION) is False
    assert refused(mixed, sign, mixed, OTHER, Role.PROTECTION) == "disclosure.focal-point"
    assert sign(mixed, OTHER) is True
    assert sign(alone, OTHER, Role.PROTECTION) is True


def test_a_focal_points_signature_counts_for_the_draft_that_was_signed_only() -> None:
    found = opened(ASK, TWO)
    sign(found, FOCAL)
    found.wait_for(draft(found, [ASK, TWO], 2), OTHER, "cut", START)
    sign(found, FOCAL, Role.PROTECTION)
    assert refused(found, sign, found, OTHER, Role.PROTECTION) == "disclosure.focal-point"


DECISIONS: dict[str, Callable[[Disclosure, str], object]] = {
    "approve": lambda d, by: d.approve(by, Role.FOCAL_POINT, digest("any"), b"", START),
    "return": lambda d, by: d.return_(by, WORDS, START),
    "refuse": lambda d, by: d.refuse(by, WORDS, START),
    "cut": lambda d, by: d.may_decide(by).cut(frozenset({ASK.key})),
}


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("cells", [(), (ASK,), (TWO,)], ids=["nothing", "one", "two"])
def test_the_author_decides_nothing(name: str, cells: tuple[Verdict, ...]) -> None:
    found = opened(*cells)
    assert refused(found, DECISIONS[name], found, AUTHOR) == "disclosure.own-item"
    assert refused(found, found.may_decide, AUTHOR) == "disclosure.own-item"


def test_who_corrects_an_alert_becomes_its_author() -> None:
    found = opened(ASK)
    found.repropose(OTHER, digest("m2"), digest("b"), (ASK,), START)
    found.wait_for(draft(found, [ASK], 2), OTHER, "proposed", START)
    for author in (OTHER, AUTHOR):  # who had a colleague correct it is still one of its authors
        assert refused(found, sign, found, author) == "disclosure.own-item"
    assert sign(found, FOCAL) is True


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("end", ["open", "returned", "refused", "lapsed", "released"])
def test_where_nothing_waits_nothing_is_decided(name: str, end: str) -> None:
    found = ended(end)
    assert found.state == end
    assert refused(found, DECISIONS[name], found, FOCAL) == "disclosure.nothing-waits"
    for why in ("cut", "rejudged"):
        assert refused(found, found.wait_for, draft(found, [ASK], 2), FOCAL, why, START) == "disclosure.nothing-waits"
    assert refused(found, let_go, found, draft(found, [ASK], 2)) == "disclosure.no-basis"


def ended(how: str) -> Disclosure:
    found = opened(*(() if how == "open" else (ASK,)))
    if how == "returned":
        found.return_(FOCAL, WORDS, START)
    elif how == "refused":
        found.refuse(FOCAL, WORDS, START)
    elif how == "lapsed":
        found.lapse("withdrawn", START)
    elif how == "released":
        waiting = found.waiting()
        sign(found, FOCAL)
        let_go(found, waiting)
    return found


def test_only_what_waits_lapses() -> None:
    for state in ("open", "returned", "refused", "lapsed", "released"):
        found = ended(state)
        found.collect_events()
        found.lapse("withdrawn", START)
        assert (found.state, found.collect_events()) == (state, [])


def test_a_signature_is_for_the_draft_that_waits() -> None:
    found = opened(ASK, ASK_MY)
    old = found.waiting()
    sign(found, FOCAL)
    left = found.may_decide(FOCAL).cut(frozenset({ASK.key}))
    found.wait_for(draft(found, left, 2), FOCAL, "cut", START)
    assert (found.waiting().cells, found.approvals, found.state) == ((ASK,), {}, "waiting")
    assert refused(found, found.approve, OTHER, Role.FOCAL_POINT, old.digest, b"", START) == "disclosure.draft-changed"
    assert refused(found, let_go, found, old) == "disclosure.no-basis"
    assert found.drafted == (old, found.waiting())
    assert sign(found, FOCAL) is True  # who cut may sign what is left


def test_a_first_draft_replaces_none() -> None:
    found = opened(ASK)
    assert refused(found, found.wait_for, draft(found, [ASK], 2), AUTHOR, "proposed", START) == "disclosure.waits"


def test_a_cut_keeps_what_is_there_and_something() -> None:
    found = opened(ASK, ASK_MY)
    stranger = ("mm", NOMINAL)
    assert refused(found, found.waiting().cut, frozenset({ASK.key, stranger})) == "disclosure.draft-changed"
    assert refused(found, found.waiting().cut, frozenset()) == "disclosure.cut-all"
    assert found.may_decide(FOCAL).cut(frozenset({ASK_MY.key})) == (ASK_MY,)
    assert found.may_decide(FOCAL).cut(frozenset({ASK.key, ASK_MY.key})) == (ASK, ASK_MY)


@pytest.mark.parametrize("cell", [ASK, TWO, GLASS, replace(MAY, effect=Effect.REFUSE)])
def test_no_rule_releases_what_it_does_not_allow(cell: Verdict) -> None:
    found = opened()
    assert refused(found, let_go, found, draft(found, [MAY, cell], 1), "rule") == "disclosure.no-basis"


@pytest.mark.parametrize("cell", [MAY, ASK, TWO])
def test_only_broken_glass_opens_what_nobody_signed(cell: Verdict) -> None:
    found = opened()
    assert refused(found, let_go, found, draft(found, [GLASS, cell], 1), "break-glass") == "disclosure.no-basis"


def test_there_is_no_fourth_basis() -> None:
    found = opened()
    assert refused(found, let_go, found, draft(found, [MAY], 1), "haste") == "disclosure.no-basis"


def test_nobody_without_a_cell_is_granted_anything() -> None:
    found = opened()
    right = draft(found, [MAY], 1)
    for grants in ({}, right.grants | {"mm": right.grants["id"]}):
        assert refused(found, let_go, found, replace(right, grants=grants), "rule") == "disclosure.no-basis"


def test_an_allowed_cell_goes_at_once_while_others_wait() -> None:
    found = opened(ASK)
    let_go(found, draft(found, [MAY], 2), "rule")
    assert (found.state, found.waiting().cells, found.holders) == ("waiting", (ASK,), ("id",))
    assert found.reviews_due == 0


def test_broken_glass_is_reviewed_once_by_somebody_else() -> None:
    found = opened()
    assert refused(found, found.review, FOCAL, START, sound=True) == "disclosure.no-review-due"
    let_go(found, draft(found, [GLASS], 2), "break-glass")
    assert found.reviews_due == 1
    assert refused(found, found.review, AUTHOR, START, sound=True) == "disclosure.own-item"
    found.review(FOCAL, START, sound=False)
    assert found.reviews_due == 0
    assert refused(found, found.review, OTHER, START, sound=True) == "disclosure.no-review-due"


def test_a_correction_voids_what_waited_and_remembers_who_holds_what() -> None:
    found = opened(ASK)
    let_go(found, draft(found, [MAY], 2), "rule")
    sign(found, FOCAL)
    found.repropose(AUTHOR, digest("m2"), digest("b2"), (ASK_MY,), START)
    assert (found.state, found.draft, found.approvals) == ("open", None, {})
    assert (found.manifest, found.verdicts, found.holders) == (digest("m2"), (ASK_MY,), ("id",))
    found.wait_for(draft(found, [ASK_MY], 3), AUTHOR, "proposed", START)
    waiting = found.waiting()
    sign(found, FOCAL)
    let_go(found, waiting)
    assert granted(found) == {MAY.key: digest("m"), ASK_MY.key: digest("m2")}


def test_a_draft_shows_no_secret() -> None:
    assert "seed" not in repr(opened(ASK).waiting())
    assert repr(opened()).startswith("Disclosure(")
