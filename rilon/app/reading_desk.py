"""Reading and answering: sections opened for a purpose, acknowledgements, typed replies.

Own items and items of others are read through one door. What does not exist, what is not for this officer, and what is
over are told alike: not found (product.md). Content is returned only after the opening is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rilon.app.alert_desk import active
from rilon.app.unit import Done, Key, Unit, Work, fold
from rilon.app.vault import Vault
from rilon.crypto import section
from rilon.domain import attachments
from rilon.domain.alert import Alert, SectionRef
from rilon.domain.attachments import File
from rilon.domain.clocks import Pause
from rilon.domain.conditions import Conditions
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.handling import Reader, Tlp, check_readers
from rilon.domain.happened import Happened, happened
from rilon.domain.held import HeldEdition
from rilon.domain.holding import REPLIES, Holding, holding_id
from rilon.domain.kinds import Fields, decode_content, newer
from rilon.domain.permissions import Action, Caller
from rilon.domain.text import check_text
from rilon.domain.values import Purpose, Role, Sealed, Sensitivity, Value
from rilon.errors import InvalidError, NotFoundError, RefusedError, UnavailableError

REPLY_CHARACTERS = 4000


class Opened(Value, frozen=True):
    """An opened section.

    Attributes:
        position: of the opening in the log; 0 for a summary, whose reading is no event.
        fields: values by field name.
        conditions: of the grant that showed it; None: our own.
    """

    origin: str
    item: UUID
    version: int
    kind: str
    sensitivity: Sensitivity
    fields: Fields
    position: int
    conditions: Conditions | None = None


class _Found(Value, frozen=True):
    version: int
    kind: str
    section: SectionRef
    conditions: Conditions | None = None


def reply_owner(member: str, manifest: bytes) -> str:
    """What a reply's text is bound to: who answers, about which manifest."""
    return f"{member}:{manifest.hex()}"


REPLY = "reply"
"""Purpose label of a reply's text, at both ends."""


class ReadingDesk:
    """What an officer does with items on the board."""

    def __init__(self, work: Work, vault: Vault) -> None:
        self._work, self._vault = work, vault

    async def open_(
        self, caller: Caller, origin: str, item: UUID, sensitivity: Sensitivity, purpose: Purpose
    ) -> Opened:
        """Open a section for a purpose; above ``summary`` that is an event, and the originator learns of it.

        Raises:
            NotFoundError: absent, not for this officer, over, or erased; told alike.
            RefusedError: theirs, and not for this: ``holding.purpose``, ``holding.court-ask``, ``holding.court-no``.
            UnavailableError: ``content.newer``: of a kind or format that this node does not know yet.
        """
        found, position, plaintext = await self._open(caller, origin, item, sensitivity, purpose)
        fields = _fields(found.kind, sensitivity, plaintext)
        return Opened(origin, item, found.version, found.kind, sensitivity, fields, position, found.conditions)

    async def attachment(
        self, caller: Caller, origin: str, item: UUID, number: int, purpose: Purpose
    ) -> tuple[File, int]:
        """One attached file, counted from 1; each reading is an opening, as of any section.

        Returns:
            The file, and the position of the opening.

        Raises:
            NotFoundError, UnavailableError: as for ``open_``; and where there is no file of that number.
        """
        _, position, plaintext = await self._open(caller, origin, item, Sensitivity.ATTACHMENT, purpose)
        files = _files(plaintext)
        if not 1 <= number <= len(files):
            raise NotFoundError
        return files[number - 1], position

    async def _open(
        self, caller: Caller, origin: str, item: UUID, sensitivity: Sensitivity, purpose: Purpose
    ) -> tuple[_Found, int, bytes]:
        if not (caller.may(Action.OPEN_SECTION) and caller.may_read(sensitivity)):
            raise NotFoundError
        found: list[_Found] = []

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            me = (await unit.get(Directory, DIRECTORY_ID)).me
            find = self._own if origin == me else self._held
            found[:] = [await find(unit, caller, origin, item, sensitivity, purpose)]
            if await self._vault.coming(found[0].section.sealed.slot):
                fix = "It comes in pieces, after what is urgent: try again in a while."
                raise UnavailableError("content.coming", "This is still on its way here.", fix=fix)
            return b""

        done = await self._work.run(do)
        return found[0], done.position, await self._plaintext(origin, item, found[0])

    async def refer(
        self, caller: Caller, origin: str, item: UUID, readers: frozenset[Reader], key: Key | None = None
    ) -> Done:
        """Say who at this node needs to know an item: agencies, desks, officers, beside the focal points.

        An own item is opened to them, within its TLP; another Member's is narrowed to them, within its grants.

        Raises:
            NotFoundError: absent, or not for this officer. RefusedError: ``alert.not-yours``; ``item.refer``: another
                Member's item is referred by a focal point. InvalidError: ``audience.readers``.
        """
        caller.must(Action.REFER)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            at = self._work.clock.now()
            if origin == (await unit.get(Directory, DIRECTORY_ID)).me:
                alert = await unit.get(Alert, item)
                alert.must_be_changed_by(caller)
                check_readers(readers, Tlp(alert.edition.tlp), "readers")
                kept = {r for r in alert.edition.readers if r.startswith(("role:", "officer:"))}
                alert.refer(caller.ref, tuple(sorted(readers | kept)), at)
            else:
                holding, _ = await self._readable(unit, caller, origin, item)
                if Role.FOCAL_POINT not in caller.roles:
                    raise RefusedError("item.refer", "A focal point says who here needs to know it.")
                holding.refer(caller.ref, tuple(sorted(readers | {"role:focal_point"})), at)
            return item.bytes

        return await self._work.run(do, key)

    async def must_know(self, caller: Caller, item: UUID) -> None:
        """What became of an own item is told to its readers, and to auditors.

        Raises:
            NotFoundError: absent, or not for this officer.
        """
        alert = await self._work.read(Alert, item)
        if not caller.may(Action.REPLAY):
            alert.must_be_for(caller)

    async def acknowledge(self, caller: Caller, origin: str, item: UUID, key: Key | None = None) -> Done:
        """Tell the originator that somebody here has seen it and acts."""
        if not caller.may(Action.ACKNOWLEDGE):
            raise NotFoundError

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            holding, edition = await self._readable(unit, caller, origin, item)
            holding.acknowledge(edition, caller.ref, self._work.clock.now())
            return item.bytes

        return await self._work.run(do, key)

    async def pause(self, caller: Caller, origin: str, item: UUID, why: str, key: Key | None = None) -> Done:
        """Tell the originator of a request why the answer takes longer.

        Raises:
            NotFoundError: absent, or not for this officer. InvalidError: ``pause.why``. ConflictError: see ``Holding``.
        """
        if not caller.may(Action.REPLY):
            raise NotFoundError
        if why not in set(Pause):
            choices = ", ".join(Pause)
            fix = f"One of {choices}."
            raise InvalidError("pause.why", "For this reason no clock stands still.", field="why", fix=fix)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            holding, edition = await self._readable(unit, caller, origin, item)
            holding.pause(edition, caller.ref, Pause(why), self._work.clock.now())
            return item.bytes

        return await self._work.run(do, key)

    async def resume(self, caller: Caller, origin: str, item: UUID, key: Key | None = None) -> Done:
        """Let the clock of a request run on. Raises as ``pause``."""
        if not caller.may(Action.REPLY):
            raise NotFoundError

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            holding, edition = await self._readable(unit, caller, origin, item)
            holding.resume(edition, caller.ref, self._work.clock.now())
            return item.bytes

        return await self._work.run(do, key)

    async def reply(
        self, caller: Caller, origin: str, item: UUID, kind: str, text: str, key: Key | None = None
    ) -> Done:
        """Answer the originator. The text travels sealed; neither log holds it.

        Raises:
            NotFoundError: absent, or not for this officer. InvalidError: ``reply.kind``. MalformedError: the text.
        """
        if not caller.may(Action.REPLY):
            raise NotFoundError
        if kind not in REPLIES:
            choices = ", ".join(REPLIES)
            raise InvalidError("reply.kind", "There is no such reply.", field="kind", fix=f"One of {choices}.")
        words = check_text(text, max_chars=REPLY_CHARACTERS)

        async def do(unit: Unit) -> bytes:
            await active(unit, caller)
            me = (await unit.get(Directory, DIRECTORY_ID)).me
            holding, edition = await self._readable(unit, caller, origin, item)
            owner = reply_owner(me, edition.digest)
            sealed, wrap = await self._vault.seal_text(REPLY, owner, words)
            unit.keep(wrap)
            holding.reply(edition, caller.ref, kind, sealed, self._work.clock.now())
            return item.bytes

        return await self._work.run(do, key)

    async def reply_texts(self, caller: Caller, wanted: Sequence[tuple[str, bytes, Sealed]]) -> list[str | None]:
        """The texts of replies that came in: who answered, about which manifest, and where the text lies.

        Returns:
            In that order; None for one that was erased or does not open.

        Raises:
            RefusedError: the role does not allow it.
        """
        caller.must(Action.READ_REPLIES)
        contexts = [
            (s, section.local_context(REPLY, reply_owner(who, manifest).encode())) for who, manifest, s in wanted
        ]
        outcomes = await self._vault.open_many(contexts)
        return [o.decode() if isinstance(o, bytes) else None for o in outcomes]

    async def history(self, caller: Caller, origin: str, item: UUID) -> list[tuple[Happened, str | None]]:
        """What happened here to an item, ours or another Member's, oldest first.

        Returns:
            Each with a reply's text; None where it has none, it was erased, or is about a version not for this officer.
            Nothing when no version is, or is any more: a board may still show what is held no longer.

        Raises:
            NotFoundError: absent, or not for this officer.
        """
        me, now = (await self._work.read(Directory, DIRECTORY_ID)).me, self._work.clock.now()
        own = origin == me
        events = await self._work.log.stream(item if own else holding_id(origin, item))
        found = fold(events)
        if isinstance(found, Alert):
            found.must_be_for(caller)
            return [] if found.over_at(now) else [(each, None) for each in happened(events, caller)]
        if own or not isinstance(found, Holding):
            raise NotFoundError
        seen = {e.digest for e in found.seen_by(caller, now)}
        return await self._with_texts(caller, me, seen, happened(events, caller)) if seen else []

    async def _with_texts(
        self, caller: Caller, me: str, seen: set[bytes], told: list[Happened]
    ) -> list[tuple[Happened, str | None]]:
        shown = [(me, h.manifest, h.text) for h in told if h.text and h.manifest in seen]
        texts = iter(await self.reply_texts(caller, shown) if caller.may(Action.READ_REPLIES) else [None] * len(shown))
        return [(h, next(texts) if h.text and h.manifest in seen else None) for h in told]

    async def _own(
        self, unit: Unit, caller: Caller, _: str, item: UUID, sensitivity: Sensitivity, purpose: Purpose
    ) -> _Found:
        alert, at = await unit.get(Alert, item), self._work.clock.now()
        alert.must_be_for(caller)
        edition = alert.edition
        section_ = alert.shown(sensitivity, at)
        if section_ is None:
            raise NotFoundError
        if sensitivity is not Sensitivity.SUMMARY:
            alert.open_(caller.ref, sensitivity, purpose, at)
        return _Found(edition.version, edition.kind, section_)

    async def _held(
        self, unit: Unit, caller: Caller, origin: str, item: UUID, sensitivity: Sensitivity, purpose: Purpose
    ) -> _Found:
        holding, at = await unit.get(Holding, holding_id(origin, item)), self._work.clock.now()
        edition, section_ = holding.find(caller, sensitivity, purpose, at)
        if sensitivity is not Sensitivity.SUMMARY:
            holding.open_(caller, sensitivity, purpose, at)
        return _Found(edition.version, edition.kind, section_, edition.conditions)

    async def _readable(self, unit: Unit, caller: Caller, origin: str, item: UUID) -> tuple[Holding, HeldEdition]:
        """The held item and the version of it that this officer sees, which alone they answer to."""
        holding = await unit.get(Holding, holding_id(origin, item))
        if not (seen := holding.seen_by(caller, self._work.clock.now())):
            raise NotFoundError
        return holding, seen[0]

    async def _plaintext(self, origin: str, item: UUID, found: _Found) -> bytes:
        place, sensitivity = found.section.position, found.section.sensitivity
        context = section.item_context(origin, item.bytes, found.version, place, sensitivity)
        try:
            return await self._vault.open(found.section.sealed, context)
        except NotFoundError:
            raise NotFoundError from None  # erased is told like absent


def _fields(kind: str, sensitivity: Sensitivity, plaintext: bytes) -> Fields:
    if sensitivity is Sensitivity.ATTACHMENT:
        return {"files": [{"name": f.name, "type": f.type, "bytes": len(f.data)} for f in _files(plaintext)]}
    if newer(kind, plaintext):
        raise _newer()
    return decode_content(kind, sensitivity, plaintext)


def _files(plaintext: bytes) -> tuple[File, ...]:
    if attachments.newer(plaintext):
        raise _newer()
    return attachments.decode(plaintext)


def _newer() -> UnavailableError:
    fix = "Update this node; nothing is lost until then."
    return UnavailableError("content.newer", "This was written by a newer version of RILON.", fix=fix)
