"""What belongs together: exactly the facts of a made history, and of what one may not see nothing at all."""

from __future__ import annotations

import csv
import io
from math import hypot
from typing import Any
from uuid import UUID

from rilon.domain.values import Role, Source
from rilon.web import charts
from tests.api import Client, api_node
from tests.nodes import draft_of
from tests.unit.api.test_pages import story
from tests.web import pages

STRICT = {"tlp": "TLP:AMBER+STRICT"}


async def chart(who: Client, item: UUID) -> tuple[dict[str, int], set[tuple[str, str, str]]]:
    """Rings by reference, and every tie."""
    answer = await who.get(f"/v1/pictures/links/th/{item}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    refs = {node["id"]: node["ref"] for node in found["nodes"]}
    assert who.who.caller.ref not in answer.text
    return (
        {node["ref"]: node["ring"] for node in found["nodes"]},
        {(refs[e["a"]], e["how"], refs[e["b"]]) for e in found["edges"]},
    )


async def test_a_chart_is_of_what_ones_board_shows() -> None:
    async with api_node(knows=("id", "my")) as api:
        author, focal, elsewhere = await api.client(), await api.approver(), await api.client(agency="police")

        async def post(*sources: UUID, **marks: Any) -> UUID:
            made = tuple(Source("th", s) for s in sources)
            return await api.node.post(author.who, draft_of("INC-FATAL", "id", sources=made, **marks))

        first, hidden = await post(), await post(handling=STRICT)
        second = await post(first)
        third = await post(second, hidden, handling=STRICT)
        fourth = await post(third, handling=STRICT)
        far = await post(fourth, handling=STRICT)
        for item in (first, hidden, second, third, fourth, far):
            if (await api.node.disclosure(item)).state == "waiting":
                await api.node.approve(item, focal.who)
        desk = {"readers": ["agency:immigration", "agency:police"]}
        assert (await focal.post(f"/v1/items/th/{second}/refer", desk)).status_code == 200
        await api.settle()
        names = {f"th/{item}": name for name, item in (("1", first), ("2", second), ("3", third), ("4", fourth))}
        names |= {f"th/{hidden}": "hidden", f"th/{far}": "far"}

        def named(ties: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
            return {(names.get(a, a), how, names.get(b, b)) for a, how, b in ties}

        rings, ties = await chart(author, second)
        assert {names.get(ref, ref): ring for ref, ring in rings.items() if ref in names} == {
            "2": 0,
            "1": 1,
            "3": 1,
            "4": 2,
            "hidden": 2,
        }, "and what is further away is not looked for"
        assert {t for t in named(ties) if t[1] == "quotes"} == {
            ("2", "quotes", "1"),
            ("3", "quotes", "2"),
            ("3", "quotes", "hidden"),
            ("4", "quotes", "3"),
        }
        assert ("2", "referred", "agency:police") in named(ties)
        assert ("2", "to", "id") in named(ties)
        rings, ties = await chart(elsewhere, second)
        assert {how for a, how, b in named(ties) if "3" in {a, b} or "hidden" in {a, b}} == set()
        assert ("2", "quotes", "1") in named(ties)
        absent = await elsewhere.get(f"/v1/pictures/links/th/{UUID(int=9)}")
        assert (await elsewhere.get(f"/v1/pictures/links/th/{hidden}")).content == absent.content
        assert absent.status_code == 404
        auditor = await api.client(Role.AUDITOR)
        assert (await auditor.get(f"/v1/pictures/links/th/{first}")).status_code == 403


async def test_replies_are_ties_at_both_ends() -> None:
    async with story() as s:
        reader = await s.id.client()
        told = {"kind": "reply.sighting", "text": "Seen at a fictional pier."}
        assert (await reader.post(f"/v1/items/th/{s.open}/reply", told)).status_code == 200
        await s.carry()
        rings, ties = await chart(s.author, s.open)
        assert (f"th/{s.open}", "reply.sighting", "id") in ties
        assert rings == {f"th/{s.open}": 0, "id": 1}
        _, ties = await chart(reader, s.open)
        assert ties == {(f"th/{s.open}", "reply.sighting", "th"), (f"th/{s.open}", "from", "th")}


async def test_the_same_facts_are_drawn_alike_and_nothing_covers_another() -> None:
    nodes = [("a", 0), *((f"n{n}", 1) for n in range(12)), *((f"m{n}", 2) for n in range(30))]
    beside = {f"m{n}": [f"n{n % 12}"] for n in range(30)} | {f"n{n}": ["a"] for n in range(12)}
    places = charts.rings(nodes, beside)
    assert places == charts.rings(nodes, beside)
    assert {p.id for p in places} == {name for name, _ in nodes}
    assert next((p.x, p.y) for p in places if p.id == "a") == (0, 0)
    apart = [hypot(p.x - q.x, p.y - q.y) for p in places for q in places if p.id < q.id]
    assert min(apart) > 44, "a node is 44 wide"


async def test_a_chart_is_drawn_told_and_filed_alike() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        who = await node.node.officer()
        first = await node.node.post(who, draft_of("INC-FATAL", "id"))
        second = await node.node.post(who, draft_of("INC-FATAL", "id", sources=(Source("th", first),)))
        await node.services.shown(0)
        listed = (await officer.get("/pictures/links")).text
        assert f"/pictures/links/th/{second}" in listed
        assert f"/pictures/links/th/{first}" not in listed, "nothing is tied to it by itself"
        text = (await officer.get(f"/pictures/links/th/{first}")).text
        assert "is made of" in text
        assert f'href="/pictures/links/th/{second}"' in text
        assert text.count('class="item') == 2
        answer = await officer.get(f"/pictures/links/th/{first}/file.csv")
        head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
        told = [dict(zip(head, row, strict=True)) for row in rows]
        assert ("quotes", f"th/{second}", f"th/{first}") in {(r["how"], r["a"], r["b"]) for r in told}
        assert f"/pictures/links/th/{first}" in (await officer.get(f"/items/th/{first}")).text
        for path in (f"/pictures/links/th/{UUID(int=9)}", f"/pictures/links/zz/{first}"):
            assert (await officer.get(path)).status_code == 404
        assert (await auditor.get("/pictures/links")).status_code == 403
