"""What is wrong with a form, as its reader is told: the field by its name on the page, a way to it, what would mend it.

The desks speak of fields as programs name them; here they are called what the form calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from rilon.domain.kinds import Kind
from rilon.errors import InvalidError, RilonError
from rilon.web.forms import PREFIX
from rilon.web.language import gettext, mark
from rilon.web.sentences import said
from rilon.web.words import human

_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "grade": ("source", mark("The source is, the information is")),
    "audience": ("for", mark("Who is it for?")),
    "audience.circle": ("circle", mark("Circle")),
    "handling": ("tlp", mark("It may go to")),
}
"""Where in the form of an alert stands what no kind has: its id, and what it is called."""
WORDS: Final = "text"
"""The path of a fault of words that were written, where the desk does not say of which."""
_EMPTY: Final = mark("Please fill this in.")
_FORM: Final = mark("This is not written as it must be.")
INSTEAD: Final[Mapping[str, str]] = {
    "field.missing": _EMPTY,
    "field.value": _FORM,
    "handling.value": _FORM,
    "grade.missing": mark("Choose both: how reliable the source is, and how likely it is true."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend.

    Attributes:
        path: name of the input. at: id of what to go to, or "". label: what the page calls it, or "".
        message, fix: sentences, in English, as the catalogues know them.
    """

    path: str
    at: str
    label: str
    message: str
    fix: str

    @property
    def words(self) -> Markup:
        """Message and fix in the reader's language."""
        return Markup(" ").join(said(text) for text in (self.message, self.fix) if text)


def each(error: RilonError) -> list[RilonError]:
    """Each thing that is wrong."""
    return list(error.problems) if isinstance(error, InvalidError) and error.problems else [error]


def faults(error: RilonError | None, kind: Kind | None = None) -> list[Fault]:
    """What to mend in a form: that of a kind of alert, or one whose inputs have the names of the fields."""
    return [_fault(problem, kind) for problem in each(error)] if error else []


def named(error: RilonError) -> list[Fault]:
    """What to mend where there is no form: called by its name where the sentence alone would not tell what is meant."""
    found = faults(error) if isinstance(error, InvalidError) else []
    meant = [len(found) > 1 or each.message in INSTEAD.values() for each in found]
    return [each if keep else replace(each, label="") for each, keep in zip(found, meant, strict=True)]


def _fault(problem: RilonError, kind: Kind | None) -> Fault:
    field = problem.field or (WORDS if problem.code.startswith("text.") else "")
    field, message = field.replace("[", ".").replace("]", ""), INSTEAD.get(problem.code, problem.message)
    whole = message in INSTEAD.values() and message != _FORM
    fix = "" if whole or "{" in problem.fix else problem.fix  # braces are the API's way to say a shape
    if elsewhere := _ELSEWHERE.get(field) or _ELSEWHERE.get(field.partition(".")[0]):
        at, label = elsewhere
        return Fault(field, at, gettext(label), message, fix)
    name = field.partition(".")[0]
    path = f"{PREFIX}.{field}" if kind and name in kind.fields else field
    together = next((group for group in kind.any_of if group[0] == field), ()) if kind else ()
    if together and problem.code == "field.missing":
        message = mark("Please fill in one of these.")
    label = " / ".join(map(human, together)) if together else " · ".join(map(_called, field.split(".")))
    return Fault(path, path.replace(".", "-"), label, message, fix)


def _called(part: str) -> str:
    """A part of a field's path; rows count from one."""
    return str(int(part) + 1) if part.isascii() and part.isdigit() else human(part) if part else ""
