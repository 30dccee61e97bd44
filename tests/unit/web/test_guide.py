"""Learn and help lead only where one may go."""

from __future__ import annotations

import re

import pytest

from rilon.domain.values import Role
from rilon.web.render import MANAGE, NAV
from tests.unit.web.test_screens import LATER, post, weight
from tests.web import pages


@pytest.mark.parametrize("role", list(Role))
async def test_every_step_of_the_tour_and_every_word_of_the_menu_opens(role: Role) -> None:
    async with pages(knows=("my",)) as node:
        somebody = await node.signed_in(role)
        said = (await somebody.get("/learn")).text
        steps = re.findall(r'<a class="title" href="([^"]+)"', said)
        for path in (*steps, "/help", "/me"):
            answer = await somebody.get(path)
            assert answer.status_code == 200, path
            assert weight(answer.text) <= LATER, path
            for to in re.findall(r'<nav.*?href="(/[^"]*)"', answer.text):
                assert (await somebody.get(to)).status_code == 200, to


def ticks(page: str) -> dict[str, str]:
    """What stands beside each step, by where it leads."""
    rows = re.findall(r'<a class="title" href="([^"]+)".*?class="chip[^"]*"><span[^>]*>(.)</span> ([^<]+)</span>', page)
    return {to: f"{sign} {words}" for to, sign, words in rows}


async def test_a_step_that_is_done_is_ticked_for_whom_it_was_and_for_nobody_else() -> None:
    done, open_, looked = "✓ You have done this", "○ Still to do", "· Looking is not recorded"
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        before = ticks((await officer.get("/learn")).text)
        assert before["/new"] == before["/inbox?tab=ours"] == before["/inbox?tab=all"] == open_
        assert before["/may-i-share"] == looked
        item = (await post(officer)).rpartition("/")[2]
        page = (await officer.get("/learn")).text
        assert ticks(page) == before | {"/new": done}
        assert "1 of 3 steps" in page
        theirs = ticks((await focal.get("/learn")).text)
        assert (theirs["/new"], theirs["/approvals"]) == (open_, open_)
        assert (await focal.approve(item)).status_code == 303
        assert ticks((await focal.get("/learn")).text) == theirs | {"/approvals": done}
        recalled = await officer.form(
            f"/items/th/{item}/recall", ground="mistake", reason="Invented.", once="r", member="my"
        )
        assert recalled.status_code == 303, recalled.text
        assert ticks((await officer.get("/learn")).text) == before | {"/new": done, "/inbox?tab=ours": done}


async def test_help_names_desks_and_no_person() -> None:
    async with pages() as node:
        officer, _ = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        said = (await officer.get("/help")).text
        assert "National focal point" in said
        assert "Fictional Officer" not in said
        assert "180 days" in said


def test_no_page_stands_in_the_menu_twice() -> None:
    paths = [path for path, *_ in (*NAV, *MANAGE)]
    assert len(set(paths)) == len(paths)
