"""Who signs: the directory and the officers of a log, as it had them at each position.

Directory statements bring the keys, from the root key downwards. What does not hold is not believed: a forged key makes
nothing below it hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache, singledispatchmethod
from typing import cast
from uuid import UUID

from rilon.app.directory_desk import fingerprint, read_identity, read_roster
from rilon.app.membership_desk import check_confirmed
from rilon.audit.sameness import same
from rilon.crypto import release, statement
from rilon.crypto.keys import VerifyKey
from rilon.domain.base import Root
from rilon.domain.directory import Directory, PeerNode, peer_id
from rilon.domain.identity import Listing, Roster
from rilon.domain.officer import APPROVING, SYSTEM, Officer
from rilon.domain.values import Line, Role
from rilon.errors import ProofError

approver_key = lru_cache(256)(release.approver_key)
"""A parsed key by its bytes: few, and used thousands of times."""
_key = lru_cache(256)(VerifyKey)


class Signers:
    """The fold of everything that signs.

    Args:
        proved: counts what held, as ``statements`` and ``approvals``.
    """

    def __init__(self, proved: Counter[str]) -> None:
        self.proved = proved
        self._known: Directory | None = None
        self._peers: dict[str, PeerNode] = {}
        self._people: dict[str, Officer] = {}
        self._left = b""

    @property
    def member(self) -> str:
        """Whose log it is; "" before it says so."""
        return self._known.me if self._known else ""

    @property
    def fingerprint(self) -> bytes:
        """Of the root key of this node; b"" before the log names it."""
        return fingerprint(self._known.own.identity.root) if self._known else b""

    @property
    def log_id(self) -> bytes:
        """Of this node's log, as its root signed it last; b"" before it did."""
        return self._known.own.identity.log_id if self._known else b""

    def signed(self, data: bytes, by: Listing, kind: str) -> statement.Statement:
        """A statement of a kind, if this Member signed it."""
        said = statement.verify(data, _key(by.identity.signing), kind)
        self.proved["statements"] += 1
        return said

    def approvers(self, member: str) -> dict[str, release.ApproverKey]:
        """The keys of a Member's approvers, by officer."""
        if member == self.member:
            return {
                ref: approver_key(o.approval_key) for ref, o in self._people.items() if o.approval_key and o.approves
            }
        peer = self._peers.get(member)
        return {officer: approver_key(raw) for officer, raw in peer.approvers.items()} if peer else {}

    @property
    def directory(self) -> Directory:
        """This node's own. Raises ProofError: the log was founded by nobody."""
        if self._known is None:
            raise ProofError("directory.absent", "The log was founded by nobody.")
        return self._known

    def listing(self, member: str) -> Listing:
        """A Member's entry as it stands. Raises ProofError ``directory.absent``."""
        if member not in self._peers:
            raise ProofError("directory.absent", "A statement is by a Member whose keys the log does not have.")
        return self._peers[member].listing(self.directory.standing(member))

    def person(self, officer: str) -> Officer:
        """An officer of this node. Raises ProofError ``officer.unknown``."""
        if officer not in self._people:
            raise ProofError("officer.unknown", "An officer was never enrolled.")
        return self._people[officer]

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most change no signer."""

    @check.register
    def _(self, event: Directory.Founded) -> None:
        same(read_identity(event.statement), event.identity)
        self._known = cast("Directory", event.mutate(None))
        self.proved["statements"] += 1

    @check.register
    def _(self, event: Directory.IdentityChanged) -> None:
        directory, said, old = self.directory, event.identity, self.directory.own.identity
        same((read_identity(event.statement), said.world, said.member), (said, old.world, old.member))
        if old.root != said.root:
            raise ProofError("directory.root", "This node's root key was exchanged.")
        _check_newer(said.seq, old.seq)
        self._check_told(event.to, statement.parse(event.statement).digest)
        self._left = old.log_id
        event.apply(directory)
        self.proved["statements"] += 1

    @check.register
    def _(self, event: PeerNode.Introduced) -> None:
        same((read_identity(event.statement), event.identity.world), (event.identity, self._world))
        self._peers[event.identity.member] = cast("PeerNode", event.mutate(None))
        self._check_met(event.identity.member)

    @check.register
    def _(self, event: PeerNode.IdentityChanged) -> None:
        peer, said = self._peer_of(event.originator_id, event.identity.member), event.identity
        old = peer.identity
        same((read_identity(event.statement), said.world), (said, self._world))
        if old.root == said.root:
            _check_newer(said.seq, old.seq)
        event.apply(peer)
        if (old.root, old.log_id) != (said.root, said.log_id):
            self._check_met(said.member)
        self.proved["statements"] += 1

    @check.register
    def _(self, event: PeerNode.RosterChanged) -> None:
        peer = self._peer_of(event.originator_id, event.roster.member)
        said, digest = read_roster(event.statement, peer.identity)
        same((said, digest), (event.roster, event.digest))
        _check_newer(said.seq, peer.roster.seq if peer.roster else 0)
        event.apply(peer)
        self.proved["statements"] += 1

    @check.register
    def _(self, event: Directory.Met) -> None:
        event.apply(self.directory)

    @check.register
    def _(self, event: Directory.Verified | Directory.Revoked) -> None:
        self.listing(event.member)
        event.apply(self.directory)

    @check.register
    def _(self, event: Directory.LogRenewed) -> None:
        same(event.log_id, self._left)
        event.apply(self.directory)

    @check.register
    def _(self, event: Directory.RosterChanged) -> None:
        own = self.directory.own
        said, digest = read_roster(event.statement, own.identity)
        same((said, digest), (event.roster, event.digest))
        _check_newer(said.seq, own.roster.seq if own.roster else 0)
        self._check_told(event.to, digest)
        self._check_listed(said)
        event.apply(self.directory)
        self.proved["statements"] += 1

    @check.register
    def _(self, event: Officer.Enrolled) -> None:
        self._people[event.originator_id.hex] = cast("Officer", event.mutate(None))

    @check.register(Officer.RoleGranted)
    @check.register(Officer.RoleRevoked)
    @check.register(Officer.Suspended)
    @check.register(Officer.Reinstated)
    @check.register(Officer.TokenIssued)
    @check.register(Officer.TokenRevoked)
    @check.register(Officer.Relieved)
    def _(self, event: Root.Event) -> None:
        event.apply(self.person(event.originator_id.hex))

    @check.register
    def _(self, event: Officer.KeyEnrolled) -> None:
        approver_key(event.key)
        event.apply(self.person(event.originator_id.hex))

    @check.register
    def _(self, event: Officer.Confirmed) -> None:
        found = self.person(event.originator_id.hex)
        same((event.roles, event.key), (found.roles & APPROVING, found.key_shown))
        founded = event.by == SYSTEM and found.by_founding
        if not founded and event.by in found.involved | {SYSTEM}:
            raise ProofError("officer.second-person", "An approver was confirmed by somebody who had a hand in them.")
        if not founded:
            check_confirmed(self.member, found, event.consent, self.person(event.by))
        event.apply(found)

    @check.register
    def _(self, event: Officer.CalledUpon) -> None:
        found = self.person(event.originator_id.hex)
        if Role.DEPUTY not in found.confirmed or Role.FOCAL_POINT not in self.person(event.by).confirmed:
            raise ProofError("deputy.role", "A deputy was called upon who is none, or by somebody who has none.")
        event.apply(found)

    def _check_told(self, to: Mapping[str, Line], digest: bytes) -> None:
        """What this node says of itself goes to every peer; what others say of themselves goes to nobody."""
        same(to, dict.fromkeys(self.directory.peers, Line("directory", (digest,))))

    def _check_listed(self, said: Roster) -> None:
        """This node tells its peers of nobody whom two people did not confirm."""
        for listed in said.approvers:
            found = self.person(listed.officer)
            if not found.approves or found.approval_key != listed.key:
                raise ProofError("directory.approver", "A roster lists somebody who is not confirmed.")

    @property
    def _world(self) -> str:
        return self.directory.own.identity.world

    def _peer_of(self, stream: UUID, member: str) -> PeerNode:
        """The Member whose stream it is. Raises ProofError: another one speaks there, or nobody was introduced."""
        if member not in self._peers or stream != peer_id(member):
            raise ProofError("directory.member", "A statement stands in the stream of another Member.")
        return self._peers[member]

    def _check_met(self, member: str) -> None:
        """A node that people have not compared is never taken for one that they have."""
        if self.directory.standing(member) == "verified":
            raise ProofError("directory.standing", "Another root or log of a Member was trusted unseen.")


def _check_newer(seq: int, old: int) -> None:
    if seq <= old:
        raise ProofError("directory.seq", "A statement is not newer than the one before it.")
