"""``rilon approve``: look at what would leave, be sure that it is all, and sign it with a key that stays here.

The node is not asked whether the list is complete, or what a section is: ``rilon.node.signing`` proves both from the
very body that is signed. The private key never leaves this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import rich_click as click

from rilon.api.shapes import CellShown, WaitingShown
from rilon.crypto.release import Grant
from rilon.domain.conditions import Conditions
from rilon.domain.members import MEMBERS
from rilon.node.commands.alerts import words_of
from rilon.node.commands.common import Api, answer_json, api_options, confirm, json_option, key_option, note
from rilon.node.commands.items import ITEM, Ref
from rilon.node.commands.secret import approval_key_option, given_key, passphrase_option, unlock_approval_key
from rilon.node.commands.show import show_queue
from rilon.node.signing import proved, read_waiting, signed

_READERS = {"entitled": "everybody whom that node entitles"}
_TOLD = {
    ("approve", "released"): "Signed. It is released.",
    ("approve", "waiting"): "Signed. It waits for a second, different person.",
    ("cut", "waiting"): "Cut. What is left waits to be looked at and signed anew.",
    ("return", "returned"): "Given back to its author.",
    ("refuse", "refused"): "Refused.",
    ("review", "reviewed"): "Reviewed.",
}


@click.command()
@click.argument("item", type=ITEM, required=False)
@click.option("--cut", "cuts", multiple=True, metavar="MEMBER[:SECTION]", help="Let this not go; come to sign again.")
@click.option("--return", "comment", metavar="COMMENT", help="Give it back to its author (- reads stdin).")
@click.option("--refuse", "reason", metavar="REASON", help="Say no (- reads stdin).")
@click.option("--review", type=click.Choice(["sound", "unsound"]), help="Say whether a break-glass release was sound.")
@approval_key_option
@passphrase_option
@click.option("--yes", is_flag=True, help="Sign without being asked, having looked before.")
@key_option
@api_options
@json_option
def approve(
    api: Api,
    item: Ref | None,
    cuts: Sequence[str],
    comment: str | None,
    reason: str | None,
    review: str | None,
    key_file: Path | None,
    passphrase_file: Path | None,
    yes: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """List what waits for approval; sign, cut, return or refuse it.

    Without an ITEM it lists. With one it shows all that would leave, proves that it is all, and signs.
    """
    if sum(map(bool, (cuts, comment, reason, review))) > 1 or ((cuts or comment or reason or review) and not item):
        raise click.UsageError("Give an ITEM and one decision.")
    if item is None:
        found = api.get("approvals", limit=200)
        answer_json(found) if as_json else show_queue(found)
        return
    verb: str
    body: dict[str, object]
    if cuts:
        verb, body = "cut", {"keep": sorted(_kept(look(api, item), cuts))}
    elif comment or reason or review:
        verb, body = _spoken(comment, reason, review)
    else:
        verb, body = "approve", _signed(look(api, item), key_file, passphrase_file, yes)
    decided = api.post(f"approvals/{item.id}/{verb}", body, key=key)
    if as_json:
        answer_json(decided)
    else:
        note(_TOLD[verb, decided["outcome"]])


def look(api: Api, item: Ref) -> WaitingShown:
    """What waits of an item. Raises MalformedError ``approve.answer``."""
    return read_waiting(api.get(f"approvals/{item.id}"))


def show(shown: WaitingShown, grants: Sequence[Grant]) -> None:
    """Recipients, sections and conditions in words, on stderr: the answer is what becomes of it."""
    asked = shown.handling
    note(f"Item {shown.item}, version {shown.version}, by officer {shown.author[:8]}…, marked {asked.tlp} {asked.pap}")
    for grant in sorted(grants, key=lambda g: g.recipient):
        mine = [cell for cell in shown.cells if cell.recipient == grant.recipient]
        readers = ", ".join(_READERS.get(reader, reader) for reader in grant.readers)
        note("", f"{_named(grant.recipient)}, readers there: {readers}, would get:")
        for conditions in dict.fromkeys(cell.conditions for cell in mine):
            alike = [cell for cell in mine if cell.conditions == conditions]
            note(f"  {', '.join(cell.sensitivity for cell in alike)}")
            note(*(f"    {line}" for line in _conditions(conditions)), *(f"    {line}" for line in _reasons(alike)))
    number = "This grant is all there is" if len(grants) == 1 else f"These {len(grants)} grants are all there are"
    note("", f"{number}: what you sign is the root of exactly that.")
    left = shown.approvers - len(shown.signed_by)
    note(f"{shown.approvers} people must sign; {left} still have to." if left > 1 else "Your signature releases it.")


def _signed(shown: WaitingShown, key_file: Path | None, passphrase_file: Path | None, yes: bool) -> dict[str, object]:
    """The approval, made here: the key is opened only for what was proved and looked at."""
    body, grants = proved(shown)
    show(shown, grants)
    given = given_key(key_file)
    confirm("Sign this?", "--yes", given=yes)
    return {"approval": signed(body, unlock_approval_key(given, passphrase_file))}


def _spoken(comment: str | None, reason: str | None, review: str | None) -> tuple[str, dict[str, object]]:
    if comment:
        return "return", {"comment": words_of(comment, "Comment", "--return")}
    if reason:
        return "refuse", {"reason": words_of(reason, "Reason", "--refuse")}
    return "review", {"sound": review == "sound"}


def _kept(shown: WaitingShown, cuts: Iterable[str]) -> set[tuple[str, str]]:
    """The cells that are left. Raises UsageError: a cut names none of them."""
    left = {(cell.recipient, str(cell.sensitivity)) for cell in shown.cells}
    for cut in cuts:
        member, _, section = cut.lower().partition(":")
        gone = {cell for cell in left if cell[0] == member and section in {"", cell[1]}}
        if not gone:
            raise click.UsageError(f"Nothing that waits is “{cut}”.")
        left -= gone
    return left


def _named(member: str) -> str:
    found = MEMBERS.get(member)
    return f"{found.name} ({member.upper()})" if found else member.upper()


def _conditions(found: Conditions | None) -> list[str]:
    """The conditions that were proved to be those of the grant."""
    if found is None:
        return []
    return [
        f"until: {found.until:%Y-%m-%d %H:%M}Z",
        f"for: {', '.join(found.purposes) or 'any purpose'}",
        f"onward sharing: {_answer(found.onward)}; use in court: {_answer(found.court)}",
        *(f"added by a rule: {caveat}" for caveat in found.caveats),
    ]


def _answer(condition: str) -> str:
    return {"ask": "only after asking us", "yes": "allowed"}.get(condition, "never")


def _reasons(cells: Iterable[CellShown]) -> list[str]:
    deciding = (f for cell in cells for f in cell.findings if f.effect is cell.effect)
    return list(dict.fromkeys(f"why: {f.because}" + (f" [{f.basis}]" if f.basis else "") for f in deciding))
