"""Items, releases and approvers that the tests of the wire share. Nothing here is a person or a State's decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rilon.crypto import manifest, release, strict
from rilon.crypto.approval import METHOD
from rilon.crypto.keys import SigningKey
from rilon.errors import RilonError
from tests.fakes.entropy import SeededEntropy

NODE = SigningKey.from_seed(bytes(range(64)))
OTHER_NODE = SigningKey.from_seed(bytes(range(64, 128)))
OFFICERS = {format(n, "x") * 32: SigningKey.from_seed(bytes([n]) * 64) for n in range(1, 4)}
PUBLIC = {officer: key.public for officer, key in OFFICERS.items()}
ITEM = bytes(range(16))
LISTS = manifest.MemberLists(("id", "my"), (), ("mm",))
HANDLING = manifest.Handling(
    "TLP:AMBER",
    "PAP:AMBER",
    ("NO_ORIGIN_STATE", "ORCON"),
    ("border_decision",),
    manifest.commit_lists(LISTS, b"\7" * 32),
)
GRADE = manifest.Grade("admiralty", "B", "2")
TEXTS = {"summary": b"A boat is overdue.", "nominal": b"Fictional Person One", "victim": b""}


def refusal(do: Callable[..., object], *args: object, **named: object) -> str:
    """The code with which a call is refused."""
    with pytest.raises(RilonError) as caught:
        do(*args, **named)
    return caught.value.code


def head(**changes: Any) -> manifest.Head:
    """A first version's head."""
    fields = {
        "format": 1,
        "origin": "th",
        "item": ITEM,
        "version": 1,
        "corrects": None,
        "kind": "INC-FATAL",
        "urgency": "high",
        "handling": HANDLING,
        "grade": GRADE,
        "review": None,
        "expiry": 1_900_000_000,
    }
    return manifest.Head(**fields | changes)


def drafted(texts: dict[str, bytes] = TEXTS, seed: int = 0, **changes: Any) -> manifest.DraftManifest:
    """A manifest with its sealed sections."""
    sections = [manifest.SectionDraft(sensitivity, text) for sensitivity, text in texts.items()]
    return manifest.draft(head(**changes), sections, SeededEntropy(seed).bytes)


def part(*leaves: int, **changes: Any) -> release.Part:
    """Sections and their conditions."""
    fields = {
        "leaves": leaves or (3,),
        "onward": "ask",
        "court": "no",
        "purposes": ("border_decision",),
        "caveats": (),
        "until": 1_900_000_000,
    }
    return release.Part(**fields | changes)


TWO_PARTS = (
    part(3, 7),
    part(5, court="no", onward="no", purposes=("identify_victim",), caveats=("NO_CONTACT",), until=1_810_000_000),
)
"""A summary and an attachment under the author's conditions; a section of persons under what a rule adds to them."""


def terms(recipient: str = "my", **changes: Any) -> release.Terms:
    """What one recipient is granted."""
    fields = {"recipient": recipient, "readers": ("entitled",), "parts": (part(),), "rules": ("my.1",)}
    return release.Terms(**fields | changes)


def draft_release(
    *recipients: str, basis: release.Basis = "approval", seed: int = 0, all_terms: Sequence[release.Terms] = ()
) -> release.DraftRelease:
    """A release waiting for approval, to ``my`` unless told."""
    return release.draft_release(
        manifest=drafted().manifest.digest,
        rulebook=b"\5" * 32,
        basis=basis,
        created=1_800_000_000,
        terms=all_terms or [terms(recipient) for recipient in recipients or ("my",)],
        entropy=SeededEntropy(seed).bytes,
    )


def approve(body: release.ReleaseBody, officer: str, key: SigningKey | None = None) -> release.Approval:
    """An officer's approval, made without a file."""
    key, nonce = key or OFFICERS[officer], b"\6" * 32
    challenge = release.approval_challenge(release.body_digest(body), nonce)
    return release.Approval(officer, key.kid, METHOD, nonce, key.sign_pair(challenge))


def flips(data: bytes) -> list[bytes]:
    """Every way to change one bit."""
    return [data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for at in range(len(data)) for bit in range(8)]


def altered(record: strict.Record, **changes: Any) -> bytes:
    """A record's map with fields changed (or, when ``...``, left out), as an evil peer may write it."""
    fields = strict.loads(strict.encode(record), limit=1 << 20) | changes
    return strict.dumps({name: value for name, value in fields.items() if value is not ...})
