"""Notices by mail: one short text a message over SMTP, always inside TLS unless the server is this very machine."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from rilon.app.outbox import Message
from rilon.errors import RefusedError, RilonError, UnavailableError
from rilon.node.config import MailServer, first_line

TIMEOUT_S: Final = 15.0
"""For each step with the server; one that says nothing is away."""
_PERMANENT: Final = range(500, 600)


class Mail:
    """The port ``Pager``, over SMTP (RFC 5321) with implicit TLS or STARTTLS (RFC 8314).

    Args:
        home: what the configuration's paths are relative to.
    """

    def __init__(self, server: MailServer, home: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._server, self._home, self._timeout_s = server, home, timeout_s

    def __repr__(self) -> str:
        return f"Mail({self._server.host})"

    async def send(self, message: Message) -> None:
        """See ``Pager.send``."""
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> None:
        with _troubles(), self._open() as smtp:
            if self._server.tls == "starttls":
                smtp.starttls(context=self._context())
            if self._server.user:
                password = self._home / self._server.password_file
                smtp.login(self._server.user, first_line(password, "mail.password-file", "password file"))
            smtp.send_message(self._written(message), self._server.sender, [message.to])

    def _open(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.tls == "implicit":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=self._context())
        return smtplib.SMTP(host, port, timeout=self._timeout_s)

    def _context(self) -> ssl.SSLContext:
        authority = self._home / self._server.authority if self._server.authority else None
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _written(self, message: Message) -> EmailMessage:
        mail, host = EmailMessage(policy=SMTP), self._server.sender.rpartition("@")[2]
        mail["From"], mail["To"], mail["Subject"] = self._server.sender, message.to, message.subject
        mail["Date"], mail["Message-ID"] = format_datetime(message.at), f"<{message.id.hex}@{host}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers it
        mail.set_content(message.text)
        return mail


@contextmanager
def _troubles() -> Iterator[None]:
    """Say what went wrong without the server's words, which may repeat the address."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        if all(code in _PERMANENT for code in codes):
            raise RefusedError("pager.refused", "The mail server refuses this address.") from None
        raise _away("pager.mail-later") from None
    except smtplib.SMTPAuthenticationError:
        raise _away("pager.mail-login") from None
    except ssl.SSLError:
        raise _away("pager.mail-tls") from None
    except (smtplib.SMTPException, OSError):
        raise _away("pager.mail-away") from None
    except RilonError as error:  # the password's file
        raise _away(error.code) from None


def _away(code: str) -> UnavailableError:
    return UnavailableError(code, "Mail cannot be sent now.", fix="See the node's health page.")
