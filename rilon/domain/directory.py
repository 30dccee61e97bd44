"""The directory as this node knows it: Members' signed identities and rosters, and which nodes people have verified.

An identity is signed by a Member's root key (offline); it names the log, the world and the signing keys. A roster is
signed by a signing key; it names the KEM key in force and the people who may approve. One stream, so that one guard
covers everything a release took from the directory.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.values import Code, Digest, Line, LogId, MemberId, OfficerId, Sensitivity, Value
from rilon.errors import ConflictError, NotFoundError, ProofError

_Number = Annotated[int, Meta(ge=1, le=2**62)]
_VerifyKey = Annotated[bytes, Meta(min_length=1984, max_length=1984)]
_KemKey = Annotated[bytes, Meta(min_length=1216, max_length=1216)]
MAX_APPROVERS = 24
"""More would not fit into a roster's statement."""
_ApproverKey = Annotated[bytes, Meta(min_length=64, max_length=1984)]
_Account = Annotated[str, Meta(pattern=r"\A(A[A-Z2-7]{55})?\Z")]
_Approvers = Annotated[tuple["Approver", ...], Meta(max_length=MAX_APPROVERS)]


class Identity(Value, frozen=True):
    """What a root-signed identity statement says; see docs/spec/directory.md.

    Attributes:
        seq: grows with each statement of this Member. root, signing: verify keys; link: Ed25519 public key.
        log_id: the Member's log; a new one means a restored or replaced log. world: ``real`` or ``exercise``.
    """

    member: MemberId
    seq: _Number
    root: _VerifyKey
    signing: _VerifyKey
    link: Digest
    log_id: LogId
    world: Literal["real", "exercise"]


class Approver(Value, frozen=True):
    """A person who may approve, by opaque id and own public key; no name.

    Attributes:
        key: of a key file, 1,984 bytes; or a passkey with its origin (``rilon.crypto.passkey.Listed``).
    """

    officer: OfficerId
    key: _ApproverKey


class Roster(Value, frozen=True):
    """What a roster statement says: the KEM key to seal to, and who approves how.

    Attributes:
        kem: X-Wing public key, 1,216 bytes. two_for: sensitivities that need two approvers in that Member.
        account: what the hub calls this Member, its account's public key; "" while it has none.
    """

    member: MemberId
    seq: _Number
    kem: _KemKey
    approvers: _Approvers
    two_for: tuple[Sensitivity, ...]
    account: _Account

    def __post_init__(self) -> None:
        """Sets have one form: sorted (approvers by id), each once. Raises ValueError."""
        for names in ([a.officer for a in self.approvers], self.two_for):
            if not all(a < b for a, b in pairwise(names)):
                raise ValueError("a set that is not sorted, or names something twice")


class Listing(Value, frozen=True):
    """A Member's entry as this node knows it now."""

    identity: Identity
    identity_statement: bytes
    roster: Roster | None = None
    roster_statement: bytes = b""
    standing: Code = "unverified"


DIRECTORY_ID: UUID = natural_id("directory")


class Directory(Root):
    """The one directory of this node."""

    TOPIC = "rilon.directory"

    class Founded(Opening):
        """This node's own identity."""

        TOPIC = "rilon.directory.founded.1"
        identity: Identity
        statement: bytes

    class IdentityChanged(Root.Event):
        TOPIC = "rilon.directory.identity-changed.1"
        identity: Identity
        statement: bytes
        to: dict[MemberId, Line]

        def apply(self, aggregate: Directory) -> None:
            aggregate.note_identity(self.identity, self.statement)

    class LogRenewed(Root.Event):
        """This log goes on under another id: which one it had, and what of it was left."""

        TOPIC = "rilon.directory.log-renewed.1"
        log_id: LogId
        size: int
        root: Digest

        def apply(self, aggregate: Directory) -> None:
            """For auditors only; the identity before it names the new id."""

    class RosterChanged(Root.Event):
        """A Member's roster, ours or a peer's. Ours is addressed to every peer."""

        TOPIC = "rilon.directory.roster-changed.1"
        roster: Roster
        statement: bytes
        digest: Digest
        to: dict[MemberId, Line]

        def apply(self, aggregate: Directory) -> None:
            aggregate.note_roster(self.roster, self.statement)

    class Verified(Root.Event):
        """Two people compared the root fingerprint by voice; from now on things are sealed to this node."""

        TOPIC = "rilon.directory.verified.1"
        member: MemberId
        by: OfficerId
        to: dict[MemberId, Line]

        def apply(self, aggregate: Directory) -> None:
            aggregate.set_standing(self.member, "verified")

    class Revoked(Root.Event):
        """Nothing is sealed to this node, and nothing is accepted from it, from here on."""

        TOPIC = "rilon.directory.revoked.1"
        member: MemberId
        by: OfficerId

        def apply(self, aggregate: Directory) -> None:
            aggregate.set_standing(self.member, "revoked")

    def __init__(self, identity: Identity, statement: bytes) -> None:
        self.me = identity.member
        self.listings: dict[str, Listing] = {self.me: Listing(identity, statement, standing="verified")}
        self.approvers: dict[str, dict[str, bytes]] = {}

    def note_identity(self, identity: Identity, statement: bytes) -> None:
        """Fold: a new log makes a verified peer unverified, a new signing key does not, a new root is a new node."""
        old = self.listings.get(identity.member)
        if old is None or old.identity.root != identity.root:
            self.approvers.pop(identity.member, None)
            self.listings[identity.member] = Listing(identity, statement)
            return
        fresh = old.standing == "verified" and old.identity.log_id != identity.log_id and identity.member != self.me
        standing = "unverified" if fresh else old.standing
        self.listings[identity.member] = Listing(identity, statement, old.roster, old.roster_statement, standing)

    def note_roster(self, roster: Roster, statement: bytes) -> None:
        """Fold a roster. Who left may still have approved what arrives late, so their keys are remembered."""
        self.approvers.setdefault(roster.member, {}).update({a.officer: a.key for a in roster.approvers})
        old = self.listings[roster.member]
        self.listings[roster.member] = Listing(old.identity, old.identity_statement, roster, statement, old.standing)

    def set_standing(self, member: str, standing: str) -> None:
        """Fold a change of trust."""
        old = self.listings[member]
        self.listings[member] = Listing(
            old.identity, old.identity_statement, old.roster, old.roster_statement, standing
        )

    @property
    def own(self) -> Listing:
        """This node's own entry."""
        return self.listings[self.me]

    @property
    def peers(self) -> tuple[str, ...]:
        """Members with a verified node that can be sealed to, besides us; sorted."""
        return tuple(sorted(m for m, x in self.listings.items() if m != self.me and self.standing(m) == "verified"))

    def standing(self, member: str) -> str:
        """``verified``, ``unverified``, ``revoked`` or ``absent``; no key to seal to is unverified."""
        listing = self.listings.get(member)
        if listing is None:
            return "absent"
        if listing.standing == "verified" and listing.roster is None and member != self.me:
            return "unverified"
        return listing.standing

    def listing(self, member: str) -> Listing:
        """A Member's entry. Raises NotFoundError."""
        if member not in self.listings:
            raise NotFoundError
        return self.listings[member]

    @classmethod
    def found(cls, identity: Identity, statement: bytes, at: datetime) -> Self:
        """Begin this node's directory with its own identity."""
        return cls._create(cls.Founded, id=DIRECTORY_ID, identity=identity, statement=statement, timestamp=at)

    def change_identity(self, identity: Identity, statement: bytes, digest: bytes, at: datetime) -> bool:
        """Take in an identity whose signature by its root the caller has verified; False when it is not newer.

        A new root counts anew: it comes by invitation only, and people confirm it.

        Raises:
            ProofError: ``directory.world``: another world's node; ``directory.fork``: same number, other content;
                ``directory.root``: a new root for this node itself.
        """
        if identity.world != self.own.identity.world:
            raise ProofError("directory.world", "Exercise and real nodes never mix.")
        old = self.listings.get(identity.member)
        same_root = old is not None and old.identity.root == identity.root
        if identity.member == self.me and not same_root:
            raise ProofError("directory.root", "This node keeps its root.")
        if old is not None and same_root and identity.seq <= old.identity.seq:
            _same_or_fork(identity.seq == old.identity.seq, same=identity == old.identity)
            return False
        to = self._tell_all(digest) if identity.member == self.me else {}
        self.trigger_event(self.IdentityChanged, identity=identity, statement=statement, to=to, timestamp=at)
        return True

    def renew_log(
        self, identity: Identity, statement: bytes, digest: bytes, left: tuple[int, bytes], at: datetime
    ) -> None:
        """Begin a new log by an identity that names its id.

        Args:
            left: size and root of what is left of the old log.

        Raises:
            ProofError: see ``change_identity``.
        """
        old, (size, root) = self.own.identity.log_id, left
        if self.change_identity(identity, statement, digest, at):
            self.trigger_event(self.LogRenewed, log_id=old, size=size, root=root, timestamp=at)

    def change_roster(self, roster: Roster, statement: bytes, digest: bytes, at: datetime) -> bool:
        """Take in a roster whose signature by the Member's signing key is verified; False when it is not newer.

        Raises:
            NotFoundError: no identity is known. ProofError: ``directory.fork``.
            ConflictError: ours names too many approvers (``directory.approvers-full``), or one key for two people
                (``directory.key-shared``): peers would refuse what they sign.
        """
        if roster.member == self.me:
            _check_own(roster)
        old = self.listing(roster.member).roster
        if old is not None and roster.seq <= old.seq:
            _same_or_fork(roster.seq == old.seq, same=roster == old)
            return False
        to = self._tell_all(digest) if roster.member == self.me else {}
        self.trigger_event(self.RosterChanged, roster=roster, statement=statement, digest=digest, to=to, timestamp=at)
        return True

    def verify(self, member: str, root_fingerprint: bytes, fingerprint_seen: bytes, by: str, at: datetime) -> None:
        """Confirm a peer whose root fingerprint was compared by voice.

        Raises:
            ProofError: ``directory.fingerprint``: what was read aloud is not what this node holds.
            ConflictError: verified already.
        """
        if root_fingerprint != fingerprint_seen:
            raise ProofError("directory.fingerprint", "The fingerprints differ: do not verify this node.")
        if self.listing(member).standing == "verified":
            raise ConflictError("directory.verified", "This node is verified already.")
        self.trigger_event(self.Verified, member=member, by=by, to={}, timestamp=at)

    def revoke(self, member: str, by: str, at: datetime) -> None:
        """Cut a node off. Raises ConflictError when it is revoked already, or is this one."""
        if member == self.me or self.listing(member).standing == "revoked":
            raise ConflictError("directory.revoked", "This node cannot be revoked, or is revoked already.")
        self.trigger_event(self.Revoked, member=member, by=by, timestamp=at)

    def _tell_all(self, digest: bytes) -> dict[str, Line]:
        return {m: Line("directory", (digest,)) for m in self.peers}


def _check_own(roster: Roster) -> None:
    if len(roster.approvers) > MAX_APPROVERS:
        fix = "Take the role from somebody who no longer approves."
        raise ConflictError("directory.approvers-full", f"A Member has at most {MAX_APPROVERS} approvers.", fix=fix)
    if len({a.key for a in roster.approvers}) != len(roster.approvers):
        fix = "Make a key of your own: rilon officer enrol-key"
        raise ConflictError("directory.key-shared", "This key is somebody else's already.", fix=fix)


def _same_or_fork(same_seq: bool, *, same: bool) -> None:
    if same_seq and not same:
        raise ProofError("directory.fork", "A Member signed two different statements with one number.")
