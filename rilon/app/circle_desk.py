"""Circles at this node: convened, changed and closed by their chair's focal points, signed by both co-chairs, read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, structs

from rilon.app.alert_desk import active
from rilon.app.charters import Charters, Pen, instant, other_co_chair, sign_consent, to_all, to_left
from rilon.app.drafts import gather
from rilon.app.unit import Done, Key, Unit, Work
from rilon.crypto.keys import SigningKey
from rilon.domain.circle import (
    NAME_CHARACTERS,
    TEXT_CHARACTERS,
    Charter,
    Circle,
    CircleKind,
    CircleRef,
    Circles,
    Consent,
    circles_id,
    ref_of,
)
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.handling import check_members
from rilon.domain.kinds import KINDS
from rilon.domain.permissions import Action, Caller
from rilon.domain.text import check_text
from rilon.domain.values import Code, Instant, MemberId, Purpose, Value
from rilon.errors import ConflictError, InvalidError, NotFoundError, ProofError

MAX_LIFE = timedelta(days=5 * 366)
_Written = Annotated[str, Meta(min_length=1, max_length=4 * TEXT_CHARACTERS)]
_Named = Annotated[tuple[MemberId, ...], Meta(max_length=128)]


class CharterDraft(Value, frozen=True, kw_only=True):
    """A charter as a focal point writes it.

    Attributes:
        kind: ``group``, ``operation`` or ``consultation`` (which both co-chairs sign).
        purpose: what it is for, as a code; themes: families of alerts.
        members: who is in it beside this Member. admitted: those of them who may be given older items as well.
        ends: from then on it is over by itself.
    """

    kind: CircleKind
    name: _Written
    charter: _Written
    purpose: Purpose
    themes: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=16)]
    members: Annotated[tuple[MemberId, ...], Meta(min_length=1, max_length=128)]
    ends: Instant
    admitted: _Named = ()


class CircleShown(Value, frozen=True, kw_only=True):
    """A circle as its members see it.

    Attributes:
        state: ``proposed`` (one co-chair signed), ``consented``, ``live``, ``ended`` or ``closed``.
        signed_by: whose nodes have signed it. exercise: nothing in it is real.
    """

    circle: CircleRef
    chair: MemberId
    version: int
    kind: CircleKind
    state: Code
    exercise: bool
    name: str
    charter: str
    purpose: Code
    themes: tuple[Code, ...]
    members: tuple[MemberId, ...]
    admitted: tuple[MemberId, ...]
    ends: Instant
    outcome: str | None
    signed_by: tuple[MemberId, ...]


class CircleDesk:
    """What the people of this node do with circles."""

    def __init__(self, work: Work, charters: Charters, signing: SigningKey) -> None:
        self._work, self._charters, self._signing = work, charters, signing
        self._pen = Pen(charters, signing)

    async def convene(self, caller: Caller, draft: CharterDraft, key: Key | None = None) -> Done:
        """Convene a circle that this Member chairs, and tell its members; a consultation waits for the other co-chair.

        Returns:
            The answer is the circle's name.

        Raises:
            RefusedError: not a focal point. RilonError: all that is wrong with the draft.
        """
        caller.must(Action.KEEP_CIRCLES)
        circle = self._work.entropy.bytes(16)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            directory, at = await unit.get(Directory, DIRECTORY_ID), self._work.clock.now()
            first = (directory.me, circle, 1, None, directory.own.identity.world)
            charter = _checked(draft, first, directory, (), at)
            circles = await self._own(unit, directory.me)
            to = to_all(charter)
            if charter.kind == "consultation":
                to = {m: line for m, line in to.items() if m == other_co_chair(directory.me)}
            await self._pen.write(unit, circles, charter, {}, to, at, caller.ref)
            return charter.ref.encode()

        return await self._work.run(do, key)

    async def change(self, caller: Caller, ref: str, version: int, draft: CharterDraft, key: Key | None = None) -> Done:
        """Write the next version of a charter: who joins gets it whole, who leaves learns that and nothing else.

        Args:
            version: the one that was read and changed, so that nobody undoes a colleague's unread.

        Raises:
            NotFoundError: absent, or another Member chairs it. ConflictError: ``circle.version``; it is over.
            RilonError: all that is wrong with the draft.
        """
        caller.must(Action.KEEP_CIRCLES)

        async def do(unit: Unit) -> bytes:
            directory, circles, held, old = await self._chaired(unit, caller, ref)
            at = self._work.clock.now()
            held.must_be_live(at)
            if version != old.version:
                raise ConflictError("circle.version", "Somebody changed this charter first.", fix="Read it again.")
            if draft.kind != old.kind:
                raise InvalidError("circle.kind", "A circle keeps its kind.", field="kind", fix="Convene another.")
            following = (old.chair, old.circle, old.version + 1, held.digest, old.world)
            charter = _checked(draft, following, directory, old.members, at)
            to = to_all(charter) | to_left(old, charter, held.digest)
            papers = await self._pen.following(ref, held)
            await self._pen.write(unit, circles, charter, papers, to, at, caller.ref)
            return ref.encode()

        return await self._work.run(do, key)

    async def close(self, caller: Caller, ref: str, outcome: str, key: Key | None = None) -> Done:
        """Close a circle before its end, with a note on what came of it; it goes to the members, and nowhere else.

        Raises:
            NotFoundError: absent, or another Member chairs it. ConflictError: it is over. MalformedError: the note.
        """
        caller.must(Action.KEEP_CIRCLES)
        words = check_text(outcome, max_chars=TEXT_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            _, circles, held, old = await self._chaired(unit, caller, ref)
            at = self._work.clock.now()
            held.must_be_live(at)
            charter = structs.replace(old, version=old.version + 1, previous=held.digest, outcome=words)
            papers = await self._pen.following(ref, held)
            await self._pen.write(unit, circles, charter, papers, to_all(charter), at, caller.ref)
            return ref.encode()

        return await self._work.run(do, key)

    async def consent(self, caller: Caller, ref: str, key: Key | None = None) -> Done:
        """Sign a consultation as its other co-chair: two Members, two signatures.

        Raises:
            NotFoundError: absent. ConflictError: ``circle.not-proposed``.
        """
        caller.must(Action.KEEP_CIRCLES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            me = (await unit.get(Directory, DIRECTORY_ID)).me
            circles, held, charter = await self._charters.find(unit.find, ref)
            if charter.chair == me:
                raise ConflictError("circle.not-proposed", "The other co-chair signs this.")
            given = Consent(me, charter.chair, charter.circle, held.digest)
            signed, digest = sign_consent(given, self._signing)
            sealed, wrap = await self._charters.seal(ref, {"consent": signed})
            unit.keep(wrap)
            circles.consent(charter.circle, digest, sealed, caller.ref, self._work.clock.now())
            return ref.encode()

        return await self._work.run(do, key)

    async def leave(self, caller: Caller, ref: str, key: Key | None = None) -> Done:
        """Leave a circle: here it is absent at once, its chair writes the next charter without this Member.

        Raises:
            NotFoundError: absent. ConflictError: it is over; ``circle.chair-stays``, ``circle.co-chair-stays``.
        """
        caller.must(Action.KEEP_CIRCLES)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            me = (await unit.get(Directory, DIRECTORY_ID)).me
            circles, _, charter = await self._charters.find(unit.find, ref)
            _check_may_leave(charter, me)
            circles.resign(charter.circle, caller.ref, self._work.clock.now())
            return ref.encode()

        return await self._work.run(do, key)

    async def all(self, caller: Caller) -> list[CircleShown]:
        """The circles that this Member is in.

        Raises:
            RefusedError: the role does not allow it.
        """
        caller.must(Action.SEE_CIRCLES)
        found = [(circles.chair, c) for circles in await self._every() for c in circles.circles.values()]
        here = [(ref_of(chair, c.circle), c) for chair, c in found if c.here]
        return [await self._show(ref, c) for ref, c in sorted(here, key=lambda pair: pair[0])]

    async def read(self, caller: Caller, ref: str) -> CircleShown:
        """One circle. Raises NotFoundError: absent, not for this role, or we are no member; told alike."""
        if not caller.may(Action.SEE_CIRCLES):
            raise NotFoundError
        _, circle, _ = await self._charters.find(self._work.seek, ref)
        return await self._show(ref, circle)

    async def _every(self) -> list[Circles]:
        chairs = (await self._work.read(Directory, DIRECTORY_ID)).standings
        found = [await self._work.seek(Circles, circles_id(chair)) for chair in sorted(chairs)]
        return [circles for circles in found if circles is not None]

    async def _show(self, ref: str, circle: Circle) -> CircleShown:
        charter, papers = await self._charters.read(ref, circle), await self._charters.papers(ref, circle.sealed)
        both = "consent" in papers
        return CircleShown(
            circle=ref,
            chair=charter.chair,
            version=charter.version,
            kind=charter.kind,
            state=circle.stands(self._work.clock.now()),
            exercise=charter.world == "exercise",
            name=charter.name,
            charter=charter.charter,
            purpose=charter.purpose,
            themes=charter.themes,
            members=charter.members,
            admitted=charter.admitted,
            ends=instant(charter.ends),
            outcome=charter.outcome,
            signed_by=(charter.chair, other_co_chair(charter.chair)) if both else (charter.chair,),
        )

    async def _chaired(self, unit: Unit, caller: Caller, ref: str) -> tuple[Directory, Circles, Circle, Charter]:
        await active(unit, caller)
        directory = await unit.get(Directory, DIRECTORY_ID)
        circles, held, charter = await self._charters.find(unit.find, ref)
        if charter.chair != directory.me:
            raise NotFoundError
        return directory, circles, held, charter

    async def _own(self, unit: Unit, me: str) -> Circles:
        found = await unit.find(Circles, circles_id(me))
        if found is None:
            found = Circles.begin(me, self._work.clock.now())
            unit.add(found)
        return found


def _check_may_leave(charter: Charter, me: str) -> None:
    if charter.chair == me:
        fix = "Close it, and say in the note what follows: who goes on convenes the next circle."
        raise ConflictError("circle.chair-stays", "This Member chairs it, and a circle keeps its chair.", fix=fix)
    if charter.kind == "consultation" and other_co_chair(charter.chair) == me:
        fix = "Ask the other co-chair to close it."
        raise ConflictError("circle.co-chair-stays", "Both co-chairs are in a consultation until its end.", fix=fix)


def _checked(
    draft: CharterDraft,
    place: tuple[str, bytes, int, bytes | None, str],
    directory: Directory,
    known: tuple[str, ...],
    at: datetime,
) -> Charter:
    """A charter in which nothing is wrong.

    Args:
        place: chair, circle, version, previous and world.
        known: who was in it already, and need not be verified any more.
    """
    members = tuple(sorted({*draft.members, directory.me}))
    name, words, *_ = gather(
        lambda: check_text(draft.name, max_chars=NAME_CHARACTERS, lines=False),
        lambda: check_text(draft.charter, max_chars=TEXT_CHARACTERS),
        lambda: _check_members(members, directory, known),
        lambda: _check_admitted(draft, members),
        lambda: _check_themes(draft.themes),
        lambda: _check_end(draft.ends, at),
        lambda: _check_convener(draft, members, directory),
    )
    chair, circle, version, previous, world = place
    return Charter(
        chair=chair,
        circle=circle,
        version=version,
        previous=previous,
        world="exercise" if world == "exercise" else "real",
        kind=draft.kind,
        name=name,
        charter=words,
        purpose=draft.purpose,
        themes=tuple(sorted(set(draft.themes))),
        members=members,
        admitted=tuple(sorted(set(draft.admitted))),
        ends=int(draft.ends.timestamp()),
        outcome=None,
    )


def _check_members(members: tuple[str, ...], directory: Directory, known: tuple[str, ...]) -> None:
    check_members(members, "members")
    if len(members) < 2:  # noqa: PLR2004
        raise InvalidError("circle.alone", "Nobody else is in it.", field="members", fix="Name other Members.")
    if strangers := [m for m in members if m not in known and directory.standing(m) != "verified"]:
        message = f"The node of {', '.join(strangers)} is not verified."
        fix = "Verify it first, or leave them out."
        raise InvalidError("circle.unverified", message, field="members", fix=fix)


def _check_admitted(draft: CharterDraft, members: tuple[str, ...]) -> None:
    if not set(draft.admitted) <= set(members):
        fix = "Name them among the members."
        raise InvalidError("circle.admitted", "Somebody admitted is no member.", field="admitted", fix=fix)


def _check_themes(themes: tuple[str, ...]) -> None:
    known = {kind.family for kind in KINDS.values()}
    if not set(themes) <= known:
        fix = f"One or more of {', '.join(sorted(known))}."
        raise InvalidError("circle.theme", "There is no such theme.", field="themes", fix=fix)


def _check_end(ends: datetime, at: datetime) -> None:
    if not at < ends <= at + MAX_LIFE:
        fix = "Choose a day within five years; it can be moved later."
        raise InvalidError("circle.ends", "It must end, and not yet.", field="ends", fix=fix)


def _check_convener(draft: CharterDraft, members: tuple[str, ...], directory: Directory) -> None:
    if draft.kind != "consultation":
        return
    try:
        other = other_co_chair(directory.me)
    except ProofError as error:
        raise InvalidError(error.code, error.message, field="kind", fix="Ask a co-chair.") from None
    if other not in members:
        fix = f"Name {other} among the members."
        raise InvalidError("circle.co-chair", "Both co-chairs are in a consultation.", field="members", fix=fix)
