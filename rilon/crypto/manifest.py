"""The manifest: what an item is, signed for ever, without a word of what it says.

It holds codes, times and digests only. Its sections stand in a tree of 16 places, and a recipient is shown the leaves
of its own sections: it cannot see that a victim's section exists. Texts and keys are elsewhere and can be erased; the
manifest still verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final, Literal

from msgspec import Meta

from rilon.crypto import labels, strict, tree
from rilon.crypto.section import SealedSection, item_context, open_, seal
from rilon.crypto.statement import statement_digest
from rilon.crypto.strict import Bytes16, Bytes32, Code, Instant, MemberCode
from rilon.errors import InvalidError, ProofError

KIND: Final = "manifest"
SECTIONS: Final = tree.Shape(labels.SECTION_TREE, 4)
"""A manifest's section tree: 16 places."""
LIMIT_BYTES: Final = 8 * 1024
LEAF_LIMIT_BYTES: Final = 512
LISTS_LIMIT_BYTES: Final = 4 * 1024

Place = Annotated[int, Meta(ge=0, lt=16)]
"""Position of a section in its manifest's tree."""
Version = Annotated[int, Meta(ge=1, lt=1 << 31)]
Codes = Annotated[tuple[Code, ...], Meta(max_length=32)]
Members = Annotated[tuple[MemberCode, ...], Meta(max_length=128)]


class SectionLeaf(strict.Record, frozen=True):
    """What the manifest says of one section, to those who are shown it.

    Attributes:
        position: in the section tree; bound by the section's context too.
        salt: 16 bytes, so that the leaf's hash confirms no guess.
        sensitivity: what the section holds.
        digest: SHA-256 of its ciphertext.
        commitment: fixes its key.
    """

    position: Place
    salt: Bytes16
    sensitivity: Code
    digest: Bytes32
    commitment: Bytes32


class MemberLists(strict.Record, frozen=True):
    """The Member lists behind caveats. Sealed at the origin, shown to auditors, committed to in the manifest.

    Attributes:
        rel_to: releasable to these only; None: not marked.
        not_to: never to these.
        no_origin_state: states of origin of persons in the item, never told of it.
    """

    rel_to: Members | None
    not_to: Members
    no_origin_state: Members

    def __post_init__(self) -> None:
        for members in (self.rel_to or (), self.not_to, self.no_origin_state):
            strict.ordered(members)


class Handling(strict.Record, frozen=True):
    """How the item is to be handled.

    Attributes:
        tlp: Traffic Light Protocol 2.0 code.
        pap: Permissible Actions Protocol code.
        caveats: codes, sorted.
        purposes: codes of what it may be used for, sorted; empty: not limited.
        lists: salted commitment to the :class:`MemberLists`, see :func:`commit_lists`.
    """

    tlp: Code
    pap: Code
    caveats: Codes
    purposes: Codes
    lists: Bytes32

    def __post_init__(self) -> None:
        strict.ordered(self.caveats)
        strict.ordered(self.purposes)


class Grade(strict.Record, frozen=True):
    """Source reliability and information credibility, in the scheme they were given in.

    Attributes:
        source: None in a scheme that does not grade sources.
    """

    scheme: Code
    source: Code | None
    information: Code


class Head(strict.Record, frozen=True):
    """All of a manifest that its author decides.

    Attributes:
        format: of this map.
        origin: Member that says it.
        item: 16-byte item id.
        version: of the item; 1 corrects nothing, every later one corrects a manifest.
        corrects: digest of the manifest it corrects.
        kind: what kind of item: a code of the alert kinds, or of a request.
        urgency: how fast somebody must act.
        handling: marks.
        grade: of source and information, when given.
        review: when the item is to be looked at again, seconds since 1970, when somebody said so.
        expiry: when it ends, seconds since 1970.
    """

    format: Literal[1]
    origin: MemberCode
    item: Bytes16
    version: Version
    corrects: Bytes32 | None
    kind: Code
    urgency: Code
    handling: Handling
    grade: Grade | None
    review: Instant | None
    expiry: Instant

    def __post_init__(self) -> None:
        if (self.version == 1) != (self.corrects is None):
            raise ValueError("only the first version corrects nothing")


class Manifest(Head, frozen=True):
    """A head and the root of its section tree."""

    root: Bytes32

    @property
    def digest(self) -> bytes:
        """Digest of the statement this manifest is the body of."""
        return statement_digest(KIND, strict.encode(self))


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """A section before it is sealed: its sensitivity and its words."""

    sensitivity: str
    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftedSection:
    """A section after it was sealed: what goes to those who may read it. ``path`` leads to the manifest's root."""

    leaf: SectionLeaf
    path: bytes
    sealed: SealedSection


@dataclass(frozen=True, slots=True)
class DraftManifest:
    """A final manifest, not yet signed, with its sections in the order they were given in.

    Attributes:
        manifest: as it will be signed.
        body: its bytes, for ``statement.sign(KIND, body, key)``.
        sections: sealed, with leaf and path.
        seed: secret of the origin; proves to an auditor that there is no further section.
    """

    manifest: Manifest
    body: bytes
    sections: tuple[DraftedSection, ...]
    seed: bytes = field(repr=False)


def draft(head: Head, sections: Sequence[SectionDraft], entropy: Callable[[int], bytes]) -> DraftManifest:
    """Seal the sections and make the manifest final.

    Args:
        head: what the author decided.
        sections: 1 to 16.
        entropy: gives that many unpredictable bytes; asked for the tree's seed, then for one key a section.

    Raises:
        InvalidError: ``manifest.sections`` (none, or too many) or ``section.size``.
    """
    if not 1 <= len(sections) <= SECTIONS.size:
        raise InvalidError("manifest.sections", f"An item has 1 to {SECTIONS.size} sections.", field="sections")
    seed = entropy(tree.SEED_BYTES)
    sealed: list[tuple[SectionLeaf, SealedSection]] = []
    for place, section in zip(tree.scatter(SECTIONS, len(sections), seed), sections, strict=False):
        context = item_context(head.origin, head.item, head.version, place, section.sensitivity)
        words = seal(section.plaintext, context, entropy(32))
        salt = tree.salt(SECTIONS, seed, place)
        sealed.append((SectionLeaf(place, salt, section.sensitivity, words.digest, words.commitment), words))
    grown = tree.build(SECTIONS, {leaf.position: strict.encode(leaf) for leaf, _ in sealed}, seed)
    manifest = Manifest(**{name: getattr(head, name) for name in Head.__struct_fields__}, root=grown.root)
    drafted = tuple(DraftedSection(leaf, grown.paths[leaf.position], words) for leaf, words in sealed)
    return DraftManifest(manifest, strict.encode(manifest), drafted, seed)


def read(body: bytes) -> Manifest:
    """The manifest in a verified statement's body.

    Raises:
        MalformedError: ``cbor.*``.
    """
    return strict.decode(body, Manifest, limit=LIMIT_BYTES)


def verify_leaf(manifest: Manifest, leaf: bytes, path: bytes) -> SectionLeaf:
    """The section leaf that these bytes are, when it stands in the manifest.

    Raises:
        MalformedError: ``cbor.*``.
        ProofError: ``tree.path``.
    """
    found = strict.decode(leaf, SectionLeaf, limit=LEAF_LIMIT_BYTES)
    tree.verify(SECTIONS, leaf, found.position, path, manifest.root)
    return found


def open_section(manifest: Manifest, leaf: SectionLeaf, ciphertext: bytes, key: bytes) -> bytes:
    """Open a section of an item whose leaf :func:`verify_leaf` returned.

    Raises:
        MalformedError: ``key.length``, ``section.size`` or ``padding.form``.
        ProofError: ``section.digest``, ``section.commitment`` or ``section.seal``.
    """
    if not compare_digest(sha256(ciphertext).digest(), leaf.digest):
        raise ProofError("section.digest", "This is not the ciphertext the manifest speaks of.")
    context = item_context(manifest.origin, manifest.item, manifest.version, leaf.position, leaf.sensitivity)
    return open_(ciphertext, key, leaf.commitment, context)


def verify_sections(manifest: Manifest, leaves: Sequence[SectionLeaf], seed: bytes) -> None:
    """For the auditor of the origin: these are all sections there are.

    Raises:
        ProofError: ``tree.whole``.
    """
    tree.verify_whole(SECTIONS, {leaf.position: strict.encode(leaf) for leaf in leaves}, seed, manifest.root)


def commit_lists(lists: MemberLists, salt: bytes) -> bytes:
    """The commitment that stands in a manifest's handling.

    Args:
        lists: what is committed to.
        salt: 32 random bytes, kept sealed with the lists: the lists are few and short enough to guess.
    """
    return labels.digest(labels.MEMBER_LISTS, salt, strict.encode(lists))
