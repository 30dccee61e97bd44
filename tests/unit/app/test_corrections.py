"""A correction begins with what stands, and loses nothing that no page asks for."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import msgspec
from msgspec.structs import replace

from rilon.api.shapes import show_preview
from rilon.app.corrections import draft_of
from rilon.app.drafts import AudienceDraft
from rilon.domain.alert import Alert
from rilon.domain.handling import Caveat
from rilon.domain.values import Purpose
from rilon.node.commands.show import show_matrix
from tests.nodes import acquaint, memory_node
from tests.nodes import draft_of as written

MARKS = {"purposes": ["prosecution"], "not_to": ["id"], "pap": "PAP:RED"}


async def test_marks_readers_and_conditions_come_back_as_they_were_stated() -> None:
    th, my = await memory_node("th"), await memory_node("my", seed=1)
    await acquaint(th, my)
    author = await th.officer()
    caveat = Caveat.ORCON
    stated = MARKS | {"caveats": [caveat]}
    audience = AudienceDraft(members=("my",), readers=("agency:police",), home=("agency:customs",))
    given = written("TIP-RECRUIT", "my", audience=audience, handling=stated, onward="no", court="no")
    item = await th.post(author, given)
    base = await th.desks.alerts.begin_correction(author.caller, item)
    assert base.audience == audience
    assert (base.onward, base.court, base.grade, base.kind) == ("no", "no", given.grade, given.kind)
    assert base.handling["purposes"] == [Purpose.PROSECUTION]
    assert base.handling["not_to"] == ["id"]
    assert caveat in base.handling["caveats"]
    await th.desks.alerts.correct(author.caller, item, replace(base, fields=given.fields))
    again = await th.desks.alerts.begin_correction(author.caller, item)
    assert again == base


async def test_of_a_recovered_alert_only_what_its_manifest_tells_is_kept() -> None:
    th, my = await memory_node("th"), await memory_node("my", seed=1)
    await acquaint(th, my)
    item = await th.post(await th.officer(), written("TIP-RECRUIT", "my"))
    edition = (await th.desks.work.read(Alert, item)).edition
    lost = replace(edition, sections=())
    base = draft_of(lost, await th.desks.alerts._editions.marks(item, lost), ())
    assert base.audience == AudienceDraft()
    assert set(base.handling) == {"tlp", "pap"}


async def test_a_preview_says_when_a_correction_makes_another_kind_of_it() -> None:
    th, my = await memory_node("th"), await memory_node("my", seed=1)
    await acquaint(th, my)
    author = await th.officer()
    item = await th.post(author, written("MAR-ARRIVAL", "my"))
    said = {
        (kind, corrects): await th.desks.alerts.preview(author.caller, written(kind, "my"), corrects)
        for kind in ("MAR-ARRIVAL", "MAR-DISTRESS")
        for corrects in (item, None)
    }
    assert {case: shown.kind_before for case, shown in said.items() if shown.kind_before} == {
        ("MAR-DISTRESS", item): "MAR-ARRIVAL"
    }
    changed = msgspec.to_builtins(show_preview(said["MAR-DISTRESS", item]))
    assert "MAR-ARRIVAL -> MAR-DISTRESS" in printed(changed)
    assert "->" not in printed(changed | {"kind_before": None})


def printed(found: dict[str, Any]) -> str:
    """As the command line shows a preview."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
        show_matrix(found)
    return out.getvalue()
