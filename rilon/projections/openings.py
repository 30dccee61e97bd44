"""Openings: who at this node read which section of what, for which purpose. For auditors; the originator learns less.

A row an opening. What is unusual about them is said by ``rilon.domain.oversight``, from the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import ClassVar

from rilon.domain.alert import Alert
from rilon.domain.holding import Holding
from rilon.domain.values import OfficerId, Purpose, Sensitivity
from rilon.projections.changes import Change, Row


class Opened(Row, frozen=True):
    """An opening. ``stream``: of the alert or holding; ``n``: its position in the log."""

    TABLE: ClassVar[str] = "opening"

    officer: OfficerId
    sensitivity: Sensitivity
    purpose: Purpose
    at: datetime


@singledispatch
def changes(_event: object, _position: int) -> Iterable[Change]:
    """Say which openings there are. Pure."""
    return ()


@changes.register(Alert.Opened)
@changes.register(Holding.Opened)
def _(event: Alert.Opened | Holding.Opened, position: int) -> Iterable[Change]:
    yield Opened(event.originator_id, position, event.by, event.sensitivity, event.purpose, event.timestamp)
