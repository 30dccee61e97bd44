"""Grades: how reliable a source is and how credible what it says, kept in the scheme the officer's service grades in.

Schemes do not translate without loss, so a grade is stored as given. The Admiralty view is for showing grades of
several services side by side: lossy, one way, never stored, never made better than what was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from rilon.domain.data import Table, read
from rilon.domain.values import Value
from rilon.errors import InvalidError


class Scheme(StrEnum):
    """A grading scheme."""

    ADMIRALTY = "admiralty_6x6"
    EUROPOL = "europol_4x4"
    UK_NIM = "uk_nim_5x5x5"
    UK = "uk_3x5x2"
    IOM_MMP = "iom_mmp"
    """The source quality 1-5 of IOM's Missing Migrants data: credibility only, it says nothing of the source."""


class _Scale(Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, str]
    information: dict[str, str]
    admiralty_source: dict[str, str]
    admiralty_information: dict[str, str]


_SCALES: Mapping[str, _Scale] = Table(lambda: read("grades", dict[str, _Scale]))

_UNJUDGED = "F"
"""Admiralty: reliability cannot be judged."""


class Grade(Value, frozen=True):
    """A grade as it was given.

    Attributes:
        source: code of the source's reliability; "" in a scheme that does not grade sources.
        information: code of the information's credibility.
    """

    scheme: Scheme
    source: str
    information: str

    def __post_init__(self) -> None:
        """Refuse codes that the scheme does not have."""
        scale = _SCALES[self.scheme]
        if self.source not in (scale.source or {""}):
            raise ValueError("The scheme has no such source grade")
        if self.information not in scale.information:
            raise ValueError("The scheme has no such information grade")

    @property
    def code(self) -> str:
        """Both codes, as officers write them: ``B2``."""
        return self.source + self.information

    @property
    def words(self) -> tuple[str, str]:
        """What source and information codes mean; "" for a source that is not graded."""
        scale = _SCALES[self.scheme]
        return scale.source.get(self.source, ""), scale.information[self.information]

    @property
    def admiralty(self) -> Grade:
        """The nearest Admiralty grade, to show beside others: lossy, one way."""
        scale = _SCALES[self.scheme]
        source = scale.admiralty_source.get(self.source, _UNJUDGED)
        return Grade(Scheme.ADMIRALTY, source, scale.admiralty_information[self.information])


def parse_grade(draft: Mapping[str, object]) -> Grade:
    """Read a grade an author states: ``{scheme, source, information}``; ``source`` may be left out where not graded.

    Raises:
        InvalidError: ``grade.value``.
    """
    try:
        return msgspec.convert({"source": "", **draft}, Grade)
    except msgspec.ValidationError as error:
        schemes = ", ".join(Scheme)
        fix = f"Give scheme ({schemes}), source and information, such as admiralty_6x6, B and 2."
        raise InvalidError("grade.value", "This is no grade of any scheme.", field="grade", fix=fix) from error
