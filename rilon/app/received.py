"""A release as it comes in: every signature, path, approval and section checked before anything is believed.

Pure: bytes and the sender's directory entry in; a checked release out, or a ProofError that names what does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from rilon.app.ports import Parcel
from rilon.crypto import manifest, release, section, statement
from rilon.crypto.keys import VerifyKey
from rilon.crypto.section import SealedSection
from rilon.domain import attachments
from rilon.domain.alert import SectionRef
from rilon.domain.handling import READERS, Readers, Tlp
from rilon.domain.held import HeldEdition
from rilon.domain.identity import Listing
from rilon.domain.kinds import KINDS, decode_content, newer
from rilon.domain.values import VULNERABLE, Purpose, Sensitivity, Urgency
from rilon.errors import MalformedError, ProofError

NEWER = "release.newer"
"""Code of an authentic release in words this node does not have: kept whole, like a line of an unknown kind."""


@dataclass(frozen=True, slots=True)
class ReceivedSection:
    """A granted section that opened: its leaf and path, and what to keep.

    Attributes:
        awaited: its ciphertext comes in pieces; ``sealed`` has none yet.
    """

    leaf: manifest.SectionLeaf
    path: bytes
    sealed: SealedSection
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A checked release for this Member."""

    manifest: manifest.Manifest
    manifest_statement: bytes = field(repr=False)
    release_statement: bytes = field(repr=False)
    basis: str
    grant: release.Grant
    grant_bytes: bytes = field(repr=False)
    position: int
    path: bytes = field(repr=False)
    sections: tuple[ReceivedSection, ...]

    @property
    def item(self) -> UUID:
        """The item's id at its origin."""
        return UUID(bytes=self.manifest.item)


def check_release(
    attached: Mapping[str, bytes],
    digests: tuple[bytes, ...],
    me: str,
    sender: Listing,
    keys: Mapping[str, release.ApproverKey],
) -> Received:
    """Check a release line and what came beside it.

    Args:
        attached: by name, see ``rilon.app.outgoing``.
        digests: of the line: manifest, release.
        me: this Member.
        sender: the sender's entry in our directory.
        keys: the sender's approvers by officer, everybody it ever listed.

    Raises:
        MalformedError: a part is missing or cannot be read; ``release.newer``: authentic, and newer than this node.
        ProofError: ``release.*``, ``approval.*``, ``signature.invalid``, ``tree.path``, ``section.*`` ...
    """
    signing = VerifyKey(sender.identity.signing)
    said = statement.verify(_part(attached, "manifest"), signing, manifest.KIND)
    released = statement.verify(_part(attached, "release"), signing, release.KIND)
    if digests != (said.digest, released.digest):
        raise ProofError("release.digests", "These are not the statements that the line names.")
    of_item, letting_go = manifest.read(said.body), release.read(released.body)
    if of_item.origin != sender.identity.member or letting_go.body.manifest != said.digest:
        raise ProofError("release.origin", "A release speaks for another Member or another manifest.")
    check_words(of_item, sender.identity.world)
    position = _position(_part(attached, "position"))
    grant = release.verify_grant(letting_go.body, _part(attached, "grant"), position, _part(attached, "path"))
    sections = tuple(_section(of_item, attached, place) for place in grant.leaves if not _withheld(attached, place))
    _check_one_parcel(sections)
    if not sections:
        raise MalformedError("release.part", "A release came without any section.")
    check_terms(of_item, grant, me)
    held = frozenset(Sensitivity(s.leaf.sensitivity) for s in sections)
    check_basis(of_item, letting_go, grant, held, sender, keys)
    return Received(
        manifest=of_item,
        manifest_statement=attached["manifest"],
        release_statement=attached["release"],
        basis=letting_go.body.basis,
        grant=grant,
        grant_bytes=attached["grant"],
        position=position,
        path=attached["path"],
        sections=sections,
    )


def _part(attached: Mapping[str, bytes], name: str) -> bytes:
    if name not in attached:
        raise MalformedError("release.part", f"A release came without its {name.partition('.')[0]}.")
    return attached[name]


def check_words(of_item: manifest.Manifest, world: str) -> None:
    """An exercise stays in its world; and what this node cannot name it does not judge.

    Raises:
        ProofError: ``release.world``. MalformedError: ``release.newer``.
    """
    if of_item.kind in KINDS and KINDS[of_item.kind].exercise and world != "exercise":
        raise ProofError("release.world", "An exercise came over the real network.")
    if of_item.urgency not in set(Urgency) or of_item.handling.tlp not in set(Tlp):
        raise _newer()


def _newer() -> MalformedError:
    return MalformedError(NEWER, "A release uses words that are newer than this node.")


def _position(raw: bytes) -> int:
    if len(raw) != 1:
        raise MalformedError("release.position", "A place among 128 takes one byte.")
    return raw[0]


def _withheld(attached: Mapping[str, bytes], place: int) -> bool:
    """Whether a section was taken back, or its time was over, before its frame; the rest of the grant stands."""
    reason = attached.get(f"withheld.{place}")
    if reason not in {None, b"recalled", b"erased", b"expired"}:
        raise MalformedError("release.withheld", "A section was withheld for no known reason.")
    return reason is not None


def _section(of_item: manifest.Manifest, attached: Mapping[str, bytes], place: int) -> ReceivedSection:
    """Open a section once before it is kept, or this node would vouch for what it cannot show."""
    path = _part(attached, f"path.{place}")
    leaf = manifest.verify_leaf(of_item, _part(attached, f"leaf.{place}"), path)
    if leaf.position != place:
        raise ProofError("release.place", "A section stands at another place than was granted.")
    key = _part(attached, f"key.{place}")
    if leaf.sensitivity == Sensitivity.ATTACHMENT and f"ciphertext.{place}" not in attached:
        section.verify_key(key, leaf.commitment)
        return ReceivedSection(leaf, path, SealedSection(key, b"", leaf.digest, leaf.commitment), awaited=True)
    ciphertext = _part(attached, f"ciphertext.{place}")
    plaintext = manifest.open_section(of_item, leaf, ciphertext, key)
    if leaf.sensitivity not in set(Sensitivity):
        raise _newer()
    check_content(of_item.kind, Sensitivity(leaf.sensitivity), plaintext)
    return ReceivedSection(leaf, path, SealedSection(key, ciphertext, leaf.digest, leaf.commitment))


def check_content(kind: str, sensitivity: Sensitivity, plaintext: bytes) -> None:
    """Read a section that opened, as strictly as a draft. What is newer than this node is kept, and shown once it is.

    Raises:
        MalformedError, RilonError: see ``kinds.decode_content`` and ``attachments.decode``.
    """
    if sensitivity is Sensitivity.ATTACHMENT:
        if not attachments.newer(plaintext):
            attachments.decode(plaintext)
    elif not newer(kind, plaintext):
        decode_content(kind, sensitivity, plaintext)


def _check_one_parcel(sections: tuple[ReceivedSection, ...]) -> None:
    """All files of an item lie in one section; more would be room that nobody is shown."""
    if sum(s.leaf.sensitivity == Sensitivity.ATTACHMENT for s in sections) > 1:
        raise ProofError("release.attachments", "An item has one section of attachments.")


def check_terms(of_item: manifest.Manifest, grant: release.Grant, me: str) -> None:
    """Check that a grant is for us, within the life of its item, and no wider than its TLP permits.

    Raises:
        ProofError: ``release.recipient``, ``release.until`` or ``release.readers``.
    """
    if grant.recipient != me:
        raise ProofError("release.recipient", "A grant is for another Member.")
    if grant.until > of_item.expiry:
        raise ProofError("release.until", "A grant outlives its item.")
    forms = {Readers.of(reader) for reader in grant.readers}
    if of_item.handling.tlp not in set(Tlp) or not forms <= READERS[Tlp(of_item.handling.tlp)]:
        raise ProofError("release.readers", "A grant lets more people read than its TLP permits.")


def check_basis(
    of_item: manifest.Manifest,
    letting_go: release.Release,
    grant: release.Grant,
    held: frozenset[Sensitivity],
    sender: Listing,
    keys: Mapping[str, release.ApproverKey],
) -> None:
    """The basis must carry what it claims: approvals, a rule's id, or a life at risk and nothing but a summary.

    Args:
        held: sensitivities of the sections that were granted.
        sender, keys: as for ``check_release``.

    Raises:
        ProofError: ``release.break-glass``, ``release.rule`` or ``approval.*``.
    """
    basis = letting_go.body.basis
    if basis == "break-glass" and (of_item.urgency != Urgency.LIFE_AT_RISK or not _vital(held, grant.readers)):
        message = (
            "Break-glass opens a summary, or to one desk what it needs to rescue, and only when a life is at risk."
        )
        raise ProofError("release.break-glass", message)
    if basis == "rule" and (not grant.rules or held & VULNERABLE):
        raise ProofError("release.rule", "No rule alone opens this.")
    two_for = VULNERABLE | set(sender.roster.two_for if sender.roster else ())
    required = 0 if basis != "approval" else 1 + bool(held & two_for)
    release.verify_approvals(letting_go, keys, required)


def _vital(held: frozenset[Sensitivity], readers: tuple[str, ...]) -> bool:
    rescue = held <= VULNERABLE and [Readers.of(reader) for reader in readers] == [Readers.DESK]
    return held == {Sensitivity.SUMMARY} or rescue


def parcel_of(slot: bytes, got: Received, digest: bytes, place: int, ciphertext: bytes) -> Parcel:
    """What is still to be fetched of a release: the most urgent item first."""
    rank = list(Urgency).index(Urgency(got.manifest.urgency))
    return Parcel(slot, got.manifest.origin, rank, got.manifest.item, digest, place, ciphertext)


def held_editions(got: Received, digest: bytes, sections: tuple[SectionRef, ...]) -> tuple[HeldEdition, ...]:
    """What a holding keeps of a release: one for each part of the grant of which any section came."""
    found = ((part, tuple(s for s in sections if s.position in part.leaves)) for part in got.grant.parts)
    return tuple(_held(got, digest, part, came) for part, came in found if came)


def _held(got: Received, digest: bytes, part: release.Part, sections: tuple[SectionRef, ...]) -> HeldEdition:
    return HeldEdition(
        version=got.manifest.version,
        manifest=got.manifest_statement,
        digest=digest,
        kind=got.manifest.kind,
        urgency=Urgency(got.manifest.urgency),
        tlp=got.manifest.handling.tlp,
        pap=got.manifest.handling.pap,
        caveats=got.manifest.handling.caveats,
        review_at=datetime.fromtimestamp(got.manifest.review or got.manifest.expiry, UTC),
        basis=got.basis,
        release=got.release_statement,
        grant=got.grant_bytes,
        position=got.position,
        path=got.path,
        readers=got.grant.readers,
        purposes=purposes_of(part),
        onward=part.onward,
        court=part.court,
        until=datetime.fromtimestamp(part.until, UTC),
        sections=sections,
        withheld=tuple(sorted({*part.leaves} - {s.position for s in sections})),
        added=part.caveats,
    )


def purposes_of(part: release.Part) -> frozenset[Purpose] | None:
    """None: not limited. One that only newer nodes know allows nothing here, rather than everything."""
    codes = part.purposes
    return frozenset(Purpose(c) for c in codes if c in set(Purpose)) if codes else None
