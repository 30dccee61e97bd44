"""The approver's key file: it opens for one passphrase, says so when it does not, and never shows the key."""

from __future__ import annotations

import pytest

from rilon.crypto import approval, release
from rilon.crypto.strongbox import Cost, Strongbox
from rilon.errors import RefusedError
from tests.fakes.items import draft_release, flips, refusal
from tests.fakes.keys import CHEAP

OFFICER = "0123456789abcdef" * 2
PASSPHRASE = "a boat at daybreak"
FILE, PUBLIC = approval.create(PASSPHRASE, OFFICER, cost=CHEAP)
BODY = draft_release("my", "id").body


def unlock(data: bytes = FILE, passphrase: str = PASSPHRASE, floor: Cost = CHEAP) -> approval.ApprovalKey:
    return approval.unlock(data, passphrase, floor=floor)


def test_an_unlocked_key_approves() -> None:
    key = unlock()
    assert (key.officer, key.public) == (OFFICER, PUBLIC)
    given = key.approve(BODY, b"\1" * 32)
    assert (given.officer, given.method, given.kid) == (OFFICER, "key-file", PUBLIC.kid)
    release.verify_approval(BODY, given, PUBLIC)
    assert refusal(release.verify_approval, draft_release("my").body, given, PUBLIC) == "signature.invalid"


def test_a_wrong_passphrase_is_told_clearly() -> None:
    with pytest.raises(RefusedError, match=r"approval\.passphrase") as refused:
        unlock(passphrase="a boat at nightfall")
    assert refused.value.fix


def test_a_passphrase_is_the_same_on_every_keyboard() -> None:
    composed, decomposed = "caf\u00e9 at daybreak", "cafe\u0301 at daybreak"
    data, public = approval.create(composed, OFFICER, cost=CHEAP)
    assert unlock(data, decomposed).public == public


def test_a_short_passphrase_is_refused() -> None:
    assert refusal(approval.create, "short", OFFICER, cost=CHEAP) == "approval.passphrase-short"


def test_no_changed_file_opens() -> None:
    for data in flips(FILE)[::13]:
        assert refusal(unlock, data).split(".")[0] in {"cbor", "strongbox", "approval"}
    for data in (b"", FILE[:-1], FILE + b"\0"):
        assert refusal(unlock, data).startswith("cbor.")


def test_another_file_is_no_approval_key() -> None:
    keyring = Strongbox.create("keyring.1", PASSPHRASE, cost=CHEAP).seal(bytes(80))
    assert refusal(unlock, keyring) == "strongbox.format"
    for content in (bytes(79), bytes(81), b""):
        odd = Strongbox.create("approval.1", PASSPHRASE, cost=CHEAP).seal(content)
        assert refusal(unlock, odd) == "key.length"


@pytest.mark.parametrize("cost", [Cost(100 << 20, 3, 4), Cost(64 << 10, 1 << 20, 4), Cost(64 << 10, 3, 1 << 10)])
def test_a_hostile_file_cannot_eat_the_machine(cost: Cost) -> None:
    from rilon.crypto import strict

    fields = strict.loads(FILE, limit=4096)
    fields["header"]["cost"] = {"memory_kib": cost.memory_kib, "passes": cost.passes, "lanes": cost.lanes}
    assert refusal(unlock, strict.dumps(fields)) == "strongbox.cost"


def test_a_file_that_is_cheap_to_guess_is_not_opened_by_default() -> None:
    assert refusal(approval.unlock, FILE, PASSPHRASE) == "strongbox.cost"


def test_the_default_cost_opens_by_default() -> None:
    data, public = approval.create(PASSPHRASE, OFFICER, cost=Cost(64 * 1024, 3, 4))
    assert approval.unlock(data, PASSPHRASE).public == public


def test_an_unlocked_key_shows_nothing() -> None:
    assert repr(unlock()) == f"ApprovalKey({OFFICER}, {PUBLIC.kid.hex()})"
    assert not hasattr(unlock(), "__dict__")
