"""What holds for every form of the wire."""

from __future__ import annotations

import msgspec
import pytest

import rilon.crypto.approval
import rilon.crypto.manifest
import rilon.crypto.release
import rilon.crypto.statement
from rilon.crypto import labels
from rilon.crypto.strict import Record


def forms(root: type[Record] = Record) -> list[type[Record]]:
    found = [each for each in root.__subclasses__() if each.__module__.startswith("rilon.")]
    return [form for each in found for form in [each, *forms(each)]]


@pytest.mark.parametrize("form", forms(), ids=lambda form: f"{form.__module__}.{form.__name__}")
def test_every_form_is_closed_frozen_and_without_defaults(form: type[Record]) -> None:
    config = form.__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields
    assert not config.omit_defaults
    assert all(field.required for field in msgspec.structs.fields(form)), "a default would be a second encoding"


def test_no_two_labels_are_alike() -> None:
    found = [value for value in vars(labels).values() if isinstance(value, bytes)]
    assert len(found) > 10
    assert len(set(found)) == len(found)
    assert all(label.startswith(b"rilon ") for label in found)


def test_the_modules_that_were_looked_at() -> None:
    assert {form.__module__ for form in forms()} >= {
        rilon.crypto.manifest.__name__,
        rilon.crypto.release.__name__,
        rilon.crypto.statement.__name__,
    }
    assert rilon.crypto.approval.METHOD == "key-file"
