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
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from babel.plural import to_gettext

from rilon.app import link_words
from rilon.domain.book_file import default_book
from rilon.domain.fields import FIELD_TYPES, IDENTIFIERS
from rilon.domain.handling import Reach
from rilon.domain.kinds import KINDS
from rilon.domain.members import MemberType
from rilon.domain.values import Purpose
from rilon.front import problems
from rilon.web import forms
from rilon.web.faults import INSTEAD
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
_SAID: Final = re.compile(r"[\w%].* .*(\.|%\(message\)s)|[a-z]+( [a-z,]+)+")
JUDGES: Final = ("book_check", "conditions", "invariants", "matrix", "rules", "share", "sight", "text")
"""The modules of the domain whose sentences stand on pages, and phrases that are facts of them."""
ASKED: Final = ("app", "domain")
"""The packages that pages ask, whose refusals they therefore show."""
_PEERS: Final = frozenset(
    {
        "circles_in",
        "incoming",
        "link_facts",
        "onward_lines",
        "outgoing",
        "post",
        "received",
        "receipts",
        "recovery",
        "vault",
    }
)
"""Modules of ``app`` that judge what other nodes send, or the log itself: told to logs and peers, never to a page."""
_BESIDE: Final = ("crypto/passkey", "crypto/provider_token", "front/notifier", "store/batch")
RAISERS: Final = (
    *sorted(PAGES.glob("*.py")),
    *(p for name in ASKED for p in sorted((HERE / "rilon" / name).glob("*.py")) if p.stem not in _PEERS),
    *(HERE / "rilon" / f"{name}.py" for name in _BESIDE),
)
"""Every module with a refusal that may reach a page."""
_UNTOLD: Final = frozenset({"FatalError", "NotFoundError", "ValueError"})
"""What pages never tell in its own words."""
_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
_UNSAID: Final = tuple(
    f'"{name}' for name in ("POT-", "PO-", "Generated-By", "Report-", "Last-Translator", "Language-T")
)
"""Lines of a catalogue's head that would differ from run to run, or name nobody."""

Found = tuple[str, str | tuple[str, ...]]


def template() -> Catalog:
    """Every message with the files it stands in, in an order that only the messages decide."""
    made = Catalog(
        project="RILON", version="1", charset="utf-8", fuzzy=False, header_comment="# Messages of the pages."
    )
    places = _places()
    for message in sorted(places, key=lambda m: (min(places[m]), m if isinstance(m, str) else m[0])):
        made.add(message, locations=[(where, 0) for where in sorted(places[message])])
    return made


@cache
def _places() -> dict[str | tuple[str, ...], set[str]]:
    """Where each message stands: looked up once, for there are ten languages."""
    places: dict[str | tuple[str, ...], set[str]] = {}
    for where, message in (*_marked(), *_raised(), *_tables(), *_judged()):
        places.setdefault(message, set()).add(where)
    return places


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
    """What is refused, by the pages and by whatever they ask: messages, and what would mend it."""
    for path in RAISERS:
        yield from (("refusals", text) for _line, text in refusals(path) if text)


def refusals(path: Path) -> Iterator[tuple[int, str | None]]:
    """Line and sentence of everything that a module refuses; None for a sentence that its source does not show."""
    source = _Source(ast.parse(path.read_text("utf-8")))
    for call in source.calls:
        for said in _told(call, ours=path.parent == PAGES):
            yield from ((call.lineno, text) for text in source.texts(said, source.within.get(id(call))))


def _told(call: ast.Call, *, ours: bool) -> list[ast.expr]:
    """The expressions of a call's sentences, if it makes a refusal that pages show in its own words."""
    name, said = call.func.id if isinstance(call.func, ast.Name) else "", call.args[1:2]
    if name == "FieldType":
        return [k.value for k in call.keywords if k.arg == "fix"]
    if not name.endswith("Error") or not said or (name in _UNTOLD and not ours):
        return []
    if isinstance(call.args[0], ast.Constant) and call.args[0].value in INSTEAD:
        return []
    return [*said, *(k.value for k in call.keywords if k.arg == "fix")]


class _Source:
    """A module, as far as it shows what the expressions of its sentences may say."""

    def __init__(self, module: ast.Module) -> None:
        nodes = list(ast.walk(module))
        self.calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.within = {id(n): each for each in nodes if isinstance(each, _FUNCTION) for n in ast.walk(each)}
        self._top = ast.Module([node for node in module.body if isinstance(node, ast.Assign | ast.AnnAssign)], [])

    def texts(self, said: ast.expr, function: Function | None) -> Iterator[str | None]:
        """What an expression within a function may say; None where that is not to be seen."""
        if isinstance(said, ast.Constant | ast.JoinedStr):
            text = _sentence(said)
            yield text if _SAID.fullmatch(text) or not text else None
        elif isinstance(said, ast.Attribute) and said.attr in {"message", "fix"}:
            return  # of another refusal, or of a table: said where that is
        else:
            parts = self._parts(said, function)
            yield from (text for part, where in parts for text in self.texts(part, where))
            if not parts:
                yield None

    def _parts(self, said: ast.expr, function: Function | None) -> list[tuple[ast.expr, Function | None]]:
        """The expressions that an expression takes its text from, each with the function it stands in."""
        match said:
            case ast.IfExp():
                return [(said.body, function), (said.orelse, function)]
            case ast.BoolOp() | ast.Dict():
                return [(each, function) for each in said.values]
            case ast.Subscript():
                return [(said.value, function)]
            case ast.Name(id=name):
                found = [(each, function) for each in _bound(name, function)]
                return found or self._passed(name, function) or [(each, None) for each in _bound(name, self._top)]
        return []

    def _passed(self, name: str, function: Function | None) -> list[tuple[ast.expr, Function | None]]:
        """What the module's own calls give for a parameter."""
        if function is None:
            return []
        taken = [each.arg for each in function.args.args if each.arg != "self"]
        found: list[tuple[ast.expr, Function | None]] = []
        for call in (each for each in self.calls if _called(each) == function.name):
            given = dict(zip(taken, call.args, strict=False)) | {k.arg: k.value for k in call.keywords}
            found += [(given[name], self.within.get(id(call)))] if name in given else []
        return found


def _bound(name: str, where: ast.AST | None) -> list[ast.expr]:
    """What is assigned to a name."""
    found: list[ast.expr] = []
    for node in ast.walk(where) if where is not None else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            found += [node.value] if node.value else []
        elif isinstance(node, ast.Assign):
            found += [each for target in node.targets for each in _matched(target, node.value, name)]
    return found


def _matched(target: ast.expr, value: ast.expr, name: str) -> list[ast.expr]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return [found for part, each in pairs for found in _matched(part, each, name)]
    return [value] if isinstance(target, ast.Name) and target.id == name else []


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _tables() -> Iterator[Found]:
    """What codes are called."""
    yield from (("words", text) for family in WORDS.values() for text in family.values())
    yield from (("words", plain(code)) for code in (*Purpose, *MemberType))
    yield from (("words", text) for text in problems.TITLES.values())
    unsound = (*link_words.UNSOUND.values(), *link_words.UNSOUND_KINDS.values(), link_words.NO_SOUND_NODE)
    yield from (("links", text) for text in (*link_words.LINK.values(), *unsound))
    yield from (("kinds", text) for kind in KINDS.values() for text in (kind.name, kind.about, plain(kind.family)))
    yield from (("fields", kind.name) for kind in IDENTIFIERS.values())
    yield from (("refusals", reach) for reach in Reach)
    yield from (("refusals", each.fix) for each in FIELD_TYPES.values() if "{" not in each.fix)
    bare = (each for each in vars(problems).values() if isinstance(each, problems.Problem))
    yield from (("refusals", text) for each in bare for text in (each.detail, each.fix) if text)
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
    called = {id(each.func) for each in ast.walk(part) if isinstance(each, ast.Call)}
    names = [each for each in ast.walk(part) if isinstance(each, ast.Name | ast.Attribute) and id(each) not in called]
    return f"%({names[0].attr if isinstance(names[0], ast.Attribute) else names[0].id})s"


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
