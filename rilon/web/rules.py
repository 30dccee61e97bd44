"""The rule book: what is in force and by which law; the next one, drafted, checked, tried on the past, signed by two.

A focal point's signature is their passkey's, over the digest of exactly the book that was shown. One alone may say that
an agreement has ended, because that can only make the book stricter.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.rules_desk import BookDraft
from rilon.app.unit import Done, Key
from rilon.crypto.approval import book_digest
from rilon.domain.book_file import LIMIT_BYTES, format_book
from rilon.domain.permissions import Action, Caller
from rilon.domain.rules import Rule, RuleBook
from rilon.errors import InvalidError, MalformedError, NotFoundError
from rilon.front.services import Services
from rilon.web.bodies import hexed, one, read_form
from rilon.web.faults import each
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.signing import challenge, consent

PAGE: Final = 100
MAX_FORM_BYTES: Final = 3 * LIMIT_BYTES + 64 * 1024
"""A rule file at its largest, every character of it escaped."""
DAYS: Final = (30, 90, 365)
SHOWN: Final = 50
"""So many cells of a trial stand on the page."""
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong with a rule file: where, the line itself, what, and what to do."""

    line: int | None
    text: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Step:
    """A rule that a draft adds (``+``), takes out (``-``) or changes (``~``, as it is to read)."""

    sign: str
    rule: Rule


@get("/rules", opt=needs(Action.SEE_RULES))
async def book(request: AnyRequest, services: Node) -> Response[str]:
    """The book in force or an earlier one, rule by rule; and the draft that waits."""
    caller, query, rules = caller_of(request), request.query_params, services.rules
    current, version, start = await rules.current(caller), _number(query.get("version")), _number(query.get("from"))
    shown = await rules.version(caller, version) if version else current
    draft = await _waiting(services, caller)
    return page(
        request,
        services,
        "rules.html",
        book=shown,
        current=current,
        rules=shown.rules[start : start + PAGE],
        start=start,
        following=start + PAGE if start + PAGE < len(shown.rules) else None,
        conditions=conditions,
        agreements=[(a, a.span[1] <= services.clock.now()) for a in shown.agreements],
        **await _asked(services, caller, current, draft),
        once=secrets.token_hex(16),
    )


@get("/rules/draft", opt=needs(Action.PUBLISH_RULES))
async def write(request: AnyRequest, services: Node) -> Response[str]:
    """The book in force, or the draft that waits, as a file to write on."""
    caller = caller_of(request)
    draft = await _waiting(services, caller)
    current = await services.rules.current(caller)
    return _draft(request, services, format_book(draft.book if draft else current), current.version)


@post("/rules/check", status_code=200, opt=needs(Action.PUBLISH_RULES), request_max_body_size=MAX_FORM_BYTES)
async def check(request: AnyRequest, services: Node) -> Response[str]:
    """Look through a rule file; nothing is stored."""
    text, after, _ = await _written(request)
    try:
        found: list[Any] = list(await services.rules.check(caller_of(request), text.encode()))
    except (InvalidError, MalformedError) as error:
        found = each(error)
    return _draft(request, services, text, after, wrong=_wrong(text, found), sound=not found)


@post("/rules/try", status_code=200, opt=needs(Action.PUBLISH_RULES), request_max_body_size=MAX_FORM_BYTES)
async def try_(request: AnyRequest, services: Node) -> Response[str]:
    """Try a rule file on what was disclosed of late; nothing is stored."""
    text, after, days = await _written(request)
    since = services.clock.now() - timedelta(days=days)
    try:
        tried = await services.rules.simulate(caller_of(request), text.encode(), since)
    except (InvalidError, MalformedError) as error:
        return _draft(request, services, text, after, wrong=_wrong(text, each(error)), days=days)
    return _draft(request, services, text, after, tried=tried, days=days)


@post("/rules/draft", status_code=303, opt=needs(Action.PUBLISH_RULES), request_max_body_size=MAX_FORM_BYTES)
async def put_up(request: AnyRequest, services: Node) -> Response[Any]:
    """Put a rule file up as the next book, to be signed by two."""
    form, caller = await read_form(request), caller_of(request)
    text, after = one(form, "text"), _number(one(form, "after"))
    try:
        done = await services.rules.draft(caller, text.encode(), after, _key(services, request, form, text))
    except (InvalidError, MalformedError) as error:
        return _draft(request, services, text, after, wrong=_wrong(text, each(error)), status=error.status)
    return await _done(services, done, "drafted")


@post("/rules/sign", status_code=303, opt=needs(Action.PUBLISH_RULES))
async def sign(request: AnyRequest, services: Node) -> Redirect:
    """Sign the draft that was shown; the second person's signature puts it in force."""
    form, caller = await read_form(request), caller_of(request)
    draft, signed = hexed(form, "draft"), await consent(services, caller, form)
    done = await services.rules.sign(caller, draft, signed, _key(services, request, form, signed.hex()))
    return await _done(services, done, done.answer.decode())


@post("/rules/drop", status_code=303, opt=needs(Action.PUBLISH_RULES))
async def drop(request: AnyRequest, services: Node) -> Redirect:
    """Take the draft back."""
    await read_form(request)
    return await _done(services, await services.rules.drop(caller_of(request)), "dropped")


@post("/rules/agreements/{agreement:str}/end", status_code=303, opt=needs(Action.PUBLISH_RULES))
async def end_agreement(agreement: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Say that an agreement has ended: from now on nothing is allowed by it."""
    form = await read_form(request)
    key = _key(services, request, form)
    return await _done(services, await services.rules.end_agreement(caller_of(request), agreement, key), "ended")


def conditions(rule: Rule) -> list[tuple[str, list[str]]]:
    """What a rule is about: each condition with its codes."""
    every = ((name, getattr(rule.when, name)) for name in rule.when.__struct_fields__)
    return [(name, sorted(map(str, values))) for name, values in every if values]


def steps(old: RuleBook, new: RuleBook) -> list[Step]:
    """What a draft makes of the rules in force, in its own order, what is gone last."""
    had, has = {r.id: r for r in old.rules}, {r.id for r in new.rules}
    made = [Step("~" if r.id in had else "+", r) for r in new.rules if had.get(r.id) != r]
    return made + [Step("-", r) for r in old.rules if r.id not in has]


async def _waiting(services: Services, caller: Caller) -> BookDraft | None:
    try:
        return await services.rules.waiting(caller)
    except NotFoundError:
        return None


async def _asked(services: Services, caller: Caller, current: RuleBook, draft: BookDraft | None) -> dict[str, Any]:
    """What is shown of the draft, and what the caller's passkey is asked to sign."""
    if draft is None:
        return {"draft": None}
    people = [UUID(hex=ref) for ref in dict.fromkeys((draft.by, *draft.signed_by))]
    signs = caller.may(Action.PUBLISH_RULES) and caller.ref not in draft.signed_by
    return {
        "draft": draft.book,
        "digest": draft.book.digest.hex(),
        "by": UUID(hex=draft.by),
        "signed_by": [UUID(hex=ref) for ref in draft.signed_by],
        "signed": caller.ref in draft.signed_by,
        "names": await services.membership.names(caller, people),
        "steps": steps(current, draft.book),
        "challenge": await challenge(services, caller, book_digest(draft.book.digest)) if signs else None,
    }


async def _written(request: AnyRequest) -> tuple[str, int, int]:
    """The file, the version it was written from, and on how many days of the past it is tried."""
    form = await read_form(request)
    days = _number(one(form, "days"))
    return one(form, "text"), _number(one(form, "after")), days if days in DAYS else DAYS[0]


def _draft(
    request: AnyRequest, services: Services, text: str, after: int, *, status: int = 200, **more: Any
) -> Response[str]:
    given = {"wrong": [], "sound": False, "tried": None, "days": DAYS[0], "once": secrets.token_hex(16)} | more
    given |= {"text": text, "after": after, "choices": DAYS, "most": SHOWN}
    return page(request, services, "rules-draft.html", status=status, **given)


def _wrong(text: str, problems: list[Any]) -> list[Wrong]:
    """Problems with the line each stands in."""
    lines = text.split("\n")
    found = []
    for problem in problems:
        number = _number((problem.field or "").removeprefix("line "))
        shown = lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""
        found.append(Wrong(number or None, shown, problem.message, problem.fix))
    return found


def _number(text: str | None) -> int:
    """A number that the page gave; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _key(services: Services, request: AnyRequest, form: dict[str, list[str]], meaning: str = "") -> Key:
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning.encode())


async def _done(services: Services, done: Done, what: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(f"/rules?done={what}", status_code=303)


HANDLERS = (book, write, check, try_, put_up, sign, drop, end_agreement)
