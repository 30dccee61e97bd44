"""``rilon notices``: how you are reached outside the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import rich_click as click

from rilon.app.notices import About
from rilon.domain.kinds import KINDS
from rilon.domain.reach import Clock, Digest
from rilon.domain.values import Urgency
from rilon.node.commands.common import Api, answer_json, api_options, json_option, key_option, note, say


@click.group()
def notices() -> None:
    """Say how you are told outside the pages that something came."""


@notices.command()
@api_options
@json_option
def show(api: Api, as_json: bool) -> None:
    """Show how you are reached."""
    found = api.get("me/reach")
    if as_json:
        answer_json(found)
        return
    plan = found["plan"]
    if plan is None:
        note("You are not reached outside the pages: rilon notices set.")
    else:
        say(*_told(plan))
    note(f"This node sends by: {', '.join(found['ways']) or 'no way; its administrator can set one up'}.")


@notices.command("set")
@click.option("--mail", metavar="ADDRESS", help="Where mail goes; an empty one takes it away.")
@click.option("--phone", metavar="NUMBER", help="Which telephone rings: +66 and so on; an empty one takes it away.")
@click.option("--at-once", "at_once", multiple=True, type=click.Choice([*map(str, Urgency)]), help="Do not wait.")
@click.option("--digest", type=click.Choice([*map(str, Digest)]), help="How often you hear of the rest.")
@click.option("--about", multiple=True, type=click.Choice([*map(str, About)]), help="Only of these; else of all.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(sorted(KINDS)), help="Only these kinds of item.")
@click.option("--quiet", metavar="FROM-TO", help="When nobody may wake you: 22:00-07:00; “none” for never.")
@click.option("--zone", metavar="ZONE", help="Your time zone: Asia/Bangkok.")
@click.option("--daily-at", metavar="TIME", help="When the daily digest comes: 07:00.")
@key_option
@api_options
def set_(api: Api, quiet: str | None, key: str | None, **given: Any) -> None:
    """Change how you are reached; what you do not name stays as it is."""
    plan = api.get("me/reach")["plan"] or {}
    plan |= {name: _plain(value) for name, value in given.items() if value is not None and value != ()}
    if given["daily_at"]:
        _clock(given["daily_at"], "Write the time of the daily digest as 07:00.")
    if quiet is not None:
        plan["quiet"] = _quiet(quiet)
    api.post("me/reach", plan, key=key)
    note("Set. Try it: rilon notices test.")


@notices.command()
@key_option
@api_options
def forget(api: Api, key: str | None) -> None:
    """Be reached no more outside the pages; your addresses are erased."""
    api.send("DELETE", "me/reach", key=key)
    note("Forgotten, and erased.")


@notices.command()
@api_options
def test(api: Api) -> None:
    """Send yourself a test by every way you chose."""
    note(f"Sent by {' and '.join(api.post('me/reach/test')['ways'])}.")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, tuple) else value


def _quiet(said: str) -> dict[str, str] | None:
    """Raises UsageError."""
    if said == "none":
        return None
    start, _, end = said.partition("-")
    start, end = (_clock(part.strip(), "Write quiet hours as 22:00-07:00, or none.") for part in (start, end))
    return {"start": start, "end": end}


def _clock(text: str, fix: str) -> Clock:
    """A time of day. Raises UsageError."""
    try:
        return msgspec.convert(text, Clock)
    except msgspec.ValidationError:
        raise click.UsageError(fix) from None


def _told(plan: dict[str, Any]) -> Sequence[str]:
    quiet = f"{plan['quiet']['start']}-{plan['quiet']['end']}" if plan["quiet"] else "none"
    facts = {
        "mail": plan["mail"] or "-",
        "phone": plan["phone"] or "-",
        "at once": ", ".join(sorted(plan["at_once"])) or "-",
        "digest": f"daily at {plan['daily_at']}" if plan["digest"] == Digest.DAILY else plan["digest"],
        "about": ", ".join(sorted(plan["about"])) or "everything",
        "kinds": ", ".join(sorted(plan["kinds"])) or "all",
        "quiet": f"{quiet} ({plan['zone']})",
    }
    return [f"{name:8} {value}" for name, value in facts.items()]
