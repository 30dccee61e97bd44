"""What the rules and refusals say, in the reader's language.

The domain says it in English, with the facts in it: that text is signed, answered by references and the same for all.
A page finds the sentence again by its words; what stands between them are its facts, and they are put into what the
catalogue says instead. What no catalogue has, such as the sentences of a Member's own rule book, stands as it was
written and says in which language.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from markupsafe import Markup

from rilon.web.language import ENGLISH, gettext, mark, messages, spoken
from rilon.web.words import word

_VALUE: Final = re.compile(r"%\((\w+)\)s")
_ENDS: Final = (".", "%(message)s")
_OR: Final = mark("or")
_FAMILIES: Final = {
    "sensitivity": "sensitivity",
    "what": "sensitivity",
    "says": "says",
    "as_roles": "role",
    "readers": "readers",
    "allowed": "readers",
    "purposes": "purpose",
    "state": "state",
    "stands": "circle",
    "outcomes": "onward",
    "mine": "effect",
    "theirs": "effect",
    "fields": "field",
    "shown": "field",
    "choices": "field",
}
"""Facts that are codes, and what has words for them."""
_MESSAGE: Final = "message"
"""A fact that is a sentence itself: what is wrong in a place."""
_SCRIPTS: Final = {"THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my", "BENGALI": "bn", "ARABIC": "ur"}


def said(text: str) -> Markup:
    """A sentence of the rules or of a refusal: translated with its facts, or marked as what it was written in."""
    if spoken().code == ENGLISH and text.isascii():
        return Markup.escape(text)
    found = translated(text) if text and spoken().code != ENGLISH else None
    if found is not None:
        return Markup.escape(found)
    return Markup('<span lang="{}" dir="auto">{}</span>').format(written_in(text), text) if text else Markup()


def plainly(text: str) -> str:
    """The same for what takes no markup: translated, or as it was written."""
    return (translated(text) if text and spoken().code != ENGLISH else None) or text


def translated(text: str) -> str | None:
    """What this request's catalogue says for a sentence; None where it does not know it."""
    return _whole(text) or _filled(text) or _ways(text)


def written_in(text: str) -> str:
    """The language that a text of somebody's own is in, by its script; "" (unknown) where that does not tell."""
    if text.isascii():
        return ENGLISH
    letters = (unicodedata.name(c, "").partition(" ")[0] for c in text if not c.isascii())
    return next((_SCRIPTS[script] for script in letters if script in _SCRIPTS), "")


def _whole(text: str) -> str | None:
    message = messages(spoken().code).get(text)
    return gettext(text) if message and message.string else None


def _filled(text: str) -> str | None:
    for start, shape, message in _shapes(spoken().code):
        found = shape.fullmatch(text) if text.startswith(start) else None
        if found and (_MESSAGE not in found.groupdict() or translated(found[_MESSAGE])):
            return gettext(message) % {name: _fact(name, value) for name, value in found.groupdict().items()}
    return None


def _fact(name: str, value: str) -> str:
    """A fact in the reader's words: a code, or codes that are joined, or what has words of its own, or as it is."""
    family = _FAMILIES.get(name)
    if name == _MESSAGE:
        return translated(value) or value
    if family is None:
        return _whole(value) or value
    if family == "says":
        return word(family, value.replace(", ", "_"))
    codes = re.split(r"(, | or )", value)
    return "".join(_joined(code) if nth % 2 else word(family, code.replace(" ", "_")) for nth, code in enumerate(codes))


def _joined(by: str) -> str:
    return by if by == ", " else f" {gettext(_OR)} "


def _ways(text: str) -> str | None:
    """Steps of which any one would change a verdict, as the rules join them."""
    told = [_whole(f"{step[:1].lower()}{step[1:]}") for step in text.removesuffix(".").split(", or ")]
    return f" {gettext(_OR)} ".join(step for step in told if step) if all(told) else None


@cache
def _shapes(code: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """The sentences with facts that a catalogue says, those that say most by themselves first."""
    wordy = [m.id for m in messages(code) if isinstance(m.id, str) and _VALUE.search(m.id) and m.id.endswith(_ENDS)]
    return tuple(
        (each[: each.index("%(")], _shape(each), each)
        for each in sorted(wordy, key=lambda each: -len(_VALUE.sub("", each)))
        if not re.search(r"%(?!\(\w+\)s)", each)
    )


def _shape(message: str) -> re.Pattern[str]:
    parts = _VALUE.split(message)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if nth % 2 else re.escape(part) for nth, part in enumerate(parts)), re.DOTALL
    )
