"""Teams and tasks on pages: formed, filled, an item given and watched, and the rows that say why they are there."""

from __future__ import annotations

from rilon.domain.values import Role
from tests.unit.web.test_screens import post
from tests.web import Browser, pages


async def test_an_item_is_given_to_a_team_and_watched() -> None:
    async with pages(knows=("my", "id")) as node:
        focal, officer, other = (await node.signed_in(Role.FOCAL_POINT), await node.signed_in(), await node.signed_in())
        assert officer.person is not None
        assert (await officer.form("/teams", name="x", once="a" * 32)).status_code == 403
        assert (await focal.form("/teams", name="Harbour <b>watch</b>", once="a" * 32)).status_code == 303
        assert "Harbour &lt;b&gt;watch" in (await focal.get("/teams")).text
        (team,) = await node.services.teams.all((await node.services.access.present(cookie(focal))).caller)
        at = f"/teams/{team.id}"
        assert (await focal.form(f"{at}/members", officer=str(officer.person.id))).status_code == 303
        assert (await focal.form(f"{at}/members", officer="nobody")).status_code == 422
        where = await post(officer)
        assert "Nobody yet." in (await officer.get(where)).text
        assert (await officer.form(f"{where}/task", do="assign", to=f"team:{team.id.hex}")).status_code == 303
        assert (await officer.form(f"{where}/task", do="watch", to="")).status_code == 303
        assert (await officer.form(f"{where}/task", do="eat", to="")).status_code == 400
        for tab, why in (("team", "Given to your team Harbour"), ("watching", "You watch it.")):
            assert why in (await officer.get(f"/inbox?tab={tab}")).text, tab
            assert where not in (await other.get(f"/inbox?tab={tab}")).text
        assert (await officer.form(f"{where}/task", do="unassign", to=f"team:{team.id.hex}")).status_code == 303
        assert where not in (await officer.get("/inbox?tab=team")).text
        assert (await officer.form(f"{at}/leave", officer=str(officer.person.id))).status_code == 303
        assert "Harbour" not in (await officer.get("/teams")).text
        assert (await focal.form(f"{at}/dissolve")).status_code == 303


def cookie(browser: Browser) -> str:
    return str(browser.http.cookies.get("__Host-rilon"))
