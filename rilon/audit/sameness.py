"""What an event says must be what the statement it keeps says."""

from __future__ import annotations

from rilon.app.outgoing import leaf_of
from rilon.crypto import manifest
from rilon.domain.alert import Edition, SectionRef
from rilon.domain.held import HeldEdition
from rilon.errors import ProofError


def same(said: object, recorded: object) -> None:
    """Refuse what differs. Raises ProofError ``event.contradiction``."""
    if said != recorded:
        raise ProofError("event.contradiction", "An event says something else than the statement it keeps.")


def same_facts(found: manifest.Manifest, edition: Edition | HeldEdition) -> None:
    """Refuse an edition that repeats its manifest wrongly. Raises ProofError."""
    said = found.version, found.kind, found.urgency, found.handling.tlp
    same(said, (edition.version, edition.kind, edition.urgency, edition.tlp))


def check_paths(found: manifest.Manifest, sections: tuple[SectionRef, ...]) -> None:
    """Refuse a section that the manifest does not have. Raises ProofError."""
    for section in sections:
        manifest.verify_leaf(found, leaf_of(section), section.path)
