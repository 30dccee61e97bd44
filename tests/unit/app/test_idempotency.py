"""Every command may be repeated under its key: after a lost answer, a lost request, a double click; it acts once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from rilon.app.directory_desk import fingerprint
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto.keys import SigningKey
from rilon.domain.command import Command
from rilon.domain.officer import Officer
from rilon.domain.values import Role, Sensitivity
from rilon.errors import ConflictError, NotFoundError, RilonError, UnavailableError
from tests.fakes.refusals import refused
from tests.fakes.unreliable_log import InterleavingLog, LossyLog
from tests.nodes import MemoryNode, Person, acquaint, draft_of, introduce, memory_node, pump

COMMAND = UUID(int=4711)
SAME, OTHER = Key(COMMAND, b"a" * 32), Key(COMMAND, b"b" * 32)
SUMMARY, NOMINAL = Sensitivity.SUMMARY, Sensitivity.NOMINAL
OFFICER = frozenset({Role.OFFICER})


@dataclass
class Stage:
    """Thailand with everything that a command can be about."""

    node: MemoryNode
    author: Person
    focal: Person
    other: Person
    keyless: Person
    item: UUID
    glass: UUID
    held: UUID
    root: bytes
    approval: bytes = b""

    @property
    def desks(self) -> Any:
        return self.node.desks


@pytest_asyncio.fixture(scope="module")
async def founded() -> Stage:
    th, id_, my = [await memory_node(m) for m in ("th", "id", "my")]
    await acquaint(th, id_)
    await introduce(th, my, verify=False)
    author, focal, other = await th.officer(), await th.approver(), await th.approver()
    keyless = await th.officer(Role.FOCAL_POINT)
    item = await th.post(author, draft_of("TIP-RECRUIT", "id"))
    glass = await th.post(author, draft_of("MAR-DISTRESS", "id", handling={"tlp": "TLP:AMBER"}))
    held = await id_.post(await id_.officer(), draft_of("GOOD-PRACTICE", "th"))
    await pump(id_, th)
    await th.desks.links.frozen("id", "link.fork", b"evidence")
    signed = focal.sign(await th.desks.disclosures.show(focal.caller, item))
    return Stage(th, author, focal, other, keyless, item, glass, held, my.root.public.raw, signed)


@pytest.fixture
def stage(founded: Stage) -> Stage:
    return Stage(**{**vars(founded), "node": founded.node.copy()})


async def draft_rules(s: Stage, key: Key) -> Done:
    return await s.desks.rules.draft(s.focal.caller, b'[[rule]]\nid = "all"\neffect = "ask"\nbecause = "Ask."', 1, key)


COMMANDS: dict[str, Callable[[Stage, Key], Awaitable[Done]]] = {
    "post": lambda s, k: s.desks.alerts.post(s.author.caller, draft_of("TIP-RECRUIT", "id"), k),
    "correct": lambda s, k: s.desks.alerts.correct(s.author.caller, s.item, draft_of("TIP-RECRUIT", "id"), k),
    "withdraw": lambda s, k: s.desks.alerts.withdraw(s.author.caller, s.item, "Another boat.", k),
    "close": lambda s, k: s.desks.alerts.close(s.author.caller, s.item, "found-safe", k),
    "approve": lambda s, k: s.desks.disclosures.approve(s.focal.caller, s.item, s.approval, k),
    "cut": lambda s, k: s.desks.disclosures.cut(s.focal.caller, s.item, frozenset({("id", NOMINAL)}), k),
    "return": lambda s, k: s.desks.disclosures.return_(s.focal.caller, s.item, "Why?", k),
    "refuse": lambda s, k: s.desks.disclosures.refuse(s.focal.caller, s.item, "No.", k),
    "review": lambda s, k: s.desks.disclosures.review(s.focal.caller, s.glass, sound=True, key=k),
    "acknowledge": lambda s, k: s.desks.reading.acknowledge(s.author.caller, "id", s.held, k),
    "reply": lambda s, k: s.desks.reading.reply(s.author.caller, "id", s.held, "reply.hit", "Yes.", k),
    "enrol": lambda s, k: s.desks.members.enrol(
        s.focal.caller, "Fictional", "navy", "d1", frozenset({Role.OFFICER}), k
    ),
    "suspend": lambda s, k: s.desks.members.suspend(s.focal.caller, s.other.id, k),
    "grant role": lambda s, k: s.desks.members.grant_role(s.focal.caller, s.other.id, Role.PROTECTION, k),
    "revoke role": lambda s, k: s.desks.members.revoke_role(s.focal.caller, s.other.id, Role.FOCAL_POINT, k),
    "enrol key": lambda s, k: s.desks.members.enrol_key(s.keyless.id, SigningKey.from_seed(b"n" * 64).public.raw, k),
    "verify": lambda s, k: s.desks.directory.verify(s.focal.caller, "my", fingerprint(s.root), k),
    "ask for a reset": lambda s, k: s.node.reset(s.focal, "id", k),
    "revoke": lambda s, k: s.desks.directory.revoke(s.focal.caller, "id", k),
    "draft_rules": draft_rules,
}
EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS)


def lossy(stage: Stage) -> LossyLog:
    """Put a log that loses things under the stage's desks."""
    made: list[LossyLog] = []

    def wrap(log: Any) -> LossyLog:
        made.append(LossyLog(log))
        return made[0]

    stage.node = stage.node.copy(wrap)
    return made[0]


@EVERY_COMMAND
async def test_a_repeated_command_gives_the_first_answer_and_acts_once(stage: Stage, name: str) -> None:
    first = await COMMANDS[name](stage, SAME)
    before = await stage.node.stored()
    again = await COMMANDS[name](stage, SAME)
    assert (again.answer, again.position, again.repeated) == (first.answer, before[0], True)
    assert not first.repeated
    assert first.position == before[0]
    assert await stage.node.stored() == before


@EVERY_COMMAND
async def test_a_key_with_other_content_is_a_conflict(stage: Stage, name: str) -> None:
    await COMMANDS[name](stage, SAME)
    before = await stage.node.stored()
    with pytest.raises(ConflictError) as caught:
        await COMMANDS[name](stage, OTHER)
    assert caught.value.code == "command.key-reused"
    assert await stage.node.stored() == before


@EVERY_COMMAND
async def test_after_a_lost_answer_the_retry_finds_it(stage: Stage, name: str) -> None:
    log = lossy(stage)
    log.answers = 1
    with pytest.raises(UnavailableError) as caught:
        await COMMANDS[name](stage, SAME)
    assert caught.value.code == "log.outcome-unknown"
    before = await stage.node.stored()
    answer = (await COMMANDS[name](stage, SAME)).answer
    assert await stage.node.stored() == before
    assert (await stage.desks.work.read(Command, COMMAND)).answer == answer
    with pytest.raises(ConflictError):
        await COMMANDS[name](stage, OTHER)


@EVERY_COMMAND
async def test_after_a_lost_request_the_retry_acts(stage: Stage, name: str) -> None:
    log = lossy(stage)
    log.requests = 1
    before = (await stage.node.stored())[:2]
    with pytest.raises(UnavailableError) as caught:
        await COMMANDS[name](stage, SAME)
    assert caught.value.code == "log.unavailable"
    assert (await stage.node.stored())[:2] == before
    assert (await COMMANDS[name](stage, SAME)).position > before[0]


@EVERY_COMMAND
@pytest.mark.parametrize("seed", range(3))
async def test_many_clicks_are_one_command(stage: Stage, name: str, seed: int) -> None:
    before = len(await stage.node.events())
    alone = stage.node.copy()
    await COMMANDS[name](Stage(**{**vars(stage), "node": alone}), SAME)
    stage.node = stage.node.copy(lambda log: InterleavingLog(log, seed))
    done = await asyncio.gather(*(COMMANDS[name](stage, SAME) for _ in range(5)))
    assert len({d.answer for d in done}) == 1
    assert len(await stage.node.events()) - before == len(await alone.events()) - before
    assert sum(isinstance(e, Command.Answered) for e in await stage.node.events(before)) == 1


@EVERY_COMMAND
async def test_of_two_contents_under_one_key_one_acts(stage: Stage, name: str) -> None:
    stage.node = stage.node.copy(lambda log: InterleavingLog(log, 1))
    done = await asyncio.gather(*(COMMANDS[name](stage, k) for k in (SAME, OTHER)), return_exceptions=True)
    losers = [d for d in done if isinstance(d, BaseException)]
    (loser,) = losers
    assert isinstance(loser, ConflictError)
    assert loser.code == "command.key-reused"


async def test_a_refused_command_leaves_its_key_free(stage: Stage) -> None:
    """What was refused was not answered: mended, it may be sent again under the same key."""
    with pytest.raises(RilonError):
        await stage.desks.alerts.post(stage.author.caller, draft_of("TIP-RECRUIT", "zz"), SAME)
    done = await stage.desks.alerts.post(stage.author.caller, draft_of("TIP-RECRUIT", "id"), SAME)
    assert not done.repeated


async def test_a_token_is_shown_once(stage: Stage) -> None:
    roles = frozenset({Role.OFFICER})
    made = await stage.desks.members.issue_token(None, stage.author.id, roles, key=SAME)
    assert made.text.count("_") == 3
    assert made.text not in repr(made)
    before = await stage.node.stored()
    with pytest.raises(ConflictError) as caught:
        await stage.desks.members.issue_token(None, stage.author.id, roles, key=SAME)
    assert caught.value.code == "token.shown-once"
    assert made.id in caught.value.message
    assert await stage.node.stored() == before
    assert len((await stage.desks.work.read(Officer, stage.author.id)).tokens) == 1


# The unit itself


async def test_a_decision_that_keeps_moving_gives_up_politely(stage: Stage) -> None:
    other = stage.node.desks.work
    work = Work(stage.node.log, stage.node.clock, stage.node.desks.entropy)

    async def overtaken(unit: Unit) -> bytes:
        officer = await unit.get(Officer, stage.author.id)
        await other.run(lambda u: touched(u, stage.author.id))
        officer.grant_role(Role.PROTECTION, "0" * 32, stage.node.clock.now())
        return b""

    with pytest.raises(ConflictError) as caught:
        await work.run(overtaken)
    assert caught.value.code == "command.busy"


async def touched(unit: Unit, who: UUID) -> bytes:
    officer = await unit.get(Officer, who)
    officer.revoke_role(Role.OFFICER, "0" * 32, officer.modified_on)
    officer.grant_role(Role.OFFICER, "0" * 32, officer.modified_on)
    return b""


async def test_a_conflict_of_the_decision_itself_is_not_tried_again(stage: Stage) -> None:
    tries = []

    async def decide(_: Unit) -> bytes:
        tries.append(1)
        raise ConflictError("alert.withdrawn", "It is over.")

    with pytest.raises(ConflictError):
        await stage.desks.work.run(decide)
    assert len(tries) == 1


async def test_what_was_read_is_guarded_even_its_absence(stage: Stage) -> None:
    nothing = UUID(int=99)
    tries = []

    async def decide(unit: Unit) -> bytes:
        assert await unit.find(Command, nothing) is None or tries
        tries.append(1)
        if len(tries) == 1:
            record = Command.record(nothing, b"a" * 32, b"", stage.node.clock.now())
            await stage.node.log.append(record.collect_events())
        (await unit.get(Officer, stage.author.id)).suspend("0" * 32, stage.node.clock.now())
        return b""

    await stage.desks.work.run(decide)
    assert len(tries) == 2


async def test_a_stream_of_another_kind_is_not_what_was_asked_for(stage: Stage) -> None:
    async def decide(unit: Unit) -> bytes:
        assert await unit.find(Command, stage.author.id) is None
        with pytest.raises(NotFoundError):
            await unit.get(Command, stage.author.id)
        assert await unit.find(Officer, stage.author.id) is not None
        return b""

    assert (await stage.desks.work.run(decide)).position == 0  # nothing happened
    with pytest.raises(NotFoundError):
        await stage.desks.work.read(Command, stage.author.id)


async def test_a_full_cache_forgets_the_oldest(stage: Stage) -> None:
    repository = stage.desks.work.repository
    repository._keep = 2
    for _ in range(3):
        await stage.node.officer()
    assert len(repository._cache) == 2
    officer = await stage.desks.work.read(Officer, stage.author.id)
    assert refused(officer, officer.reinstate, "0" * 32, officer.modified_on) == "officer.active"
