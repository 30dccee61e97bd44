"""What codes are called on the pages: plain words for people, one place. A code without words shows itself.

The tables hold English; what shows a word asks the catalogue for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from rilon.domain.fields import IDENTIFIERS
from rilon.domain.kinds import KINDS
from rilon.domain.legal import INSTRUMENTS
from rilon.domain.members import COUNTRIES, MEMBERS
from rilon.web import language
from rilon.web.language import _, gettext

_CALLED: Final[Mapping[str, str]] = {
    "admin": "Region code",
    "locode": "Port code",
    "issuer": "Issued by",
    "promise": "What they promise",
    "bali_process_body": "Body of the Bali Process",
}
"""Codes that people would not understand as they are."""
_PLAIN: Final = frozenset({"name", "value", "at", "place", "role", "currency"})

WORDS: Final[dict[str, dict[str, str]]] = {
    "sensitivity": {
        "summary": "Summary",
        "nominal": "Personal data",
        "victim": "Victims",
        "child": "Children",
        "source": "Source",
        "attachment": "Attachments",
    },
    "about_section": {
        "summary": "No personal data. Everybody on the board reads it.",
        "nominal": "Names, documents, numbers and accounts of persons.",
        "victim": "About victims. Protection officers only; two people approve.",
        "child": "About children. Protection officers only; two people approve.",
        "source": "Where it comes from. Focal points only.",
        "attachment": "Files.",
    },
    "effect": {"allow": "Yes", "ask": "Ask", "refuse": "No"},
    "says": {"yes": "Yes", "yes_if": "Yes, if", "ask": "Ask first", "no": "No"},
    "about_says": {
        "yes": "The rules let all of it go.",
        "yes_if": "All of it may go, with the conditions below.",
        "ask": "Somebody approves before all of it goes.",
        "no": "Not all of it may go.",
    },
    "asks": {
        "focal_point": "ask your national focal point",
        "two_approvers": "two people approve",
        "originator": "ask the originator",
    },
    "readers": {
        "entitled": "everybody whose role opens it",
        "agency": "one agency",
        "desk": "one desk",
        "officers": "named officers",
    },
    "consent": {"given": "yes, all of them", "withheld": "no"},
    "urgency": {"life_at_risk": "Life at risk", "immediate": "Immediate", "high": "High", "normal": "Normal"},
    "tlp": {
        "TLP:RED": "named officers or one desk only",
        "TLP:AMBER+STRICT": "the receiving agency only",
        "TLP:AMBER": "the receiving Member only",
        "TLP:GREEN": "the whole network",
        "TLP:CLEAR": "anyone",
    },
    "state": {
        "live": "In force",
        "superseded": "Replaced by a newer version",
        "withdrawn": "Withdrawn",
        "closed": "Closed",
        "erased": "Erased",
        "open": "Nothing to decide",
        "waiting": "Waits for approval",
        "returned": "Returned to its author",
        "refused": "Refused",
        "lapsed": "Lapsed",
        "released": "Released",
        "sent": "Sent",
        "stored": "Stored there",
        "opened": "Opened there",
        "acknowledged": "Acknowledged",
        "acted": "Acted on",
        "withheld": "Over before it came",
        "destroyed": "Destroyed there",
    },
    "circle": {
        "proposed": "Waits for the other co-chair",
        "consented": "Signed by both, on its way",
        "live": "In force",
        "ended": "Over",
        "closed": "Closed",
    },
    "circle_kind": {"group": "Coordination group", "operation": "Operation", "consultation": "Consultation"},
    "about_circle_kind": {
        "group": "Members who work on a theme together.",
        "operation": "Members who act together, for a while.",
        "consultation": "The Consultation Mechanism: active once both co-chairs have signed.",
    },
    "ground": {
        "mistake": "It was a mistake",
        "misuse": "It was misused",
        "no-longer-needed": "It is no longer needed",
        "consent-withdrawn": "Consent was withdrawn",
        "court-order": "A court has ordered it",
        "superseded": "Something newer replaces it",
        "security": "A person would be in danger",
    },
    "basis": {
        "own": "Ours",
        "recovered": "Ours, recovered after a restore: its content is at its holders only",
        "rule": "Released by a sharing rule",
        "approval": "Released by approval",
        "break-glass": "Released at once: life at risk",
    },
    "line": {
        "release": "The alert",
        "superseded": "Notice of a new version",
        "withdrawal": "Withdrawal",
        "closure": "Closure",
        "recall": "Recall",
    },
    "recall": {
        "due": "On its way, not answered yet",
        "overdue": "Recall overdue",
        "closed": "Keys gone, copies not yet",
        "destroyed": "Destroyed",
    },
    "role": {
        "officer": "Officer",
        "focal_point": "National focal point",
        "protection": "Protection officer",
        "deputy": "Deputy focal point",
        "auditor": "Auditor",
        "administrator": "Administrator",
    },
    "about_role": {
        "officer": "Writes, reads and answers alerts.",
        "focal_point": "Approves what leaves, enrols officers, keeps the rules.",
        "protection": "Opens and approves what is about victims and children.",
        "deputy": "Approves while a focal point calls upon them.",
        "auditor": "Replays and proves; reads no content.",
        "administrator": "Runs the node; reads no content.",
    },
    "reply": {
        "reply.acknowledge": "We have seen it",
        "reply.hit": "Known here",
        "reply.no-hit": "Not known here",
        "reply.need-more": "We need to know more",
        "reply.refuse": "We cannot help with this",
        "reply.sighting": "Seen here",
    },
    "link": {
        "open": "Working",
        "greeting": "No answer yet",
        "unverified": "Not verified",
        "revoked": "Cut off",
        "frozen": "Frozen",
        "peer_frozen": "Frozen by them",
        "verified": "Verified",
    },
    "tie": {
        "quotes": "is made of",
        "from": "came from",
        "to": "was released to",
        "circle": "is for the circle",
        "referred": "was referred to",
        "onward": "was asked for by or for",
        "corrected": "was corrected",
    },
    "standing": {
        "unknown": "Not known yet",
        "up": "Up",
        "behind": "Behind",
        "out_of_reach": "Out of reach",
        "unverified": "Not verified",
        "frozen": "Frozen",
        "revoked": "Cut off",
    },
    "when": {
        "kinds": "Kinds",
        "families": "About",
        "sensitivities": "Sections",
        "urgencies": "Urgency",
        "tlp": "Marked",
        "caveats": "With any of the caveats",
        "subjects": "About persons who are",
        "recipients": "To",
        "recipient_types": "To any",
        "circles": "Through circles",
        "purposes": "For",
    },
    "outcome": {
        "resolved": "It is settled",
        "arrested": "Somebody was arrested",
        "rescued": "Somebody was rescued",
        "unfounded": "There was nothing to it",
        "passed-on": "Others work on it",
        "no-result": "Nothing came of it",
    },
    "onward": {
        "waiting": "Waits for an answer",
        "granted": "Granted",
        "refused.law": "No: the law does not allow it",
        "refused.protection": "No: to protect a person",
        "refused.source": "No: to protect a source",
        "refused.not-needed": "No: not needed for that",
        "refused.other-channel": "No: use another channel",
        "refused.holds": "No: they have it already",
        "refused.not-available": "No: it is not there any more",
        "refused.not-approved": "No: it was not approved",
    },
    "onward_why": {
        "law": "the law does not allow it",
        "protection": "a person must be protected",
        "source": "a source must be protected",
        "not-needed": "it is not needed for that",
        "other-channel": "another channel is the right one",
        "holds": "they have it already",
        "not-available": "it is not there any more",
    },
    "may_ask": {"ask": "Ask the originator first", "no": "No", "yes": "Yes"},
    "listed": {"country": "Country", "nationality": "Nationality", "member": "Member", "identifier": "Identifier"},
    "purpose": {},
}
"""By family, then code."""


def word(family: str, code: object) -> str:
    """What a code is called."""
    text = str(code)
    return gettext(WORDS.get(family, {}).get(text) or plain(text))


def human(code: str) -> str:
    """A code without words of its own, as people call it."""
    return gettext(plain(code))


def plain(code: str) -> str:
    """A code made readable in English: ``vessel_name`` is Vessel name."""
    text = _CALLED.get(code) or code.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def member_name(member: str) -> str:
    """What a Member is called."""
    found = MEMBERS.get(member)
    if found is None:
        return member.upper()
    return (found.alpha2 and language.country(found.alpha2)) or found.name


def country_name(alpha2: str) -> str:
    """What a country is called; one without a name shows its code."""
    return language.country(alpha2) or alpha2


_NAMED_BY: Final[Mapping[str, Callable[[str], str]]] = {
    "code": human,
    "codes": human,
    "country": country_name,
    "countries": country_name,
    "nationalities": country_name,
    "members": member_name,
}
"""Types of fields that hold codes, and what calls these by their names."""


def kind_name(code: str) -> str:
    """What a kind of alert is called; one that this node does not know yet shows its code."""
    return gettext(KINDS[code].name) if code in KINDS else code


def title(fields: dict[str, object] | None, kind: str) -> str:
    """The line that stands for an item: its title, else its kind."""
    found = (fields or {}).get("title")
    return found if isinstance(found, str) and found else kind_name(kind)


def countries() -> tuple[tuple[str, str], ...]:
    """Every country's code and what it is called, by its name."""
    return _countries(language.spoken())


def country_code(text: str) -> str:
    """The code of a country that somebody wrote: by its code or its name, in their language or English."""
    return _codes(language.spoken()).get(text.strip().casefold(), text.strip().upper())


@cache
def _countries(spoken: language.Language) -> tuple[tuple[str, str], ...]:
    names = ((code, spoken.locale.territories.get(code, code)) for code in COUNTRIES)
    return tuple(sorted(names, key=lambda each: each[1].casefold()))


@cache
def _codes(spoken: language.Language) -> dict[str, str]:
    named = (*_countries(language.LANGUAGES[language.ENGLISH]), *_countries(spoken))
    return {name.casefold(): code for code, name in named} | {code.casefold(): code for code in COUNTRIES}


def spelled(kind: str, name: str, value: object) -> list[str]:
    """A field of a kind in lines a person reads: its codes, countries and Members as they are called."""
    field = KINDS[kind].fields.get(name) if kind in KINDS else None
    call = _NAMED_BY.get(field.type.name.partition(":")[0]) if field else None
    given = value if isinstance(value, list) else [value]
    return [call(str(each)) for each in given] if call and value is not None else lines(value)


def lines(value: object) -> list[str]:
    """A field's value in lines a person reads, however it is made."""
    if isinstance(value, dict):
        parts = [_named(str(k), v) for k, v in value.items() if v not in (None, [], {}, "")]
        return [" · ".join(parts).replace(": · ", ": ")]
    if isinstance(value, list):
        return [line for each in value for line in lines(each)]
    return [_one(value)]


def instrument_name(code: str) -> str:
    """The law or agreement that a rule stands on, with its article."""
    found = INSTRUMENTS.get(code)
    return f"{found.name}, {found.article}".removesuffix(", ") if found else code


def article(text: str) -> str:
    """Where in a law; a bare number is an article."""
    return f"art. {text}" if text[:1].isdigit() else text


def ordered(fields: Mapping[str, object], kind: str) -> dict[str, object]:
    """A section's fields as its form asks for them, without the title, which stands above."""
    order = list(KINDS[kind].fields) if kind in KINDS else sorted(fields)
    return {name: fields[name] for name in order if name in fields and name != "title"}


def _named(name: str, value: object) -> str:
    """A part of a compound; what explains itself needs no name."""
    if name == "country" and isinstance(value, str):
        return language.country(value) or value
    if name == "role" and isinstance(value, str):
        return human(value)
    if name == "type" and isinstance(value, str):
        return f"{gettext(IDENTIFIERS[value].name)}:" if value in IDENTIFIERS else human(value)
    return _one(value) if name in _PLAIN else f"{human(name).lower()} {_one(value)}"


def _one(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None:
        return _("not known")
    if isinstance(value, dict):
        return ", ".join(_named(str(k), v) for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_one(each) for each in value)
    return str(value)
