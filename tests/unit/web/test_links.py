"""A frozen link's page: two focal points' passkeys let it go on, and no session does."""

from __future__ import annotations

import json

from rilon.domain.values import Role
from tests.unit.web.test_screens import LATER, weight
from tests.web import Browser, found, pages, unb64

AT = "/network/my"


async def sign(focal: Browser, **wrong: object) -> int:
    """Read the link's page and sign what it says."""
    said = (await focal.get(f"{AT}/frozen")).text
    fields = {n: found(said, f'name="{n}" value="([0-9a-f]+)"') for n in ("once", "nonce")}
    assertion = json.dumps(focal.given(unb64(found(said, 'data-challenge="([^"]+)"')), **wrong))
    return (await focal.form(f"{AT}/reset", **fields, assertion=assertion)).status_code


async def test_a_frozen_link_goes_on_when_two_passkeys_signed() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        first, second = await node.signed_in(Role.FOCAL_POINT), await node.signed_in(Role.FOCAL_POINT)
        assert (await first.get(f"{AT}/frozen")).status_code == 409, "it is not frozen"
        await node.node.desks.links.frozen("my", "link.fork", b"evidence")
        assert (await officer.get(f"{AT}/frozen")).status_code == 403
        assert (await first.get("/network")).status_code == 200, "nothing is known of the link"
        assert (await first.get("/network/zz/frozen")).status_code == 404
        page = (await first.get(f"{AT}/frozen")).text
        assert "0 of 2 have signed" in page
        assert weight(page) <= LATER
        assert await sign(first, origin="https://evil.example") == 422
        assert await sign(first) == 303
        again = (await first.get(f"{AT}/frozen")).text
        assert "1 of 2 have signed" in again
        assert "data-challenge" not in again, "nobody is asked to sign twice"
        assert await sign(second) == 303
        assert (await second.get(f"{AT}/frozen")).status_code == 409, "it goes on"
