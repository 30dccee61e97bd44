"""What does not fit its type is told by its place, with what belongs there, and without what was written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta, Struct

from rilon.domain.handling import Tlp
from rilon.domain.misread import MAX_CODES, Misread, misread

CANARY = "PURPLE"
NO_CODE = "This is none of the codes that belong here."
TLPS = f"One of {', '.join(sorted(Tlp))}."


class Inner(Struct, forbid_unknown_fields=True):
    tlp: Tlp | None = None
    pair: tuple[Literal["left", "right"], ...] = ()


class Form(Struct, forbid_unknown_fields=True):
    need: int
    text: Annotated[str, Meta(min_length=1, max_length=3)] = "a"
    coded: Annotated[str, Meta(pattern=r"\A[a-z]{2,12}\Z")] = "th"
    number: Annotated[int, Meta(ge=1, le=9)] = 1
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    truth: bool = True
    at: Annotated[datetime, Meta(tz=True)] | None = None
    day: date | None = None
    id: UUID | None = None
    raw: bytes = b""
    some: Annotated[list[Inner], Meta(min_length=1, max_length=2)] | None = None
    several: Annotated[frozenset[int], Meta(min_length=2)] = frozenset()
    by: dict[Tlp, Tlp] = {}
    one: tuple[int, int] = (1, 2)


@pytest.mark.parametrize(
    ("given", "field", "message", "fix"),
    [
        ({"some": [{}, {"tlp": CANARY}]}, "some[1].tlp", NO_CODE, TLPS),
        ({"some": [{"pair": [CANARY]}]}, "some[0].pair[0]", NO_CODE, "One of left, right."),
        ({"by": {"TLP:RED": CANARY}}, "by[...]", NO_CODE, TLPS),
        ({"by": {CANARY: "TLP:RED"}}, "by", NO_CODE, TLPS),
        ({"text": 5}, "text", "This is a whole number, where a text belongs.", "Give a text."),
        ({"number": CANARY}, "number", "This is a text, where a whole number belongs.", "Give a whole number."),
        ({"truth": None}, "truth", "This is null, where true or false belongs.", "Give true or false."),
        ({"some": {}}, "some", "This is an object, where a list or null belongs.", "Give a list or null."),
        ({"text": ""}, "text", "The text is empty.", "Write it."),
        ({"text": CANARY}, "text", "The text is too long: 3 characters fit.", "Shorten it."),
        ({"some": []}, "some", "The list is empty.", "Fill or omit it."),
        ({"some": [{}] * 3}, "some", "The list is too long: 2 values fit.", "Leave some out."),
        ({"several": [1]}, "several", "The list must have at least 2 values.", "Give 2."),
        ({"one": [1]}, "one", "The list must have 2 values.", "Give 2."),
        ({"coded": CANARY}, "coded", "This is not in the form that belongs here.", "The form is `[a-z]{2,12}`."),
        ({"number": 0}, "number", "The number must be at least 1.", "Give at least 1."),
        ({"number": 10}, "number", "The number must be at most 9.", "Give at most 9."),
        ({"share": 1.0}, "share", "The number must be less than 1.", "Give less than 1."),
        ({"share": 0.0}, "share", "The number must be more than 0.", "Give more than 0."),
        ({"at": CANARY}, "at", "This is no instant.", "Write it as 2026-05-03T10:00:00Z."),
        ({"at": "2026-05-03T10:00:00"}, "at", "This is no instant.", "Write it as 2026-05-03T10:00:00Z."),
        ({"day": "2026-02-30"}, "day", "This is no day.", "Write it as 2026-05-03."),
        ({"id": CANARY}, "id", "This is no id.", "Give the id as it was told to you."),
        ({"raw": "?"}, "raw", "This is no base64.", "Encode it again."),
        ({"shoe": CANARY}, "shoe", "There is no such field here.", "Leave it out."),
        ({f"{CANARY} <b>": 1}, "", "There is a field with a name that is none.", "Leave it out."),
        ({"some": [{"shoe": 1}]}, "some[0].shoe", "There is no such field here.", "Leave it out."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_words_with_what_would_mend_it(
    given: dict[str, Any], field: str, message: str, fix: str
) -> None:
    found = _found({"need": 1} | given, Form)
    assert (found.field, found.message, found.fix) == (field, message, fix)
    assert CANARY not in f"{found.message} {found.fix}"


def _found(given: object, form: Any) -> Misread:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(given), type=form)
    return misread(caught.value, form)


def test_what_is_missing_is_named_by_its_whole_path() -> None:
    assert _found({}, Form) == Misread("", "The field need is missing.", "Give it.", "missing", "need")
    assert _found([{}], list[Form]).field == "[0].need"


def test_what_the_decoder_says_newly_is_never_passed_on() -> None:
    for words in (f"Beware of {CANARY}", f"Invalid value '{CANARY}' - at `$.{CANARY} <b>`", f"Expected `{CANARY}`"):
        found = misread(msgspec.ValidationError(words), Form)
        assert (found.field, found.message, found.fix) == ("", "This is not what belongs here.", "")


def test_a_long_list_of_codes_is_not_told() -> None:
    many = Literal[tuple(f"c{n}" for n in range(MAX_CODES + 1))]  # type: ignore[valid-type]
    assert _found(CANARY, many) == Misread("", NO_CODE)
