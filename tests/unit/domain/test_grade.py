from __future__ import annotations

from typing import Any

import pytest

from rilon.domain.grade import _SCALES, Grade, Scheme, parse_grade
from rilon.errors import InvalidError


def every_grade() -> list[Grade]:
    return [
        Grade(scheme, source, information)
        for scheme in Scheme
        for source in _SCALES[scheme].source or [""]
        for information in _SCALES[scheme].information
    ]


def test_every_scheme_has_its_codes() -> None:
    sizes = {s: (len(_SCALES[s].source), len(_SCALES[s].information)) for s in Scheme}
    assert sizes == {
        Scheme.ADMIRALTY: (6, 6),
        Scheme.EUROPOL: (4, 4),
        Scheme.UK_NIM: (5, 5),
        Scheme.UK: (3, 5),
        Scheme.IOM_MMP: (0, 5),
    }


def test_every_grade_has_words_and_an_admiralty_view() -> None:
    for grade in every_grade():
        source, information = grade.words
        assert information
        assert bool(source) is (grade.scheme is not Scheme.IOM_MMP)
        assert grade.admiralty.scheme is Scheme.ADMIRALTY
        assert grade.admiralty.admiralty == grade.admiralty


def test_the_view_of_iom_quality_says_nothing_of_the_source() -> None:
    assert Grade(Scheme.IOM_MMP, "", "5").admiralty == Grade(Scheme.ADMIRALTY, "F", "2")
    assert Grade(Scheme.EUROPOL, "B", "4").admiralty.code == "B6"


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"scheme": "admiralty_6x6", "source": "G", "information": "1"},
        {"scheme": "admiralty_6x6", "information": "1"},
        {"scheme": "admiralty_6x6", "source": "A", "information": "7"},
        {"scheme": "admiralty_6x6", "source": "A", "information": 1},
        {"scheme": "iom_mmp", "source": "A", "information": "1"},
        {"scheme": "stars", "source": "A", "information": "1"},
        {"scheme": "uk_3x5x2", "source": "1", "information": "A", "handling": "P"},
    ],
)
def test_what_no_scheme_has_is_refused(draft: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match=r"grade\.value") as caught:
        parse_grade(draft)
    assert caught.value.field == "grade"
    assert caught.value.fix


def test_a_grade_is_kept_as_given() -> None:
    grade = parse_grade({"scheme": "uk_3x5x2", "source": "1", "information": "B"})
    assert (grade.code, grade.words[0]) == ("1B", "Reliable")
    assert parse_grade({"scheme": "iom_mmp", "information": "3"}).code == "3"
