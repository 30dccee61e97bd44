"""What every ``LinkStore`` keeps."""

from __future__ import annotations

from hashlib import sha256

import pytest

from rilon.app.link_facts import Facts, Selected
from rilon.app.ports import LinkStore
from rilon.errors import ConflictError

FACTS = Facts(b"l" * 16, 7, b"o" * 32, 5, 4, b"h" * 32, {2: "content.digest", 3: "x"}, "link.fork")


def entries(peer: str, *numbers: int) -> list[Selected]:
    return [Selected(peer, n, n * 10, sha256(bytes([n])).digest()) for n in numbers]


class LinkStoreContract:
    @pytest.fixture
    async def store(self) -> LinkStore:
        raise NotImplementedError

    async def test_a_new_log_has_no_links(self, store: LinkStore) -> None:
        assert await store.load() == (0, {})
        assert await store.selected("th", 1, 100) == []

    async def test_what_was_saved_is_loaded(self, store: LinkStore) -> None:
        await store.load()
        await store.save(0, 20, entries("th", 1, 2), {"th": FACTS, "my": Facts()})
        await store.save(20, 30, entries("th", 3) + entries("my", 1), {"my": FACTS})
        assert await store.load() == (30, {"th": FACTS, "my": FACTS})
        assert await store.selected("th", 2, 9) == entries("th", 2, 3)
        assert await store.selected("my", 1, 1) == entries("my", 1)

    async def test_nothing_may_be_brought(self, store: LinkStore) -> None:
        await store.load()
        await store.save(0, 5, [], {})
        assert await store.load() == (5, {})

    async def test_two_couriers_do_not_both_read_on(self, store: LinkStore) -> None:
        await store.load()
        await store.save(0, 20, entries("th", 1), {"th": FACTS})
        with pytest.raises(ConflictError, match=r"links\.moved"):
            await store.save(0, 30, entries("th", 2), {"th": Facts()})
        assert await store.load() == (20, {"th": FACTS})
        assert await store.selected("th", 1, 9) == entries("th", 1)
