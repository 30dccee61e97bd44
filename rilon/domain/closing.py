"""What is in force of another Member's item; and what a node says when keys of it are gone."""

from __future__ import annotations

from collections.abc import Iterable

from rilon.domain.values import Digest, LogId, Sensitivity, Value


class ClosedSection(Value, frozen=True):
    """A section whose key is gone from this node's database.

    Attributes:
        slot: where it lay. grants: the versions of the holding's stream that had granted it.
        openings: how often that section of that version had been opened here.
    """

    slot: Digest
    sensitivity: Sensitivity
    grants: tuple[int, ...]
    openings: int


class Closing(Value, frozen=True):
    """Keys of one version that are gone.

    Attributes:
        sections: those that went now; none when nothing was held and only an answer is owed.
        kems: 16-byte ids of the KEM keys that frames with these sections may have been sealed to.
        statement: the signed receipt; ``digest``: its name.
    """

    manifest: Digest
    sections: tuple[ClosedSection, ...]
    kems: tuple[LogId, ...]
    statement: bytes
    digest: Digest


def in_force(granted: Iterable[tuple[int, Iterable[Sensitivity]]]) -> dict[Sensitivity, int]:
    """The version in force of each sensitivity: the newest that any grant gave, whoever may read it, and until when.

    Once a newer version was granted with a section of some sensitivity, the older one is dead, or a correction could
    not narrow anything (protocol.md, Release).

    Args:
        granted: of every grant of one item its version and its sensitivities.
    """
    newest: dict[Sensitivity, int] = {}
    for version, sensitivities in granted:
        newest |= {s: max(version, newest.get(s, 0)) for s in sensitivities}
    return newest
