"""Pictures show what the board shows, in a picture, a table and a file; and every Member is on the map."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re

from rilon.domain.members import COUNTRIES, MEMBERS, POSITIONS
from rilon.domain.values import Role, Urgency
from rilon.web import charts
from rilon.web.render import static
from tests.nodes import draft_of
from tests.unit.web.test_screens import post
from tests.web import found, pages

MAP_BYTES = 80 * 1024


def test_every_country_has_a_place_and_every_member_a_mark_of_its_own() -> None:
    assert set(POSITIONS) == set(COUNTRIES)
    for name, (left, upper, width, height) in charts.FRAMES.items():
        marks = charts.marks(name)
        assert {m.member for m in marks} == {m.id for m in MEMBERS.values() if m.alpha2}
        assert all(left <= m.x <= left + width and upper <= m.y <= upper + height for m in marks)
        labels = [(m.label_x, m.label_y) for m in marks]
        assert not [1 for a, b in itertools.combinations(labels, 2) if abs(a[0] - b[0]) < 36 and abs(a[1] - b[1]) < 28]
    inside = {m.member for m in charts.marks("region") if 580 < m.x < 2190}
    assert inside >= {"ki", "mv", "nr", "pw", "sb", "to", "vu", "ws", "fj", "sg", "tl", "nc", "th", "id"}


async def test_the_map_counts_what_the_officers_board_shows_and_no_more() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        where = await post(officer)
        text = (await officer.get("/pictures/map")).text
        assert 'aria-label="Cambodia: 1"' in text
        listed = (await officer.get("/pictures/map?at=KH")).text
        assert where in listed
        assert where not in (await officer.get("/pictures/map?at=TH")).text
        assert (await auditor.get("/pictures/map")).status_code == 403
        for address in ("from=99999&to=-1&family=<b>&view=../x&at=QQ", "from=0&to=1"):
            answer = await officer.get(f"/pictures/map?{address}")
            assert answer.status_code == 200
            assert "<b>&" not in answer.text
        assert "0 alerts" in (await officer.get("/pictures/map?from=0&to=1")).text


async def test_the_files_say_what_the_tables_say_and_start_no_program() -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        await post(officer)
        told = {}
        for name in ("map", "trend"):
            answer = await officer.get(f"/pictures/{name}.csv")
            assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
            told[name] = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert told["map"] == [["country", "name", "alerts", "urgent"], ["KH", "Cambodia", "1", "0"]]
        head, row = told["trend"]
        assert (len(head), row[0], sum(map(int, row[2:]))) == (14, "TIP-RECRUIT", 1)
    evil = ("=1+1", "+1", "-1", "@x", "\tx", "\r=x", "fine")
    ((*cells,),) = csv.reader(io.StringIO(charts.csv_text([evil]).removeprefix("\ufeff"), newline=""))
    assert [cell[0] for cell in cells] == ["'"] * 6 + ["f"]


async def test_times_are_drawn_told_and_filed_alike() -> None:
    async with pages(knows=("my", "id")) as node:
        focal = await node.node.approver()
        kept = draft_of("TIP-RECRUIT", "id", "my", urgency=Urgency.HIGH)
        item = await node.node.post((await node.node.officer()), kept)
        node.node.clock.forward(minutes=119)
        await node.node.approve(item, focal)
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        admin = await node.signed_in(Role.ADMINISTRATOR)
        text = (await officer.get("/pictures/times")).text
        assert "2 deliveries" in text
        assert "2 still wait." in text
        assert "From asked to decided" not in text
        seen = (await auditor.get("/pictures/times")).text
        assert "Half took no longer than 119 min" in seen
        assert "/pictures/map" not in seen
        assert "0 deliveries" in (await officer.get("/pictures/times?urgency=normal")).text
        assert (await admin.get("/pictures/times")).status_code == 403
        answer = await auditor.get("/pictures/times.csv")
        head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
        told = [dict(zip(head, row, strict=True)) for row in rows]
        (decided,) = (r for r in told if (r["what"], r["by"]) == ("approvals", "urgency"))
        assert (decided["of"], decided["done"], decided["median_s"], decided["late"]) == ("high", "1", "7140", "0")
        assert [r["of"] for r in told if r["by"] == "member"] == ["id", "my"]
        assert len({r["as_of"] for r in told}) == 1


async def test_links_are_drawn_told_and_filed_alike() -> None:
    async with pages(knows=("my", "id")) as node:
        auditor, officer = await node.signed_in(Role.AUDITOR), await node.signed_in()
        text = (await auditor.get("/pictures/network")).text
        assert "2 of 2 links are up." in text
        assert text.count('class="up"') == 2
        assert "/pictures/network" in (await auditor.get("/network")).text
        answer = await auditor.get("/pictures/network.csv")
        head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
        assert head == ["member", "name", "at", "standing", "waited_s", "heard_at"]
        assert [row[0] for row in rows] == ["id"] * 28 + ["my"] * 28
        assert {row[3] for row in rows} == {"unknown", "up"}
        for path in ("/pictures/network", "/pictures/network.csv"):
            assert (await officer.get(path)).status_code == 403
    assert charts.stripes(["unknown", "up", "behind", "up"]) == {
        "up": "M10 7h9v3h-9zM30 7h9v3h-9z",
        "behind": "M20 4h9v6h-9z",
    }


async def test_a_map_page_is_light() -> None:
    async with pages(knows=("my", "id")) as node:
        officer = await node.signed_in()
        await post(officer)
        page = (await officer.get("/pictures/map?view=world")).text
        assets = {found(path, r"/static/([a-z.]+)") for path in re.findall(r"/static/[a-z.]+\?", page)}
        assert assets == {"app.js", "site.css", "land.svg"}
        weight = sum(len(gzip.compress(part, 6)) for part in (page.encode(), *map(static, assets)))
        assert weight < MAP_BYTES
        assert len(gzip.compress(page.encode(), 6)) < 12 * 1024


async def test_a_count_is_of_a_moment_ago_and_of_nobody_else() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, other = await node.signed_in(), await node.signed_in()
        assert "0 alerts" in (await officer.get("/pictures/map")).text
        await post(officer)
        assert "0 alerts" in (await officer.get("/pictures/map")).text
        assert "1 alerts" in (await other.get("/pictures/map")).text
        node.node.clock.forward(seconds=5)
        assert "1 alerts" in (await officer.get("/pictures/map")).text
