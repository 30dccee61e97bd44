"""The eventsourcing library's own suites, on the code path that every command takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from uuid import UUID

import pytest
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent, Subscription
from eventsourcing.tests import persistence as library

from rilon.errors import ConflictError
from rilon.store.database import open_pool
from rilon.store.recorder import Recorder
from tests.postgres_log import prepare

pytestmark = pytest.mark.real

T = TypeVar("T")


class SynchronousRecorder(ApplicationRecorder):
    """The recorder behind the library's blocking interface: a loop in a thread of its own."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._stack = AsyncExitStack()
        self._recorder = Recorder(self._run(self._open(dsn)))

    def close(self) -> None:
        self._run(self._recorder.aclose())
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, dsn: str) -> Any:
        await prepare(dsn)
        return await self._stack.enter_async_context(open_pool(dsn, role="rilon_app"))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        try:
            return list(self._run(self._recorder.insert(stored_events)))
        except ConflictError as error:
            raise IntegrityError(error.code) from None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        after = -1 if gt is None else gt
        rows = self._recorder.select(UUID(str(originator_id)), after=after, upto=lte, backwards=desc, limit=limit)
        return [Notification(*row) for row in self._run(rows)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (inclusive_of_start and start is not None)
        return [Notification(*row) for row in self._run(self._recorder.page(after, limit, upto=stop, topics=topics))]

    def max_notification_id(self) -> int | None:
        return self._run(self._recorder.head()).size or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        raise AssertionError("followers wait on EventLog.wait; the suites do not subscribe")


class OnPostgres:
    """Gives each test of the library a recorder on a database of its own."""

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> Iterator[None]:
        self._recorders: list[SynchronousRecorder] = []
        self._dsn = database
        yield
        for recorder in self._recorders:
            recorder.close()

    def create_recorder(self) -> SynchronousRecorder:
        self._recorders.append(SynchronousRecorder(self._dsn))
        return self._recorders[-1]


class TestApplicationRecorder(OnPostgres, library.ApplicationRecorderTestCase[SynchronousRecorder]):
    pass


class TestNonInterleaving(OnPostgres, library.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000
