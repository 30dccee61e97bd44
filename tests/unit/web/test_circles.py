"""Circles on pages: their members see them, nobody else learns of them, and both co-chairs activate a consultation."""

from __future__ import annotations

from typing import Any

from rilon.domain.values import Role
from tests.nodes import introduce, pump
from tests.unit.web.test_screens import ALERT, LATER, SCRIPT, weight
from tests.web import Browser, Pages, found, pages

CHARTER: dict[str, Any] = {
    "kind": "operation",
    "name": "Operation Example",
    "charter": "Find the fictional boat.",
    "purpose": "investigate_smuggling",
    "theme": ["maritime"],
    "member": ["my"],
    "ends": "2026-12-24",
    "once": "1",
}


async def convened(focal: Browser, **changes: Any) -> str:
    """Convene one; the address of its page."""
    answer = await focal.form("/circles/new", **CHARTER | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def settle(node: Pages) -> None:
    await node.services.shown((await node.services.log.head()).size)


async def test_a_circle_is_convened_changed_used_and_closed() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        at = await convened(focal)
        assert "Operation Example" in (await officer.get("/circles")).text
        said = (await officer.get(at)).text
        assert "Find the fictional boat." in said
        assert "Close this circle" not in said
        assert weight(said) <= LATER
        assert "Operation Example" not in found(said, "<title>(.*?)</title>")
        posted = await officer.form("/new", **ALERT | {"member": [], "circle": at.rpartition("/")[2], "once": "p"})
        assert posted.status_code == 303, posted.text
        assert "Online job offers" in (await officer.get(at)).text
        form = (await focal.get(f"{at}/change")).text
        assert 'value="my" checked' in form
        changed = CHARTER | {"version": "1", "member": ["my", "id"], "admitted": ["id"], "charter": SCRIPT, "once": "v"}
        assert (await focal.form(f"{at}/change", **changed)).headers["location"] == f"{at}?done=changed"
        said = (await officer.get(at)).text
        assert "Older items too" in said
        assert "<script>alert" not in said
        stale = await focal.form(f"{at}/change", **changed | {"once": "2"})
        assert stale.status_code == 409, "somebody changed it first"
        closed = await focal.form(f"{at}/close", outcome="The fictional boat was found.", once="c")
        assert closed.headers["location"] == f"{at}?done=closed"
        assert "The fictional boat was found." in (await officer.get(at)).text


async def test_absent_and_not_ours_look_alike_and_only_focal_points_write() -> None:
    async with pages(knows=("my",)) as here, pages("my", knows=("th",)) as there:
        focal, officer, auditor = (
            await here.signed_in(Role.FOCAL_POINT),
            await here.signed_in(),
            await here.signed_in(Role.AUDITOR),
        )
        at = await convened(focal)
        stranger = await there.signed_in(Role.FOCAL_POINT)
        told = {(await stranger.get(p)).text for p in (at, "/circles/th.none", f"/circles/th.{'0' * 32}")}
        assert len(told) == 1
        for act in ("change", "consent", "close", "leave"):
            assert (await officer.form(f"{at}/{act}", once="x")).status_code == 403
            given = CHARTER | {"version": "1", "outcome": "x", "sure": "yes"}
            assert (await stranger.form(f"{at}/{act}", **given)).status_code == 404
        for path in ("/circles/new", f"{at}/change"):
            assert (await officer.get(path)).status_code == 403
        assert (await auditor.get("/circles")).status_code == 403


async def test_what_is_wrong_with_a_charter_is_said_and_nothing_is_lost() -> None:
    async with pages(knows=("my",)) as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        wrong: tuple[dict[str, Any], ...] = (
            {"ends": "soon"},
            {"ends": "2020-01-01"},
            {"member": []},
            {"kind": "consultation"},
            {"purpose": "fun"},
            {"theme": ["none"]},
            {"member": ["atlantis"]},
        )
        for changes in wrong:
            answer = await focal.form("/circles/new", **CHARTER | changes)
            assert answer.status_code == 422, changes
            assert "Operation Example" in answer.text
        assert "Consultation Mechanism" not in (await focal.get("/circles/new")).text, "no co-chair"


async def test_a_consultation_is_active_once_both_co_chairs_have_signed() -> None:
    async with pages("id") as first, pages("au") as second:
        await introduce(first.node, second.node)
        await introduce(second.node, first.node)
        here, there = await first.signed_in(Role.FOCAL_POINT), await second.signed_in(Role.FOCAL_POINT)
        at = await convened(here, kind="consultation", member=["au"])
        assert "Waits for the other co-chair" in (await here.get(at)).text
        assert set(await pump(first.node, second.node)) == {""}
        await settle(second)
        assert "Sign for this Member" in (await there.get(at)).text
        assert (await there.form(f"{at}/consent", once="y")).headers["location"] == f"{at}?done=consented"
        assert set(await pump(second.node, first.node)) == {""}
        await settle(first)
        said = (await here.get(at)).text
        assert "In force" in said
        assert "Australia, Indonesia" in said or "Indonesia, Australia" in said


async def test_a_member_leaves_by_itself_and_says_that_it_knows_what_that_means() -> None:
    async with pages() as first, pages("my") as second:
        await introduce(first.node, second.node)
        await introduce(second.node, first.node)
        chair, officer = await first.signed_in(Role.FOCAL_POINT), await second.signed_in()
        leaver = await second.signed_in(Role.FOCAL_POINT)
        at = await convened(chair)
        assert set(await pump(first.node, second.node)) == {""}
        await settle(second)
        assert "Leave this circle" not in (await chair.get(at)).text
        assert "The chair cannot leave" in (await chair.get(at)).text
        assert "Leave this circle" not in (await officer.get(at)).text
        said = (await leaver.get(at)).text
        assert "its charter is destroyed here" in said
        assert (await leaver.form(f"{at}/leave", once="l")).status_code == 422
        assert (await leaver.get(at)).status_code == 200, "nothing happened"
        assert (await chair.form(f"{at}/leave", once="l", sure="yes")).status_code == 409
        left = await leaver.form(f"{at}/leave", once="l", sure="yes")
        assert left.headers["location"] == "/circles?done=left"
        assert "This Member is in no circle" in (await leaver.get("/circles?done=left")).text
        assert (await leaver.get(at)).status_code == 404
        assert set(await pump(second.node, first.node)) == {""}
        await settle(first)
        assert "Malaysia" not in (await chair.get(at)).text
