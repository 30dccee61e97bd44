"""What may be wrong with a node, looked at from beside it: one sentence each, and what to do.

It changes nothing and needs no token. With the keyring's passphrase in the environment it looks into the keyring too.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, cast

import httpx
import msgspec
from eventsourcing.persistence import StoredEvent
from nats.aio.client import Client
from nats.errors import Error as NatsError

from rilon.app.keys_desk import EPOCH, epochs
from rilon.app.link_facts import Facts
from rilon.app.ports import Clock, Recorded
from rilon.app.unit import fold
from rilon.domain.base import Event
from rilon.domain.catalogue import CATALOGUE
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.mends import mend
from rilon.errors import RefusedError, RilonError
from rilon.network.dial import client_tls, dial, hang_up
from rilon.node.config import Config, Home, passphrase
from rilon.node.core import World, database
from rilon.node.provider import provider_of
from rilon.node.system import SystemEntropy
from rilon.store.codec import Codec
from rilon.store.keyfile import KeyFile
from rilon.store.recorder import RawEvent
from rilon.store.snapshot import Snapshot, snapshot

SCARCE_BYTES: Final = 1 << 30
LOW_BYTES: Final = 5 << 30
SKEW: Final = timedelta(seconds=5)
LAG: Final = timedelta(hours=1)
SOON: Final = timedelta(days=14)
KEM_AGE: Final = EPOCH + timedelta(days=5)
"""A few days of grace, for a node that did not run."""
ANSWER_S: Final = 5.0


class Grade(StrEnum):
    """How a part does."""

    WELL = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Sign:
    """What was seen of one part, and what to do about it; "" when nothing."""

    part: str
    grade: Grade
    sentence: str
    fix: str = ""


def well(part: str, sentence: str) -> Sign:
    """Nothing is wrong with it."""
    return Sign(part, Grade.WELL, sentence)


def wrong(part: str, error: RilonError) -> Sign:
    """What an error says is wrong."""
    return Sign(part, Grade.WRONG, error.message, error.fix or mend(error.code))


async def examine(home: Home, clock: Clock) -> AsyncIterator[Sign]:
    """Look at every part of a node, the nearest first.

    Raises:
        RilonError: there is no node, or its configuration cannot be read.
    """
    config = home.read()
    for sign in (*keys(home), disk(home.path)):
        yield sign
    async for sign in _database(home, config, clock):
        yield sign
    for sign in await hub(home, config, clock):
        yield sign
    for sign in (*await provider(home, config, clock), *await api(config)):
        yield sign


def keys(home: Home) -> Iterator[Sign]:
    """The files that must be secret, and the one that should be elsewhere."""
    loose = [path.name for path in (home.keyring, home.root_key) if path.exists() and path.stat().st_mode & 0o077]
    if loose:
        yield Sign("keyring", Grade.WRONG, f"Others can read {' and '.join(loose)}.", "chmod 600 them.")
    if home.root_key.exists():
        fix = f"Move {home.root_key} to paper or a disk in a safe."
        yield Sign("root key", Grade.NOTE, "The root key lies on this machine.", fix)
    try:
        words = passphrase()
    except RefusedError:
        yield Sign("keyring", Grade.NOTE, "The keyring was not opened: no passphrase in the environment.")
        return
    try:
        KeyFile.unlock(home.keyring, words).close()
    except RilonError as error:
        yield wrong("keyring", error)
        return
    yield well("keyring", "The keyring opens.")


def disk(path: Path) -> Sign:
    """Room to go on."""
    free = shutil.disk_usage(path).free
    sentence = f"{free / (1 << 30):.1f} GiB are free."
    if free < LOW_BYTES:
        grade = Grade.WRONG if free < SCARCE_BYTES else Grade.NOTE
        return Sign("disk", grade, sentence, "Make room: a full disk stops the node.")
    return well("disk", sentence)


async def _database(home: Home, config: Config, clock: Clock) -> AsyncIterator[Sign]:
    try:
        async with database(home, config, World()) as (dsn, _), snapshot(dsn) as seen:
            signs = [*await log(seen, clock), *await links(seen, clock)]
    except RilonError as error:
        yield wrong("database", error)
        return
    yield well("database", "The database answers, with this program's schema.")
    for sign in signs:
        yield sign


async def log(seen: Snapshot, clock: Clock) -> list[Sign]:
    """The log, against the clock; and the age of the key that others seal to."""
    tip, now = await seen.tip(), clock.now()
    last = await seen.row(tip.size) if tip.size else None
    if last is None:
        return [Sign("log", Grade.WRONG, "The log is empty.", "Restore it, or make the node anew.")]
    ahead = _decoded(last).timestamp - now
    if ahead > SKEW:
        fix = "Set the clock (NTP): what this node says now seems older than what it has said."
        return [Sign("clock", Grade.WRONG, f"The clock is {_span(ahead)} behind the log's last event.", fix)]
    found = [well("log", f"{tip.size} events, the last one {_span(-ahead)} ago.")]
    published = epochs(Recorded(0, event) for event in await _directory(seen))  # no position is asked for
    if published:
        age = now - published[-1].since
        fix = "A running node renews it; without one: rilon keys rotate."
        old = Sign("KEM key", Grade.NOTE, f"It is {age.days} days old.", fix)
        found.append(old if age > KEM_AGE else well("KEM key", f"It is {age.days} days old."))
    return found


async def links(seen: Snapshot, clock: Clock) -> list[Sign]:
    """Who is not verified, and who has not receipted what was sent."""
    directory = fold(await _directory(seen))
    assert isinstance(directory, Directory)
    facts, found = await seen.links(), list[Sign]()
    for member in sorted(directory.standings.keys() - {directory.me}):
        standing, part = directory.standing(member), f"link {member.upper()}"
        if standing == "unverified":
            fix = f"Compare fingerprints by telephone: rilon link verify {member}."
            found.append(Sign(part, Grade.NOTE, "The node is not verified: nothing goes to it.", fix))
        elif standing == "verified":
            found.append(await _link(seen, part, member, facts.get(member, Facts()), clock))
    return found


async def _link(seen: Snapshot, part: str, member: str, facts: Facts, clock: Clock) -> Sign:
    if facts.frozen:
        fix = "Two focal points look at the evidence with theirs, then reset it."
        return Sign(part, Grade.WRONG, f"It is frozen ({facts.frozen}): the logs contradict each other.", fix)
    waiting = facts.known - facts.acked
    oldest = await seen.entry(member, facts.acked + 1) if waiting else None
    age = clock.now() - _decoded(oldest).timestamp if oldest else timedelta()
    if age > LAG:
        fix = "Does their node run, and both reach the hub? Ask their administrator, or carry a bag: rilon link export."
        return Sign(part, Grade.NOTE, f"{waiting} entries wait for a receipt, the oldest for {_span(age)}.", fix)
    return well(part, f"{facts.acked} entries receipted, {waiting} on their way.")


async def hub(home: Home, config: Config, clock: Clock) -> list[Sign]:
    """The courier: whether it answers, whether its clock is ours, and how long it will know us."""
    access = config.hub
    if not access.url:
        alone = "No hub is configured: this node works alone, or by courier bags."
        return [Sign("hub", Grade.NOTE, alone, "Set [hub] url in node.toml.")]
    tls = None
    try:
        if access.authority:
            paths = (home.path / name for name in (access.authority, access.certificate, access.key))
            tls = client_tls(*paths)
        client = await dial(access.url, home.path / access.creds, tls)
    except RilonError as error:
        return [wrong("hub", error)]
    try:
        return [
            well("hub", "The hub answers."),
            *await _clock(client, clock),
            *_expiry(home.path / access.creds, clock),
        ]
    finally:
        await hang_up(client)


async def _clock(client: Client, clock: Clock) -> list[Sign]:
    """The hub's clock is told with the state of our inbox; ours is read in the middle of the question."""
    before = clock.now()
    try:
        told = msgspec.json.decode((await client.request("hub.info", timeout=ANSWER_S)).data)
        theirs = datetime.fromisoformat(told["ts"])
    except (NatsError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return [Sign("hub", Grade.NOTE, "It does not tell of our inbox yet.", "It is made within seconds of joining.")]
    ours = before + (clock.now() - before) / 2
    skew = abs(theirs - ours)
    if skew > SKEW:
        fix = "Set the clock (NTP); if ours is right, tell the secretariat."
        return [Sign("clock", Grade.WRONG, f"Ours and the hub's differ by {_span(skew)}.", fix)]
    return [well("clock", "Ours agrees with the hub's.")]


def _expiry(credentials: Path, clock: Clock) -> Iterator[Sign]:
    """When the hub's credentials end: a claim in them that only the hub can have signed."""
    token = next((line for line in credentials.read_text().splitlines() if line.startswith("ey")), "")
    try:
        body = token.split(".")[1]
        ends = datetime.fromtimestamp(_claims(body)["exp"], UTC)
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        return
    if ends - clock.now() < SOON:
        fix = "Ask the secretariat for new ones (rilon hub add-member)."
        yield Sign("hub", Grade.NOTE, f"Our credentials end on {ends:%Y-%m-%d}.", fix)


def _claims(body: str) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


async def provider(home: Home, config: Config, clock: Clock) -> list[Sign]:
    """Whether the identity provider says all that signing in needs, and whether others can read our secret."""
    asked = provider_of(config, home, clock)
    if asked is None:
        return []
    secret = home.path / config.provider.secret_file
    if secret.exists() and secret.stat().st_mode & 0o077:
        return [Sign("provider", Grade.WRONG, f"Others can read {secret.name}.", "chmod 600 it.")]
    try:
        await asked.check()
    except RilonError as error:
        return [wrong("provider", error)]
    return [well("provider", f"{config.provider.name} answers, and offers what signing in needs.")]


async def api(config: Config) -> list[Sign]:
    """Whether the node runs, and what it says of itself."""
    url = f"http://{config.http.host}:{config.http.port}"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S) as client:
            told = (await client.get(f"{url}/v1/ready")).json()
        parts = [(part["name"], part["ok"], part["sentence"]) for part in told["parts"]]
    except httpx.HTTPError:
        return [Sign("node", Grade.NOTE, f"No node answers at {url}.", "Start it: rilon serve.")]
    except (ValueError, KeyError, TypeError):
        return [Sign("node", Grade.WRONG, f"What answers at {url} is no RILON node.", "Choose another port.")]
    ill = [Sign(f"node {name}", Grade.WRONG, sentence) for name, ok, sentence in parts if not ok]
    return ill or [well("node", f"It runs, and answers at {url}.")]


async def _directory(seen: Snapshot) -> list[Event]:
    return [_codec().decode(row, 0) for row in await seen.stream(DIRECTORY_ID)]


def _decoded(row: RawEvent) -> Event:
    return _codec().decode(StoredEvent(row.stream, row.version, row.topic, row.state), row.position)


def _codec() -> Codec:
    return Codec(CATALOGUE, SystemEntropy())


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
