"""The Members of the network, as reference data: who exists. Who runs a verified node is the directory's to say.

Membership is data: a Member is an entry of the Bali Process list, not a sovereign State (New Caledonia, Hong Kong and
Macau have entries of their own).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from rilon.domain.data import Table, read
from rilon.domain.values import MemberId, Value
from rilon.errors import InvalidError


class MemberType(StrEnum):
    """What kind of entry a Member is."""

    STATE = "member_state"
    ORGANISATION = "member_organisation"
    BODY = "bali_process_body"
    OBSERVER_STATE = "observer_state"
    OBSERVER_ORGANISATION = "observer_organisation"


class Member(Value, frozen=True, kw_only=True):
    """An entry of the Member list.

    Attributes:
        alpha2, alpha3: ISO 3166-1 codes, "" for organisations.
        sovereign: alpha-2 of the State the entry belongs to, "" for organisations.
        region: sub-region of the Bali Process list, or of the world for observers.
        languages: BCP 47 tags of the languages its officers work in.
        groups: ``co_chair``, ``steering_group``, ``ad_hoc_group``, ``asean``.
        landlocked: has no coast, so no maritime desk.
        confirmed: False where the entry is from general knowledge; an operator confirms it before it is offered.
    """

    id: MemberId
    type: MemberType
    name: str
    alpha2: str = ""
    alpha3: str = ""
    sovereign: str = ""
    region: str = ""
    languages: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    landlocked: bool = False
    confirmed: bool = True

    @property
    def observer(self) -> bool:
        """Observers receive nothing by default, only what is released to them by name."""
        return self.type in {MemberType.OBSERVER_STATE, MemberType.OBSERVER_ORGANISATION}

    @property
    def originates(self) -> bool:
        """Whether it may be the origin of operational data: a body of the Bali Process, such as the RSO, never is."""
        return self.type is not MemberType.BODY

    @property
    def in_everyone(self) -> bool:
        """Whether an item addressed to everyone is addressed to it: Member States and Member Organisations."""
        return self.type in {MemberType.STATE, MemberType.ORGANISATION}


MEMBERS: Mapping[str, Member] = Table(lambda: {m.id: m for m in read("members", list[Member])})
"""Every Member by id."""

COUNTRIES: Mapping[str, str] = Table(lambda: read("countries", dict[str, str]))
"""ISO 3166-1 alpha-2 to alpha-3, of all countries of the world: an incident may lie in one that is no Member."""

POSITIONS: Mapping[str, tuple[float, float]] = Table(lambda: read("positions", dict[str, tuple[float, float]]))
"""Where a country of ``COUNTRIES`` is drawn, by alpha-2: latitude and longitude of one point in it, and no claim.

A table of our own, because every map that is simplified enough for a slow network loses small islands.
"""


def member(member_id: str) -> Member:
    """Look a Member up.

    Raises:
        InvalidError: ``member.unknown``.
    """
    if found := MEMBERS.get(member_id):
        return found
    raise InvalidError(
        "member.unknown", "There is no such Member.", fix="Use an id of the Member list, such as th, id, iom."
    )


@cache
def _by_alpha3() -> Mapping[str, Member]:
    return {m.alpha3: m for m in MEMBERS.values() if m.alpha3}


def member_of_alpha3(alpha3: str) -> Member | None:
    """The Member of an ISO 3166-1 alpha-3 code, observers included; None when the country is none."""
    return _by_alpha3().get(alpha3)


@cache
def _alpha2_by_alpha3() -> Mapping[str, str]:
    return {alpha3: alpha2 for alpha2, alpha3 in COUNTRIES.items()}


def country_of_alpha3(alpha3: str) -> str | None:
    """The alpha-2 code of an alpha-3 code; None when there is no such country."""
    return _alpha2_by_alpha3().get(alpha3)


def same_state(one: str, other: str) -> bool:
    """Whether two Members belong to one State. What must not reach a State must not reach its other entries either.

    Args:
        one: a Member id.
        other: a Member id.
    """
    return _state(one) == _state(other)


def _state(member_id: str) -> str:
    found = MEMBERS.get(member_id)
    return found.sovereign.lower() if found and found.sovereign else member_id
