"""How one is reached, by API: one's own alone, and refused cleanly when it cannot be kept."""

from __future__ import annotations

import pytest

from rilon.domain.reach import Way
from rilon.domain.values import Role
from tests.api import ApiNode, api_node
from tests.fakes.memory_outbox import MemoryPager

PLAN = {"mail": "fictional@example.org", "quiet": {"start": "22:00", "end": "07:00"}, "zone": "Asia/Bangkok"}


def with_mail(api: ApiNode) -> MemoryPager:
    pager = MemoryPager()
    api.services.reach.pagers = {Way.MAIL: pager}
    return pager


async def test_one_sets_tries_and_forgets_ones_own() -> None:
    async with api_node() as api:
        pager, me, focal = with_mail(api), await api.client(Role.AUDITOR), await api.client(Role.FOCAL_POINT)
        assert (await me.get("/v1/me/reach")).json() == {"plan": None, "ways": ["mail"]}
        assert (await me.post("/v1/me/reach/test")).status_code == 422
        assert (await me.post("/v1/me/reach", PLAN)).status_code == 200
        plan = (await me.get("/v1/me/reach")).json()["plan"]
        assert PLAN.items() <= plan.items()
        assert (await focal.get("/v1/me/reach")).json()["plan"] is None
        assert (await me.post("/v1/me/reach/test")).json() == {"ways": ["mail"]}
        assert [m.to for m in pager.sent] == ["fictional@example.org"]
        for repeated in (False, True):
            answer = await me.call("DELETE", "/v1/me/reach", key="forget-me")
            assert (answer.status_code, answer.json()["repeated"]) == (200, repeated)
        assert (await me.get("/v1/me/reach")).json()["plan"] is None
        assert (await me.call("DELETE", "/v1/me/reach")).status_code == 404
        assert "fictional@example.org" not in repr(await api.node.events())


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"mail": "x"}, 422),
        ({"mail": "a" * 9000}, 400),
        ({"phone": "+6620000000"}, 422),
        ({"quiet": {"start": "25:00", "end": "07:00"}}, 400),
        ({"quiet": {"start": "22:00"}}, 400),
        ({"zone": "/etc/passwd"}, 422),
        ({"at_once": ["whenever"]}, 400),
        ({"digest": "weekly"}, 400),
        ({"kinds": ["NO-SUCH"]}, 422),
        ({"nobody": "x"}, 400),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_nothing_is_stored(wrong: dict[str, object], status: int) -> None:
    async with api_node() as api:
        with_mail(api)
        me = await api.client(desk="night")
        before = await api.node.stored()
        assert (await me.post("/v1/me/reach", wrong)).status_code in {status, 422 if status == 400 else status}
        assert await api.node.stored() == before
