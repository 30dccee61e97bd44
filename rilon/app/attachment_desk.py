"""Attaching files: cleaned, sealed before anything touches a disk, and kept for an hour until an alert takes them.

An upload is no event and leaves no key here: its ticket *is* the key, and who uploaded has it. So what nobody posts is
unreadable at once and swept soon, and there is nothing to erase.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from rilon.app.ports import Cleaner
from rilon.app.vault import Vault
from rilon.domain import attachments
from rilon.domain.attachments import MAX_FILE_BYTES, File, clean_text, safe_name, sniff, too_large
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Value
from rilon.errors import InvalidError, NotFoundError

_UPLOAD = "attachment.upload"


class Uploaded(Value, frozen=True):
    """A file that waits to be attached.

    Attributes:
        ticket: for the draft; valid for an hour, and for its uploader.
        name, type, bytes: as it will be sent.
    """

    ticket: str
    name: str
    type: str
    bytes: int

    def __repr__(self) -> str:
        """The ticket is a key, the name is content."""
        return f"Uploaded({self.type})"


class AttachmentDesk:
    """Takes files in, and gives them to the alerts they are for."""

    def __init__(self, vault: Vault, cleaner: Cleaner) -> None:
        self._vault, self._cleaner = vault, cleaner

    async def upload(self, caller: Caller, name: str, data: bytes) -> Uploaded:
        """Clean a file and seal it until it is posted.

        Raises:
            RefusedError: the role does not allow it.
            InvalidError: ``attachment.type``, ``.image``, ``.too-large``. MalformedError: ``text.*``.
            UnavailableError: ``attachment.busy``, ``blobs.unavailable``.
        """
        caller.must(Action.ATTACH)
        if len(data) > MAX_FILE_BYTES:
            raise too_large()
        file = await self._clean(name, data)
        ticket = await self._vault.deposit(_UPLOAD, caller.ref, attachments.encode([file]))
        return Uploaded(urlsafe_b64encode(ticket).decode(), file.name, file.type, len(file.data))

    async def redeem(self, caller: Caller, tickets: Sequence[str]) -> tuple[File, ...]:
        """The files behind one's own tickets.

        Raises:
            InvalidError: ``attachment.unknown``.
        """
        return tuple([await self._redeem(caller, ticket) for ticket in tickets])

    async def fresh(self, file: File) -> File:
        """A file of another Member, made anew before it is handed out: its node may have left the cleaning out.

        Raises:
            InvalidError: ``attachment.image``: it is no sound image.
        """
        form = sniff(file.data)
        if not form:
            return file  # of a text every character was checked when it came
        media_type, data = await self._cleaner.image(form, file.data)
        return File(safe_name(file.name, media_type), media_type, data)

    async def _redeem(self, caller: Caller, ticket: str) -> File:
        try:
            raw = await self._vault.redeem(_UPLOAD, caller.ref, urlsafe_b64decode(ticket))
        except (NotFoundError, ValueError):
            message = "An attachment is not here, or not any more."
            fix = "Upload the file again."
            raise InvalidError("attachment.unknown", message, field="attachments", fix=fix) from None
        return attachments.decode(raw)[0]

    async def _clean(self, name: str, data: bytes) -> File:
        if form := sniff(data):
            media_type, pixels = await self._cleaner.image(form, data)
            return File(safe_name(name, media_type), media_type, pixels)
        return clean_text(name, data)
