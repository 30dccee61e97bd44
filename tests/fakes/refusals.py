"""A refusal of an aggregate: its code, and that nothing happened."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rilon.domain.base import Root
from rilon.errors import RilonError


def state_of(aggregate: Root) -> dict[str, Any]:
    """All an aggregate knows, to be compared."""
    return deepcopy({name: value for name, value in vars(aggregate).items() if name != "_pending_events"})


def refused(aggregate: Root, do: Callable[..., object], *args: object, **named: object) -> str:
    """The code with which a deciding method refuses, before there is any event or change."""
    before, pending = state_of(aggregate), list(aggregate.pending_events)
    with pytest.raises(RilonError) as caught:
        do(*args, **named)
    assert state_of(aggregate) == before
    assert list(aggregate.pending_events) == pending
    return caught.value.code
