"""Files over HTTP: streamed in, sealed, and out again only for saving."""

from __future__ import annotations

import base64
from urllib.parse import quote

import httpx
import pytest

from rilon.domain.attachments import MAX_FILE_BYTES
from rilon.domain.values import Role
from tests.api import ApiNode, Client, api_node
from tests.fakes.pictures import SECRET, marked
from tests.nodes import draft_of

NAME = 'ใบหน้า "1".jpg'
PURPOSE = {"purpose": "identify_victim"}


async def upload(client: Client, data: bytes, name: str | None = quote(NAME), **headers: str) -> httpx.Response:
    given = {"content-type": "application/octet-stream"} | ({} if name is None else {"rilon-file-name": name}) | headers
    return await client.call("POST", "/v1/attachments", data, key=None, headers=given)


async def posted(api: ApiNode, author: Client, *files: bytes) -> str:
    tickets = [(await upload(author, data)).json()["ticket"] for data in files]
    answer = await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id", attachments=tickets))
    assert answer.status_code == 201, answer.text
    return f"/v1/items/th/{answer.json()['id']}"


async def test_a_picture_goes_in_and_comes_out_clean() -> None:
    async with api_node(knows=("id",)) as api:
        author = await api.client()
        picture = marked()["jpeg exif"]
        preview = draft_of("TIP-RECRUIT", "id", attachments=[(await upload(author, picture)).json()["ticket"]])
        cells = (await author.post("/v1/alerts/preview", preview, key=None)).json()["cells"]
        assert {c["sensitivity"] for c in cells} >= {"summary", "attachment"}
        at = await posted(api, author, picture, b"words")
        asked = {"sensitivity": "attachment"} | PURPOSE
        listed = (await author.post(f"{at}/open", asked, key=None)).json()["fields"]["files"]
        assert [(f["name"], f["type"]) for f in listed] == [
            ("ใบหน้า _1_.jpg", "image/jpeg"),
            ("ใบหน้า _1_.txt", "text/plain"),
        ]
        before = (await api.node.log.head()).size
        got = await author.post(f"{at}/attachments/1", PURPOSE, key=None)
        assert got.status_code == 200
        assert got.content[:3] == b"\xff\xd8\xff"
        assert SECRET not in got.content
        assert got.headers["content-type"] == "image/jpeg"
        assert got.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(listed[0]['name'])}"
        assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert int(got.headers["rilon-position"]) == (await api.node.log.head()).size == before + 1


async def test_who_may_not_read_it_and_what_is_not_there_are_told_alike() -> None:
    async with api_node(knows=("id",)) as api:
        author, auditor = await api.client(), await api.client(Role.AUDITOR)
        at = await posted(api, author, b"words")
        assert (await auditor.post(f"{at}/attachments/1", PURPOSE, key=None)).status_code == 403
        absent = f"/v1/items/th/{'0' * 8}-0000-7000-8000-{'0' * 12}/attachments/1"
        answers = [
            await author.post(path, PURPOSE, key=None)
            for path in (absent, f"{at}/attachments/2", f"{at}/attachments/0")
        ]
        assert {a.status_code for a in answers} == {404}
        assert len({a.content for a in answers}) == 1


REFUSED: dict[str, tuple[bytes, str | None, int, str]] = {
    "a PDF called a photo": (b"%PDF-1.7", "a.jpg", 422, "attachment.type"),
    "a drawing": (b"<svg onload=alert(1)>", "a.png", 422, "attachment.type"),
    "an archive": (b"PK\x03\x04", "a.txt", 422, "attachment.type"),
    "half a photo": (b"\xff\xd8\xff\xe0", "a.jpg", 422, "attachment.image"),
    "nothing": (b"", "a.txt", 400, "text.blank"),
    "no name": (b"words", None, 400, "http.malformed"),
    "a name that is not UTF-8": (b"words", "%ff", 400, "attachment.name"),
    "a name that deceives": (b"words", quote("a\u202egpj.txt"), 400, "text.bidi"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_taken_is_told_and_leaves_nothing(name: str) -> None:
    data, called, status, code = REFUSED[name]
    async with api_node() as api:
        author = await api.client()
        before = await api.node.stored()
        answer = await upload(author, data, called)
        assert answer.status_code == status
        assert code == "http.malformed" or answer.json()["type"] == f"urn:rilon:{code}"
        assert await api.node.stored() == before


async def test_too_much_is_refused_before_it_is_read() -> None:
    async with api_node() as api:
        author = await api.client()
        assert (await upload(author, bytes(MAX_FILE_BYTES + 1))).status_code == 413
        assert (await upload(await api.client(Role.AUDITOR), b"x")).status_code == 403
        assert (await upload(api.anybody, b"x")).status_code == 401


async def test_a_ticket_that_is_none_is_told_with_its_field() -> None:
    async with api_node(knows=("id",)) as api:
        author = await api.client()
        draft = draft_of("TIP-RECRUIT", "id", attachments=[base64.urlsafe_b64encode(bytes(96)).decode()])
        answer = await author.post("/v1/alerts", draft)
        assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (
            422, "urn:rilon:attachment.unknown", "attachments",
        )  # fmt: skip
