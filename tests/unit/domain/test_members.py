from __future__ import annotations

from collections import Counter

import pytest

from rilon.domain.legal import INSTRUMENTS, instrument
from rilon.domain.members import (
    COUNTRIES,
    MEMBERS,
    MemberType,
    country_of_alpha3,
    member,
    member_of_alpha3,
    same_state,
)
from rilon.errors import InvalidError


def test_the_list_is_whole() -> None:
    counted = Counter(m.type for m in MEMBERS.values())
    assert counted == {
        MemberType.STATE: 45,
        MemberType.ORGANISATION: 4,
        MemberType.OBSERVER_STATE: 18,
        MemberType.OBSERVER_ORGANISATION: 9,
        MemberType.BODY: 1,
    }
    assert all(m.id == key for key, m in MEMBERS.items())


def test_everyone_is_members_only_and_observers_get_nothing_by_default() -> None:
    assert sum(m.in_everyone for m in MEMBERS.values()) == 49
    assert not any(m.in_everyone for m in MEMBERS.values() if m.observer)
    assert sum(m.observer for m in MEMBERS.values()) == 27


def test_only_the_secretariat_never_originates() -> None:
    assert [m.id for m in MEMBERS.values() if not m.originates] == ["rso"]
    assert not member("rso").in_everyone


def test_an_import_finds_members_and_countries_by_alpha3() -> None:
    found = member_of_alpha3("THA")
    assert found is not None
    assert found.id == "th"
    assert member_of_alpha3("YEM") is None
    assert country_of_alpha3("YEM") == "YE"
    assert country_of_alpha3("") is None
    assert len(COUNTRIES) == 249
    assert all(COUNTRIES[m.alpha2] == m.alpha3 for m in MEMBERS.values() if m.alpha2)


def test_entries_of_one_state_belong_together() -> None:
    assert same_state("hk", "cn")
    assert same_state("nc", "fr")
    assert not same_state("th", "my")
    assert same_state("iom", "iom")
    assert not same_state("iom", "ilo")
    assert same_state("so", "so")


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidError, match=r"member\.unknown"):
        member("atlantis")
    with pytest.raises(InvalidError, match=r"instrument\.unknown"):
        instrument("magna-carta")


def test_an_instrument_can_be_cited() -> None:
    assert instrument("som-10").article == "10"
    assert all(set(i.parties) <= set(MEMBERS) for i in INSTRUMENTS.values())
    assert len(INSTRUMENTS) == 12
