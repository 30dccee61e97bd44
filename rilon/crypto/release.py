"""The release: one signed statement for all recipients of one decision, of which each learns its own grant only.

The approved matrix becomes grants; the grants become a tree of 128 places, so that the body shows neither who else
receives nor how many; each approver signs that body with a key of their own; body and approvals are one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from rilon.crypto import labels, strict, tree
from rilon.crypto.keys import VERIFY_KEY_BYTES, VerifyKey
from rilon.crypto.manifest import Place
from rilon.crypto.passkey import Passkey
from rilon.crypto.strict import Bytes16, Bytes32, Code, Instant, MemberCode, OfficerCode
from rilon.errors import InvalidError, ProofError

KIND: Final = "release"
GRANTS: Final = tree.Shape(labels.GRANT_TREE, 7)
"""A release's grant tree: 128 places, more than there can be Members."""
GRANT_LIMIT_BYTES: Final = 8 * 1024
BODY_LIMIT_BYTES: Final = 512
LIMIT_BYTES: Final = 48 * 1024
NONCE_BYTES: Final = 32

KEY_FILE: Final = "key-file"
PASSKEY: Final = "passkey"
"""Methods of an approval: how its signature was made."""

ApproverKey = VerifyKey | Passkey
"""The public half of what an approver signs with: of a key file, or a passkey."""

Onward = Literal["ask", "no"]
Court = Literal["ask", "no", "yes"]
Basis = Literal["rule", "approval", "break-glass"]
Reader = Annotated[
    str,
    Meta(
        pattern=r"\A(entitled|(agency|desk(:[A-Za-z0-9_.+-]{1,64})?):[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}|officer:[0-9a-f]{32})\Z"
    ),
]
Codes = Annotated[tuple[Code, ...], Meta(max_length=32)]


class Part(strict.Record, frozen=True):
    """Sections that are granted under the same conditions.

    Attributes:
        leaves: their positions, sorted.
        onward: whether it may ask to share onward.
        court: whether it may ask to use it in court.
        purposes: codes of what it may be used for, sorted; empty: not limited.
        caveats: codes that bind its holder beside those of the manifest, sorted.
        until: when access ends, seconds since 1970.
    """

    leaves: Annotated[tuple[Place, ...], Meta(min_length=1, max_length=16)]
    onward: Onward
    court: Court
    purposes: Codes
    caveats: Codes
    until: Instant

    def __post_init__(self) -> None:
        for values in (self.leaves, self.purposes, self.caveats):
            strict.ordered(values)

    @property
    def conditions(self) -> tuple[Onward, Court, tuple[str, ...], tuple[str, ...], int]:
        """All of it but for which sections."""
        return self.onward, self.court, self.purposes, self.caveats, self.until


class Terms(strict.Record, frozen=True):
    """What one recipient is granted.

    Attributes:
        recipient: Member.
        readers: who there may read, sorted: ``entitled`` (all whom the receiving node entitles), ``agency:<code>``,
            ``desk:<code>``, ``desk:<agency>:<code>``, ``officer:<32 hex>``.
        parts: the sections it gets, by their conditions, in the order of their first leaves. No section stands in two,
            and no two say the same.
        rules: ids of the sharing rules that allowed cells of this recipient, sorted. They stand here and not in the
            body, because a rule's id may name the country it is about.
    """

    recipient: MemberCode
    readers: Annotated[tuple[Reader, ...], Meta(min_length=1, max_length=64)]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=16)]
    rules: Codes

    def __post_init__(self) -> None:
        for values in (self.readers, self.rules, self.leaves, tuple(part.leaves[0] for part in self.parts)):
            strict.ordered(values)
        strict.ordered(tuple(sorted(part.conditions for part in self.parts)))

    @property
    def leaves(self) -> tuple[int, ...]:
        """Positions of all sections it gets, sorted; one that stands in two parts stands here twice."""
        return tuple(sorted(place for part in self.parts for place in part.leaves))

    def part(self, place: int) -> Part:
        """Under what conditions a section is granted. Raises StopIteration: it is not."""
        return next(part for part in self.parts if place in part.leaves)

    @property
    def until(self) -> int:
        """When access to the last of it ends."""
        return max(part.until for part in self.parts)


class Grant(Terms, frozen=True):
    """Terms bound to one item version, and salted, so that nobody can guess a sibling's.

    Attributes:
        manifest: digest of the manifest.
        salt: 16 bytes.
    """

    manifest: Bytes32
    salt: Bytes16


class ReleaseBody(strict.Record, frozen=True):
    """What is approved and signed.

    Attributes:
        manifest: digest of the manifest.
        root: of the grant tree.
        rulebook: digest of the rule book it was judged by.
        basis: why it may leave.
        created: seconds since 1970.
    """

    manifest: Bytes32
    root: Bytes32
    rulebook: Bytes32
    basis: Basis
    created: Instant


class Approval(strict.Record, frozen=True):
    """One person's consent to exactly one body.

    Attributes:
        officer: opaque id.
        kid: of the officer's public key, as the directory lists it.
        method: how the signature was made: ``key-file`` or ``passkey``. One that this node does not know is read, and
            does not count.
        nonce: 32 bytes.
        signature: over :func:`approval_challenge`; for ``key-file`` Ed25519 then ML-DSA-65, 3,373 bytes; for
            ``passkey`` an encoded :class:`rilon.crypto.passkey.Assertion`.
    """

    officer: OfficerCode
    kid: Bytes16
    method: Code
    nonce: Bytes32
    signature: Annotated[bytes, Meta(min_length=64, max_length=4096)]


class Release(strict.Record, frozen=True):
    """Body and approvals: the payload of the statement."""

    body: ReleaseBody
    approvals: Annotated[tuple[Approval, ...], Meta(max_length=8)]


@dataclass(frozen=True, slots=True)
class DraftGrant:
    """A grant in its tree.

    Attributes:
        grant: the grant.
        data: its bytes, as the recipient gets them.
        position: in the tree.
        path: to the root.
    """

    grant: Grant
    data: bytes = field(repr=False)
    position: int
    path: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftRelease:
    """A body ready to be approved, and its grants in the order of their terms.

    Attributes:
        body: what approvers sign and recipients verify.
        grants: one a recipient.
        seed: secret of the origin; shows an approver or auditor that there is no further grant.
    """

    body: ReleaseBody
    grants: tuple[DraftGrant, ...]
    seed: bytes = field(repr=False)

    @property
    def data(self) -> bytes:
        """The body's bytes, as an event keeps them for the approvers; :func:`read_body` reads them."""
        return strict.encode(self.body)

    @property
    def digest(self) -> bytes:
        """:func:`body_digest` of the body."""
        return body_digest(self.body)


def draft_release(
    *,
    manifest: bytes,
    rulebook: bytes,
    basis: Basis,
    created: int,
    terms: Sequence[Terms],
    entropy: Callable[[int], bytes],
) -> DraftRelease:
    """Bind the terms to a manifest and grow their tree.

    Args:
        manifest: digest of the manifest.
        rulebook: digest of the rule book.
        basis: why it may leave.
        created: seconds since 1970.
        terms: 1 to 128, one a recipient.
        entropy: gives that many unpredictable bytes; asked once, for the tree's seed.

    Raises:
        InvalidError: ``release.grants`` (none, or too many) or ``release.recipient`` (one stands twice).
    """
    if not 1 <= len(terms) <= GRANTS.size:
        raise InvalidError("release.grants", f"A release has 1 to {GRANTS.size} grants.")
    if len({each.recipient for each in terms}) != len(terms):
        raise InvalidError("release.recipient", "A recipient stands in a release twice.", field="recipient")
    seed = entropy(tree.SEED_BYTES)
    grants = {
        place: _bind(each, manifest, tree.salt(GRANTS, seed, place))
        for place, each in zip(tree.scatter(GRANTS, len(terms), seed), terms, strict=False)
    }
    written = {place: strict.encode(grant) for place, grant in grants.items()}
    grown = tree.build(GRANTS, written, seed)
    body = ReleaseBody(manifest, grown.root, rulebook, basis, created)
    drafted = tuple(DraftGrant(grants[place], written[place], place, grown.paths[place]) for place in grants)
    return DraftRelease(body, drafted, seed)


def body_digest(body: ReleaseBody) -> bytes:
    """What an approver's challenge is about. 32 bytes."""
    return labels.digest(labels.RELEASE_BODY, strict.encode(body))


def approval_challenge(digest: bytes, nonce: bytes) -> bytes:
    """The 32 bytes an approver signs: label, nonce and :func:`body_digest`, hashed."""
    return labels.digest(labels.APPROVE, nonce, digest)


def read(body: bytes) -> Release:
    """The release in a verified statement's body.

    Raises:
        MalformedError: ``cbor.*``.
    """
    return strict.decode(body, Release, limit=LIMIT_BYTES)


def read_body(data: bytes) -> ReleaseBody:
    """The body of a draft that waits for approval.

    Raises:
        MalformedError: ``cbor.*``.
    """
    return strict.decode(data, ReleaseBody, limit=BODY_LIMIT_BYTES)


def read_grant(data: bytes) -> Grant:
    """The grant that these bytes are, as its recipient gets them; in which release it stands is not looked at.

    Raises:
        MalformedError: ``cbor.*``.
    """
    return strict.decode(data, Grant, limit=GRANT_LIMIT_BYTES)


def verify_grant(body: ReleaseBody, data: bytes, position: int, path: bytes) -> Grant:
    """The grant that these bytes are, when it stands in the release and is about its manifest.

    The caller still checks that the recipient is itself and that the sections it was sent are among the leaves.

    Raises:
        MalformedError: ``cbor.*``.
        ProofError: ``tree.path`` or ``grant.manifest``.
    """
    grant = read_grant(data)
    tree.verify(GRANTS, data, position, path, body.root)
    if grant.manifest != body.manifest:
        raise ProofError("grant.manifest", "A grant is about another manifest than its release.")
    return grant


def verify_grants(body: ReleaseBody, grants: Mapping[int, bytes], seed: bytes) -> tuple[Grant, ...]:
    """For approvers and auditors of the origin: these (by position) are all grants, one a recipient.

    Raises:
        MalformedError: ``cbor.*``.
        ProofError: ``tree.whole``, ``grant.manifest`` or ``grant.recipient``.
    """
    tree.verify_whole(GRANTS, grants, seed, body.root)
    found = tuple(map(read_grant, grants.values()))
    if any(grant.manifest != body.manifest for grant in found):
        raise ProofError("grant.manifest", "A grant is about another manifest than its release.")
    if len({grant.recipient for grant in found}) != len(found):
        raise ProofError("grant.recipient", "A recipient stands in a release twice.")
    return found


def approver_key(raw: bytes) -> ApproverKey:
    """The key that these listed bytes are: a passkey is always shorter than a key file's.

    Raises:
        MalformedError: ``cbor.*``, ``key.*``.
    """
    return VerifyKey(raw) if len(raw) >= VERIFY_KEY_BYTES else Passkey(raw)


def verify_approval(body: ReleaseBody, approval: Approval, key: ApproverKey) -> None:
    """Check one approval against the officer's key from the directory. Raises as :func:`verify_consent`."""
    verify_consent(body_digest(body), approval, key)


def verify_consent(digest: bytes, approval: Approval, key: ApproverKey) -> None:
    """Check that the holder of the key consented to what has this digest.

    Raises:
        ProofError: ``approval.method``, ``approval.kid``, ``passkey.*`` or ``signature.invalid``.
        MalformedError: ``cbor.*`` or ``passkey.form``: a passkey's assertion that is none.
    """
    if approval.method not in {KEY_FILE, PASSKEY}:
        raise ProofError("approval.method", "This node does not know how that approval was made.")
    if approval.kid != key.kid:
        raise ProofError("approval.kid", "An approval was made with a key that the directory does not list for it.")
    if isinstance(key, Passkey) != (approval.method == PASSKEY):
        raise ProofError("approval.method", "An approval names another method than its key is for.")
    challenge = approval_challenge(digest, approval.nonce)
    if isinstance(key, Passkey):
        key.verify(approval.signature, challenge)
    else:
        key.verify_pair(approval.signature, challenge)


def verify_approvals(release: Release, keys: Mapping[str, ApproverKey], required: int) -> tuple[str, ...]:
    """Check that enough different people approved this body. Every approval present must hold.

    Args:
        release: body and approvals.
        keys: public key by officer id, as the origin's directory listed them when the body was made.
        required: how many the origin's published rule asks for; with basis ``approval`` at least one.

    Returns:
        The officers who approved, in the order of the approvals.

    Raises:
        ProofError: ``approval.officer`` (unknown, or twice), ``approval.key`` (two officers share one),
            ``approval.missing``, or as for :func:`verify_approval`.
    """
    officers = tuple(approval.officer for approval in release.approvals)
    if len(set(officers)) != len(officers) or not keys.keys() >= set(officers):
        raise ProofError("approval.officer", "An approval is by somebody unknown, or stands twice.")
    if len({keys[officer].kid for officer in officers}) != len(officers):
        raise ProofError("approval.key", "Two approvals were made with one key.")
    if len(officers) < max(required, release.body.basis == "approval"):
        raise ProofError("approval.missing", f"{len(officers)} people approved where {required} must.")
    for approval in release.approvals:
        verify_approval(release.body, approval, keys[approval.officer])
    return officers


def _bind(terms: Terms, manifest: bytes, salt: bytes) -> Grant:
    fields = {name: getattr(terms, name) for name in Terms.__struct_fields__}
    return Grant(**fields, manifest=manifest, salt=salt)
