"""What a trial of a rule book tells at a terminal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from click.testing import CliRunner

from rilon.app.simulation import Changed, Simulation
from rilon.domain.conditions import Obligations
from rilon.domain.values import Effect, Sensitivity
from rilon.node.cli import cli
from rilon.node.commands.common import Api
from tests.nodes import NOW

ITEM = UUID(int=7)


def cell(before: Effect, people: int, was: Obligations | None, after: Effect, obliges: Obligations | None) -> Changed:
    rules = ("th.late",)
    return Changed(ITEM, NOW, "id", Sensitivity.NOMINAL, before, after, 1, rules, obliges, people, was, looser=False)


def test_a_trial_shows_what_a_cell_was_and_would_be_under_both_times(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = (
        cell(Effect.ASK, 2, Obligations(days=30), Effect.ALLOW, Obligations(days=20)),
        cell(Effect.ALLOW, 0, Obligations(days=30), Effect.REFUSE, None),
    )
    found = msgspec.to_builtins(Simulation(3, 2, 0, 1, 1, cells, 0))

    def told(*_: Any, **__: Any) -> Any:
        return found

    monkeypatch.setattr(Api, "send", told)
    said = CliRunner().invoke(cli, ["rules", "simulate"])
    assert said.exit_code == 0, said.output
    first, header, *rows = (line.split("  ") for line in said.stdout.splitlines())
    assert first == ["Of 3 disclosures 2 would change."]
    names, one, two = ([part.strip() for part in row if part] for row in (header, *rows))
    assert names == ["WHEN", "ITEM", "TO", "SECTION", "WAS", "WAS UNDER", "WOULD BE", "WOULD BE UNDER", "BY"]
    assert one[4:] == [
        "ask (2 people)",
        "Access to it ends after 30 days.",
        "yes",
        "Access to it ends after 20 days.",
        "th.late",
    ]
    assert two[4:] == ["yes", "Access to it ends after 30 days.", "no", "th.late"]
