"""Handling: how far an item may go (TLP 2.0), what may be done with it (PAP), and under which caveats, until when.

An item made of others carries the strictest of their marks (``rilon.domain.compose``); only the originator lowers one.
Codes are those of FIRST's TLP 2.0 and of the MISP PAP taxonomy, upper case, never translated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

from msgspec import Meta, ValidationError, convert, structs

from rilon.domain.members import MEMBERS, same_state
from rilon.domain.misread import misread
from rilon.domain.values import MemberId, Purpose, Value
from rilon.errors import InvalidError, RilonError, raise_all

CLASSIFICATION_CEILING = 1
"""Highest generic classification RILON carries: 0 unclassified, 1 RESTRICTED and its like; 2 and up never."""

MAX_LIFE = timedelta(days=10 * 366)
"""Nothing is kept longer without a new assessment, whatever a draft says."""


class Tlp(StrEnum):
    """How far it may go; strictest first."""

    RED = "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER"
    GREEN = "TLP:GREEN"
    CLEAR = "TLP:CLEAR"


class Pap(StrEnum):
    """What may be done with it; strictest first."""

    RED = "PAP:RED"
    AMBER = "PAP:AMBER"
    GREEN = "PAP:GREEN"
    CLEAR = "PAP:CLEAR"


class Caveat(StrEnum):
    """A condition that travels with an item. The last six are the names of what ``Handling`` states as fields."""

    ORCON = "ORCON"
    THIRD_PARTY_RULE = "THIRD_PARTY_RULE"
    NO_JUDICIAL = "NO_JUDICIAL"
    NO_ATTRIBUTION = "NO_ATTRIBUTION"
    NO_CONTACT = "NO_CONTACT"
    NO_ORIGIN_STATE = "NO_ORIGIN_STATE"
    VICTIM_CONSENT = "VICTIM_CONSENT"
    CHILD = "CHILD"
    LIFE_AT_RISK = "LIFE_AT_RISK"
    REL_TO = "REL_TO"
    NOT_TO = "NOT_TO"
    PURPOSE = "PURPOSE"
    EMBARGO_UNTIL = "EMBARGO_UNTIL"
    REVIEW_BY = "REVIEW_BY"
    DESTROY_BY = "DESTROY_BY"


STATED = frozenset(
    {Caveat.REL_TO, Caveat.NOT_TO, Caveat.PURPOSE, Caveat.EMBARGO_UNTIL, Caveat.REVIEW_BY, Caveat.DESTROY_BY}
)
"""Caveats that need a list or a date, so they are fields of ``Handling`` and never in its ``caveats``."""


class Reach(StrEnum):
    """Who, at most, may read an item of a TLP; narrowest first."""

    NAMED = "named officers or one desk"
    AGENCY = "the receiving agency"
    MEMBER = "the receiving Member"
    NETWORK = "all active nodes"
    PUBLIC = "anyone"


REACH: Mapping[Tlp, Reach] = dict(zip(Tlp, Reach, strict=True))
"""RILON's reading of TLP: the community that TLP 2.0 lets a source define is the active nodes of the network."""


class Readers(StrEnum):
    """The form in which a grant says who may read at the receiving node (protocol.md, Release)."""

    ENTITLED = "entitled"
    AGENCY = "agency"
    DESK = "desk"
    OFFICERS = "officers"

    @classmethod
    def of(cls, reader: str) -> Readers:
        """The form of one reader: ``entitled``, ``agency:…``, ``desk:…`` or ``officer:…``."""
        form = reader.partition(":")[0]
        return cls.OFFICERS if form == "officer" else cls(form)


READERS: Mapping[Tlp, frozenset[Readers]] = {
    Tlp.RED: frozenset({Readers.DESK, Readers.OFFICERS}),
    Tlp.AMBER_STRICT: frozenset({Readers.AGENCY, Readers.DESK, Readers.OFFICERS}),
    Tlp.AMBER: frozenset(Readers),
    Tlp.GREEN: frozenset(Readers),
    Tlp.CLEAR: frozenset(Readers),
}
"""Forms of readers that a TLP permits."""

Reader = Annotated[
    str,
    Meta(
        pattern=r"\A(entitled|(agency|desk(:[A-Za-z0-9_.+-]{1,64})?):[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}|officer:[0-9a-f]{32})\Z"
    ),
]
"""Who may read an item at one node, as people name them; a desk may stand alone or with its agency."""


def check_readers(readers: Iterable[str], tlp: Tlp, field: str) -> None:
    """Refuse readers wider than the TLP permits. Raises InvalidError ``audience.readers``."""
    if not {Readers.of(reader) for reader in readers} <= READERS[tlp]:
        allowed = ", ".join(sorted(READERS[tlp]))
        fix = f"Say who may read it: {allowed}."
        raise InvalidError("audience.readers", f"{tlp} lets fewer people read it.", field=field, fix=fix)


def default_home(tlp: Tlp, unit: str) -> str:
    """Who reads an item at its own node when its author does not say: need-to-know first, wider as the mark is.

    Args:
        unit: the author's desk, ``desk:<agency>:<desk>``.
    """
    agency = unit.split(":")[1]
    homes = {Tlp.RED: unit, Tlp.AMBER_STRICT: f"agency:{agency}", Tlp.AMBER: f"agency:{agency}"}
    return homes.get(tlp, "entitled")


RescueDesk = Annotated[str, Meta(pattern=r"\Adesk(:[A-Za-z0-9_.+-]{1,64})?:[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}\Z")]
"""A desk that rescues people, as a reader: nobody wider may have a victim's section before anybody has signed."""

Members = Annotated[frozenset[MemberId], Meta(max_length=128)]
Listed = Annotated[frozenset[MemberId], Meta(min_length=1, max_length=128)]
Purposes = Annotated[frozenset[Purpose], Meta(min_length=1)]
Aware = Annotated[datetime, Meta(tz=True)]


class Handling(Value, frozen=True, kw_only=True):
    """The marks of an item.

    Attributes:
        caveats: conditions without a parameter; see ``codes`` for all of them.
        rel_to: the only Members it may go to; None: no such list. Never empty: an empty list would release to nobody.
        not_to: Members it must not go to; wins over every allow.
        no_origin_states: States somebody in it may have fled from, by Member id. ``NO_ORIGIN_STATE`` among the
            ``caveats`` says more: somebody's State is not named, so people look at every recipient first.
        purposes: what it may be used for; None: no limit beyond the kind's. Never empty.
        embargo_until, review_by, expires_at: instants, aware; at ``expires_at`` every holder destroys its keys.
        classification: generic level 0..4; what is above the ceiling is refused.
    """

    tlp: Tlp
    pap: Pap
    caveats: frozenset[Caveat] = frozenset()
    rel_to: Listed | None = None
    not_to: Members = frozenset()
    no_origin_states: Members = frozenset()
    purposes: Purposes | None = None
    embargo_until: Aware | None = None
    review_by: Aware | None = None
    expires_at: Aware | None = None
    classification: Annotated[int, Meta(ge=0, le=4)] = 0

    @property
    def codes(self) -> frozenset[Caveat]:
        """Every caveat in force, those that are stated as fields included."""
        stated = {
            Caveat.REL_TO: self.rel_to,
            Caveat.NOT_TO: self.not_to,
            Caveat.PURPOSE: self.purposes,
            Caveat.EMBARGO_UNTIL: self.embargo_until,
            Caveat.REVIEW_BY: self.review_by,
            Caveat.DESTROY_BY: self.expires_at,
            Caveat.NO_ORIGIN_STATE: self.no_origin_states,
        }
        return self.caveats | {code for code, value in stated.items() if value}

    def bars(self, recipient: str) -> Caveat | None:
        """The caveat that keeps an item from a Member, if one does.

        ``NO_ORIGIN_STATE`` bars every entry of the State: Hong Kong where China is named, and the other way round.
        """
        if recipient in self.not_to:
            return Caveat.NOT_TO
        if any(same_state(recipient, state) for state in self.no_origin_states):
            return Caveat.NO_ORIGIN_STATE
        if self.rel_to is not None and recipient not in self.rel_to:
            return Caveat.REL_TO
        return None


class Audience(Value, frozen=True, kw_only=True):
    """Who the author wants to reach: everyone, a circle, or named Members; and who there may read.

    Attributes:
        everyone: all Member States and Member Organisations with a node.
        circle: id of a closed group, or "".
    """

    everyone: bool = False
    circle: str = ""
    members: Members = frozenset()
    readers: Readers = Readers.ENTITLED


def default_review(at: datetime, expires_at: datetime) -> datetime:
    """When an item is reviewed if its author does not say: 120 days, or half its life, before it expires."""
    return expires_at - max(timedelta(0), min(timedelta(days=120), (expires_at - at) / 2))


def check_handling(handling: Handling, *, at: datetime, ceiling: int = CLASSIFICATION_CEILING) -> None:
    """Refuse marks that contradict each other, the calendar or the ceiling.

    Args:
        handling: the marks.
        at: when the item is made.
        ceiling: highest classification this node carries, 0..4.

    Raises:
        RilonError: one or all (``invalid.several``) of ``handling.expiry-missing``, ``.expired``, ``.expiry-too-far``,
            ``.review-late``, ``.review-early``, ``.embargo-late``, ``.classification``, ``.caveat-field``,
            ``.rel-to-barred``.
    """
    problems = _time_problems(handling, at)
    if handling.classification > ceiling:
        problems.append(
            InvalidError(
                "handling.classification",
                f"RILON carries classification {ceiling} at most; this is {handling.classification}.",
                field="handling.classification",
                fix="Send it through the channel your State keeps for it, or post a sanitised version.",
            )
        )
    if named := sorted(handling.caveats & STATED):
        problems.append(
            InvalidError(
                "handling.caveat-field",
                f"{named[0]} needs its list or date.",
                field="handling.caveats",
                fix="State it in the field of that name instead of among the caveats.",
            )
        )
    if handling.rel_to is not None and all(handling.bars(m) for m in handling.rel_to):
        problems.append(
            InvalidError(
                "handling.rel-to-barred",
                "Every Member under REL_TO is excluded by another mark, so nobody may have it.",
                field="handling.rel_to",
                fix="Add a Member to REL_TO, or take one off NOT_TO.",
            )
        )
    raise_all(problems)


def _time_problems(handling: Handling, at: datetime) -> list[RilonError]:
    expires, review, embargo = handling.expires_at, handling.review_by, handling.embargo_until
    if expires is None:
        return [_problem("expiry-missing", "It never expires.", "expires_at", "Say until when it may be kept.")]
    found: list[RilonError] = []
    if expires <= at:
        found.append(_problem("expired", "It expires before it exists.", "expires_at", "Choose a later day."))
    if expires > at + MAX_LIFE:
        found.append(_problem("expiry-too-far", "It expires too late.", "expires_at", "Choose a day within ten years."))
    if review is not None and review > expires:
        found.append(_problem("review-late", "It is reviewed after it expires.", "review_by", "Review it earlier."))
    if review is not None and review < at < expires:
        found.append(_problem("review-early", "It is reviewed before it exists.", "review_by", "Choose a later day."))
    if embargo is not None and embargo >= expires:
        found.append(_problem("embargo-late", "It expires under embargo.", "embargo_until", "End the embargo earlier."))
    return found


def _problem(code: str, message: str, field: str, fix: str) -> InvalidError:
    return InvalidError(f"handling.{code}", message, field=f"handling.{field}", fix=fix)


def check_audience(handling: Handling, audience: Audience) -> None:
    """Refuse an audience wider than the TLP permits.

    RED needs named Members and named officers or a desk there; AMBER+STRICT an agency, desk or officers; AMBER
    reaches named Members or a circle; only GREEN and CLEAR reach everyone.

    Raises:
        RilonError: one or all (``invalid.several``) of ``audience.empty``, ``audience.wider-than-tlp``,
            ``audience.readers``.
    """
    problems: list[RilonError] = []
    if not (audience.everyone or audience.circle or audience.members):
        fix = "Name Members, a circle, or everyone."
        problems.append(InvalidError("audience.empty", "It is addressed to nobody.", field="audience", fix=fix))
    reach = REACH[handling.tlp]
    if (audience.everyone and reach not in {Reach.NETWORK, Reach.PUBLIC}) or (audience.circle and reach is Reach.NAMED):
        message = f"{handling.tlp} lets it go to {reach.value} only; the audience is wider."
        fix = "Name the Members it is for, or choose a wider TLP if you are the source."
        problems.append(InvalidError("audience.wider-than-tlp", message, field="audience", fix=fix))
    if audience.readers not in READERS[handling.tlp]:
        allowed = ", ".join(sorted(READERS[handling.tlp]))
        message = f"{handling.tlp} lets fewer people read it there."
        fix = f"Say who may read it there: {allowed}."
        problems.append(InvalidError("audience.readers", message, field="audience.readers", fix=fix))
    raise_all(problems)


def parse_handling(draft: Mapping[str, object], *, base: Handling, at: datetime) -> Handling:
    """Read the marks an author states, over the defaults of the kind, and check them.

    The review follows from the expiry unless it is stated. Caveats are added to the default ones, which no author can
    drop; only naming States of origin takes the place of a default ``NO_ORIGIN_STATE``, which says that they are not
    known.

    Args:
        draft: JSON-like values by field name of ``Handling``.
        base: the defaults (``Kind.handling``).
        at: when the item is made.

    Raises:
        RilonError: one or all (``invalid.several``) of ``handling.unknown-field``, ``handling.value``,
            ``handling.rel-to-empty``, ``member.unknown``, and those of ``check_handling``.
    """
    problems: list[RilonError] = []
    given: dict[str, Any] = {}
    for name, raw in draft.items():
        try:
            given[name] = _parse_mark(name, raw)
        except RilonError as problem:
            problems.append(problem)
    raise_all(problems)
    if given.get("expires_at") is not None:
        given = {"review_by": default_review(at, given["expires_at"]), **given}
    default = base.caveats - {Caveat.NO_ORIGIN_STATE} if given.get("no_origin_states") else base.caveats
    handling = structs.replace(base, **given | {"caveats": default | given.get("caveats", frozenset())})
    check_handling(handling, at=at)
    return handling


_SHAPES: Mapping[str, Any] = get_type_hints(Handling, include_extras=True)


def _parse_mark(name: str, raw: object) -> object:
    field = f"handling.{name}"
    if name not in _SHAPES:
        marks = ", ".join(_SHAPES)
        fix = f"The marks are: {marks}."
        raise InvalidError("handling.unknown-field", "There is no such mark.", field="handling", fix=fix)
    if raw in ([], ()) and name in {"rel_to", "purposes"}:
        code = f"handling.{name.replace('_', '-')}-empty"
        raise InvalidError(code, "The list is empty, so nobody could have it.", field=field, fix="Fill or omit it.")
    try:
        value = convert(raw, _SHAPES[name])
    except ValidationError as error:
        found = misread(error, _SHAPES[name])
        fix = "Use a code of the list, a list of Member ids, or an instant such as 2026-05-03T10:00:00Z."
        raise InvalidError("handling.value", found.message, field=field, fix=found.fix or fix) from error
    if name in {"rel_to", "not_to", "no_origin_states"}:
        check_members(value or (), field)
    return value


def check_members(members: Iterable[str], field: str) -> None:
    """Refuse Members that do not exist. Raises InvalidError ``member.unknown``."""
    if unknown := sorted(m for m in members if m not in MEMBERS):
        message = f"There is no Member {', '.join(unknown)}."
        raise InvalidError("member.unknown", message, field=field, fix="Use ids of the Member list, such as th, iom.")
