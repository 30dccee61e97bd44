"""Releases: a recipient proves its own grant and sees no other; approvals count people, not signatures."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rilon.crypto import release, statement, strict, tree
from rilon.crypto.keys import SigningKey
from tests.fakes.entropy import SeededEntropy
from tests.fakes.items import (
    NODE,
    OFFICERS,
    PUBLIC,
    TWO_PARTS,
    altered,
    approve,
    draft_release,
    flips,
    part,
    refusal,
    terms,
)

DRAFT = draft_release("id", "my", "bd")
BODY = DRAFT.body
MINE = DRAFT.grants[1]
ONE, TWO, THREE = OFFICERS


def signed(*approvals: release.Approval, body: release.ReleaseBody = BODY) -> release.Release:
    return release.Release(body, approvals)


def test_a_recipient_proves_its_grant_from_the_signed_release() -> None:
    data = statement.sign(release.KIND, strict.encode(signed(approve(BODY, ONE))), NODE)
    found = release.read(statement.verify(data, NODE.public, release.KIND).body)
    assert release.verify_grant(found.body, MINE.data, MINE.position, MINE.path) == MINE.grant
    assert (MINE.grant.recipient, MINE.grant.leaves, MINE.grant.manifest) == ("my", (3,), BODY.manifest)
    assert release.verify_approvals(found, PUBLIC, 1) == (ONE,)


def test_nobody_learns_of_another_recipient() -> None:
    other = DRAFT.grants[0]
    shown = DRAFT.data + MINE.data + MINE.path
    for secret in (other.data, other.grant.salt, b"bid", DRAFT.seed):
        assert secret not in shown
    assert len(DRAFT.data) == len(draft_release("my").data), "nor how many there are"
    assert len(MINE.path) == len(draft_release("my").grants[0].path)


def test_no_other_grant_place_or_path() -> None:
    richer = strict.encode(replace(MINE.grant, parts=(part(3, 4),)))
    assert refusal(release.verify_grant, BODY, richer, MINE.position, MINE.path) == "tree.path"
    assert refusal(release.verify_grant, BODY, MINE.data, MINE.position ^ 1, MINE.path) == "tree.path"
    for path in flips(MINE.path)[::11]:
        assert refusal(release.verify_grant, BODY, MINE.data, MINE.position, path) == "tree.path"
    later = draft_release("my", seed=1).grants[0]
    assert refusal(release.verify_grant, BODY, later.data, later.position, later.path) == "tree.path"


def test_every_flip_of_a_grant_is_refused() -> None:
    for data in flips(MINE.data):
        assert refusal(release.verify_grant, BODY, data, MINE.position, MINE.path).startswith(("cbor.", "tree.path"))


def test_a_grant_is_about_the_manifest_of_its_release() -> None:
    elsewhere = replace(BODY, manifest=b"\1" * 32)
    assert refusal(release.verify_grant, elsewhere, MINE.data, MINE.position, MINE.path) == "grant.manifest"


def test_an_approver_sees_that_there_is_no_further_grant() -> None:
    shown = {grant.position: grant.data for grant in DRAFT.grants}
    assert {grant.recipient for grant in release.verify_grants(BODY, shown, DRAFT.seed)} == {"id", "my", "bd"}
    fewer = {place: data for place, data in shown.items() if place != MINE.position}
    assert refusal(release.verify_grants, BODY, fewer, DRAFT.seed) == "tree.whole"
    assert refusal(release.verify_grants, BODY, shown, bytes(32)) == "tree.whole"
    elsewhere = replace(BODY, manifest=b"\1" * 32)
    assert refusal(release.verify_grants, elsewhere, shown, DRAFT.seed) == "grant.manifest"


def test_an_origin_that_grants_twice_is_caught_by_its_approver() -> None:
    shown = {0: MINE.data, 1: strict.encode(replace(MINE.grant, salt=bytes(16)))}
    root = tree.build(release.GRANTS, shown, DRAFT.seed).root
    body = replace(BODY, root=root)
    assert refusal(release.verify_grants, body, shown, DRAFT.seed) == "grant.recipient"


def test_a_draft_has_one_grant_a_recipient_and_fits_its_tree() -> None:
    assert refusal(draft_release, "my", "my") == "release.recipient"
    many = [terms("a" * (2 + n // 26) + chr(97 + n % 26)) for n in range(129)]
    assert refusal(draft_release, all_terms=many) == "release.grants"
    full = draft_release(all_terms=many[:128])
    assert sorted(grant.position for grant in full.grants) == list(range(128))
    for grant in full.grants[::16]:
        assert release.verify_grant(full.body, grant.data, grant.position, grant.path) == grant.grant
    none: dict[str, Any] = {"manifest": bytes(32), "rulebook": bytes(32), "basis": "rule", "created": 0, "terms": ()}
    assert refusal(release.draft_release, **none, entropy=SeededEntropy().bytes) == "release.grants"


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "Malaysia"},
        {"readers": []},
        {"readers": ["everybody"]},
        {"readers": ["officer:Persona"]},
        {"readers": ["officer:" + "a" * 31]},
        {"readers": ["desk:"]},
        {"readers": ["desk:a b"]},
        {"readers": ["entitled", "desk:x"]},
        {"readers": ["entitled", "entitled"]},
        {"readers": [f"desk:{n:03}" for n in range(65)]},
        {"parts": []},
        {"court": "no"},
        {"rules": ["a rule"]},
        {"salt": bytes(15)},
        {"manifest": ...},
        {"note": ""},
    ],
)
def test_a_grant_has_one_form(changes: dict[str, Any]) -> None:
    data = altered(MINE.grant, **changes)
    assert refusal(release.verify_grant, BODY, data, MINE.position, MINE.path) == "cbor.shape"


@pytest.mark.parametrize(
    "changes",
    [
        {"leaves": []},
        {"leaves": [16]},
        {"leaves": [3, 2]},
        {"onward": "yes"},
        {"court": None},
        {"purposes": ["z", "a"]},
        {"caveats": ["a caveat"]},
        {"until": -1},
        {"until": ...},
        {"readers": ["entitled"]},
    ],
)
def test_conditions_have_one_form(changes: dict[str, Any]) -> None:
    parts = [strict.loads(altered(MINE.grant.parts[0], **changes), limit=1024)]
    assert (
        refusal(release.verify_grant, BODY, altered(MINE.grant, parts=parts), MINE.position, MINE.path) == "cbor.shape"
    )


def test_a_section_stands_under_one_set_of_conditions_and_equal_ones_stand_together() -> None:
    two = draft_release(all_terms=[terms(parts=TWO_PARTS)]).grants[0].grant
    assert (two.leaves, two.until, two.part(5), two.part(7)) == ((3, 5, 7), 1_900_000_000, TWO_PARTS[1], TWO_PARTS[0])
    first, second = TWO_PARTS
    for parts in (
        (second, first),
        (first, replace(second, leaves=(5, 7))),
        (first, replace(first, leaves=(5,))),
    ):
        data = altered(two, parts=[strict.loads(strict.encode(each), limit=1024) for each in parts])
        assert refusal(release.verify_grant, BODY, data, MINE.position, MINE.path) == "cbor.shape"


@pytest.mark.parametrize("readers", [("agency:dsi",), ("desk:maritime", "entitled"), ("officer:" + "0f" * 16,)])
def test_readers_that_a_grant_may_name(readers: tuple[str, ...]) -> None:
    grant = draft_release(all_terms=[terms(readers=readers)]).grants[0]
    assert release.read_grant(grant.data).readers == readers


@pytest.mark.parametrize(
    "changes", [{"basis": "courtesy"}, {"root": b""}, {"created": None}, {"rulebook": ...}, {"recipients": []}]
)
def test_a_body_has_one_form(changes: dict[str, Any]) -> None:
    assert refusal(release.read_body, altered(BODY, **changes)) == "cbor.shape"


def test_a_body_is_read_as_it_was_drafted() -> None:
    assert release.read_body(DRAFT.data) == BODY
    assert DRAFT.digest == release.body_digest(BODY)


def test_limits() -> None:
    assert refusal(release.read, bytes(release.LIMIT_BYTES + 1)) == "cbor.size"
    assert refusal(release.read_body, bytes(release.BODY_LIMIT_BYTES + 1)) == "cbor.size"
    assert refusal(release.verify_grant, BODY, bytes(release.GRANT_LIMIT_BYTES + 1), 0, b"") == "cbor.size"
    nine = strict.encode(signed(*[approve(BODY, ONE)] * 9))
    assert refusal(release.read, nine) == "cbor.shape"


def test_the_fullest_release_fits_into_a_statement() -> None:
    full = signed(*[replace(approve(BODY, ONE), signature=bytes(4096))] * 8)
    assert release.read(
        statement.verify(statement.sign("release", strict.encode(full), NODE), NODE.public, "release").body
    )


def test_approvals_count_different_people() -> None:
    one, two = approve(BODY, ONE), approve(BODY, TWO)
    assert release.verify_approvals(signed(one, two), PUBLIC, 2) == (ONE, TWO)
    assert refusal(release.verify_approvals, signed(one), PUBLIC, 2) == "approval.missing"
    assert refusal(release.verify_approvals, signed(one, one), PUBLIC, 2) == "approval.officer"
    assert refusal(release.verify_approvals, signed(one, two), {ONE: PUBLIC[ONE]}, 1) == "approval.officer"


def test_two_officers_with_one_key_are_one() -> None:
    shared = {ONE: PUBLIC[ONE], TWO: PUBLIC[ONE]}
    both = signed(approve(BODY, ONE), approve(BODY, TWO, OFFICERS[ONE]))
    assert refusal(release.verify_approvals, both, shared, 2) == "approval.key"


def test_an_approval_is_of_one_body_by_one_key() -> None:
    one = approve(BODY, ONE)
    cut = draft_release("my").body
    other = SigningKey.from_seed(b"\x0f" * 64)
    for wrong, code in {
        signed(one, body=cut): "signature.invalid",
        signed(replace(one, nonce=bytes(32))): "signature.invalid",
        signed(replace(one, signature=bytes(3373))): "signature.invalid",
        signed(replace(one, signature=one.signature[:64])): "signature.invalid",
        signed(replace(one, kid=other.kid)): "approval.kid",
        signed(approve(BODY, ONE, other)): "approval.kid",
        signed(replace(approve(BODY, ONE, other), kid=PUBLIC[ONE].kid)): "signature.invalid",
        signed(replace(one, officer=TWO)): "approval.kid",
        signed(replace(one, method="passkey")): "approval.method",
        signed(replace(one, method="telepathy")): "approval.method",
        signed(one, replace(approve(BODY, TWO), nonce=bytes(32))): "signature.invalid",
    }.items():
        assert refusal(release.verify_approvals, wrong, PUBLIC, 1) == code


def test_only_the_basis_approval_asks_by_itself_for_people() -> None:
    for basis, code in {"rule": "", "break-glass": "", "approval": "approval.missing"}.items():
        bare = signed(body=replace(BODY, basis=basis))
        if code:
            assert refusal(release.verify_approvals, bare, PUBLIC, 0) == code
        else:
            assert release.verify_approvals(bare, PUBLIC, 0) == ()
            assert refusal(release.verify_approvals, bare, PUBLIC, 1) == "approval.missing"


def test_a_statement_signature_is_no_approval() -> None:
    """One key, two uses: what signs the challenge's bytes as a statement does not approve."""
    challenge = release.approval_challenge(DRAFT.digest, bytes(32))
    pair = b"".join(
        entry[2] for entry in strict.loads(statement.sign("x", challenge, OFFICERS[ONE])[2:], limit=1 << 16)[3]
    )
    forged = release.Approval(ONE, OFFICERS[ONE].kid, "key-file", bytes(32), pair)
    assert refusal(release.verify_approval, BODY, forged, PUBLIC[ONE]) == "signature.invalid"


def test_nothing_secret_shows_in_a_repr() -> None:
    assert str(DRAFT.seed)[2:20] not in repr(DRAFT)
    assert THREE in PUBLIC
