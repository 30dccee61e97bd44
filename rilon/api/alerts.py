"""Alerts of this node: preview, post, correct, withdraw, close."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.requests import reads
from rilon.api.shapes import Closing, Placed, PreviewShown, Withdrawal, placed, show_preview
from rilon.app.disclosure_desk import Outcome
from rilon.app.drafts import AlertDraft
from rilon.domain.permissions import Action
from rilon.domain.values import Value


class PreviewQuery(Value, frozen=True, kw_only=True):
    """What a draft would be.

    Attributes:
        corrects: the alert of ours that it would be a correction of.
    """

    corrects: UUID | None = None


@post("/alerts/preview", status_code=200, opt=needs(Action.PREVIEW), dependencies={"asked": reads(PreviewQuery)})
async def preview(
    data: JSONBody[AlertDraft], asked: NamedDependency[PreviewQuery], caller: Asking, services: Node
) -> PreviewShown:
    """Say what would happen to a draft: every recipient, every section, every rule that speaks. Nothing is stored."""
    return show_preview(await services.alerts.preview(caller, data, asked.corrects))


@post("/alerts", opt=needs(Action.POST))
async def post_alert(data: JSONBody[AlertDraft], caller: Asking, services: Node, key: Once) -> Placed:
    """Post an alert. What the rules allow leaves at once; what they ask waits for approval."""
    return placed(await services.alerts.post(caller, data, key))


@put("/alerts/{item:uuid}", opt=needs(Action.CORRECT))
async def correct_alert(
    item: FromPath[UUID], data: JSONBody[AlertDraft], caller: Asking, services: Node, key: Once
) -> Placed:
    """Replace what an alert says by a new version; every holder learns at once that the old one is superseded."""
    return placed(await services.alerts.correct(caller, item, data, key))


@post("/alerts/{item:uuid}/admit", status_code=200, opt=needs(Action.CORRECT))
async def admit(item: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Give an item of a circle to members who joined since, if the chair has admitted them to older items."""
    return placed(await services.alerts.admit(caller, item, key))


@post("/alerts/{item:uuid}/withdraw", status_code=200, opt=needs(Action.WITHDRAW))
async def withdraw_alert(
    item: FromPath[UUID], data: JSONBody[Withdrawal], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take an alert back; every holder marks it withdrawn. The reason stays here."""
    return placed(await services.alerts.withdraw(caller, item, data.reason, key))


@post("/alerts/{item:uuid}/close", status_code=200, opt=needs(Action.WITHDRAW))
async def close_alert(
    item: FromPath[UUID], data: JSONBody[Closing], caller: Asking, services: Node, key: Once
) -> Placed:
    """End an alert's work with an outcome code."""
    return placed(await services.alerts.close(caller, item, data.outcome, key))


@get("/alerts/{item:uuid}/disclosure", opt=needs(Action.POST))
async def read_disclosure(item: FromPath[UUID], caller: Asking, services: Node) -> Outcome:
    """Tell the author what became of it: waiting, released, or returned with these words."""
    return await services.disclosures.outcome(caller, item)


HANDLERS = (preview, post_alert, correct_alert, admit, withdraw_alert, close_alert, read_disclosure)
