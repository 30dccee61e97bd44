"""What an author hands in, and what is left of it once everything has been checked.

All problems are told together, each with its code, field and fix; nothing is sealed or stored before there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, structs

from rilon.app.charters import instant
from rilon.app.release import Conditions
from rilon.domain.attachments import MAX_FILES, File
from rilon.domain.attachments import encode as encode_files
from rilon.domain.circle import Charter
from rilon.domain.compose import compose
from rilon.domain.directory import Directory
from rilon.domain.grade import Grade, parse_grade
from rilon.domain.handling import (
    Audience,
    Caveat,
    Handling,
    Reader,
    Readers,
    RescueDesk,
    check_audience,
    check_members,
    check_readers,
    default_home,
    parse_handling,
)
from rilon.domain.kinds import Content, Kind, encode_content, kind, parse_fields
from rilon.domain.matrix import Agreed, Asked
from rilon.domain.members import MEMBERS
from rilon.domain.values import VULNERABLE, Code, MemberId, Sensitivity, Source, Urgency, Value
from rilon.errors import InvalidError, RilonError, raise_all

Ticket = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{128}\Z")]
"""What an upload answers; a secret of who uploaded."""


class AudienceDraft(Value, frozen=True):
    """Who it is for.

    Attributes:
        everyone: every Member State and Organisation that runs a node.
        members: Members by id, in addition.
        circle: name of a circle; its members of the moment of posting.
        readers: who may read it there: ``entitled``, ``agency:…``, ``desk:…``, ``desk:<agency>:…``, ``officer:…``.
        home: who may read it at this node, in the same form, beside its author and the focal points; empty: the
            author's desk (TLP:RED), agency (AMBER), or everybody whom this node entitles (GREEN, CLEAR).
        rescue: when a life is at risk: desks, by Member, that have victims' and children's sections at once.
    """

    everyone: bool = False
    members: Annotated[tuple[str, ...], Meta(max_length=128)] = ()
    circle: Annotated[str, Meta(pattern=r"\A([a-z]{2,12}\.[0-9a-f]{32})?\Z")] = ""
    readers: Annotated[tuple[Reader, ...], Meta(min_length=1, max_length=64)] = ("entitled",)
    home: Annotated[tuple[Reader, ...], Meta(max_length=64)] = ()
    rescue: Annotated[dict[str, RescueDesk], Meta(max_length=16)] = msgspec.field(default_factory=dict)


class AlertDraft(Value, frozen=True):
    """An alert as an author writes it.

    Attributes:
        fields: by field name of the kind (``kinds.json``); each field's section follows from its kind.
        handling: marks by name, over the kind's defaults. grade: ``{scheme, source, information}``.
        onward, court: whether a holder may ask to share onward, or to use it in court.
        sources: items it is made of; it carries the strictest of their marks and its own.
        extension: of a correction that is kept longer than the version before: why. It stays here, sealed.
        attachments: tickets of files that were uploaded for it. keep_attachments: a correction keeps the files too.
    """

    kind: str
    fields: dict[str, Any]
    audience: AudienceDraft
    handling: dict[str, Any] = msgspec.field(default_factory=dict)
    grade: dict[str, Any] | None = None
    urgency: Urgency | None = None
    onward: Literal["ask", "no"] = "ask"
    court: Literal["ask", "no"] = "ask"
    sources: Annotated[tuple[Source, ...], Meta(max_length=16)] = ()
    attachments: Annotated[tuple[Ticket, ...], Meta(max_length=MAX_FILES)] = ()
    keep_attachments: bool = False
    extension: Annotated[str, Meta(max_length=8000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A draft in which nothing is wrong.

    Attributes:
        contents: the encoded content of each section it has.
        recipients: the audience, resolved against the directory and the circle, sorted.
        circles: the circle it is for, with those who get it as its members.
    """

    kind: Kind
    urgency: Urgency
    handling: Handling
    grade: Grade | None
    contents: dict[Sensitivity, bytes] = field(repr=False)
    recipients: tuple[MemberId, ...]
    conditions: Conditions
    home: tuple[Reader, ...]
    named: frozenset[MemberId] | None
    consents: dict[Sensitivity, Agreed]
    circles: dict[Code, frozenset[MemberId]]

    def readers(self, unit: str, *authors: str) -> tuple[Code, ...]:
        """Who may read it at this node: authors, whom they named, focal points, and protection officers for theirs.

        Args:
            unit: the desk it comes from. authors: ids of who wrote it and who corrected it.
        """
        roles = ["role:focal_point"] + ["role:protection"] * bool(VULNERABLE & set(self.contents))
        named = self.home or (default_home(self.handling.tlp, unit),)
        return tuple(sorted({*(f"officer:{author}" for author in authors), *roles, *named}))

    @property
    def asked(self) -> Asked:
        """What the rules look at of it."""
        return Asked(
            kind=self.kind.code,
            urgency=self.urgency,
            handling=self.handling,
            readers=widest(self.conditions.readers),
            named=self.named,
            circles=self.circles,
            consents=self.consents,
            rescue=frozenset(self.conditions.rescue),
        )


def check(
    draft: AlertDraft,
    directory: Directory,
    at: datetime,
    files: Sequence[File] = (),
    quoted: Sequence[Handling] = (),
    circle: Charter | None = None,
    *,
    until: datetime | None = None,
) -> Checked:
    """Check everything an author wrote.

    Args:
        files: what is attached to it, cleaned. quoted: the marks of the items it is made of.
        circle: the charter of the circle it names; of its members, those who may have it.
        until: when the version ends that it corrects: unless its author says otherwise, this one ends then too.

    Raises:
        RilonError: one problem, or all of them as ``invalid.several``.
    """
    of_kind, members = kind(draft.kind), circle.members if circle else ()
    world_fits(of_kind, directory)
    content, handling, grade, recipients = gather(
        lambda: parse_fields(draft.kind, draft.fields, now=at),
        lambda: parse_handling(draft.handling, base=of_kind.handling(at, until), at=at),
        lambda: _graded(draft, of_kind),
        lambda: resolve(draft.audience, directory, circle),
    )
    for marks in quoted:
        handling = compose(handling, marks).handling
    handling = _within(handling, circle)
    _check_marks(draft, of_kind, handling, recipients, at)
    protected = of_kind.protect(handling, content)
    attached = {Sensitivity.ATTACHMENT: encode_files(files)} if files else {}
    return Checked(
        kind=of_kind,
        urgency=draft.urgency or of_kind.urgency,
        handling=protected,
        grade=grade,
        contents={sensitivity: encode_content(fields) for sensitivity, fields in content.items()} | attached,
        recipients=recipients,
        conditions=_conditions(draft, protected),
        home=tuple(sorted(set(draft.audience.home))),
        named=frozenset({*draft.audience.members, *members}) if draft.audience.everyone else None,
        consents=_consents(of_kind, content),
        circles={circle.ref: frozenset(members)} if circle else {},
    )


def _check_marks(
    draft: AlertDraft, of_kind: Kind, handling: Handling, recipients: tuple[str, ...], at: datetime
) -> None:
    gather(
        lambda: check_audience(handling, _audience(draft.audience)),
        lambda: check_readers(draft.audience.home, handling.tlp, "audience.home"),
        lambda: of_kind.check_stated(handling),
        lambda: _check_embargo(handling, at),
        lambda: _check_rescue(draft.audience, recipients, draft.urgency or of_kind.urgency),
    )


def gather(*parts: Callable[[], Any]) -> tuple[Any, ...]:
    """Run every part; what they give, in order, or all their problems at once.

    Raises:
        RilonError: the only problem, or ``invalid.several``.
    """
    results: list[Any] = []
    problems: list[RilonError] = []
    for part in parts:
        try:
            results.append(part())
        except RilonError as problem:
            problems.append(problem)
    raise_all(problems)
    return tuple(results)


def world_fits(of_kind: Kind, directory: Directory) -> None:
    """Exercise items exist only in an exercise network, where everything is one.

    Raises:
        InvalidError: ``kind.exercise-only``.
    """
    if of_kind.exercise and directory.own.identity.world != "exercise":
        fix = "Post it in the exercise network, which has keys of its own."
        raise InvalidError("kind.exercise-only", "Exercises have a network of their own.", field="kind", fix=fix)


def resolve(audience: AudienceDraft, directory: Directory, circle: Charter | None = None) -> tuple[str, ...]:
    """The Members an audience means now: named ones, a circle, everyone with a node; never this node itself.

    Raises:
        InvalidError: ``member.unknown``; ``circle.chair``: nobody here trusts the node that says who is in it.
    """
    named = set(audience.members)
    if circle is not None:
        if circle.chair != directory.me and directory.standing(circle.chair) != "verified":
            message, fix = f"Its chair's node ({circle.chair}) is not verified.", "Let another Member convene the next."
            raise InvalidError("circle.chair", message, field="audience.circle", fix=fix)
        named |= set(circle.members)
    check_members(named, "audience.members")
    if audience.everyone:
        listed = (MEMBERS.get(m) for m in directory.standings)  # some may be newer than our list of Members
        named |= {m.id for m in listed if m is not None and m.in_everyone}
    return tuple(sorted(named - {directory.me}))


def check_reach(audience: AudienceDraft, recipients: Sequence[str], directory: Directory) -> None:
    """Refuse a new alert for named Members of whom none can have it; where some can, the matrix says who cannot.

    Args:
        recipients: the audience, resolved.

    Raises:
        InvalidError: ``audience.empty``: this Member alone; ``audience.unverified``.
    """
    if audience.everyone:
        return
    if not recipients:
        fix = "Name other Members, a circle, or everyone."
        raise InvalidError("audience.empty", "It is addressed to nobody else.", field="audience.members", fix=fix)
    if not any(directory.standing(m) == "verified" for m in recipients):
        fix = "Ask your focal point to verify a node, or choose others."
        message = "None of these Members has a node that is verified, so nothing can go to them."
        raise InvalidError("audience.unverified", message, field="audience.members", fix=fix)


def _within(handling: Handling, circle: Charter | None) -> Handling:
    """An exercise leaves nothing behind: what is for its circle goes with it."""
    if circle is None or circle.world != "exercise" or handling.expires_at is None:
        return handling
    end = min(handling.expires_at, instant(circle.ends))
    return structs.replace(handling, expires_at=end, review_by=min(handling.review_by or end, end))


def _check_embargo(handling: Handling, at: datetime) -> None:
    """What must not be known yet must not be held yet, and this node lets nothing go by its clock (docs/adr/0021).

    Raises:
        InvalidError: ``handling.embargo``.
    """
    if handling.embargo_until is not None and handling.embargo_until > at:
        message, fix = (
            "Nothing can be posted under an embargo: it would leave at once.",
            "Post it when the embargo ends.",
        )
        raise InvalidError("handling.embargo", message, field="handling.embargo_until", fix=fix)


def _check_rescue(audience: AudienceDraft, recipients: tuple[str, ...], urgency: Urgency) -> None:
    """A rescue desk is named for a life at risk, at a Member it is for.

    Raises:
        InvalidError: ``audience.rescue``.
    """
    field = "audience.rescue"
    if audience.rescue and urgency is not Urgency.LIFE_AT_RISK:
        fix = "Say that a life is at risk, or let your focal points decide."
        raise InvalidError("audience.rescue", "No life is at risk here.", field=field, fix=fix)
    if strangers := sorted(set(audience.rescue) - set(recipients)):
        fix = "Add them to its Members."
        message = f"It is not addressed to {', '.join(strangers).upper()}."
        raise InvalidError("audience.rescue", message, field=field, fix=fix)


def _graded(draft: AlertDraft, of_kind: Kind) -> Grade | None:
    if draft.grade is not None:
        return parse_grade(draft.grade)
    if of_kind.graded:
        raise InvalidError("grade.missing", "It has no grade.", field="grade", fix="Grade the source and the content.")
    return None


def _audience(audience: AudienceDraft) -> Audience:
    named, readers = frozenset(audience.members), widest(audience.readers)
    return Audience(everyone=audience.everyone, circle=audience.circle, members=named, readers=readers)


def widest(readers: Sequence[str]) -> Readers:
    """The widest form of readers counts: one wide reader beside a narrow one is wide."""
    return min(map(Readers.of, readers), key=list(Readers).index)


def _consents(of_kind: Kind, content: Content) -> dict[Sensitivity, Agreed]:
    """What the persons of a section are recorded to have said; one who said no, or took it back, is heard for all."""
    found: dict[Sensitivity, Agreed] = {}
    for section, fields in content.items():
        asked = (name for name, f in of_kind.section(section).items() if f.type.name == "consent" and name in fields)
        for name in asked:
            said: Any = fields[name]
            given = said["given"] and said.get("withdrawn_at") is None
            found[section] = Agreed(given, frozenset(said.get("purposes", ())), frozenset(said.get("recipients", ())))
    return found


def _conditions(draft: AlertDraft, handling: Handling) -> Conditions:
    return Conditions(
        readers=tuple(sorted(set(draft.audience.readers))),
        purposes=tuple(sorted(handling.purposes or ())),
        onward=draft.onward,
        court="no" if Caveat.NO_JUDICIAL in handling.caveats else draft.court,
        rescue=draft.audience.rescue,
    )
