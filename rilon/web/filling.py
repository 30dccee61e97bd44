"""A page's form, filled in again as it was sent, with what is wrong beside its fields.

The page is one of ours and was made a moment ago, so its tags are taken as they stand; only those that change are
written anew, with every value escaped. No page has to know what it looks like when it was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from html.parser import HTMLParser
from typing import Final

from markupsafe import escape

from rilon.web.faults import WORDS, Fault

Form = Mapping[str, Sequence[str]]
READ: Final = "version"
"""The one hidden input that comes again: which version somebody read, so that they write over no other unread."""
_TICKS: Final = frozenset({"checkbox", "radio"})
_NOT_TYPED: Final = frozenset({"hidden", "file", "password"})


@dataclass(slots=True)
class _Piece:
    """A tag or what stands between two.

    Attributes:
        tag: of a start tag, or "". end: of an end tag, or "". attrs: of a start tag.
        before, after: what is put around it.
    """

    raw: str
    tag: str = ""
    end: str = ""
    attrs: dict[str, str | None] = field(default_factory=dict)
    before: str = ""
    after: str = ""

    def set(self, name: str, value: str | None, *, there: bool = True) -> None:
        """Give a start tag an attribute, or take it away."""
        self.attrs.pop(name, None)
        self.attrs |= {name: value} if there else {}
        given = (f' {n}="{escape(v)}"' if v is not None else f" {n}" for n, v in self.attrs.items())
        self.raw = f"<{self.tag}{''.join(given)}>"

    def get(self, name: str) -> str:
        """An attribute; "" when it has none."""
        return self.attrs.get(name) or ""

    @property
    def kind(self) -> str:
        """Of an input its type, else the tag."""
        return (self.get("type") or "text") if self.tag == "input" else self.tag

    @property
    def asks(self) -> bool:
        """Whether somebody fills it in."""
        return self.tag in {"input", "select", "textarea"} and self.kind not in _NOT_TYPED


class _Reader(HTMLParser):
    """Cuts a page into pieces that give the page again when they are joined."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[_Piece] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append(_Piece(self.get_starttag_text() or "", tag=tag, attrs=dict(attrs)))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(_Piece(f"</{tag}>", end=tag))

    def handle_data(self, data: str) -> None:
        self.pieces.append(_Piece(data))

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(_Piece(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.pieces.append(_Piece(f"&#{name};"))

    def handle_decl(self, decl: str) -> None:
        self.pieces.append(_Piece(f"<!{decl}>"))


def fill(
    text: str, action: str, form: Form, wrong: Sequence[Fault], notice: Callable[[list[Fault]], str]
) -> str | None:
    """A page with its form filled in.

    Args:
        text: the page. action: where the form goes; of several the one with the same hidden values.
        notice: says at the form's head what is wrong.

    Returns:
        The page, or None when no such form stands in it.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    page = reader.pieces
    start = _found(page, action, form)
    if start is None:
        return None
    inside = _inside(page, start)
    _write(inside, form)
    page[start].after = notice([_placed(inside, each) for each in wrong]) + page[start].after
    for piece in _around(page[:start], "details") + [p for p in inside if p.tag == "details"]:
        piece.set("open", None)
    return "".join(p.before + p.raw + p.after for p in page)


def _found(page: list[_Piece], action: str, form: Form) -> int | None:
    """Where the form begins that was sent."""
    fit = [at for at, p in enumerate(page) if p.tag == "form" and p.get("action") == action]

    def alike(at: int) -> int:
        hidden = (p for p in _inside(page, at) if p.kind == "hidden")
        return sum(p.get("value") in form.get(p.get("name"), ()) for p in hidden)

    return max(fit, key=alike, default=None)


def _inside(page: list[_Piece], start: int) -> list[_Piece]:
    end = next(at for at, p in enumerate(page) if at > start and p.end == "form")
    return page[start + 1 : end]


def _around(before: list[_Piece], tag: str) -> list[_Piece]:
    """The elements around a place."""
    found: list[_Piece] = []
    for piece in before:
        if piece.tag == tag:
            found.append(piece)
        elif piece.end == tag:
            found.pop()
    return found


def _write(inside: list[_Piece], form: Form) -> None:
    """Put in what was sent."""
    select, taken = "", {name: list(values) for name, values in form.items()}
    for at, piece in enumerate(inside):
        name = piece.get("name")
        if piece.tag == "select":
            select = name
        elif piece.tag == "option" and select in form:
            piece.set("selected", None, there=piece.get("value") in form[select])
        elif piece.kind in _TICKS:
            piece.set("checked", None, there=piece.get("value") in form.get(name, ()))
        elif piece.tag == "textarea" and taken.get(name):
            _words(inside[at:], taken[name].pop(0))
        elif piece.tag == "input" and taken.get(name) and (piece.asks or name == READ):
            piece.set("value", taken[name].pop(0))


def _words(rest: list[_Piece], text: str) -> None:
    for piece in rest[1 : _ends(rest)]:
        piece.raw = ""
    rest[0].after = f"\n{escape(text)}"  # browsers drop one line end there


def _ends(rest: list[_Piece]) -> int:
    """Where the element ends that the first piece begins."""
    if rest[0].tag == "input":
        return 0
    return next(at for at, p in enumerate(rest) if p.end == rest[0].tag)


def _placed(inside: list[_Piece], fault: Fault) -> Fault:
    """Put a fault beside its field, and name the field as the form does."""
    at = _field(inside, fault.path)
    if at is None:
        return replace(fault, at="", label="")
    control = inside[at]
    key = control.get("id") or f"again-{control.get('name')}"
    control.set("id", key)
    if "aria-invalid" not in control.attrs:
        control.set("aria-invalid", "true")
        control.set("aria-describedby", f"{control.get('aria-describedby')} {key}-fault".strip())
        _beside(inside, at, f'<span class="fault" id="{escape(key)}-fault">{fault.words}</span>')
    return replace(fault, at=key, label=_label(inside, at))


def _field(inside: list[_Piece], path: str) -> int | None:
    """The input of a field; desks call several what a form asks for one by one."""
    last = path.rpartition(".")[2]
    asked = [at for at, p in enumerate(inside) if p.asks]
    names = (path, last, path.removesuffix("s"), last.removesuffix("s"))
    for name in names:
        for at in asked:
            if name and inside[at].get("name") == name:
                return at
    written = [at for at in asked if inside[at].kind in {"text", "textarea"}]
    return written[0] if path == WORDS and len(written) == 1 else None


def _beside(inside: list[_Piece], at: int, said: str) -> None:
    label = _label_around(inside, at)
    if label is not None and inside[at].kind in _TICKS:
        inside[label].before += said
        return
    rest = inside[at:]
    end = _ends(rest) if label is None else next(n for n, p in enumerate(rest) if p.end == "label")
    rest[end].after = said + rest[end].after


def _label_around(inside: list[_Piece], at: int) -> int | None:
    opened = next((n for n in range(at, -1, -1) if inside[n].tag == "label" or inside[n].end == "label"), None)
    return opened if opened is not None and inside[opened].tag else None


def _label(inside: list[_Piece], at: int) -> str:
    """What the form calls a field: ticks by what stands over them."""
    control, around = inside[at], _label_around(inside, at)
    if control.kind in _TICKS and _around(inside[:at], "fieldset"):
        return next((_text(inside[n:]) for n in range(at, -1, -1) if inside[n].tag == "legend"), "")
    if around is not None:
        return _text(inside[around:])
    return next((_text(inside[n:]) for n, p in enumerate(inside) if p.get("for") == control.get("id")), "")


def _text(rest: list[_Piece]) -> str:
    """The words of an element, without what is asked in it."""
    found = []
    for piece in rest[1 : _ends(rest)]:
        if piece.tag in {"select", "textarea"}:
            break
        found.append("" if piece.tag or piece.end else piece.raw)
    return unescape("".join(found)).strip()
