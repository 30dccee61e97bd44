"""A line that came over a link, and what came beside it, read strictly; what it means is in ``rilon.app.incoming``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from rilon.app.outgoing import WITHHELD
from rilon.app.reading_desk import reply_owner
from rilon.crypto import section
from rilon.crypto.section import SealedSection
from rilon.domain.entry import Withheld
from rilon.domain.values import Line
from rilon.errors import MalformedError, ProofError

_ITEM_BYTES = 16


@dataclass(frozen=True, slots=True)
class Arrived:
    """A peer's line, next in its order, with what came beside it."""

    seq: int
    line: Line
    attachment: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A line being taken in: from whom, and by which of their logs."""

    peer: str
    log_id: bytes
    arrived: Arrived

    @property
    def kind(self) -> str:
        """What the line says."""
        return self.arrived.line.kind

    @property
    def digests(self) -> tuple[bytes, ...]:
        """The things that it says it of."""
        return self.arrived.line.digests

    def part(self, name: str) -> bytes:
        """An attached part. Raises MalformedError ``entry.part``."""
        if name not in self.arrived.attachment:
            raise MalformedError("entry.part", f"A line came without its {name}.")
        return self.arrived.attachment[name]

    @property
    def item(self) -> UUID:
        """The item the line is about. Raises MalformedError."""
        raw = self.part("item")
        if len(raw) != _ITEM_BYTES or not self.digests:
            raise MalformedError("entry.item", "A line names no item.")
        return UUID(bytes=raw)

    @property
    def digest(self) -> bytes:
        """The one thing that the line names. Raises MalformedError ``entry.digests``."""
        (digest,) = self._named(1)
        return digest

    @property
    def two(self) -> tuple[bytes, bytes]:
        """The two things that the line names. Raises MalformedError ``entry.digests``."""
        first, second = self._named(2)
        return first, second

    def _named(self, number: int) -> tuple[bytes, ...]:
        if len(self.digests) != number:
            raise MalformedError("entry.digests", "A line names another number of things than its kind has.")
        return self.digests

    def words(self, purpose: str) -> tuple[bytes, SealedSection]:
        """The words beside the line, which must open and be those that the line names.

        Raises:
            MalformedError: a part is missing. ProofError: ``entry.reply``, or they do not open.
        """
        manifest, named = self.two
        context = section.local_context(purpose, reply_owner(self.peer, manifest).encode())
        key, commitment, ciphertext = self.part("key"), self.part("commitment"), self.part("ciphertext")
        words = section.open_(ciphertext, key, commitment, context)
        sealed = SealedSection(key, ciphertext, sha256(ciphertext).digest(), commitment)
        if sealed.digest != named:
            raise ProofError("entry.reply", "This is not the text that the line names.")
        return words, sealed

    @property
    def withheld(self) -> Withheld | None:
        """Why the sender left out what belongs beside the line; None: it did not. Raises MalformedError."""
        if WITHHELD not in self.arrived.attachment:
            return None
        reason = utf8(self.part(WITHHELD))
        if reason not in set(Withheld):
            raise MalformedError("entry.withheld", "A line was withheld for no known reason.")
        return Withheld(reason)


def utf8(raw: bytes) -> str:
    """A text. Raises MalformedError ``entry.utf8``."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedError("entry.utf8", "A text is not UTF-8.") from None
