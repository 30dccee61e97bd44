"""A form that was refused is shown again: its own page, with all that was written in it and the refusal beside it.

The page is the nearest address above the one that the form was sent to that has such a form; it is asked for anew, as
the same person, by the same way as any page. So what is shown is what they may see now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Send

from rilon.errors import RilonError
from rilon.web.faults import Fault, faults
from rilon.web.filling import Form, fill

SENT: Final = "rilon.sent"
"""Where a request keeps its form."""
_TARGET: Final = re.compile(rb"[a-z]+#([A-Za-z0-9_-]+)")
_OF_THE_BODY: Final = frozenset({b"content-type", b"content-length", b"hx-request", b"hx-target", b"hx-source"})


@dataclass(slots=True)
class Sent:
    """A form that was sent.

    Attributes:
        action: where to. form: its values, once they were read. error, status: what it was refused with.
        back: whether it stands in a page again.
    """

    action: str
    form: Form = field(default_factory=dict)
    error: RilonError | None = None
    status: int = 0
    back: bool = False

    def into(self, page: str, notice: Callable[[list[Fault]], str]) -> str:
        """A page with this form in it, if it has such a form."""
        found = fill(page, self.action, self.form, faults(self.error), notice)
        self.back = found is not None
        return found or page

    @property
    def written(self) -> list[str]:
        """What somebody wrote in words, for a page that has no form for it any more."""
        return [text for values in self.form.values() for text in values if " " in text.strip()]


def sent(scope: Mapping[str, Any]) -> Sent:
    """The form of a request; an empty one for what sends none."""
    found = scope.get(SENT)
    return found if isinstance(found, Sent) else Sent("")


def shown_again(app: ASGIApp) -> ASGIApp:
    """The application, whose refused forms come back."""

    async def asked(scope: Any, receive: Receive, send: Send) -> None:
        if scope.get("method") != "POST":
            await app(scope, receive, send)
            return
        form = scope[SENT] = Sent(scope["path"])
        fresh = dict(scope)
        held: list[Message] = []

        async def hold(message: Message) -> None:
            await (send(message) if form.error is None else _keep(held, message))

        await app(scope, receive, hold)
        for message in (held and await _page(app, fresh, form)) or held:
            await send(message)

    return asked


async def _page(app: ASGIApp, fresh: dict[str, Any], form: Sent) -> list[Message]:
    """The answers of the page that has the form; none when no page has it any more."""
    target = _TARGET.fullmatch(dict(fresh["headers"]).get(b"hx-target", b""))
    part = [(b"hx-reselect", b"#" + target[1])] if target else []  # of the page, htmx takes that part only
    for path in _above(form.action) if form.form else ():
        found: list[Any] = []
        await app(_get(fresh, path), _nothing, partial(_keep, found))
        if form.back:
            found[0]["headers"] = [*found[0]["headers"], *part]
            return found
    return []


def _above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _get(scope: dict[str, Any], path: str) -> Any:
    headers = [(name, value) for name, value in scope["headers"] if name not in _OF_THE_BODY]
    more = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    return {**scope, "state": {}, **more}


async def _keep(held: list[Message], message: Message) -> None:
    held.append(message)


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}
