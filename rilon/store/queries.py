"""Every statement of the log and the migrations: constants, never made from input."""

from __future__ import annotations

from operator import itemgetter
from typing import Final, LiteralString, cast
from uuid import UUID

import asyncpg

CHANNEL: Final[LiteralString] = "rilon_log"
"""Where a batch is announced. The payload, the log's size, is a hint: whoever may connect may notify."""

HEAD: Final[LiteralString] = "SELECT size, root, peaks FROM rilon.log_head"

SIZE: Final[LiteralString] = "SELECT size FROM rilon.log_head"

LOG_ID: Final[LiteralString] = "SELECT log_id FROM rilon.log_head"

APPEND: Final[LiteralString] = """
WITH head AS (
  UPDATE rilon.log_head SET size = $1 + cardinality($5::uuid[]), root = $3, peaks = $4
  WHERE size = $1 AND root = $2 AND NOT EXISTS (
    SELECT FROM unnest($13::uuid[], $14::bigint[]) AS guard (stream, version)
    WHERE version <> coalesce((SELECT max(e.originator_version) FROM rilon.event e WHERE e.originator_id = stream), 0))
  RETURNING 1
), events AS (
  INSERT INTO rilon.event (position, originator_id, originator_version, topic, leaf, state)
  SELECT $1 + new.n, new.id, new.version, new.topic, new.leaf, new.state
  FROM head, unnest($5::uuid[], $6::bigint[], $7::text[], $8::bytea[], $9::bytea[])
    WITH ORDINALITY AS new (id, version, topic, leaf, state, n)
), keys AS (
  INSERT INTO rilon.keywraps (slot, kek, wrapped)
  SELECT new.slot, new.kek, new.wrapped
  FROM head, unnest($10::bytea[], $11::bytea[], $12::bytea[]) AS new (slot, kek, wrapped)
)
SELECT pg_notify('rilon_log', ($1 + cardinality($5::uuid[]))::text) FROM head
"""
"""One row when everything was stored, none when the head or a guarded stream has moved.

$1 size, $2 root as this process knows them; $3 root, $4 peaks to come; $5-$9 events; $10-$12 wraps; $13-$14 guards.
Read committed: the row is locked and judged again, so what passes was judged on exactly the first ``size`` events.
"""

REFUSED: Final[LiteralString] = """
SELECT n, 'log.version-taken' AS code
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) AS new (n, id, version)
JOIN rilon.event e ON e.originator_id = new.id AND e.originator_version = new.version
UNION ALL
SELECT n, 'log.guard-moved'
FROM unnest($4::int[], $5::uuid[], $6::bigint[]) AS guard (n, stream, version)
WHERE version <> coalesce((SELECT max(e.originator_version) FROM rilon.event e WHERE e.originator_id = stream), 0)
UNION ALL
SELECT n, 'log.slot-taken'
FROM unnest($7::int[], $8::bytea[]) AS new (n, slot) JOIN rilon.keywraps USING (slot)
UNION ALL
SELECT n, 'log.key-turned'
FROM unnest($9::int[], $10::bytea[]) AS new (n, kek) WHERE NOT EXISTS (SELECT FROM rilon.keks k WHERE k.kek = new.kek)
"""
"""Which commands of a batch (by their number n) cannot be stored, and why."""


class Row(asyncpg.Record):
    """What a query for events gives: a record with the fields of the library's ``Notification``.

    Read where they lie: a million tuples beside a million records would cost a twentieth of a replay.
    """

    __slots__ = ()

    originator_id: Final = cast("UUID", property(itemgetter(0)))
    originator_version: Final = cast("int", property(itemgetter(1)))
    topic: Final = cast("str", property(itemgetter(2)))
    state: Final = cast("bytes", property(itemgetter(3)))
    id: Final = cast("int", property(itemgetter(4)))
    """Its position."""


STREAM: Final[LiteralString] = """
SELECT originator_id, originator_version, topic, state, position FROM rilon.event
WHERE originator_id = $1 AND originator_version > $2 AND originator_version <= $3
ORDER BY originator_version LIMIT $4
"""

STREAM_BACKWARDS: Final[LiteralString] = """
SELECT originator_id, originator_version, topic, state, position FROM rilon.event
WHERE originator_id = $1 AND originator_version > $2 AND originator_version <= $3
ORDER BY originator_version DESC LIMIT $4
"""

PAGE: Final[LiteralString] = """
SELECT originator_id, originator_version, topic, state, position FROM rilon.event
WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
"""

PAGE_OF_TOPICS: Final[LiteralString] = """
SELECT originator_id, originator_version, topic, state, position FROM rilon.event
WHERE position > $1 AND position <= $2 AND topic = ANY($4::text[]) ORDER BY position LIMIT $3
"""

RAW: Final[LiteralString] = """
SELECT position, originator_id, originator_version, topic, leaf, state FROM rilon.event
WHERE position > $1 ORDER BY position LIMIT $2
"""

MIGRATION_LOCK: Final[LiteralString] = "SELECT pg_advisory_xact_lock(7236287301122341)"

HAS_SCHEMA: Final[LiteralString] = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname IN ('rilon', 'views'))"

HAS_MIGRATION_TABLE: Final[LiteralString] = "SELECT to_regclass('rilon.migration') IS NOT NULL"

MIGRATIONS: Final[LiteralString] = "SELECT number, checksum FROM rilon.migration ORDER BY number"

RECORD_MIGRATION: Final[LiteralString] = "INSERT INTO rilon.migration (number, name, checksum) VALUES ($1, $2, $3)"

FOUND_LOG: Final[LiteralString] = """
INSERT INTO rilon.log_head (size, root, peaks, log_id) VALUES (0, sha256(''), '', $1) ON CONFLICT DO NOTHING
"""

RENEW_LOG: Final[LiteralString] = "UPDATE rilon.log_head SET log_id = $2 WHERE log_id = $1"

SET: Final[LiteralString] = "SELECT set_config($1, $2, true)"
