"""Originator control against a holder whose program was changed to hand on what it holds, over real couriers.

Thailand shares with Indonesia. Indonesia's node writes the lines of a forwarder into its own log and attaches what it
holds: Thailand's own statements, or the same signed by itself. Every other node refuses it, shows nothing of it on a
board, and says at whom and why. (Words copied by hand into an item of one's own are no forwarding that software sees:
SECURITY.md, Residue.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from types import SimpleNamespace
from uuid import UUID

import pytest
from click.testing import CliRunner

from rilon.app.link_words import unsound
from rilon.app.outgoing import leaf_of
from rilon.app.unit import Unit
from rilon.crypto import frame, manifest, release, statement
from rilon.crypto.frame import Recipient, Route
from rilon.domain.base import Event
from rilon.domain.entry import Entry
from rilon.domain.holding import HeldEdition, Holding, holding_id
from rilon.domain.values import Line, Role
from rilon.network import wire
from rilon.network.health import LinkHealth
from rilon.node.commands import common
from rilon.node.commands.links import list_
from tests.api import api_of
from tests.fakes.memory_bus import MemoryHub, account_of
from tests.federation.couriers import Post, delivered, hurry, posts, until
from tests.nodes import MemoryNode, acquaint, draft_of, memory_node, pump
from tests.web import pages_of

OTHERS = ("my", "ph")
WORDS = "A Fictional Recruitment Agency"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


class Forwarder:
    """Indonesia, changed."""

    def __init__(self, node: MemoryNode, item: UUID, patch: pytest.MonkeyPatch) -> None:
        self.node, self.item = node, item
        self.said: dict[tuple[str, ...], Mapping[str, bytes]] = {}
        self._attach = node.desks.outgoing.attach
        patch.setattr(node.desks.outgoing, "attach", self.attach)

    async def attach(self, event: Event, peer: str) -> Mapping[str, bytes]:
        if isinstance(event, Holding.Arrived) and peer in OTHERS:
            return self.said[event.to[peer].kind, *(d.hex() for d in event.to[peer].digests)]
        return await self._attach(event, peer)

    async def holding(self) -> Holding:
        return await self.node.desks.work.read(Holding, holding_id("th", self.item))

    async def say(self, line: Line, attached: Mapping[str, bytes]) -> None:
        """Write a line for every other node into one's log; the courier does the rest."""
        self.said[line.kind, *(d.hex() for d in line.digests)] = attached

        async def do(unit: Unit) -> bytes:
            holding = await unit.get(Holding, holding_id("th", self.item))
            to = dict.fromkeys(OTHERS, line)
            holding.trigger_event(
                Holding.Arrived, manifest=holding.edition.digest, place=0, to=to, timestamp=self.node.clock.now()
            )
            return b""

        await self.node.desks.work.run(do)

    async def sections(self, edition: HeldEdition) -> dict[str, bytes]:
        """Leaves, paths, keys and ciphertexts of what it was granted: it holds them all."""
        vault, found = self.node.desks.vault, dict[str, bytes]()
        for section in edition.sections:
            slot, place = section.sealed.slot, section.position
            key = (await vault.keys([slot]))[slot]
            assert isinstance(key, bytes)
            ciphertext = (await vault.ciphertexts([slot]))[slot]
            found |= {f"leaf.{place}": leaf_of(section), f"path.{place}": section.path}
            found |= {f"key.{place}": key, f"ciphertext.{place}": ciphertext}
        return found

    async def release(self, *, signed_by_itself: bool) -> None:
        """Hand the release on as it came, or signed anew."""
        edition = (await self.holding()).edition
        said, released = edition.manifest, edition.release
        if signed_by_itself:
            signing = self.node.desks.keys.ring().signing
            said = statement.sign(manifest.KIND, statement.parse(said).body, signing)
            released = statement.sign(release.KIND, statement.parse(released).body, signing)
        attached = {"manifest": said, "release": released, "grant": edition.grant, "path": edition.path}
        attached |= {"position": bytes([edition.position])} | await self.sections(edition)
        digests = statement.parse(said).digest, statement.parse(released).digest
        await self.say(Line("release", digests), attached)

    async def word(self, kind: str, *more: bytes) -> None:
        """A line as if the item were its own to speak of."""
        await self.say(Line(kind, ((await self.holding()).edition.digest, *more)), {"item": self.item.bytes})


async def scene(patch: pytest.MonkeyPatch) -> tuple[dict[str, MemoryNode], Forwarder]:
    """Four nodes that know each other; Indonesia holds what Thailand granted it."""
    nodes = {member: await memory_node(member) for member in ("th", "id", *OTHERS)}
    th = nodes["th"]
    await acquaint(*nodes.values())
    for node in nodes.values():
        await node.desks.directory.publish_account(account_of(node.member))
    author, focal = await th.officer(), await th.approver()
    for here in nodes.values():
        for there in nodes.values():
            if here is not there:
                await pump(here, there)
    item = await th.post(author, draft_of("TIP-RECRUIT", "id"))
    await th.approve(item, focal)
    assert not any(await pump(th, nodes["id"]))
    for node in nodes.values():
        node.sent.clear()  # the couriers read the log from its beginning, and so they drop what was pumped
    return nodes, Forwarder(nodes["id"], item, patch)


def told(post: Post) -> dict[str, str]:
    """Why things from Indonesia were not believed, with the sentence of the health page."""
    link: LinkHealth = post.link("id")
    return {refusal.code: refusal.sentence for refusal in link.refusals}


async def shows_nothing(node: MemoryNode, item: UUID) -> bool:
    held = [await node.desks.work.seek(Holding, holding_id(origin, item)) for origin in ("id", "th")]
    return not any(held)


WAYS: dict[str, tuple[Callable[[Forwarder], Awaitable[None]], str]] = {
    "statement.kid": (lambda f: f.release(signed_by_itself=False), "a statement that is not signed with its key"),
    "release.origin": (lambda f: f.release(signed_by_itself=True), "an item that is not its own"),
    "entry.unknown-item": (lambda f: f.word("status.opened.nominal"), "it was never given"),
    "onward.unknown": (lambda f: f.word("onward.answer.granted", bytes(32)), "a question or answer"),
}


async def test_every_other_node_refuses_what_a_holder_hands_on_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes, forwarder = await scene(monkeypatch)
    hub = MemoryHub(*nodes)
    async with posts(hub, *nodes.values()) as made:
        await delivered(made)
        for act, _ in WAYS.values():
            await act(forwarder)
            await delivered(made)
        for member in OTHERS:
            assert told(made[member]).keys() == WAYS.keys(), member
            assert all(words in told(made[member])[code] for code, (_, words) in WAYS.items())
            assert await shows_nothing(nodes[member], forwarder.item)
        assert not told(made["th"])
        await read_by_people(nodes["my"], made["my"], forwarder.item, monkeypatch)
        await made["my"].stop()
        made["my"].start()  # the reasons stand in the log
        await delivered(made)
        assert told(made["my"]).keys() == WAYS.keys()
    refused = [e.code for e in await nodes["my"].events() if isinstance(e, Entry.Refused) and e.peer == "id"]
    assert refused == [*WAYS]


async def read_by_people(node: MemoryNode, post: Post, item: UUID, patch: pytest.MonkeyPatch) -> None:
    """By API, by command line and on the page: the reasons in sentences, and nothing of any content."""
    async with api_of(node, links=post.courier.health) as api:
        known = (await (await api.client(Role.ADMINISTRATOR)).get("/v1/links")).json()
    (link,) = [each for each in known if each["member"] == "id"]
    patch.setattr(common, "Api", lambda *_: SimpleNamespace(get=lambda _: known))
    listed = CliRunner().invoke(list_).output
    async with pages_of(node, links=post.courier.health) as pages:
        page = (await (await pages.signed_in(Role.ADMINISTRATOR)).get("/network")).text
    assert {r["code"]: r["count"] for r in link["health"]["refusals"]} == dict.fromkeys(WAYS, 1)
    assert all(unsound(r["code"]) % {"peer": "Indonesia"} in unescape(page) for r in link["health"]["refusals"])
    assert all(r["sentence"] in listed for r in link["health"]["refusals"])
    for said in (str(link["health"]), page, listed):
        assert item.hex not in said.replace("-", "")
        assert WORDS not in said


async def test_frames_of_another_are_refused_whoever_carries_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded frame of Thailand's, and one made in its name: counted at who handed them in."""
    nodes, _ = await scene(monkeypatch)
    th, my, indonesia = nodes["th"], nodes["my"], nodes["id"]
    hub = MemoryHub(*nodes, inbox_frames=1000)
    async with posts(hub, *nodes.values()) as made:
        await delivered(made)
        genuine = next(raw for sender, to, raw in hub.seen if (sender, to) == ("th", "id"))
        body = wire.Entries(th.log_id, my.log_id, 0, 1, bytes(32), (Line("closure", (bytes(32),)),))
        route, to = Route("th", "my", th.log_id, my.log_id, "real"), Recipient(my.desks.keys.ring().kem().public)
        made_up = frame.seal(wire.encode(body), wire.attach([{}]), route, to, indonesia.desks.keys.ring().link)
        for n, raw in enumerate((genuine, made_up)):
            hub.store("id", "my", raw, str(n))
        await until(lambda: made["my"].link("id").rejected == 2)
        await until(lambda: "frame.account" in told(made["my"]))
        assert "frames under another Member's name" in told(made["my"])["frame.account"]
        assert not made["my"].link("th").refusals
