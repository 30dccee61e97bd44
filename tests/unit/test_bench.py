"""The benchmarks measure events that the product has: they are made, stored and read back as it would."""

from __future__ import annotations

from bench.__main__ import table
from bench.made import Draws, history
from bench.projection import library_mapper
from rilon.app.ports import Recorded
from rilon.domain.catalogue import CATALOGUE
from rilon.projections.changes import Tables
from rilon.projections.views import fold
from rilon.store.codec import Codec


def test_the_history_means_the_same_on_both_paths() -> None:
    codec, mapper, events = Codec(CATALOGUE, Draws()), library_mapper(), history(60)
    ours = [codec.decode(codec.encode(e), n) for n, e in enumerate(events, 1)]
    theirs = [mapper.to_domain_event(mapper.to_stored_event(e)) for e in events]
    dumps = []
    for kept in (events, ours, theirs):
        tables = Tables()
        fold((Recorded(n, e) for n, e in enumerate(kept, 1)), tables)  # type: ignore[arg-type]
        dumps.append(tables.dump())
    assert len(set(dumps)) == 1
    assert len(dumps[0]) > 1000


def test_a_table_says_its_columns_whenever_they_change() -> None:
    rows = [{"name": "a", "ms": 1}, {"name": "longer", "ms": 20}, {"name": "b", "mb": 3}]
    assert [line.split() for line in table(rows)] == [["ms"], ["a", "1"], ["longer", "20"], ["mb"], ["b", "3"]]
