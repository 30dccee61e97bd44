"""The node's side of what waits in browsers: opened for its officer only, posted once, and nothing else comes of it."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import urlencode

import httpx

from rilon.crypto import outbox, strict
from rilon.crypto.keys import key_id
from rilon.domain.values import Role
from tests.unit.web.test_screens import ALERT
from tests.vectors.make_outbox import padding, sealed_to
from tests.web import SAME, Browser, Pages, b64, pages


def envelope(node: Pages, browser: Browser, form: str = "", **bound: str) -> bytes:
    """What the browser of this officer would keep of a form."""
    assert browser.person is not None
    key = node.node.desks.keys.ring().outbox()[-1]
    own = {"member": "th", "world": "real", "officer": browser.person.caller.ref}
    content = padding.pad((form or urlencode(ALERT, doseq=True)).encode(), outbox.FLOOR_BYTES)
    return strict.encode(sealed_to(key, outbox.Bound(**own | bound), content, hybrid=True))


async def send(browser: Browser, data: bytes, kind: str = "application/cbor") -> httpx.Response:
    return await browser.http.post("/outbox", content=data, headers={**SAME, "content-type": kind})


async def test_what_waited_is_posted_once_however_often_it_comes() -> None:
    async with pages(knows=("my", "id")) as node:
        browser = await node.signed_in()
        data = envelope(node, browser)
        first, again = await send(browser, data), await send(browser, data)
        assert first.status_code == 200, first.text
        assert first.json() == again.json()
        assert "Customer service" in (await browser.get(first.json()["go"])).text
        other = await send(browser, envelope(node, browser, urlencode(ALERT | {"f.title": "Another"}, doseq=True)))
        assert (other.status_code, other.json()["type"]) == (409, "urn:rilon:command.key-reused")
        form = await browser.form("/new", **ALERT | {"once": bytes(range(16)).hex()})
        assert form.headers["location"] == first.json()["go"], "the plain form with the same id is the same command"


async def test_it_opens_for_its_officer_at_its_node_and_nowhere_else() -> None:
    async with pages(knows=("my", "id")) as node:
        browser, other = await node.signed_in(), await node.signed_in()
        stored, whole = await node.node.stored(), envelope(node, browser)
        for data in (
            envelope(node, other),
            envelope(node, browser, member="my"),
            envelope(node, browser, world="exercise"),
            whole[:-1] + bytes([whole[-1] ^ 1]),
        ):
            refused = await send(browser, data)
            assert refused.json()["type"] == "urn:rilon:outbox.seal"
            assert (await browser.form("/outbox/open", sealed=b64(data))).status_code == refused.status_code
        gone = strict.encode(outbox.Envelope(1, bytes(16), key_id(b"gone"), b""))
        assert (await send(browser, gone)).json()["type"] == "urn:rilon:outbox.key-gone"
        for data, kind in ((b"", "application/cbor"), (b"\xff" * 200_000, "application/cbor"), (b"{}", "text/plain")):
            assert (await send(browser, data, kind)).status_code in {400, 413}
        assert (await send(browser, envelope(node, browser, "kind=%ff&kind=&="))).status_code < 500
        assert await node.node.stored() == stored


async def test_an_officer_writes_on_what_was_sealed() -> None:
    async with pages(knows=("my", "id")) as node:
        browser = await node.signed_in()
        shown = (await browser.form("/outbox/open", sealed=b64(envelope(node, browser)))).text
        assert 'value="telegram:example_jobs"' in shown
        assert f'name="once" value="{bytes(range(16)).hex()}"' in shown


async def test_the_offline_page_is_the_same_for_everybody() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, auditor, nobody = await node.signed_in(), await node.signed_in(Role.AUDITOR), node.browser()
        texts = {(await browser.get("/offline")).text for browser in (officer, auditor, nobody)}
        assert len(texts) == 1
        assert len(gzip.compress(texts.pop().encode(), 6)) < 40 * 1024
        programs = {(await browser.get("/sw.js")).text for browser in (officer, nobody)}
        assert len(programs) == 1
        assert (await nobody.get("/sw.js")).headers["cache-control"] == "no-cache"
        for path in ("/outbox", "/outbox/key", "/inbox", "/offline"):
            assert (await officer.get(path)).headers["cache-control"] == "no-store"
        assert (await auditor.get("/outbox/key")).status_code == 403


async def test_a_browser_forgets_an_ended_session_and_keeps_an_idle_ones() -> None:
    async with pages() as node:
        browser, focal = await node.signed_in(), await node.node.officer(Role.FOCAL_POINT)
        assert browser.person is not None

        async def cleared(path: str = "/inbox", **headers: Any) -> bool:
            answer = await browser.get(path, **headers)
            assert answer.status_code in {303, 401}
            return "clear-site-data" in answer.headers

        node.node.clock.forward(minutes=31)
        assert not await cleared()
        await node.services.membership.suspend(focal.caller, browser.person.id)
        for path in ("/inbox", "/live", "/outbox/key"):
            assert await cleared(path)
        assert (await send(browser, b"")).headers["clear-site-data"] == '"cache", "storage"'
        browser.http.cookies.clear()
        assert not await cleared()
