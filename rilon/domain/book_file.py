"""A rule book as a lawyer writes and reads it: one TOML file, one table a rule, law or agreement.

Reading a file that was written from a book gives that very book. Whatever is wrong is told with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, structs

from rilon.domain.conditions import OBLIGING, Obligations
from rilon.domain.handling import Tlp
from rilon.domain.kinds import KINDS, MAX_PROBLEMS
from rilon.domain.legal import INSTRUMENTS, Agreement, Law
from rilon.domain.members import MEMBERS, MemberType
from rilon.domain.misread import broken_toml, misread
from rilon.domain.rules import Rule, RuleBook, When
from rilon.domain.shapes import SubjectRole
from rilon.domain.text import check_text
from rilon.domain.values import Value
from rilon.errors import InvalidError, MalformedError, RilonError, raise_all

P = TypeVar("P", Rule, Law, Agreement)

LIMIT_BYTES = 512 * 1024
MAX_RULES = 2000
SENTENCE_CHARACTERS = 400
NATIONAL = ("north", "harbour", "island")
"""The plainly fictional national books that come with the program, as examples: ``<name>_rules.toml``."""


class _File(Value, frozen=True):
    rule: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=MAX_RULES)]
    law: Annotated[tuple[Law, ...], Meta(max_length=200)] = ()
    agreement: Annotated[tuple[Agreement, ...], Meta(max_length=200)] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the tables of a file begin, so that a problem names its line; without a file there are none.

    Attributes:
        rule, law, agreement: first line of each table, by its place.
    """

    rule: Sequence[int] = ()
    law: Sequence[int] = ()
    agreement: Sequence[int] = ()

    def problem(self, table: str, place: int, code: str, message: str, fix: str = "") -> InvalidError:
        """Something that is wrong in one table."""
        lines: Sequence[int] = getattr(self, table)
        line = lines[place] if place < len(lines) else 0
        told = f"Line {line}: {message}" if line else message
        return InvalidError(code, told, field=f"line {line}" if line else f"{table}.{place}", fix=fix)


def parse_book(text: bytes, member: str, version: int) -> RuleBook:
    """Read a rule book.

    Raises:
        MalformedError: ``rules.file``: not TOML, too large, or a field that no rule has; with the place.
        InvalidError, MalformedError: see :func:`make_book`.
    """
    return parse_written(text, member, version)[0]


def parse_written(text: bytes, member: str, version: int) -> tuple[RuleBook, Lines]:
    """Read a rule book and where its tables begin. Raises as :func:`parse_book`."""
    if len(text) > LIMIT_BYTES:
        before = text.count(b"\n", 0, LIMIT_BYTES)
        line = f"line {before + 1}"
        message = f"A rule file has at most {LIMIT_BYTES} bytes; {line} goes beyond."
        raise MalformedError("rules.file", message, field=line, fix="Make several rules one.")
    lines = _lines(text)
    try:
        file = msgspec.toml.decode(text, type=_File)
    except (msgspec.DecodeError, ValueError) as error:
        raise _unread(error, lines) from error
    except RecursionError as error:
        raise MalformedError("rules.file", "The rule file is nested too deep.") from error
    if any(len(getattr(lines, name)) != len(getattr(file, name)) for name in ("rule", "law", "agreement")):
        fix = "Write each as a table of its own: [[rule]], [[law]], [[agreement]]."
        raise MalformedError("rules.file", "The rule file has rules, laws or agreements in another form.", fix=fix)
    return make_book(member, version, file.rule, file.law, file.agreement, lines), lines


def make_book(
    member: str,
    version: int,
    rules: Sequence[Rule],
    laws: Sequence[Law] = (),
    agreements: Sequence[Agreement] = (),
    lines: Lines = Lines(),
) -> RuleBook:
    """Make a rule book of its parts.

    Raises:
        InvalidError: one or all (``invalid.several``) of ``rules.repeated``: two have one id; ``rules.unknown``:
            a rule is about or cites something that does not exist, so that a refusal meant by it would never bite.
        MalformedError: ``text.*``: a sentence is no clean line.
    """
    cited = {law.id for law in laws} | {agreement.id for agreement in agreements} | set(INSTRUMENTS)
    problems: list[RilonError] = [*_repeated(rules, laws, agreements, lines)]
    for place, agreement in enumerate(agreements):
        if strange := sorted(agreement.parties - set(MEMBERS)):
            message = f"Agreement {agreement.id} is with {strange[0]}, which is no Member."
            problems.append(lines.problem("agreement", place, "rules.unknown", message, "Use a code of the list."))
    for place, rule in enumerate(rules):
        problems += _unknown(rule, place, cited, lines)
    clean = RuleBook(
        member,
        version,
        tuple(_clean(rule, "rule", n, lines, problems) for n, rule in enumerate(rules)),
        tuple(_clean(law, "law", n, lines, problems) for n, law in enumerate(laws)),
        tuple(_clean(agreement, "agreement", n, lines, problems) for n, agreement in enumerate(agreements)),
    )
    raise_all(problems[:MAX_PROBLEMS])
    return clean


def default_book(member: str) -> RuleBook:
    """The conservative book a node starts with."""
    return _shipped("default", member)


def national_book(name: str, member: str) -> RuleBook:
    """One of the fictional national books, as if it were this Member's."""
    return _shipped(name, member)


def _shipped(name: str, member: str) -> RuleBook:
    return parse_book(resources.files("rilon.domain.data").joinpath(f"{name}_rules.toml").read_bytes(), member, 1)


_HEADER = re.compile(rb"[ \t]*\[\[[ \t]*(rule|law|agreement)[ \t]*\]\][ \t]*(#.*)?\r?")
_AT = re.compile(r"(rule|law|agreement)\[(\d+)\]\.?(.*)")


def _lines(text: bytes) -> Lines:
    """Where tables begin. A sentence is one line, so what looks like a header is one."""
    found: dict[str, list[int]] = {"rule": [], "law": [], "agreement": []}
    for number, line in enumerate(text.split(b"\n"), 1):
        if b'"""' in line or b"'''" in line:
            message = f"Line {number}: a text of several lines, or three quotation marks."
            raise MalformedError("rules.file", message, field=f"line {number}", fix="Write each text on one line.")
        if header := _HEADER.fullmatch(line):
            found[header[1].decode()].append(number)
    return Lines(**found)


def _unread(error: Exception, lines: Lines) -> MalformedError:
    """What is wrong with a file, with its line."""
    field, words = broken_toml(error)
    choices = ""
    if isinstance(error, msgspec.ValidationError):
        found = misread(error, _File)
        field, place = _placed(found.field, lines)
        words, choices = f"{found.message.removesuffix('.')}{place}", ", ".join(found.codes)
    fix = f"One of {choices}." if choices else "Write it as an exported rule book is written."
    return MalformedError("rules.file", f"The rule file cannot be read: {words}.", field=field, fix=fix)


def _placed(path: str, lines: Lines) -> tuple[str, str]:
    """The line of a path in a file, and half a sentence that says so."""
    if at := _AT.fullmatch(path):
        places: Sequence[int] = getattr(lines, at[1])
        if (place := int(at[2])) < len(places):
            return f"line {places[place]}", f" ({at[3] or at[1]}, in the table of line {places[place]})"
    return path, ""


def _repeated(
    rules: Sequence[Rule], laws: Sequence[Law], agreements: Sequence[Agreement], lines: Lines
) -> Iterator[InvalidError]:
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        if rule.id in seen:
            yield lines.problem("rule", place, "rules.repeated", f"Two rules have the id {rule.id}.", "Rename one.")
        seen.add(rule.id)
    named = set(INSTRUMENTS)
    tables: tuple[tuple[str, Sequence[Law | Agreement]], ...] = (("law", laws), ("agreement", agreements))
    for table, sources in tables:
        for place, source in enumerate(sources):
            if source.id in named:
                message = f"Two laws, agreements or instruments have the id {source.id}."
                yield lines.problem(table, place, "rules.repeated", message, "Rename one.")
            named.add(source.id)


_KNOWN: Mapping[str, Callable[[], Collection[str]]] = {
    "kinds": lambda: KINDS,
    "families": lambda: {kind.family for kind in KINDS.values()},
    "tlp": lambda: set(Tlp),
    "recipients": lambda: MEMBERS,
    "recipient_types": lambda: set(MemberType),
    "subjects": lambda: set(SubjectRole),
}
"""What a rule may be about, where its type alone does not say it."""


def _unknown(rule: Rule, place: int, cited: Collection[str], lines: Lines) -> Iterator[InvalidError]:
    for name, known in _KNOWN.items():
        if strange := sorted(getattr(rule.when, name) - set(known())):
            message = f"Rule {rule.id} is about {strange[0]}, which does not exist (when.{name})."
            yield lines.problem("rule", place, "rules.unknown", message, "Use a code of the list.")
    if strange := sorted(rule.obliges.caveats - OBLIGING):
        message = f"Rule {rule.id} obliges to {strange[0]}, which binds no holder (obliges.caveats)."
        caveats = ", ".join(sorted(OBLIGING))
        yield lines.problem("rule", place, "rules.unknown", message, f"One of {caveats}.")
    if rule.basis and rule.basis not in cited:
        message = f"Rule {rule.id} cites {rule.basis}, which is no instrument, law or agreement."
        fix = "Add a [[law]] or an [[agreement]] of that id, or cite an instrument of the list."
        yield lines.problem("rule", place, "rules.unknown", message, fix)


def _clean(part: P, table: str, place: int, lines: Lines, problems: list[RilonError]) -> P:
    """The same with its sentences checked, and instants in one form."""
    changed: dict[str, object] = {}
    for name in {"because", "name", "article"} & set(part.__struct_fields__):
        value = getattr(part, name)
        if not value and name == "article":
            continue
        try:
            changed[name] = check_text(value, max_chars=SENTENCE_CHARACTERS, lines=False)
        except MalformedError as error:
            told = lines.problem(table, place, error.code, f"In {table} {part.id}: {error.message}")
            problems.append(MalformedError(error.code, told.message, field=told.field, fix=error.fix))
    if isinstance(part, Agreement) and part.ended_at is not None:
        changed["ended_at"] = part.ended_at.astimezone(UTC)
    return structs.replace(part, **changed)


def format_book(book: RuleBook) -> str:
    """A rule book as a file; :func:`parse_book` reads the same book from it."""
    head = [f"# Rule book {book.version} of {book.member.upper()}, {book.digest.hex()}"]
    named = (("law", book.laws), ("agreement", book.agreements), ("rule", book.rules))
    tables = ["\n".join(_table(name, part)) for name, parts in named for part in parts]
    return "\n\n".join(head + tables) + "\n"


def _table(name: str, part: Rule | Law | Agreement) -> Iterator[str]:
    yield f"[[{name}]]"
    for field in part.__struct_fields__:
        value = getattr(part, field)
        if isinstance(value, When):
            yield from (f"when.{n} = {_toml(v)}" for n, v in structs.asdict(value).items() if v)
        elif isinstance(value, Obligations):
            yield from (f"obliges.{n} = {_toml(v)}" for n, v in structs.asdict(value).items() if v not in _FREE)
        elif value not in ("", None):
            yield f"{field} = {_toml(value)}"


_FREE: tuple[object, ...] = (None, "ask", 0, frozenset())
"""Obligations that oblige to nothing."""


def _toml(value: object) -> str:
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(map(_toml, value)))}]"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    return msgspec.json.encode(str(value)).decode()  # JSON's escapes are TOML's
