"""“May I share this?”, asked without any case data, and answered so that the same words give the same answer for ever.

A question is codes and marks. Its reference is one line of readable text: the moment, the place in the log that fixes
rule book and directory, and the question itself. Whoever has the text and the log gets the answer again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rilon.domain.conditions import OBLIGING, Obligations, both, in_words
from rilon.domain.handling import READERS, Caveat, Handling, Pap, Readers, Tlp, check_members, parse_handling
from rilon.domain.kinds import Kind, kind
from rilon.domain.matrix import Agreed, Asked, Cell, Network, judge
from rilon.domain.members import MEMBERS
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import Change, Consent, Finding
from rilon.domain.values import VULNERABLE, Code, Digest, Effect, MemberId, Purpose, Sensitivity, Urgency, Value
from rilon.errors import InvalidError, MalformedError

Codes = Annotated[tuple[Code, ...], Meta(max_length=128)]
MAX_REFERENCE = 4096
"""Characters of a reference."""


class Share(Value, frozen=True, kw_only=True):
    """What an officer would like to share: codes and marks, nothing of the case.

    Attributes:
        members, everyone: to whom. sections: which; none: all that the kind has.
        urgency, tlp, pap: None: the kind's own. caveats: in addition to the kind's.
        rel_to, not_to, no_origin_states: Members, see ``Handling``. purposes: what for; none: not limited.
        readers: who may read it there. consent: of the persons a victim's or child's section is about.
    """

    kind: Code
    members: Annotated[tuple[MemberId, ...], Meta(max_length=128)] = ()
    everyone: bool = False
    sections: Annotated[tuple[Sensitivity, ...], Meta(max_length=6)] = ()
    urgency: Urgency | None = None
    tlp: Tlp | None = None
    pap: Pap | None = None
    caveats: Annotated[tuple[Caveat, ...], Meta(max_length=20)] = ()
    rel_to: Annotated[tuple[MemberId, ...], Meta(max_length=128)] = ()
    not_to: Annotated[tuple[MemberId, ...], Meta(max_length=128)] = ()
    no_origin_states: Annotated[tuple[MemberId, ...], Meta(max_length=128)] = ()
    purposes: Annotated[tuple[Purpose, ...], Meta(max_length=14)] = ()
    classification: Annotated[int, Meta(ge=0, le=4)] = 0
    readers: Readers | None = None
    consent: Consent = Consent.NOT_RECORDED


class Says(StrEnum):
    """The answer in a word; the later, the stricter."""

    YES = "yes"
    YES_IF = "yes_if"
    ASK = "ask"
    NO = "no"


class Condition(Value, frozen=True):
    """What goes with a yes: a code, and a sentence."""

    code: Code
    because: str


class CellSays(Value, frozen=True):
    """The answer for one recipient and one section.

    Attributes:
        asks: whom, when the answer is ask: ``focal_point``, ``two_approvers``. approvers: how many people sign.
        findings: everything that speaks, with instrument and article. changes: what would make it better.
    """

    recipient: MemberId
    sensitivity: Sensitivity
    says: Says
    asks: tuple[str, ...]
    approvers: int
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    conditions: tuple[Condition, ...]


class Better(Value, frozen=True):
    """One step after which the whole answer is better: tried, not guessed.

    Attributes:
        change: ``drop_section`` or ``narrow_audience``. what: the section or Member left out. says: the answer then.
    """

    change: Change
    what: Code
    says: Says
    because: str


class Answer(Value, frozen=True):
    """The whole answer.

    Attributes:
        says: the strictest of its cells. rulebook, digest: the book that judged. reference: gives this answer again.
    """

    says: Says
    cells: tuple[CellSays, ...]
    better: tuple[Better, ...]
    rulebook: int
    digest: Digest
    at: datetime
    position: int
    reference: str


class Moment(Value, frozen=True):
    """When something is judged: the instant, and the place in the log that fixes what was in force."""

    at: datetime
    position: int


def answer(share: Share, moment: Moment, network: Network, books: RuleBooks, everyone: Sequence[str]) -> Answer:
    """Judge a question.

    Args:
        network, books: as they stood at the moment. everyone: the Members whom ``everyone`` means then.

    Raises:
        RilonError: what is wrong with the question: ``kind.unknown``, ``member.unknown``, ``handling.*``,
            ``share.nobody``, ``share.section``.
    """
    of_kind = kind(share.kind)
    handling = _handling(share, of_kind, moment.at)
    sections = tuple(s for s in Sensitivity if (s in share.sections if share.sections else of_kind.section(s)))
    check_members(share.members, "members")
    named = frozenset(share.members)
    recipients = tuple(sorted((named | frozenset(everyone if share.everyone else ())) - {network.me}))
    if not recipients:
        raise InvalidError("share.nobody", "It is for nobody else.", field="members", fix="Name Members, or everyone.")
    asked = Asked(
        kind=share.kind,
        urgency=share.urgency or of_kind.urgency,
        handling=handling,
        readers=share.readers,
        named=named if share.everyone else None,
        consents=_consents(share, sections),
    )
    conditions = tuple(_conditions(share, of_kind, handling))
    cells = judge(asked, recipients, sections, network, books.judge, moment.at).cells
    told = tuple(_say(cell, handling, conditions) for cell in cells)
    book, text = books.book, write(share, moment, books.book.digest)
    return Answer(
        strictest(told), told, tuple(_better(told)), book.version, book.digest, moment.at, moment.position, text
    )


def strictest(cells: Sequence[CellSays]) -> Says:
    """The answer to all of it."""
    return max((c.says for c in cells), key=list(Says).index)


def _handling(share: Share, of_kind: Kind, at: datetime) -> Handling:
    given: dict[str, object] = {
        name: list(value) if isinstance(value, tuple) else value
        for name in ("tlp", "pap", "caveats", "rel_to", "not_to", "no_origin_states", "purposes", "classification")
        if (value := getattr(share, name))
    }
    handling = parse_handling(given, base=of_kind.handling(at), at=at)
    of_kind.check_stated(handling)
    return handling


def _consents(share: Share, sections: Sequence[Sensitivity]) -> dict[Sensitivity, Agreed]:
    if share.consent is Consent.NOT_RECORDED:
        return {}
    return {s: Agreed(share.consent is Consent.GIVEN) for s in sections if s in VULNERABLE}


def _conditions(share: Share, of_kind: Kind, handling: Handling) -> list[Condition]:
    found = []
    if share.readers is None and Readers.ENTITLED not in READERS[handling.tlp]:
        readers = " or ".join(sorted(READERS[handling.tlp]))
        found.append(Condition("name-readers", f"Say who may read it there: {readers} ({handling.tlp})."))
    if of_kind.graded:
        found.append(Condition("grade", "Grade the source and the content."))
    return found


def _say(cell: Cell, handling: Handling, others: tuple[Condition, ...]) -> CellSays:
    decision = cell.decision
    marks = Obligations(handling.purposes, caveats=handling.codes & OBLIGING)
    obliges = in_words(both(marks, decision.obliges).spared(broken=cell.break_glass))
    conditions = *(Condition(code, words) for code, words in obliges.items()), *others
    if cell.break_glass:
        words = "It goes at once, because a life is at risk; a focal point reviews it afterwards."
        conditions = (*conditions, Condition("review-after", words))
    yes = cell.break_glass or decision.effect is Effect.ALLOW
    says = (Says.YES_IF if conditions else Says.YES) if yes else _STRICT[decision.effect]
    return CellSays(
        cell.recipient,
        cell.sensitivity,
        says,
        () if yes else decision.asks,
        0 if yes else decision.approvers,
        decision.findings,
        () if yes else decision.changes,
        conditions,
    )


_STRICT = {Effect.ASK: Says.ASK, Effect.REFUSE: Says.NO}


def _better(cells: tuple[CellSays, ...]) -> list[Better]:
    """What one may leave out so that the rest gets a better answer."""
    whole, found = list(Says).index(strictest(cells)), list[Better]()
    ways: tuple[tuple[Change, Callable[[CellSays], str]], ...] = (
        (Change.DROP_SECTION, lambda c: c.sensitivity),
        (Change.NARROW_AUDIENCE, lambda c: c.recipient),
    )
    for change, of in ways:
        for what in dict.fromkeys(map(of, cells)):
            left = [c for c in cells if of(c) != what]
            if left and list(Says).index(then := strictest(left)) < whole:
                found.append(Better(change, what, then, _without(change, what, then.replace("_", ", "))))
    return found


def _without(change: Change, what: str, says: str) -> str:
    if change is Change.NARROW_AUDIENCE:
        return f"Without {what.upper()} the answer is {says}."
    return f"Without the section {what} the answer is {says}."


_NAME = "may-i-share.1"
_DEFAULT = Share(kind="X")


def write(share: Share, moment: Moment, book: bytes) -> str:
    """The reference of a question and its moment: one line, one form."""
    pairs = {"at": f"{moment.position}@{moment.at.isoformat()}", "book": book[:8].hex()}
    for name in Share.__struct_fields__:
        value = getattr(share, name)
        if value != getattr(_DEFAULT, name):
            pairs[name] = ",".join(sorted(value)) if isinstance(value, tuple) else _word(value)
    return " ".join([_NAME, *(f"{name}={value}" for name, value in pairs.items())])


def _word(value: object) -> str:
    return "yes" if value is True else str(value)


def read(text: str) -> tuple[Share, Moment, str]:
    """A reference's question, moment, and the first 8 bytes of its rule book's digest, in hex.

    Raises:
        MalformedError: ``reference.form``: it is none, or not in the one form.
    """
    pairs = split(text, _NAME)
    moment, book = read_moment(pairs.pop("at", "")), pairs.pop("book", "")
    fields: dict[str, Any] = dict(pairs)
    for name, value in pairs.items():
        if isinstance(getattr(_DEFAULT, name, None), tuple):
            fields[name] = value.split(",")
    if "everyone" in fields:
        fields["everyone"] = fields["everyone"] == "yes"
    try:
        share = msgspec.convert(fields, Share, strict=False)
        again = write(share, moment, bytes.fromhex(book))
    except (msgspec.ValidationError, ValueError):
        raise no_reference() from None
    if again != text:
        raise no_reference()
    return share, moment, book


def split(text: str, name: str) -> dict[str, str]:
    """The pairs of a reference of that name. Raises MalformedError ``reference.form``."""
    first, *words = text.split(" ") if len(text) <= MAX_REFERENCE else ("",)
    pairs = [word.partition("=") for word in words]
    found = {key: value for key, _, value in pairs}
    if first != name or len(found) != len(pairs) or not all(key and value for key, _, value in pairs):
        raise no_reference()
    return found


def read_moment(text: str) -> Moment:
    """A moment as references write it. Raises MalformedError ``reference.form``."""
    position, _, at = text.partition("@")
    try:
        moment = Moment(datetime.fromisoformat(at), int(position))
    except ValueError:
        raise no_reference() from None
    if moment.at.tzinfo is None or not 0 < moment.position < 2**53:
        raise no_reference()
    return moment


def no_reference() -> MalformedError:
    """Something is no reference."""
    fix = "Copy the whole line, as it was told."
    return MalformedError("reference.form", "This is no reference of an explanation.", field="reference", fix=fix)


def everyone_of(listed: Sequence[str]) -> tuple[str, ...]:
    """The Members of a directory whom ``everyone`` means; some may be newer than our list of Members."""
    return tuple(m for m in listed if m in MEMBERS and MEMBERS[m].in_everyone)
