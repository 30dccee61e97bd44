"""What comes in about circles: charters from their chairs, a co-chair's consent, and the word that we are out."""

from __future__ import annotations

from rilon.app.charters import (
    Charters,
    Papers,
    Pen,
    check_activation,
    instant,
    other_co_chair,
    part,
    read_charter,
    read_consent,
    to_all,
    to_left,
)
from rilon.app.ports import Clock
from rilon.app.unit import Unit
from rilon.domain.circle import Charter, Circles, Consent, circles_id, ref_of
from rilon.domain.directory import DIRECTORY_ID, Directory, PeerNode, peer_id
from rilon.domain.identity import Identity
from rilon.domain.values import Line
from rilon.errors import MalformedError, NotFoundError, ProofError

_CIRCLE_BYTES = 16


class CirclesIn:
    """Takes in what comes in about circles.

    Attributes:
        takes_in: how, by the kind of the line.
    """

    def __init__(self, charters: Charters, pen: Pen, clock: Clock) -> None:
        self._charters, self._pen, self._clock = charters, pen, clock
        self.takes_in = {
            "circle": self.charter,
            "circle.consent": self.consent,
            "circle.leave": self.leave,
            "circle.left": self.left,
        }

    async def charter(self, unit: Unit, peer: str, line: Line, attached: Papers) -> None:
        """Keep a charter that makes us a member, if it says something new.

        Raises:
            MalformedError, ProofError: it does not hold, or is not for us. ConflictError: ``circle.too-many``.
        """
        me = await unit.get(Directory, DIRECTORY_ID)
        sender = await unit.get(PeerNode, peer_id(peer))
        charter, digest = read_charter(part(attached, "charter"), sender.identity)
        _check_line(line, digest)
        if me.me not in charter.members:
            raise ProofError("circle.not-a-member", "A charter came to somebody whom it does not name.")
        state = await self._state(unit, me, charter, digest, attached)
        circles, at = await self._circles(unit, peer), self._clock.now()
        if circles.news(charter, digest, state):
            kept = {name: attached[name] for name in ("charter", "consent") if name in attached}
            sealed, wrap = await self._charters.seal(charter.ref, kept)
            unit.keep(wrap)
            circles.write(charter, digest, sealed, state, instant(charter.ends), at)

    async def consent(self, unit: Unit, peer: str, line: Line, attached: Papers) -> None:
        """Activate a consultation of ours that the other co-chair has signed now, and tell its members.

        Raises:
            NotFoundError: ``circle.unknown``: none waits for it. MalformedError, ProofError: it does not hold.
        """
        me = (await unit.get(Directory, DIRECTORY_ID)).me
        data = part(attached, "consent")
        consent, digest = read_consent(data, (await unit.get(PeerNode, peer_id(peer))).identity)
        _check_line(line, digest)
        circles, at = await self._circles(unit, me), self._clock.now()
        held = circles.circles.get(consent.circle)
        if held is None or consent.chair != me or held.stands(at) != "proposed":
            raise NotFoundError("circle.unknown", "A line is about a circle that does not wait for it.")
        ref = ref_of(me, consent.circle)
        papers = await self._charters.papers(ref, held.sealed)
        charter = await self._charters.read(ref, held)
        check_activation(charter, held.digest, consent)
        sealed, wrap = await self._charters.seal(ref, dict(papers) | {"consent": data})
        unit.keep(wrap)
        to = {m: Line(line.kind, (held.digest,)) for m, line in to_all(charter).items()}
        circles.write(charter, held.digest, sealed, "live", held.ends_at, at, to=to)

    async def left(self, unit: Unit, peer: str, _: Line, attached: Papers) -> None:
        """The chair has taken us off: from here on the circle is absent. Raises MalformedError ``circle.id``."""
        circles = await unit.find(Circles, circles_id(peer))
        if (circle := _circle(attached)) and circles is not None:
            circles.leave(circle, self._clock.now())

    async def leave(self, unit: Unit, peer: str, _: Line, attached: Papers) -> None:
        """A member of a circle of ours leaves it: write the next charter without them, and tell everybody.

        Of a circle that is absent, over, or without this peer nothing is said either way: the chair may have taken them
        off while their line was under way.

        Raises:
            MalformedError: ``circle.id``. ProofError ``circle.co-chair``: both stay in a consultation.
        """
        me, circle = (await unit.get(Directory, DIRECTORY_ID)).me, _circle(attached)
        circles, at = await unit.find(Circles, circles_id(me)), self._clock.now()
        held = circles.circles.get(circle) if circles is not None else None
        if circles is None or held is None or held.stands(at) != "live":
            return
        ref = ref_of(me, circle)
        old = await self._charters.read(ref, held)
        if peer not in old.others:
            return
        if old.kind == "consultation" and peer == other_co_chair(me):
            raise ProofError("circle.co-chair", "Both co-chairs are in a consultation until its end.")
        charter = old.following(held.digest, without=peer)
        to = to_all(charter) | to_left(old, charter, held.digest)
        await self._pen.write(unit, circles, charter, await self._pen.following(ref, held), to, at)

    async def _state(self, unit: Unit, me: Directory, charter: Charter, digest: bytes, attached: Papers) -> str:
        """A consultation lives by two signatures; with one of them only the other co-chair may see it."""
        if charter.kind == "consultation":
            other = other_co_chair(charter.chair)
            if other not in charter.members:
                raise ProofError("circle.co-chair", "A consultation without the other co-chair.")
            if "consent" not in attached:
                if me.me != other or charter.version != 1:
                    raise ProofError("circle.consent", "A consultation that one co-chair alone signed.")
                return "proposed"
            check_activation(charter, digest, await self._consented(unit, me, other, attached["consent"]))
        return "live" if charter.outcome is None else "closed"

    async def _consented(self, unit: Unit, me: Directory, other: str, data: bytes) -> Consent:
        return read_consent(data, await _identity(unit, me, other))[0]

    async def _circles(self, unit: Unit, chair: str) -> Circles:
        found = await unit.find(Circles, circles_id(chair))
        if found is None:
            found = Circles.begin(chair, self._clock.now())
            unit.add(found)
        return found


async def _identity(unit: Unit, me: Directory, member: str) -> Identity:
    """A Member's identity as people verified it. Raises ProofError ``circle.co-chair-unverified``."""
    if member == me.me:
        return me.own.identity
    found = await unit.find(PeerNode, peer_id(member))
    if found is None or me.standing(member) != "verified":
        raise ProofError("circle.co-chair-unverified", "The other co-chair's node is not verified here.")
    return found.identity


def _circle(attached: Papers) -> bytes:
    circle = part(attached, "circle")
    if len(circle) != _CIRCLE_BYTES:
        raise MalformedError("circle.id", "A circle's id has 16 bytes.")
    return circle


def _check_line(line: Line, digest: bytes) -> None:
    if line.digests != (digest,):
        raise ProofError("circle.digest", "This is not the statement that the line names.")
