"""What leaves is what a rule allows or people approved: over random alerts, books, audiences, marks and deciders.

The model below knows the verdicts that the preview showed and who has signed; it knows nothing of drafts, grants, trees
or releases. What left is read out of the signed grants, and what arrived out of the receivers' holdings.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rilon.app.circle_desk import CharterDraft
from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.onward_desk import OnwardAsk
from rilon.app.recall_desk import RecallOrder
from rilon.app.release import conditions_of
from rilon.crypto import release, statement
from rilon.domain.alert import Alert
from rilon.domain.conditions import NOTHING, OBLIGING, Conditions, Obligations
from rilon.domain.disclosure import Disclosure
from rilon.domain.handling import READERS, Readers, Tlp
from rilon.domain.holding import Holding
from rilon.domain.kinds import KINDS
from rilon.domain.matrix import Cell, Verdict
from rilon.domain.onward import Onward
from rilon.domain.recall import Recall
from rilon.domain.rules import Rule, When
from rilon.domain.values import Effect, Purpose, Role, Sensitivity, Urgency
from rilon.errors import RilonError
from tests.fakes.drafts import example
from tests.nodes import MemoryNode, Person, acquaint, introduce, memory_node, pump

PEERS = ("id", "my", "iom", "fr")  # fr observes
NAMED = (*PEERS, "ph", "kh")  # ph is not verified, kh runs no node
Leaving = set[tuple[bytes, str, Sensitivity]]
"""Manifest, recipient, section."""


@dataclass
class World:
    node: MemoryNode
    peers: dict[str, MemoryNode]
    author: Person
    people: tuple[Person, ...]
    readers: dict[str, Person]
    circle: str

    def copy(self) -> World:
        peers = {m: p.copy() for m, p in self.peers.items()}
        return World(self.node.copy(), peers, self.author, self.people, self.readers, self.circle)


async def found() -> World:
    node = await memory_node("th")
    author = await node.approver(Role.OFFICER, Role.FOCAL_POINT)
    people = [author, await node.approver(), await node.approver(), await node.approver(Role.PROTECTION)]
    peers = {m: await memory_node(m) for m in PEERS}
    for peer in peers.values():
        await acquaint(node, peer)
        await pump(node, peer)
    await introduce(node, await memory_node("ph"), verify=False)
    drawn = CharterDraft(
        kind="operation", name="Example", charter="Find the fictional boat.", purpose=Purpose.INVESTIGATE_SMUGGLING,
        themes=("maritime",), members=("id", "iom"), ends=node.clock.at + timedelta(days=1500),
    )  # fmt: skip
    circle = (await node.desks.circles.convene(people[1].caller, drawn)).answer.decode()
    readers = {m: await peer.officer(desk="duty") for m, peer in peers.items()}
    return World(node, peers, author, tuple(people), readers, circle)


@cache
def founded() -> World:
    return asyncio.run(found())


class Chance:
    """What a seed chooses: crowded lives, in which things meet."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one(self, values: Iterable[Any]) -> Any:
        return self._random.choice(list(values))

    def some(self, values: Iterable[Any], least: int = 0, most: int = 4) -> list[Any]:
        known = list(values)
        return self._random.sample(known, min(len(known), self._random.randint(least, most)))

    def rarely(self, found: list[Any]) -> list[Any]:
        return found if self._random.random() < 0.2 else []

    def alert(self, circle: str) -> AlertDraft:
        kind = self.one(k for k in KINDS.values() if not k.exercise)
        given, tlp = example(kind.code), self.one(Tlp)
        lists = {
            "rel_to": self.rarely(self.some(NAMED, 2)),
            "not_to": self.rarely(self.some(NAMED, 1, 2)),
            "no_origin_states": self.rarely(self.some(NAMED, 1, 1)),
            "purposes": self.rarely(self.some(map(str, Purpose), 1)),
        }
        marks = given.get("handling", {}) | {name: found for name, found in lists.items() if found} | {"tlp": str(tlp)}
        everyone = tlp in {Tlp.GREEN, Tlp.CLEAR} and self.one((True, False))
        of_circle = "" if everyone else self.one(("", "", circle))
        readers = ("entitled",) if Readers.ENTITLED in READERS[tlp] else ("desk:duty",)
        members = () if everyone else tuple(self.some(NAMED, not of_circle, 5))
        return AlertDraft(
            kind=kind.code,
            fields=given["fields"],
            audience=AudienceDraft(everyone=everyone, members=members, circle=of_circle, readers=readers),
            handling=marks,
            grade=given.get("grade"),
            urgency=self.one((None, None, *Urgency)),
        )

    def rules(self) -> list[Rule]:
        return [self._rule(f"r.{n}") for n in range(self.one(range(6)))]

    def _rule(self, name: str) -> Rule:
        effect = self.one(EFFECTS)
        obliges = NOTHING if effect is Effect.REFUSE else self.one([NOTHING, NOTHING, self._obliges()])
        return Rule(name, effect, "Because.", self._when(), obliges=obliges)

    def _obliges(self) -> Obligations:
        return Obligations(
            purposes=self.one([None, None, frozenset(self.some(Purpose, 4, 10))]),
            onward=self.one(["ask", "ask", "no"]),
            court=self.one(["ask", "no"]),
            days=self.one([0, 30, 400]),
            caveats=frozenset(self.rarely(self.some(sorted(OBLIGING), 1, 2))),
        )

    def _when(self) -> When:
        return When(
            sensitivities=frozenset(self.some(Sensitivity, 1)),
            recipients=frozenset(self.rarely(self.some(PEERS))),
            tlp=frozenset(self.rarely(self.some(map(str, Tlp)))),
            kinds=frozenset(self.rarely(self.some(KINDS, 1, 20))),
            urgencies=frozenset(self.rarely(self.some(Urgency))),
        )


EFFECTS = (Effect.ALLOW,) * 4 + (Effect.ASK,) * 3 + (Effect.REFUSE,)


@dataclass
class Model:
    """What may have left, told from verdicts and signatures alone."""

    item: UUID
    author: str
    manifest: bytes = b""
    left: Leaving = field(default_factory=set)
    live: Leaving = field(default_factory=set)
    waits: dict[tuple[str, Sensitivity], Verdict] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)

    def judged(self, manifest: bytes, author: str, verdicts: tuple[Verdict, ...]) -> None:
        self.manifest, self.author = manifest, author
        self.let_go([v for v in verdicts if v.effect is Effect.ALLOW or v.break_glass])
        self.wait([v for v in verdicts if v.effect is Effect.ASK and not v.break_glass])

    def let_go(self, cells: Any) -> None:
        went = {(self.manifest, *cell.key) for cell in cells}
        self.left |= went
        self.live |= went

    def take_back(self, members: frozenset[str] | None, some: Sensitivity | None) -> None:
        self.live = {x for x in self.live if (members and x[1] not in members) or (some and x[2] is not some)}
        if members is None or members & {recipient for recipient, _ in self.waits}:
            self.wait(())

    def asked(self, cells: tuple[Cell, ...], *, court: bool) -> None:
        """A holder's question is granted: what is neither refused nor there waits to be signed, by one at least."""
        may = [c.verdict for c in cells if c.decision.effect is not Effect.REFUSE]
        new = [v for v in may if court or (self.manifest, *v.key) not in self.live]
        self.wait([replace(v, approvers=max(v.approvers, 1), break_glass=False) for v in new])

    def wait(self, cells: Any) -> None:
        self.waits, self.signed = {cell.key: cell for cell in cells}, set()

    def sign(self, by: str) -> None:
        self.signed.add(by)
        assert self.author not in self.signed
        if len(self.signed) >= max(v.approvers for v in self.waits.values()):
            self.let_go(self.waits.values())
            self.wait(())


@contextmanager
def perhaps() -> Iterator[None]:
    """Deciders try everything; what is refused has not happened."""
    try:
        yield
    except RilonError:
        return


class Life:
    """One alert's life: it is posted, and people do things to it. ``seen`` are the events of its kinds."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.node, self.chance = world, world.node, Chance(seed)
        self.model = Model(UUID(int=0), "")

    async def live(self) -> None:
        for _ in range(2):
            with perhaps():
                await self.publish()
            if not self.model.manifest:
                with perhaps():
                    await self.post(self.chance.alert(self.world.circle))
        await self.carry()
        for step in self.chance.some(STEPS, 3, 16) if self.model.manifest else ():
            with perhaps():
                await getattr(self, step)(self.chance.one(self.world.people))
            await self.carry()

    async def carry(self) -> None:
        """Bring the peers what there is, before a correction or an end withholds it; nobody may refuse anything."""
        directory = await self.node.desks.directory.current()
        for member, peer in self.world.peers.items():
            withheld = {"withheld.revoked"} if directory.standing(member) == "revoked" else set()
            codes = await pump(self.node, peer)
            assert set(codes) <= withheld | {""}, codes

    async def post(self, draft: AlertDraft) -> None:
        author = self.world.author
        shown = await self.node.desks.alerts.preview(author.caller, draft)
        self.model.item = await self.node.post(author, draft)
        self.model.judged(await self.newest(), author.caller.ref, shown.matrix.verdicts)

    async def newest(self) -> bytes:
        return (await self.node.desks.work.read(Alert, self.model.item)).edition.digest

    async def recall(self, person: Person) -> None:
        members = frozenset(self.chance.rarely(self.chance.some(PEERS, 1, 2))) or None
        some = self.chance.one([None, None, *Sensitivity])
        order = RecallOrder("A mistake.", "mistake", members, some)
        await self.node.desks.recalls.recall(person.caller, "th", self.model.item, order)
        self.model.take_back(members, some)

    async def ask(self, _: Person) -> None:
        """A holder asks, for itself or a third Member, and a focal point grants it; now or when it is asked again."""
        third, desk, focal = self.chance.one([None, *NAMED]), self.node.desks.onward, self.world.people[1].caller
        sections, court = frozenset(self.chance.some(Sensitivity, 1)), self.chance.one([False, False, True])
        order = OnwardAsk("They are nearer.", sections, third, court)
        for asker, reader in self.world.readers.items():
            with perhaps():
                await self.world.peers[asker].desks.onward.ask(reader.caller, "th", self.model.item, order)
            with perhaps():
                await pump(self.world.peers[asker], self.node)
        for question in await desk.questions(focal, self.model.item):
            if question.outcome == "waiting":
                with perhaps():
                    await desk.grant(focal, self.model.item, bytes.fromhex(question.id))
                    self.model.asked(question.cells, court=question.court)

    async def correct(self, person: Person) -> None:
        draft = self.chance.alert(self.world.circle)
        shown = await self.node.desks.alerts.preview(person.caller, draft, self.model.item)
        await self.node.desks.alerts.correct(person.caller, self.model.item, draft)
        self.model.judged(await self.newest(), person.caller.ref, shown.matrix.verdicts)

    async def approve(self, person: Person) -> None:
        desk = self.node.desks.disclosures
        shown = await desk.show(self.world.people[1].caller, self.model.item)
        try:
            await desk.approve(person.caller, self.model.item, person.sign(shown))
        except RilonError as error:
            if error.code == "disclosure.rejudged":
                again = (await self.node.disclosure(self.model.item)).draft
                self.model.wait(again.cells if again else ())
            raise
        self.model.sign(person.caller.ref)

    async def sign(self, _: Person) -> None:
        """Everybody who can signs what waits: an onward draft seldom meets the right two people by chance."""
        for person in self.world.people:
            with perhaps():
                await self.approve(person)

    async def ask_and_sign(self, person: Person) -> None:
        """What waits is decided, a holder asks, and those who must sign the yes do so."""
        await self.sign(person)
        await self.carry()
        with perhaps():
            await self.ask(person)
        await self.sign(person)

    async def cut(self, person: Person) -> None:
        keep = frozenset(self.chance.some(sorted(self.model.waits), 1, 9) or [("id", Sensitivity.SUMMARY)])
        await self.node.desks.disclosures.cut(person.caller, self.model.item, keep)
        self.model.wait([self.model.waits[key] for key in keep])

    async def refuse(self, person: Person) -> None:
        how = self.chance.one(["refuse", "return_"])
        await getattr(self.node.desks.disclosures, how)(person.caller, self.model.item, "No.")
        self.model.wait(())

    async def end(self, person: Person) -> None:
        await self.node.desks.alerts.withdraw(person.caller, self.model.item, "It is over.")
        self.model.wait(())

    async def publish(self, _: Person | None = None) -> None:
        await self.node.put_in_force(self.chance.rules())

    async def revoke(self, person: Person) -> None:
        await self.node.desks.directory.revoke(person.caller, self.chance.one(PEERS))

    async def left(self) -> Leaving:
        """What the signed grants of all releases give, and that there are no others."""
        alert = await self.node.desks.work.read(Alert, self.model.item)
        found: Leaving = set()
        for event in await self.node.events():
            if isinstance(event, Disclosure.Released):
                (edition,) = [e for e in alert.editions if e.digest == event.manifest]
                places = {s.position: s.sensitivity for s in edition.sections}
                body = release.read(statement.parse(event.release).body).body
                grants = {g.position: g.grant for g in event.grants.values()}
                for grant in release.verify_grants(body, grants, event.seed):
                    found |= {(event.manifest, grant.recipient, places[place]) for place in grant.leaves}
        return found

    async def loosened(self) -> list[Any]:
        """Granted sections whose conditions are not exactly the author's and all that rules attached to the cell."""
        alert, wrong = await self.node.desks.work.read(Alert, self.model.item), []
        for event in await self.node.events():
            if not isinstance(event, Disclosure.Released):
                continue
            (edition,) = [e for e in alert.editions if e.digest == event.manifest]
            marks = await self.node.desks.alerts._editions.marks(self.model.item, edition)
            places = {s.position: s.sensitivity for s in edition.sections}
            created = release.read(statement.parse(event.release).body).body.created
            obliges = {c.key: c.obliges or NOTHING for c in event.cells}
            for record in event.grants.values():
                grant = release.read_grant(record.grant)
                for part in grant.parts:
                    own = Conditions(marks.conditions.purposes, marks.conditions.onward, part.court, edition.expires_at)
                    if part.court != "yes":
                        own = replace(own, court=marks.conditions.court)
                    for place in part.leaves:
                        owed = own.under(obliges[grant.recipient, places[place]], datetime.fromtimestamp(created, UTC))
                        wrong += [(owed, part)] if owed != conditions_of(part) else []
        return wrong

    async def arrived(self) -> Leaving:
        """What the receivers hold."""
        found: Leaving = set()
        for member, peer in self.world.peers.items():
            for event in await peer.events():
                if isinstance(event, Holding.Granted | Holding.GrantedMore):
                    found |= {(event.edition.digest, member, s.sensitivity) for s in event.edition.sections}
        return found


STEPS = (
    *("approve",) * 8, *("ask",) * 3, *("ask_and_sign",) * 4, *("recall",) * 2, "cut", "cut", "correct", "correct",
    "refuse", "refuse", "end", "publish", "publish", "revoke",
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32))
def test_the_grants_of_all_releases_are_the_allowed_or_approved_cells(seed: int) -> None:
    world = founded()

    async def one() -> None:
        life = Life(world.copy(), seed)
        await life.live()
        if life.model.manifest:
            assert await life.left() == life.model.left
            assert not await life.loosened()
            revoked = {m for m in PEERS if (await life.node.desks.directory.current()).standing(m) == "revoked"}
            expected = {(d, m, s) for d, m, s in life.model.left if m not in revoked}
            assert {(d, m, s) for d, m, s in await life.arrived() if m not in revoked} == expected
            assert all(m in PEERS for _, m, _ in life.model.left)

    asyncio.run(one())


def test_the_lives_are_rich() -> None:
    world, seen = founded(), Counter[str]()

    async def many() -> None:
        for seed in range(30):
            life = Life(world.copy(), seed)
            await life.live()
            kinds = Disclosure.Event | Alert.Event | Recall.Event | Onward.Event
            events = [e for e in await life.node.events() if isinstance(e, kinds)]
            seen.update(type(e).__name__ + getattr(e, "basis", "") + getattr(e, "outcome", "") for e in events)
            seen["obliged"] += any(c.obliges for e in events if isinstance(e, Disclosure.Released) for c in e.cells)

    asyncio.run(many())
    assert {
        "Releasedrule", "Releasedapproval", "Releasedbreak-glass", "Reproposed", "Drafted", "Approved", "Withdrawn",
        "Returned", "Lapsed", "Ordered", "Answeredgranted",
    } <= set(seen), seen  # fmt: skip
    assert min(seen["Answeredgranted"], seen["obliged"]) >= 3, seen  # questions that were signed, and left
    assert seen["Releasedapproval"] >= 5, seen
