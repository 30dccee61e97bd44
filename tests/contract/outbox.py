"""What every ``Outbox`` keeps, and what every ``Pager`` does with a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rilon.app.outbox import Message, Outbox, Pager, Queued, Sender
from rilon.domain.reach import Way
from rilon.domain.values import Urgency
from rilon.errors import ConflictError, RefusedError, UnavailableError

AT = datetime(2026, 5, 3, 3, 0, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)
FIRST, SECOND = UUID(int=7), UUID(int=8)


def queued(position: int, officer: UUID = ANN, way: Way = Way.MAIL, minutes: int = 0) -> Queued:
    due = AT + timedelta(minutes=minutes)
    return Queued(officer, position, way, "item.received", Urgency.HIGH if position % 2 else None, due)


class OutboxContract:
    @pytest.fixture
    async def outbox(self) -> Outbox:
        raise NotImplementedError

    @pytest.fixture
    async def filled(self, outbox: Outbox) -> Outbox:
        await outbox.add(None, 10, ())
        await outbox.add(10, 15, [queued(12), queued(11), queued(13, BOB), queued(14, way=Way.PHONE)])
        return outbox

    async def test_what_was_never_read_is_told_apart(self, outbox: Outbox) -> None:
        assert await outbox.load() is None
        await outbox.add(None, 0, ())
        assert await outbox.load() == 0

    async def test_what_is_due_comes_oldest_first_by_its_way(self, filled: Outbox) -> None:
        await filled.add(15, 16, [queued(16, minutes=5)])
        assert await filled.due(Way.MAIL, AT) == [queued(11), queued(12), queued(13, BOB)]
        assert await filled.due(Way.PHONE, AT) == [queued(14, way=Way.PHONE)]
        assert await filled.due(Way.MAIL, AT - timedelta(seconds=1)) == []
        assert len(await filled.due(Way.MAIL, AT + timedelta(minutes=5))) == 4
        assert await filled.load() == 16

    async def test_two_processes_do_not_both_read_on(self, filled: Outbox) -> None:
        with pytest.raises(ConflictError, match=r"outbox\.moved"):
            await filled.add(10, 15, [queued(15)])
        with pytest.raises(ConflictError, match=r"outbox\.moved"):
            await filled.add(None, 15, ())
        assert (await filled.load(), len(await filled.due(Way.MAIL, AT))) == (15, 3)

    async def test_a_message_stays_one(self, filled: Outbox) -> None:
        await filled.bind([queued(11), queued(12)], FIRST)
        await filled.add(15, 16, [queued(16)])
        found = await filled.due(Way.MAIL, AT)
        assert [(q.position, q.message) for q in found] == [(11, FIRST), (12, FIRST), (13, None), (16, None)]

    async def test_later_counts_the_tries(self, filled: Outbox) -> None:
        await filled.bind([queued(11)], FIRST)
        await filled.postpone(FIRST, AT + timedelta(minutes=2))
        assert [q.position for q in await filled.due(Way.MAIL, AT)] == [12, 13]
        again = (await filled.due(Way.MAIL, AT + timedelta(minutes=2)))[-1]
        assert again == replace(queued(11, minutes=2), message=FIRST, tries=1)

    async def test_what_went_out_is_forgotten_and_not_the_rest(self, filled: Outbox) -> None:
        await filled.bind([queued(11)], FIRST)
        await filled.bind([queued(13, BOB)], SECOND)
        await filled.settle(FIRST)
        assert [q.position for q in await filled.due(Way.MAIL, AT)] == [12, 13]
        await filled.drop(ANN)
        assert [q.position for q in await filled.due(Way.MAIL, AT)] == [13]
        assert await filled.due(Way.PHONE, AT) == []

    async def test_what_waits_too_long_is_counted(self, filled: Outbox) -> None:
        assert await filled.waiting(AT) == 0
        assert await filled.waiting(AT + timedelta(seconds=1)) == 4
        await filled.bind([queued(11)], FIRST)
        await filled.postpone(FIRST, AT + timedelta(hours=1))
        assert await filled.waiting(AT) == 1


MESSAGE = Message(
    UUID(int=0x77), "night@example.org", Sender("th", "real", "https://th.example/inbox"), AT, 2,
    ("item.overdue", "item.received"), Urgency.LIFE_AT_RISK,
)  # fmt: skip
REFUSED = replace(MESSAGE, to="nobody@example.org")


class PagerContract:
    """``delivered`` tells what came out at the other end, as (id, everything that was said)."""

    @pytest.fixture
    async def pager(self) -> Pager:
        raise NotImplementedError

    @pytest.fixture
    async def dead(self) -> Pager:
        """One that nobody answers."""
        raise NotImplementedError

    async def delivered(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    async def test_a_message_comes_out_with_its_id_and_no_more_than_it_says(self, pager: Pager) -> None:
        await pager.send(MESSAGE)
        await pager.send(MESSAGE)
        first, second = await self.delivered()
        assert first[0] == second[0]
        assert "2 notices, the most urgent: life at risk" in first[1]
        assert "https://th.example/inbox" in first[1]
        assert MESSAGE.to not in repr(MESSAGE)

    async def test_an_address_can_be_refused(self, pager: Pager) -> None:
        with pytest.raises(RefusedError, match=r"pager\.refused") as told:
            await pager.send(REFUSED)
        assert REFUSED.to not in str(told.value)
        assert await self.delivered() == []

    async def test_a_way_can_be_away(self, dead: Pager) -> None:
        with pytest.raises(UnavailableError) as told:
            await dead.send(MESSAGE)
        assert told.value.code.startswith("pager.")
        assert MESSAGE.to not in str(told.value)
