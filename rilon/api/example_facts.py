"""What the API's examples are made of: one plainly fictional item, rule, circle and officer, told everywhere alike."""

from __future__ import annotations

from typing import Any, Final

ITEM: Final = "0190f6a2-7b1c-7e61-8f3a-2f6c51d0a001"
OFFICER: Final = "0190f6a27b1c7e618f3a2f6c51d0b002"
AT: Final = "2026-05-03T10:00:00Z"
END: Final = "2026-10-30T10:00:00Z"
DIGEST: Final = "c2FtcGxlIGRpZ2VzdCBvZiB0aGlydHktdHdvIGJ5dGU="
BYTES: Final = "c2FtcGxlIGJ5dGVz"
LOG: Final = "c2FtcGxlIGxvZyBvZiAxNg=="
DRAFT: Final[dict[str, Any]] = {
    "kind": "TIP-RECRUIT",
    "fields": {
        "title": "Online job offers that end in a scam centre",
        "promise": "Customer service, flight and room paid.",
        "origin": {"country": "PH"},
        "destination": {"country": "KH"},
        "recruiter_identifiers": [{"type": "social_handle", "value": "telegram:example_jobs"}],
    },
    "grade": {"scheme": "admiralty_6x6", "source": "B", "information": "2"},
    "audience": {"members": ["id", "my"]},
    "handling": {"not_to": ["mm"]},
}
HANDLING: Final[dict[str, Any]] = {
    "tlp": "TLP:AMBER",
    "pap": "PAP:AMBER",
    "caveats": ["ORCON"],
    "rel_to": None,
    "not_to": ["mm"],
    "no_origin_states": [],
    "purposes": None,
    "embargo_until": None,
    "review_by": "2026-08-01T10:00:00Z",
    "expires_at": END,
    "classification": 0,
}
FINDING: Final = {
    "rule": "default.personal-data",
    "effect": "ask",
    "because": "It holds personal data, so your focal point decides.",
    "basis": "",
    "asks": "focal_point",
    "fix": "Ask your focal point.",
    "law": "",
    "article": "",
    "changes": ["ask"],
    "obliges": None,
}
CONDITIONS: Final = {"purposes": [], "onward": "ask", "court": "ask", "until": END, "caveats": []}
CELL: Final = {
    "recipient": "id",
    "sensitivity": "nominal",
    "effect": "ask",
    "approvers": 1,
    "break_glass": False,
    "findings": [FINDING],
    "conditions": CONDITIONS,
}
QUESTION: Final[dict[str, Any]] = {
    "id": "5e" * 32,
    "asker": "id",
    "member": "my",
    "sections": ["nominal"],
    "court": False,
    "at": AT,
    "outcome": "waiting",
    "reason": "Their coast guard is nearer.",
    "cells": [CELL],
}
ROW: Final[dict[str, Any]] = {
    "id": ITEM,
    "item": ITEM,
    "origin": "th",
    "own": False,
    "version": 1,
    "manifest": DIGEST,
    "kind": "TIP-RECRUIT",
    "urgency": "high",
    "tlp": "TLP:AMBER",
    "pap": "PAP:AMBER",
    "caveats": ["DESTROY_BY", "REVIEW_BY"],
    "review_at": END,
    "review_due": False,
    "state": "live",
    "basis": "approval",
    "at": AT,
    "until": END,
    "position": 1291,
    "sensitivities": ["summary", "nominal"],
    "purposes": [],
    "onward": "ask",
    "court": "ask",
    "conditions": {"summary": CONDITIONS, "nominal": CONDITIONS},
    "readers": ["entitled"],
    "acknowledged": False,
    "summary_version": 1,
    "summary": {"title": "Online job offers that end in a scam centre"},
}
PLACED: Final = {"id": ITEM, "position": 1291, "repeated": False}
RECORDED: Final = {"position": 1291, "repeated": False}
DECIDED: Final = {"item": ITEM, "outcome": "released", "position": 1291, "repeated": False}
OBLIGES: Final = {
    "purposes": ["investigate_trafficking"],
    "onward": "ask",
    "court": "no",
    "days": 90,
    "caveats": [],
}
RULE: Final = {
    "id": "th.mou-2019",
    "effect": "allow",
    "because": "A memorandum of 2019 lets Malaysia have it.",
    "when": {
        "kinds": [],
        "families": ["trafficking"],
        "sensitivities": ["summary"],
        "urgencies": [],
        "tlp": [],
        "caveats": [],
        "subjects": [],
        "recipients": ["my"],
        "recipient_types": [],
        "circles": [],
        "purposes": [],
    },
    "obliges": OBLIGES,
    "basis": "",
    "article": "",
    "valid_from": None,
    "valid_until": None,
}
CHANGED: Final = {
    "item": ITEM,
    "at": AT,
    "recipient": "my",
    "sensitivity": "summary",
    "before": "ask",
    "after": "allow",
    "approvers": 0,
    "rules": ["th.mou-2019"],
    "obliges": OBLIGES,
    "approvers_before": 1,
    "obliges_before": None,
    "looser": True,
}
RULE_TEXT: Final = """[[rule]]
id = "th.mou-2019"
effect = "allow"
because = "A memorandum of 2019 lets Malaysia have it."
when.families = ["trafficking"]
when.sensitivities = ["summary"]
when.recipients = ["my"]
obliges.purposes = ["investigate_trafficking"]
obliges.court = "no"
obliges.days = 90
"""
BOOK: Final[dict[str, Any]] = {
    "book": {"member": "th", "version": 2, "rules": [RULE], "laws": [], "agreements": []},
    "text": RULE_TEXT,
    "digest": DIGEST,
}
MAY: Final = "may-i-share.1 at=1291@2026-05-03T10:00:00+00:00 book=c2fd1b0e4a7788aa kind=TIP-RECRUIT members=id"
WHY: Final = (
    f"why.1 at=1291@2026-05-03T10:00:00+00:00 officer={OFFICER} roles=officer agency=immigration desk=duty "
    f"origin=th item={ITEM}"
)
ANSWER: Final[dict[str, Any]] = {
    "says": "ask",
    "cells": [
        {
            "recipient": "id",
            "sensitivity": "nominal",
            "says": "ask",
            "asks": ["focal_point"],
            "approvers": 1,
            "findings": [FINDING],
            "changes": ["drop_section", "ask"],
            "conditions": [],
        }
    ],
    "better": [],
    "rulebook": 2,
    "digest": DIGEST,
    "at": AT,
    "position": 1291,
    "reference": MAY,
}
SIGHT: Final[dict[str, Any]] = {
    "origin": "th",
    "item": ITEM,
    "at": AT,
    "position": 1291,
    "seen": False,
    "sections": [
        {
            "sensitivity": "victim",
            "seen": False,
            "purposes": [],
            "findings": [
                {
                    "rule": "sight.role",
                    "effect": "refuse",
                    "because": "Your role does not open victim sections, whether there is one or not.",
                    "basis": "",
                    "asks": "focal_point",
                    "fix": "Ask your focal point; a colleague in another role may see more.",
                    "law": "",
                    "article": "",
                    "changes": ["ask"],
                }
            ],
        }
    ],
    "reference": WHY,
}
CIRCLE: Final = "id.0190f6a27b1c7e618f3a2f6c51d0c003"
CHARTER: Final[dict[str, Any]] = {
    "kind": "consultation",
    "name": "Consultation Mechanism, a fictional activation",
    "charter": "Where do the fictional boats land, and who takes the people in?",
    "purpose": "prevent_loss_of_life",
    "themes": ["maritime"],
    "members": ["au", "th"],
    "ends": END,
    "admitted": ["th"],
}
CIRCLE_PLACED: Final = {"circle": CIRCLE, "position": 1291, "repeated": False}
CIRCLE_SHOWN: Final = CHARTER | {
    "circle": CIRCLE,
    "chair": "id",
    "version": 1,
    "state": "live",
    "exercise": False,
    "members": ["au", "id", "th"],
    "outcome": None,
    "signed_by": ["id", "au"],
}
PLAN: Final[dict[str, Any]] = {
    "mail": "fictional.officer@example.org",
    "phone": "",
    "at_once": ["life_at_risk", "immediate"],
    "digest": "daily",
    "about": [],
    "kinds": [],
    "quiet": {"start": "22:00", "end": "07:00"},
    "zone": "Asia/Bangkok",
    "daily_at": "07:00",
}
TOOK: Final[dict[str, Any]] = {
    "of": "",
    "done": 11,
    "waiting": 1,
    "median_s": 340,
    "high_s": 5200,
    "due": 10,
    "late": 2,
}
TIMES: Final[dict[str, Any]] = {
    "as_of": AT,
    "since": "2026-04-01T00:00:00Z",
    "urgency": None,
    "deliveries": {
        "whole": TOOK,
        "months": [TOOK | {"of": "2026-05"}],
        "urgencies": [TOOK | {"of": "high"}],
        "members": [TOOK | {"of": "id"}],
    },
    "approvals": None,
}
NETWORK: Final[dict[str, Any]] = {
    "as_of": AT,
    "links": [
        {
            "member": "id",
            "now": {"at": AT, "standing": "up", "waited_s": None, "heard_at": AT},
            "days": [{"at": "2026-05-02T23:59:59.999999Z", "standing": "behind", "waited_s": 5400, "heard_at": AT}],
        }
    ],
}
CHART: Final[dict[str, Any]] = {
    "as_of": AT,
    "nodes": [
        {"id": f"item:{ITEM}", "what": "item", "ref": f"th/{ITEM}", "ring": 0, "version": 1},
        {"id": "member:id", "what": "member", "ref": "id", "ring": 1, "version": 0},
    ],
    "edges": [{"a": f"item:{ITEM}", "b": "member:id", "how": "to", "at": AT}],
    "more": False,
}
