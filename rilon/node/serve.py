"""The whole node: views, summaries, courier and API around the inner one, in one group of tasks.

A database or hub that is away for a while ends nothing: every follower begins again where it stood
(``rilon.node.steady``). What ends the node is a state that nobody knows (``FatalError``); it stops loudly, and its next
start repairs or says why not.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from litestar.types import ASGIApp

from rilon.api.app import create_api
from rilon.app.deadlines import Deadlines
from rilon.app.endings import Endings
from rilon.app.follower import follow
from rilon.app.notices import Notices
from rilon.app.paging import Paging
from rilon.app.ports import Follower
from rilon.app.summaries import Summaries
from rilon.errors import FatalError, MalformedError
from rilon.front.edge import Edge
from rilon.front.fork import fork
from rilon.front.notifier import Notifier
from rilon.front.replays import Replays
from rilon.front.server import ApiServer, listen_tcp
from rilon.front.services import Check, Services, SoftKeys
from rilon.network.bus import NatsBus
from rilon.network.claims import account_of
from rilon.network.courier import Courier
from rilon.network.dial import client_tls
from rilon.network.health import LinkHealth
from rilon.network.office import Office
from rilon.node.config import Home
from rilon.node.core import PROJECTOR_ROLE, Core, World, alone, open_core
from rilon.node.demo.soft_keys import soft_keys
from rilon.node.founding import must_be_renewed_whole
from rilon.node.provider import provider_of
from rilon.node.steady import AGAIN_S, Job, Steady
from rilon.projections.progress import Progress
from rilon.projections.reader import Reader
from rilon.projections.rebuild import prepare
from rilon.projections.runner import Projector
from rilon.store.database import open_pool
from rilon.store.links import PostgresLinks
from rilon.store.outbox import PostgresOutbox
from rilon.web.app import create_pages

SHOWN_S = 10.0
SUMMARY_S = 0.005
BEHIND = 5_000
"""Events the views may be behind before the node says that it is not ready."""
ERASE_S = 1.0
"""How often is looked for what is due to be erased."""
SWEEP_S = 3600.0
"""How often ciphertexts that no event came for are swept, and old keys looked at."""


@dataclass(frozen=True, slots=True)
class Running:
    """A node at work."""

    core: Core
    services: Services
    progress: Progress
    links: Callable[[], list[LinkHealth]]


@asynccontextmanager
async def running_node(
    core: Core, world: World, fatal: Callable[[FatalError], None], soft_keys: SoftKeys | None = None
) -> AsyncIterator[Running]:
    """Run everything around an inner node until the block ends.

    Args:
        soft_keys: of a demo.

    Raises:
        ExceptionGroup: of what no new beginning would mend, ``FatalError`` above all.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(core.dsn, role=PROJECTOR_ROLE, size=4, durable=False))
        await prepare(pool, core.log)
        await must_be_renewed_whole(core)
        await core.desks.epochs.settle()
        progress, summaries = Progress(pool), Summaries(core.config.member, core.desks.vault, world.clock)
        notifier = Notifier(core.log, Notices(core.desks.work), lambda at: progress.wait_for(at, SHOWN_S))
        bus = await stack.enter_async_context(_bus(core)) if core.config.hub.url else None
        account = partial(_name_account, core)
        await account()
        courier = Courier(await _office(core, world, bus))
        steady = Steady()
        deadlines, paging = Deadlines(core.desks.work), await _paging(core)
        checks = _checks(core, progress, bus) | {"jobs": steady.check, "notices": paging.check}
        services = _services(core, summaries, deadlines, notifier, progress, Reader(pool), courier, checks)
        provider = provider_of(core.config, core.home, world.clock)
        services = replace(services, soft_keys=soft_keys, provider=provider, fatal=fatal)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        followers: dict[str, Follower] = {
            "views": Projector(pool, progress),
            "summaries": summaries,
            "deadlines": deadlines,
            "notices": notifier,
            "paging": paging,
            "tasks": core.desks.tasks,
            "deeds": core.desks.deeds,
        }
        jobs = _tended(core) | {name: _following(core, follower) for name, follower in followers.items()}
        jobs |= {"courier": courier.run, "account": _every(SWEEP_S, account)}
        jobs |= {"sweep": _every(SWEEP_S, core.blobs.sweep), "keys": _every(SWEEP_S, core.desks.epochs.tend)}
        jobs |= {"database": _every(AGAIN_S, core.heal), "escalation": _every(AGAIN_S, deadlines.tick)}
        jobs |= {f"paging by {way}": _every(AGAIN_S, partial(paging.tend, way)) for way in core.desks.reach.ways}
        tasks = [group.create_task(steady.run(name, job)) for name, job in jobs.items()]
        try:
            yield Running(core, services, progress, courier.health)
        finally:
            notifier.close()
            for task in tasks:
                task.cancel()


async def serve(
    home: Home, passphrase: str, world: World | None = None, *, ready: Callable[[], None] = lambda: None
) -> None:
    """Run a node until it is told to stop (SIGINT, SIGTERM), or its state is unknown.

    Args:
        ready: called when nothing stands in the way of answering any more.

    Raises:
        RilonError: it cannot start. ExceptionGroup: it had to stop.
    """
    world, soft = world or World(), soft_keys(home, passphrase) if home.read().demo else None
    fatal: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(error: FatalError) -> None:
        if not fatal.done():
            fatal.set_exception(error)

    with _place(home) as sock:
        async with open_core(home, passphrase, world) as core, running_node(core, world, stop, soft) as running:
            ready()
            await _answer(running.services, sock, fatal)


@contextmanager
def _place(home: Home) -> Iterator[socket.socket]:
    """A node's home and port, before anything else is done: two nodes of one home would both be its courier.

    Raises:
        UnavailableError: ``node.running``, ``http.port-taken``.
    """
    http = home.read().http
    with alone(home), closing(listen_tcp(http.host, http.port)) as sock:
        yield sock


async def _answer(services: Services, sock: socket.socket, fatal: asyncio.Future[None]) -> None:
    server = ApiServer(front_of(services), services.notifier.close, signals=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    served = asyncio.create_task(server.run_on(sock))
    await asyncio.wait({served, fatal}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    await served
    if fatal.done():
        fatal.result()


def front_of(services: Services) -> ASGIApp:
    """What listens: the API, and the pages where the node has an address for people."""
    api = create_api(services)
    inner = fork(api, create_pages(services)) if services.origin else api
    return Edge(inner, services.clock, services.hosts, services.world)


def _following(core: Core, follower: Follower) -> Job:
    return lambda: follow(core.log, follower)


def _tended(core: Core) -> dict[str, Job]:
    """What goes, or is told, by itself: desks that follow the log, and do what has become due."""
    desks = core.desks
    found: dict[str, Job] = {}
    soon, rarely = (desks.erasures, desks.circle_ends, desks.reminders), (Endings(desks.work),)
    for desk, seconds in (*((d, ERASE_S) for d in soon), *((d, SWEEP_S) for d in rarely)):
        found |= {desk.name: _following(core, desk), f"tend {desk.name}": _every(seconds, desk.tend)}
    return found


def _every(seconds: float, job: Job) -> Job:
    async def again() -> None:
        while True:
            await asyncio.sleep(seconds)
            await job()

    return again


@asynccontextmanager
async def _bus(core: Core) -> AsyncIterator[NatsBus]:
    access, folder = core.config.hub, core.home.path
    tls = None
    if access.authority:
        tls = client_tls(folder / access.authority, folder / access.certificate, folder / access.key)
    async with NatsBus(access.url, folder / access.creds, tls) as bus:
        yield bus


async def _name_account(core: Core) -> None:
    """Tell the peers what the hub calls us, so that nobody else is heard under our name."""
    access = core.config.hub
    if access.url:
        with suppress(
            OSError, UnicodeDecodeError, MalformedError
        ):  # then there is no connection either: see its health
            await core.desks.directory.publish_account(account_of((core.home.path / access.creds).read_text()))


async def _paging(core: Core) -> Paging:
    outbox, desks = PostgresOutbox(core.pool, await core.log.log_id()), core.desks
    return Paging(desks.work, desks.vault, outbox, desks.reach.pagers, desks.reach.sender)


async def _office(core: Core, world: World, bus: NatsBus | None) -> Office:
    desks = core.desks
    return Office(
        log=core.log,
        store=PostgresLinks(core.pool, await core.log.log_id()),
        keys=core.keys,
        entropy=world.entropy,
        bus=bus,
        directory=desks.directory,
        incoming=desks.incoming,
        outgoing=desks.outgoing,
        links=desks.links,
        parcels=desks.parcels,
        vault=desks.vault,
        hook=world.failpoint,
    )


def _services(
    core: Core,
    summaries: Summaries,
    deadlines: Deadlines,
    notifier: Notifier,
    progress: Progress,
    reader: Reader,
    courier: Courier,
    checks: dict[str, Check],
) -> Services:
    desks, shown = core.desks, (summaries, deadlines, core.desks.tasks, core.desks.deeds)
    return Services(
        me=core.config.member,
        hosts=frozenset(core.config.http.names),
        clock=desks.clock,
        keys=core.keys,
        link_desk=desks.links,
        log=core.log,
        access=desks.access,
        accounts=desks.accounts,
        alerts=desks.alerts,
        attachments=desks.attachments,
        circles=desks.circles,
        directory=desks.directory,
        disclosures=desks.disclosures,
        membership=desks.members,
        reach=desks.reach,
        reading=desks.reading,
        recalls=desks.recalls,
        onward=desks.onward,
        epochs=desks.epochs,
        rules=desks.rules,
        explain=desks.explain,
        teams=desks.teams,
        care=desks.care,
        tasks=desks.tasks,
        deeds=desks.deeds,
        summaries=summaries,
        deadlines=deadlines,
        views=reader,
        replays=Replays(core.log),
        notifier=notifier,
        shown=partial(_shown, progress, shown),
        links=courier.health,
        export_bag=courier.fill_bag,
        import_bag=courier.take_bag,
        checks=checks,
        world=core.config.world,
        origin=core.config.http.origin,
    )


async def _shown(progress: Progress, others: Sequence[Follower], at: int) -> None:
    """Wait for a row, its summary, its clocks and tasks; a row without them is better than none."""
    await progress.wait_for(at, SHOWN_S)
    with suppress(TimeoutError):
        async with asyncio.timeout(SHOWN_S):
            while min([await other.position() for other in others]) < at:  # noqa: ASYNC110  it follows in this very loop, a step behind
                await asyncio.sleep(SUMMARY_S)


def _checks(core: Core, progress: Progress, bus: NatsBus | None) -> dict[str, Check]:
    async def log() -> str:
        await core.log.head()
        return ""

    async def keyring() -> str:
        core.keys.ring()
        return ""

    async def views() -> str:
        behind = (await core.log.head()).size - await progress.position()
        return f"The views are {behind} events behind." if behind > BEHIND else ""

    async def hub() -> str:
        return bus.health().trouble if bus else ""

    return {"log": log, "keyring": keyring, "views": views, "hub": hub}
