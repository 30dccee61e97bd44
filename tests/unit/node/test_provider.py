"""What stands where an identity provider should: slow, torn, too much, somebody else. And how seldom it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rilon.errors import RilonError
from rilon.node import provider as module
from rilon.node.config import Config, Home, Http, ProviderAccess, parse, render
from rilon.node.doctor import Grade, provider
from rilon.node.provider import MAX_BYTES, OidcProvider, provider_of
from tests.nodes import SetClock
from tests.unit.crypto.test_provider_token import EC, OTHER, farewell, published, signed

ORIGIN = "https://th.localhost"


@dataclass
class Stand:
    """Something that listens where a provider should, and answers as it is told; what it was asked."""

    url: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def access(self, **changes: Any) -> ProviderAccess:
        facts = {"issuer": self.url, "name": "Fictional ID", "client_id": "rilon-th", "acr": ("high",)}
        return ProviderAccess(**facts | changes)

    def provider(self, home: Path, clock: SetClock | None = None) -> OidcProvider:
        (home / "provider-secret").write_text("secret\n")
        return OidcProvider(self.access(), ORIGIN, home, clock or SetClock())

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # who asked has given up
            writer.close()
            return
        path = head.split(" ")[1]
        self.asked.append(path)
        said = self.said.get(path, (404, b""))
        if said is None:  # not a word, until who asked gives up
            await reader.read()
            writer.close()
            return
        status, body, *more = said
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close", *more]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        writer.close()

    def metadata(self, **changes: Any) -> tuple[int, bytes]:
        told = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["ES256"],
        } | changes
        return 200, json.dumps({k: v for k, v in told.items() if v is not None}).encode()


WELL_KNOWN = "/.well-known/openid-configuration"


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    made = Stand()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    made.said = {WELL_KNOWN: made.metadata(), "/keys": (200, published(("one", EC)))}
    try:
        yield made
    finally:
        server.close()


async def refused(found: OidcProvider) -> str:
    with pytest.raises(RilonError) as caught:
        await found.begin("state", "nonce", "challenge")
    assert caught.value.status in {400, 503}
    return caught.value.code


async def test_a_sound_one_is_asked_once_an_hour(tmp_path: Path) -> None:
    async with stand() as there:
        clock = SetClock()
        found = there.provider(tmp_path, clock)
        go = await found.begin("a state", "a nonce", "a challenge")
        assert go.startswith(f"{there.url}/auth?response_type=code&client_id=rilon-th&")
        assert "code_challenge_method=S256" in go
        await asyncio.gather(*(found.begin("s", "n", "c") for _ in range(5)))
        assert there.asked == [WELL_KNOWN, "/keys"]
        clock.forward(hours=1)
        await asyncio.gather(*(found.begin("s", "n", "c") for _ in range(5)))
        assert there.asked == [WELL_KNOWN, "/keys"] * 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "https://id.example"}, "provider.issuer"),
        ({"issuer": None}, "provider.issuer"),
        ({"authorization_endpoint": None}, "provider.metadata"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "provider.metadata"),
        ({"token_endpoint": "http://id.example/token"}, "provider.metadata"),
        ({"jwks_uri": "http://127.0.0.1.evil.example/keys"}, "provider.metadata"),
        ({"code_challenge_methods_supported": ["plain"]}, "provider.metadata"),
        ({"code_challenge_methods_supported": None}, "provider.metadata"),
        ({"response_types_supported": ["id_token"]}, "provider.metadata"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "provider.metadata"),
        ({"token_endpoint_auth_methods_supported": ["none"]}, "provider.metadata"),
    ],
)
async def test_one_that_does_not_say_what_it_must(changes: dict[str, Any], code: str, tmp_path: Path) -> None:
    async with stand() as there:
        there.said[WELL_KNOWN] = there.metadata(**changes)
        assert await refused(there.provider(tmp_path)) == code


@pytest.mark.parametrize(
    ("path", "said", "code"),
    [
        (WELL_KNOWN, (200, b"{" * 100), "provider.metadata"),
        (WELL_KNOWN, (200, b" " * (MAX_BYTES + 1)), "provider.size"),
        (WELL_KNOWN, (302, b"", "location: /elsewhere"), "provider.away"),
        (WELL_KNOWN, (500, b""), "provider.away"),
        (WELL_KNOWN, (200, b"{}", "content-length: 1000"), "provider.away"),
        ("/keys", (200, b"[]"), "provider.keys"),
        ("/keys", (404, b""), "provider.away"),
    ],
)
async def test_answers_that_are_none(path: str, said: Any, code: str, tmp_path: Path) -> None:
    async with stand() as there:
        there.said[path] = said
        assert await refused(there.provider(tmp_path)) == code
        assert "/elsewhere" not in there.asked


async def test_one_that_says_nothing_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All who wait are answered when the one who asked is; and for a while nobody asks again."""
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    async with stand() as there:
        there.said[WELL_KNOWN] = None
        clock = SetClock()
        found = there.provider(tmp_path, clock)
        async with asyncio.timeout(10):
            assert await asyncio.gather(*(refused(found) for _ in range(20))) == ["provider.away"] * 20
        assert len(there.asked) <= 1
        there.said[WELL_KNOWN] = there.metadata()
        assert await refused(found) == "provider.away", "not yet"
        clock.forward(seconds=5)
        assert await found.begin("s", "n", "c")


async def test_a_key_that_turned_is_fetched_but_no_stranger_makes_us_ask(tmp_path: Path) -> None:
    async with stand() as there:
        clock = SetClock()
        found = there.provider(tmp_path, clock)
        party = {"iss": there.url}
        assert (await found.farewell(signed(farewell(**party)))).subject == "somebody"
        for n in range(20):
            with pytest.raises(RilonError):
                await found.farewell(signed(farewell(**party), OTHER, kid=f"guess {n}"))
        assert there.asked.count("/keys") == 1
        there.said["/keys"] = 200, published(("new", OTHER))
        clock.forward(minutes=1)
        said = farewell(**party, iat=clock.now().timestamp())
        assert (await found.farewell(signed(said, OTHER, kid="new"))).ticket == "a ticket"
        assert there.asked.count("/keys") == 2
        with pytest.raises(RilonError):
            await found.farewell(signed(said, EC, kid="one"))
        assert there.asked.count("/keys") == 2, "the old key opens nothing, and is not looked for again at once"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ((400, b'{"error":"invalid_grant"}'), "auth.provider"),
        ((401, b'{"error":"invalid_client"}'), "provider.away"),
        ((200, b"{}"), "provider.token"),
        ((200, b'{"id_token":7}'), "provider.token"),
        ((200, b'{"id_token":"a.b.c"}'), "provider.token"),
        ((200, b'{"id_token":"%s"}' % (b"x" * (MAX_BYTES + 1))), "provider.size"),
    ],
)
async def test_what_comes_for_a_code(said: Any, code: str, tmp_path: Path) -> None:
    async with stand() as there:
        there.said["/token"] = said
        with pytest.raises(RilonError) as caught:
            await there.provider(tmp_path).redeem("code", None, "verifier", "nonce")
        assert caught.value.code == code


async def test_a_mixed_up_answer_sends_the_code_nowhere(tmp_path: Path) -> None:
    async with stand() as there:
        with pytest.raises(RilonError) as caught:
            await there.provider(tmp_path).redeem("code", "https://evil.example", "verifier", "nonce")
        assert caught.value.code == "provider.issuer"
        assert "/token" not in there.asked


async def test_the_doctor_looks_at_it(tmp_path: Path) -> None:
    async with stand() as there:
        secret = tmp_path / "provider-secret"
        config = Config("th", http=Http(origin=ORIGIN), provider=there.access())
        (missing,) = await provider(Home(tmp_path), config, SetClock())
        assert (missing.grade, "secret file" in missing.sentence) == (Grade.WRONG, True)
        secret.write_text("secret\n")
        secret.chmod(0o644)
        (loose,) = await provider(Home(tmp_path), config, SetClock())
        assert (loose.grade, loose.fix) == (Grade.WRONG, "chmod 600 it.")
        secret.chmod(0o600)
        (sound,) = await provider(Home(tmp_path), config, SetClock())
        assert sound.grade is Grade.WELL
        there.said[WELL_KNOWN] = 500, b""
        (away,) = await provider(Home(tmp_path), config, SetClock())
        assert away.grade is Grade.WRONG
        assert await provider(Home(tmp_path), Config("th"), SetClock()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example/?x"},
        {"issuer": "https://id.example", "acr": ()},
        {"issuer": "https://id.example", "name": ""},
        {"issuer": "https://id.example", "client_id": ""},
        {"issuer": "https://id.example", "scopes": ("profile",)},
    ],
)
def test_a_configuration_that_would_not_hold(changes: dict[str, Any]) -> None:
    whole = {"issuer": "https://id.example/realms/th", "name": "ID", "client_id": "rilon", "acr": ["high"]}
    said = {"member": "th", "http": {"origin": ORIGIN}}
    good = parse(_toml(said, whole))
    assert provider_of(good, Home(Path("/nowhere")), SetClock()) is not None
    assert parse(render(good).encode()) == good
    with pytest.raises(RilonError) as caught:
        parse(_toml(said, whole | changes))
    assert caught.value.code == "config.file"
    with pytest.raises(RilonError):
        parse(_toml({"member": "th"}, whole))


def test_a_configuration_with_a_number_that_nobody_counts_to_is_refused() -> None:
    with pytest.raises(RilonError, match="a number is too long") as caught:
        parse(b'member = "th"\n[http]\nport = ' + b"9" * 5000)
    assert caught.value.code == "config.file"


def _toml(said: dict[str, Any], provider: dict[str, Any]) -> bytes:
    lines = [f'member = "{said["member"]}"']
    for name, table in {**{k: v for k, v in said.items() if isinstance(v, dict)}, "provider": provider}.items():
        lines += [f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    return "\n".join(lines).encode()
