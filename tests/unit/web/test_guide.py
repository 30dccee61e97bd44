"""Learn and help lead only where one may go."""

from __future__ import annotations

import re

import pytest

from rilon.domain.values import Role
from rilon.web.render import MANAGE, NAV
from tests.unit.web.test_screens import LATER, weight
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
