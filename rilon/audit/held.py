"""What a log holds of other Members: let in by the same checks once more, and its keys destroyed as it said."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, singledispatchmethod
from uuid import UUID

from rilon.app.received import check_basis, check_terms, purposes_of
from rilon.audit.sameness import check_paths, same, same_facts
from rilon.audit.signers import Signers
from rilon.crypto import manifest, recall, release
from rilon.crypto.keys import VerifyKey
from rilon.domain.held import HeldEdition
from rilon.domain.holding import Holding
from rilon.domain.values import Line

_key = lru_cache(256)(VerifyKey)


class Held:
    """The fold of what other Members granted."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._held: dict[UUID, tuple[str, UUID]] = {}

    @singledispatchmethod
    def check(self, event: object) -> None:
        """Check one event, and take in what later ones are checked by. Most are about nothing held."""

    @check.register
    def _(self, event: Holding.Granted) -> None:
        self._held[event.originator_id] = event.origin, event.item
        self._check_held(event.origin, event.item, event.edition)

    @check.register
    def _(self, event: Holding.Barred) -> None:
        self._held[event.originator_id] = event.origin, event.item

    @check.register
    def _(self, event: Holding.SectionsClosed) -> None:
        closing = event.closing
        self._check_erased(event.originator_id, closing.statement, closing.manifest, event.to)

    @check.register
    def _(self, event: Holding.SectionsDestroyed) -> None:
        self._check_erased(event.originator_id, event.statement, event.manifest, event.to)

    @check.register
    def _(self, event: Holding.GrantedMore) -> None:
        origin, item = self._held.get(event.originator_id, ("", UUID(int=0)))
        self._check_held(origin, item, event.edition)

    @check.register
    def _(self, event: Holding.Reminded) -> None:
        origin, _ = self._held.get(event.originator_id, ("", None))
        same(event.to, {origin: Line("reminder", (event.manifest, event.release))})

    def _check_erased(self, stream: UUID, raw: bytes, manifest: bytes, to: Mapping[str, Line]) -> None:
        """What this node said to an originator about its keys, by its own signing key."""
        origin, item = self._held.get(stream, ("", UUID(int=0)))
        receipt, digest = recall.verify(raw, _key(self._signers.directory.own.identity.signing), self._signers.member)
        same((receipt.origin, receipt.item, receipt.manifest), (origin, item.bytes, manifest))
        same(to, {origin: Line("recalled", (manifest, digest))})
        self._signers.proved["statements"] += 1

    def _check_held(self, origin: str, item: UUID, edition: HeldEdition) -> None:
        """A release of another Member, by the code that let it in."""
        sender = self._signers.listing(origin)
        said = self._signers.signed(edition.manifest, sender, manifest.KIND)
        signed = self._signers.signed(edition.release, sender, release.KIND)
        found, released = manifest.read(said.body), release.read(signed.body)
        same((found.origin, found.item, said.digest), (origin, item.bytes, edition.digest))
        same_facts(found, edition)
        same((released.body.manifest, released.body.basis), (said.digest, edition.basis))
        grant = release.verify_grant(released.body, edition.grant, edition.position, edition.path)
        same(grant.readers, edition.readers)
        _check_part(grant, edition)
        check_paths(found, edition.sections)
        check_terms(found, grant, self._signers.member)
        held = frozenset(s.sensitivity for s in edition.sections)
        check_basis(found, released, grant, held, sender, self._signers.approvers(origin))
        self._signers.proved["approvals"] += len(released.approvals)


def _check_part(grant: release.Grant, edition: HeldEdition) -> None:
    """The conditions are those that the grant gives just these sections under. Raises ProofError."""
    places = {s.position for s in edition.sections} | set(edition.withheld)
    said = [
        (purposes_of(part), part.onward, part.court, part.until, part.caveats)
        for part in grant.parts
        if set(part.leaves) == places
    ]
    until = int(edition.until.timestamp())
    same(said, [(edition.purposes, edition.onward, edition.court, until, edition.added)])
