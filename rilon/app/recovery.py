"""What this log had forgotten, and its peers had not: our own statements, returned by who holds them.

A log that goes on after a restore knows nothing of what was posted and released after its backup. Each holder returns
what we signed and granted to it (docs/spec/links.md, Reminders), and from that it can be withdrawn, corrected and
recalled again. Nothing is believed that our own signing keys did not sign, so a hostile peer gives nothing back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from rilon.app.editions import Editions
from rilon.app.received import check_words
from rilon.app.unit import Unit, Work
from rilon.crypto import manifest, release, statement, strict
from rilon.crypto.keys import VerifyKey
from rilon.crypto.statement import Statement
from rilon.domain.alert import Alert
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.disclosure import Disclosure, disclosure_id
from rilon.domain.draft import GrantRecord
from rilon.domain.forgotten import Forgotten
from rilon.domain.values import Role, Sensitivity
from rilon.errors import ConflictError, MalformedError, ProofError

READERS = (f"role:{Role.FOCAL_POINT}", f"role:{Role.PROTECTION}")
"""Who knows of a recovered item here: whom its author had in mind is forgotten."""


def check_reminder(
    attached: Mapping[str, bytes], digests: tuple[bytes, ...], holder: str, signed_by: Collection[bytes]
) -> tuple[manifest.Manifest, Forgotten]:
    """Check that we signed a release and granted it to the Member that returns it.

    Args:
        attached: ``manifest``, ``release``, ``grant``, ``position``, ``path``, and ``leaf.<n>`` and ``path.<n>``.
        digests: of the line: manifest, release.
        signed_by: every signing key we ever had.

    Raises:
        MalformedError: ``reminder.part``, ``cbor.*``, ``release.newer``.
        ProofError: ``reminder.signature``: not ours; ``reminder.digests``: other statements than the line names;
            ``reminder.manifest``: a release of another item; ``reminder.holder``: granted to another; ``tree.path``.
    """
    said = ours(_part(attached, "manifest"), manifest.KIND, signed_by)
    released = ours(_part(attached, "release"), release.KIND, signed_by)
    if digests != (said.digest, released.digest):
        raise ProofError("reminder.digests", "These are not the statements that the line names.")
    of_item, body = manifest.read(said.body), release.read(released.body).body
    if body.manifest != said.digest:
        raise ProofError("reminder.manifest", "A release lets another item go.")
    position = _part(attached, "position")
    if len(position) != 1:
        raise MalformedError("reminder.part", "A place among 128 takes one byte.")
    record = GrantRecord(_part(attached, "grant"), position[0], _part(attached, "path"))
    grant = release.verify_grant(body, record.grant, record.position, record.path)
    if grant.recipient != holder:
        raise ProofError("reminder.holder", "A grant is to another Member than the one that returns it.")
    places = [n for n in grant.leaves if f"leaf.{n}" in attached]
    leaves = tuple((attached[f"leaf.{n}"], _part(attached, f"path.{n}")) for n in places)
    return of_item, Forgotten(
        holder=holder,
        version=said.digest,
        manifest=attached["manifest"],
        digest=released.digest,
        release=attached["release"],
        grant=record,
        leaves=leaves,
        sections=_sections(of_item, places, leaves),
    )


def _sections(
    of_item: manifest.Manifest, places: list[int], leaves: tuple[tuple[bytes, bytes], ...]
) -> tuple[Sensitivity, ...]:
    found = [manifest.verify_leaf(of_item, leaf, path) for leaf, path in leaves]
    if not found:
        raise MalformedError("reminder.part", "A release came back without any leaf.")
    if [leaf.position for leaf in found] != places:
        raise ProofError("tree.path", "A section stands at another place than was granted.")
    names = {leaf.sensitivity for leaf in found}
    return tuple(s for s in Sensitivity if s in names)


def _part(attached: Mapping[str, bytes], name: str) -> bytes:
    if name not in attached:
        raise MalformedError("reminder.part", f"A release came back without its {name.partition('.')[0]}.")
    return attached[name]


def kept_of(found: Forgotten) -> dict[str, bytes]:
    """What came beside the line that brought it, as ``check_reminder`` reads it."""
    record = found.grant
    leaves = {f"leaf.{_place(leaf)}": leaf for leaf, _ in found.leaves}
    paths = {name.replace("leaf", "path"): path for name, (_, path) in zip(leaves, found.leaves, strict=True)}
    signed = {"manifest": found.manifest, "release": found.release, "grant": record.grant}
    return signed | {"position": record.position.to_bytes(1, "big"), "path": record.path} | leaves | paths


def _place(leaf: bytes) -> int:
    return strict.decode(leaf, manifest.SectionLeaf, limit=len(leaf)).position


def ours(raw: bytes, kind: str, signed_by: Collection[bytes]) -> Statement:
    """A statement that we signed, by any key we ever had. Raises ProofError ``reminder.signature``."""
    for key in sorted(signed_by):
        try:
            return statement.verify(raw, VerifyKey(key), kind)
        except ProofError:
            continue
    raise ProofError("reminder.signature", "This is not signed by any key of ours.")


class Recovery:
    """Knows again what holders prove."""

    def __init__(self, work: Work, editions: Editions) -> None:
        self._work, self._editions = work, editions

    async def take(self, unit: Unit, peer: str, digests: tuple[bytes, ...], attached: Mapping[str, bytes]) -> UUID:
        """Take in one release that a peer returns; the item.

        Raises:
            ConflictError: ``reminder.unasked``: this log was never restored, so it has forgotten nothing;
                ``reminder.known``: it holds that release.
            MalformedError, ProofError: see ``check_reminder``.
        """
        directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
        if not directory.renewed:
            raise ConflictError("reminder.unasked", "This log has forgotten nothing.")
        said, found = check_reminder(attached, digests, peer, directory.signed_by)
        check_words(said, directory.own.identity.world)
        item = UUID(bytes=said.item)
        disclosure = await unit.find(Disclosure, disclosure_id(item))
        if disclosure is None:
            unit.add(disclosure := Disclosure.resume(item, said.digest, at))
        disclosure.recover(found, at)
        await self._know(unit, item, said, found.manifest)
        return item

    async def _know(self, unit: Unit, item: UUID, said: manifest.Manifest, signed: bytes) -> None:
        alert, at = await unit.find(Alert, item), self._work.clock.now()
        if alert is not None and any(e.digest == said.digest for e in alert.editions):
            return
        readers = READERS if alert is None else alert.readers
        edition = await self._editions.recover(unit, said, signed, readers)
        if alert is None:
            unit.add(Alert.recover(item, edition, at))
        else:
            alert.recover_edition(edition, at)
