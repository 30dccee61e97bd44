"""Lines about circles from peers that lie, forget or come late: refused by name, and never half taken in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from rilon.app.charters import sign_charter, sign_consent
from rilon.app.circle_desk import CharterDraft
from rilon.app.post import Arrived
from rilon.domain.circle import Charter, Circles, Consent, circles_id
from rilon.domain.values import Line, Purpose, Role
from tests.fakes.drafts import NOW
from tests.nodes import MemoryNode, acquaint, memory_node

CIRCLE = bytes(range(16))
END = int(NOW.timestamp()) + 86_400


def charter(chair: str, *members: str, **changes: Any) -> Charter:
    facts: dict[str, Any] = {
        "chair": chair,
        "circle": CIRCLE,
        "version": 1,
        "previous": None,
        "world": "real",
        "kind": "group",
        "name": "Fictional group",
        "charter": "Fictional words.",
        "purpose": "border_decision",
        "themes": ("maritime",),
        "members": tuple(sorted({chair, *members})),
        "admitted": (),
        "ends": END,
        "outcome": None,
    }
    return Charter(**facts | changes)


class Peer:
    """A Member whose node says whatever a test wants, in its own name."""

    def __init__(self, node: MemoryNode, hearer: MemoryNode) -> None:
        self.node, self.hearer, self.seq = node, hearer, 0

    @property
    def key(self) -> Any:
        return self.node.desks.keys.ring().signing

    async def say(self, kind: str, digests: tuple[bytes, ...], attached: dict[str, bytes]) -> str:
        self.seq += 1
        arrived = Arrived(self.seq, Line(kind, digests), attached)
        (code,) = await self.hearer.desks.incoming.accept(self.node.member, self.node.log_id, [arrived])
        return code

    async def charter(self, said: Charter, **more: bytes) -> str:
        signed, digest = sign_charter(said, self.key)
        return await self.say("circle", (digest,), {"charter": signed, **more})


async def peers(hearer: str, *members: str) -> tuple[MemoryNode, list[Peer]]:
    nodes = [await memory_node(m) for m in (hearer, *members)]
    await acquaint(*nodes)
    return nodes[0], [Peer(node, nodes[0]) for node in nodes[1:]]


async def names(node: MemoryNode) -> list[tuple[str, int, str]]:
    shown = await node.desks.circles.all((await node.officer()).caller)
    return [(c.circle, c.version, c.state) for c in shown]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (charter("th", "sg"), "circle.not-a-member"),
        (charter("id", "my"), "circle.chair"),
        (charter("th", "my", world="exercise"), "circle.world"),
        (charter("th", "my", kind="consultation"), "circle.co-chair"),
        (charter("th", "my", name="Two\nlines"), "text.lines"),
    ],
)
async def test_a_charter_that_does_not_hold_is_refused(said: Charter, code: str) -> None:
    my, (th,) = await peers("my", "th")
    assert await th.charter(said) == code
    assert await names(my) == []


async def test_versions_are_chained_and_a_fork_is_refused() -> None:
    my, (th,) = await peers("my", "th")
    first = charter("th", "my")
    digest = sign_charter(first, th.key)[1]
    second = structs.replace(first, version=2, previous=digest, name="Second")
    assert await th.charter(first) == ""
    assert await th.charter(first) == ""
    assert await th.charter(structs.replace(first, name="Other")) == "circle.fork"
    assert await th.charter(structs.replace(second, previous=bytes(32))) == "circle.fork"
    assert await th.charter(second) == ""
    assert await th.charter(first) == ""
    closing = structs.replace(second, version=5, previous=bytes(32), outcome="Done.")
    assert await th.charter(closing) == ""
    assert await th.charter(structs.replace(closing, version=7, outcome=None)) == "circle.closed"
    assert await names(my) == [(first.ref, 5, "closed")]


async def test_one_chairs_circles_are_not_anothers_to_touch() -> None:
    my, (th, sg) = await peers("my", "th", "sg")
    assert await th.charter(charter("th", "my")) == ""
    assert await sg.say("circle.left", (bytes(32),), {"circle": CIRCLE}) == ""
    assert await sg.charter(charter("sg", "my")) == ""
    assert [c[0] for c in await names(my)] == [f"sg.{CIRCLE.hex()}", f"th.{CIRCLE.hex()}"]
    assert await th.say("circle.left", (bytes(32),), {"circle": CIRCLE}) == ""
    assert [c[0] for c in await names(my)] == [f"sg.{CIRCLE.hex()}"]


async def test_a_consultation_needs_the_other_co_chair() -> None:
    th, (id_, au, my) = await peers("th", "id", "au", "my")
    said = charter("id", "au", "th", kind="consultation")
    digest = sign_charter(said, id_.key)[1]

    def by(peer: Peer, **changes: Any) -> bytes:
        facts = {"member": peer.node.member, "chair": "id", "circle": CIRCLE, "charter": digest}
        return sign_consent(Consent(**facts | changes), peer.key)[0]

    for attached, code in (
        ({}, "circle.consent"),
        ({"consent": by(my)}, "statement.kid"),
        ({"consent": by(id_)}, "statement.kid"),
        ({"consent": by(au, circle=bytes(16))}, "circle.consent"),
        ({"consent": by(au, charter=bytes(32))}, "circle.consent"),
        ({"consent": b"no statement"}, "statement.tag"),
    ):
        assert await id_.charter(said, **attached) == code
    assert await id_.charter(structs.replace(said, members=("id", "th"))) == "circle.co-chair"
    assert await names(th) == []
    assert await id_.charter(said, consent=by(au)) == ""
    assert await names(th) == [(said.ref, 1, "live")]


async def test_a_consent_that_nothing_waits_for_is_refused() -> None:
    _, (au,) = await peers("id", "au")
    consent, digest = sign_consent(Consent("au", "id", CIRCLE, bytes(32)), au.key)
    assert await au.say("circle.consent", (digest,), {"consent": consent}) == "circle.unknown"


async def test_nobody_leaves_for_another_and_a_co_chair_not_at_all() -> None:
    id_, (au, th, my) = await peers("id", "au", "th", "my")
    focal = await id_.officer(Role.FOCAL_POINT)
    draft = CharterDraft(
        kind="consultation",
        name="Fictional boats",
        charter="Fictional words.",
        purpose=Purpose.PREVENT_LOSS_OF_LIFE,
        themes=("maritime",),
        members=("au", "th"),
        ends=NOW + timedelta(days=1),
    )
    ref = (await id_.desks.circles.convene(focal.caller, draft)).answer.decode()
    circle, proposed = bytes.fromhex(ref.partition(".")[2]), await id_.desks.work.read(Circles, circles_id("id"))
    for peer in (au, th, my):
        assert await peer.say("circle.leave", (bytes(32),), {"circle": circle}) == ""
    given = Consent("au", "id", circle, proposed.circles[circle].digest)
    consent, digest = sign_consent(given, au.key)
    assert await au.say("circle.consent", (digest,), {"consent": consent}) == ""
    assert await my.say("circle.leave", (bytes(32),), {"circle": circle}) == ""
    assert await au.say("circle.leave", (bytes(32),), {"circle": circle}) == "circle.co-chair"
    assert await names(id_) == [(ref, 1, "live")]
    assert await th.say("circle.leave", (bytes(32),), {"circle": circle}) == ""
    assert await names(id_) == [(ref, 2, "live")]


@pytest.mark.parametrize(
    ("kind", "attached", "code"),
    [
        ("circle", {}, "entry.part"),
        ("circle", {"charter": b"\xff"}, "statement.tag"),
        ("circle.consent", {}, "entry.part"),
        ("circle.left", {}, "entry.part"),
        ("circle.left", {"circle": b"short"}, "circle.id"),
        ("circle.leave", {}, "entry.part"),
        ("circle.leave", {"circle": b"short"}, "circle.id"),
        ("circle.leave", {"circle": bytes(16)}, ""),
        ("circle.newer", {}, ""),
    ],
)
async def test_bytes_that_are_nothing_are_refused(kind: str, attached: dict[str, bytes], code: str) -> None:
    my, (th,) = await peers("my", "th")
    assert await th.say(kind, (bytes(32),), attached) == code
    assert await names(my) == []


async def test_a_line_names_the_very_charter() -> None:
    my, (th,) = await peers("my", "th")
    signed, _ = sign_charter(charter("th", "my"), th.key)
    assert await th.say("circle", (bytes(32),), {"charter": signed}) == "circle.digest"
    assert await names(my) == []


async def test_a_chair_may_not_flood_us_with_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rilon.domain.circle.MAX_CIRCLES", 2)
    my, (th,) = await peers("my", "th")
    codes = [await th.charter(charter("th", "my", circle=bytes([n]) * 16)) for n in range(3)]
    assert codes == ["", "", "circle.too-many"]
    assert len(await names(my)) == 2
