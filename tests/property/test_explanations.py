"""Ten thousand random (officer, item, moment): the explanation, found again by its own text, equals the decision.

Two nodes live: alerts are posted, released, corrected, withdrawn; books change; the clock runs. At every moment the
decision is taken down as the living aggregates make it. At the end every answer is found again by its reference alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from rilon.domain import share as sharing
from rilon.domain.alert import Alert
from rilon.domain.holding import Holding, holding_id
from rilon.domain.permissions import Caller
from rilon.domain.rules import Rule, RuleBook, When
from rilon.domain.share import Share
from rilon.domain.sight import Sight
from rilon.domain.values import Effect, Purpose, Role, Sensitivity
from rilon.errors import NotFoundError, RefusedError, RilonError
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, pump

OPEN = RuleBook("th", 1, (Rule("open", Effect.ALLOW, "All may go."),))
KINDS = ("TIP-RECRUIT", "OSINT-FIND", "DOC-FRAUD", "VIC-REFER", "MAR-DISTRESS", "GOOD-PRACTICE")
Decided = tuple[Sensitivity, ...]


def decided(found: Alert | Holding | None, caller: Caller, at: object) -> Decided:
    """What an officer may open, as the deciding aggregate says."""
    return tuple(s for s in Sensitivity if _opens(found, caller, s, at))


def _opens(found: Alert | Holding | None, caller: Caller, sensitivity: Sensitivity, at: object) -> bool:
    if isinstance(found, Alert):
        live = at < found.edition.expires_at  # type: ignore[operator]
        there = found.edition.section(sensitivity) is not None and caller.among(found.readers)
        return caller.may_read(sensitivity) and there and live
    if found is None:
        return False
    for purpose in Purpose:
        try:
            found.find(caller, sensitivity, purpose, at)  # type: ignore[arg-type]
        except (NotFoundError, RefusedError):  # refused: kept from the courts
            continue
        return True
    return False


@dataclass
class Life:
    """Thailand, whose book changes, and Indonesia, which gets what may go."""

    chance: random.Random
    th: MemoryNode
    id_: MemoryNode
    people: dict[str, list[Person]]
    approvers: list[Person]
    items: list[UUID] = field(default_factory=list)
    sights: list[tuple[MemoryNode, Person, Sight, Decided]] = field(default_factory=list)
    answers: list[tuple[Person, sharing.Answer]] = field(default_factory=list)

    async def step(self) -> None:
        """Something happens."""
        what = self.chance.choice([self.post, self.post, self.approve, self.approve, self.end, self.wait, self.publish])
        await what()
        await pump(self.th, self.id_)
        await pump(self.id_, self.th)

    async def post(self) -> None:
        kind, readers = self.chance.choice(KINDS), {}
        if kind in {"TIP-RECRUIT", "OSINT-FIND", "DOC-FRAUD"}:
            purposes = self.chance.choice([None, ["prosecution"], ["border_decision", "investigate_trafficking"]])
            days = self.chance.choice([5, 40, 80])
            ends = (self.th.clock.at + timedelta(days=days)).isoformat()
            readers = {"handling": {"expires_at": ends} | ({"purposes": purposes} if purposes else {})}
        draft = draft_of(kind, "id", **readers)
        if kind == "TIP-RECRUIT" and self.chance.random() < 0.5:
            draft = structs.replace(draft, audience=structs.replace(draft.audience, readers=("desk:night",)))
        self.items.append(await self.th.post(self.people["th"][0], draft))

    async def approve(self) -> None:
        for item in self.chance.sample(self.items, min(3, len(self.items))):
            disclosure = await self.th.disclosure(item)
            ends = (await self.th.desks.work.read(Alert, item)).edition.expires_at
            if disclosure.draft is not None and self.th.clock.at < ends:
                await self.th.approve(item, *self.approvers[: disclosure.draft.approvers])

    async def end(self) -> None:
        live = [i for i in self.items if (await self.th.desks.work.read(Alert, i)).state == "live"]
        if live and self.chance.random() < 0.3:
            await self.th.desks.alerts.withdraw(self.people["th"][0].caller, self.chance.choice(live), "It is over.")

    async def wait(self) -> None:
        """Both clocks run."""
        later = self.th.clock.at + timedelta(days=self.chance.randint(1, 9))
        self.th.clock.at = self.id_.clock.at = later

    async def publish(self) -> None:
        effect = self.chance.choice(list(Effect))
        when = When(sensitivities=frozenset(self.chance.sample(list(Sensitivity)[:2], 1)))
        await self.th.put_in_force([Rule("now", effect, "So it is now.", when)])

    async def look(self, count: int) -> None:
        """Take decisions and their explanations down."""
        for _ in range(count):
            node, name = self.chance.choice([(self.th, "th"), (self.id_, "id")])
            person = self.chance.choice(self.people[name])
            item = self.chance.choice(self.items) if self.items and self.chance.random() < 0.9 else UUID(int=7)
            stream = item if node is self.th else holding_id("th", item)
            found = await node.desks.work.seek(Alert if node is self.th else Holding, stream)  # type: ignore[type-abstract]
            truth = decided(found, person.caller, node.clock.at)
            told = await node.desks.explain.why(person.caller, "th", item)
            assert tuple(s.sensitivity for s in told.sections if s.seen) == truth
            self.sights.append((node, person, told, truth))

    async def ask(self) -> None:
        """May I share? The answer is the preview's verdict on a real draft of that kind."""
        officer, kind = self.people["th"][0], self.chance.choice(("TIP-RECRUIT", "OSINT-FIND", "GOOD-PRACTICE"))
        draft = draft_of(kind, "id")
        preview = await self.th.desks.alerts.preview(officer.caller, draft)
        share = Share(kind=kind, members=("id", "my"), sections=preview.sections, readers="entitled")  # type: ignore[arg-type]
        share = structs.replace(share, members=("id",), tlp=preview.handling.tlp)
        told = await self.th.desks.explain.may_share(officer.caller, share)
        assert [c.findings for c in told.cells] == [c.decision.findings for c in preview.matrix.cells]
        self.answers.append((officer, told))


async def life(seed: int) -> Life:
    th, id_ = await memory_node("th", book=OPEN), await memory_node("id")
    people = {
        name: [
            await node.officer(),
            await node.officer(Role.FOCAL_POINT),
            await node.officer(Role.PROTECTION),
            await node.officer(desk="night"),
            await node.officer(Role.OFFICER, Role.PROTECTION, agency="police"),
        ]
        for name, node in (("th", th), ("id", id_))
    }
    approvers = [await th.approver(), await th.approver()]
    await acquaint(th, id_)
    await pump(th, id_)
    await pump(id_, th)
    return Life(random.Random(seed), th, id_, people, approvers)


@pytest.mark.parametrize(
    ("triples", "each"), [(500, 25), pytest.param(10_000, 250, marks=pytest.mark.long)], ids=["500", "10000"]
)
async def test_explanations_are_found_again_by_their_text(triples: int, each: int) -> None:
    lived = await life(1)
    while len(lived.sights) < triples:
        await lived.step()
        await lived.look(each)
        await lived.ask()
    assert {truth for *_, truth in lived.sights} >= {(), (Sensitivity.SUMMARY,)}
    assert len({a.rulebook for _, a in lived.answers}) > 1
    for officer, told in lived.answers:
        assert await lived.th.desks.explain.again(officer.caller, told.reference) == told
        assert sharing.write(*sharing.read(told.reference)[:2], told.digest) == told.reference
    for node, person, told, truth in lived.sights:
        again = await node.desks.explain.again(person.caller, told.reference)
        assert again == told
        assert tuple(s.sensitivity for s in again.sections if s.seen) == truth  # type: ignore[union-attr]


async def test_absent_and_not_for_you_are_explained_in_the_same_words() -> None:
    lived = await life(2)
    draft = draft_of("TIP-RECRUIT", "id")
    item = await lived.th.post(
        lived.people["th"][0], structs.replace(draft, audience=structs.replace(draft.audience, readers=("desk:night",)))
    )
    await lived.approve()
    await pump(lived.th, lived.id_)
    there = await lived.id_.desks.explain.why(lived.people["id"][3].caller, "th", item)
    assert there.seen
    for person in lived.people["id"][:3]:
        hidden = await lived.id_.desks.explain.why(person.caller, "th", item)
        absent = await lived.id_.desks.explain.why(person.caller, "th", UUID(int=7))
        assert (hidden.seen, hidden.sections) == (False, absent.sections)
        assert hidden.reference.replace(str(item), str(UUID(int=7))) == absent.reference


async def test_a_reference_is_ones_own_or_the_auditors() -> None:
    lived = await life(3)
    one, two = lived.people["id"][0], lived.people["id"][1]
    auditor = await lived.id_.officer(Role.AUDITOR)
    told = await lived.id_.desks.explain.why(one.caller, "th", UUID(int=7))
    assert await lived.id_.desks.explain.again(auditor.caller, told.reference) == told
    for wrong in (told.reference.replace("at=", "at=9"), told.reference + " ", "why.1", "may-i-share.1 at=1"):
        assert await _refused(lived.id_, one, wrong)
    assert await _refused(lived.id_, two, told.reference) == "permission.denied"
    assert await _refused(lived.id_, one, told.reference.replace("roles=officer", "roles=protection"))


async def _refused(node: MemoryNode, person: Person, reference: str) -> str:
    try:
        await node.desks.explain.again(person.caller, reference)
    except RilonError as error:
        return error.code
    return ""
