"""The closed catalogue: every event is in it, holds nothing a person wrote, and survives being stored."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from msgspec import Meta

from rilon import domain
from rilon.domain import values
from rilon.domain.base import Opening, Root, Unknown
from rilon.domain.catalogue import AGGREGATES, BY_TOPIC, CATALOGUE
from rilon.store.codec import Codec
from tests.fakes.entropy import SeededEntropy
from tests.golden import golden

ELSEWHERE = {"originator_id", "originator_version", "originator_topic", "timestamp"}
EVERY_EVENT = pytest.mark.parametrize("topic", sorted(CATALOGUE))
NAMES = {getattr(values, name): name for name in ("MemberId", "OfficerId", "Digest", "LogId", "Code")}


def own(cls: Any) -> dict[str, Any]:
    """An event's own fields."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {f.name: hints[f.name] for f in fields(cls) if f.name not in ELSEWHERE}


def structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    """Every value object a type is made of, however deep."""
    for part in typing.get_args(hint):
        yield from structs_in(part)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
        for inner in typing.get_type_hints(hint, include_extras=True).values():
            yield from structs_in(inner)


def loose(hint: Any, path: str) -> Iterator[str]:
    """Places in a type where a sentence, or anything at all, could stand."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        patterns = [m.pattern for m in args[1:] if isinstance(m, Meta) and m.pattern]
        closed = (
            args[0] is str
            and patterns
            and not any(re.search(p, "A sentence.") or re.search(p, "Zoë") for p in patterns)
        )
        yield from () if closed else loose(args[0], path)
    elif origin is Literal:
        return
    elif origin is not None:
        for part in args:
            yield from () if part is ... else loose(part, f"{path}[{part}]")
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for name, inner in typing.get_type_hints(hint, include_extras=True).items():
            yield from loose(inner, f"{path}.{name}")
    elif isinstance(hint, type) and issubclass(hint, Enum):
        return
    elif hint not in {bytes, int, bool, datetime, UUID, types.NoneType}:
        yield f"{path}: {hint}"


@EVERY_EVENT
def test_no_event_holds_what_a_person_wrote(topic: str) -> None:
    for name, hint in own(CATALOGUE[topic]).items():
        assert list(loose(hint, name)) == []


def test_the_walk_finds_what_it_is_for() -> None:
    class Inner(msgspec.Struct):
        note: str | None

    wide = typing.Annotated[str, Meta(max_length=9)]
    for bad in (str, Any, object, float, tuple[str, ...], dict[str, int], wide, Inner, list[Inner]):
        assert list(loose(bad, "x"))


def is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, (Root.Event, Opening)) and value not in {Root.Event, Opening}


def all_events() -> dict[type, type]:
    """Every event that a module of the domain makes, and the aggregate it is of."""
    modules = [vars(import_module(f"rilon.domain.{m.name}")) for m in pkgutil.iter_modules(domain.__path__)]
    assert {v for module in modules for v in module.values() if is_event(v)} == {
        Unknown
    }  # all others are in aggregates
    roots = {v for m in modules for v in m.values() if isinstance(v, type) and issubclass(v, Root) and v is not Root}
    return {v: root for root in roots for name, v in vars(root).items() if is_event(v) and name != "Event"}


@EVERY_EVENT
def test_to_means_lines_and_nothing_else(topic: str) -> None:
    """Couriers read ``to`` of whatever event has it: see ``lines_of``."""
    assert own(CATALOGUE[topic]).get("to", dict[values.MemberId, values.Line]) == dict[values.MemberId, values.Line]


def test_every_event_of_the_domain_is_in_the_catalogue() -> None:
    assert set(all_events()) == set(CATALOGUE.values())
    assert set(all_events().values()) == set(AGGREGATES)


def test_every_topic_is_well_formed_and_of_its_aggregate() -> None:
    assert len(CATALOGUE) == len(all_events())  # so no two share one
    for event, aggregate in all_events().items():
        assert re.fullmatch(r"rilon\.[a-z]+\.[a-z]+(-[a-z]+)*\.[1-9][0-9]?", event.TOPIC)
        assert BY_TOPIC[event.TOPIC.rsplit(".", 2)[0]] is aggregate


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_fold_never_refuses(aggregate: type[Root]) -> None:
    """Replay runs folds again: one that refused would make old history unreadable."""
    methods = {name: m for name, m in vars(aggregate).items() if inspect.isfunction(m)}
    applies = [vars(e)["apply"] for e in vars(aggregate).values() if isinstance(e, type) and "apply" in vars(e)]
    todo, seen = [*applies, methods["__init__"]], set()
    while todo:
        tree = ast.parse(textwrap.dedent(inspect.getsource(todo.pop())))
        assert not any(isinstance(node, ast.Raise | ast.Assert) for node in ast.walk(tree)), ast.unparse(tree)
        called = {n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        todo += [methods[name] for name in called & methods.keys() - seen]
        seen |= called


def some(hint: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one line a form
    """Any value of a type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return annotated(args[0], [m for m in args[1:] if isinstance(m, Meta)])
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([some(a) for a in args])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(some(args[0]), max_size=3).map(tuple) if ... in args else st.tuples(*[some(a) for a in args])
    if origin is frozenset:
        return st.frozensets(some(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(some(args[0]), some(args[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = typing.get_type_hints(hint, include_extras=True)
        facts = {name: some(h) for name, h in hints.items() if not name.startswith("__")}
        return st.fixed_dictionaries(facts).map(lambda found: made(hint, found))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return {
        bytes: st.binary(max_size=40),
        int: st.integers(-(1 << 62), 1 << 62),
        bool: st.booleans(),
        UUID: st.uuids(),
        datetime: instants,
        types.NoneType: st.none(),
    }[hint]


def made(cls: type[msgspec.Struct], facts: dict[str, Any]) -> msgspec.Struct:
    """A value object, unless its fields contradict each other."""
    try:
        return cls(**facts)
    except ValueError:
        reject()


instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def annotated(base: Any, metas: list[Meta]) -> st.SearchStrategy[Any]:
    meta = metas[0] if metas else Meta()
    if base is str:
        return st.from_regex(str(meta.pattern), fullmatch=True)
    if base is bytes:
        return st.binary(min_size=meta.min_length or 0, max_size=meta.max_length)
    if base is int:
        return st.integers(int(meta.ge or 0), int(meta.le or 1 << 62))
    return some(base).filter(lambda v: not meta.min_length or meta.min_length <= len(v))


@EVERY_EVENT
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_survives_being_stored(topic: str, data: st.DataObject) -> None:
    cls: Any = CATALOGUE[topic]
    facts = {name: data.draw(some(hint), label=name) for name, hint in own(cls).items()}
    stream, version, at = data.draw(st.uuids()), data.draw(st.integers(1, 1 << 30)), data.draw(instants)
    aggregate = {"originator_topic": topic.rsplit(".", 2)[0]} if issubclass(cls, Opening) else {}
    event = cls(originator_id=stream, originator_version=version, timestamp=at, **aggregate, **facts)
    codec = Codec(CATALOGUE, SeededEntropy())
    row = codec.encode(event)
    assert (row.topic, row.originator_id, row.originator_version) == (topic, stream, version)
    assert codec.decode(row, 1) == event


def shown(hint: Any) -> str:
    """A type as the golden file says it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in NAMES:
        return NAMES[hint]
    if origin is typing.Annotated:
        limits = {n: getattr(args[1], n) for n in ("min_length", "max_length", "ge", "le", "pattern")}
        return shown(args[0]) + "".join(f" {n.replace('_length', '')}={v}" for n, v in limits.items() if v is not None)
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(shown(a) for a in args)
    if origin is Literal:
        return " | ".join(args)
    if origin is not None:
        return f"{origin.__name__}[{', '.join('...' if a is ... else shown(a) for a in args)}]"
    return "None" if hint is types.NoneType else str(hint.__name__)


def table(title: str, facts: dict[str, Any]) -> str:
    width = max((len(name) for name in facts), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {shown(hint)}" for name, hint in facts.items())])


def test_golden_events() -> None:
    events = [table(topic, own(CATALOGUE[topic])) for topic in sorted(CATALOGUE)]
    used = {s for e in CATALOGUE.values() for h in own(e).values() for s in structs_in(h)}
    parts = [
        table(s.__name__, typing.get_type_hints(s, include_extras=True)) for s in sorted(used, key=lambda s: s.__name__)
    ]
    golden.check("events.txt", "EVENTS\n\n" + "\n".join(events) + "\n\nVALUES\n\n" + "\n".join(parts) + "\n")
