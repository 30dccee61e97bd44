"""Circles over the API: written by focal points, read by members, and absent for everybody else."""

from __future__ import annotations

from rilon.api.example_facts import END
from rilon.api.examples import BODIES
from rilon.domain.values import Role
from tests.api import api_node

CHARTER = BODIES["convene"] | {"kind": "operation", "members": ["my", "sg"], "admitted": []}


async def test_a_circle_is_convened_changed_used_and_closed() -> None:
    async with api_node(knows=["my", "sg"]) as api:
        focal, officer = await api.client(Role.FOCAL_POINT), await api.client()
        assert (await officer.post("/v1/circles", CHARTER)).status_code == 403
        made = await focal.post("/v1/circles", CHARTER, key="the-first-circle")
        ref = made.json()["circle"]
        again = await focal.post("/v1/circles", CHARTER, key="the-first-circle")
        assert (again.json()["circle"], again.json()["repeated"]) == (ref, True)
        shown = (await officer.get(f"/v1/circles/{ref}")).json()
        assert (shown["members"], shown["ends"], shown["state"]) == (["my", "sg", "th"], END, "live")
        draft = BODIES["preview"] | {"audience": {"circle": ref}}
        assert (await officer.post("/v1/alerts/preview", draft, key=None)).json()["recipients"] == ["my", "sg"]
        change = {"version": 1, "charter": CHARTER | {"members": ["my"]}}
        assert (await focal.post(f"/v1/circles/{ref}/change", change)).status_code == 200
        assert (await focal.post(f"/v1/circles/{ref}/change", change)).json()["type"] == "urn:rilon:circle.version"
        assert (await officer.post("/v1/alerts/preview", draft, key=None)).json()["recipients"] == ["my"]
        assert (await focal.post(f"/v1/circles/{ref}/close", {"outcome": "Over."})).status_code == 200
        (listed,) = (await officer.get("/v1/circles")).json()
        assert (listed["state"], listed["outcome"], listed["version"]) == ("closed", "Over.", 3)
        assert (await officer.post("/v1/alerts/preview", draft, key=None)).json()["type"] == "urn:rilon:circle.unknown"


async def test_absent_and_not_for_you_are_one_answer() -> None:
    async with api_node(knows=["my"]) as api:
        focal = await api.client(Role.FOCAL_POINT)
        ref = (await focal.post("/v1/circles", CHARTER | {"members": ["my"]})).json()["circle"]
        none = ref.replace("th.", "id.")
        for role in (Role.AUDITOR, Role.ADMINISTRATOR):
            someone = await api.client(role)
            answers = [await someone.get(f"/v1/circles/{name}") for name in (ref, none)]
            assert {(a.status_code, a.text) for a in answers} == {(answers[0].status_code, answers[0].text)}
        assert (await focal.get(f"/v1/circles/{none}")).status_code == 404


async def test_every_answer_of_an_exercise_is_marked() -> None:
    for world, mark in (("exercise", "exercise"), ("real", None)):
        async with api_node(world=world) as api:
            officer = await api.client()
            answers = [await officer.get("/v1/board"), await officer.get("/v1/none"), await api.http.get("/v1/health")]
            assert [a.headers.get("rilon-world") for a in answers] == [mark] * 3
