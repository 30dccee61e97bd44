"""Editions: what the manifest tells everybody, and what only this node can open."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from rilon.crypto import manifest, statement, strict
from rilon.crypto.manifest import Manifest, MemberLists
from rilon.domain.alert import Alert, Edition
from rilon.domain.handling import Caveat
from rilon.domain.kinds import KINDS
from rilon.errors import NotFoundError
from tests.nodes import MemoryNode, acquaint, draft_of, introduce, memory_node, pump


@pytest_asyncio.fixture(scope="module")
async def founded() -> MemoryNode:
    here, there = await memory_node("th"), await memory_node("id")
    await introduce(here, there)
    return here


async def posted(founded: MemoryNode, kind: str, **changes: Any) -> tuple[MemoryNode, Alert]:
    node = founded.copy()
    item = await node.post(await node.officer(), draft_of(kind, "id", **changes))
    return node, await node.desks.work.read(Alert, item)


def manifest_of(edition: Edition) -> Manifest:
    return manifest.read(statement.parse(edition.manifest).body)


@pytest.mark.parametrize("kind", [code for code, kind in KINDS.items() if not kind.exercise])
async def test_no_manifest_tells_that_a_hidden_section_exists(founded: MemoryNode, kind: str) -> None:
    handling = {"caveats": ["CHILD", "VICTIM_CONSENT", "ORCON"]}
    node, alert = await posted(founded, kind, handling=handling)
    marks = await node.desks.alerts._editions.marks(alert.id, alert.edition)
    assert marks.handling.caveats >= {Caveat.CHILD, Caveat.VICTIM_CONSENT, Caveat.ORCON}
    shown = manifest_of(alert.edition).handling.caveats
    assert not {"CHILD", "VICTIM_CONSENT"} & set(shown)
    assert set(shown) == {str(c) for c in marks.handling.codes} - {"CHILD", "VICTIM_CONSENT"}


async def test_the_member_lists_are_sealed_and_only_committed_to(founded: MemoryNode) -> None:
    lists = {"rel_to": ["id", "my"], "not_to": ["mm"], "no_origin_states": ["mm"]}
    node, alert = await posted(founded, "TIP-RECRUIT", handling=lists)
    found, marks = manifest_of(alert.edition), await node.desks.alerts._editions.marks(alert.id, alert.edition)
    assert b"\x62mm" not in statement.parse(alert.edition.manifest).body  # CBOR text "mm"
    said = MemberLists(("id", "my"), ("mm",), ("mm",))
    assert found.handling.lists == manifest.commit_lists(said, marks.salt)


async def test_an_auditor_of_the_origin_sees_that_there_is_no_further_section(founded: MemoryNode) -> None:
    _, alert = await posted(founded, "VIC-REFER")
    leaves = [
        manifest.SectionLeaf(s.position, s.salt, s.sensitivity, s.sealed.digest, s.sealed.commitment)
        for s in alert.edition.sections
    ]
    manifest.verify_sections(manifest_of(alert.edition), leaves, alert.edition.seed)


async def test_what_is_not_graded_in_its_scheme_arrives_all_the_same() -> None:
    here, there = await memory_node("th"), await memory_node("id")
    await acquaint(here, there)
    grade = {"scheme": "iom_mmp", "information": "3"}
    await here.post(await here.officer(), draft_of("INC-FATAL", "id", grade=grade))
    assert set(await pump(here, there)) == {""}


async def test_a_correction_names_what_it_corrects(founded: MemoryNode) -> None:
    node = founded.copy()
    author = await node.officer()
    item = await node.post(author, draft_of("TIP-RECRUIT", "id"))
    await node.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "id"))
    first, second = (await node.desks.work.read(Alert, item)).editions
    assert manifest_of(first).corrects is None
    assert (manifest_of(second).version, manifest_of(second).corrects) == (2, first.digest)
    assert strict.encode(manifest_of(second)) == statement.parse(second.manifest).body


async def test_erased_marks_are_gone(founded: MemoryNode) -> None:
    node, alert = await posted(founded, "TIP-RECRUIT")
    await node.desks.vault.erase([alert.edition.marks.slot])
    with pytest.raises(NotFoundError):
        await node.desks.alerts._editions.marks(alert.id, alert.edition)
