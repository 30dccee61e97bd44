"""Originator control: a holder asks for more, the originator's people decide, and no holder forwards by itself."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from rilon.app.onward_desk import OnwardAsk
from rilon.app.outgoing import leaf_of
from rilon.app.post import Arrived
from rilon.app.recall_desk import RecallOrder
from rilon.audit.statements import Statements
from rilon.crypto import statement
from rilon.domain.conditions import Obligations
from rilon.domain.holding import Holding, holding_id
from rilon.domain.onward import MAX_OPEN, Onward, onward_id
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Line, Purpose, Sensitivity
from rilon.errors import ConflictError, InvalidError, NotFoundError, RefusedError, RilonError
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, pump

SUMMARY, NOMINAL = Sensitivity.SUMMARY, Sensitivity.NOMINAL
WHY, COURT = Purpose.INVESTIGATE_TRAFFICKING, Purpose.PROSECUTION


async def carry(*nodes: MemoryNode) -> None:
    """Carry lines until nobody has any more to say."""
    for _ in range(3):
        for here in nodes:
            for there in nodes:
                if here is not there:
                    assert set(await pump(here, there)) <= {""}


class Story:
    """Thailand, whose alert Malaysia holds, and Indonesia, who should have it too."""

    th: MemoryNode
    my: MemoryNode
    id: MemoryNode
    focal: Person
    reader: Person
    item: UUID

    async def begin(self, **changes: Any) -> Story:
        self.th, self.my = await memory_node("th"), await memory_node("my", seed=1)
        self.id = await memory_node("id", seed=2)
        await acquaint(self.th, self.my, self.id)
        self.focal, author = await self.th.approver(), await self.th.officer()
        await carry(self.th, self.my, self.id)
        self.item = await self.th.post(author, draft_of("TIP-RECRUIT", "my", **changes))
        await self.th.approve(self.item, self.focal)
        await carry(self.th, self.my, self.id)
        self.reader = await self.my.officer()
        return self

    async def ask(self, *sections: Sensitivity, member: str | None = "id", court: bool = False) -> None:
        order = OnwardAsk("They are nearer.", frozenset(sections or (SUMMARY, NOMINAL)), member, court)
        await self.my.desks.onward.ask(self.reader.caller, "th", self.item, order)

    async def request(self) -> bytes:
        """The oldest question that waits."""
        await carry(self.th, self.my, self.id)
        return (await self.th.desks.work.read(Onward, onward_id("th", self.item))).waiting[0].id

    async def grant(self, *people: Person) -> bytes:
        await self.th.desks.onward.grant(self.focal.caller, self.item, await self.request())
        answer = await self.th.approve(self.item, *(people or (self.focal,)))
        await carry(self.th, self.my, self.id)
        return answer

    async def outcomes(self) -> list[str]:
        return [q.outcome for q in await self.my.desks.onward.asked(self.reader.caller, "th", self.item)]


async def open_(node: MemoryNode, person: Person, item: UUID, purpose: Purpose, what: Sensitivity = NOMINAL) -> Any:
    return await node.desks.reading.open_(person.caller, "th", item, what, purpose)


def check_log(*events: Any) -> None:
    """What ``rilon verify`` checks of what people and nodes signed and said."""
    statements = Statements(Counter())
    for event in events:
        statements.check(event)


async def test_a_third_member_gets_it_from_the_originator_and_the_asker_hears_so() -> None:
    s = await Story().begin()
    await s.ask()
    assert await s.outcomes() == ["waiting"]
    await s.request()
    (shown,) = await s.th.desks.onward.questions(s.focal.caller, s.item)
    assert (shown.asker, shown.member, shown.reason, shown.outcome) == ("my", "id", "They are nearer.", "waiting")
    assert {c.sensitivity for c in shown.cells} == {SUMMARY, NOMINAL}
    assert await s.grant() == b"released"
    opened = await open_(s.id, await s.id.officer(), s.item, WHY)
    assert (opened.conditions.onward, opened.conditions.court) == ("ask", "ask")
    assert await s.outcomes() == ["granted"]
    for node in (s.th, s.my, s.id):
        check_log(*await node.events())


async def test_a_holder_asks_for_more_sections_of_its_own_on_the_same_path() -> None:
    s = await Story().begin()
    await s.th.desks.recalls.recall(
        s.focal.caller, "th", s.item, RecallOrder("Too much.", "mistake", sensitivity=NOMINAL)
    )
    await carry(s.th, s.my)
    with pytest.raises(NotFoundError):
        await open_(s.my, s.reader, s.item, WHY)
    await s.ask(NOMINAL, member=None)
    assert await s.grant() == b"released"
    await open_(s.my, s.reader, s.item, WHY)
    assert await s.outcomes() == ["granted"]


async def test_use_in_court_needs_a_grant_that_says_so() -> None:
    s = await Story().begin()
    with pytest.raises(RefusedError) as refused:
        await open_(s.my, s.reader, s.item, COURT)
    assert refused.value.code == "holding.court-ask"
    await open_(s.my, s.reader, s.item, COURT, SUMMARY)
    await s.ask(NOMINAL, member=None, court=True)
    await s.th.desks.onward.grant(s.focal.caller, s.item, await s.request())
    await s.th.desks.disclosures.cut(s.focal.caller, s.item, frozenset({("my", NOMINAL)}))  # a new draft says so too
    await s.th.approve(s.item, s.focal)
    await carry(s.th, s.my)
    assert (await open_(s.my, s.reader, s.item, COURT)).conditions.court == "yes"
    assert await s.outcomes() == ["granted"]
    with pytest.raises(ConflictError, match="granted to you already"):
        await s.ask(NOMINAL, member=None, court=True)
    for node in (s.th, s.my):
        check_log(*await node.events())


async def test_what_the_author_excluded_cannot_be_asked_for() -> None:
    s = await Story().begin(onward="no", court="no")
    for wanted, code in (({"member": "id"}, "onward.no"), ({"member": None, "court": True}, "onward.court-no")):
        with pytest.raises(RefusedError) as refused:
            await s.ask(NOMINAL, **wanted)
        assert refused.value.code == code
    with pytest.raises(RefusedError) as refused:
        await open_(s.my, s.reader, s.item, COURT)
    assert refused.value.code == "holding.court-no"


@pytest.mark.parametrize(
    ("member", "error", "code"),
    [
        ("xx", InvalidError, "member.unknown"),
        ("th", ConflictError, "onward.holds"),
        (None, ConflictError, "onward.holds"),
    ],
)
async def test_nonsense_is_refused_by_name(member: str | None, error: type[RilonError], code: str) -> None:
    s = await Story().begin()
    with pytest.raises(error) as refused:
        await s.ask(member=member)
    assert refused.value.code == code


async def test_who_holds_nothing_asks_nothing_and_an_ended_grant_is_named() -> None:
    s = await Story().begin()
    stranger = await s.id.officer()
    order = OnwardAsk("Please.", frozenset({NOMINAL}))
    with pytest.raises(NotFoundError):
        await s.id.desks.onward.ask(stranger.caller, "th", s.item, order)
    with pytest.raises(NotFoundError):
        await s.id.desks.onward.asked(stranger.caller, "th", s.item)
    holding = await s.my.desks.work.read(Holding, holding_id("th", s.item))
    s.my.clock.at = holding.edition.until + timedelta(seconds=1)
    with pytest.raises(RefusedError) as refused:
        await s.ask()
    assert refused.value.code == "onward.expired"


async def test_the_same_is_asked_once_and_not_too_much_at_a_time() -> None:
    s = await Story().begin()
    await s.ask()
    with pytest.raises(ConflictError, match="asked already"):
        await s.ask()
    asked = await s.my.desks.work.read(Onward, onward_id("th", s.item))
    request = asked.waiting[0]
    for n in range(1, MAX_OPEN):
        more = replace(request, id=bytes([n]) * 32, member=f"m{n}")
        asked.ask("0" * 32, more, asked.texts[request.id], s.my.clock.now())
    with pytest.raises(ConflictError) as refused:
        asked.ask("0" * 32, replace(request, id=b"?" * 32, member="x"), asked.texts[request.id], s.my.clock.now())
    assert refused.value.code == "onward.too-many"


async def test_whom_rules_oblige_not_to_ask_onward_gets_nothing_by_asking() -> None:
    """Its own node refuses the question; one that was changed to put it all the same is told no by the originator."""
    s = await Story().begin()
    await s.ask(NOMINAL)
    request = await s.request()
    ask, mine = Rule("th.ask", Effect.ASK, "Look."), When(recipients=frozenset({"my"}))
    await s.th.put_in_force([ask, Rule("th.my", Effect.ASK, "For them.", mine, obliges=Obligations(onward="no"))])
    (shown,) = await s.th.desks.onward.questions(s.focal.caller, s.item)
    assert [[f.rule for f in c.decision.deciding] for c in shown.cells] == [["conditions.onward"]]
    with pytest.raises(RefusedError) as refused:
        await s.th.desks.onward.grant(s.focal.caller, s.item, request)
    assert refused.value.code == "onward.nothing-may-go"
    other = When(recipients=frozenset({"id"}))
    await s.th.put_in_force([ask, Rule("th.id", Effect.ASK, "For others.", other, obliges=Obligations(onward="no"))])
    await s.grant()
    assert await s.outcomes() == ["granted"]


async def test_a_no_is_a_code_that_the_asker_sees_once() -> None:
    s = await Story().begin()
    await s.ask()
    request = await s.request()
    with pytest.raises(InvalidError):
        await s.th.desks.onward.refuse(s.focal.caller, s.item, request, "mood")
    with pytest.raises(RefusedError):
        await s.th.desks.onward.refuse((await s.th.officer()).caller, s.item, request, "law")
    await s.th.desks.onward.refuse(s.focal.caller, s.item, request, "law")
    await carry(s.th, s.my)
    assert await s.outcomes() == ["refused.law"]
    with pytest.raises(ConflictError):
        await s.th.desks.onward.grant(s.focal.caller, s.item, request)


async def test_a_draft_that_is_refused_answers_too() -> None:
    s = await Story().begin()
    await s.ask()
    await s.th.desks.onward.grant(s.focal.caller, s.item, await s.request())
    with pytest.raises(ConflictError):  # one draft at a time
        await s.th.desks.onward.grant(s.focal.caller, s.item, await s.request())
    await s.th.desks.disclosures.refuse(s.focal.caller, s.item, "Not to them.")
    await carry(s.th, s.my)
    assert await s.outcomes() == ["refused.not-approved"]


async def test_the_matrix_has_its_word_whoever_asks() -> None:
    s = await Story().begin(handling={"not_to": ["id"]})
    await s.ask()
    with pytest.raises(RefusedError) as refused:
        await s.th.desks.onward.grant(s.focal.caller, s.item, await s.request())
    assert refused.value.code == "onward.nothing-may-go"
    (shown,) = await s.th.desks.onward.questions(s.focal.caller, s.item)
    assert {c.decision.effect for c in shown.cells} == {Effect.REFUSE}


async def test_an_answer_to_what_was_not_asked_and_a_question_by_who_holds_nothing_are_refused() -> None:
    s = await Story().begin()
    line = Line("onward.answer.granted", (bytes(32), bytes(32)))
    seq = s.th.sent["my"][1] + 1
    arrived = [Arrived(seq, line, {"item": s.item.bytes})]
    assert await s.my.desks.incoming.accept("th", s.th.log_id, arrived) == ["onward.unknown"]
    await s.ask()
    position, _ = s.my.sent["th"]
    (recorded,) = [r for r in await s.my.log.page(position, 100) if isinstance(r.event, Onward.Asked)]
    parts = await s.my.desks.outgoing.attach(recorded.event, "th")
    arrived = [Arrived(s.id.sent["th"][1] + 1, recorded.event.to["th"], parts)]
    assert await s.th.desks.incoming.accept("id", s.id.log_id, arrived) == ["entry.unknown-item"]


async def test_a_node_changed_to_forward_by_itself_is_refused_by_every_other() -> None:
    """Malaysia's node passes on, as its own line, all that Thailand sent it: Indonesia takes in none of it."""
    s = await Story().begin()
    (edition,) = (await s.my.desks.work.read(Holding, holding_id("th", s.item))).grants.editions
    taken: dict[str, bytes] = {}
    keys = await s.my.desks.vault.keys([ref.sealed.slot for ref in edition.sections])
    texts = await s.my.desks.vault.ciphertexts([ref.sealed.slot for ref in edition.sections])
    for ref in edition.sections:
        key, place = keys[ref.sealed.slot], ref.position
        assert isinstance(key, bytes)
        taken |= {f"leaf.{place}": leaf_of(ref), f"path.{place}": ref.path, f"key.{place}": key}
        taken[f"ciphertext.{place}"] = texts[ref.sealed.slot]
    parts = {"manifest": edition.manifest, "release": edition.release, "grant": edition.grant, "path": edition.path}
    taken |= parts | {"position": edition.position.to_bytes(1, "big")}
    line = Line("release", (edition.digest, statement.parse(edition.release).digest))
    seq, key = s.my.sent["id"][1] + 1, s.my.desks.keys.ring().signing
    said = {kind: statement.parse(taken[kind]) for kind in ("manifest", "release")}
    signed = {kind: statement.sign(kind, each.body, key) for kind, each in said.items()}  # by its own key instead
    for n, (parts, code) in enumerate([(taken, "statement.kid"), (taken | signed, "release.origin")]):
        arrived = [Arrived(seq + n, line, parts)]
        assert await s.id.desks.incoming.accept("my", s.my.log_id, arrived) == [code]
    assert await s.id.desks.work.seek(Holding, holding_id("th", s.item)) is None
    assert await s.id.desks.work.seek(Holding, holding_id("my", s.item)) is None
