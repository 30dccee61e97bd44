"""What rules oblige to becomes the conditions of each section: shown, approved, sent, held and ended so."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from rilon.app.onward_desk import OnwardAsk
from rilon.app.release import conditions_of, sign
from rilon.app.simulation import Changed
from rilon.audit.statements import Statements
from rilon.crypto import release, statement
from rilon.domain.book_file import format_book, make_book
from rilon.domain.conditions import NOTHING, Conditions, Obligations
from rilon.domain.disclosure import Disclosure
from rilon.domain.draft import Draft, GrantRecord
from rilon.domain.handling import Caveat
from rilon.domain.holding import Holding, holding_id
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Line, Purpose, Sensitivity
from rilon.errors import ConflictError, NotFoundError, RefusedError
from tests.evidence import Evidence, evidence_of
from tests.fakes.drafts import NOW
from tests.fakes.entropy import SeededEntropy
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, pump
from tests.unit.app.test_recalls import erase

SUMMARY, NOMINAL = Sensitivity.SUMMARY, Sensitivity.NOMINAL
WHY, OTHER = Purpose.INVESTIGATE_TRAFFICKING, Purpose.BORDER_DECISION
PERSONS = Obligations(frozenset({WHY}), "no", "no", 30, frozenset({Caveat.NO_CONTACT}))


def rules(persons: Effect = Effect.ALLOW, obliges: Obligations = PERSONS) -> list[Rule]:
    """Summaries go as their author likes; persons only so."""
    return [
        Rule("th.summary", Effect.ALLOW, "It names nobody.", When(sensitivities=frozenset({SUMMARY}))),
        Rule("th.persons", persons, "For this alone.", When(sensitivities=frozenset({NOMINAL})), obliges=obliges),
        Rule("th.all", Effect.ALLOW, "They are neighbours.", obliges=Obligations(days=100)),
    ]


class Story:
    th: MemoryNode
    my: MemoryNode
    author: Person
    focal: Person
    reader: Person
    item: UUID

    async def begin(self, book: list[Rule]) -> Story:
        self.th, self.my = await memory_node("th"), await memory_node("my", seed=1)
        await acquaint(self.th, self.my)
        self.focal, self.author, self.reader = (
            await self.th.approver(),
            await self.th.officer(),
            await self.my.officer(),
        )
        await self.carry()
        await self.th.put_in_force(book)
        self.item = await self.th.post(self.author, draft_of("TIP-RECRUIT", "my"))
        await self.carry()
        return self

    async def carry(self) -> None:
        for here, there in ((self.th, self.my), (self.my, self.th)) * 2:
            assert set(await pump(here, there)) <= {""}

    async def open_(self, purpose: Purpose, what: Sensitivity = NOMINAL) -> Any:
        return await self.my.desks.reading.open_(self.reader.caller, "th", self.item, what, purpose)

    async def holding(self) -> Holding:
        return await self.my.desks.work.read(Holding, holding_id("th", self.item))


async def refused(s: Story, purpose: Purpose) -> str:
    with pytest.raises(RefusedError) as caught:
        await s.open_(purpose)
    return caught.value.code


async def test_each_section_goes_under_what_every_rule_obliges_to_and_its_author_laid_down() -> None:
    s = await Story().begin(rules())
    shown = await s.th.desks.alerts.preview(s.author.caller, draft_of("TIP-RECRUIT", "my"))
    said = {cell.sensitivity: cell.conditions for cell in shown.matrix.cells}
    (event,) = [e for e in await s.th.events() if isinstance(e, Disclosure.Released)]
    grant = release.read_grant(event.grants["my"].grant)
    until = NOW + timedelta(days=30)
    assert said[NOMINAL] == Conditions((WHY,), "no", "no", until, (Caveat.NO_CONTACT,))
    assert sorted(map(conditions_of, grant.parts), key=lambda c: c.until) == [said[NOMINAL], said[SUMMARY]]
    nominal, summary = await s.open_(WHY), await s.open_(OTHER, SUMMARY)
    assert (nominal.conditions, summary.conditions) == (said[NOMINAL], said[SUMMARY])
    assert (summary.conditions.until, summary.conditions.onward) == (NOW + timedelta(days=100), "ask")


async def tried(s: Story, book: list[Rule]) -> list[Changed]:
    text = format_book(make_book("th", 3, book, (), ())).encode()
    return list((await s.th.desks.rules.simulate(s.focal.caller, text, NOW - timedelta(days=1))).cells)


async def test_a_trial_tells_what_rules_attached_then_and_would_attach() -> None:
    s = await Story().begin(rules())
    (cell,) = await tried(s, rules(obliges=Obligations(days=20)))
    assert (cell.sensitivity, cell.before, cell.after) == (NOMINAL, Effect.ALLOW, Effect.ALLOW)
    assert (cell.obliges_before, cell.obliges, cell.looser) == (PERSONS, Obligations(days=20), True)
    (asked,) = await tried(s, rules(Effect.ASK))
    assert (asked.approvers_before, asked.approvers, asked.looser) == (0, 1, False)
    (refused,) = await tried(s, rules(Effect.REFUSE, NOTHING))
    assert (refused.after, refused.obliges_before, refused.obliges) == (Effect.REFUSE, PERSONS, None)


async def test_a_trial_is_silent_about_conditions_of_what_was_refused_and_would_be() -> None:
    s = await Story().begin(rules(Effect.REFUSE, NOTHING))
    book = [*rules(Effect.REFUSE, NOTHING)[:2], Rule("th.all", Effect.ALLOW, "So.", obliges=Obligations(days=50))]
    assert [cell.sensitivity for cell in await tried(s, book)] == [SUMMARY]


async def test_what_conditions_exclude_is_refused_with_the_reason_to_whom_it_is_for() -> None:
    s = await Story().begin(rules())
    assert await refused(s, OTHER) == "holding.purpose"
    await s.open_(OTHER, SUMMARY)
    with pytest.raises(NotFoundError):
        await s.my.desks.reading.open_(s.reader.caller, "th", UUID(int=7), NOMINAL, OTHER)
    order = OnwardAsk("They are nearer.", frozenset({NOMINAL}), court=True)
    with pytest.raises(RefusedError) as caught:
        await s.my.desks.onward.ask(s.reader.caller, "th", s.item, order)
    assert caught.value.code == "onward.court-no"
    sight = await s.my.desks.explain.why(s.reader.caller, "th", s.item)
    told = [f.obliges for section in sight.sections if section.sensitivity is NOMINAL for f in section.findings]
    assert Obligations(frozenset({WHY}), "no", "no", caveats=frozenset({Caveat.NO_CONTACT})) in told


async def test_a_section_closes_when_its_own_time_is_over_and_the_rest_stays() -> None:
    s = await Story().begin(rules())
    s.my.clock.at += timedelta(days=31)
    with pytest.raises(NotFoundError):
        await s.open_(WHY)
    await s.open_(WHY, SUMMARY)
    await erase(s.my)
    closed = [c.sensitivity for some in (await s.holding()).grants.closed.values() for c in some]
    assert closed == [NOMINAL], "its key is gone, though nobody said so"


async def test_a_section_whose_time_was_over_before_it_left_stays_at_home() -> None:
    s = Story()
    s.th, s.my = await memory_node("th"), await memory_node("my", seed=1)
    await acquaint(s.th, s.my)
    s.author, s.reader = await s.th.officer(), await s.my.officer()
    await s.carry()
    await s.th.put_in_force(rules())
    s.item = await s.th.post(s.author, draft_of("TIP-RECRUIT", "my"))
    for node in (s.th, s.my):
        node.clock.at += timedelta(days=31)
    await s.carry()
    held = [section.sensitivity for e in (await s.holding()).grants.editions for section in e.sections]
    assert held == [SUMMARY]


async def test_an_approver_signs_the_conditions_and_stricter_rules_send_it_back() -> None:
    s = await Story().begin(rules(Effect.ASK))
    shown = await s.th.desks.disclosures.show(s.focal.caller, s.item)
    (cell,) = shown.cells
    assert cell.conditions == Conditions((WHY,), "no", "no", NOW + timedelta(days=30), (Caveat.NO_CONTACT,))
    signature = s.focal.sign(shown)
    await s.th.put_in_force(rules(Effect.ALLOW, Obligations(frozenset({WHY, OTHER}), days=90)))
    await s.th.put_in_force(
        rules(Effect.ALLOW, Obligations(frozenset({WHY}), "no", "no", 10, frozenset(PERSONS.caveats)))
    )
    with pytest.raises(ConflictError) as caught:
        await s.th.desks.disclosures.approve(s.focal.caller, s.item, signature)
    assert caught.value.code == "disclosure.rejudged"
    again = await s.th.desks.disclosures.show(s.focal.caller, s.item)
    (cell,) = again.cells
    assert cell.conditions is not None
    assert cell.conditions.until == NOW + timedelta(days=10)
    await s.th.desks.disclosures.approve(s.focal.caller, s.item, s.focal.sign(again))
    await s.carry()
    assert (await s.open_(WHY)).conditions == cell.conditions


async def test_rules_that_leave_no_purpose_refuse() -> None:
    s = await Story().begin([*rules(), Rule("th.other", Effect.ALLOW, "So.", obliges=Obligations(frozenset({OTHER})))])
    shown = await s.th.desks.alerts.preview(s.author.caller, draft_of("TIP-RECRUIT", "my"))
    (cell,) = [c for c in shown.matrix.cells if c.sensitivity is NOMINAL]
    assert (cell.decision.effect, cell.conditions) == (Effect.REFUSE, None)
    assert [f.rule for f in cell.decision.deciding] == ["conditions.no-purpose"]
    assert [e.edition.sections[0].sensitivity for e in await s.my.events() if isinstance(e, Holding.Granted)] == [
        SUMMARY
    ]


async def test_both_logs_verify_and_a_holder_is_told_once() -> None:
    s = await Story().begin(rules())
    for node in (s.th, s.my):
        statements = Statements(Counter())
        for event in await node.events():
            statements.check(event)
    granted = [e for e in await s.my.events() if isinstance(e, Holding.Granted | Holding.GrantedMore)]
    grants = (await s.holding()).grants
    assert [len(grants.released_with(e.originator_version)) for e in granted] == [2, 0]


LOOSER: tuple[dict[str, Any], ...] = (
    {"purposes": ()},
    {"purposes": tuple(sorted((WHY, OTHER)))},
    {"onward": "ask"},
    {"court": "ask"},
    {"caveats": ()},
    {"until": int((NOW + timedelta(days=31)).timestamp())},
)
"""What a node could make of the conditions of ``PERSONS``."""


async def forgeable() -> tuple[Story, Evidence, Evidence]:
    s = await Story().begin(rules())
    found = [await evidence_of(node) for node in (s.th, s.my)]
    assert [evidence.codes() for evidence in found] == [set(), set()]
    for evidence in found:
        evidence.tip, evidence.selected = None, []
    return s, *found


def codes_at(evidence: Evidence, place: int) -> set[str]:
    return {code for position, code in evidence.found() if position == place}


async def test_an_originator_that_loosens_what_its_rules_oblige_to_is_found() -> None:
    """It owns its database and its keys; the rule book in force, which two people signed, is in the way."""
    s, here, _ = await forgeable()
    place, key = here.place(Disclosure.Released), s.th.desks.keys.ring().signing
    event = here.events()[place - 1]
    body = release.read(statement.parse(event.release).body).body
    grant = release.read_grant(event.grants["my"].grant)
    for changes in ({}, *LOOSER):
        parts = tuple(replace(p, **changes) if p.caveats else p for p in grant.parts)
        terms = release.Terms(grant.recipient, grant.readers, parts, grant.rules)
        new = release.draft_release(
            manifest=body.manifest,
            rulebook=body.rulebook,
            basis=body.basis,
            created=body.created,
            terms=[terms],
            entropy=SeededEntropy(3).bytes,
        )
        (mine,) = new.grants
        record = GrantRecord(mine.data, mine.position, mine.path)
        draft = Draft(new.data, new.digest, 0, event.cells, {"my": record}, new.seed)
        said, digest = sign(draft, (), key)
        line = Line("release", (body.manifest, digest))
        here.rewrite(place, release=said, digest=digest, grants=draft.grants, seed=new.seed, to={"my": line})
        assert codes_at(here, place) == ({"release.conditions"} if changes else set()), changes


async def test_a_holder_that_loosens_what_came_is_found() -> None:
    """It owns its database; what the originator signed is in the way."""
    _, _, there = await forgeable()
    came = {
        n: e.edition for n, e in enumerate(there.events(), 1) if isinstance(e, Holding.Granted | Holding.GrantedMore)
    }
    ((place, held),) = [(n, edition) for n, edition in came.items() if edition.added]
    (other,) = [edition for edition in came.values() if not edition.added]
    changed = [
        {"purposes": None},
        {"purposes": frozenset({WHY, OTHER})},
        {"onward": "ask"},
        {"court": "ask"},
        {"added": ()},
        {"until": held.until + timedelta(days=1)},
        {"sections": other.sections},
        {n: getattr(other, n) for n in ("purposes", "onward", "court", "added", "until")},
    ]
    for changes in changed:
        there.rewrite(place, edition=replace(held, **changes))
        assert codes_at(there, place) == {"event.contradiction"}, changes
