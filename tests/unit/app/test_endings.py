"""Before an item is reviewed or ends, its author and the focal points are told, once; a correction begins anew."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rilon.app.endings import AHEAD, Endings
from rilon.app.follower import catch_up
from rilon.app.notices import About, Notices
from rilon.domain.alert import Alert
from rilon.domain.values import Role
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, Person, draft_of, introduce, memory_node

DAY = timedelta(days=1)


def ending(review: float, end: float) -> dict[str, str]:
    return {"review_by": (NOW + review * DAY).isoformat(), "expires_at": (NOW + end * DAY).isoformat()}


async def posted(review: float, end: float) -> tuple[MemoryNode, Person, UUID]:
    node = await memory_node("th")
    await introduce(node, await memory_node("id"))
    author = await node.officer()
    return node, author, await node.post(author, draft_of("TIP-RECRUIT", "id", handling=ending(review, end)))


async def warned(node: MemoryNode, days: float, endings: Endings | None = None) -> list[tuple[int, str]]:
    """All warnings until so many days after the posting, by a program that has just started."""
    endings = endings or Endings(node.desks.work)
    node.clock.at = NOW + days * DAY
    await catch_up(node.log, endings)
    await endings.tend()
    return [(e.version, e.ending) for e in await node.events() if isinstance(e, Alert.Warned)]


async def test_people_are_warned_in_time_and_once() -> None:
    node, *_ = await posted(60, 180)
    endings, ahead = Endings(node.desks.work), AHEAD / DAY
    assert await warned(node, 60 - ahead - 1, endings) == []
    assert await warned(node, 60 - ahead, endings) == [(1, "review")]
    assert await warned(node, 60 - ahead) == [(1, "review")]  # after a restart
    assert await warned(node, 180 - ahead - 1, endings) == [(1, "review")]
    assert await warned(node, 180 - ahead, endings) == [(1, "review"), (1, "expiry")]


async def test_of_what_is_short_only_the_last_quarter_is_near() -> None:
    node, *_ = await posted(8, 8)
    assert await warned(node, 5.9) == []
    assert await warned(node, 6) == [(1, "expiry")]  # which is its review too: once is enough


async def test_a_correction_is_warned_of_anew_and_what_is_over_is_not() -> None:
    node, author, item = await posted(8, 8)
    assert await warned(node, 6) == [(1, "expiry")]
    await node.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "id", handling=ending(8, 8)))
    assert await warned(node, 7.9) == [(1, "expiry"), (2, "expiry")]
    node, author, item = await posted(8, 8)
    await node.desks.alerts.withdraw(author.caller, item, "It is over.")
    assert await warned(node, 7) == []
    node, *_ = await posted(8, 8)
    assert await warned(node, 9) == []  # a node that was down


async def test_its_author_and_the_focal_points_hear_it_and_nobody_else() -> None:
    node, author, _ = await posted(60, 180)
    focal, colleague = await node.officer(Role.FOCAL_POINT, desk="unit"), await node.officer()
    await warned(node, 179)
    notices = Notices(node.desks.work)
    told = [t for r in await node.log.page(0, 10**6) if (t := await notices.of(r)) is not None]
    near = [t for t in told if t.notice.about in {About.REVIEW_NEAR, About.END_NEAR}]
    assert [t.notice.about for t in near] == [About.REVIEW_NEAR, About.END_NEAR]
    people = (author, focal, colleague, await node.officer(Role.AUDITOR))
    assert [[t.concerns(p.caller) for p in people] for t in near] == [[True, True, False, False]] * 2
