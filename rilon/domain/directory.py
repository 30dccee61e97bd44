"""The directory as this node knows it: Members' signed identities and rosters, and which nodes people have verified.

An identity is signed by a Member's root key (offline); it names the log, the world and the signing keys. A roster is
signed by a signing key; it names the KEM key in force and the people who may approve.

Two kinds of stream. ``Directory`` holds what decisions stand on: ourselves, and how far people trust each Member's
node; only our own people and statements move it, and a Member at most once until people have looked. ``PeerNode``, one
for each Member, holds what that Member signs about itself, as often as it likes, up to a quota: none can make us busy.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from msgspec import structs

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.identity import MAX_APPROVERS, Identity, Listing, Roster
from rilon.domain.values import Digest, Line, LogId, MemberId, OfficerId
from rilon.errors import ConflictError, NotFoundError, ProofError

DIRECTORY_ID: UUID = natural_id("directory")
QUOTA = 24
"""Statements of one peer that are taken in within ``QUOTA_SPAN``. They are cumulative: the newest says it all."""
QUOTA_SPAN = timedelta(hours=1)
MAX_REMEMBERED = 4 * MAX_APPROVERS
"""Approvers of a peer whose keys are kept, the listed ones and those who left last."""


def peer_id(member: str) -> UUID:
    """The stream of what a Member says of itself."""
    return natural_id("peer", member)


class PeerNode(Root):
    """Another Member's node, as its own signed statements describe it. Whether people trust it, is not said here."""

    TOPIC = "rilon.peer"

    class Introduced(Opening):
        TOPIC = "rilon.peer.introduced.1"
        identity: Identity
        statement: bytes

    class IdentityChanged(Root.Event):
        TOPIC = "rilon.peer.identity-changed.1"
        identity: Identity
        statement: bytes

        def apply(self, aggregate: PeerNode) -> None:
            aggregate.note_identity(self.identity, self.statement)
            aggregate.note_time(self.timestamp)

    class RosterChanged(Root.Event):
        TOPIC = "rilon.peer.roster-changed.1"
        roster: Roster
        statement: bytes
        digest: Digest

        def apply(self, aggregate: PeerNode) -> None:
            aggregate.note_roster(self.roster, self.statement)
            aggregate.note_time(self.timestamp)

    def __init__(self, identity: Identity, statement: bytes) -> None:
        self.identity, self.identity_statement = identity, statement
        self.roster: Roster | None = None
        self.roster_statement = b""
        self.approvers: dict[str, bytes] = {}
        self.taken_in: tuple[datetime, ...] = ()

    def _count(self, at: datetime) -> None:
        """Count one more statement. Raises ProofError ``directory.quota``."""
        recent = tuple(t for t in self.taken_in if at - t < QUOTA_SPAN)
        if len(recent) >= QUOTA:
            fix = "The newest one is taken in later; a peer that goes on like this is revoked."
            raise ProofError("directory.quota", "This Member says too much about itself in an hour.", fix=fix)

    def note_identity(self, identity: Identity, statement: bytes) -> None:
        """Fold: a new root is a new node, of which nothing is known but this."""
        if identity.root != self.identity.root:
            self.roster, self.roster_statement, self.approvers = None, b"", {}
        self.identity, self.identity_statement = identity, statement

    def note_time(self, at: datetime) -> None:
        """Fold when a statement was taken in; as many as the quota looks at."""
        self.taken_in = (*self.taken_in, at)[-QUOTA:]

    def note_roster(self, roster: Roster, statement: bytes) -> None:
        """Fold a roster. Who left may still have approved what arrives late, so the last of their keys are kept."""
        listed = {a.officer: a.key for a in roster.approvers}
        left = [(o, k) for o, k in self.approvers.items() if o not in listed]
        self.approvers = dict(left[-(MAX_REMEMBERED - len(listed)) :]) | listed
        self.roster, self.roster_statement = roster, statement

    @classmethod
    def introduce(cls, identity: Identity, statement: bytes, at: datetime) -> Self:
        """Begin with the first identity of a Member."""
        return cls._create(
            cls.Introduced, id=peer_id(identity.member), identity=identity, statement=statement, timestamp=at
        )

    @property
    def member(self) -> str:
        """Whose node it is."""
        return self.identity.member

    def listing(self, standing: str) -> Listing:
        """The Member's entry, with how far people trust it."""
        return Listing(self.identity, self.identity_statement, self.roster, self.roster_statement, standing)

    def change_identity(self, identity: Identity, statement: bytes, at: datetime) -> bool:
        """Take in an identity whose signature by its root is verified; False when it is not newer.

        A new root counts anew.

        Raises:
            ProofError: ``directory.fork``: same number, other content; ``directory.quota``.
        """
        old = self.identity
        if identity.root == old.root and identity.seq <= old.seq:
            _same_or_fork(identity.seq == old.seq, same=identity == old)
            return False
        self._count(at)
        self.trigger_event(self.IdentityChanged, identity=identity, statement=statement, timestamp=at)
        return True

    def change_roster(self, roster: Roster, statement: bytes, digest: bytes, at: datetime) -> bool:
        """Take in a roster whose signature by the Member's signing key is verified; False when it is not newer.

        Raises:
            ProofError: ``directory.fork``, ``directory.quota``.
        """
        old = self.roster
        if old is not None and roster.seq <= old.seq:
            _same_or_fork(roster.seq == old.seq, same=roster == old)
            return False
        self._count(at)
        self.trigger_event(self.RosterChanged, roster=roster, statement=statement, digest=digest, timestamp=at)
        return True


class Directory(Root):
    """What this node's decisions stand on: its own entry, and the standing of every other Member's node.

    Attributes:
        signed_by: every signing key we ever had. renewed: whether this log was restored, so that it has forgotten.
    """

    TOPIC = "rilon.directory"

    class Founded(Opening):
        """This node's own identity."""

        TOPIC = "rilon.directory.founded.1"
        identity: Identity
        statement: bytes

    class IdentityChanged(Root.Event):
        """Our own, addressed to every peer."""

        TOPIC = "rilon.directory.identity-changed.1"
        identity: Identity
        statement: bytes
        to: dict[MemberId, Line]

        def apply(self, aggregate: Directory) -> None:
            aggregate.own = structs.replace(aggregate.own, identity=self.identity, identity_statement=self.statement)
            aggregate.signed_by |= {self.identity.signing}

    class LogRenewed(Root.Event):
        """This log goes on under another id: which one it had, and what of it was left."""

        TOPIC = "rilon.directory.log-renewed.1"
        log_id: LogId
        size: int
        root: Digest

        def apply(self, aggregate: Directory) -> None:
            """The identity before it names the new id."""
            aggregate.renewed = True

    class RosterChanged(Root.Event):
        """Our own, addressed to every peer; ``by``: who turned a key, None for whatever else changed it."""

        TOPIC = "rilon.directory.roster-changed.1"
        roster: Roster
        statement: bytes
        digest: Digest
        to: dict[MemberId, Line]
        by: OfficerId | None

        def apply(self, aggregate: Directory) -> None:
            aggregate.own = structs.replace(aggregate.own, roster=self.roster, roster_statement=self.statement)

    class Met(Root.Event):
        """A node that people have not compared: a Member's first, or one with another root or log than before."""

        TOPIC = "rilon.directory.met.1"
        member: MemberId

        def apply(self, aggregate: Directory) -> None:
            aggregate.standings[self.member] = "unverified"

    class Verified(Root.Event):
        """Two people compared the root fingerprint by voice; from now on things are sealed to this node."""

        TOPIC = "rilon.directory.verified.1"
        member: MemberId
        by: OfficerId
        to: dict[MemberId, Line]

        def apply(self, aggregate: Directory) -> None:
            aggregate.standings[self.member] = "verified"

    class Revoked(Root.Event):
        """Nothing is sealed to this node, and nothing is accepted from it, from here on."""

        TOPIC = "rilon.directory.revoked.1"
        member: MemberId
        by: OfficerId

        def apply(self, aggregate: Directory) -> None:
            aggregate.standings[self.member] = "revoked"

    def __init__(self, identity: Identity, statement: bytes) -> None:
        self.me = identity.member
        self.own = Listing(identity, statement, standing="verified")
        self.standings: dict[str, str] = {self.me: "verified"}
        self.signed_by = frozenset({identity.signing})
        self.renewed = False

    @property
    def exercise(self) -> bool:
        """Whether this is the exercise network."""
        return self.own.identity.world == "exercise"

    @property
    def peers(self) -> tuple[str, ...]:
        """Members with a verified node, besides us; sorted."""
        return tuple(sorted(m for m, standing in self.standings.items() if m != self.me and standing == "verified"))

    def standing(self, member: str) -> str:
        """``verified``, ``unverified``, ``revoked`` or ``absent``."""
        return self.standings.get(member, "absent")

    @classmethod
    def found(cls, identity: Identity, statement: bytes, at: datetime) -> Self:
        """Begin this node's directory with its own identity."""
        return cls._create(cls.Founded, id=DIRECTORY_ID, identity=identity, statement=statement, timestamp=at)

    def take_in(self, peer: PeerNode | None, identity: Identity, statement: bytes, at: datetime) -> PeerNode:
        """Take in another Member's identity, whose signature by its root the caller has verified.

        A new root is a new node, and people confirm it; so is a new log, unless they have cut the Member off.

        Args:
            peer: what is known of the Member; None: nothing.

        Raises:
            ProofError: ``directory.world``: another world's node; or see ``PeerNode.change_identity``.
        """
        if identity.world != self.own.identity.world:
            raise ProofError("directory.world", "Exercise and real nodes never mix.")
        old = peer.identity if peer else None
        if peer is None:
            peer = PeerNode.introduce(identity, statement, at)
        elif not peer.change_identity(identity, statement, at):
            return peer
        another = old is None or old.root != identity.root
        moved = old is not None and old.log_id != identity.log_id and self.standing(identity.member) == "verified"
        if moved or (another and self.standing(identity.member) != "unverified"):
            self.trigger_event(self.Met, member=identity.member, timestamp=at)
        return peer

    def change_identity(self, identity: Identity, statement: bytes, digest: bytes, at: datetime) -> bool:
        """Take in our own new identity, and tell every peer; False when it is not newer.

        Raises:
            ProofError: ``directory.fork``: same number, other content; ``directory.root``: we keep our root, world
                and name.
        """
        old = self.own.identity
        if (identity.member, identity.root, identity.world) != (old.member, old.root, old.world):
            raise ProofError("directory.root", "This node keeps its root.")
        if identity.seq <= old.seq:
            _same_or_fork(identity.seq == old.seq, same=identity == old)
            return False
        to = self._tell_all(digest)
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

    def change_roster(
        self, roster: Roster, statement: bytes, digest: bytes, at: datetime, by: OfficerId | None = None
    ) -> bool:
        """Take in our own new roster, which ``by`` asked for, and tell every peer; False when it is not newer.

        Raises:
            ProofError: ``directory.fork``.
            ConflictError: it names too many approvers (``directory.approvers-full``), or one key for two people
                (``directory.key-shared``): peers would refuse what they sign.
        """
        _check_own(roster)
        old = self.own.roster
        if old is not None and roster.seq <= old.seq:
            _same_or_fork(roster.seq == old.seq, same=roster == old)
            return False
        said = {"roster": roster, "statement": statement, "digest": digest, "to": self._tell_all(digest), "by": by}
        self.trigger_event(self.RosterChanged, **said, timestamp=at)
        return True

    def verify(
        self, peer: PeerNode, root_fingerprint: bytes, fingerprint_seen: bytes, identity: Digest, by: str, at: datetime
    ) -> None:
        """Confirm a peer whose root fingerprint was compared by voice.

        A renewed log may have forgotten that it knew this peer, which then was not told of the new log: it is told now.

        Args:
            identity: digest of our own identity's statement.

        Raises:
            ProofError: ``directory.fingerprint``: what was read aloud is not what this node holds.
            ConflictError: ``directory.verified``: it is already; ``directory.no-roster``: there is no key to seal to.
        """
        if root_fingerprint != fingerprint_seen:
            raise ProofError("directory.fingerprint", "The fingerprints differ: do not verify this node.")
        if self.standing(peer.member) == "verified":
            raise ConflictError("directory.verified", "This node is verified already.")
        if peer.roster is None:
            raise ConflictError("directory.no-roster", "This node's roster is not known.", fix="Add its introduction.")
        to = {peer.member: Line("directory", (identity,))} if self.renewed else {}
        self.trigger_event(self.Verified, member=peer.member, by=by, to=to, timestamp=at)

    def revoke(self, member: str, by: str, at: datetime) -> None:
        """Cut a node off. Raises NotFoundError, or ConflictError when it is revoked already, or is this one."""
        if member not in self.standings:
            raise NotFoundError
        if member == self.me or self.standing(member) == "revoked":
            raise ConflictError("directory.revoked", "This node cannot be revoked, or is revoked already.")
        self.trigger_event(self.Revoked, member=member, by=by, timestamp=at)

    def _tell_all(self, digest: bytes) -> dict[str, Line]:
        return {m: Line("directory", (digest,)) for m in self.peers}


class Book:
    """The whole directory, for reading only: never to decide upon, for it is guarded nowhere.

    Attributes:
        me: this Member. listings: every Member's entry, by Member, ours too. others: whose they are besides us; sorted.
    """

    def __init__(self, directory: Directory, peers: Iterable[PeerNode]) -> None:
        self._directory, self.me, self.own = directory, directory.me, directory.own
        self.peers = directory.peers
        found = {p.member: p.listing(directory.standing(p.member)) for p in peers}
        self.listings: dict[str, Listing] = {self.me: self.own} | found
        self.others = tuple(sorted(found))

    def standing(self, member: str) -> str:
        """As ``Directory.standing``."""
        return self._directory.standing(member)

    def listing(self, member: str) -> Listing:
        """A Member's entry. Raises NotFoundError."""
        if member not in self.listings:
            raise NotFoundError
        return self.listings[member]


def _check_own(roster: Roster) -> None:
    if len(roster.approvers) > MAX_APPROVERS:
        fix = "Take the role from somebody who no longer approves."
        raise ConflictError("directory.approvers-full", f"A Member has at most {MAX_APPROVERS} approvers.", fix=fix)
    if len({a.key for a in roster.approvers}) != len(roster.approvers):
        fix = "Make a key of your own: rilon officer enrol-key."
        raise ConflictError("directory.key-shared", "This key is somebody else's already.", fix=fix)


def _same_or_fork(same_seq: bool, *, same: bool) -> None:
    if same_seq and not same:
        raise ProofError("directory.fork", "A Member signed two different statements with one number.")
