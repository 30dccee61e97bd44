"""``rilon may-i-share`` and ``rilon why``: the rules in words, for who would send and for who looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import rich_click as click

from rilon.domain.handling import Readers
from rilon.domain.rules import Consent
from rilon.domain.values import Sensitivity, Urgency
from rilon.node.commands.common import Api, answer_json, api_options, json_option, note, say
from rilon.node.commands.items import ITEM, Ref
from rilon.node.commands.show import obliged

_SAYS: Final = {"yes": "Yes", "yes_if": "Yes, if", "ask": "Ask", "no": "No"}
_WHOM: Final = {"focal_point": "your focal point", "two_approvers": "two approvers", "originator": "the originator"}
_LISTS: Final = ("caveats", "rel_to", "not_to", "no_origin_states", "purposes")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@click.command("may-i-share")
@click.option("--kind", metavar="KIND", help="Kind of alert, such as DOC-FRAUD.")
@click.option("--to", metavar="MEMBERS", help="To whom: th,id … or everyone.")
@click.option("--section", "sections", multiple=True, type=click.Choice([*map(str, Sensitivity)]), help="Which part.")
@click.option("--purpose", "purposes", multiple=True, metavar="PURPOSE", help="What for. May come several times.")
@click.option("--urgency", type=click.Choice([*map(str, Urgency)]), help="How fast to act.")
@click.option("--handling", multiple=True, metavar="MARK=TEXT", help="A mark, such as tlp=TLP:AMBER or not_to=mm,kh.")
@click.option("--readers", type=click.Choice([*map(str, Readers)]), help="Who may read it there.")
@click.option("--consent", type=click.Choice([*map(str, Consent)]), help="Of the victim or child it is about.")
@click.option("--again", metavar="REFERENCE", help="Give the answer of a reference again.")
@api_options
@json_option
def may_i_share(
    api: Api,
    kind: str | None,
    to: str | None,
    sections: Sequence[str],
    purposes: Sequence[str],
    urgency: str | None,
    handling: Sequence[str],
    readers: str | None,
    consent: str | None,
    again: str | None,
    as_json: bool,
) -> None:
    """Ask whether something may be shared, without any case data.

    The answer names the law of every finding, and what would change it.
    """
    if again:
        found = api.send("POST", "explanations", {"reference": again})["share"]
    elif not (kind and to):
        raise click.UsageError("Give --kind and --to, or --again.")
    else:
        given = {"urgency": urgency, "readers": readers, "consent": consent}
        body = {name: value for name, value in given.items() if value} | _marks(handling) | _audience(to)
        body |= {"kind": kind, "sections": sections, "purposes": purposes}
        found = api.send("POST", "may-i-share", body)
    answer_json(found) if as_json else _show(found)


@click.command()
@click.argument("item", type=ITEM, required=False)
@click.option("--again", metavar="REFERENCE", help="Give the answer of a reference again.")
@api_options
@json_option
def why(api: Api, item: Ref | None, again: str | None, as_json: bool) -> None:
    """Ask why you see an item, or not all of it.

    One that is not there is answered like one that is for others.
    """
    if again:
        found = api.send("POST", "explanations", {"reference": again})["sight"]
    elif item is None:
        raise click.UsageError("Give an ITEM, or --again.")
    else:
        found = api.get(f"items/{item.origin or api.get('me')['member']}/{item.id}/why")
    if as_json:
        answer_json(found)
        return
    for section in found["sections"]:
        say(f"{section['sensitivity']}: {'yes' if section['seen'] else 'no'}")
        say(
            *(
                " ".join([f"  {f['because']}{' → ' + f['fix'] if f['fix'] else ''}", *obliged(f["obliges"])])
                for f in section["findings"]
            )
        )
    note("", found["reference"])


def _show(found: dict[str, Any]) -> None:
    say(f"{_SAYS[found['says']]}.")
    told: dict[tuple[str, ...], list[str]] = {}
    for cell in found["cells"]:
        asks = " and ".join(_WHOM.get(who, who) for who in cell["asks"])
        head = _SAYS[cell["says"]] + (f" {asks}" if asks else "")
        reasons = [_reason(f) for f in cell["findings"]] + [f"  if: {c['because']}" for c in cell["conditions"]]
        told.setdefault((head, *reasons), []).append(f"{cell['recipient'].upper()} {cell['sensitivity']}")
    for (head, *reasons), cells in told.items():
        say("", f"{head}: {', '.join(cells)}", *reasons)
    if found["better"]:
        say("", *(step["because"] for step in found["better"]))
    note("", f"Rule book {found['rulebook']}. This answer again: rilon may-i-share --again “{found['reference']}”")


def _reason(finding: dict[str, Any]) -> str:
    law = ", ".join(filter(None, (finding["law"], finding["article"])))
    cited = f" ({law})" if law else ""
    fix = f" → {finding['fix']}" if finding["fix"] else ""
    return " ".join([f"  {finding['because']}{cited} [{finding['rule']}]{fix}", *obliged(finding["obliges"])])


def _marks(handling: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in handling:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"“{text}” is not MARK=TEXT.")
        found[name] = value.split(",") if name in _LISTS else int(value) if _NUMBER.fullmatch(value) else value
    return found


def _audience(to: str) -> dict[str, Any]:
    names = [name.strip() for name in to.lower().split(",")]
    return {"everyone": "everyone" in names, "members": [n for n in names if n != "everyone"]}
