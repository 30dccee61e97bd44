"""``rilon rules``: this Member's own law and policy, as its node applies it; drafted, tried, and signed by two."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit

from rilon.crypto import approval
from rilon.crypto.approval import book_digest
from rilon.domain.book_file import parse_book
from rilon.domain.rules import RuleBook
from rilon.errors import NotFoundError, ProofError, RefusedError
from rilon.node.commands.common import (
    Api,
    answer_json,
    api_options,
    confirm,
    json_option,
    key_option,
    note,
    say,
    table,
)
from rilon.node.commands.secret import passphrase_option, read_passphrase
from rilon.node.commands.show import VERDICTS, obliged, verdict, when
from rilon.node.signing import consented

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN = 20
"""So many changed cells are listed for people; ``--json`` tells them all."""


@click.group()
def rules() -> None:
    """Show the sharing rules; draft, try and sign new ones."""


@rules.command()
@click.option("--version", "number", type=int, metavar="N", help="An earlier book.  [default: the one in force]")
@click.option("--draft", is_flag=True, help="The draft that waits for its signatures.")
@api_options
@json_option
def show(api: Api, number: int | None, draft: bool, as_json: bool) -> None:
    """Show a rule book, in sentences."""
    found = _waiting(api) if draft else _book(api, number)
    if as_json:
        answer_json(found)
        return
    book = found["book"]
    say(f"Rule book {book['version']} of {book['member'].upper()}: the most restrictive rule wins, none means ask.")
    for agreement in book["agreements"]:
        parties = ", ".join(sorted(p.upper() for p in agreement["parties"]))
        say("", f"Agreement {agreement['id']}: {agreement['name']}, between {parties}{_dates(agreement)}")
    for rule in book["rules"]:
        basis = " ".join(filter(None, (rule["basis"], rule["article"])))
        cited = f" [{basis}]" if basis else ""
        say("", f"{rule['id']}: {VERDICTS[rule['effect']]}. {rule['because']}{cited}")
        say(f"  when {_when(rule['when'])}{_dates(rule)}")
        say(*(f"  {words}" for words in obliged(rule["obliges"])))
    if draft:
        note("", f"Put up by {found['by'][:8]}…; signed by {len(found['signed_by'])} of 2.")


@rules.command()
@click.option("--version", "number", type=int, metavar="N", help="An earlier book.  [default: the one in force]")
@api_options
def export(api: Api, number: int | None) -> None:
    """Write a rule book as a file (TOML), which `rilon rules draft` reads again."""
    click.echo(_book(api, number)["text"], nl=False)


@rules.command()
@click.argument("file", type=_FILE)
@api_options
@json_option
def check(api: Api, file: Path, as_json: bool) -> None:
    """Say what is wrong with the rules of FILE, each with its line; nothing is stored."""
    found = api.send("POST", "rules/check", {"text": _text(file)})
    if as_json:
        answer_json(found)
    for problem in () if as_json else found["problems"]:
        say(f"{problem['detail']} [{problem['code']}]", *((f"  → {problem['fix']}",) if problem["fix"] else ()))
    if found["problems"]:
        raise Exit(1)
    note("Nothing is wrong with it.")


@rules.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True, help="How far back.")
@api_options
@json_option
def simulate(api: Api, file: Path | None, days: int, as_json: bool) -> None:
    """Try the draft that waits, or the rules of FILE, on past disclosures."""
    since = (datetime.now(UTC) - timedelta(days=days)).isoformat()  # noqa: TID251  a person's command, no decision
    with _draft_waits():
        found = api.send("POST", "rules/simulate", {"since": since, "text": _text(file) if file else None})
    if as_json:
        answer_json(found)
        return
    say(f"Of {found['disclosures']} disclosures {found['changed']} would change.")
    if found["erased"]:
        note(f"{found['erased']} could not be judged again: their marks are erased.")
    columns = ("WHEN", "ITEM", "TO", "SECTION", "WAS", "WAS UNDER", "WOULD BE", "WOULD BE UNDER", "BY")
    rows = [
        (
            when(c["at"]),
            c["item"],
            c["recipient"].upper(),
            c["sensitivity"],
            verdict(c["before"], c["approvers_before"]),
            " ".join(obliged(c["obliges_before"])),
            verdict(c["after"], c["approvers"]),
            " ".join(obliged(c["obliges"])),
            ", ".join(c["rules"]),
        )
        for c in found["cells"][:SHOWN]
    ]
    if rows:
        table(columns, rows, "")
    if (left := len(found["cells"]) + found["more"] - len(rows)) > 0:
        note(f"And {left} more cells; --json tells them.")


@rules.command()
@click.argument("file", type=_FILE)
@click.option("--after", type=int, help="The version it was written from.  [default: the one in force]")
@key_option
@api_options
def draft(api: Api, file: Path, after: int | None, key: str | None) -> None:
    """Put the rules of FILE (TOML) up as the next book; two focal points then sign it."""
    api.post("rules/draft", {"text": _text(file), "after": after}, key=key)
    note("It waits for two signatures: rilon rules sign. Try it before: rilon rules simulate.")


@rules.command()
@click.option(
    "--approval-key",
    "key_file",
    type=_FILE,
    envvar="RILON_APPROVAL_KEY",
    help="Your approval key (rilon officer enrol-key).",
)
@passphrase_option
@click.option("--yes", is_flag=True, help="Sign without being asked, having looked before.")
@key_option
@api_options
def sign(api: Api, key_file: Path | None, passphrase_file: Path | None, yes: bool, key: str | None) -> None:
    """Look at the draft and sign it; the second focal point's signature puts it in force."""
    book = proved(_waiting(api))
    note(*(f"  {line}" for line in _difference(_in_force(api), book)))
    if key_file is None:
        fix = "Make one: rilon officer enrol-key. Then give --approval-key, or set RILON_APPROVAL_KEY."
        raise RefusedError("approval.no-key", "No approval key is given.", fix=fix)
    confirm(f"Sign rule book {book.version}?", "--yes", given=yes)
    own = approval.unlock(key_file.read_bytes(), read_passphrase(passphrase_file, "Passphrase of your approval key"))
    body = {"draft": base64.b64encode(book.digest).decode(), "approval": consented(book_digest(book.digest), own)}
    signed = api.post("rules/draft/signature", body, key=key)
    published = signed["outcome"] == "published"
    note(f"Rule book {book.version} is in force." if published else "Signed. It waits for a second, different person.")


@rules.command()
@key_option
@api_options
def drop(api: Api, key: str | None) -> None:
    """Take the draft back."""
    with _draft_waits():
        api.send("DELETE", "rules/draft", key=key)
    note("Nothing waits to be signed.")


@rules.command("end-agreement")
@click.argument("agreement")
@key_option
@api_options
def end_agreement(api: Api, agreement: str, key: str | None) -> None:
    """Say that an agreement has ended: from now on nothing is allowed by it, nor what waits."""
    with _here("rulebook.no-agreement", "The rule book has no such agreement.", "`rilon rules show` names them all."):
        api.post(f"rules/agreements/{agreement}/end", key=key)
    note(f"{agreement} has ended; nothing is allowed by it any more.")


def proved(found: dict[str, Any]) -> RuleBook:
    """The book that a file holds, read here: what is signed is what was shown.

    Raises:
        ProofError: ``rules.digest``: the node names another book than it shows.
    """
    book = parse_book(found["text"].encode(), found["book"]["member"], found["book"]["version"])
    if base64.b64encode(book.digest).decode() != found["digest"]:
        raise ProofError("rules.digest", "The node shows another rule book than it names.")
    return book


@contextmanager
def _here(code: str, message: str, fix: str) -> Iterator[None]:
    """Say what is not there: a node's "not found" names nothing, but a rule book is no secret to who may write it."""
    try:
        yield
    except NotFoundError:
        raise RefusedError(code, message, fix=fix) from None


def _draft_waits() -> AbstractContextManager[None]:
    return _here("rulebook.no-draft", "No rule book waits to be signed.", "Put one up: rilon rules draft FILE.")


def _waiting(api: Api) -> Any:
    with _draft_waits():
        return api.get("rules/draft")


def _book(api: Api, number: int | None) -> Any:
    return api.get("rules") if number is None else api.get("rules", version=number)


def _in_force(api: Api) -> RuleBook:
    return proved(_book(api, None))


def _difference(old: RuleBook, new: RuleBook) -> list[str]:
    """What a draft changes, a line each."""
    lines: list[str] = []
    named: tuple[tuple[str, Callable[[RuleBook], Any]], ...] = (
        ("law", lambda b: b.laws),
        ("agreement", lambda b: b.agreements),
        ("rule", lambda b: b.rules),
    )
    for what, of in named:
        before, after = {p.id: p for p in of(old)}, {p.id: p for p in of(new)}
        lines += [f"+ {what} {i}" for i in after if i not in before]
        lines += [f"- {what} {i}" for i in before if i not in after]
        lines += [f"~ {what} {i}" for i in after if i in before and after[i] != before[i]]
    return lines or ["Nothing changes."]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is no text.") from None


def _when(found: dict[str, Any]) -> str:
    given = [f"{name} {', '.join(sorted(values))}" for name, values in found.items() if values]
    return "; ".join(given) or "always"


def _dates(found: dict[str, Any]) -> str:
    first, last, ended = (found.get(name) for name in ("valid_from", "valid_until", "ended_at"))
    words = (f"from {first}" if first else "", f"until {last}" if last else "", f"ended {when(ended)}" if ended else "")
    told = ", ".join(filter(None, words))
    return f" ({told})" if told else ""
