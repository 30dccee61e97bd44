"""How an item is named on the command line: by its id alone when it is this Member's own, else as ``MEMBER/ID``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import rich_click as click

from rilon.node.commands.common import Api

_MEMBER: Final = re.compile(r"[a-z]{2,12}")


@dataclass(frozen=True, slots=True)
class Ref:
    """An item: its id, and its originator; "" for this Member itself."""

    id: UUID
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.origin}/{self.id}" if self.origin else str(self.id)


class _Item(click.ParamType):  # type: ignore[type-arg] # click 8.5 made it generic, rich-click has not
    name = "item"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Ref:
        """Read an item's name."""
        if isinstance(value, Ref):
            return value
        origin, _, text = str(value).rpartition("/")
        try:
            found = Ref(UUID(text), origin.lower())
        except ValueError:
            self.fail(f"“{value}” names no item: write ID for one of ours, MEMBER/ID for another's.", param, ctx)
        if origin and not _MEMBER.fullmatch(found.origin):
            self.fail(f"“{origin}” is no Member's id.", param, ctx)
        return found


ITEM: Final = _Item()


def located(api: Api, item: Ref) -> str:
    """The item's place in the API; who owns the token knows which Member they are of."""
    return f"{item.origin or api.get('me')['member']}/{item.id}"
