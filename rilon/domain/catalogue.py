"""The closed catalogue: topic to class, for every event a log may hold. What is not here is not run, only kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from rilon.domain.access import Access
from rilon.domain.alert import Alert
from rilon.domain.base import Opening, Root
from rilon.domain.circle import Circles
from rilon.domain.command import Command
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.disclosure import Disclosure
from rilon.domain.entry import Entry
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.domain.onward import Onward
from rilon.domain.peer_link import PeerLink
from rilon.domain.pointer import Pointer
from rilon.domain.reach import Reach
from rilon.domain.recall import Recall
from rilon.domain.rulebook import RuleBooks
from rilon.domain.team import Task, Team

AGGREGATES: tuple[type[Root], ...] = (
    Access,
    Alert,
    Circles,
    Command,
    Directory,
    PeerNode,
    Disclosure,
    Entry,
    Holding,
    Officer,
    Onward,
    PeerLink,
    Pointer,
    Reach,
    Recall,
    RuleBooks,
    Task,
    Team,
)


def _events() -> Iterator[Any]:
    for aggregate in AGGREGATES:
        for value in vars(aggregate).values():
            if isinstance(value, type) and issubclass(value, (Root.Event, Opening)) and hasattr(value, "TOPIC"):
                yield value


CATALOGUE: Mapping[str, type] = MappingProxyType({e.TOPIC: e for e in _events()})
"""Every event's topic and class."""

BY_TOPIC: Mapping[str, type[Root]] = MappingProxyType({vars(a)["TOPIC"]: a for a in AGGREGATES})
"""Every aggregate's topic and class."""
