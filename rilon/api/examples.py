"""Examples for the API's description, by operation: plainly fictional, and tested to be what they are examples of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ITEM: Final = "0190f6a2-7b1c-7e61-8f3a-2f6c51d0a001"
OFFICER: Final = "0190f6a27b1c7e618f3a2f6c51d0b002"
AT: Final = "2026-05-03T10:00:00Z"
END: Final = "2026-10-30T10:00:00Z"
DIGEST: Final = "c2FtcGxlIGRpZ2VzdCBvZiB0aGlydHktdHdvIGJ5dGU="
BYTES: Final = "c2FtcGxlIGJ5dGVz"

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
}
CELL: Final = {
    "recipient": "id",
    "sensitivity": "nominal",
    "effect": "ask",
    "approvers": 1,
    "break_glass": False,
    "findings": [FINDING],
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
    "readers": ["entitled"],
    "acknowledged": False,
    "summary_version": 1,
    "summary": {"title": "Online job offers that end in a scam centre"},
}
PLACED: Final = {"id": ITEM, "position": 1291, "repeated": False}
DECIDED: Final = {"item": ITEM, "outcome": "released", "position": 1291}
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
    "basis": "",
    "article": "",
    "valid_from": None,
    "valid_until": None,
}
RULE_TEXT: Final = """[[rule]]
id = "th.mou-2019"
effect = "allow"
because = "A memorandum of 2019 lets Malaysia have it."
when.families = ["trafficking"]
when.sensitivities = ["summary"]
when.recipients = ["my"]
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

BODIES: Final[Mapping[str, Any]] = {
    "preview": DRAFT,
    "post_alert": DRAFT,
    "correct_alert": DRAFT,
    "withdraw_alert": {"reason": "The source took it back."},
    "close_alert": {"outcome": "resolved"},
    "convene": CHARTER,
    "change_circle": {"version": 1, "charter": CHARTER},
    "close_circle": {"outcome": "The fictional people are safe ashore."},
    "open_section": {"sensitivity": "nominal", "purpose": "investigate_trafficking"},
    "refer": {"readers": ["agency:police", "desk:immigration:airport"]},
    "recall": {"ground": "mistake", "reason": "The wrong vessel.", "members": ["my"], "sensitivity": None},
    "read_attachment": {"purpose": "investigate_trafficking"},
    "erase": {"ground": "consent-withdrawn", "reason": "She asked for it.", "sensitivity": "victim"},
    "reply": {"kind": "reply.sighting", "text": "Seen at a fictional pier on 4 May."},
    "pause": {"why": "court"},
    "ask_onward": {"reason": "Their coast guard is nearer.", "sections": ["nominal"], "member": "my", "court": False},
    "refuse_onward": {"why": "protection"},
    "approve": {"approval": BYTES},
    "cut": {"keep": [["id", "summary"]]},
    "give_back": {"comment": "Name the place, or take it out."},
    "refuse": {"reason": "It is not ours to tell."},
    "review": {"sound": True},
    "verify_peer": {"words": " ".join(["acorn"] * 16)},
    "import_bag": {"bag": BYTES},
    "check_rules": {"text": RULE_TEXT},
    "may_i_share": {"kind": "TIP-RECRUIT", "members": ["id"], "sections": ["nominal"]},
    "explain_again": {"reference": MAY},
    "draft_rules": {"text": RULE_TEXT, "after": 1},
    "sign_rules": {"approval": BYTES, "draft": DIGEST},
    "simulate_rules": {"since": AT, "until": None, "text": RULE_TEXT},
    "enrol": {"name": "Fictional Officer", "agency": "immigration", "desk": "duty", "roles": ["officer"]},
    "make_token": {"roles": ["officer"], "days": 30},
    "grant_role": {"role": "focal_point"},
    "call_upon": {"until": END},
    "revoke_role": {"role": "focal_point"},
    "enrol_key": {"public_key": BYTES},
    "confirm": {"approval": BYTES},
}
"""What is sent, by operation."""

ANSWERS: Final[Mapping[str, Any]] = {
    "preview": {
        "handling": HANDLING,
        "recipients": ["id"],
        "sections": ["summary", "nominal"],
        "rulebook": 1,
        "cells": [CELL],
    },
    "post_alert": PLACED,
    "correct_alert": PLACED,
    "admit": PLACED,
    "withdraw_alert": PLACED,
    "close_alert": PLACED,
    "read_circles": [CIRCLE_SHOWN],
    "read_circle": CIRCLE_SHOWN,
    "convene": CIRCLE_PLACED,
    "change_circle": CIRCLE_PLACED,
    "consent": CIRCLE_PLACED,
    "close_circle": CIRCLE_PLACED,
    "read_disclosure": {
        "item": ITEM,
        "state": "returned",
        "words": "Name the place, or take it out.",
        "review_due": False,
        "holders": [],
    },
    "read_board": {"rows": [ROW], "next": 1290},
    "read_item": ROW,
    "upload": {"ticket": "c2FtcGxl" * 16, "name": "pier.jpg", "type": "image/jpeg", "bytes": 81920},
    "open_section": {
        "origin": "th",
        "item": ITEM,
        "version": 1,
        "kind": "TIP-RECRUIT",
        "sensitivity": "nominal",
        "fields": {"recruiter_identifiers": [{"type": "social_handle", "value": "telegram:example_jobs"}]},
        "position": 1292,
        "conditions": {"purposes": [], "onward": "ask", "court": "ask", "until": END},
    },
    "acknowledge": PLACED,
    "pause": PLACED,
    "ask_onward": PLACED,
    "read_asked": [QUESTION | {"cells": []}],
    "read_questions": [QUESTION],
    "grant_onward": {"item": ITEM, "outcome": "waiting", "position": 1291},
    "refuse_onward": {"item": ITEM, "outcome": "refused", "position": 1291},
    "resume": PLACED,
    "recall": PLACED,
    "erase": PLACED,
    "reply": PLACED,
    "refer": PLACED,
    "read_queue": {
        "rows": [
            {
                "item": ITEM,
                "author": OFFICER,
                "state": "waiting",
                "since": AT,
                "position": 1291,
                "version": 1,
                "kind": "TIP-RECRUIT",
                "urgency": "high",
                "tlp": "TLP:AMBER",
                "until": END,
                "draft": DIGEST,
                "cells": ["id:nominal"],
                "needed": 1,
                "signed": [],
                "review_since": None,
                "review_by": None,
                "reviews": 0,
                "asked": [],
            }
        ],
        "next": None,
    },
    "read_approval": {
        "item": ITEM,
        "state": "waiting",
        "author": OFFICER,
        "version": 1,
        "handling": HANDLING,
        "body": BYTES,
        "digest": DIGEST,
        "seed": DIGEST,
        "grants": {"id": {"grant": BYTES, "position": 3, "path": BYTES}},
        "approvers": 1,
        "signed_by": [],
        "cells": [CELL],
        "manifest": BYTES,
        "leaves": [{"leaf": BYTES, "path": BYTES}],
    },
    "approve": DECIDED,
    "cut": DECIDED | {"outcome": "waiting"},
    "give_back": DECIDED | {"outcome": "returned"},
    "refuse": DECIDED | {"outcome": "refused"},
    "review": DECIDED | {"outcome": "reviewed"},
    "read_deliveries": [
        {
            "recipient": "id",
            "kind": "release",
            "manifest": DIGEST,
            "sensitivities": ["summary", "nominal"],
            "sent_at": AT,
            "state": "stored",
            "stored_at": AT,
        }
    ],
    "read_replies": [
        {"peer": "id", "kind": "reply.hit", "manifest": DIGEST, "at": AT, "position": 1300, "text": "Known here."}
    ],
    "read_links": [
        {
            "member": "id",
            "standing": "verified",
            "words": ["acorn"] * 16,
            "health": {
                "peer": "id",
                "state": "open",
                "sentence": "ID has everything.",
                "reason": "",
                "sent": 12,
                "receipted": 12,
                "waiting": 0,
                "received": 7,
                "refused": 0,
                "rejected": 0,
                "receipt_age_s": 4.2,
            },
        }
    ],
    "verify_peer": {"position": 1291},
    "revoke_peer": {"position": 1291},
    "may_i_share": ANSWER,
    "why": SIGHT,
    "explain_again": {"share": ANSWER, "sight": None},
    "read_rules": BOOK,
    "read_rules_draft": BOOK | {"by": OFFICER, "signed_by": [OFFICER]},
    "check_rules": {"problems": []},
    "draft_rules": {"position": 1291},
    "sign_rules": {"outcome": "published", "position": 1291},
    "drop_rules": {"position": 1291},
    "end_agreement": {"position": 1291},
    "simulate_rules": {
        "disclosures": 212,
        "changed": 14,
        "erased": 0,
        "looser": 15,
        "stricter": 0,
        "cells": [
            {
                "item": ITEM,
                "at": AT,
                "recipient": "my",
                "sensitivity": "summary",
                "before": "ask",
                "after": "allow",
                "approvers": 0,
                "rules": ["th.mou-2019"],
            }
        ],
        "more": 14,
    },
    "read_me": {
        "member": "th",
        "officer": OFFICER,
        "roles": ["officer"],
        "agency": "immigration",
        "desk": "duty",
        "actions": ["node:alert:post", "node:board:read"],
    },
    "read_candidate": {"member": "th", "officer": OFFICER, "roles": ["focal_point"], "key": BYTES},
    "read_officers": [
        {
            "officer": OFFICER,
            "name": "Fictional Officer",
            "agency": "immigration",
            "desk": "duty",
            "roles": ["officer"],
            "active": True,
            "has_key": False,
            "offers_key": False,
            "waiting": [],
            "enrolled_at": AT,
            "tokens": [{"id": "0123456789abcdef", "expires_at": END}],
            "stands_in": [],
        }
    ],
    "enrol": PLACED,
    "export_bag": {
        "member": "id",
        "bag": BYTES,
        "frames": 3,
        "more": False,
        "sentence": "This bag holds all that ID lacks. Carry it there; they say: rilon link import FILE",
    },
    "import_bag": {
        "member": "id",
        "frames": 3,
        "refused": {},
        "entries": 2,
        "receipted": 4,
        "answer": True,
        "sentence": "Carry the answer back: rilon link export id",
    },
    "reset_link": {"outcome": "asked", "position": 1291},
    "invite": {
        "officer": ITEM,
        "link": "https://rilon.example/join#<officer>.<id>.<secret>",
        "expires_at": END,
        "position": 1291,
    },
    "make_token": {"id": "0123456789abcdef", "token": "rilon_<officer>_<id>_<secret>", "position": 1291},
    "read_history": {
        "rows": [
            {
                "position": 1291,
                "topic": "rilon.disclosure.approved.1",
                "stream": ITEM,
                "version": 3,
                "at": AT,
                "facts": {"by": OFFICER, "draft": DIGEST, "approval": {"sha256": DIGEST}},
            }
        ],
        "next": 1291,
    },
    "read_openings": [
        {
            "officer": OFFICER,
            "openings": 3,
            "items": 2,
            "counts": [["nominal", "investigate_trafficking", 3]],
            "first": AT,
            "last": AT,
            "unusual": [],
        }
    ],
    "replay_board": {
        "position": 1291,
        "at": AT,
        "rows": [
            {name: value for name, value in ROW.items() if name != "summary"}
            | {
                "seen_by": [{"officer": OFFICER, "sensitivities": ["summary", "nominal"]}],
                "opened": [
                    {
                        "officer": OFFICER,
                        "sensitivity": "nominal",
                        "purpose": "investigate_trafficking",
                        "at": AT,
                        "position": 1290,
                    }
                ],
            }
        ],
        "next": None,
    },
    "health": {"alive": True},
    "ready": {"ready": False, "parts": [{"name": "log", "ok": False, "sentence": "The database cannot be reached."}]},
}
"""What comes back, by operation."""
