"""Every page that one can go to is looked at in a browser, as ``Person.look`` does: large, small, dark, in Urdu."""

from __future__ import annotations

import re
from pathlib import Path

from litestar.response import Redirect, Stream

from rilon.web.app import HANDLERS

BROWSER = Path(__file__).parents[2] / "browser"
LOOKED = {
    "/sign-in": "sign-in",
    "/join": "join",
    "/me": "account",
    "/me/notices": "notices",
    "/inbox": "inbox",
    "/items/{origin:str}/{item:uuid}": "alert",
    "/items/{origin:str}/{item:uuid}/why": "why",
    "/new": "new-alert",
    "/outbox": "outbox",
    "/offline": "offline",
    "/may-i-share": "may-i-share-answer",
    "/explained": "explained",
    "/approvals": "approvals",
    "/approvals/{item:uuid}": "approval",
    "/deliveries": "deliveries",
    "/network": "network",
    "/network/{member:str}": "peer",
    "/network/{member:str}/frozen": "frozen",
    "/people": "people",
    "/people/new": "newcomer",
    "/people/{officer:uuid}": "person",
    "/rules": "rules",
    "/rules/draft": "rules-wrong",
    "/circles": "circles",
    "/circles/new": "charter",
    "/circles/{circle:str}": "circle",
    "/circles/{circle:str}/change": "charter-changed",
    "/teams": "teams",
    "/learn": "learn",
    "/help": "help",
    "/keys": "keys",
    "/past": "past",
    "/pictures/map": "map",
    "/pictures/trend": "trend",
    "/pictures/times": "times",
    "/pictures/network": "links-over-time",
    "/pictures/links": "charts",
    "/pictures/links/{origin:str}/{item:uuid}": "chart",
}
"""By route, the name under which a browser test keeps its pictures."""
NO_PAGE = {
    "/outbox/key": "told to the program of the pages",
    "/sw.js": "the browser's own part",
    "/provider/back": "where a national provider sends one back, who is led on",
    "/live": "a stream",
    "/static/{name:str}": "assets",
}


def pages() -> set[str]:
    """The routes that a person opens in a window: no files, no streams, nothing that leads on to another."""
    read = [handler for handler in HANDLERS if "GET" in handler.http_methods]
    told = [h for h in read if h.fn.__annotations__.get("return") not in {Redirect.__name__, Stream.__name__}]
    return {path for handler in told for path in handler.paths if not path.endswith((".csv", ".jsonl"))} - set(NO_PAGE)


def test_every_page_is_looked_at_by_a_browser_test() -> None:
    assert pages() == set(LOOKED)
    tests = "".join(path.read_text("utf-8") for path in BROWSER.glob("test_*.py"))
    kept = set(re.findall(r'(?:\.look\(|look=)"([a-z-]+)"', tests))
    assert set(LOOKED.values()) - kept == set()
