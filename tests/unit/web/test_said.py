"""Who will see one's own alert, and what was answered from here about another's: on the item's page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rilon.domain.alert import Ending
from rilon.domain.clocks import Pause, Told
from rilon.domain.happened import Happened
from rilon.domain.values import Role
from rilon.web.history import in_words
from rilon.web.words import spelled
from tests.nodes import introduce, memory_node, pump
from tests.unit.web.test_acts import written
from tests.unit.web.test_screens import post
from tests.web import pages, pages_of

WAITS = '<span class="chip ask">Waits for your focal point</span>'


async def test_who_can_see_it_names_those_for_whom_it_waits_to_who_may_know() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, colleague = await node.signed_in(), await node.signed_in()
        where = await post(officer, member=["my"])
        said = (await officer.get(f"{where}?tab=seen-by")).text
        assert said.count(WAITS) == 1
        assert said.index('<th scope="row">Malaysia</th>') < said.index("Personal data") < said.index(WAITS)
        assert "It has not left this node." in said
        other = await colleague.get(f"{where}?tab=seen-by")
        assert (other.status_code, WAITS in other.text) == (200, False), "as before: its author and who decides"
        focal = await node.signed_in(Role.FOCAL_POINT)
        assert WAITS in (await focal.get(f"{where}?tab=seen-by")).text
        await focal.approve(where.rpartition("/")[2])
        after = (await officer.get(f"{where}?tab=seen-by")).text
        assert WAITS not in after
        assert "Malaysia" in after


def test_codes_of_fields_are_called_by_their_names() -> None:
    assert spelled("DOC-FRAUD", "issuing_state", "PH") == ["Philippines"]
    assert spelled("DOC-FRAUD", "document_kind", "seaman_book") == ["Seaman book"]
    assert spelled("INC-FATAL", "cause", ["drowning", "harsh_conditions"]) == ["Drowning", "Harsh conditions"]
    assert spelled("DOC-FRAUD", "persons", [{"role": "possible_victim"}]) == ["Possible victim"]
    assert spelled("DOC-FRAUD", "how_detected", "PH") == ["PH"]
    assert spelled("NO-SUCH-KIND", "issuing_state", "PH") == ["PH"]


async def test_a_holder_finds_its_own_acknowledgement_and_answers_in_the_history() -> None:
    async with pages_of(await memory_node("th", seed=1)) as th, pages_of(await memory_node("my", seed=2)) as my:
        await introduce(th.node, my.node)
        await introduce(my.node, th.node)
        officer, focal = await th.signed_in(), await th.signed_in(Role.FOCAL_POINT)
        reader, colleague = await my.signed_in(), await my.signed_in()
        where = await post(officer, member=["my"])
        await focal.approve(where.rpartition("/")[2])
        assert set(await pump(th.node, my.node)) == {""}
        await my.services.shown(0)
        done = await reader.form(f"{where}/acknowledge", once="a")
        part = {"hx-request": "true", "hx-target": "section#got"}
        told = '<p class="notice good" role="status" tabindex="-1">Acknowledged. The originator is told.</p>'
        assert f'<div id="got">{told}</div>' in (await reader.get(done.headers["location"], **part)).text
        assert told not in (await reader.get(done.headers["location"])).text, "a whole page tells it at its head"
        words = "Seen at a fictional <pier>."
        assert (await reader.form(f"{where}/reply", kind="reply.sighting", text=words, once="b")).status_code == 303
        mine, theirs = [(await who.get(f"{where}?tab=history")).text for who in (reader, colleague)]
        for said in (mine, theirs):
            assert said.index("Malaysia: Seen here") < said.index("Malaysia has acknowledged it.")
            assert "Seen at a fictional &lt;pier&gt;." in said
            assert "Received from Thailand" in said
        assert "has acknowledged it. · You" in mine
        assert "has acknowledged it. · Officer" in theirs
        assert "fictional &lt;pier&gt;" not in (await reader.get(where)).text
        await reader.form(f"{where}/open", sensitivity="nominal", purpose="investigate_trafficking")
        order = {"member": "my", "sensitivity": "nominal", "ground": "mistake", "reason": "Another (invented)."}
        assert (await officer.form(f"{where}/recall", **order, once="c")).status_code == 303
        assert set(await pump(th.node, my.node)) == {""}
        await my.services.shown(0)
        mine, theirs = [(await who.get(f"{where}?tab=history")).text for who in (reader, colleague)]
        for text in (mine, theirs):
            said = "Thailand has recalled: Personal data."
            assert text.index(said) < text.index("Opened here: Personal data.") < text.index("Malaysia: Seen here")
        assert "Opened here: Personal data. Purpose: Investigate trafficking. · You" in mine
        assert "Opened here: Personal data. Purpose: Investigate trafficking.</p>" in theirs


async def test_the_history_of_an_item_of_ours_names_all_that_happened_to_it_here() -> None:
    async with pages(knows=("my",)) as node:
        officer, colleague = await node.signed_in(), await node.signed_in()
        where = await post(officer, member=["my"])
        form = written((await officer.form(f"{where}/correct", purpose="prosecution")).text)
        assert (await officer.form(f"{where}/correct", **form | {"once": ["c"]})).status_code == 303
        assert (await officer.form(f"{where}/withdraw", reason="Mistake.", once="w")).status_code == 303
        await node.services.shown(0)
        mine, theirs = [(await who.get(f"{where}?tab=history")).text for who in (officer, colleague)]
        assert "· You</p>" not in theirs
        assert "<p>Opened here: Personal data. Purpose: Prosecution.</p>" in theirs
        for said in (
            "Thailand has withdrawn it. · You",
            "Thailand has replaced version 1 by a newer one. · You",
            "Opened here: Personal data. Purpose: Prosecution. · You",
            "Thailand has posted it. · You",
        ):
            _, found, mine = mine.partition(f"<p>{said}</p>")
            assert found, said


@pytest.mark.parametrize(
    ("what", "code"),
    [
        *(("paused", why) for why in Pause),
        *(("escalated", told) for told in Told),
        ("ended", "withdrawn"),
        ("ended", "closed"),
        *(("warned", ending) for ending in Ending),
        ("erase-ordered", ""),
        *((what, "") for what in ("posted", "recovered", "forked", "sections-erased")),
    ],
)
def test_every_code_of_what_happened_has_a_sentence(what: str, code: str) -> None:
    assert in_words(Happened(datetime(2026, 5, 3, tzinfo=UTC), what, code=code), "th", "my").endswith(".")
