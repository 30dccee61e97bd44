"""Every route at once, as an attacker tries them: from another site, without a session, with too much, with script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from litestar.handlers import BaseRouteHandler

from rilon.domain.values import Role
from rilon.web.app import HANDLERS
from rilon.web.sessions import COOKIE
from tests.unit.web.test_screens import ALERT, SCRIPT, post
from tests.web import SAME, Browser, found, pages, unb64

ID = "01a204f4-5239-7a83-bc35-f1f4e9d78492"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def routes(*methods: str) -> Iterator[tuple[str, BaseRouteHandler]]:
    """Every route of these methods, with something in its places."""
    for handler in HANDLERS:
        if handler.http_methods & set(methods):
            for path in handler.paths:
                plain = re.sub(r"\{\w+:(\w+)\}", lambda m: {"uuid": ID, "int": "1"}.get(m[1], "th"), path)
                yield plain, handler


def public(handler: BaseRouteHandler) -> bool:
    return bool(handler.opt.get("public"))


def test_nothing_but_get_and_post_and_every_route_says_who_may() -> None:
    assert {method for h in HANDLERS for method in h.http_methods} <= {"GET", "HEAD", "POST", "OPTIONS"}
    assert [h for h in HANDLERS if not (public(h) or "action" in h.opt)] == []
    assert len(list(routes("POST"))) > 40


async def test_without_a_session_every_page_leads_to_sign_in_and_nothing_is_done() -> None:
    async with pages() as node:
        nobody = node.browser()
        before = await node.services.log.head()
        for path, handler in routes("GET"):
            answer = await nobody.get(path)
            if not public(handler):
                assert (answer.status_code, answer.headers.get("location")) in {(303, "/sign-in"), (401, None)}, path
        for path, handler in routes("POST"):
            if not public(handler):
                assert (await nobody.form(path, once="1")).status_code == 401, path
        assert await node.services.log.head() == before


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}])
async def test_nothing_at_all_is_changed_from_another_site(headers: dict[str, str]) -> None:
    async with pages(knows=("my",)) as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        before = await node.services.log.head()
        for path, handler in routes("POST"):
            refusal = 404 if handler.opt.get("machine") else 403  # a machine proves by what it sends who it is
            assert (await focal.form(path, headers=headers, once="1")).status_code == refusal, path
        assert await node.services.log.head() == before


async def test_too_much_is_refused_everywhere_and_stored_nowhere() -> None:
    async with pages() as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        before = await node.services.log.head()
        for path, _ in routes("POST"):
            if path not in {"/bags", "/attachments", "/sign-out"} and not path.startswith("/rules/"):
                body = b"text=" + b"x" * 300_000
                answer = await focal.http.post(path, content=body, headers=SAME | FORM)
                assert answer.is_client_error, path
        raw = {"content-type": "application/octet-stream", "rilon-file-name": "x.txt"}
        for path, most, kind in (("/attachments", 11 << 20, raw), ("/rules/check", 3 << 20, FORM)):
            headers = SAME | kind
            assert (await focal.http.post(path, content=b"x" * most, headers=headers)).status_code == 413, path
        assert await node.services.log.head() == before


@pytest.mark.parametrize("raw", [b"", b"once=%ff", b"\xff\xfe", b"a=1&once=1&once=2", b"&" * 5000])
async def test_no_form_however_torn_makes_more_than_a_refusal(raw: bytes) -> None:
    async with pages() as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        for path, _ in routes("POST"):
            if path == "/sign-out":
                continue
            answer = await focal.http.post(path, content=raw, headers=SAME | FORM | {"rilon-file-name": "x"})
            assert answer.status_code != 500, path
            assert "<script" not in answer.text.replace('<script type="module" src=', "")


async def test_only_coming_in_and_going_out_set_the_cookie_so_no_late_answer_can() -> None:
    """The race: a request that set out before sign-in and answers after it must not put an older cookie back."""
    async with pages(knows=("my",)) as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        for path, _ in routes("GET"):
            if path == "/live":
                continue  # it does not end
            assert COOKIE not in (await focal.get(path)).headers.get("set-cookie", ""), path
        for path, _ in routes("POST"):
            if path not in {"/sign-out", "/sign-in", "/join", "/join/demo"}:
                assert COOKIE not in (await focal.form(path, once="1")).headers.get("set-cookie", ""), path
        late = httpx.AsyncClient(transport=node.transport, base_url=str(focal.http.base_url))
        for path in ("/inbox", "/sign-in", "/nowhere"):
            assert "set-cookie" not in (await late.get(path)).headers


async def test_an_approval_counts_once_and_from_its_own_passkey_only() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal, other = (
            await node.signed_in(),
            await node.signed_in(Role.FOCAL_POINT),
            await node.signed_in(Role.FOCAL_POINT),
        )
        item = (await post(officer)).rpartition("/")[2]
        said = (await focal.get(f"/approvals/{item}")).text
        challenge = unb64(found(said, 'data-challenge="([^"]+)"'))
        nonce = found(said, 'name="nonce" value="([0-9a-f]+)"')

        async def approve(by: Browser, signs: Browser, once: str) -> int:
            fields = {"once": once, "nonce": nonce, "assertion": json.dumps(signs.given(challenge))}
            return (await by.form(f"/approvals/{item}/approve", **fields)).status_code

        assert await approve(focal, other, "1") == 403, "somebody else's passkey"
        assert await approve(other, focal, "2") == 403, "somebody else's assertion"
        assert await approve(focal, focal, "3") == 303
        assert await approve(focal, focal, "4") in {404, 409}, "replayed"


async def test_script_in_every_text_a_person_may_write_stays_text() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, focal = await node.signed_in(), await node.signed_in(Role.FOCAL_POINT)
        where = await post(officer, **{"f.title": SCRIPT, "f.promise": SCRIPT})
        item = where.rpartition("/")[2]
        name = {"name": SCRIPT, "agency": "police", "desk": "night", "role": "officer", "once": "n"}
        person = (await focal.form("/people/new", **name)).headers["location"].partition("?")[0]
        bad = await focal.form("/people/new", **name | {"agency": SCRIPT, "once": "m"})
        returned = await focal.form(f"/approvals/{item}/return", words=SCRIPT, once="r")
        assert returned.status_code == 303
        seen = [bad.text]
        for who, path in (
            (focal, "/people"),
            (focal, person),
            (focal, "/approvals"),
            (officer, where),
            (officer, f"{where}?tab=history"),
            (officer, f"{where}?tab={SCRIPT}"),
            (officer, f"/inbox?words={SCRIPT}&family={SCRIPT}&origin={SCRIPT}"),
            (officer, f"/new?kind={SCRIPT}"),
            (officer, f"/new?circle={SCRIPT}&kind=TIP-RECRUIT"),
            (officer, f"/items/th/{item}?done={SCRIPT}"),
            (focal, f"/rules?done={SCRIPT}"),
            (officer, f"/explained?reference={SCRIPT}"),
        ):
            seen.append((await who.get(path)).text)
        for text in seen:
            assert "<script>alert" not in text
            assert "<img" not in text
        assert "&lt;script&gt;" in seen[4], "it is shown, as text"


async def test_no_page_leads_to_another_site() -> None:
    async with pages() as node:
        officer = await node.signed_in()
        for back in (
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\r\nset-cookie: x=y",
            "javascript:1",
        ):
            answer = await officer.form("/language", language="en", back=back)
            assert answer.headers["location"] == "/"
            assert "x=y" not in answer.headers.get("set-cookie", "")
        posted = await officer.form("/new", **ALERT | {"once": "1", "back": "https://evil.example", "member": []})
        assert "evil" not in posted.headers.get("location", "")
