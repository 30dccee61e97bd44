"""Who is who on the network: this node's own signed identity and roster, and what it takes in from peers.

A statement from outside is believed only as far as its signature chain: an identity is signed by the root key it names
(whose fingerprint two people compare by voice), a roster by the signing key of the identity we hold.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TypeVar

from msgspec import structs

from rilon.app.alert_desk import active
from rilon.app.ports import Head
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto import labels, statement, strict
from rilon.crypto.keys import SigningKey, VerifyKey
from rilon.crypto.release import approver_key
from rilon.crypto.statement import Statement
from rilon.domain import words
from rilon.domain.directory import DIRECTORY_ID, Book, Directory, PeerNode, peer_id
from rilon.domain.identity import Approver, Identity, Listing, Roster
from rilon.domain.officer import Officer
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import OfficerId, Sensitivity
from rilon.errors import NotFoundError, ProofError, RefusedError

T = TypeVar("T")

IDENTITY = "identity"
ROSTER = "roster"
INTRODUCTION_BYTES = 2 * statement.LIMIT_BYTES + 64
"""Most bytes of an introduction's file: two statements, and what names them."""
TWO_FOR = (Sensitivity.CHILD, Sensitivity.VICTIM)
"""Sensitivities that need two approvers, as this program publishes it for its Member."""


class Introduction(strict.Record, frozen=True):
    """A Member's two current statements, as a hello or a file carries them; see docs/spec/directory.md."""

    identity: bytes
    roster: bytes


def read_introduction(data: bytes) -> Introduction:
    """Read the file of an introduction; what it holds is not checked yet.

    Raises:
        MalformedError: ``cbor.*``: it is none.
    """
    return strict.decode(data, Introduction, limit=INTRODUCTION_BYTES)


def fingerprint(root: bytes) -> bytes:
    """What two people compare by voice: 32 bytes over the root's verify key."""
    return labels.digest(labels.KEY_ID, root)


def sign_identity(identity: Identity, root: SigningKey) -> bytes:
    """The signed statement of an identity. The root key stays offline otherwise."""
    return statement.sign(IDENTITY, strict.encode(identity), root)


def must_be_root(identity: Identity, root: SigningKey) -> None:
    """Refuse another root key than the identity's. Raises RefusedError ``directory.root-key``."""
    if root.public.raw != identity.root:
        raise RefusedError("directory.root-key", "This is not the root key of this node.", fix="Find the right file.")


def read_identity(data: bytes) -> Identity:
    """Read an identity and check that its own root signed it.

    Raises:
        MalformedError, ProofError: it is none, or the signature does not hold.
    """
    identity = _body(statement.parse(data), Identity)
    statement.verify(data, VerifyKey(identity.root), IDENTITY)
    return identity


def read_roster(data: bytes, identity: Identity) -> tuple[Roster, bytes]:
    """Read a roster signed by the identity's signing key; the roster and its statement's digest.

    Raises:
        MalformedError, ProofError: it is none, or of somebody else.
    """
    checked = statement.verify(data, VerifyKey(identity.signing), ROSTER)
    roster = _body(checked, Roster)
    if roster.member != identity.member:
        raise ProofError("directory.member", "A roster speaks for another Member.")
    for listed in roster.approvers:
        approver_key(listed.key)  # one that is no key would make every release of this Member a refused one
    return roster, checked.digest


def _body(found: Statement, form: type[T]) -> T:
    return strict.decode(found.body, form, limit=statement.LIMIT_BYTES)


def sign_roster(
    directory: Directory, roster: Roster, key: SigningKey, at: datetime, by: OfficerId | None = None
) -> None:
    """Change this node's own roster to this, under the next number, when it says something new."""
    old = directory.own.roster
    seq = old.seq if old else 0
    if old is None or structs.replace(roster, seq=seq) != old:
        _publish(directory, structs.replace(roster, seq=seq + 1), key, at, by)


def _publish(directory: Directory, roster: Roster, key: SigningKey, at: datetime, by: OfficerId | None = None) -> None:
    signed = statement.sign(ROSTER, strict.encode(roster), key)
    directory.change_roster(roster, signed, statement.parse(signed).digest, at, by)


def _beyond(seq: int, at: datetime) -> int:
    """A number for the first statement of a new log.

    A restored log has forgotten the newest ones that it used, and peers take a second statement under one number for a
    fork. Seconds are ahead of them: nobody signs one statement a second.
    """
    return max(seq + 1, int(at.timestamp()))


def relist(directory: Directory, officer: Officer, key: SigningKey, at: datetime) -> None:
    """List an officer among this node's approvers, or take them off, as their key, roles and standing say now."""
    own = directory.own.roster
    if own is None:
        return
    others = tuple(a for a in own.approvers if a.officer != officer.ref)
    mine = (Approver(officer.ref, officer.approval_key),) if officer.approves and officer.approval_key else ()
    listed = tuple(sorted(others + mine, key=attrgetter("officer")))
    sign_roster(directory, structs.replace(own, approvers=listed), key, at)


async def read_book(work: Work) -> Book:
    """The whole directory, out of its streams; for reading only."""
    directory = await work.read(Directory, DIRECTORY_ID)
    return Book(directory, [await work.read(PeerNode, peer_id(m)) for m in directory.standings if m != directory.me])


class DirectoryDesk:
    """Keeps the directory of this node."""

    def __init__(self, work: Work, signing: SigningKey) -> None:
        self._work, self._signing = work, signing

    async def found(self, identity: Identity, signed: bytes) -> Done:
        """Begin with this node's own identity, signed by its root."""

        async def do(unit: Unit) -> bytes:
            unit.add(Directory.found(read_identity(signed), signed, self._work.clock.now()))
            return identity.member.encode()

        return await self._work.run(do)

    async def current(self) -> Book:
        """The whole directory as it stands; for reading only."""
        return await read_book(self._work)

    async def introduction(self) -> Introduction:
        """This node's own statements, for hello frames and invitations."""
        own = (await self._work.read(Directory, DIRECTORY_ID)).own
        return Introduction(own.identity_statement, own.roster_statement)

    async def publish_kem(self, kem: bytes, by: OfficerId | None = None) -> Done:
        """Publish the KEM key in force, signed, and tell every peer. The first time this makes the roster.

        Args:
            by: the administrator who turned it; None: it turned by itself, or by the machine's own command line.
        """

        async def do(unit: Unit) -> bytes:
            directory = await unit.get(Directory, DIRECTORY_ID)
            old = directory.own.roster or Roster(directory.me, 1, kem, (), TWO_FOR, "")
            sign_roster(directory, structs.replace(old, kem=kem), self._signing, self._work.clock.now(), by)
            return kem

        return await self._work.run(do)

    async def publish_account(self, account: str) -> Done:
        """Publish what the hub calls this Member, signed: peers take nothing in its name from another account.

        Raises:
            NotFoundError: there is no roster yet.
        """

        async def do(unit: Unit) -> bytes:
            directory = await unit.get(Directory, DIRECTORY_ID)
            if directory.own.roster is None:
                raise NotFoundError
            roster = structs.replace(directory.own.roster, account=account)
            sign_roster(directory, roster, self._signing, self._work.clock.now())
            return account.encode()

        return await self._work.run(do)

    async def renew_log(self, root: SigningKey, log_id: bytes, kem: bytes, left: Head) -> Done:
        """Let this log go on under a new id, after a restore: a root-signed identity, and the roster once more.

        Every peer takes the new log for unverified until its focal point confirms it.

        Args:
            root: the Member's root key.
            log_id: the new id, 16 bytes.
            kem: the KEM key in force: a backup may know an older one only.
            left: head of what is left of the old log.

        Raises:
            RefusedError: ``directory.root-key``: another root key than this node's.
        """

        async def do(unit: Unit) -> bytes:
            directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
            own, roster = directory.own.identity, directory.own.roster
            must_be_root(own, root)
            identity = structs.replace(own, seq=_beyond(own.seq, at), log_id=log_id)
            signed = sign_identity(identity, root)
            directory.renew_log(identity, signed, statement.parse(signed).digest, (left.size, left.root), at)
            if roster is not None:
                fresh = structs.replace(roster, seq=_beyond(roster.seq, at), kem=kem)
                _publish(directory, fresh, self._signing, at)
            return log_id

        return await self._work.run(do)

    async def take_in(self, introduced: Introduction) -> Listing:
        """Take in a peer's statements; an unknown or changed root stays unverified until people confirm it.

        Raises:
            MalformedError, ProofError: the chain does not hold, another world, a fork, or too many in an hour.
        """
        identity = read_identity(introduced.identity)
        roster, digest = read_roster(introduced.roster, identity)

        async def do(unit: Unit) -> bytes:
            directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
            if identity.member != directory.me:
                known = await unit.find(PeerNode, peer_id(identity.member))
                peer = directory.take_in(known, identity, introduced.identity, at)
                peer.change_roster(roster, introduced.roster, digest, at)
                unit.add(peer)
            return b""

        await self._work.run(do)
        return (await self.current()).listing(identity.member)

    async def verify(self, caller: Caller, member: str, fingerprint_heard: bytes, key: Key | None = None) -> Done:
        """A focal point confirms a peer after comparing the root fingerprint by voice.

        Args:
            fingerprint_heard: as many bytes of it as its words say, or all.

        Raises:
            RefusedError, NotFoundError, ProofError, ConflictError: see ``Directory.verify``.
        """
        caller.must(Action.VERIFY_PEER)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            directory = await unit.get(Directory, DIRECTORY_ID)
            peer = await unit.get(PeerNode, peer_id(member))
            held = fingerprint(peer.identity.root)[: words.COUNT]
            own = statement.parse(directory.own.identity_statement).digest
            directory.verify(peer, held, fingerprint_heard[: words.COUNT], own, caller.ref, self._work.clock.now())
            return member.encode()

        return await self._work.run(do, key)

    async def revoke(self, caller: Caller, member: str, key: Key | None = None) -> Done:
        """A focal point cuts a peer off: nothing is sealed to it or accepted from it any more."""
        caller.must(Action.VERIFY_PEER)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            directory = await unit.get(Directory, DIRECTORY_ID)
            directory.revoke(member, caller.ref, self._work.clock.now())
            return member.encode()

        return await self._work.run(do, key)
