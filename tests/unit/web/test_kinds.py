"""The kinds of alert are found by plain words, in the reader's language or in English, and stay in their groups."""

from __future__ import annotations

import re

from rilon.domain.kinds import KINDS
from tests.web import pages


def listed(text: str) -> list[str]:
    return re.findall(r'<a href="/new\?kind=([A-Z-]+)', text)


async def test_words_find_kinds_in_their_groups_and_without_words_all_stand_there() -> None:
    async with pages() as node:
        officer = await node.signed_in()
        every = (await officer.get("/new")).text
        assert set(listed(every)) == {code for code, kind in KINDS.items() if not kind.exercise}
        boats = (await officer.get("/new?q=BOAT%20departure&circle=th.1")).text
        assert listed(boats) == ["MAR-DEPARTURE"]
        assert boats.count("<section><h2>") == 1
        assert "1 kind <a" in boats
        assert 'value="BOAT departure"' in boats
        assert 'name="circle" value="th.1"' in boats
        assert '/new?kind=MAR-DEPARTURE&amp;circle=th.1"' in boats
        none = (await officer.get('/new?q="><script>')).text
        assert "No kind has these words." in none
        assert "<script>" not in none
        part = (await officer.get("/new?q=boat", **{"hx-request": "true"})).text
        assert set(listed(part)) >= {"MAR-DEPARTURE", "MAR-VESSEL"}
        assert "<html" not in part


async def test_a_phone_needs_no_marks_and_other_scripts_keep_theirs() -> None:
    async with pages() as node:
        officer = await node.signed_in()
        plain, marked, english = [
            listed((await officer.get(f"/new?q={word}", **{"accept-language": "vi"})).text)
            for word in ("lua dao", "lừa đảo", "scam")
        ]
        assert plain == marked
        assert plain
        assert english
        thai = (await officer.get("/new?q=เรือ", **{"accept-language": "th"})).text
        assert "MAR-VESSEL" in listed(thai)
