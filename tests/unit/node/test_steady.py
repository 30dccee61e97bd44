"""Jobs that go on for ever, and what is said of those that do not."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from rilon.errors import FatalError, ProofError, RilonError, UnavailableError
from rilon.node import steady as module
from rilon.node.steady import Steady


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    monkeypatch.setattr(module, "HELD_S", 0.05)


class Job:
    """Fails with each of these, in a group as a courier does or bare, and then goes on for ever."""

    def __init__(self, *errors: RilonError, grouped: bool = False) -> None:
        self.errors, self.grouped, self.well = list(errors), grouped, asyncio.Event()

    async def __call__(self) -> None:
        if not self.errors:
            self.well.set()
            await asyncio.Event().wait()
        error = self.errors.pop(0)
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [error])]) if self.grouped else error


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("error", [UnavailableError("log.away", "Away."), ProofError("section.seal", "Changed.")])
async def test_a_job_that_was_refused_is_red_until_it_goes_on(error: RilonError, grouped: bool) -> None:
    steady, job = Steady(), Job(error, error, grouped=grouped)
    running = asyncio.create_task(steady.run("summaries", job))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await steady.check() == f"Stopped, and trying again: summaries ({error.code})."
    await job.well.wait()
    await asyncio.sleep(0.1)
    assert await steady.check() == ""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_an_unknown_state_ends_it() -> None:
    with pytest.raises(BaseExceptionGroup) as ended:
        await Steady().run("courier", Job(FatalError("log.gap", "A gap.")))
    assert ended.group_contains(FatalError)
