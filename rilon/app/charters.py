"""Charters of circles as bytes: signed, read, sealed at rest, opened again (docs/spec/circles.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from rilon.app.ports import Wrap
from rilon.app.unit import Unit
from rilon.app.vault import Vault
from rilon.crypto import section, statement, strict
from rilon.crypto.keys import SigningKey, VerifyKey
from rilon.domain.circle import (
    NAME_CHARACTERS,
    TEXT_CHARACTERS,
    Charter,
    Circle,
    Circles,
    Consent,
    circles_id,
    co_chairs,
    parse_ref,
)
from rilon.domain.identity import Identity
from rilon.domain.text import check_text
from rilon.domain.values import Line, OfficerId, Sealed
from rilon.errors import InvalidError, MalformedError, NotFoundError, ProofError

T = TypeVar("T")

CHARTER: Final = "circle"
CONSENT: Final = "circle-consent"
CONSENTED: Final = "consent"
_SEALED: Final = "circle.charter"

Papers = Mapping[str, bytes]
"""The statements of a circle by name, as they travel and as they lie sealed: ``charter``, and ``consent`` if needed."""

FindCircles = Callable[[type[Circles], UUID], Awaitable[Circles | None]]
"""How a chair's circles are loaded: guarded, or for reading only."""


def sign_charter(charter: Charter, key: SigningKey) -> tuple[bytes, bytes]:
    """The statement of a charter, and its digest. Raises InvalidError ``statement.size``."""
    signed = statement.sign(CHARTER, strict.encode(charter), key)
    return signed, statement.parse(signed).digest


def read_charter(data: bytes, chair: Identity) -> tuple[Charter, bytes]:
    """Read a charter that this Member's node signed as its chair; the charter and its statement's digest.

    Raises:
        MalformedError: it is none, or holds characters that deceive.
        ProofError: another key signed it; ``circle.chair``: it speaks for another chair; ``circle.world``.
    """
    said = statement.verify(data, VerifyKey(chair.signing), CHARTER)
    charter = strict.decode(said.body, Charter, limit=statement.LIMIT_BYTES)
    if charter.chair != chair.member:
        raise ProofError("circle.chair", "A charter speaks for another Member than its chair.")
    if charter.world != chair.world:
        raise ProofError("circle.world", "Exercise and real circles never mix.")
    check_text(charter.name, max_chars=NAME_CHARACTERS, lines=False, received=True)
    for text in (charter.charter, charter.outcome):
        if text is not None:
            check_text(text, max_chars=TEXT_CHARACTERS, received=True)
    return charter, said.digest


def sign_consent(consent: Consent, key: SigningKey) -> tuple[bytes, bytes]:
    """The statement of a co-chair's consent, and its digest."""
    signed = statement.sign(CONSENT, strict.encode(consent), key)
    return signed, statement.parse(signed).digest


def read_consent(data: bytes, signer: Identity) -> tuple[Consent, bytes]:
    """Read a consent that this Member's node signed; the consent and its statement's digest.

    Raises:
        MalformedError, ProofError: it is none; ``circle.co-chair``: no co-chair signed it, or one that is the chair.
    """
    said = statement.verify(data, VerifyKey(signer.signing), CONSENT)
    consent = strict.decode(said.body, Consent, limit=statement.LIMIT_BYTES)
    if consent.member != signer.member or {consent.member, consent.chair} != set(co_chairs()):
        raise ProofError("circle.co-chair", "A consultation is activated by the two co-chairs.")
    return consent, said.digest


def check_activation(charter: Charter, digest: bytes, consent: Consent) -> None:
    """Check that a consent is for this consultation. Raises ProofError ``circle.consent``."""
    same = (consent.chair, consent.circle) == (charter.chair, charter.circle)
    if not same or (charter.version == 1 and consent.charter != digest):
        raise ProofError("circle.consent", "A co-chair consented to something else.")


def other_co_chair(chair: str) -> str:
    """Who has to sign a consultation beside its chair. Raises ProofError ``circle.co-chair``: the chair is none."""
    others = [m for m in co_chairs() if m != chair]
    if len(others) != 1:
        raise ProofError("circle.co-chair", "Only a co-chair convenes a consultation.")
    return others[0]


def instant(seconds: int) -> datetime:
    """A charter's end as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


class Charters:
    """Keeps the papers of circles sealed at this node."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def seal(self, ref: str, papers: Papers) -> tuple[Sealed, Wrap]:
        """Seal a circle's papers, so that the log names no member of it and nothing it is about."""
        return await self._vault.seal(_SEALED, ref, strict.dumps(dict(papers)))

    async def papers(self, ref: str, sealed: Sealed) -> Papers:
        """A circle's papers. Raises NotFoundError: erased."""
        opened = await self._vault.open(sealed, section.local_context(_SEALED, ref.encode()))
        return strict.decode(opened, dict[str, bytes], limit=section.LIMIT_BYTES)

    async def read(self, ref: str, circle: Circle) -> Charter:
        """The charter in force; its signatures were verified when it came. Raises NotFoundError: erased."""
        papers = await self.papers(ref, circle.sealed)
        return strict.decode(statement.parse(papers["charter"]).body, Charter, limit=statement.LIMIT_BYTES)

    async def find(self, find: FindCircles, ref: str) -> tuple[Circles, Circle, Charter]:
        """A circle that we are in, and its charter. Raises NotFoundError: absent, or not for us; told alike."""
        chair, name = parse_ref(ref)
        circles = await find(Circles, circles_id(chair))
        if circles is None:
            raise NotFoundError
        circle = circles.known(name)
        return circles, circle, await self.read(ref, circle)

    async def addressed(self, find: FindCircles, ref: str, at: datetime) -> Charter | None:
        """The circle that a draft is for; None: for none.

        Raises:
            InvalidError: ``circle.unknown``: absent, not for us, or over; told alike.
        """
        if not ref:
            return None
        try:
            _, circle, charter = await self.find(find, ref)
        except NotFoundError:
            raise _unknown() from None
        if circle.stands(at) != "live":
            raise _unknown()
        return charter


class Pen:
    """Writes the charters that this Member chairs."""

    def __init__(self, charters: Charters, key: SigningKey) -> None:
        self._charters, self._key = charters, key

    async def write(
        self,
        unit: Unit,
        circles: Circles,
        charter: Charter,
        papers: Papers,
        to: Mapping[str, Line],
        at: datetime,
        by: OfficerId | None = None,
    ) -> None:
        """Sign a version, seal it, and address it.

        Args:
            papers: what goes with every version: the consent of the other co-chair.
            to: lines to its recipients; those without a digest name the version's own.
            by: the officer who wrote it; None: the node, because a member has left.
        """
        signed, digest = sign_charter(charter, self._key)
        sealed, wrap = await self._charters.seal(charter.ref, dict(papers) | {"charter": signed})
        unit.keep(wrap)
        waits = charter.kind == "consultation" and CONSENTED not in papers
        state = "proposed" if waits else "live" if charter.outcome is None else "closed"
        lines = {m: line if line.digests else Line(line.kind, (digest,)) for m, line in to.items()}
        circles.write(charter, digest, sealed, state, instant(charter.ends), at, by=by, to=lines)

    async def following(self, ref: str, held: Circle) -> Papers:
        """What goes with the next version too: the other co-chair's consent."""
        papers = await self._charters.papers(ref, held.sealed)
        return {name: data for name, data in papers.items() if name == CONSENTED}


def to_all(charter: Charter) -> dict[str, Line]:
    """Lines to the members; the digest is known once it is signed."""
    return {m: Line("circle") for m in charter.others}


def to_left(old: Charter, new: Charter, last: bytes) -> dict[str, Line]:
    """Who is out learns it by the digest of the last version that it was given, and nothing of the next."""
    return {m: Line("circle.left", (last,)) for m in old.others if m not in new.members}


def part(attached: Papers, name: str) -> bytes:
    """What came beside a line. Raises MalformedError ``entry.part``."""
    if name not in attached:
        raise MalformedError("entry.part", f"A line came without its {name}.")
    return attached[name]


def _unknown() -> InvalidError:
    fix = "See which there are: rilon circle list."
    return InvalidError("circle.unknown", "There is no such circle.", field="audience.circle", fix=fix)
