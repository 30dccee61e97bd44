"""The past as auditors see it and take it with them: what was held, who could see it, who had; and no content."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from rilon.domain.values import Role
from rilon.web import past
from tests.nodes import draft_of
from tests.unit.web.test_screens import BROWSER, post
from tests.web import found, pages


async def test_what_somebody_could_see_is_looked_for_until_the_page_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads that they could see nothing more may rely on it in court."""
    monkeypatch.setattr(past, "PAGE", 2)
    async with pages(knows=("my", "id")) as node:
        auditor, author = await node.signed_in(Role.AUDITOR), await node.node.officer()
        police = await node.node.officer(agency="police")
        seen = [await node.node.post(author, draft_of("INC-FATAL", "id")) for _ in range(3)]
        strict = {"tlp": "TLP:AMBER+STRICT"}
        hidden = [await node.node.post(author, draft_of("INC-FATAL", "id", handling=strict)) for _ in range(3)]
        by = f"/past?by={police.caller.ref}"
        first = (await auditor.get(by)).text
        assert [str(i) in first for i in (*seen, *hidden)] == [False, True, True, False, False, False]
        older = found(first, 'href="(/past[^"]*before=[^"]*)"').replace("&amp;", "&")
        rest = (await auditor.get(older)).text
        assert [str(i) in rest for i in seen] == [True, False, False]
        assert ">Older<" not in rest
        assert police.caller.ref in rest


async def test_what_was_held_is_exported_whole_as_shown_and_to_auditors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "PAGE", 1)
    async with pages(knows=("my", "id")) as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        assert officer.person is not None
        where, other = await post(officer), await post(officer, once="0" * 31 + "2")
        before = (await node.services.log.head()).size
        await officer.form(f"{where}/open", sensitivity="nominal", purpose="prosecution")
        now, by = (await node.services.log.head()).size, officer.person.caller.ref
        csv_, lines = await auditor.get("/past.csv"), await auditor.get("/past.jsonl")
        rows = list(csv.DictReader(StringIO(csv_.text.removeprefix("\ufeff"))))
        assert {row["item"] for row in rows} == {w.rpartition("/")[2] for w in (where, other)}, "also the older pages"
        opened = [row for row in rows if row["what"] == "opened"]
        assert [(r["officer"], r["sections"], r["purpose"]) for r in opened] == [(by, "nominal", "prosecution")]
        assert {r["as_of_position"] for r in rows} == {str(now)}
        told = [json.loads(line) for line in lines.text.splitlines()]
        assert [len(each["opened"]) for each in told] == [0, 1], "newest first"
        assert {each["origin"] for each in told} == {"th"}
        for answer in (csv_, lines):
            assert answer.headers["content-disposition"].startswith('attachment; filename="past.')
            assert "Online job offers" not in answer.text
            assert "telegram" not in answer.text
        then = (await auditor.get(f"/past.csv?at={before}&by={by}")).text
        assert ",opened," not in then
        assert f",could open,{by}," in then
        assert ",could open," not in (await auditor.get(f"/past.csv?by={auditor.person.caller.ref}")).text  # type: ignore[union-attr]
        shown = (await auditor.get(f"/past?at={before}&by={by}")).text
        assert f'href="/past.csv?at={before}&amp;by={by}"' in shown
        for path in ("/past.csv", "/past.jsonl"):
            assert (await officer.get(path)).status_code == 403
            assert (await auditor.get(f"{path}?at=9999999")).status_code == 422


async def test_an_auditor_sees_the_past_as_it_was_and_no_content() -> None:
    async with pages(knows=("my", "id")) as node:
        officer, auditor = await node.signed_in(), await node.signed_in(Role.AUDITOR)
        before = (await node.services.log.head()).size
        where = await post(officer)
        await officer.form(f"{where}/open", sensitivity="nominal", purpose="prosecution")
        now = (await auditor.get("/past")).text
        assert "Recruitment network or agency" in now
        assert "to prosecution" in now
        assert "Online job offers" not in now
        assert "Nothing was held yet" in (await auditor.get(f"/past?at={before}")).text
        assert auditor.person is not None
        blind = (await auditor.get(f"/past?by={auditor.person.caller.ref}", **BROWSER)).text
        assert "Nothing was held that they could see" in blind
        assert "<html" not in blind
        for wrong in ("at=0", "at=x", "at=9999999", "time=soon", f"at={'9' * 20}"):
            assert (await auditor.get(f"/past?{wrong}")).status_code == 422
        assert (await officer.get("/past")).status_code == 403
