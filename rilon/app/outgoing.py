"""What travels beside a line: gathered when it is sealed, from what is live then (protocol.md, Links).

A line is chained for ever; what is attached to it is not. What was withdrawn, closed, corrected, erased or has expired
since, or is for a recipient that was revoked, goes as ``withheld`` with the reason, so that the sequence stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from rilon.app.charters import Charters
from rilon.app.ports import Clock
from rilon.app.unit import Work
from rilon.app.vault import Vault
from rilon.crypto import manifest, release, statement, strict
from rilon.domain.alert import Alert, Edition, SectionRef
from rilon.domain.base import Event
from rilon.domain.circle import Circles, ref_of
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.entry import Withheld
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.onward import Onward
from rilon.domain.recall import Recall, recall_id
from rilon.domain.values import Sensitivity
from rilon.errors import FatalError, NotFoundError, ProofError

Attachment = dict[str, bytes]

WITHHELD = "withheld"

SMALL_BYTES: Final = 32 * 1024
"""A ciphertext above this comes in pieces, on want."""


def leaf_of(section: SectionRef) -> bytes:
    """The section's leaf as the manifest commits to it."""
    sealed = section.sealed
    return strict.encode(
        manifest.SectionLeaf(section.position, section.salt, section.sensitivity, sealed.digest, sealed.commitment)
    )


def release_of(edition: HeldEdition) -> tuple[bytes, bytes]:
    """Digests of the manifest and of the release that brought it."""
    return edition.digest, statement.parse(edition.release).digest


class Outgoing:
    """Gathers attachments."""

    def __init__(self, work: Work, vault: Vault, clock: Clock) -> None:
        self._work, self._vault, self._clock = work, vault, clock

    async def attach(self, event: Event, peer: str) -> Attachment:
        """What goes beside the line that ``event`` addresses to ``peer``."""
        directory = await self._work.read(Directory, DIRECTORY_ID)
        if directory.standing(peer) == "revoked":
            return _withheld(Withheld.REVOKED)
        if isinstance(event, Disclosure.Released):
            return await self._release(event, peer)
        if isinstance(event, Holding.Replied | Onward.Asked):
            return await self._reply(event)
        if isinstance(event, Circles.Written | Circles.Consented):
            return await self._papers(event, peer)
        if isinstance(event, Directory.Verified):
            return {"statement": directory.own.identity_statement}
        return await self._small(event)

    async def _small(self, event: Event) -> Attachment:
        """What is at hand: statements that the event holds or names, the id of its item or circle, or both."""
        if isinstance(event, Holding.SectionsClosed | Holding.SectionsDestroyed):
            signed = event.closing.statement if isinstance(event, Holding.SectionsClosed) else event.statement
            return {"item": (await self._item(event)).bytes, "statement": signed}
        if isinstance(event, Directory.RosterChanged | Directory.IdentityChanged):
            return {"statement": event.statement}
        if isinstance(event, Circles.Resigned):
            return {"circle": event.circle}
        if isinstance(event, Holding.Reminded):
            return await self._reminder(event)
        return {"item": (await self._item(event)).bytes}

    async def piece(self, peer: str, item: bytes, manifest: bytes, place: int, digest: bytes) -> bytes | None:
        """Slot of a ciphertext that this peer may have now; None: absent, not granted, or not any more, told alike."""
        item_id = UUID(bytes=item)
        alert = await self._work.seek(Alert, item_id)
        disclosure = await self._work.seek(Disclosure, disclosure_id(item_id))
        if alert is None or disclosure is None:
            return None
        now, recalls = self._clock.now(), await self._work.seek(Recall, recall_id(item_id))
        given = [
            some if recalls is None else {s for s in some if not recalls.took(peer, of, s)}
            for (to, of), (version, some) in disclosure.granted.items()
            if (to, version) == (peer, manifest)
        ]
        for edition in (e for e in alert.editions if not _over(alert, e, e.expires_at.timestamp(), now)):
            for section in edition.sections if edition.digest == manifest else ():
                granted = any(section.sensitivity in some for some in given)
                if granted and (section.position, section.sealed.digest) == (place, digest):
                    return section.sealed.slot
        return None

    async def _item(self, event: Event) -> UUID:
        """The item an event is about."""
        if isinstance(event, Alert.Corrected | Alert.Withdrawn | Alert.Closed):
            return UUID(bytes=event.originator_id.bytes)
        if isinstance(event, Recall.Ordered):
            return event.item
        if isinstance(event, Onward.Asked | Onward.Answered):
            return (await self._work.read(Onward, event.originator_id, fresh=False)).item
        return (await self._work.read(Holding, event.originator_id, fresh=False)).item

    async def _papers(self, event: Circles.Written | Circles.Consented, peer: str) -> Attachment:
        """A circle's papers in force: of older versions a peer that is out by now must see nothing."""
        if event.to[peer].kind == "circle.left":
            return {"circle": event.circle}
        circles = await self._work.read(Circles, event.originator_id)
        circle = circles.circles[event.circle]
        if isinstance(event, Circles.Written) and circle.sealed != event.sealed:
            return _withheld(Withheld.SUPERSEDED)
        try:
            return dict(await Charters(self._vault).papers(ref_of(circles.chair, event.circle), event.sealed))
        except NotFoundError:
            return _withheld(Withheld.ERASED)

    async def _reply(self, event: Holding.Replied | Onward.Asked) -> Attachment:
        slot = event.text.slot
        keys, ciphertexts = await self._vault.keys([slot]), await self._vault.ciphertexts([slot])
        key = keys[slot]
        if not isinstance(key, bytes) or slot not in ciphertexts:
            return _withheld(Withheld.ERASED)
        item = (await self._item(event)).bytes
        return {"item": item, "key": key, "commitment": event.text.commitment, "ciphertext": ciphertexts[slot]}

    async def _reminder(self, event: Holding.Reminded) -> Attachment:
        """What the originator signed itself, with its own grant and leaves: statements only, never keys."""
        holding = await self._work.read(Holding, event.originator_id)
        parts = [e for e in holding.grants.editions if release_of(e) == (event.manifest, event.release)]
        edition = parts[0]
        found = {"manifest": edition.manifest, "release": edition.release, "grant": edition.grant}
        for section in (s for part in parts for s in part.sections):
            found |= {f"leaf.{section.position}": leaf_of(section), f"path.{section.position}": section.path}
        return found | {"position": edition.position.to_bytes(1, "big"), "path": edition.path}

    async def _release(self, event: Disclosure.Released, peer: str) -> Attachment:
        granted = event.grants[peer]
        grant = release.read_grant(granted.grant)
        alert, edition = await self._edition(event)
        now = self._clock.now()
        if over := _over(alert, edition, grant.until, now):
            return _withheld(over)
        recalls = await self._work.seek(Recall, recall_id(alert.id))
        wanted = [s for s in edition.sections if s.position in grant.leaves]
        gone = {s.position: Withheld.EXPIRED for s in wanted if grant.part(s.position).until <= now.timestamp()}
        taken = {s.position for s in wanted if recalls and recalls.took(peer, event.digest, s.sensitivity)}
        gone |= dict.fromkeys(taken, Withheld.RECALLED)
        sections = await self._sections([s for s in wanted if s.position not in gone])
        if not any(name.startswith("key.") for name in sections):
            return _withheld(Withheld.RECALLED if taken else Withheld.ERASED)
        sections |= {f"{WITHHELD}.{place}": why.encode() for place, why in gone.items()}
        position = granted.position.to_bytes(1, "big")
        signed = {"manifest": edition.manifest, "release": event.release}
        return signed | {"grant": granted.grant, "position": position, "path": granted.path} | sections

    async def _edition(self, event: Disclosure.Released) -> tuple[Alert, Edition]:
        """The alert as it stands now, and the version of it that was released. An item's id never changes."""
        item = (await self._work.read(Disclosure, event.originator_id, fresh=False)).item
        alert = await self._work.read(Alert, item)
        for edition in alert.editions:
            if edition.digest == event.manifest:
                return alert, edition
        raise FatalError("log.release-without-edition", "A release names a version that its alert does not have.")

    async def _sections(self, wanted: Sequence[SectionRef]) -> Attachment:
        """Leaf, path, key and ciphertext of each granted section; of one that is erased, that it is.

        Attachments whose ciphertext is large come without it: it is asked for, piece by piece (see ``piece``).
        """
        slots = [s.sealed.slot for s in wanted]
        keys, ciphertexts = await self._vault.keys(slots), await self._vault.ciphertexts(slots, SMALL_BYTES)
        found: Attachment = {}
        for section in wanted:
            key, ciphertext = keys[section.sealed.slot], ciphertexts.get(section.sealed.slot)
            if isinstance(key, ProofError):
                raise key
            if isinstance(key, NotFoundError) or not (ciphertext or section.sensitivity is Sensitivity.ATTACHMENT):
                found[f"{WITHHELD}.{section.position}"] = Withheld.ERASED.encode()
            else:
                found |= _one_section(section, key, ciphertext)
        return found


def _one_section(section: SectionRef, key: bytes, ciphertext: bytes | None) -> Attachment:
    place = section.position
    known = {f"leaf.{place}": leaf_of(section), f"path.{place}": section.path, f"key.{place}": key}
    return known | ({f"ciphertext.{place}": ciphertext} if ciphertext else {})


def _over(alert: Alert, edition: Edition, until: float, now: datetime) -> Withheld | None:
    """Why a release that has not been delivered yet need not go any more; None: it must.

    A recipient of an old version is told of the new one by a line of its own, and gets what is released of that.
    """
    if alert.state != "live":
        return Withheld(alert.state)
    if edition.version < alert.edition.version:
        return Withheld.SUPERSEDED
    ended = now >= edition.expires_at or now.timestamp() >= until
    return Withheld.EXPIRED if ended else None


def _withheld(reason: Withheld) -> Attachment:
    return {WITHHELD: reason.encode()}
