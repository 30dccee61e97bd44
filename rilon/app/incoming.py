"""What comes in over a link, made into events: verified first, then stored under the key that allows it once.

An authentic line whose content does not hold is recorded as refused, advanced over, and never reaches a board. A line
of a kind this node does not know is kept whole, sealed, and shown as newer than this node; never dropped or guessed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from rilon.app.charters import Charters, Pen
from rilon.app.circles_in import CirclesIn
from rilon.app.directory_desk import IDENTITY, read_identity, read_roster
from rilon.app.onward_lines import ANSWER, ASK, read_ask, take_answer, take_ask
from rilon.app.post import Arrived, Post, utf8
from rilon.app.reading_desk import REPLY
from rilon.app.receipts import take_receipt, taken_section
from rilon.app.received import NEWER, Received, ReceivedSection, check_release, held_editions, parcel_of
from rilon.app.recovery import Recovery
from rilon.app.unit import Unit, Work
from rilon.app.vault import Vault, received_slot
from rilon.crypto import labels, manifest, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.crypto.release import approver_key
from rilon.crypto.section import SealedSection
from rilon.domain.alert import Alert, SectionRef
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode, peer_id
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Entry, entry_id
from rilon.domain.grants import Grants
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding, holding_id
from rilon.domain.recall import Recall, recall_id
from rilon.domain.text import check_text
from rilon.domain.values import Sealed, Sensitivity
from rilon.errors import ConflictError, InvalidError, MalformedError, NotFoundError, ProofError, RilonError

_UNSOUND = (ConflictError, InvalidError, MalformedError, NotFoundError, ProofError)
"""What a hostile or newer peer can cause; anything else is our own trouble and stops the courier, who tries again."""

_ENDS = {"withdrawal": "withdrawn", "closure": "closed"}
REPLY_LIMIT = 16_384


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an accepted line did, for its entry."""

    item: UUID | None = None
    text: Sealed | None = None


class Incoming:
    """Takes lines in."""

    def __init__(self, work: Work, vault: Vault, recovery: Recovery, signing: SigningKey) -> None:
        self._work, self._vault, self._recovery = work, vault, recovery
        charters = Charters(vault)
        self._circles = CirclesIn(charters, Pen(charters, signing), work.clock)

    async def accept(self, peer: str, log_id: bytes, arrived: Sequence[Arrived]) -> list[str]:
        """Store consecutive lines of a peer in one append.

        Returns:
            For each line "", or why it brought nothing: the code it was refused with, or ``withheld.<reason>``. When
            this returns, they are durable.

        Raises:
            ConflictError: ``entry.stored``: stored before; ``entry.not-verified``: the peer was cut off since its frame
                was opened. The caller's view of the link is behind the log.
            UnavailableError: nothing is known to be stored; offer them again.
        """
        codes: list[str] = []
        posts = [Post(peer, log_id, a) for a in arrived]
        tried = False

        async def do(unit: Unit) -> bytes:
            nonlocal tried
            if tried:
                await _check_new(unit, posts)
            tried = True
            await _check_standing(unit, peer)
            codes[:] = [await self._one(unit, post) for post in posts]
            return b""

        await self._work.run(do)
        return codes

    async def _one(self, unit: Unit, post: Post) -> str:
        at = self._work.clock.now()
        entry = partial(Entry.accept, post.peer, post.log_id, post.arrived.seq, post.arrived.line, at)
        handler = self._handler(post.kind)
        try:
            if handler is None:
                unit.add(await self._unknown(unit, post))
            elif reason := post.withheld:
                unit.add(entry(withheld=reason))
                return reason.code
            else:
                effect = await handler(unit, post)
                unit.add(entry(item=effect.item, text=effect.text))
        except _UNSOUND as error:
            if error.code != NEWER:
                return self._refuse(unit, post, error)
            unit.add(await self._unknown(unit, post))
        return ""

    def _refuse(self, unit: Unit, post: Post, error: RilonError) -> str:
        arrived, at = post.arrived, self._work.clock.now()
        unit.add(Entry.refuse(post.peer, post.log_id, arrived.seq, arrived.line, error.code, at))
        return error.code

    def _handler(self, kind: str) -> Callable[[Unit, Post], Awaitable[_Effect]] | None:
        plain = {
            "release": self._release,
            "superseded": self._superseded,
            "withdrawal": self._end,
            "closure": self._end,
            "directory": self._directory,
            "recall": self._recall,
            "recalled": self._recalled,
            **dict.fromkeys(self._circles.takes_in, self._circle),
            ASK: self._asked,
            "reminder": self._reminder,
        }
        family = {"status": self._status, "reply": self._reply, "recall": self._recall}
        name, dot, _ = kind.partition(".")
        if kind.startswith(ANSWER):
            return self._answered
        return plain.get(kind) or (family.get(name) if dot else None)

    async def _release(self, unit: Unit, post: Post) -> _Effect:
        directory = await unit.get(Directory, DIRECTORY_ID)
        sender = await unit.get(PeerNode, peer_id(post.peer))
        keys = {o: approver_key(k) for o, k in sender.approvers.items()}
        listing = sender.listing(directory.standing(post.peer))
        got = check_release(post.arrived.attachment, post.digests, directory.me, listing, keys)
        at = self._work.clock.now()
        holding = await unit.find(Holding, holding_id(post.peer, got.item))
        _check_fork(holding, got, post.digests[0])
        first, *more = await self._keep(unit, got, post.digests[0], holding)
        if holding is None:
            unit.add(holding := Holding.grant(post.peer, got.item, first, at))
        else:
            holding.grant_more(first, at)
        for edition in more:
            holding.grant_more(edition, at)
        return _Effect(got.item)

    async def _keep(self, unit: Unit, got: Received, digest: bytes, holding: Holding | None) -> tuple[HeldEdition, ...]:
        """Keep the sections under keys of our own; one that an earlier release brought is kept already.

        One that was held and has to go, or has gone, comes to a slot of its own: the erasure may still be under way.
        """
        origin, at = got.manifest.origin, self._work.clock.now()
        grants = holding.grants if holding else Grants()
        held = {s.sealed.slot: s.sealed for e in grants.editions for s in e.sections}
        over = held.keys() - grants.slots(at)
        slots: dict[bytes, ReceivedSection] = {}
        for received in got.sections:
            slot, again = received_slot(origin, digest, received.leaf.position), 0
            while slot in over:
                again += 1
                slot = received_slot(origin, digest, received.leaf.position, again)
            slots[slot] = received
        fresh = {slot: s for slot, s in slots.items() if slot not in held}
        adopted = await self._vault.adopt({slot: s.sealed for slot, s in fresh.items() if not s.awaited})
        adopted |= await self._vault.expect(
            {
                slot: (s.sealed, parcel_of(slot, got, digest, s.leaf.position, s.leaf.digest))
                for slot, s in fresh.items()
                if s.awaited
            }
        )
        unit.keep(*(wrap for _, wrap in adopted.values()))
        kept = held | {slot: sealed for slot, (sealed, _) in adopted.items()}
        sections = tuple(
            SectionRef(s.leaf.position, Sensitivity(s.leaf.sensitivity), kept[slot], s.leaf.salt, s.path)
            for slot, s in slots.items()
        )
        return held_editions(got, digest, sections)

    async def _superseded(self, unit: Unit, post: Post) -> _Effect:
        old, new = post.two
        if holding := await self._holding(unit, post):  # of which we may hold an older version than the old one
            holding.supersede(old, new, self._work.clock.now())
        return _Effect(post.item)

    async def _end(self, unit: Unit, post: Post) -> _Effect:
        holding, state = await self._holding(unit, post), _ENDS[post.kind]
        if holding and holding.state != state:  # a restored node says again under its new log what it said before
            holding.end(state, self._work.clock.now())
        return _Effect(post.item)

    async def _recall(self, unit: Unit, post: Post) -> _Effect:
        """End the grants at once; ``rilon.app.erasures`` destroys their keys and answers, also for what never came."""
        manifest_digest, at = post.digest, self._work.clock.now()
        holding = await unit.find(Holding, holding_id(post.peer, post.item))
        if holding is None:
            unit.add(Holding.bar(post.peer, post.item, manifest_digest, at))
        else:
            holding.recall(manifest_digest, taken_section(post.kind), at)
        return _Effect(post.item)

    async def _recalled(self, unit: Unit, post: Post) -> _Effect:
        """A holder's signed receipt about an item that it was given."""
        manifest_digest, digest = post.two
        alert = await self._own(unit, post)
        directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
        sender = (await unit.get(PeerNode, peer_id(post.peer))).listing(directory.standing(post.peer))
        receipt = take_receipt(post.part("statement"), (manifest_digest, digest), directory.me, alert.id, sender)
        recalls = await unit.find(Recall, recall_id(alert.id))
        if recalls is None:
            unit.add(recalls := Recall.begin(alert.id, at))
        recalls.confirm(receipt, at)
        return _Effect(alert.id)

    async def _reminder(self, unit: Unit, post: Post) -> _Effect:
        return _Effect(await self._recovery.take(unit, post.peer, post.digests, post.arrived.attachment))

    async def _holding(self, unit: Unit, post: Post) -> Holding | None:
        """What we hold of the line's item; None when its release was withheld, because it was over before it came."""
        return await unit.find(Holding, holding_id(post.peer, post.item))

    async def _own(self, unit: Unit, post: Post) -> Alert:
        """The item of ours a peer answers to. Raises NotFoundError ``entry.unknown-item``: none that it was given."""
        alert, disclosure = await unit.find(Alert, post.item), await unit.find(Disclosure, disclosure_id(post.item))
        given = disclosure is not None and post.peer in disclosure.holders
        if alert is None or not given or all(e.digest != post.digests[0] for e in alert.editions):
            raise NotFoundError("entry.unknown-item", "A line is about an item that is not ours.")
        return alert

    async def _status(self, unit: Unit, post: Post) -> _Effect:
        return _Effect((await self._own(unit, post)).id)

    async def _reply(self, unit: Unit, post: Post) -> _Effect:
        alert = await self._own(unit, post)
        words, sealed = post.words(REPLY)
        check_text(utf8(words), max_chars=REPLY_LIMIT, received=True)
        return _Effect(alert.id, await self._adopt(unit, post, sealed))

    async def _asked(self, unit: Unit, post: Post) -> _Effect:
        alert, me = await self._own(unit, post), (await unit.get(Directory, DIRECTORY_ID)).me
        words, sealed = post.words(ASK)
        request = read_ask(post.peer, *post.two, words)
        kept = await self._adopt(unit, post, sealed)
        await take_ask(unit, me, alert.id, request, kept, self._work.clock.now())
        return _Effect(alert.id)

    async def _answered(self, unit: Unit, post: Post) -> _Effect:
        _, request = post.two
        await take_answer(unit, post.peer, post.item, request, post.kind, self._work.clock.now())
        return _Effect(post.item)

    async def _adopt(self, unit: Unit, post: Post, sealed: SealedSection) -> Sealed:
        """Keep a text in a slot of ours."""
        # With the peer's name: it chooses its log id, and could choose another Member's, to take that one's slots.
        slot = labels.digest(labels.SLOT, post.peer.encode(), post.log_id, post.arrived.seq.to_bytes(8, "big"))
        (kept, wrap) = (await self._vault.adopt({slot: sealed}))[slot]
        unit.keep(wrap)
        return kept

    async def _directory(self, unit: Unit, post: Post) -> _Effect:
        directory, peer = await unit.get(Directory, DIRECTORY_ID), await unit.get(PeerNode, peer_id(post.peer))
        raw, known, at = post.part("statement"), peer.identity, self._work.clock.now()
        said = statement.parse(raw)
        if post.digests != (said.digest,):
            raise ProofError("entry.directory", "This is not the statement that the line names.")
        if said.kind == IDENTITY:
            identity = read_identity(raw)
            if (identity.member, identity.root) != (known.member, known.root):
                raise ProofError("directory.root", "This identity is not signed by the root that we know.")
            directory.take_in(peer, identity, raw, at)
        else:
            roster, digest = read_roster(raw, known)
            peer.change_roster(roster, raw, digest, at)
        return _Effect()

    async def _circle(self, unit: Unit, post: Post) -> _Effect:
        await self._circles.takes_in[post.kind](unit, post.peer, post.arrived.line, post.arrived.attachment)
        return _Effect()

    async def _unknown(self, unit: Unit, post: Post) -> Entry:
        """Keep a line of a newer kind whole: its attachments in one sealed slot."""
        arrived = post.arrived
        owner = f"{post.peer}:{post.log_id.hex()}:{arrived.seq}"
        sealed, wrap = await self._vault.seal("entry.unknown", owner, strict.dumps(dict(arrived.attachment)))
        unit.keep(wrap)
        at = self._work.clock.now()
        return Entry.keep_unknown(post.peer, post.log_id, arrived.seq, arrived.line, sealed, at)


async def _check_new(unit: Unit, posts: Sequence[Post]) -> None:
    """What moved may have been these very lines, stored by another process: deciding again would not help."""
    for post in posts:
        if await unit.find(Entry, entry_id(post.peer, post.log_id, post.arrived.seq)):
            raise ConflictError("entry.stored", "This line was stored before.")


async def _check_standing(unit: Unit, peer: str) -> None:
    """Judged and guarded with the append: in our log nothing of a peer stands after its revocation."""
    if (await unit.get(Directory, DIRECTORY_ID)).standing(peer) != "verified":
        raise ConflictError("entry.not-verified", "This peer is not verified, or not any more.")


def _check_fork(holding: Holding | None, got: Received, digest: bytes) -> None:
    """Two manifests for one version, or two children of one manifest, are two truths (protocol.md, Item)."""
    for held in holding.grants.editions if holding else ():
        if not _one_truth(held, got.manifest, digest):
            raise ProofError("release.fork", "A Member says two different things under one version.")


def _one_truth(held: HeldEdition, coming: manifest.Manifest, digest: bytes) -> bool:
    """Whether a version that comes fits one that is held, in whichever order they came."""
    match held.version - coming.version:
        case 0:
            return held.digest == digest
        case -1:
            return held.digest == coming.corrects
        case 1:
            return manifest.read(statement.parse(held.manifest).body).corrects == digest
    return True
