"""Lists: who sees which rows, filters, words, cursors, one's own write; and the past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import msgspec
import pytest

from rilon.domain.values import Role
from rilon.front.replays import Replays
from tests.api import ApiNode, Client, api_node, api_of
from tests.fakes.drafts import NOW
from tests.nodes import acquaint, draft_of, memory_node, pump


@dataclass
class Story:
    """Thailand told Indonesia two things: one for everybody there, one for a desk."""

    th: ApiNode
    id: ApiNode
    author: Client
    focal: Client
    open: UUID
    closed: UUID

    async def carry(self) -> None:
        await pump(self.th.node, self.id.node)
        await pump(self.id.node, self.th.node)
        await self.th.settle()
        await self.id.settle()


@asynccontextmanager
async def story() -> AsyncIterator[Story]:
    here, there = await memory_node("th"), await memory_node("id", seed=1)
    await acquaint(here, there)
    async with api_of(here) as th, api_of(there) as id_:
        author, focal = await th.client(), await th.approver()
        items = []
        for readers in ("entitled", "desk:duty"):
            draft = msgspec.to_builtins(draft_of("TIP-RECRUIT", "id"))
            draft["audience"]["readers"] = [readers]
            items.append(UUID((await author.post("/v1/alerts", draft)).json()["id"]))
            await here.approve(items[-1], focal.who)
        told = Story(th, id_, author, focal, *items)
        await told.carry()
        yield told


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def items(answer: httpx.Response) -> list[str]:
    return [row["item"] for row in rows(answer)]


async def test_each_officer_sees_the_board_that_is_theirs() -> None:
    async with story() as s:
        duty, other = await s.id.client(desk="duty"), await s.id.client(desk="other")
        assert items(await duty.get("/v1/board")) == [str(s.closed), str(s.open)]
        assert items(await other.get("/v1/board")) == [str(s.open)]
        row = rows(await other.get("/v1/board"))[0]
        assert (row["origin"], row["own"], row["state"], row["kind"]) == ("th", False, "live", "TIP-RECRUIT")
        assert row["summary"]["title"]
        assert (await other.get(f"/v1/items/th/{s.open}")).json() == row | {"answers": []}
        absent, hidden = [await other.get(f"/v1/items/th/{i}") for i in (UUID(int=5), s.closed)]
        assert absent.status_code == 404
        assert absent.content == hidden.content
        assert absent.headers == hidden.headers
        mine = rows(await s.author.get("/v1/board"))
        assert {(r["origin"], r["own"]) for r in mine} == {("th", True)}
        assert (await s.author.get(f"/v1/items/th/{s.open}")).json()["own"] is True


FILTERS = [
    ({"kind": "TIP-RECRUIT"}, 2),
    ({"kind": "MAR-DISTRESS"}, 0),
    ({"kind": ["MAR-DISTRESS", "TIP-RECRUIT"]}, 2),
    ({"family": "trafficking"}, 2),
    ({"family": "maritime"}, 0),
    ({"family": "trafficking", "kind": "MAR-DISTRESS"}, 0),
    ({"family": "no-such"}, 0),
    ({"urgency": "high"}, 2),
    ({"urgency": "normal"}, 0),
    ({"origin": "th"}, 2),
    ({"origin": ["my", "th"]}, 2),
    ({"origin": "id"}, 0),
    ({"own": "true"}, 0),
    ({"own": "false"}, 2),
    ({"state": "live"}, 2),
    ({"state": "withdrawn"}, 0),
    ({"words": "SCAM offers"}, 2),
    ({"words": "customer"}, 2),
    ({"words": "nowhere to be found"}, 0),
    ({"since": "2026-05-03T10:00:00Z"}, 2),
    ({"since": "2026-05-03T10:00:01Z"}, 0),
    ({"until": "2026-05-03T10:00:00Z"}, 0),
    ({"until": "2026-05-03T17:00:01+07:00"}, 2),
]


async def test_filters() -> None:
    async with story() as s:
        reader = await s.id.client()
        for query, expected in FILTERS:
            answer = await reader.get(f"/v1/board?{urlencode(query, doseq=True)}")
            assert len(rows(answer)) == expected, query


BAD_QUERIES = {
    "limit=0": "query.value",
    "limit=201": "query.value",
    "limit=x": "query.value",
    "limit=1&limit=2": "query.repeated",
    "cursor=-1": "query.value",
    "own=maybe": "query.value",
    "urgency=xyzzy": "query.value",
    "urgncy=high": "query.unknown",
    "since=2026-05-03": "query.value",
    "since=2026-05-03T10:00:00": "query.value",
    "since=99999-01-01T00:00:00Z": "query.value",
    "origin=TH": "query.value",
    "words=": "query.value",
    "words=" + "a" * 201: "query.value",
    "after=999999": "query.after",
    "after=-1": "query.value",
    "xyzzy=1": "query.unknown",
}


@pytest.mark.parametrize("query", BAD_QUERIES)
async def test_a_bad_query_is_refused_by_name(query: str) -> None:
    async with api_node() as api:
        answer = await (await api.client()).get(f"/v1/board?{query}")
        assert (answer.status_code // 100, answer.json()["type"]) == (4, f"urn:rilon:{BAD_QUERIES[query]}")
        assert "xyzzy" not in answer.text.replace('"field":"xyzzy"', "")


async def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    async with api_node(knows=["id"]) as api:
        author = await api.client()
        posted = [(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id"))).json() for _ in range(7)]
        found: list[str] = []
        cursor = ""
        for _ in range(4):
            answer = await author.get(f"/v1/board?limit=2&after={posted[-1]['position']}{cursor}")
            found += items(answer)
            if answer.json()["next"] is None:
                break
            cursor = f"&cursor={answer.json()['next']}"
        assert found == [p["id"] for p in reversed(posted)]


async def test_one_reads_ones_own_write() -> None:
    async with api_node(knows=["id"]) as api:
        author = await api.client()
        placed = (await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id"))).json()
        assert items(await author.get("/v1/board")) == []
        assert items(await author.get(f"/v1/board?after={placed['position']}")) == [placed["id"]]


async def test_after_a_correction_to_fewer_readers_the_others_see_no_line_of_it() -> None:
    async with story() as s:
        duty, other = await s.id.client(desk="duty"), await s.id.client(desk="other")
        assert items(await other.get("/v1/board")) == [str(s.open)]
        draft = msgspec.to_builtins(draft_of("TIP-RECRUIT", "id"))
        draft["audience"]["readers"] = ["desk:duty"]
        draft["fields"]["title"] = "Zanzibar is only for the desk"
        await s.author.call("PUT", f"/v1/alerts/{s.open}", draft)
        await s.th.node.approve(s.open, s.focal.who)
        await s.carry()
        assert items(await duty.get("/v1/board?words=zanzibar")) == [str(s.open)]
        assert items(await other.get("/v1/board?words=zanzibar")) == []
        assert items(await other.get("/v1/board")) == []


async def test_a_row_shows_the_newest_summary_that_its_reader_was_granted() -> None:
    """Of the correction only the persons were granted: what may be read of the summary is still the old one's."""
    async with story() as s:
        reader = await s.id.client()
        draft = msgspec.to_builtins(draft_of("TIP-RECRUIT", "id"))
        draft["fields"]["title"] = "Zanzibar is not for them"
        await s.author.call("PUT", f"/v1/alerts/{s.open}", draft)
        await s.focal.post(f"/v1/approvals/{s.open}/cut", {"keep": [["id", "nominal"]]})
        await s.th.node.approve(s.open, s.focal.who)
        await s.carry()
        row = (await reader.get(f"/v1/items/th/{s.open}")).json()
        assert (row["version"], row["summary_version"]) == (2, 1)
        assert "Zanzibar" not in row["summary"]["title"]
        assert items(await reader.get("/v1/board?words=zanzibar")) == []
        assert str(s.open) in items(await reader.get(f"/v1/board?{urlencode({'words': row['summary']['title']})}"))


async def test_the_queue_shows_what_waits() -> None:
    async with story() as s:
        placed = (await s.author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id"))).json()
        (row,) = rows(await s.focal.get(f"/v1/approvals?after={placed['position']}"))
        assert (row["item"], row["needed"], row["signed"]) == (placed["id"], 1, [])
        assert row["cells"] == ["id:summary", "id:nominal"]
        assert (await s.author.get("/v1/approvals")).status_code == 403
        answer = await s.focal.post(f"/v1/approvals/{placed['id']}/refuse", {"reason": "No."})
        assert rows(await s.focal.get(f"/v1/approvals?after={answer.json()['position']}")) == []


async def test_deliveries_and_replies_come_back() -> None:
    async with story() as s:
        reader = await s.id.client()
        at = f"/v1/items/th/{s.open}"
        await reader.post(f"{at}/acknowledge")
        await reader.post(f"{at}/reply", {"kind": "reply.hit", "text": "Known at a fictional desk."})
        await s.carry()
        colleague = await s.id.client()
        given = (await colleague.get(at)).json()["answers"]
        assert [(a["kind"], a["by"], a["text"]) for a in given] == [
            ("acknowledged", reader.who.caller.ref, None),
            ("reply.hit", reader.who.caller.ref, "Known at a fictional desk."),
        ]
        assert (await s.author.get(at)).json()["answers"] == [], "of our own item others answer"
        (delivery,) = (await s.author.get(f"/v1/deliveries/{s.open}")).json()
        assert (delivery["recipient"], delivery["state"]) == ("id", "acted")
        (reply,) = (await s.author.get(f"/v1/replies/{s.open}")).json()
        assert (reply["peer"], reply["kind"], reply["text"]) == ("id", "reply.hit", "Known at a fictional desk.")
        elsewhere = await s.th.client(agency="police")
        for path in ("deliveries", "replies"):
            absent = await elsewhere.get(f"/v1/{path}/{UUID(int=5)}")
            assert absent.status_code == 404
            assert (await elsewhere.get(f"/v1/{path}/{s.open}")).content == absent.content
        auditor = await s.th.client(Role.AUDITOR)
        assert (await auditor.get(f"/v1/deliveries/{s.open}")).status_code == 200
        assert (await auditor.get(f"/v1/replies/{s.open}")).status_code == 403


async def test_openings_are_counted_for_their_auditor_by_officer_and_for_the_originator_by_purpose() -> None:
    async with story() as s:
        reader, auditor = await s.id.client(), await s.id.client(Role.AUDITOR)
        for purpose in ("protect_and_refer", "protect_and_refer", "identify_victim"):
            await reader.post(f"/v1/items/th/{s.open}/open", {"sensitivity": "nominal", "purpose": purpose})
        await s.carry()
        (mine,) = (await auditor.get("/v1/openings")).json()
        counts = [["nominal", "identify_victim", 1], ["nominal", "protect_and_refer", 2]]
        assert (mine["officer"], mine["counts"], mine["items"]) == (reader.who.caller.ref, counts, 1)
        assert (await reader.get("/v1/openings")).status_code == 403
        assert (await auditor.get("/v1/openings?until=2020-01-01T00:00:00Z")).json() == []
        answer = await s.author.get(f"/v1/deliveries/{s.open}")
        assert answer.json()[0]["openings"] == counts
        assert reader.who.caller.ref not in answer.text


async def test_a_reply_that_was_erased_is_told_without_its_text() -> None:
    async with story() as s:
        reader = await s.id.client()
        await reader.post(f"/v1/items/th/{s.open}/reply", {"kind": "reply.hit", "text": "Gone soon."})
        await s.carry()
        (answer,) = await s.th.services.views.replies(s.open)
        assert answer.sealed is not None
        await s.th.node.desks.vault.erase([answer.sealed.slot])
        (reply,) = (await s.author.get(f"/v1/replies/{s.open}")).json()
        assert (reply["kind"], reply["text"]) == ("reply.hit", None)


async def test_names_are_told_to_those_who_enrol_and_nobody_else() -> None:
    async with api_node() as api:
        focal, auditor = await api.client(Role.FOCAL_POINT), await api.client(Role.AUDITOR)
        after = (await api.node.log.head()).size
        named = (await focal.get(f"/v1/officers?after={after}")).json()
        unnamed = (await auditor.get(f"/v1/officers?after={after}")).json()
        assert {o["name"] for o in named} == {"Fictional Officer"}
        assert {o["name"] for o in unnamed} == {None}
        assert [o["tokens"][0]["id"] for o in named] == [focal.token_id, auditor.token_id]
        assert all(secret not in str(named) for secret in (focal.token.split("_")[3], auditor.token.split("_")[3]))


async def test_the_history_has_no_word_and_no_secret() -> None:
    async with story() as s:
        auditor = await s.th.client(Role.AUDITOR)
        pages, after = [], 0
        while True:
            answer = (await auditor.get(f"/v1/history?after={after}&limit=10")).json()
            pages += answer["rows"]
            if answer["next"] is None:
                break
            after = answer["next"]
        assert [r["position"] for r in pages] == list(range(1, (await s.th.node.log.head()).size + 1))
        said = str(pages)
        for secret in ("Fictional Officer", "scam centre", auditor.token.split("_")[3], "telegram"):
            assert secret not in said
        posted = next(r for r in pages if r["topic"] == "rilon.alert.posted.1")
        assert posted["facts"]["author"] == s.author.who.caller.ref
        assert posted["facts"]["edition"]["seed"].keys() == {"sha256"}


async def test_an_auditor_replays_any_moment() -> None:
    async with story() as s:
        auditor, reader = await s.id.client(Role.AUDITOR), await s.id.client()
        opening = {"sensitivity": "nominal", "purpose": "identify_victim"}
        opened = (await reader.post(f"/v1/items/th/{s.open}/open", opening, key=None)).json()
        now = (await auditor.get(f"/v1/replay/board?as_of={opened['position']}")).json()
        assert [r["item"] for r in now["rows"]] == [str(s.closed), str(s.open)]
        seen = now["rows"][1]
        assert seen["origin"] == "th"
        assert reader.who.caller.ref in {each["officer"] for each in seen["seen_by"]}
        assert [(o["officer"], o["purpose"]) for o in seen["opened"]] == [(reader.who.caller.ref, "identify_victim")]
        before = (await auditor.get(f"/v1/replay/board?as_of={opened['position'] - 1}")).json()
        assert before["rows"][1]["opened"] == []
        page = (await auditor.get(f"/v1/replay/board?as_of={opened['position']}&limit=1")).json()
        again = await auditor.get(f"/v1/replay/board?as_of={opened['position']}&limit=1&cursor={page['next']}")
        assert page["rows"] + again.json()["rows"] == now["rows"]
        assert (await auditor.get("/v1/replay/board?as_of=2020-01-01T00:00:00Z")).json()["rows"] == []
        assert len((await auditor.get("/v1/replay/board?as_of=2030-01-01T00:00:00Z")).json()["rows"]) == 0, "expired"
        at = NOW.isoformat().replace("+00:00", "Z")
        assert len((await auditor.get(f"/v1/replay/board?as_of={at}")).json()["rows"]) == 2
        beyond = await auditor.get("/v1/replay/board?as_of=99999")
        assert (beyond.status_code, beyond.json()["type"]) == (422, "urn:rilon:replay.position")
        assert (await auditor.get("/v1/replay/board")).json()["type"] == "urn:rilon:query.missing"
        assert (await reader.get("/v1/replay/board?as_of=1")).status_code == 403


async def test_a_past_that_is_read_page_by_page_is_folded_once() -> None:
    async with story() as s:
        replays = Replays(s.id.node.log)
        size = (await s.id.node.log.head()).size
        assert await replays.at(size) is await replays.at(size)
        instant = await replays.at(NOW)
        assert await replays.at(NOW) is instant
        await s.id.node.officer()
        assert await replays.at(NOW) is not instant
