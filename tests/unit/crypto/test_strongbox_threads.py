"""Two derivations at once: without the lock both wait for ever in OpenSSL's pool of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from rilon.crypto.strongbox import Cost, Strongbox


def test_boxes_are_made_in_several_threads_at_once() -> None:
    cost = Cost(memory_kib=16 * 1024, passes=2, lanes=4)
    with ThreadPoolExecutor(4) as pool:
        boxes = [pool.submit(Strongbox.create, "test.1", f"passphrase {n}", cost=cost) for n in range(8)]
        sealed = [box.result(timeout=60).seal(b"content") for box in boxes]
    assert len(set(sealed)) == 8
