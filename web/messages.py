"""Collect every message of the pages, and bring the catalogues up to date with them.

Run by ``make messages``; with ``LANGUAGE=th`` it also prints what that catalogue lacks. Words come from four places:
what templates and modules of ``rilon.web`` mark with ``_``, ``ngettext`` or ``mark``; what its modules raise; the
tables that hold what codes are called; and the sentences of the domain that pages say. The template
``tests/golden/messages.pot`` is golden: a test compares it, and ``python -m tests.golden.update`` writes it too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from babel.plural import to_gettext

from rilon.domain.book_file import default_book
from rilon.domain.fields import IDENTIFIERS
from rilon.domain.kinds import KINDS
from rilon.domain.values import Purpose
from rilon.front.problems import TITLES
from rilon.web import forms
from rilon.web.language import ENGLISH, LANGUAGES
from rilon.web.words import WORDS, plain

HERE: Final = Path(__file__).parents[1]
PAGES: Final = HERE / "rilon" / "web"
TEMPLATE: Final = HERE / "tests" / "golden" / "messages.pot"
CATALOGUES: Final = PAGES / "catalogues"
KEYWORDS: Final[dict[str, Any]] = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
_WORD: Final = re.compile("[a-z]{2}")
_JINJA: Final = {"newstyle_gettext": "true", "trimmed": "false"}
WIDTH: Final = 119
_SAID: Final = re.compile(r"[\w%].* .*\.|[a-z]+( [a-z,]+)+")
JUDGES: Final = ("invariants", "rules", "share", "sight")
"""The modules of the domain whose sentences stand on pages."""
_UNSAID: Final = tuple(
    f'"{name}' for name in ("POT-", "PO-", "Generated-By", "Report-", "Last-Translator", "Language-T")
)
"""Lines of a catalogue's head that would differ from run to run, or name nobody."""

Found = tuple[str, str | tuple[str, ...]]


def template() -> Catalog:
    """Every message with the files it stands in, in an order that only the messages decide."""
    places: dict[str | tuple[str, ...], set[str]] = {}
    for where, message in (*_marked(), *_raised(), *_tables(), *_judged()):
        places.setdefault(message, set()).add(where)
    made = Catalog(
        project="RILON", version="1", charset="utf-8", fuzzy=False, header_comment="# Messages of the pages."
    )
    for message in sorted(places, key=lambda m: (min(places[m]), m if isinstance(m, str) else m[0])):
        made.add(message, locations=[(where, 0) for where in sorted(places[message])])
    return made


def _marked() -> Iterator[Found]:
    for path in sorted(PAGES.glob("templates/*.html")):
        yield from _found(path, "jinja2", _JINJA)
    for path in sorted(PAGES.glob("*.py")):
        yield from _found(path, "python", {})


def _found(path: Path, method: str, options: dict[str, str]) -> Iterator[Found]:
    where = path.relative_to(PAGES).as_posix()
    for _line, message, _comments, _context in extract_from_file(method, path, KEYWORDS, options=options):
        if isinstance(message, str) or all(message):
            yield where, message


def _raised() -> Iterator[Found]:
    """The sentences of what the pages' own modules refuse."""
    for path in sorted(PAGES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
                said = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "fix")]
                texts = (each.value for each in said if isinstance(each, ast.Constant))
                yield from (("refusals", text) for text in texts if isinstance(text, str))


def _tables() -> Iterator[Found]:
    """What codes are called."""
    yield from (("words", text) for family in WORDS.values() for text in family.values())
    yield from (("words", plain(purpose)) for purpose in Purpose)
    yield from (("words", text) for text in TITLES.values())
    yield from (("kinds", text) for kind in KINDS.values() for text in (kind.name, kind.about, plain(kind.family)))
    yield from (("fields", kind.name) for kind in IDENTIFIERS.values())
    widgets = (w for kind in KINDS.values() for part in forms.parts(kind) for w in part.widgets)
    yield from (("fields", text) for widget in widgets for text in _of_widget(widget))


def _of_widget(widget: forms.Widget) -> Iterator[str]:
    wordy = [widget.label, widget.hint, *(words for _code, words in widget.options)]
    yield from (text for text in wordy if _WORD.search(text) and not text.startswith("https"))
    for part in widget.parts:
        yield from _of_widget(part)


def _judged() -> Iterator[Found]:
    """What the rules say: their sentences, with their facts as values, and the words that are facts of them."""
    for path in (HERE / "rilon" / "domain" / f"{name}.py" for name in JUDGES):
        tree = ast.parse(path.read_text("utf-8"))
        aside = {id(each) for node in ast.walk(tree) for each in _not_said(node)}
        texts = (_sentence(node) for node in ast.walk(tree) if id(node) not in aside)
        yield from (("sentences", text) for text in texts if _SAID.fullmatch(text))
    yield from (("sentences", rule.because) for rule in default_book("th").rules)


def _not_said(node: ast.AST) -> list[ast.expr]:
    """Docstrings, and the pieces of a sentence that is taken whole."""
    if isinstance(node, ast.Expr):
        return [node.value]
    return list(node.values) if isinstance(node, ast.JoinedStr) else []


def _sentence(node: ast.AST) -> str:
    """A text with ``%(name)s`` for every value in it; "" for what is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{(\w+)\}", r"%(\1)s", node.value)
    if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
        return "".join(_piece(each) for each in node.values)
    return ""


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value).replace("%", "%%")
    names = [each for each in ast.walk(part) if isinstance(each, ast.Name | ast.Attribute)]
    told = [each.attr if isinstance(each, ast.Attribute) else each.id for each in names]
    return f"%({next(name for name in told if name != 'upper')})s"


def text_of(catalogue: Catalog, *, places: bool = True) -> str:
    """A catalogue as a file."""
    out = BytesIO()
    write_po(out, catalogue, width=WIDTH, no_location=not places, include_lineno=False)
    lines = out.getvalue().decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith(_UNSAID)) + "\n"


def read(code: str) -> Catalog:
    """A language's catalogue as it is; an empty one when there is none."""
    path, language = CATALOGUES / f"{code}.po", LANGUAGES[code]
    found = read_po(BytesIO(path.read_bytes()), locale=code) if path.exists() else Catalog(locale=code)
    found.mime_headers = [("Plural-Forms", to_gettext(language.locale.plural_form))]
    found.fuzzy, found.project, found.version = False, "RILON", "1"
    state = "reviewed" if language.reviewed else "machine-assisted, awaiting review"
    found.header_comment = f"# {language.name}: {state}. What is missing here: make messages LANGUAGE={code}"
    return found


def write(code: str, catalogue: Catalog) -> None:
    """Keep what is said, in the template's order; what is new stands in no catalogue until somebody says it.

    So a new message changes the template only, and two people who add messages do not meet in nine files.
    """
    catalogue.update(template(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in list(catalogue):
        if message.id and not any(message.string if isinstance(message.string, tuple) else (message.string,)):
            catalogue.delete(message.id)
    (CATALOGUES / f"{code}.po").write_text(text_of(catalogue, places=False), "utf-8")


def missing(code: str) -> Catalog:
    """What a language does not say yet, as a file to write on."""
    said, lacks = read(code), Catalog(locale=code, header_comment=f"# {LANGUAGES[code].name}: missing")
    for message in template():
        if message.id and said.get(message.id) is None:
            lacks.add(message.id, locations=message.locations)
    return lacks


def update() -> None:
    """Write the template, and take out of every catalogue what is gone."""
    TEMPLATE.write_text(text_of(template()), "utf-8")
    CATALOGUES.mkdir(exist_ok=True)
    for code in LANGUAGES:
        if code != ENGLISH:
            write(code, read(code))


if __name__ == "__main__":
    update()
    for wanted in sys.argv[1:]:
        sys.stdout.write(text_of(missing(wanted)))
