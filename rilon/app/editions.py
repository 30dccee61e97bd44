"""Editions: one version of an item, sealed and signed, with its keys kept by the command that posts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from rilon.app.drafts import Checked, widest
from rilon.app.ports import Entropy
from rilon.app.release import Conditions
from rilon.app.unit import Unit
from rilon.app.vault import Vault
from rilon.crypto import manifest, section, statement
from rilon.crypto.keys import SigningKey
from rilon.domain import attachments
from rilon.domain.alert import Edition, SectionRef
from rilon.domain.attachments import File
from rilon.domain.handling import STATED, Caveat, Handling, Pap, Tlp
from rilon.domain.matrix import Agreed, Asked
from rilon.domain.values import Code, MemberId, Sensitivity, Urgency, Value
from rilon.errors import NotFoundError

_MARKS = "alert.marks"

OF_ONE_SECTION = frozenset({Caveat.CHILD, Caveat.VICTIM_CONSENT})
"""Marks that speak of one section. Every recipient reads the manifest: there they would tell that a victim's or child's
section exists, which protocol.md, Item, keeps from those who are not granted it. They stay in the sealed marks."""


class Marks(Value, frozen=True):
    """What an edition's sealed marks hold: handling with its Member lists, the grants' conditions, the lists' salt.

    Attributes:
        circles: the circle it is for, with those who get it as its members.
    """

    handling: Handling
    conditions: Conditions
    salt: bytes
    consents: dict[Sensitivity, Agreed] = msgspec.field(default_factory=dict)
    circles: dict[Code, frozenset[MemberId]] = msgspec.field(default_factory=dict)

    def asked(self, edition: Edition) -> Asked:
        """What the rules look at of the edition."""
        readers = widest(self.conditions.readers)
        return Asked(
            kind=edition.kind,
            urgency=edition.urgency,
            handling=self.handling,
            readers=readers,
            circles=self.circles,
            consents=self.consents,
            rescue=frozenset(self.conditions.rescue),
        )


class Editions:
    """Seals editions of this node's items and opens what only this node may see of them."""

    def __init__(self, vault: Vault, signing: SigningKey, entropy: Entropy) -> None:
        self._vault, self._signing, self._entropy = vault, signing, entropy

    async def seal(
        self,
        unit: Unit,
        checked: Checked,
        readers: tuple[str, ...],
        origin: str,
        item: UUID,
        corrected: Edition | None = None,
    ) -> Edition:
        """Seal every section, sign the manifest, and keep the keys with this command.

        Args:
            readers: who may read it at this node.
            corrected: the version this one takes the place of.
        """
        salt = self._entropy.bytes(32)
        marks = Marks(checked.handling, checked.conditions, salt, checked.consents, checked.circles)
        head = _head(checked, marks, origin, item, corrected)
        texts = [manifest.SectionDraft(s, content) for s, content in checked.contents.items()]
        drafted = manifest.draft(head, texts, self._entropy.bytes)
        *kept, (sealed, wrap) = await self._vault.keep([*(s.sealed for s in drafted.sections), self._seal(marks, item)])
        unit.keep(wrap, *(w for _, w in kept))
        return Edition(
            version=head.version,
            manifest=statement.sign(manifest.KIND, drafted.body, self._signing),
            digest=drafted.manifest.digest,
            seed=drafted.seed,
            kind=head.kind,
            urgency=checked.urgency,
            tlp=head.handling.tlp,
            pap=head.handling.pap,
            caveats=head.handling.caveats,
            review_at=datetime.fromtimestamp(head.review or head.expiry, UTC),
            expires_at=datetime.fromtimestamp(head.expiry, UTC),
            sections=tuple(
                SectionRef(s.leaf.position, Sensitivity(s.leaf.sensitivity), k, s.leaf.salt, s.path)
                for s, (k, _) in zip(drafted.sections, kept, strict=True)
            ),
            audience=checked.recipients,
            marks=sealed,
            readers=readers,
        )

    async def recover(self, unit: Unit, said: manifest.Manifest, signed: bytes, readers: tuple[str, ...]) -> Edition:
        """A version whose content is at holders only, by the manifest that we signed.

        Its lists of Members were sealed here and are lost: what is made of it goes to nobody else.

        Args:
            signed: the statement. readers: who may know of it at this node.
        """
        marks = _marks_lost(said)
        ((sealed, wrap),) = await self._vault.keep([self._seal(marks, UUID(bytes=said.item))])
        unit.keep(wrap)
        return Edition(
            version=said.version,
            manifest=signed,
            digest=said.digest,
            seed=b"",
            kind=said.kind,
            urgency=Urgency(said.urgency),
            tlp=said.handling.tlp,
            pap=said.handling.pap,
            caveats=said.handling.caveats,
            review_at=datetime.fromtimestamp(said.review or said.expiry, UTC),
            expires_at=datetime.fromtimestamp(said.expiry, UTC),
            sections=(),
            audience=(),
            marks=sealed,
            readers=readers,
        )

    def _seal(self, marks: Marks, item: UUID) -> section.SealedSection:
        context, key = section.local_context(_MARKS, item.hex.encode()), self._entropy.bytes(section.KEY_BYTES)
        return section.seal(msgspec.json.encode(marks, order="deterministic"), context, key)

    async def marks(self, item: UUID, edition: Edition) -> Marks:
        """The sealed marks of an edition, for judging its cells again. Raises NotFoundError once they are erased."""
        opened = await self._vault.open(edition.marks, _marks_context(item))
        return msgspec.json.decode(opened, type=Marks)

    async def files(self, origin: str, item: UUID, edition: Edition) -> tuple[File, ...]:
        """The files of an edition, for the next one. Raises NotFoundError once they are erased."""
        ref = edition.section(Sensitivity.ATTACHMENT)
        if ref is None:
            return ()
        context = section.item_context(origin, item.bytes, edition.version, ref.position, ref.sensitivity)
        return attachments.decode(await self._vault.open(ref.sealed, context))

    async def marks_of(self, wanted: Sequence[tuple[UUID, Edition]]) -> list[Marks | None]:
        """The sealed marks of many editions, in order; None where they are erased. Raises ProofError as ``marks``."""
        outcomes = await self._vault.open_many([(e.marks, _marks_context(item)) for item, e in wanted])
        found: list[Marks | None] = []
        for opened in outcomes:
            if isinstance(opened, bytes):
                found.append(msgspec.json.decode(opened, type=Marks))
            elif isinstance(opened, NotFoundError):
                found.append(None)
            else:
                raise opened
        return found


def _marks_lost(said: manifest.Manifest) -> Marks:
    """The marks of a recovered version, as far as its manifest tells them; for nobody but us."""
    caveats = {Caveat(c) for c in said.handling.caveats if c in set(Caveat)}
    handling = Handling(
        tlp=Tlp(said.handling.tlp),
        pap=Pap(said.handling.pap) if said.handling.pap in set(Pap) else Pap.RED,
        caveats=frozenset(caveats - STATED),
        rel_to=frozenset({said.origin}),
        expires_at=datetime.fromtimestamp(said.expiry, UTC),
    )
    return Marks(handling, Conditions((), (), "no", "no"), said.handling.lists)


def _marks_context(item: UUID) -> bytes:
    return section.local_context(_MARKS, item.hex.encode())


def _head(checked: Checked, marks: Marks, origin: str, item: UUID, corrected: Edition | None) -> manifest.Head:
    handling, grade = checked.handling, checked.grade
    return manifest.Head(
        format=1,
        origin=origin,
        item=item.bytes,
        version=corrected.version + 1 if corrected else 1,
        corrects=corrected.digest if corrected else None,
        kind=checked.kind.code,
        urgency=checked.urgency,
        handling=_wire_handling(handling, marks.salt),
        grade=manifest.Grade(grade.scheme, grade.source or None, grade.information) if grade else None,
        review=_seconds(handling.review_by or handling.expires_at),
        expiry=_seconds(handling.expires_at),
    )


def _wire_handling(handling: Handling, salt: bytes) -> manifest.Handling:
    """The marks as every recipient sees them: the Member lists only as a salted commitment."""
    lists = manifest.MemberLists(
        rel_to=None if handling.rel_to is None else tuple(sorted(handling.rel_to)),
        not_to=tuple(sorted(handling.not_to)),
        no_origin_state=tuple(sorted(handling.no_origin_states)),
    )
    return manifest.Handling(
        tlp=handling.tlp,
        pap=handling.pap,
        caveats=tuple(sorted(handling.codes - OF_ONE_SECTION)),
        purposes=tuple(sorted(handling.purposes or ())),
        lists=manifest.commit_lists(lists, salt),
    )


def _seconds(instant: datetime | None) -> int:
    assert instant is not None
    return int(instant.timestamp())
