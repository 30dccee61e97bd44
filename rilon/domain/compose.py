"""The marks of an item made of others: the most restrictive wins, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from rilon.domain.handling import Handling, Pap, Tlp
from rilon.domain.values import Value
from rilon.errors import RefusedError


class Composition(Value, frozen=True):
    """The marks of an item made of two, and why, one sentence for each mark that became stricter than one of them."""

    handling: Handling
    because: tuple[str, ...]


def compose(one: Handling, other: Handling) -> Composition:
    """Join the marks of two items whose content is merged, quoted or derived: the most restrictive wins.

    The join is idempotent, commutative and associative on ``handling``, and never loosens either part.

    Raises:
        RefusedError: ``handling.nothing-in-common``: no Member, or no purpose, may have both, so nobody may.
    """
    joined = {name: join(getattr(one, name), getattr(other, name)) for name, join in _JOINS.items()}
    for name, mark in (("rel_to", "REL_TO"), ("purposes", "PURPOSES")):
        if joined[name] is not None and not joined[name]:
            message = f"What both parts allow has nothing in common, so nobody may have them together ({mark})."
            raise RefusedError("handling.nothing-in-common", message, field=f"handling.{name}", fix="Keep them apart.")
    because = tuple(_why(name, joined[name]) for name in _JOINS if getattr(one, name) != getattr(other, name))
    return Composition(Handling(**joined), because)


def _stricter(ranked: type[StrEnum]) -> Callable[[StrEnum, StrEnum], StrEnum]:
    order = list(ranked)
    return lambda a, b: min(a, b, key=order.index)


def _union(a: frozenset[str], b: frozenset[str]) -> frozenset[str]:
    return a | b


def _meet(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    """Intersection, where None is no limit: the empty set that may come out is the caller's to refuse."""
    if a is None or b is None:
        return b if a is None else a
    return a & b


def _pick(choose: Callable[[datetime, datetime], datetime]) -> Callable[[datetime | None, datetime | None], Any]:
    return lambda a, b: choose(a, b) if a is not None and b is not None else a or b


_JOINS: Mapping[str, Callable[[Any, Any], Any]] = {
    "tlp": _stricter(Tlp),
    "pap": _stricter(Pap),
    "caveats": _union,
    "rel_to": _meet,
    "not_to": _union,
    "no_origin_states": _union,
    "purposes": _meet,
    "embargo_until": _pick(max),
    "review_by": _pick(min),
    "expires_at": _pick(min),
    "classification": max,
}
"""How each mark is joined. A test walks the fields of ``Handling``: a mark without a join would be lost."""

_SENTENCES = {
    "tlp": "The stricter TLP holds: {}.",
    "pap": "The stricter PAP holds: {}.",
    "caveats": "The caveats of both hold: {}.",
    "rel_to": "Only Members that both parts may go to may have it (REL_TO): {}.",
    "not_to": "No Member that either part must not reach may have it (NOT_TO): {}.",
    "no_origin_states": "The States of origin of both are kept out (NO_ORIGIN_STATE): {}.",
    "purposes": "Only purposes that both parts allow remain: {}.",
    "embargo_until": "The longer embargo holds: {}.",
    "review_by": "The earlier review holds: {}.",
    "expires_at": "The earlier expiry holds: {}.",
    "classification": "The higher classification holds: {}.",
}


def _why(name: str, value: object) -> str:
    if isinstance(value, frozenset):
        upper = name != "purposes"
        value = ", ".join(sorted(str(v).upper() if upper else str(v) for v in value))
    elif isinstance(value, datetime):
        value = f"{value:%Y-%m-%d}"
    return _SENTENCES[name].format(value)
