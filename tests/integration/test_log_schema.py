"""The schema as a database has it after all migrations: tables, what holds of them, and who may do what."""

from __future__ import annotations

import asyncpg
import pytest

from rilon.store.migrate import migrate
from tests.fakes.entropy import SeededEntropy
from tests.golden import golden

pytestmark = pytest.mark.real

TABLES = """
SELECT c.oid, c.relname AS name FROM pg_class c
WHERE c.relnamespace = 'rilon'::regnamespace AND c.relkind = 'r' ORDER BY c.relname
"""
COLUMNS = """
SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '' ELSE ' null' END
  || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  || CASE WHEN attstorage = 'e' THEN ' external' WHEN attstorage = 'p' AND attlen < 0 THEN ' plain' ELSE '' END
FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (attrelid, attnum)
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# Not-null ones are among the columns, and since version 18 have names of their own.
CONSTRAINTS = """
SELECT conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n' ORDER BY 1
"""
INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $1 AND NOT indisunique ORDER BY 1"
GRANTS = """
SELECT role || ': ' || string_agg(may, ', ' ORDER BY may) FROM (
  SELECT grantee::regrole::text AS role, lower(privilege_type) AS may
  FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = $1
  UNION ALL
  SELECT grantee::regrole::text, lower(privilege_type) || ' ' || attname
  FROM pg_attribute, aclexplode(attacl) WHERE attrelid = $1) AS granted
WHERE role LIKE 'gold_%' GROUP BY role ORDER BY role
"""


async def describe(owner: asyncpg.Connection[asyncpg.Record]) -> str:
    lines = []
    for table in await owner.fetch(TABLES):
        lines.append(f"rilon.{table['name']}")
        for query in (COLUMNS, CONSTRAINTS, INDEXES, GRANTS):
            lines += [f"  {row[0]}" for row in await owner.fetch(query, table["oid"]) if row[0]]
            lines.append("")
        lines[:] = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return "\n".join(lines).replace("gold_", "<prefix>_") + "\n"


async def test_golden_schema(database: str) -> None:
    owner = await asyncpg.connect(database)
    try:
        await migrate(owner, SeededEntropy(), prefix="gold")
        golden.check("schema.txt", await describe(owner))
    finally:
        await owner.close()
