"""Circles: closed groups of Members with a charter, a chair and an end (docs/spec/circles.md).

A charter is a statement of its chair's node, and reaches its members only. What it says, Members' names included, lies
sealed at every node; the log knows that there is a circle, which version of its charter, and when it ends. The chair
alone writes versions, each naming the one before, so that they converge wherever they arrive.

One stream holds the circles of one chair, so that nobody's circles make decisions about another's wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta, structs

from rilon.domain.base import Opening, Root, natural_id
from rilon.domain.members import MEMBERS
from rilon.domain.values import Code, Digest, Instant, Line, LogId, MemberId, OfficerId, Sealed, Value
from rilon.errors import ConflictError, NotFoundError, ProofError

CircleKind = Literal["group", "operation", "consultation"]
CircleRef = Annotated[str, Meta(pattern=r"\A[a-z]{2,12}\.[0-9a-f]{32}\Z")]
"""How people and programs name a circle, at every node alike: its chair, and 32 hex digits that nobody guesses."""

NAME_CHARACTERS = 200
TEXT_CHARACTERS = 4000
MAX_CIRCLES = 128
"""Circles of one chair that a node keeps."""

_Number = Annotated[int, Meta(ge=1, le=2**31)]
_Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]
_Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS)]
_Text = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS)]
_Themes = Annotated[tuple[Code, ...], Meta(min_length=1, max_length=16)]
_Several = Annotated[tuple[MemberId, ...], Meta(min_length=1, max_length=128)]
_Some = Annotated[tuple[MemberId, ...], Meta(max_length=128)]


class Charter(Value, frozen=True):
    """What a charter's statement says.

    Attributes:
        circle: 16 random bytes; with the chair they name the circle.
        version: from 1; ``previous``: digest of the version before, None for the first.
        name, charter: what it is called and what it is for, in words. purpose, themes: the same in codes.
        members: sorted, the chair among them; the chair alone once all others have left.
        admitted: those of them to whom older items may be given as well.
        ends: seconds since 1970; from then on it is over by itself.
        outcome: what came of it; a version with an outcome closes the circle.
    """

    chair: MemberId
    circle: LogId
    version: _Number
    previous: Digest | None
    world: Literal["real", "exercise"]
    kind: CircleKind
    name: _Name
    charter: _Text
    purpose: Code
    themes: _Themes
    members: _Several
    admitted: _Some
    ends: _Seconds
    outcome: _Text | None

    def __post_init__(self) -> None:
        """Sets have one form; the chair is a member; only a first version follows none. Raises ValueError."""
        for names in (self.themes, self.members, self.admitted):
            if not all(a < b for a, b in pairwise(names)):
                raise ValueError("a set that is not sorted, or names something twice")
        if self.chair not in self.members or not set(self.admitted) <= set(self.members):
            raise ValueError("its chair, or somebody admitted, is no member")
        if (self.version == 1) != (self.previous is None):
            raise ValueError("only the first version follows no other")

    @property
    def ref(self) -> str:
        """How the circle is named."""
        return ref_of(self.chair, self.circle)

    @property
    def others(self) -> tuple[str, ...]:
        """The members beside the chair."""
        return tuple(m for m in self.members if m != self.chair)

    def following(self, digest: bytes, *, without: str) -> Charter:
        """The next version, without a member who has left; ``digest`` is this one's."""
        stay = {name: tuple(m for m in getattr(self, name) if m != without) for name in ("members", "admitted")}
        return structs.replace(self, version=self.version + 1, previous=digest, **stay)

    def for_older(self, had: Iterable[str]) -> Charter:
        """The charter as it counts for an item that is older than it: who joined since gets it if admitted only."""
        kept = {self.chair, *had, *self.admitted} & set(self.members)
        return structs.replace(self, members=tuple(sorted(kept)), admitted=())


class Consent(Value, frozen=True):
    """The other co-chair's statement: this consultation is activated by both.

    Attributes:
        charter: digest of the first version, which the co-chair was shown.
    """

    member: MemberId
    chair: MemberId
    circle: LogId
    charter: Digest


class Circle(Value, frozen=True):
    """A circle as the log knows it.

    Attributes:
        digest: of the charter's newest version. sealed: that charter, and the consent if it needs one.
        state: ``proposed`` (a consultation that one co-chair signed), ``consented`` (by us), ``live``, ``closed``,
            ``resigned`` (we said that we leave, and its chair has not answered yet), ``left`` (we are no member any
            more) or ``purged``.
        slots: everything ever sealed for it, until its keys are destroyed.
    """

    circle: LogId
    version: int
    digest: Digest
    sealed: Sealed
    ends_at: Instant
    state: Code
    slots: tuple[Digest, ...]

    @property
    def here(self) -> bool:
        """Whether this Member is in it, and may look at it."""
        return self.state not in {"resigned", "left", "purged"}

    def stands(self, at: datetime) -> str:
        """Its state at an instant: what is live has ended once its end has come."""
        return "ended" if self.state in {"live", "proposed", "consented"} and at >= self.ends_at else self.state

    def goes(self, at: datetime, *, exercise: bool) -> bool:
        """Whether its keys are to be destroyed now: we have left it, or it is an exercise past its end."""
        gone = self.state == "left" or (self.state == "resigned" and bool(self.slots))
        return gone or (exercise and self.here and at >= self.ends_at)

    def must_be_live(self, at: datetime) -> None:
        """Raises ConflictError ``circle.proposed``, ``.ended``, ``.closed`` …: nothing can be done with it."""
        if (stands := self.stands(at)) != "live":
            raise ConflictError(f"circle.{stands}", f"This circle is {stands}.")


def ref_of(chair: str, circle: bytes) -> str:
    """How a circle is named."""
    return f"{chair}.{circle.hex()}"


def parse_ref(ref: str) -> tuple[str, bytes]:
    """Chair and random bytes of a circle's name. Raises NotFoundError: it is none."""
    chair, _, rest = ref.partition(".")
    try:
        return chair, bytes.fromhex(rest)
    except ValueError:
        raise NotFoundError from None


def circles_id(chair: str) -> UUID:
    """The stream of the circles that a Member chairs."""
    return natural_id("circles", chair)


def co_chairs() -> tuple[str, ...]:
    """The Members that together activate the Consultation Mechanism, sorted."""
    return tuple(sorted(m.id for m in MEMBERS.values() if "co_chair" in m.groups))


class Circles(Root):
    """The circles of one chair, as this node may know them."""

    TOPIC = "rilon.circles"

    class Begun(Opening):
        TOPIC = "rilon.circles.begun.1"
        chair: MemberId

    class Written(Root.Event):
        """A version of a charter; ``by``: our officer who wrote it, None: another Member, or our node for who left."""

        TOPIC = "rilon.circles.written.1"
        circle: LogId
        version: int
        digest: Digest
        sealed: Sealed
        ends_at: Instant
        state: Code
        by: OfficerId | None
        to: dict[MemberId, Line]

        def apply(self, aggregate: Circles) -> None:
            old = aggregate.circles.get(self.circle)
            slots = (*(old.slots if old else ()), self.sealed.slot)
            facts = (self.circle, self.version, self.digest, self.sealed, self.ends_at, self.state)
            aggregate.circles[self.circle] = Circle(*facts, slots)

    class Consented(Root.Event):
        """We are the other co-chair, and signed too."""

        TOPIC = "rilon.circles.consented.1"
        circle: LogId
        sealed: Sealed
        by: OfficerId
        to: dict[MemberId, Line]

        def apply(self, aggregate: Circles) -> None:
            old = aggregate.circles[self.circle]
            slots = (*old.slots, self.sealed.slot)
            aggregate.circles[self.circle] = structs.replace(old, state="consented", slots=slots)

    class Resigned(Root.Event):
        """We leave by ourselves, and tell the chair; nothing of it is shown from now on."""

        TOPIC = "rilon.circles.resigned.1"
        circle: LogId
        by: OfficerId
        to: dict[MemberId, Line]

        def apply(self, aggregate: Circles) -> None:
            aggregate.circles[self.circle] = structs.replace(aggregate.circles[self.circle], state="resigned")

    class Left(Root.Event):
        """The chair says that we are a member no more; ``asked``: because we said so first."""

        TOPIC = "rilon.circles.left.1"
        circle: LogId
        asked: bool

        def apply(self, aggregate: Circles) -> None:
            aggregate.circles[self.circle] = structs.replace(aggregate.circles[self.circle], state="left")

    class Purged(Root.Event):
        """Its keys are destroyed: an exercise is over, or we have left (and may still wait for the chair's word)."""

        TOPIC = "rilon.circles.purged.1"
        circle: LogId

        def apply(self, aggregate: Circles) -> None:
            old = aggregate.circles[self.circle]
            state = old.state if old.state == "resigned" else "purged"
            aggregate.circles[self.circle] = structs.replace(old, state=state, slots=())

    def __init__(self, chair: MemberId) -> None:
        self.chair = chair
        self.circles: dict[bytes, Circle] = {}

    @classmethod
    def begin(cls, chair: str, at: datetime) -> Self:
        """Begin with none."""
        return cls._create(cls.Begun, id=circles_id(chair), chair=chair, timestamp=at)

    def known(self, circle: bytes) -> Circle:
        """A circle that we are in. Raises NotFoundError: absent, or not (any more) for us; told alike."""
        found = self.circles.get(circle)
        if found is None or not found.here:
            raise NotFoundError
        return found

    def news(self, charter: Charter, digest: bytes, state: str) -> bool:
        """Whether a charter whose signatures are verified says something new; versions may be missing between.

        Raises:
            ProofError: ``circle.fork``: another version under one number, or after another; ``circle.closed``.
            ConflictError: ``circle.too-many``.
        """
        held = self.circles.get(charter.circle)
        if held is None:
            self._room()
            return True
        if charter.version < held.version or held.state == "resigned":
            return False  # what a chair wrote before it heard that we left does not bring us back
        if (charter.version == held.version and digest != held.digest) or (
            charter.version == held.version + 1 and charter.previous != held.digest
        ):
            raise ProofError("circle.fork", "A chair signed two different charters with one number.")
        if charter.version > held.version and held.state == "closed":
            raise ProofError("circle.closed", "A chair goes on with a circle that was closed.")
        return charter.version > held.version or (held.state in {"proposed", "consented"} and state == "live")

    def write(
        self,
        charter: Charter,
        digest: bytes,
        sealed: Sealed,
        state: str,
        ends_at: datetime,
        at: datetime,
        *,
        by: OfficerId | None = None,
        to: dict[MemberId, Line] | None = None,
    ) -> None:
        """Take in a version, our own or one that is ``news``. Raises ConflictError ``circle.too-many``."""
        if charter.circle not in self.circles:
            self._room()
        self.trigger_event(
            self.Written,
            circle=charter.circle,
            version=charter.version,
            digest=digest,
            sealed=sealed,
            ends_at=ends_at,
            state=state,
            by=by,
            to=to or {},
            timestamp=at,
        )

    def consent(self, circle: bytes, digest: bytes, sealed: Sealed, by: OfficerId, at: datetime) -> None:
        """Sign a proposed consultation as its other co-chair.

        Args:
            digest: of our consent's statement.

        Raises:
            NotFoundError: absent. ConflictError: ``circle.not-proposed``.
        """
        held = self.known(circle)
        if held.stands(at) != "proposed" or held.version != 1:
            raise ConflictError("circle.not-proposed", "This does not wait for your signature.")
        to = {self.chair: Line("circle.consent", (digest,))}
        self.trigger_event(self.Consented, circle=circle, sealed=sealed, by=by, to=to, timestamp=at)

    def resign(self, circle: bytes, by: OfficerId, at: datetime) -> None:
        """Leave a circle by ourselves.

        Raises:
            NotFoundError: absent. ConflictError: it is not live.
        """
        held = self.known(circle)
        held.must_be_live(at)
        to = {self.chair: Line("circle.leave", (held.digest,))}
        self.trigger_event(self.Resigned, circle=circle, by=by, to=to, timestamp=at)

    def leave(self, circle: bytes, at: datetime) -> None:
        """The chair says that we are a member no more; nothing happens where we were none."""
        held = self.circles.get(circle)
        if held is not None and (held.here or held.state == "resigned"):
            self.trigger_event(self.Left, circle=circle, asked=held.state == "resigned", timestamp=at)

    def purge(self, circle: bytes, at: datetime) -> None:
        """Note that a circle's keys are destroyed."""
        self.trigger_event(self.Purged, circle=circle, timestamp=at)

    def _room(self) -> None:
        if sum(bool(c.slots) for c in self.circles.values()) >= MAX_CIRCLES:
            raise ConflictError("circle.too-many", f"A chair has at most {MAX_CIRCLES} circles.", fix="Close some.")
