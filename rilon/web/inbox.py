"""The inbox: what asks something of me, everything on the board, our own, and what is done; every row says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.response import Redirect

from rilon.app.tasks import Why
from rilon.domain.handling import Readers
from rilon.domain.kinds import KINDS
from rilon.domain.members import MEMBERS
from rilon.domain.permissions import Action, Caller
from rilon.front.services import Services
from rilon.front.views import BoardFilter, task_entries
from rilon.projections.approvals import Waiting
from rilon.projections.board import Entry
from rilon.web.language import _, gettext, mark
from rilon.web.render import AnyRequest, home, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.words import title

PAGE: Final = 50
TABS: Final = (
    ("mine", mark("For me")),
    ("team", mark("My team")),
    ("watching", mark("Watching")),
    ("all", mark("Everything")),
    ("ours", mark("Ours")),
    ("done", mark("Done")),
)
_TASKS: Final = frozenset({"team", "watching"})
_URGENT: Final = frozenset({"life_at_risk", "immediate"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line, ready to be shown.

    Attributes:
        why: a sentence that says why it stands here. mark: a chip's words and class.
    """

    href: str
    origin: str
    title: str
    kind: str
    urgency: str
    tlp: str
    at: datetime
    why: str
    state: str
    seen: bool

    @property
    def urgent(self) -> bool:
        """Whether it cannot wait."""
        return self.urgency in _URGENT and not self.seen


@get("/", opt=needs(Action.USE))
async def root(request: AnyRequest) -> Redirect:
    """The first page somebody may see."""
    return Redirect(home(caller_of(request)), status_code=303)


@get("/inbox", opt=needs(Action.READ_BOARD))
async def inbox(request: AnyRequest, services: Node) -> Response[str]:
    """The rows of a tab, newest first."""
    query, caller = request.query_params, caller_of(request)
    tab = query.get("tab", "mine") if query.get("tab") in dict(TABS) else "mine"
    words, family, origin = query.get("words", "")[:200].strip(), query.get("family", ""), query.get("origin", "")
    before = int(b) if (b := query.get("before", "")).isdecimal() and len(b) < 16 else None  # noqa: PLR2004
    wanted = _wanted(services, tab, words, family, origin)
    found = [] if tab in _TASKS else await services.views.board(caller, services.clock.now(), wanted, before, PAGE)
    rows = [of_entry(e, services, caller) for e in found if _belongs(tab, e)]
    whole = before is None and not (words or family or origin)
    waiting = await _to_decide(services, caller) if tab == "mine" and whole else []
    given = await _given(services, caller, tab, wanted) if tab in {"mine", *_TASKS} and before is None else []
    rows = given + [row for row in rows if row.href not in {each.href for each in given}]
    return page(
        request,
        services,
        "inbox.html",
        tab=tab,
        tabs=[(code, gettext(name)) for code, name in TABS],
        rows=waiting + rows,
        words=words,
        family=family,
        origin=origin,
        families=sorted({k.family for k in KINDS.values()}),
        members=sorted(MEMBERS.values(), key=lambda m: m.name),
        next=found[-1].position if len(found) == PAGE else None,
    )


async def _given(services: Services, caller: Caller, tab: str, wanted: BoardFilter) -> list[Row]:
    """What was given to this person or their team, or is watched; the board decides whether they see it."""
    found = await task_entries(services.views, services.tasks, caller, services.clock.now(), services.me, tab)
    asked = replace(wanted, own=None)
    rows = [(of_entry(entry, services, caller), why) for _, entry, why in found if asked.takes(entry)]
    names = {t.id: t.name or "" for t in await services.teams.all(caller)} if any(why.teams for _, why in rows) else {}
    return [replace(row, why=f"{_why(why, names)} {row.why}") for row, why in rows]


def _why(why: Why, names: Mapping[UUID, str]) -> str:
    said = [gettext("Given to you.")] if why.mine else []
    said += [_("Given to your team %(team)s.", team=names.get(team, team.hex[-6:])) for team in why.teams]
    return " ".join([*said, *([gettext("You watch it.")] if why.watching else [])])


def _wanted(services: Services, tab: str, words: str, family: str, origin: str) -> BoardFilter:
    found = services.summaries.find(words) if words else None
    me = services.me
    return BoardFilter(
        kinds=frozenset(c for c, k in KINDS.items() if k.family == family) if family else None,
        origins=frozenset({"" if origin == me else origin}) if origin else None,
        own={"mine": False, "ours": True}.get(tab),
        states=frozenset({"live"}) if tab == "mine" else None,
        places=None if found is None else frozenset(("" if o == me else o, i, v) for o, i, v in found),
    )


def _belongs(tab: str, entry: Entry) -> bool:
    over = entry.state != "live" or (not entry.own and entry.acknowledged)
    return {"mine": not over, "done": over}.get(tab, True)


async def _to_decide(services: Services, caller: Caller) -> list[Row]:
    """What waits for this person's signature or review."""
    if not caller.may(Action.DECIDE):
        return []
    queue = await services.views.queue(None, PAGE)
    return [of_waiting(w, services, caller) for w in queue if decides(caller, w)]


def decides(caller: Caller, waiting: Waiting) -> bool:
    """Whether this person has something to do with a line of the queue."""
    approval = waiting.approval
    if caller.ref == approval.author:
        return False
    review = approval.review_since is not None and caller.may(Action.REVIEW)
    return review or (approval.state == "waiting" and caller.ref not in approval.signed)


def of_waiting(waiting: Waiting, services: Services, caller: Caller) -> Row:
    """A line of the queue as a row."""
    approval = waiting.approval
    fields = services.summaries.get(services.me, approval.item, waiting.version)
    others = ", ".join(sorted({cell.partition(":")[0].upper() for cell in approval.cells}))
    why = _("Waits for your decision: %(members)s would get it.", members=others)
    if approval.asked and approval.state != "waiting" and approval.review_since is None:
        why = _("A holder asks for more of it.")
    elif approval.state != "waiting":
        why = _("Went out at once because a life is at risk; you review it.")
    elif approval.signed:
        why = _("One has signed, one more must: %(members)s would get it.", members=others)
    if approval.author == caller.ref:
        why = _("You wrote it; somebody else decides.")
    return Row(
        href=f"/approvals/{approval.item}",
        origin=services.me,
        title=title(fields, waiting.kind),
        kind=waiting.kind,
        urgency=waiting.urgency,
        tlp=waiting.tlp,
        at=approval.since,
        why=why,
        state="waiting" if approval.state == "waiting" else "review",
        seen=False,
    )


def of_entry(entry: Entry, services: Services, caller: Caller) -> Row:
    """A line of the board as a row."""
    origin = entry.origin or services.me
    fields = services.summaries.get(origin, entry.item, entry.summary_version)
    return Row(
        href=f"/items/{origin}/{entry.item}",
        origin=origin,
        title=title(fields, entry.kind),
        kind=entry.kind,
        urgency=entry.urgency,
        tlp=entry.tlp,
        at=entry.at,
        why=why_here(entry, caller),
        state="acknowledged" if entry.acknowledged and entry.state == "live" else entry.state,
        seen=entry.acknowledged or entry.state != "live",
    )


def why_here(entry: Entry, caller: Caller) -> str:
    """Why an item stands on this person's board."""
    if entry.own:
        return _("Posted by this node.")
    addressed = readers(entry.readers, caller)
    if entry.state == "withdrawn":
        return _("Taken back by its originator.")
    if entry.state == "superseded":
        return _("There is a newer version that is not for you.")
    if entry.acknowledged:
        return _("Sent to %(readers)s; acknowledged here.", readers=addressed)
    return _("New to us: sent to %(readers)s, and nobody here has acknowledged it.", readers=addressed)


def readers(codes: Sequence[str], caller: Caller) -> str:
    """Whom a grant names, as this person sees it."""
    if f"officer:{caller.ref}" in codes:
        return _("you by name")
    forms = {code.partition(":")[0] for code in codes}
    if Readers.ENTITLED in forms:
        return _("all officers of this node")
    return _("your desk") if "desk" in forms else _("your agency")


HANDLERS = (root, inbox)
