"""Items and releases whatever is in them: round trips, flips, and who can see what."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from rilon.crypto import manifest, release, section, statement, strict
from rilon.errors import MalformedError, ProofError
from tests.fakes.entropy import SeededEntropy
from tests.fakes.items import NODE, approve, draft_release, drafted

codes = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.:+-]{0,20}\Z")
code_sets = st.sets(codes, max_size=5).map(lambda found: tuple(sorted(found)))
members = st.from_regex(r"\A[a-z]{2,6}\Z")
instants = st.integers(0, 253_402_300_799)
digests = st.binary(min_size=32, max_size=32)
places = st.sets(st.integers(0, 15), min_size=1).map(lambda found: tuple(sorted(found)))
readers = st.sets(
    st.just("entitled")
    | st.from_regex(r"\A(agency|desk):[a-z0-9]{1,9}\Z")
    | st.from_regex(r"\Aofficer:[0-9a-f]{32}\Z"),
    min_size=1,
    max_size=5,
).map(lambda found: tuple(sorted(found)))

handlings = st.builds(manifest.Handling, tlp=codes, pap=codes, caveats=code_sets, purposes=code_sets, lists=digests)
grades = st.builds(manifest.Grade, codes, codes, codes)
versions = st.just((1, None)) | st.tuples(st.integers(2, 1 << 30), digests)
heads = st.builds(
    lambda version, **fields: manifest.Head(format=1, version=version[0], corrects=version[1], **fields),
    version=versions,
    origin=members,
    item=st.binary(min_size=16, max_size=16),
    kind=codes,
    urgency=codes,
    handling=handlings,
    grade=st.none() | grades,
    review=st.none() | instants,
    expiry=instants,
)
texts = st.lists(st.tuples(codes, st.binary(max_size=3000)), min_size=1, max_size=6)
parts = st.builds(
    release.Part,
    leaves=places,
    onward=st.sampled_from(["ask", "no"]),
    court=st.sampled_from(["ask", "no"]),
    purposes=code_sets,
    caveats=code_sets,
    until=instants,
)


def divided(one: release.Part, other: release.Part, leaves: tuple[int, ...]) -> tuple[release.Part, ...]:
    """Sections under two sets of conditions, or one."""
    if one.conditions == other.conditions or len(leaves) == 1:
        return (replace(one, leaves=leaves),)
    return replace(one, leaves=leaves[::2]), replace(other, leaves=leaves[1::2])


grant_terms = st.builds(
    release.Terms,
    recipient=members,
    readers=readers,
    parts=st.tuples(parts, parts, places).map(lambda drawn: divided(*drawn)),
    rules=code_sets,
)


@given(heads, texts, st.integers())
def test_what_is_drafted_is_read_and_opened(head: manifest.Head, said: list[tuple[str, bytes]], seed: int) -> None:
    draft = manifest.draft(head, [manifest.SectionDraft(*each) for each in said], SeededEntropy(seed).bytes)
    found = manifest.read(draft.body)
    assert {name: value for name, value in asdict(found).items() if name != "root"} == asdict(head)
    for (sensitivity, text), each in zip(said, draft.sections, strict=True):
        leaf = manifest.verify_leaf(found, strict.encode(each.leaf), each.path)
        assert leaf.sensitivity == sensitivity
        assert manifest.open_section(found, leaf, each.sealed.ciphertext, each.sealed.key) == text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(grant_terms, min_size=1, max_size=20, unique_by=lambda each: each.recipient), st.integers())
def test_each_recipient_gets_exactly_its_terms(all_terms: list[release.Terms], seed: int) -> None:
    draft = draft_release(all_terms=all_terms, seed=seed)
    for each, drafted_grant in zip(all_terms, draft.grants, strict=True):
        grant = release.verify_grant(draft.body, drafted_grant.data, drafted_grant.position, drafted_grant.path)
        fields = asdict(grant)
        assert (fields.pop("manifest"), len(fields.pop("salt"))) == (draft.body.manifest, 16)
        assert fields == asdict(each)
    shown = {grant.position: grant.data for grant in draft.grants}
    assert len(release.verify_grants(draft.body, shown, draft.seed)) == len(all_terms)


RELEASE = release.Release(draft_release().body, (approve(draft_release().body, "1" * 32),))
STATEMENTS = {
    "manifest": statement.sign("manifest", drafted().body, NODE),
    "release": statement.sign("release", strict.encode(RELEASE), NODE),
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(STATEMENTS)), st.data())
def test_a_flipped_bit_of_a_statement_is_refused(kind: str, data: st.DataObject) -> None:
    raw = bytearray(STATEMENTS[kind])
    at = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[at // 8] ^= 1 << at % 8
    with pytest.raises((MalformedError, ProofError)):
        statement.verify(bytes(raw), NODE.public, kind)


@pytest.mark.long
@pytest.mark.parametrize("kind", STATEMENTS)
def test_every_flipped_bit_of_a_statement_is_refused(kind: str) -> None:
    raw = STATEMENTS[kind]
    for at in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((MalformedError, ProofError)):
            statement.verify(bytes(flipped), NODE.public, kind)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(max_size=50))
def test_two_keys_have_two_commitments(one: bytes, other: bytes, text: bytes) -> None:
    committed = {section.seal(text, b"", key).commitment for key in (one, other)}
    assert len(committed) == len({one, other})


@given(
    st.sampled_from([manifest.read, release.read, release.read_body]),
    st.one_of(st.binary(max_size=200), st.recursive(st.none(), lambda v: st.dictionaries(codes, v)).map(strict.dumps)),
)
def test_junk_is_refused_cleanly(read: object, data: bytes) -> None:
    assert callable(read)
    with pytest.raises(MalformedError):
        read(data)


@given(st.sampled_from([drafted().body, strict.encode(RELEASE), draft_release().data]), st.data())
def test_a_body_has_one_encoding(body: bytes, data: st.DataObject) -> None:
    """Whatever bit is flipped, what is still read is another value: no two encodings of one."""
    raw = bytearray(body)
    at = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[at // 8] ^= 1 << at % 8
    for read in (manifest.read, release.read, release.read_body):
        try:
            found = read(bytes(raw))
        except MalformedError:
            continue
        assert strict.encode(found) == bytes(raw)
