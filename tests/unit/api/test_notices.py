"""Live notices: who hears what, without content; coming back, falling behind, being shut out, and stopping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from rilon.app.notices import About, Notice
from rilon.app.recall_desk import ErasureOrder
from rilon.domain.peer_link import PeerLink, link_stream
from rilon.domain.permissions import Caller
from rilon.domain.values import Role
from rilon.errors import ConflictError, MalformedError
from rilon.front.notifier import MOST_LISTENERS, MOST_WAITING
from rilon.front.stream import parse_position, stream
from tests.api import ApiNode, Client, api_node, api_of
from tests.nodes import acquaint, draft_of, memory_node, pump
from tests.unit.app.test_circles import charter


@asynccontextmanager
async def two() -> AsyncIterator[tuple[ApiNode, ApiNode]]:
    here, there = await memory_node("th"), await memory_node("id", seed=1)
    await acquaint(here, there)
    async with api_of(here) as th, api_of(there) as id_:
        await th.settle()
        await id_.settle()
        yield th, id_


def parse(frame: bytes) -> Notice:
    lines = dict(line.split(b": ", 1) for line in frame.strip().split(b"\n"))
    assert lines[b"event"] == b"notice"
    notice = msgspec.json.decode(lines[b"data"], type=Notice)
    assert int(lines[b"id"]) == notice.position
    return notice


async def heard(api: ApiNode, caller: Caller, after: int) -> list[tuple[str, int]]:
    """What the notices of ``notices`` are about, and where."""
    return [(str(n.about), n.position) for n in await notices(api, caller, after)]


async def notices(api: ApiNode, caller: Caller, after: int) -> list[Notice]:
    """All that a caller hears who comes back having heard ``after``; the stream ends by itself after that."""
    await api.settle()
    api.services.notifier.close()
    frames = [f async for f in stream(api.services.notifier, api.services.clock, caller, after)]
    api.services.notifier._closed = False
    assert frames.pop(0) == b"retry: 3000\n\n"
    return list(map(parse, frames))


async def test_an_order_to_erase_is_heard_by_all_who_could_read_it() -> None:
    async with two() as (th, _):
        author, focal, reader = await th.node.officer(), await th.node.approver(), await th.node.officer()
        item = await th.node.post(author, draft_of("TIP-RECRUIT", "id"))
        start = (await th.node.log.head()).size
        await th.node.desks.recalls.erase(focal.caller, "th", item, ErasureOrder("An order.", "court-order"))
        for person in (author, focal, reader):
            assert [about for about, _ in await heard(th, person.caller, start)] == [About.CHANGED]


async def test_each_hears_what_concerns_them() -> None:
    async with two() as (th, id_):
        author, colleague = await th.node.officer(), await th.node.officer()
        focal, auditor = await th.node.approver(), await th.node.officer(Role.AUDITOR)
        reader, other = await id_.node.officer(desk="duty"), await id_.node.officer(desk="elsewhere")
        start, there = (await th.node.log.head()).size, (await id_.node.log.head()).size
        draft = draft_of("TIP-RECRUIT", "id", audience={"members": ["id"], "readers": ["desk:duty"]})
        item = await th.node.post(author, msgspec.convert(msgspec.to_builtins(draft), type(draft)))
        await th.node.approve(item, focal)
        await pump(th.node, id_.node)
        await id_.node.desks.reading.acknowledge(reader.caller, "th", item)
        await id_.node.desks.reading.reply(reader.caller, "th", item, "reply.hit", "Yes.")
        await pump(id_.node, th.node)
        await th.node.desks.alerts.withdraw(author.caller, item, "Over.")
        await pump(th.node, id_.node)

        def abouts(told: list[tuple[str, int]]) -> list[str]:
            return [about for about, _ in told]

        answered = [About.ANSWERED, About.ANSWERED, About.CHANGED]
        assert abouts(await heard(th, author.caller, start)) == [About.DECIDED, *answered]
        assert abouts(await heard(th, colleague.caller, start)) == [About.POSTED, *answered]
        assert abouts(await heard(th, focal.caller, start)) == [About.POSTED, About.WAITING, *answered]
        assert abouts(await heard(th, auditor.caller, start)) == []
        assert abouts(await heard(id_, reader.caller, there)) == [About.RECEIVED, About.CHANGED]
        assert abouts(await heard(id_, other.caller, there)) == []
        (first, *_) = await heard(id_, reader.caller, there)
        assert abouts(await heard(id_, reader.caller, first[1])) == [About.CHANGED]


async def test_break_glass_is_heard_by_those_who_review_it() -> None:
    async with two() as (th, _):
        author, focal = await th.node.officer(), await th.node.approver()
        start = (await th.node.log.head()).size
        await th.node.post(author, draft_of("MAR-DISTRESS", "id", handling={"tlp": "TLP:AMBER"}))
        told = [about for about, _ in await heard(th, focal.caller, start)]
        assert About.REVIEW_DUE in told
        assert About.REVIEW_DUE not in [about for about, _ in await heard(th, author.caller, start)]


async def test_a_returned_draft_is_heard_by_its_author_alone() -> None:
    async with two() as (th, _):
        author, colleague, focal = await th.node.officer(), await th.node.officer(), await th.node.approver()
        item = await th.node.post(author, draft_of("TIP-RECRUIT", "id"))
        start = (await th.node.log.head()).size
        await th.node.desks.disclosures.return_(focal.caller, item, "Name the place.")
        assert [about for about, _ in await heard(th, author.caller, start)] == [About.DECIDED]
        assert await heard(th, colleague.caller, start) == []


async def test_a_frozen_link_is_heard_by_focal_points() -> None:
    async with two() as (th, _):
        focal, officer = await th.node.officer(Role.FOCAL_POINT), await th.node.officer()
        start = (await th.node.log.head()).size
        await th.node.desks.links.frozen("id", "link.fork", b"evidence")
        assert [a for a, _ in await heard(th, focal.caller, start)] == [About.FROZEN]
        assert await heard(th, officer.caller, start) == []
        assert (await th.node.desks.work.read(PeerLink, link_stream("id"))).fork.code == "link.fork"


async def test_a_notice_says_no_word_of_what_it_is_about() -> None:
    async with two() as (th, _):
        author, colleague = await th.node.officer(), await th.node.officer()
        draft = draft_of("TIP-RECRUIT", "id")
        item = await th.node.post(author, draft)
        await th.settle()
        th.services.notifier.close()
        frames = [f async for f in stream(th.services.notifier, th.services.clock, colleague.caller, 0)]
        said: dict[str, Any] = msgspec.json.decode(frames[-1].split(b"data: ")[1])
        assert said.keys() == {"position", "about", "at", "origin", "item", "kind", "urgency"}
        assert said["item"] == str(item)
        assert (said["origin"], said["kind"]) == ("th", "TIP-RECRUIT")


class Stream:
    """An open stream over the very ASGI application, without a socket."""

    def __init__(self, api: ApiNode, client: Client, **headers: str) -> None:
        self.gone, self.start, self.frames = asyncio.Event(), asyncio.Event(), asyncio.Queue[bytes]()
        given = {"host": "th.localhost", "authorization": f"Bearer {client.token}"} | headers
        self.scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": "/v1/notices",
            "raw_path": b"/v1/notices",
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
            "client": None,
            "server": ("th.localhost", 80),
        }
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.ended = False
        self.task = asyncio.create_task(api.app(self.scope, self.receive, self.send))  # type: ignore[arg-type]

    async def receive(self) -> dict[str, Any]:
        if not self.start.is_set():
            self.start.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.ended = not message.get("more_body")
            if self.ended:  # as a server does: nobody is there any more when the answer is complete
                self.gone.set()
            if message["body"]:
                self.frames.put_nowait(message["body"])

    async def next(self) -> bytes:
        async with asyncio.timeout(2):
            return await self.frames.get()

    async def finish(self) -> None:
        async with asyncio.timeout(2):
            await self.task


async def test_an_open_stream_hears_what_comes_now() -> None:
    async with api_node(knows=["id"]) as api:
        author, listener = await api.node.officer(), await api.client()
        await api.settle()
        open_ = Stream(api, listener)
        assert await open_.next() == b"retry: 3000\n\n"
        assert open_.status == 200
        assert open_.headers[b"content-type"].startswith(b"text/event-stream")
        assert open_.headers[b"cache-control"] == b"no-store"
        assert open_.headers[b"x-accel-buffering"] == b"no"
        item = await api.node.post(author, draft_of("TIP-RECRUIT", "id"))
        await api.settle()
        assert parse(await open_.next()).item == item
        assert len(api.services.notifier) == 1
        open_.gone.set()
        await open_.finish()
        assert len(api.services.notifier) == 0


async def test_who_comes_back_hears_what_was_missed_once() -> None:
    async with api_node(knows=["id"]) as api:
        author, listener = await api.node.officer(), await api.client()
        items = [await api.node.post(author, draft_of("TIP-RECRUIT", "id")) for _ in range(3)]
        await api.settle()
        open_ = Stream(api, listener, last_event_id="1")
        await open_.next()
        first = [parse(await open_.next()) for _ in range(3)]
        assert [n.item for n in first] == items
        again = Stream(api, listener, last_event_id=str(first[1].position))
        await again.next()
        assert parse(await again.next()) == first[2]
        for one in (open_, again):
            one.gone.set()
            await one.finish()
            assert one.frames.empty()


async def test_stopping_ends_every_stream_and_lets_none_begin() -> None:
    async with api_node() as api:
        listener = await api.client()
        opened = [Stream(api, listener) for _ in range(3)]
        for one in opened:
            await one.next()
        api.services.notifier.close()
        late = Stream(api, listener)
        for one in (*opened, late):
            await one.finish()
            assert one.ended
        assert len(api.services.notifier) == 0


@pytest.mark.parametrize("what", ["suspend", "revoke", "role"])
async def test_whose_access_shrinks_is_shut_out_at_once(what: str) -> None:
    async with api_node() as api:
        focal = await api.client(Role.FOCAL_POINT)
        one, other = await api.client(), await api.client()
        await api.settle()
        shut, stays = Stream(api, one), Stream(api, other)
        await shut.next()
        await stays.next()
        if what == "suspend":
            await focal.post(f"/v1/officers/{one.who.id}/suspend")
        elif what == "revoke":
            await focal.call("DELETE", f"/v1/officers/{one.who.id}/tokens/{one.token_id}")
        else:
            await focal.post(f"/v1/officers/{one.who.id}/roles/revoke", {"role": "officer"})
        await api.settle()
        await shut.finish()
        assert not stays.task.done()
        stays.gone.set()
        await stays.finish()


async def test_an_officer_has_so_many_streams_and_no_more() -> None:
    async with api_node() as api:
        listener = await api.client()
        opened = [Stream(api, listener) for _ in range(MOST_LISTENERS)]
        for one in opened:
            await one.next()
        answer = await listener.get("/v1/notices")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:rilon:notices.too-many")
        with pytest.raises(ConflictError):
            api.services.notifier.check_room(listener.who.caller)
        api.services.notifier.close()
        for one in opened:
            await one.finish()


async def test_who_reads_too_slowly_is_ended_and_nobody_waits_for_them() -> None:
    async with api_node(knows=["id"]) as api:
        author, slow = await api.node.officer(), await api.client()
        await api.settle()
        with api.services.notifier.listen(slow.who.caller) as listener:
            for _ in range(MOST_WAITING + 1):
                await api.node.post(author, draft_of("TIP-RECRUIT", "id"))
            await api.settle()
            assert await listener.hear(1) == (False, None)


async def test_a_quiet_stream_pings_and_ends_within_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rilon.front.stream.PING_S", 0.001)
    async with api_node() as api:
        caller = (await api.node.officer()).caller
        frames = stream(api.services.notifier, api.services.clock, caller, None)
        assert [await anext(frames) for _ in range(3)] == [b"retry: 3000\n\n", b": ping\n\n", b": ping\n\n"]
        api.node.clock.forward(hours=1)
        assert [f async for f in frames] == []


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "\u0661", "1" * 19, "1 "])
def test_a_position_is_a_number(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_position(text)


def test_no_position_is_none() -> None:
    assert [parse_position(t) for t in (None, "", "0", "7")] == [None, None, 0, 7]


async def test_no_stream_outlives_its_token() -> None:
    async with two() as (th, _):
        focal, officer = await th.node.approver(), await th.node.officer()
        made = await th.node.desks.members.issue_token(focal.caller, officer.id, officer.caller.roles, days=1)
        caller = await th.node.desks.members.authenticate(made.text)
        th.node.clock.forward(hours=23, minutes=59, seconds=59.9)
        frames = stream(th.services.notifier, th.services.clock, caller, None)
        assert await anext(frames) == b"retry: 3000\n\n"
        waiting = asyncio.ensure_future(anext(frames, None))
        await asyncio.sleep(0)
        th.node.clock.forward(seconds=1)
        async with asyncio.timeout(5):  # far below the hour that a stream lives otherwise, and below a ping
            while await waiting is not None:
                waiting = asyncio.ensure_future(anext(frames, None))
        assert len(th.services.notifier) == 0


async def test_who_is_suspended_while_they_sign_in_hears_nothing() -> None:
    """The event that ends their streams may have been applied before theirs was there to be ended."""
    async with two() as (th, _):
        focal, officer = await th.node.approver(), await th.node.officer()
        await th.node.desks.members.suspend(focal.caller, officer.id)
        await th.settle()
        async with asyncio.timeout(5):
            assert [f async for f in stream(th.services.notifier, th.services.clock, officer.caller, None)] == []


async def test_a_circle_that_changes_is_heard_by_its_members_and_who_is_out_learns_only_that() -> None:
    async with two() as (th, id_):
        focal, officer = await th.node.officer(Role.FOCAL_POINT), await th.node.officer()
        reader, auditor = await id_.node.officer(), await id_.node.officer(Role.AUDITOR)
        start, there = (await th.node.log.head()).size, (await id_.node.log.head()).size
        ref = (await th.node.desks.circles.convene(focal.caller, charter("id"))).answer.decode()
        await pump(th.node, id_.node)
        assert [n.circle for n in await notices(id_, reader.caller, there)] == [ref]
        assert await notices(id_, auditor.caller, there) == []
        assert [n.circle for n in await notices(th, officer.caller, start)] == [ref]
        assert await notices(th, focal.caller, start) == []
        await th.node.desks.circles.close(focal.caller, ref, "A fictional outcome.")
        await pump(th.node, id_.node)
        told = await notices(id_, reader.caller, there)
        assert [(n.about, n.origin, n.circle) for n in told] == [(About.CIRCLE, "th", ref)] * 2


async def test_who_was_taken_off_a_circle_hears_its_name_no_more() -> None:
    async with two() as (th, id_):
        await acquaint(th.node, my := await memory_node("my"))
        focal, reader = await th.node.officer(Role.FOCAL_POINT), await id_.node.officer()
        there = (await id_.node.log.head()).size
        ref = (await th.node.desks.circles.convene(focal.caller, charter("id", my.member))).answer.decode()
        await pump(th.node, id_.node)
        await th.node.desks.circles.change(focal.caller, ref, 1, charter(my.member))
        await pump(th.node, id_.node)
        assert [(n.about, n.origin, n.circle) for n in await notices(id_, reader.caller, there)] == [
            (About.LEFT, "th", "")
        ]


async def test_when_a_member_leaves_by_itself_its_people_hear_it_once() -> None:
    async with two() as (th, id_):
        focal, leaver = await th.node.officer(Role.FOCAL_POINT), await id_.node.officer(Role.FOCAL_POINT)
        reader = await id_.node.officer()
        ref = (await th.node.desks.circles.convene(focal.caller, charter("id"))).answer.decode()
        await pump(th.node, id_.node)
        there = (await id_.node.log.head()).size
        await id_.node.desks.circles.leave(leaver.caller, ref)
        await pump(id_.node, th.node)
        await pump(th.node, id_.node)
        assert [(n.about, n.circle) for n in await notices(id_, reader.caller, there)] == [(About.LEFT, "")]
        assert await notices(id_, leaver.caller, there) == []
