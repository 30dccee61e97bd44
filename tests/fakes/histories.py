"""Histories of a whole node, made by its real aggregates: what they refuse has not happened."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from rilon.app.ports import Recorded
from rilon.domain.alert import Alert, Edition, SectionRef
from rilon.domain.base import Event, Root
from rilon.domain.closing import Closing
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.draft import Draft, GrantRecord
from rilon.domain.entry import Entry
from rilon.domain.held import HeldEdition
from rilon.domain.holding import REPLIES, Holding, holding_id
from rilon.domain.matrix import Verdict
from rilon.domain.officer import Officer, Token
from rilon.domain.peer_link import PeerLink, Signed, link_stream
from rilon.domain.permissions import Caller
from rilon.domain.recall import Confirmation, Recall, recall_id
from rilon.domain.values import Effect, Line, Purpose, Role, Sealed, Sensitivity, Source, Urgency
from rilon.errors import RilonError

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PEERS = ("id", "my", "iom")
KINDS = ("INC-FATAL", "SEA-DISTRESS", "DOC-FRAUD")
TLPS = ("TLP:GREEN", "TLP:AMBER", "TLP:RED")
SENSITIVITIES = tuple(Sensitivity)
OFFICERS = tuple(UUID(int=n) for n in range(1, 5))
READERS = (("entitled",), ("agency:navy",), ("desk:d1",), (f"officer:{OFFICERS[0].hex}",), ("agency:navy", "desk:d2"))


def digest(*parts: object) -> bytes:
    return sha256(repr(parts).encode()).digest()


def sealed(*parts: object) -> Sealed:
    return Sealed(digest("slot", parts), digest("ciphertext", parts), digest("commitment", parts))


def sections(item: object, some: Iterable[Sensitivity]) -> tuple[SectionRef, ...]:
    return tuple(SectionRef(i, s, sealed(item, s), b"salt", b"path") for i, s in enumerate(some))


def edition(item: UUID, version: int, a: int = 0, days: int = 30, **changes: Any) -> Edition:
    facts: dict[str, Any] = {
        "version": version,
        "manifest": b"manifest",
        "digest": digest("own", item, version),
        "seed": b"seed",
        "kind": KINDS[a % 3],
        "urgency": tuple(Urgency)[a % 4],
        "tlp": TLPS[a % 3],
        "pap": "PAP:AMBER",
        "caveats": ("ORCON",),
        "review_at": START + timedelta(days=days / 2),
        "expires_at": START + timedelta(days=days),
        "sections": sections((item, version), SENSITIVITIES[: 1 + a % 6]),
        "audience": PEERS,
        "marks": sealed(item, version),
        "readers": READERS[a % 15 % len(READERS)] if a % 3 else ("entitled",),
    }
    return Edition(**facts | changes)


def held(item: UUID, version: int, a: int = 0, b: int = 0, days: int = 30, **changes: Any) -> HeldEdition:
    facts: dict[str, Any] = {
        "version": version,
        "manifest": b"manifest",
        "digest": digest("held", item, version),
        "kind": KINDS[a % 3],
        "urgency": tuple(Urgency)[a % 4],
        "tlp": TLPS[a % 3],
        "pap": "PAP:AMBER",
        "caveats": ("ORCON",),
        "review_at": START + timedelta(days=days / 2),
        "basis": ("rule", "approval", "break-glass")[b % 3],
        "release": b"release",
        "grant": b"grant",
        "position": 1,
        "path": b"path",
        "readers": READERS[b % len(READERS)],
        "purposes": frozenset({Purpose.IDENTIFY_VICTIM}) if a % 2 else None,
        "onward": ("ask", "no")[a % 2],
        "court": ("ask", "no", "yes")[b % 3],
        "until": START + timedelta(days=days),
        "sections": sections(item, SENSITIVITIES[a % 6 : a % 6 + 1 + b % 3]),
    }
    return HeldEdition(**facts | changes)


def draft(disclosure: Disclosure, cells: Sequence[Verdict], n: int) -> Draft:
    grants = {c.recipient: GrantRecord(b"grant", 1, b"path") for c in cells}
    return Draft(b"body", digest("draft", disclosure.id, n), max(c.approvers for c in cells), tuple(cells), grants, b"")


def granted(disclosure: Disclosure) -> dict[tuple[str, Sensitivity], bytes]:
    """Of every cell that was released the newest version that left."""
    return {(to, s): version for (to, _), (version, some) in disclosure.granted.items() for s in some}


class World:
    """A node whose officers do one thing after the other. ``events`` is its log."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.aggregates: dict[UUID, Root] = {}
        self._n = itertools.count(1)
        self.now = START
        for number, officer in enumerate(OFFICERS):
            name = sealed("name", officer)
            desk, agency = f"d{number % 2 + 1}", ("navy", "police")[number % 2]
            self._keep(Officer.enrol(officer, "0" * 32, name, agency, desk, frozenset({Role.OFFICER}), START))
        for peer in PEERS:
            self._keep(PeerLink.begin(peer, START))
        self.steps: tuple[Callable[[int, int], None], ...] = (
            self.post,
            self.correct,
            self.end,
            self.decide,
            self.decide,
            self.release,
            self.grant,
            self.grant,
            self.grant_more,
            self.change_held,
            self.answer_held,
            self.recall_held,
            self.erase,
            self.confirm,
            self.hear,
            self.hear,
            self.hear,
            self.receipt,
            self.change_officer,
            self.stand_in,
        )

    def all_of(self, cls: type[Any]) -> list[Any]:
        return [a for a in self.aggregates.values() if isinstance(a, cls)]

    def take(self, step: int, a: int, b: int) -> None:
        """One step; a refusal itself leaves no trace."""
        self.now += timedelta(minutes=7)
        try:
            self.steps[step % len(self.steps)](a, b)
        except RilonError:
            self._keep(*self.aggregates.values())  # what came before the refusal has happened

    def _keep(self, *aggregates: Root) -> None:
        for aggregate in aggregates:
            self.aggregates[aggregate.id] = aggregate
            for event in aggregate.collect_events():
                self.events.append(Recorded(len(self.events) + 1, event))

    def _pick(self, cls: type[Any], a: int) -> Any:
        found = self.all_of(cls)
        if not found:
            raise RilonError("none", "none")
        return found[a % len(found)]

    def _ref(self, a: int) -> str:
        return OFFICERS[a % len(OFFICERS)].hex

    def _caller(self, a: int) -> Caller:
        """Somebody of every desk that ``READERS`` names, so that some openings happen."""
        return Caller(self._ref(a), frozenset(Role), "navy", f"d{1 + a % 2}")

    def post(self, a: int, b: int) -> None:
        item = UUID(int=1000 + next(self._n))
        alert = Alert.post(item, self._ref(b), "desk:navy:d1", edition(item, 1, a, days=1 + b % 40), self.now)
        others = (*self.all_of(Holding)[:1], *self.all_of(Alert)[: 2 * (a % 4)])
        told = [Source(o.origin, o.item) if isinstance(o, Holding) else Source("th", o.id) for o in others]
        alert.quote(self._ref(b), tuple(told) if a % 4 else (), self.now)
        verdicts = self._judge(a, alert.edition)
        disclosure = Disclosure.propose(item, self._ref(b), alert.edition.digest, digest("book"), verdicts, self.now)
        self._keep(alert, disclosure)

    def _judge(self, a: int, version: Edition) -> tuple[Verdict, ...]:
        cells = itertools.product(PEERS, version.sections)
        effects = itertools.cycle((Effect.ALLOW, Effect.ASK, Effect.REFUSE)[a % 3 :])
        return tuple(
            Verdict(peer, s.sensitivity, effect, ("rule.1",), (0, 1, 0)[tuple(Effect).index(effect)])
            for (peer, s), effect in zip(cells, effects, strict=False)
        )

    def correct(self, a: int, b: int) -> None:
        alert: Alert = self._pick(Alert, a)
        disclosure: Any = self.aggregates[disclosure_id(alert.id)]
        newer = edition(alert.id, alert.edition.version + 1, b, days=1 + a % 40)
        alert.correct(self._ref(b), newer, disclosure.holders, self.now)
        disclosure.repropose(self._ref(b), newer.digest, digest("book"), self._judge(b, newer), self.now)
        self._keep(alert, disclosure)

    def end(self, a: int, b: int) -> None:
        alert: Alert = self._pick(Alert, a)
        disclosure: Any = self.aggregates[disclosure_id(alert.id)]
        if b % 2:
            alert.withdraw(self._ref(b), sealed("why", alert.id), disclosure.holders, self.now)
        else:
            alert.close(self._ref(b), "found-safe", disclosure.holders, self.now)
        disclosure.lapse(alert.state, self.now)
        self._keep(alert, disclosure)

    def decide(self, a: int, b: int) -> None:
        disclosure: Disclosure = self._pick(Disclosure, a)
        by, words = self._ref(b), sealed("words", disclosure.id)
        asked = [v for v in disclosure.verdicts if v.effect is Effect.ASK]
        if disclosure.state in {"open", "returned"} and asked:
            disclosure.wait_for(draft(disclosure, asked, next(self._n)), disclosure.author, "proposed", self.now)
        elif b % 5 == 0:
            disclosure.return_(by, words, self.now)
        elif b % 5 == 1:
            disclosure.refuse(by, words, self.now)
        elif b % 5 == 2:
            left = disclosure.may_decide(by).cut(frozenset(c.key for c in disclosure.waiting().cells[:1]))
            disclosure.wait_for(draft(disclosure, left, next(self._n)), by, "cut", self.now)
        else:
            waiting = disclosure.waiting()
            if disclosure.approve(by, Role.FOCAL_POINT, waiting.digest, b"approval", self.now):
                disclosure.release(b"release", digest(waiting.digest), "approval", waiting, self.now)
        self._keep(disclosure)

    def release(self, a: int, b: int) -> None:
        disclosure: Disclosure = self._pick(Disclosure, a)
        if disclosure.reviews_due and b % 3 == 0:
            disclosure.review(self._ref(b), self.now, sound=True)
        else:
            cells = [v for v in disclosure.verdicts if v.effect is Effect.ALLOW][: 1 + b % 3]
            basis = ("rule", "break-glass")[b % 2]
            cells = [msgspec.structs.replace(c, break_glass=basis == "break-glass") for c in cells]
            if cells:
                going = draft(disclosure, cells, next(self._n))
                disclosure.release(b"release", digest(going.digest), basis, going, self.now)
        self._keep(disclosure)

    def grant(self, a: int, b: int) -> None:
        item, origin = UUID(int=9000 + a % 7), PEERS[b % 3]
        if holding_id(origin, item) not in self.aggregates:
            self._keep(Holding.grant(origin, item, held(item, 1, a, b, days=1 + b % 40), self.now))

    def grant_more(self, a: int, b: int) -> None:
        holding: Holding = self._pick(Holding, a)
        version = holding.edition.version + b % 2
        holding.grant_more(held(holding.item, version, b, a, days=1 + (a + b) % 40), self.now)
        self._keep(holding)

    def change_held(self, a: int, b: int) -> None:
        holding: Holding = self._pick(Holding, a)
        if b % 21 == 0:
            holding.refer(self._ref(b), READERS[a % len(READERS)], self.now)
        elif b % 3:
            version = holding.grants.editions[b % len(holding.grants.editions)].digest
            holding.supersede(version, digest("newer", version), self.now)
        else:
            holding.end(("withdrawn", "closed")[b % 2], self.now)
        self._keep(holding)

    def recall_held(self, a: int, b: int) -> None:
        """The originator takes something back, or what has to go goes."""
        holding: Holding = self._pick(Holding, a)
        if b % 2:
            manifest = holding.grants.editions[b % len(holding.grants.editions)].digest
            holding.recall(manifest, (None, *SENSITIVITIES)[a % 7], self.now)
        for manifest, closed in () if b % 2 else holding.grants.unclosed(self.now).items():
            holding.close(Closing(manifest, closed, (b"K" * 16,), b"statement", digest("receipt", manifest)), self.now)
        self._keep(holding)

    def erase(self, a: int, b: int) -> None:
        """Keys of an alert of ours are ordered to go, or go."""
        alert: Alert = self._pick(Alert, a)
        if b % 2:
            words = sealed("why", alert.id, b)
            alert.order_erasure(self._ref(b), "court-order", words, (None, *SENSITIVITIES)[a % 7], self.now)
        elif gone := alert.over(self.now):
            alert.note_erased(gone, self.now)
        self._keep(alert)

    def confirm(self, a: int, b: int) -> None:
        """An alert is taken back, and a peer says what became of it."""
        alert: Alert = self._pick(Alert, a)
        recalls: Any = self.aggregates.get(recall_id(alert.id)) or Recall.begin(alert.id, self.now)
        version, peer = alert.editions[b % len(alert.editions)], PEERS[b % 3]
        if b % 2:
            granted = {peer: frozenset({digest("release", b)})}
            words = sealed("why", alert.id, b)
            recalls.order(
                self._ref(b), "mistake", words, version.digest, granted, (None, *SENSITIVITIES)[a % 7], self.now
            )
        openings = tuple((s.sensitivity, b % 4) for s in version.sections)
        done = self.now if a % 2 else None
        recalls.confirm(Confirmation(peer, version.digest, openings, self.now, done, b"statement"), self.now)
        self._keep(recalls)

    def answer_held(self, a: int, b: int) -> None:
        holding: Holding = self._pick(Holding, a)
        if b % 3 == 0:
            holding.acknowledge(holding.edition, self._ref(b), self.now)
        elif b % 3 == 1:
            holding.reply(holding.edition, self._ref(b), REPLIES[b % len(REPLIES)], sealed("reply", b), self.now)
        else:
            holding.open_(self._caller(b), SENSITIVITIES[b % 6], Purpose.IDENTIFY_VICTIM, self.now)
        self._keep(holding)

    def hear(self, a: int, b: int) -> None:
        """A peer answers about one of our alerts, whether or not it was ever sent to it."""
        alert: Alert = self._pick(Alert, a)
        version = alert.editions[b % len(alert.editions)].digest
        kind = (
            f"status.opened.{SENSITIVITIES[b % 6]}.prosecution",
            "status.acknowledged",
            "reply.sighting",
            "checkpoint",
        )[a % 4]
        text = sealed("text", a, b) if kind == "reply.sighting" else None
        peer, seq = PEERS[b % 3], next(self._n)
        self._keep(Entry.accept(peer, b"L" * 16, seq, Line(kind, (version,)), self.now, item=alert.id, text=text))

    def receipt(self, a: int, b: int) -> None:
        link: Any = self.aggregates[link_stream(PEERS[a % 3])]
        mine = [r.position for r in self.events if PEERS[a % 3] in (getattr(r.event, "to", None) or {})]
        covered = mine[: 1 + b % (len(mine) + 1)]
        logs = b"O" * 16, b"L" * 16
        if b % 7 == 0:
            link.freeze("link.fork", digest("evidence", b), logs, self.now)
        elif link.fork:
            link.reset(self._ref(b), b"signed", logs, self.now)
        if covered:
            refused = tuple((n + 1, p, "section.invalid") for n, p in enumerate(covered) if (n + b) % 4 == 0)
            link.receipt(b"O" * 16, len(covered), covered[-1], digest("head"), refused, Signed(b"", b""), self.now)
        self._keep(link)

    def change_officer(self, a: int, b: int) -> None:
        officer: Officer = self._pick(Officer, a)
        by = self._ref(a + 1)
        if b % 7 == 0:
            officer.suspend(by, self.now)
        elif b % 7 == 1:
            officer.reinstate(by, self.now)
        elif b % 7 == 2:
            officer.grant_role(tuple(Role)[a % 3], by, self.now)
        elif b % 7 == 3:
            officer.revoke_role(tuple(Role)[a % 3], by, self.now)
        elif b % 7 == 4:
            officer.enrol_key(b"public", self.now)
        elif b % 7 == 5:
            token = Token(f"t{b}", digest("token", b), frozenset(officer.roles), self.now + timedelta(days=90))
            officer.issue_token(token, by, self.now)
        else:
            officer.revoke_token(f"t{b - 1}", by, self.now)
        if b % 3 == 0:
            with suppress(RilonError):
                officer.confirm(self._ref(a + 2), b"signed", self.now)
        self._keep(officer)

    def stand_in(self, a: int, b: int) -> None:
        """A colleague becomes a deputy, is called upon, or is relieved, by the hour."""
        deputy: Officer = self._pick(Officer, a)
        principal = Caller(self._ref(a + 1), frozenset({Role.FOCAL_POINT}), "navy", "d1")
        if b % 4 == 0:
            deputy.relieve(principal.ref, principal.ref, self.now)
        for role in (Role.FOCAL_POINT, Role.PROTECTION):
            deputy.revoke_role(role, principal.ref, self.now)
        deputy.grant_role(Role.DEPUTY, principal.ref, self.now)
        deputy.enrol_key(deputy.key_shown or b"public", self.now)
        if deputy.awaits:
            deputy.confirm(self._ref(a + 2), b"signed", self.now)
        deputy.call_upon(principal, self.now + timedelta(hours=b), self.now)
        self._keep(deputy)


Steps = list[tuple[int, int, int]]


def history(steps: Iterable[tuple[int, int, int]]) -> World:
    """What happened when these steps were taken."""
    world = World()
    for step in steps:
        world.take(*step)
    return world


def busy(size: int, seed: int = 7) -> World:
    """A long history in which everything happens, often."""
    drawn = random.Random(seed)
    return history((drawn.randrange(19), drawn.randrange(42), drawn.randrange(42)) for _ in range(size))


def histories() -> st.SearchStrategy[World]:
    """Any history of a node: short ones, which shrink, and crowded ones, in which things meet."""
    small = st.integers(0, 41)
    short = st.lists(st.tuples(st.integers(0, 18), small, small), max_size=40).map(history)
    return st.one_of(short, st.integers(0, 1 << 32).map(lambda seed: busy(200, seed)))


def events(world: World) -> list[Event]:
    return [r.event for r in world.events]


def callers(world: World) -> list[Caller]:
    """Every officer as they are now, and one of each role alone."""
    officers = [o.caller(world.now) for o in world.all_of(Officer) if o.active]
    return officers + [Caller("f" * 32, frozenset({role}), "navy", "d9") for role in Role]
