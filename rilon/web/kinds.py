"""Which kinds of alert one may write, by family, and which of them somebody's words find."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import Final

from rilon.domain.kinds import KINDS, Kind
from rilon.web.language import gettext
from rilon.web.words import human, kind_name

_MARKS: Final = dict.fromkeys(range(0x300, 0x370))
"""What stands above and below Latin letters; phones write Vietnamese without it. Other scripts keep theirs."""
_STROKED: Final = str.maketrans("đ", "d")


def by_family(world: str, query: str = "") -> dict[str, list[Kind]]:
    """The kinds that have all these words, in the reader's language or in English, in the order of the list."""
    wanted = _plain(query).split()
    found: dict[str, list[Kind]] = defaultdict(list)
    for kind in KINDS.values():
        if (not kind.exercise or world == "exercise") and all(word in _said(kind) for word in wanted):
            found[kind.family].append(kind)
    return found


def _said(kind: Kind) -> str:
    own = (kind_name(kind.code), gettext(kind.about), human(kind.family))
    return _plain(" ".join((*own, kind.name, kind.about, kind.code)))


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_MARKS)
    return unicodedata.normalize("NFC", apart).translate(_STROKED)
