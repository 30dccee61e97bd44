"""How what the API tells is written for people: matrices, sections, times."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from rilon.domain.conditions import Obligations, in_words
from rilon.node.commands.common import note, say, table

_SIGNS: Final = {"up": ".", "behind": "-", "out_of_reach": "X", "unverified": "?", "frozen": "!", "revoked": "0"}
VERDICTS: Final = {"allow": "yes", "ask": "ask", "refuse": "no"}


def show_matrix(found: dict[str, Any]) -> None:
    """A preview: recipients x sections with the verdict, then every sentence that carries one."""
    if found["kind_before"]:
        say(f"It becomes another kind of alert: {found['kind_before']} -> {found['kind']}.", "")
    sections = found["sections"]
    cells = {(c["recipient"], c["sensitivity"]): c for c in found["cells"]}
    rows = [(r.upper(), *(_verdict(cells[r, s]) for s in sections)) for r in found["recipients"]]
    table(("TO", *(s.upper() for s in sections)), rows, "It is addressed to nobody who could get it.")
    for sentence, places in _sentences(found["cells"]).items():
        say("", sentence, f"  {', '.join(places)}")
    for conditions, places in _under(found["cells"]).items():
        say("", f"under: {conditions}", f"  {', '.join(places)}")
    note("", f"Judged by rule book {found['rulebook']}; marked {marks(found['handling'])}. Nothing was stored.")


def obliged(found: dict[str, Any] | None) -> list[str]:
    """What rules oblige to, a sentence each."""
    return [*in_words(msgspec.convert(found or {}, Obligations)).values()]


def show_section(opened: dict[str, Any]) -> None:
    """A section's fields."""
    say(f"{opened['kind']} of {opened['origin'].upper()}, version {opened['version']}, {opened['sensitivity']}")
    if opened["conditions"]:
        say(f"  {_conditions(opened['conditions'])}")
    _say_fields(opened["fields"])


def show_board(page: dict[str, Any], *, quiet: bool = False) -> None:
    """Rows of a board."""
    columns = ("WHEN", "FROM", "KIND", "URGENCY", "TLP", "STATE", "ITEM", *(() if quiet else ("TITLE",)))
    table(columns, [_board_row(row)[: len(columns)] for row in page["rows"]], "The board is empty.")
    _more(page)


_CONDITION = {"ask": "ask the originator", "no": "never", "yes": "allowed"}


def _conditions(found: dict[str, Any]) -> str:
    onward, court = _CONDITION[found["onward"]], _CONDITION[found["court"]]
    added = "".join(f"; {caveat}" for caveat in found["caveats"])
    until = when(found["until"])
    return f"for {_purposes(found)}, until {until}; sharing onward: {onward}; use in court: {court}{added}"


def _under(cells: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Conditions, and the cells that go under them."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell["conditions"]:
            found.setdefault(_conditions(cell["conditions"]), []).append(_place(cell))
    return found


def _openable(row: dict[str, Any]) -> dict[str, list[str]]:
    """Under what terms which sections of an item may be opened."""
    if row["own"]:
        return {f"for {_purposes(row)}": row["sensitivities"]}
    found: dict[str, list[str]] = {}
    for section in row["sensitivities"]:
        found.setdefault(_conditions(row["conditions"][section]), []).append(section)
    return found


def _place(cell: dict[str, Any]) -> str:
    return f"{cell['recipient'].upper()} {cell['sensitivity']}"


def _purposes(found: dict[str, Any]) -> str:
    return ", ".join(found["purposes"]) or "any purpose"


def show_item(row: dict[str, Any]) -> None:
    """One row of a board, with its opened summary."""
    say(f"{row['kind']} of {row['origin'].upper()}, version {row['version']}, {row['state']}")
    say(f"  {marks(row)}, {row['urgency']}, until {when(row['until'])}, basis {row['basis']}")
    say(f"  review {'was due' if row['review_due'] else 'due'} {when(row['review_at'])}")
    say(*(f"  you may open: {', '.join(sections)}; {terms}" for terms, sections in _openable(row).items()))
    say("  acknowledged" if row["acknowledged"] else "  not acknowledged")
    for clock in row["clocks"]:
        say(f"  {_clock(clock)}")
    _say_fields(row["summary"] or {})
    for said in row["answers"]:
        text = f": {said['text']}" if said["text"] else ""
        say(f"  answered {when(said['at'])} by {said['by'][:8]}…, {said['kind']}{text}")


def show_deliveries(found: list[dict[str, Any]]) -> None:
    """What became of every line about an item."""
    times = ("sent_at", "stored_at", "arrived_at", "opened_at", "acknowledged_at", "closed_at", "destroyed_at")
    columns = ("TO", "WHAT", "SECTIONS", "STATE", *(t[:-3].upper() for t in times), "WHY", "OPENINGS", "OWES")
    rows = [
        (
            d["recipient"].upper(),
            d["kind"],
            ",".join(d["sensitivities"]),
            d.get("recall") or d["state"],
            *(when(d.get(name)) for name in times),
            d.get("code", ""),
            ", ".join(_openings(d)),
            "; ".join(_clock(clock) for clock in d["clocks"]),
        )
        for d in found
    ]
    table(columns, rows, "Nothing of it has been sent.")


def _openings(delivery: dict[str, Any]) -> Iterable[str]:
    """As reported one by one; of a recall as counted in the receipt that its keys are gone."""
    if delivery["kind"] == "release":
        return (f"{section} for {purpose} x{n}" for section, purpose, n in delivery.get("openings", ()))
    return (f"{section} x{n} before" for section, n in delivery.get("opened_before", ()))


def _clock(clock: dict[str, Any]) -> str:
    told = f", told the {clock['told'].replace('_', ' ')}" if clock["told"] else ""
    ends = f"by {when(clock['due_at'])}" if clock["due_at"] else f"paused ({clock['why']})"
    return f"{clock['due']} {ends}{told}"


def show_queue(page: dict[str, Any]) -> None:
    """What waits for a signature or a review."""
    columns = ("SINCE", "KIND", "URGENCY", "TLP", "SIGNED", "ITEM", "CELLS")
    rows = [
        (
            when(row["since"]),
            row["kind"],
            row["urgency"],
            row["tlp"],
            _waits_for(row),
            row["item"],
            " ".join(row["cells"]) or " ".join(f"asked:{b64decode(r).hex()[:12]}" for r in row["asked"]),
        )
        for row in page["rows"]
    ]
    table(columns, rows, "Nothing waits.")
    _more(page)


def _waits_for(row: dict[str, Any]) -> str:
    """What a line of the queue waits for: signatures, or a review, or the answer to a holder."""
    if row["cells"]:
        return f"{len(row['signed'])} of {row['needed']}"
    return _review(row) if row["review_since"] else "asked"


def show_officers(found: list[dict[str, Any]]) -> None:
    """The officers of this Member."""
    columns = ("OFFICER", "NAME", "AGENCY", "DESK", "ROLES", "STANDING", "KEY", "TOKENS")
    rows = [
        (
            o["officer"],
            o["name"] or "",
            o["agency"],
            o["desk"],
            ",".join(o["roles"]),
            _standing(o),
            "yes" if o["has_key"] else "offered" if o["offers_key"] else "",
            ", ".join(f"{t['id']} until {when(t['expires_at'])}" for t in o["tokens"]),
        )
        for o in found
    ]
    table(columns, rows, "Nobody is enrolled.")


def show_accounts(found: list[dict[str, Any]]) -> None:
    """An officer's accounts at the identity provider."""
    table(("ACCOUNT", "SINCE"), [(a["id"], when(a["bound_at"])) for a in found], "There is none.")


def _review(row: dict[str, Any]) -> str:
    people = "two people review" if row["reviews"] > 1 else "review"
    return f"{people} by {when(row['review_by'])}"


def _standing(officer: dict[str, Any]) -> str:
    if not officer["active"]:
        return "suspended"
    if officer["waiting"] or officer["offers_key"]:
        return "active, to be confirmed"
    return ", ".join(["active", *(f"for {s['principal'][:8]} until {when(s['until'])}" for s in officer["stands_in"])])


def show_replies(found: list[dict[str, Any]]) -> None:
    """The replies to an item."""
    rows = [
        (when(r["at"]), r["peer"].upper(), r["kind"], "(erased)" if r["text"] is None else r["text"]) for r in found
    ]
    table(("WHEN", "FROM", "WHAT", "TEXT"), rows, "Nobody has answered.")


def show_history(page: dict[str, Any]) -> None:
    """Events of the log, a line each; their facts are in the JSON."""
    rows = [(e["position"], when(e["at"]), e["topic"], e["stream"], e["version"]) for e in page["rows"]]
    table(("POSITION", "WHEN", "WHAT", "STREAM", "VERSION"), rows, "Nothing has happened.")
    if page["next"] is not None:
        note(f"There is more: --after {page['next']}")


def show_openings(found: list[dict[str, Any]]) -> None:
    """Openings by officer."""
    rows = [
        (
            t["officer"],
            t["openings"],
            t["items"],
            when(t["last"]),
            ", ".join(t["unusual"]),
            ", ".join(f"{section} for {purpose} x{n}" for section, purpose, n in t["counts"]),
        )
        for t in found
    ]
    table(("OFFICER", "OPENINGS", "ITEMS", "LAST", "UNUSUAL", "WHAT"), rows, "Nobody has opened anything.")


def show_times(found: dict[str, Any]) -> None:
    """How long things take."""
    say(f"As of {when(found['as_of'])}, since {when(found['since'])}:")
    for name, words in (("deliveries", "From post to the board of a Member"), ("approvals", "From asked to decided")):
        if (taken := found[name]) is not None:
            say("", f"{words}:")
            parts = [taken["whole"] | {"of": "all"}, *taken["urgencies"], *taken["members"], *taken["months"]]
            rows = [
                (p["of"], p["done"], p["waiting"], _took(p["median_s"]), _took(p["high_s"]), _late(p)) for p in parts
            ]
            table(("OF", "DONE", "WAITING", "MEDIAN", "9 OF 10", "LATE"), rows, "")


def show_network(found: dict[str, Any]) -> None:
    """Each link now, and a sign for each day before."""
    say(f"As of {when(found['as_of'])}; . up, - behind, X out of reach, ? unverified, ! frozen, 0 revoked:")
    rows = [
        (
            link["member"],
            link["now"]["standing"],
            _took(link["now"]["waited_s"]),
            when(link["now"]["heard_at"]) if link["now"]["heard_at"] else "never",
            "".join(_SIGNS.get(then["standing"], "_") for then in (*link["days"], link["now"])),
        )
        for link in found["links"]
    ]
    table(("MEMBER", "NOW", "OLDEST WAITS", "LAST HEARD", "DAYS"), rows, "No other node is known yet.")


def show_links(found: dict[str, Any]) -> None:
    """Every tie, near ones first."""
    refs = {node["id"]: node["ref"] for node in found["nodes"]}
    rows = [
        (refs[e["a"]], e["how"], refs[e["b"]] if e["a"] != e["b"] else "", when(e["at"]) if e["at"] else "")
        for e in found["edges"]
    ]
    table(("WHAT", "HOW", "TO WHAT", "WHEN"), rows, "Nothing is tied to it yet.")
    if found["more"]:
        note("There are more items than these.")


def _took(seconds: int | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=seconds))


def _late(part: dict[str, Any]) -> str:
    return f"{part['late']} of {part['due']}" if part["due"] else ""


def show_replay(page: dict[str, Any]) -> None:
    """What was held at a moment, who could see it, and who did."""
    say(f"As of position {page['position']}, {when(page['at'])}:")
    for row in page["rows"]:
        say(
            "", f"{_item(row)}  {row['kind']} version {row['version']}, {row['state']}, {row['tlp']}, by {row['basis']}"
        )
        say(*(f"  {s['officer']} could open {', '.join(s['sensitivities']) or 'nothing'}" for s in row["seen_by"]))
        opened = row["opened"]
        say(*(f"  {o['officer']} opened {o['sensitivity']} for {o['purpose']}, {when(o['at'])}" for o in opened))
    if not page["rows"]:
        note("Nothing was held.")
    if page["next"] is not None:
        note(f"There is more: --cursor {page['next']}")


def _say_fields(fields: dict[str, Any]) -> None:
    """The title first: it is what people know an item by."""
    for name in sorted(fields, key=lambda name: (name != "title", name)):
        say(f"  {name}: {plain(fields[name])}")


def plain(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(plain(inner) for inner in value)
    return "unknown" if value is None else str(value)


def marks(handling: dict[str, Any]) -> str:
    """TLP, PAP and whatever else restricts."""
    codes = [handling["tlp"], handling.get("pap", ""), *handling.get("caveats", ())]
    return " ".join(code for code in codes if code)


def when(instant: str | None) -> str:
    """A time in UTC, to the minute; "" for none."""
    return f"{datetime.fromisoformat(instant):%Y-%m-%d %H:%M}Z" if instant else ""


def verdict(effect: str, approvers: int) -> str:
    """An effect, and how many must sign where it is more than one."""
    return VERDICTS[effect] + (f" ({approvers} people)" if approvers > 1 else "")


def _verdict(cell: dict[str, Any]) -> str:
    return "now, reviewed after" if cell["break_glass"] else verdict(cell["effect"], cell["approvers"])


def _sentences(cells: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Each finding that carries a verdict, and the cells it speaks about."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        for finding in cell["findings"]:
            if finding["effect"] == cell["effect"]:
                basis = f" [{finding['basis']}]" if finding.get("basis") else ""
                sentence = f"{VERDICTS[finding['effect']]}: {finding['because']}{basis}"
                found.setdefault(sentence, []).append(_place(cell))
    return found


def _board_row(row: dict[str, Any]) -> tuple[object, ...]:
    item = row["item"] if row["own"] else f"{row['origin']}/{row['item']}"
    return (
        when(row["at"]),
        row["origin"].upper(),
        row["kind"],
        row["urgency"],
        row["tlp"],
        f"{row['state']}, review due" if row["review_due"] else row["state"],
        item,
        _title(row),
    )


def _title(row: dict[str, Any]) -> str:
    """The summary's title, else its place."""
    if row["summary"] is None:
        return "(erased)"
    return plain(row["summary"].get("title") or row["summary"].get("place", {}).get("name", ""))


def _item(row: dict[str, Any]) -> str:
    """An item as the command line takes it back."""
    return str(row["item"] if row["own"] else f"{row['origin']}/{row['item']}")


def _more(page: dict[str, Any]) -> None:
    if page["next"] is not None:
        note("There is more: narrow it down, or raise --limit.")
