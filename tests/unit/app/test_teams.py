"""Teams, assignment and watch: they say who should look, and never let anybody see an item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rilon.app.notices import About, Notices
from rilon.domain.team import Team
from rilon.domain.values import Role, Sealed
from rilon.errors import ConflictError, MalformedError, NotFoundError, RefusedError, RilonError
from rilon.front.views import task_entries
from tests.api import ApiNode, api_of
from tests.nodes import Person, acquaint, draft_of, memory_node, pump

ABSENT = UUID(int=42)


@dataclass
class Scene:
    """A node that holds another's item for its duty desk."""

    api: ApiNode
    item: UUID
    focal: Person

    @property
    def desks(self) -> Any:
        return self.api.node.desks

    async def reader(self, desk: str = "duty") -> Person:
        return await self.api.node.officer(desk=desk)

    async def team(self, *people: Person) -> UUID:
        team = UUID(bytes=(await self.desks.teams.form(self.focal.caller, "Fictional Harbour Team")).answer)
        for person in people:
            await self.desks.teams.join(self.focal.caller, team, person.id)
        await self.api.settle()
        return team

    async def awaits(self, person: Person, of: str) -> list[UUID]:
        await self.api.settle()
        services = self.api.services
        found = await task_entries(services.views, services.tasks, person.caller, services.clock.now(), "id", of)
        return [place[1] for place, _, _ in found]


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    th, id_ = await memory_node("th"), await memory_node("id", seed=1)
    await acquaint(th, id_)
    draft = draft_of("TIP-RECRUIT", "id", audience={"members": ["id"], "readers": ["desk:duty"]})
    item = await th.post(await th.officer(), msgspec.convert(msgspec.to_builtins(draft), type(draft)))
    await th.approve(item, await th.approver())
    assert set(await pump(th, id_)) == {""}
    async with api_of(id_) as api:
        yield Scene(api, item, await id_.officer(Role.FOCAL_POINT))


def who(person: Person) -> str:
    return f"officer:{person.caller.ref}"


async def test_an_item_awaits_whom_it_was_given_to_their_team_and_who_watches() -> None:
    async with scene() as s:
        ann, bob = await s.reader(), await s.reader()
        team = await s.team(ann, bob)
        care = s.desks.care
        await care.assign(ann.caller, "th", s.item, who(bob))
        await care.assign(ann.caller, "th", s.item, f"team:{team.hex}")
        await care.watch(ann.caller, "th", s.item, on=True)
        assert await s.awaits(bob, "mine") == [s.item]
        assert await s.awaits(ann, "mine") == []
        assert await s.awaits(ann, "team") == [s.item]
        assert await s.awaits(ann, "watching") == [s.item]
        shown = await care.show(ann.caller, "th", s.item)
        assert (set(shown.keepers), shown.watching) == ({who(bob), f"team:{team.hex}"}, True)
        await care.unassign(bob.caller, "th", s.item, who(bob))
        await care.watch(ann.caller, "th", s.item, on=False)
        await s.desks.teams.leave(bob.caller, team, bob.id)
        assert (await s.awaits(bob, "mine"), await s.awaits(bob, "team"), await s.awaits(ann, "watching")) == (
            [],
            [],
            [],
        )
        await s.desks.teams.dissolve(s.focal.caller, team)
        assert await s.awaits(ann, "team") == []
        with pytest.raises(NotFoundError):
            await care.assign(s.focal.caller, "th", s.item, f"team:{team.hex}")


async def refusal(attempt: Any) -> tuple[type[RilonError], str, str]:
    with pytest.raises(RilonError) as told:
        await attempt
    return type(told.value), told.value.code, told.value.message


@pytest.mark.parametrize("what", ["show", "assign", "unassign", "watch", "unwatch"])
async def test_who_may_not_see_it_hears_what_they_hear_of_an_absent_one(what: str) -> None:
    async with scene() as s:
        insider = await s.reader()
        await s.desks.care.assign(insider.caller, "th", s.item, who(insider))
        await s.desks.care.watch(insider.caller, "th", s.item, on=True)
        outsiders = [await s.reader("elsewhere"), await s.api.node.officer(Role.AUDITOR, desk="duty")]
        outsiders.append(await s.api.node.officer(Role.ADMINISTRATOR, desk="duty"))
        before = await s.api.node.stored()
        for outsider in outsiders:
            told = [await refusal(attempt(s, what, outsider, item)) for item in (s.item, ABSENT)]
            assert told[0] == told[1]
            assert told[0][0] is NotFoundError
            own = [await refusal(attempt(s, what, outsider, ABSENT, "id"))]
            assert own == told[:1]
        assert await s.api.node.stored() == before


async def attempt(s: Scene, what: str, by: Person, item: UUID, origin: str = "th") -> Any:
    care = s.desks.care
    if what == "show":
        return await care.show(by.caller, origin, item)
    if what in {"assign", "unassign"}:
        return await getattr(care, what)(by.caller, origin, item, who(by))
    return await care.watch(by.caller, origin, item, on=what == "watch")


async def test_giving_it_to_somebody_who_may_not_see_it_is_refused_and_changes_nothing() -> None:
    async with scene() as s:
        insider, outsider, stranger = await s.reader(), await s.reader("elsewhere"), await s.reader("elsewhere")
        mixed, blind = await s.team(insider, outsider), await s.team(outsider, insider)
        await s.desks.teams.leave(s.focal.caller, blind, insider.id)
        care = s.desks.care
        assert (await refusal(care.assign(insider.caller, "th", s.item, who(outsider))))[1] == "task.cannot-read"
        assert (await refusal(care.assign(s.focal.caller, "th", s.item, f"team:{blind.hex}")))[0] is RefusedError
        assert (await refusal(care.assign(insider.caller, "th", s.item, who(stranger))))[0] is NotFoundError
        assert (await refusal(care.assign(insider.caller, "th", s.item, f"officer:{ABSENT.hex}")))[0] is NotFoundError
        assert (await refusal(care.assign(insider.caller, "th", s.item, f"team:{blind.hex}")))[0] is NotFoundError
        assert (await refusal(care.assign(insider.caller, "th", s.item, "officer:x")))[0] in {
            NotFoundError,
            MalformedError,
        }
        await care.assign(insider.caller, "th", s.item, f"team:{mixed.hex}")
        assert await s.awaits(insider, "team") == [s.item]
        assert await s.awaits(outsider, "team") == []


STEP = st.tuples(st.sampled_from(["assign", "unassign", "watch", "unwatch"]), st.integers(0, 3), st.integers(0, 3))


@given(steps=st.lists(STEP, max_size=12))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_history_of_tasks_shows_an_item_to_anybody_else(steps: list[tuple[str, int, int]]) -> None:
    async with scene() as s:
        people = [await s.reader(), await s.reader(), await s.reader("elsewhere"), await s.reader("elsewhere")]
        await s.team(*people)
        await s.api.settle()
        for what, by, to in steps:
            caller, care = people[by].caller, s.desks.care
            with suppress(NotFoundError, RefusedError):
                if what in {"assign", "unassign"}:
                    await getattr(care, what)(caller, "th", s.item, who(people[to]))
                else:
                    await care.watch(caller, "th", s.item, on=what == "watch")
        for person in people[2:]:
            assert [await s.awaits(person, of) for of in ("mine", "team", "watching")] == [[], [], []]
            views = s.api.services.views
            assert await views.entry(person.caller, s.api.services.clock.now(), "th", s.item) is None


async def test_names_are_for_who_is_in_the_team_and_lie_sealed() -> None:
    async with scene() as s:
        ann, bob, other = await s.reader(), await s.reader(), await s.reader()
        team = await s.team(ann, bob)
        (shown,) = await s.desks.teams.all(ann.caller)
        assert shown.name == "Fictional Harbour Team"
        assert {m.name for m in shown.members} == {"Fictional Officer"}
        assert await s.desks.teams.all(other.caller) == []
        assert [t.id for t in await s.desks.teams.all(s.focal.caller)] == [team]
        assert "Harbour" not in repr(await s.api.node.events())
        for refused in (
            s.desks.teams.form(ann.caller, "x"),
            s.desks.teams.join(ann.caller, team, other.id),
            s.desks.teams.leave(ann.caller, team, bob.id),
            s.desks.teams.dissolve(ann.caller, team),
        ):
            assert (await refusal(refused))[1] == "permission.denied"


async def test_who_was_given_it_hears_so_and_nobody_else() -> None:
    async with scene() as s:
        ann, bob, cat = await s.reader(), await s.reader(), await s.reader()
        team = await s.team(ann, bob)
        await s.desks.care.assign(ann.caller, "th", s.item, who(bob))
        await s.desks.care.assign(ann.caller, "th", s.item, f"team:{team.hex}")
        told = [await Notices(s.desks.work).of(r) for r in await s.api.node.log.page(0, 10_000)]
        first, second = [t for t in told if t and t.notice.about is About.ASSIGNED]
        assert [first.concerns(p.caller) for p in (ann, bob, cat)] == [False, True, False]
        assert [second.concerns(p.caller) for p in (ann, bob, cat)] == [False, True, False], "not to who gave it"


def test_a_team_has_an_end() -> None:
    at, ref = datetime(2026, 5, 3, tzinfo=UTC), "a" * 32
    team = Team.form(UUID(int=1), ref, Sealed(b"s" * 32, b"d" * 32, b"c" * 32), at)
    for n in range(200):
        team.join(f"{n:032x}", ref, at)
    team.join(f"{0:032x}", ref, at)
    with pytest.raises(ConflictError, match=r"team\.full"):
        team.join("f" * 32, ref, at)
    team.dissolve(ref, at)
    for act in (lambda: team.join("f" * 32, ref, at), lambda: team.dissolve(ref, at), lambda: team.leave(ref, ref, at)):
        with pytest.raises(NotFoundError):
            act()
