"""Reference data of the product, and the one way to read it: JSON beside this file, decoded strictly, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


def read(name: str, shape: type[T]) -> T:
    """Decode a data file of the package.

    Args:
        name: file name without ``.json``.
        shape: what it must hold; anything else is a defect of this build and fails loudly.
    """
    return msgspec.json.decode(files(__name__).joinpath(f"{name}.json").read_bytes(), type=shape)


class Table(Mapping[str, T]):
    """An immutable table by code, loaded when it is first asked; nothing is opened at import."""

    def __init__(self, load: Callable[[], dict[str, T]]) -> None:
        self._load = load

    @cached_property
    def _rows(self) -> dict[str, T]:
        return self._load()

    def __getitem__(self, key: str) -> T:
        return self._rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows  # pages ask often; the mixin's way raises and catches

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
