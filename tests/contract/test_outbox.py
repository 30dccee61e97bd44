"""Both outboxes keep the contract, and so do the ways out: the fake, a real mail server, a real command."""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
import sys
import time
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message as Mailed
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, AuthResult

from rilon.app.outbox import Outbox, Pager
from rilon.errors import MalformedError, UnavailableError
from rilon.node.config import Config, Hook, MailServer, parse
from rilon.node.hook import HookPager
from rilon.node.mail import Mail
from rilon.store.database import open_pool
from rilon.store.migrate import migrate
from rilon.store.outbox import PostgresOutbox
from tests.contract.outbox import MESSAGE, OutboxContract, PagerContract
from tests.fakes.certificates import certificate
from tests.fakes.entropy import SeededEntropy
from tests.fakes.memory_outbox import MemoryOutbox, MemoryPager

PASSWORD = "correct horse"


class TestMemoryOutbox(OutboxContract):
    @pytest.fixture
    async def outbox(self) -> Outbox:
        return MemoryOutbox()


@pytest.mark.real
class TestPostgresOutbox(OutboxContract):
    @pytest.fixture
    async def outbox(self, database: str) -> AsyncIterator[Outbox]:
        connection = await asyncpg.connect(database)
        await migrate(connection, SeededEntropy())
        await connection.close()
        async with open_pool(database, role="rilon_app", size=2) as pool:
            yield PostgresOutbox(pool, b"L" * 16)


class TestMemoryPager(PagerContract):
    @pytest.fixture
    async def pager(self) -> Pager:
        self.memory = MemoryPager()
        return self.memory

    @pytest.fixture
    async def dead(self) -> Pager:
        pager = MemoryPager()
        pager.broken = UnavailableError("pager.away", "Away.")
        return pager

    async def delivered(self) -> list[tuple[str, str]]:
        return [(m.id.hex, m.text) for m in self.memory.sent]


class Postbox:
    """What a real mail server does with what it gets."""

    def __init__(self) -> None:
        self.mails: list[Mailed] = []
        self.inside_tls: list[bool] = []

    async def handle_RCPT(  # noqa: N802  the library calls it so
        self, _s: SMTP, _n: Any, envelope: Any, address: str, _o: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 No such person: nobody@example.org"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        self.inside_tls.append(session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"


def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == b"rilon" and data.password == PASSWORD.encode(), handled=False)


class MailContract(PagerContract):
    tls = "implicit"

    @pytest.fixture
    async def server(self, tmp_path: Path) -> AsyncIterator[MailServer]:
        self.box = Postbox()
        authority, context = certificate(tmp_path)
        (tmp_path / "secret").write_text(PASSWORD)
        more: dict[str, Any] = {"ssl_context": context} if self.tls == "implicit" else {}
        if self.tls == "starttls":
            more = {"tls_context": context, "require_starttls": True}
        controller = UnthreadedController(
            self.box, "localhost", 0, loop=asyncio.get_running_loop(), authenticator=login,
            auth_required=self.tls == "starttls",
            auth_require_tls=self.tls == "starttls", **more,
        )  # fmt: skip
        listening = await asyncio.get_running_loop().create_server(
            controller.factory, "127.0.0.1", 0, ssl=more.get("ssl_context")
        )
        port = listening.sockets[0].getsockname()[1]
        yield MailServer(
            "localhost",
            port,
            self.tls,
            "rilon@th.example",
            "rilon",
            "secret",
            str(authority),  # type: ignore[arg-type]
        )
        listening.close()

    @pytest.fixture
    async def pager(self, server: MailServer, tmp_path: Path) -> Pager:
        return Mail(server, tmp_path)

    @pytest.fixture
    async def dead(self, tmp_path: Path) -> AsyncIterator[Pager]:
        async def silent(_r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
            writers.append(w)

        writers: list[asyncio.StreamWriter] = []
        mute = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = mute.sockets[0].getsockname()[1]
        yield Mail(MailServer("localhost", port, "implicit", "rilon@th.example"), tmp_path, timeout_s=0.2)
        for writer in writers:
            writer.close()
        mute.close()

    async def delivered(self) -> list[tuple[str, str]]:
        assert all(self.box.inside_tls)
        assert {m["Auto-Submitted"] for m in self.box.mails} <= {"auto-generated"}
        return [(m["Message-ID"], f"{m['Subject']}\n{m.get_payload()}") for m in self.box.mails]


class TestMailInTls(MailContract):
    @pytest.mark.parametrize(
        ("changes", "code"),
        [({"authority": ""}, "pager.mail-tls"), ({"user": "somebody"}, "pager.mail-login"),
         ({"password_file": "none"}, "mail.password-file"), ({"port": 1}, "pager.mail-away")],
    )  # fmt: skip
    async def test_what_is_wrong_is_said(
        self, server: MailServer, tmp_path: Path, changes: dict[str, Any], code: str
    ) -> None:
        facts = {name: getattr(server, name) for name in MailServer.__struct_fields__}
        with pytest.raises(UnavailableError, match=code.replace(".", r"\.")):
            await Mail(MailServer(**facts | changes), tmp_path, timeout_s=5).send(MESSAGE)


class TestMailByStarttls(MailContract):
    tls = "starttls"

    async def test_a_server_that_offers_no_tls_gets_nothing(self, tmp_path: Path) -> None:
        box = Postbox()
        plain = UnthreadedController(box, "localhost", 0, loop=asyncio.get_running_loop())
        listening = await asyncio.get_running_loop().create_server(plain.factory, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError, match=r"pager\.mail"):
            await Mail(MailServer("localhost", port, "starttls", "rilon@th.example"), tmp_path).send(MESSAGE)
        assert box.mails == []
        listening.close()


RINGS = """import sys
told = sys.stdin.read()
if "nobody" in told:
    sys.exit(64)
with open(sys.argv[1], "a") as heard:
    heard.write(told)
"""


class TestHook(PagerContract):
    @pytest.fixture
    async def pager(self, tmp_path: Path) -> Pager:
        self.heard = tmp_path / "heard"
        return HookPager(Hook((sys.executable, "-c", RINGS, str(self.heard))))

    @pytest.fixture
    async def dead(self) -> Pager:
        return HookPager(Hook(("/bin/sh", "-c", "sleep 60 & sleep 60"), 1))

    async def delivered(self) -> list[tuple[str, str]]:
        told = [json.loads(line) for line in self.heard.read_text().splitlines()] if self.heard.exists() else []
        for each in told:
            assert each.keys() == {
                "id", "to", "member", "world", "at", "test", "count", "about", "urgency", "link", "text"
            }  # fmt: skip
        return [(each["id"], f"{each['text']}\n{each['link']}") for each in told]

    async def test_a_hang_ends_in_time_with_all_its_children(self, dead: Pager) -> None:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"pager\.hook-late"):
            await dead.send(MESSAGE)
        assert time.monotonic() - began < 5

    @pytest.mark.parametrize(
        ("command", "code"),
        [(("/nowhere/at-all",), "hook-missing"), (("/bin/false",), "hook-failed"), (("/bin/true",), "")],
    )
    async def test_what_is_wrong_is_said(self, command: tuple[str, ...], code: str) -> None:
        pager = HookPager(Hook(command))
        if not code:
            await pager.send(MESSAGE)  # it reads nothing, and that is its own affair
            return
        with pytest.raises(UnavailableError, match=code):
            await pager.send(MESSAGE)

    async def test_nothing_of_our_environment_and_no_shell(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RILON_PASSPHRASE", "secret of the node")
        script = "import os, sys; open(sys.argv[1], 'w').write(repr((dict(os.environ), sys.argv[2])))"
        await HookPager(Hook((sys.executable, "-c", script, str(tmp_path / "seen"), "$(id); `id`"))).send(MESSAGE)
        seen = (tmp_path / "seen").read_text()
        assert "secret of the node" not in seen
        assert "$(id); `id`" in seen


@pytest.mark.parametrize(
    "wrong",
    [
        '[mail]\nhost = "mail.example"\ntls = "none"\nsender = "a@b"',
        '[mail]\nhost = "mail.example"',
        '[mail]\nhost = "mail.example"\nsender = "a@b\\r\\nBcc: c@d"',
        '[mail]\nhost = "mail.example\\r\\n"\nsender = "a@b"',
        "[hook]\ncommand = 'ring | tee'",
        '[hook]\ncommand = ["ring"]\nseconds = 0',
    ],
)
def test_a_configuration_that_would_leak_or_hang_is_refused(wrong: str) -> None:
    with pytest.raises(MalformedError, match=r"config\.file"):
        parse(f'member = "th"\n{wrong}\n'.encode())


def test_a_sound_configuration_is_read() -> None:
    mail, hook = b'host = "::1"\ntls = "none"\nport = 25\nsender = "rilon@th.example"', b'command = ["ring", "-x"]'
    text = b'member = "th"\n[mail]\n' + mail + b"\n[hook]\n" + hook
    found: Config = parse(text)
    assert (found.mail.host, found.hook.command) == ("::1", ("ring", "-x"))


def test_the_libraries_still_say_what_we_catch() -> None:
    assert issubclass(smtplib.SMTPException, OSError)
    assert issubclass(ssl.SSLError, OSError)
