"""Manifests: codes and digests only, sections shown one by one, every version chained to what it corrects."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from rilon.crypto import manifest, statement, strict
from tests.fakes.entropy import SeededEntropy
from tests.fakes.items import GRADE, HANDLING, LISTS, NODE, TEXTS, altered, drafted, flips, head, refusal

DRAFT = drafted()
MANIFEST = DRAFT.manifest
FIRST = DRAFT.sections[0]


def test_a_manifest_is_read_as_it_was_signed() -> None:
    data = statement.sign(manifest.KIND, DRAFT.body, NODE)
    found = statement.verify(data, NODE.public, manifest.KIND)
    assert manifest.read(found.body) == MANIFEST
    assert found.digest == MANIFEST.digest


def test_each_recipient_opens_its_own_sections() -> None:
    for drafted_section, text in zip(DRAFT.sections, TEXTS.values(), strict=True):
        leaf = manifest.verify_leaf(MANIFEST, strict.encode(drafted_section.leaf), drafted_section.path)
        sealed = drafted_section.sealed
        assert manifest.open_section(MANIFEST, leaf, sealed.ciphertext, sealed.key) == text
    assert len({section.leaf.position for section in DRAFT.sections}) == 3


def test_nothing_of_one_section_is_in_what_another_reader_gets() -> None:
    """The reader of the summary holds manifest, leaf and path: nothing there is of the victim's section."""
    victim = DRAFT.sections[2].leaf
    shown = DRAFT.body + strict.encode(FIRST.leaf) + FIRST.path
    for secret in (victim.digest, victim.commitment, victim.salt, strict.encode(victim), b"victim", DRAFT.seed):
        assert secret not in shown
    assert len(DRAFT.body) == len(drafted({"summary": b"x"}).body), "nor does its size tell how many there are"


def test_no_other_leaf_or_path_is_in_the_manifest() -> None:
    data = strict.encode(FIRST.leaf)
    for path in flips(FIRST.path)[::5]:
        assert refusal(manifest.verify_leaf, MANIFEST, data, path) == "tree.path"
    raised = strict.encode(replace(FIRST.leaf, sensitivity="victim"))
    assert refusal(manifest.verify_leaf, MANIFEST, raised, FIRST.path) == "tree.path"
    other = drafted(seed=1).sections[0]
    assert refusal(manifest.verify_leaf, MANIFEST, strict.encode(other.leaf), other.path) == "tree.path"


def test_a_leaf_has_one_form() -> None:
    for leaf in (
        altered(FIRST.leaf, position=16),
        altered(FIRST.leaf, position=-1),
        altered(FIRST.leaf, salt=bytes(15)),
        altered(FIRST.leaf, digest=bytes(33)),
        altered(FIRST.leaf, sensitivity="two words"),
        altered(FIRST.leaf, commitment=...),
        altered(FIRST.leaf, more=1),
    ):
        assert refusal(manifest.verify_leaf, MANIFEST, leaf, FIRST.path) == "cbor.shape"
    assert refusal(manifest.verify_leaf, MANIFEST, bytes(513), FIRST.path) == "cbor.size"


def test_another_ciphertext_or_key_does_not_pass_for_the_section() -> None:
    sealed, other = FIRST.sealed, DRAFT.sections[1].sealed
    assert refusal(manifest.open_section, MANIFEST, FIRST.leaf, other.ciphertext, other.key) == "section.digest"
    assert refusal(manifest.open_section, MANIFEST, FIRST.leaf, sealed.ciphertext, other.key) == ("section.commitment")


def test_a_section_belongs_to_one_version() -> None:
    """An origin that signs a second version over the first one's ciphertext is refused on opening."""
    later = replace(MANIFEST, version=2, corrects=MANIFEST.digest)
    assert refusal(manifest.open_section, later, FIRST.leaf, FIRST.sealed.ciphertext, FIRST.sealed.key) == (
        "section.seal"
    )


def test_the_origins_auditor_sees_that_there_is_no_further_section() -> None:
    leaves = [section.leaf for section in DRAFT.sections]
    manifest.verify_sections(MANIFEST, leaves, DRAFT.seed)
    assert refusal(manifest.verify_sections, MANIFEST, leaves[:2], DRAFT.seed) == "tree.whole"


@pytest.mark.parametrize("count", [0, 17])
def test_an_item_has_one_to_sixteen_sections(count: int) -> None:
    sections = [manifest.SectionDraft("summary", b"")] * count
    assert refusal(manifest.draft, head(), sections, SeededEntropy().bytes) == "manifest.sections"


def test_sixteen_sections_fit() -> None:
    sections = [manifest.SectionDraft("attachment", b"%d" % n) for n in range(16)]
    draft = manifest.draft(head(), sections, SeededEntropy().bytes)
    assert sorted(section.leaf.position for section in draft.sections) == list(range(16))
    assert len({section.sealed.key for section in draft.sections}) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"origin": "TH"},
        {"item": bytes(15)},
        {"version": 0},
        {"version": 1 << 31},
        {"version": 2},
        {"corrects": bytes(32)},
        {"corrects": bytes(31)},
        {"kind": "Free text with names"},
        {"kind": ""},
        {"urgency": "very\nhigh"},
        {"grade": ["admiralty", "B", "2"]},
        {"review": -1},
        {"review": 1.5},
        {"expiry": None},
        {"expiry": 253_402_300_800},
        {"root": bytes(31)},
        {"root": ...},
        {"note": "words"},
        {"handling": {}},
    ],
)
def test_a_manifest_has_one_form(changes: dict[str, Any]) -> None:
    code = refusal(manifest.read, altered(MANIFEST, **changes))
    assert code == ("cbor.type" if changes.get("review") == 1.5 else "cbor.shape")


@pytest.mark.parametrize(
    "changes",
    [
        {"caveats": ["ORCON", "CHILD"]},
        {"caveats": ["ORCON", "ORCON"]},
        {"caveats": [f"C{n:02}" for n in range(33)]},
        {"purposes": ["b", "a"]},
        {"purposes": None},
        {"tlp": "TLP:AMBER and then words"},
        {"lists": b""},
        {"rel_to": ["my"]},
    ],
)
def test_handling_has_one_form(changes: dict[str, Any]) -> None:
    handling = strict.loads(altered(HANDLING, **changes), limit=4096)
    assert refusal(manifest.read, altered(MANIFEST, handling=handling)) == "cbor.shape"


def test_a_correction_names_what_it_corrects() -> None:
    later = drafted(version=2, corrects=MANIFEST.digest, grade=None, review=1_850_000_000)
    assert manifest.read(later.body).corrects == MANIFEST.digest
    assert later.manifest.digest != MANIFEST.digest


def test_a_manifest_is_limited() -> None:
    assert refusal(manifest.read, bytes(manifest.LIMIT_BYTES + 1)) == "cbor.size"


def test_member_lists_are_committed_to_and_hidden() -> None:
    salt, other = b"\7" * 32, b"\1" * 32
    same = manifest.MemberLists(("id", "my"), (), ("mm",))
    assert HANDLING.lists == manifest.commit_lists(same, salt) != manifest.commit_lists(same, other)
    unmarked, nobody = replace(LISTS, rel_to=None), replace(LISTS, rel_to=())
    assert len({manifest.commit_lists(lists, salt) for lists in (LISTS, unmarked, nobody)}) == 3
    assert b"mm" not in DRAFT.body
    assert refusal(strict.decode, altered(LISTS, not_to=["my", "id"]), manifest.MemberLists, limit=999) == (
        "cbor.shape"
    )


def test_nothing_secret_shows_in_a_repr() -> None:
    shown = repr(DRAFT) + repr(manifest.SectionDraft("nominal", b"Fictional Person One"))
    assert "Fictional" not in shown
    assert str(DRAFT.seed)[2:20] not in shown
    assert str(FIRST.sealed.key)[2:20] not in shown


def test_digests_are_of_the_ciphertext() -> None:
    assert FIRST.leaf.digest == sha256(FIRST.sealed.ciphertext).digest() == FIRST.sealed.digest
    assert MANIFEST.grade == GRADE
