from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from rilon.domain.compose import _JOINS, _SENTENCES, compose
from rilon.domain.handling import (
    READERS,
    STATED,
    Audience,
    Caveat,
    Handling,
    Pap,
    Readers,
    Tlp,
    check_audience,
    check_handling,
    parse_handling,
)
from rilon.errors import InvalidError, RefusedError, RilonError, raise_all
from tests.fakes.drafts import NOW

DAY = timedelta(days=1)
BASE = Handling(tlp=Tlp.AMBER, pap=Pap.AMBER, expires_at=NOW + 30 * DAY, review_by=NOW + 10 * DAY)


def marked(**marks: Any) -> Handling:
    return msgspec.structs.replace(BASE, **marks)


def refusals(draft: dict[str, Any], base: Handling = BASE) -> set[tuple[str, str]]:
    with pytest.raises(RilonError) as caught:
        parse_handling(draft, base=base, at=NOW)
    found = caught.value.problems if isinstance(caught.value, InvalidError) else (caught.value,)
    assert all(p.fix for p in found)
    return {(p.code, p.field) for p in found}


def iso(at: datetime) -> str:
    return at.isoformat()


@pytest.mark.parametrize(
    ("draft", "code", "field"),
    [
        ({"tlp": "TLP:WHITE"}, "handling.value", "tlp"),
        ({"tlp": "tlp:red"}, "handling.value", "tlp"),
        ({"caveats": ["SECRET"]}, "handling.value", "caveats"),
        ({"caveats": ["REL_TO"]}, "handling.caveat-field", "caveats"),
        ({"rel_to": []}, "handling.rel-to-empty", "rel_to"),
        ({"purposes": []}, "handling.purposes-empty", "purposes"),
        ({"rel_to": ["atlantis"]}, "member.unknown", "rel_to"),
        ({"not_to": ["th", "atlantis"]}, "member.unknown", "not_to"),
        ({"no_origin_states": ["MM"]}, "handling.value", "no_origin_states"),
        ({"rel_to": ["th"], "not_to": ["th"]}, "handling.rel-to-barred", "rel_to"),
        ({"purposes": ["gossip"]}, "handling.value", "purposes"),
        ({"expires_at": iso(NOW)}, "handling.expired", "expires_at"),
        ({"expires_at": "2026-12-01T00:00:00"}, "handling.value", "expires_at"),
        ({"expires_at": "tomorrow"}, "handling.value", "expires_at"),
        ({"expires_at": None}, "handling.expiry-missing", "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "handling.expiry-too-far", "expires_at"),
        ({"review_by": iso(NOW + 31 * DAY)}, "handling.review-late", "review_by"),
        ({"embargo_until": iso(NOW + 30 * DAY)}, "handling.embargo-late", "embargo_until"),
        ({"classification": 2}, "handling.classification", "classification"),
        ({"classification": 5}, "handling.value", "classification"),
        ({"classification": -1}, "handling.value", "classification"),
        ({"caveats": [["ORCON"]]}, "handling.value", "caveats"),
    ],
)
def test_marks_that_cannot_be_are_refused(draft: dict[str, Any], code: str, field: str) -> None:
    assert (code, f"handling.{field}") in refusals(draft)


def test_all_problems_are_told_at_once() -> None:
    assert refusals({"tlp": "x", "shoe": 1, "rel_to": []}) == {
        ("handling.value", "handling.tlp"),
        ("handling.unknown-field", "handling"),
        ("handling.rel-to-empty", "handling.rel_to"),
    }
    late = {"expires_at": iso(NOW - DAY), "review_by": iso(NOW)}
    assert len(refusals({"classification": 4, "caveats": ["PURPOSE"], **late})) == 4


def test_a_draft_goes_over_the_defaults() -> None:
    found = parse_handling(
        {"tlp": "TLP:RED", "rel_to": ["th", "my"], "purposes": ["prosecution"], "caveats": ["ORCON"]}, base=BASE, at=NOW
    )
    assert found == marked(
        tlp=Tlp.RED,
        rel_to=frozenset({"th", "my"}),
        purposes=frozenset({"prosecution"}),
        caveats=frozenset({Caveat.ORCON}),
    )


def test_naming_the_states_of_origin_answers_the_default() -> None:
    base = marked(caveats=frozenset({Caveat.NO_ORIGIN_STATE, Caveat.ORCON}))
    named = parse_handling({"no_origin_states": ["mm"]}, base=base, at=NOW)
    assert named.caveats == {Caveat.ORCON}
    assert Caveat.NO_ORIGIN_STATE in named.codes
    both = parse_handling({"no_origin_states": ["mm"], "caveats": ["NO_ORIGIN_STATE"]}, base=base, at=NOW)
    assert both.caveats == {Caveat.NO_ORIGIN_STATE, Caveat.ORCON}


def test_no_author_drops_a_default_caveat() -> None:
    base = marked(caveats=frozenset({Caveat.CHILD}))
    assert parse_handling({"caveats": []}, base=base, at=NOW).caveats == {Caveat.CHILD}
    assert parse_handling({"caveats": ["ORCON"]}, base=base, at=NOW).caveats == {Caveat.CHILD, Caveat.ORCON}


def test_an_empty_list_cannot_even_be_decoded() -> None:
    for name in ("rel_to", "purposes"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"tlp": "TLP:RED", "pap": "PAP:RED", name: []}, Handling)


def test_the_ceiling_is_the_nodes() -> None:
    check_handling(marked(classification=1), at=NOW)
    check_handling(marked(classification=2), at=NOW, ceiling=2)
    with pytest.raises(InvalidError, match=r"handling\.classification"):
        check_handling(marked(classification=1), at=NOW, ceiling=0)


@pytest.mark.parametrize(
    ("marks", "recipient", "caveat"),
    [
        ({}, "th", None),
        ({"not_to": frozenset({"th"}), "rel_to": frozenset({"th"})}, "th", Caveat.NOT_TO),
        ({"no_origin_states": frozenset({"cn"})}, "hk", Caveat.NO_ORIGIN_STATE),
        ({"no_origin_states": frozenset({"hk"})}, "cn", Caveat.NO_ORIGIN_STATE),
        ({"no_origin_states": frozenset({"mm"})}, "unhcr", None),
        ({"rel_to": frozenset({"th"})}, "my", Caveat.REL_TO),
        ({"rel_to": frozenset({"th"})}, "th", None),
    ],
)
def test_who_is_barred(marks: dict[str, Any], recipient: str, caveat: Caveat | None) -> None:
    assert marked(**marks).bars(recipient) is caveat


def test_codes_name_every_caveat_in_force() -> None:
    assert marked().codes == {Caveat.REVIEW_BY, Caveat.DESTROY_BY}
    full = marked(
        rel_to=frozenset({"th"}),
        not_to=frozenset({"my"}),
        purposes=frozenset({"prosecution"}),
        embargo_until=NOW,
        caveats=frozenset({Caveat.ORCON}),
    )
    assert full.codes == STATED | {Caveat.ORCON}


EVERYONE, CIRCLE = Audience(everyone=True), Audience(circle="sample")


def named(readers: Readers) -> Audience:
    return Audience(members=frozenset({"my"}), readers=readers)


@pytest.mark.parametrize(
    ("tlp", "audience", "code"),
    [
        (Tlp.CLEAR, EVERYONE, ""),
        (Tlp.GREEN, EVERYONE, ""),
        (Tlp.AMBER, EVERYONE, "audience.wider-than-tlp"),
        (Tlp.AMBER, CIRCLE, ""),
        (Tlp.AMBER, named(Readers.ENTITLED), ""),
        (Tlp.AMBER_STRICT, named(Readers.ENTITLED), "audience.readers"),
        (Tlp.AMBER_STRICT, named(Readers.AGENCY), ""),
        (Tlp.AMBER_STRICT, Audience(circle="sample", readers=Readers.DESK), ""),
        (Tlp.RED, named(Readers.AGENCY), "audience.readers"),
        (Tlp.RED, named(Readers.DESK), ""),
        (Tlp.RED, named(Readers.OFFICERS), ""),
        (Tlp.RED, Audience(circle="sample", readers=Readers.DESK), "audience.wider-than-tlp"),
        (Tlp.RED, Audience(everyone=True, readers=Readers.DESK), "audience.wider-than-tlp"),
        (Tlp.GREEN, Audience(), "audience.empty"),
    ],
)
def test_an_audience_is_no_wider_than_the_tlp(tlp: Tlp, audience: Audience, code: str) -> None:
    if not code:
        check_audience(marked(tlp=tlp), audience)
        return
    with pytest.raises(InvalidError) as caught:
        check_audience(marked(tlp=tlp), audience)
    assert caught.value.code == code
    assert caught.value.fix


def test_a_stricter_tlp_never_allows_more_forms_of_readers() -> None:
    forms = [READERS[tlp] for tlp in Tlp]
    assert all(a <= b for a, b in pairwise(forms))


def test_every_mark_has_a_join_and_a_sentence() -> None:
    assert set(_JOINS) == set(_SENTENCES) == set(Handling.__struct_fields__)


def test_composition_says_why() -> None:
    one = marked(tlp=Tlp.RED, rel_to=frozenset({"th", "my"}), embargo_until=NOW + DAY)
    other = marked(
        rel_to=frozenset({"my"}), purposes=frozenset({"prosecution"}), expires_at=NOW + DAY, classification=1
    )
    made = compose(one, other)
    assert made.handling.rel_to == {"my"}
    assert made.because == (
        "The stricter TLP holds: TLP:RED.",
        "Only Members that both parts may go to may have it (REL_TO): MY.",
        "Only purposes that both parts allow remain: prosecution.",
        "The longer embargo holds: 2026-05-04.",
        "The earlier expiry holds: 2026-05-04.",
        "The higher classification holds: 1.",
    )
    assert compose(one, one).because == ()


@pytest.mark.parametrize("name", ["rel_to", "purposes"])
def test_what_nobody_may_have_together_is_not_composed(name: str) -> None:
    values = {"rel_to": ("th", "my"), "purposes": ("prosecution", "border_decision")}[name]
    one, other = (marked(**{name: frozenset({v})}) for v in values)
    with pytest.raises(RefusedError, match="nothing-in-common") as caught:
        compose(one, other)
    assert caught.value.field == f"handling.{name}"


def test_problems_of_problems_are_told_flat() -> None:
    several = InvalidError("invalid.several", "", problems=[InvalidError("a", "A."), InvalidError("b", "B.")])
    with pytest.raises(InvalidError) as caught:
        raise_all([several, InvalidError("c", "C.")])
    assert [p.code for p in caught.value.problems] == ["a", "b", "c"]
    raise_all([])


def test_nothing_of_the_marks_is_mutable() -> None:
    with pytest.raises(AttributeError):
        BASE.tlp = Tlp.CLEAR  # type: ignore[misc]
