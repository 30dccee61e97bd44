"""The rule book of this Member: read, drafted, tried, signed."""

from __future__ import annotations

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.pages import BookQuery
from rilon.api.requests import MAX_RULES_BODY_BYTES, reads
from rilon.api.rule_shapes import (
    BookShown,
    DraftShown,
    RuleDraft,
    RuleFile,
    RulesChecked,
    RuleSignature,
    RulesSigned,
    RuleTrial,
    WrongShown,
)
from rilon.api.shapes import Recorded, recorded
from rilon.app.simulation import Simulation
from rilon.domain.book_file import format_book
from rilon.domain.permissions import Action
from rilon.domain.rules import RuleBook


def _shown(book: RuleBook) -> BookShown:
    return BookShown(book, format_book(book), book.digest)


@get("/rules", opt=needs(Action.SEE_RULES), dependencies={"asked": reads(BookQuery)})
async def read_rules(asked: NamedDependency[BookQuery], caller: Asking, services: Node) -> BookShown:
    """Show the book in force, or an earlier one; its ``text`` is the whole book as a file."""
    rules = services.rules
    wanted = rules.current(caller) if asked.version is None else rules.version(caller, asked.version)
    return _shown(await wanted)


@get("/rules/draft", opt=needs(Action.SEE_RULES))
async def read_rules_draft(caller: Asking, services: Node) -> DraftShown:
    """Show the draft that waits for its signatures."""
    found = await services.rules.waiting(caller)
    return DraftShown(found.book, format_book(found.book), found.book.digest, found.by, found.signed_by)


@post("/rules/check", opt=needs(Action.SEE_RULES), status_code=200, request_max_body_size=MAX_RULES_BODY_BYTES)
async def check_rules(data: JSONBody[RuleFile], caller: Asking, services: Node) -> RulesChecked:
    """Look through a rule file: every problem with its line. Nothing is stored."""
    wrong = await services.rules.check(caller, data.text.encode())
    return RulesChecked(tuple(WrongShown(p.code, p.message, p.field, p.fix) for p in wrong))


@post("/rules/draft", opt=needs(Action.PUBLISH_RULES), request_max_body_size=MAX_RULES_BODY_BYTES)
async def draft_rules(data: JSONBody[RuleDraft], caller: Asking, services: Node, key: Once) -> Recorded:
    """Put a rule file up as the next book; refused with everything that is wrong with it."""
    return recorded(await services.rules.draft(caller, data.text.encode(), data.after, key))


@post("/rules/draft/signature", opt=needs(Action.PUBLISH_RULES))
async def sign_rules(data: JSONBody[RuleSignature], caller: Asking, services: Node, key: Once) -> RulesSigned:
    """Sign the draft with one's own approval key; the second person's signature puts it in force."""
    done = await services.rules.sign(caller, data.draft, data.approval, key)
    return RulesSigned(done.answer.decode(), done.position, done.repeated)


@delete("/rules/draft", opt=needs(Action.PUBLISH_RULES), status_code=200)
async def drop_rules(caller: Asking, services: Node, key: Once) -> Recorded:
    """Take the draft back."""
    return recorded(await services.rules.drop(caller, key))


@post("/rules/simulate", opt=needs(Action.PUBLISH_RULES), status_code=200, request_max_body_size=MAX_RULES_BODY_BYTES)
async def simulate_rules(data: JSONBody[RuleTrial], caller: Asking, services: Node) -> Simulation:
    """Try a rule file, or the draft that waits, on past disclosures: how many would change, which, and how."""
    text = None if data.text is None else data.text.encode()
    return await services.rules.simulate(caller, text, data.since, data.until)


@post("/rules/agreements/{agreement:str}/end", opt=needs(Action.PUBLISH_RULES))
async def end_agreement(agreement: FromPath[str], caller: Asking, services: Node, key: Once) -> Recorded:
    """Say that an agreement has ended: from now on nothing is allowed by it, nor what waits."""
    return recorded(await services.rules.end_agreement(caller, agreement, key))


HANDLERS = (
    read_rules,
    read_rules_draft,
    check_rules,
    draft_rules,
    sign_rules,
    drop_rules,
    simulate_rules,
    end_agreement,
)
