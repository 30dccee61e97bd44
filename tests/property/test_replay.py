"""Replaying a stream gives the aggregate that decided, whole or in parts, from memory or from stored bytes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rilon.app.unit import fold
from rilon.domain.base import Event, Root
from rilon.domain.catalogue import CATALOGUE
from rilon.store.codec import Codec
from tests.fakes.entropy import SeededEntropy
from tests.fakes.histories import World, histories
from tests.fakes.refusals import state_of

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def streams(world: World) -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = defaultdict(list)
    for recorded in world.events:
        found[recorded.event.originator_id].append(recorded.event)
    return found


def state(aggregate: Root | None) -> dict[str, Any]:
    assert aggregate is not None
    return {"class": type(aggregate), **state_of(aggregate)}


@quick
@given(histories())
def test_a_replayed_aggregate_is_the_one_that_decided(world: World) -> None:
    for stream, events in streams(world).items():
        replayed = fold(events)
        assert state(replayed) == state(world.aggregates[stream])
        assert replayed is not None
        assert replayed.pending_events == []


@quick
@given(histories(), st.data())
def test_a_prefix_and_the_rest_are_the_whole(world: World, data: st.DataObject) -> None:
    for stream, events in streams(world).items():
        cut = data.draw(st.integers(1, len(events)))
        assert state(fold(events[cut:], fold(events[:cut]))) == state(world.aggregates[stream])


@quick
@given(histories())
def test_what_was_stored_replays_alike(world: World) -> None:
    codec = Codec(CATALOGUE, SeededEntropy())
    for stream, events in streams(world).items():
        stored = [codec.decode(codec.encode(event), n) for n, event in enumerate(events, 1)]
        assert state(fold(stored)) == state(world.aggregates[stream])
