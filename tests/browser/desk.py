"""Windows of people who use the pages of one node in memory: quick enough to look at everything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from playwright.async_api import Browser

from rilon.domain.values import Role
from rilon.front.server import ApiServer, listen_tcp
from rilon.node.serve import front_of
from tests.api import HOST
from tests.browser.chromium import Person, chromium, window
from tests.web import Pages, pages


class Desk:
    """A node in memory, its pages on a port, and windows of those who use it."""

    def __init__(self, node: Pages, browser: Browser, stack: AsyncExitStack) -> None:
        self.node, self._browser, self._stack = node, browser, stack

    async def join(self, *roles: Role) -> Person:
        """Enrol somebody, and let them follow their one-time link."""
        enrolled = await self.node.node.officer(*roles)
        invited = await self.node.services.access.invite(None, enrolled.id)
        await self.node.services.shown(0)
        return await self.follow(f"/join#{invited.code}")

    async def enter(self, *roles: Role) -> Person:
        """The same where the browser has no authenticator, in a demo."""
        invited = await self.node.services.access.invite(None, (await self.node.node.officer(*roles)).id)
        await self.node.services.shown(0)
        return await self.follow(f"/join#{invited.code}", authenticator=False)

    async def follow(self, link: str, *, authenticator: bool = True) -> Person:
        """Come in by a one-time link, in a window of one's own."""
        home = self.node.services.origin
        person = await self._stack.enter_async_context(window(self._browser, home))
        if authenticator:
            await person.authenticator()
        await person.go(link.removeprefix(home))
        await person.press("Make my passkey" if authenticator else "Go on without a passkey")
        await person.page.wait_for_url(lambda url: "/join" not in url)
        return person


@asynccontextmanager
async def desk(*knows: str, arguments: Sequence[str] = (), **changes: Any) -> AsyncIterator[Desk]:
    sock = listen_tcp("127.0.0.1", 0)
    origin = f"http://{HOST}:{sock.getsockname()[1]}"
    async with pages(knows=knows, origin=origin, **changes) as node:
        await node.node.desks.epochs.settle()
        async with desk_of(node, sock, *arguments) as opened:
            yield opened


@asynccontextmanager
async def desk_of(node: Pages, sock: socket.socket, *arguments: str) -> AsyncIterator[Desk]:
    """The pages of a node on this socket, and a browser before them."""
    server = ApiServer(front_of(node.services), node.services.notifier.close, signals=False)
    task = asyncio.create_task(server.run_on(sock))
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium(*arguments))
        try:
            yield Desk(node, browser, stack)
        finally:
            server.stop()
            await asyncio.wait_for(task, 5)
