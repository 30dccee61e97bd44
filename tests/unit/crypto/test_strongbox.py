"""A passphrase file opens with its passphrase, untouched, at a price within bounds; otherwise it is refused."""

from __future__ import annotations

import pytest

from rilon.crypto import strict
from rilon.crypto.strongbox import CEILING, COST, FLOOR, LIMIT_BYTES, Cost, Strongbox
from rilon.errors import MalformedError, RefusedError, RilonError
from tests.fakes.keys import CHEAP

SECRET = b"twelve grapes and a lantern"


def make(passphrase: str = "open sesame", kind: str = "keyring.1") -> bytes:
    return Strongbox.create(kind, passphrase, cost=CHEAP).seal(SECRET)


def changed(data: bytes, **header: object) -> bytes:
    file = strict.loads(data, limit=LIMIT_BYTES)
    file["header"].update(header)
    return strict.dumps(file)


def test_what_was_sealed_opens_and_can_be_written_back() -> None:
    box, content = Strongbox.unlock("keyring.1", make(), "open sesame", floor=CHEAP)
    assert content == SECRET
    again = box.seal(b"changed")
    assert Strongbox.unlock("keyring.1", again, "open sesame", floor=CHEAP)[1] == b"changed"
    assert box.reopen(again) == b"changed"


def test_no_two_writings_are_alike() -> None:
    box = Strongbox.create("keyring.1", "open sesame", cost=CHEAP)
    assert len({box.seal(SECRET) for _ in range(8)}) == 8


def test_the_same_passphrase_from_another_keyboard_opens() -> None:
    data = make("caf\N{LATIN SMALL LETTER E WITH ACUTE}")
    assert Strongbox.unlock("keyring.1", data, "cafe\N{COMBINING ACUTE ACCENT}", floor=CHEAP)[1] == SECRET


def test_bytes_that_are_no_text_are_a_passphrase_like_any_other() -> None:
    data = make(b"\xff\xfe".decode(errors="surrogateescape"))
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        Strongbox.unlock("keyring.1", data, "", floor=CHEAP)


def test_a_wrong_passphrase_is_refused_by_name() -> None:
    with pytest.raises(RefusedError) as refused:
        Strongbox.unlock("keyring.1", make(), "open sesam", floor=CHEAP)
    assert refused.value.code == "keyring.passphrase"
    assert "sesam" not in str(refused.value)


def test_a_box_locked_anew_is_not_reopened() -> None:
    box = Strongbox.create("keyring.1", "open sesame", cost=CHEAP)
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        box.reopen(make("open sesame"))


@pytest.mark.parametrize(
    "cost",
    [
        {"memory_kib": FLOOR.memory_kib - 1, "passes": 3, "lanes": 4},
        {"memory_kib": FLOOR.memory_kib, "passes": 2, "lanes": 4},
        {"memory_kib": FLOOR.memory_kib, "passes": 3, "lanes": 3},
        {"memory_kib": CEILING.memory_kib + 1, "passes": 3, "lanes": 4},
        {"memory_kib": FLOOR.memory_kib, "passes": CEILING.passes + 1, "lanes": 4},
        {"memory_kib": FLOOR.memory_kib, "passes": 3, "lanes": CEILING.lanes + 1},
    ],
)
def test_a_price_out_of_bounds_is_refused_before_anything_is_derived(cost: dict[str, int]) -> None:
    with pytest.raises(RefusedError, match=r"strongbox\.cost"):
        Strongbox.unlock("keyring.1", changed(make(), cost=cost), "open sesame")


def test_new_files_cost_more_than_the_floor_and_less_than_the_ceiling() -> None:
    assert COST.reaches(FLOOR)
    assert CEILING.reaches(COST)


def test_a_price_argon2_cannot_pay_is_no_file() -> None:
    with pytest.raises(MalformedError, match=r"cbor\.shape"):
        Strongbox.unlock(
            "keyring.1", changed(make(), cost={"memory_kib": 8, "passes": 1, "lanes": 2}), "x", floor=CHEAP
        )
    with pytest.raises(ValueError, match="8 KiB"):
        Cost(memory_kib=15, passes=1, lanes=2)


def test_a_file_of_another_kind_is_not_opened() -> None:
    with pytest.raises(MalformedError, match=r"strongbox\.format"):
        Strongbox.unlock("keyring.1", make(kind="officer.1"), "open sesame", floor=CHEAP)


def test_a_file_relabelled_as_another_kind_does_not_open() -> None:
    data = changed(make(kind="officer.1"), format="rilon.keyring.1")
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        Strongbox.unlock("keyring.1", data, "open sesame", floor=CHEAP)


def test_every_single_bit_flip_is_refused() -> None:
    data = make()
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(RilonError) as refused:
            Strongbox.unlock("keyring.1", bytes(flipped), "open sesame", floor=CHEAP)
        assert refused.value.code.startswith(("cbor.", "strongbox.", "keyring."))


def test_nothing_secret_shows() -> None:
    assert "sesame" not in repr(Strongbox.create("keyring.1", "open sesame", cost=CHEAP))
