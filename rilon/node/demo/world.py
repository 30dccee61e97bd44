"""What the demo is made of: homes, keys, personas and mutual introductions; made once, kept, and found again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from rilon.app.directory_desk import Introduction, fingerprint
from rilon.app.membership_desk import TOKEN_DAYS
from rilon.crypto import approval
from rilon.crypto.strongbox import FLOOR, Cost
from rilon.domain.book_file import default_book, parse_book
from rilon.domain.rules import RuleBook
from rilon.domain.values import Role
from rilon.network.hub_home import HubSettings
from rilon.node.config import Config, Home, Http, HubAccess, write_private
from rilon.node.core import World, open_core
from rilon.node.desks import Desks
from rilon.node.founding import found, make_keys
from rilon.node.hub_server import init_hub, open_hub

MEMBERS = ("th", "id", "my", "bd", "iom", "rso")
CAST = {
    "officer": frozenset({Role.OFFICER}),
    "focal-1": frozenset({Role.FOCAL_POINT}),
    "focal-2": frozenset({Role.FOCAL_POINT}),
    "focal-3": frozenset({Role.FOCAL_POINT}),
    "protection": frozenset({Role.PROTECTION}),
    "auditor": frozenset({Role.AUDITOR}),
    "administrator": frozenset({Role.ADMINISTRATOR}),
}
"""Personas of every Member, all of them invented."""
APPROVERS = ("focal-1", "focal-2", "protection")
"""Have an approval key in a file; focal-3 has none, and approves with the passkey they make in the browser."""
_STATE = "demo.json"


class Persona(Struct):
    """An invented person: opaque id, a demo token, and (for approvers) the file of their own approval key."""

    officer: str
    token: str
    key_file: str = ""


class State(Struct):
    """What a second start goes on with. The passphrase stands here because this is a demo, and says so."""

    passphrase: str
    hub_port: int
    monitor_port: int
    ports: dict[str, int]
    personas: dict[str, dict[str, Persona]] = {}
    founded: bool = False
    story_told: bool = False


class DemoWorld:
    """The demo's folder.

    Args:
        path: made when it is missing.
        members: whose nodes there are; at a second start those of the first.
        cost: of guessing a passphrase; tests choose a cheap one, and a world whose floor lets it pass.
    """

    def __init__(
        self, path: Path, members: Sequence[str] = MEMBERS, *, cost: Cost = FLOOR, world: World | None = None
    ) -> None:
        self.path, self._cost, self.world = path.absolute(), cost, world or World()
        self.state = self._load() or State(
            secrets.token_hex(16), free_port(), free_port(), {m: free_port() for m in members}
        )

    @property
    def members(self) -> tuple[str, ...]:
        """Whose nodes there are."""
        return tuple(self.state.ports)

    def home(self, member: str) -> Home:
        """The home of a Member's node."""
        return Home(self.path / member)

    @property
    def hub(self) -> Path:
        """The hub's folder."""
        return self.path / "hub"

    def url(self, member: str) -> str:
        """Where a Member's node answers; a name of its own keeps cookies and passkeys apart."""
        return f"http://{member}.localhost:{self.state.ports[member]}"

    def persona(self, member: str, name: str) -> Persona:
        """An invented person of a Member."""
        return self.state.personas[member][name]

    def save(self) -> None:
        """Keep the state, readable by its owner only."""
        write_private(self.path / _STATE, msgspec.json.format(msgspec.json.encode(self.state)))

    def _load(self) -> State | None:
        try:
            return msgspec.json.decode((self.path / _STATE).read_bytes(), type=State)
        except FileNotFoundError:
            return None

    async def make_homes(self) -> None:
        """The hub and every node's home; nothing runs yet. What a start that was broken off left of nodes goes."""
        Home(self.path).make()
        self.save()
        if not (self.hub / "hub.json").exists():
            init_hub(self.hub, HubSettings(port=self.state.hub_port, monitor_port=self.state.monitor_port))
        hub = open_hub(self.hub)
        for member in self.members:
            await asyncio.to_thread(shutil.rmtree, self.home(member).path, ignore_errors=True)
            credentials = await hub.add_member(member)
            config = self._config(member, hub.home.url)
            self.home(member).write(config)
            write_private(self.home(member).path / config.hub.creds, credentials.read_bytes())

    def _config(self, member: str, hub_url: str) -> Config:
        names = (f"{member}.localhost", "localhost", "127.0.0.1")
        http = Http(port=self.state.ports[member], names=names, origin=self.url(member))
        return Config(member, "exercise", hub=HubAccess(url=hub_url), http=http, demo=True)

    async def found_all(self) -> None:
        """Found every node, two at a time, introduce all to all, and let the focal points verify each other."""
        gate = asyncio.Semaphore(2)

        async def one(member: str) -> Introduction:
            async with gate:
                return await self._found(member)

        introductions = await asyncio.gather(*(one(m) for m in self.members))
        known = dict(zip(self.members, introductions, strict=True))
        await asyncio.gather(*(self._introduce(m, known) for m in self.members))
        self.state.founded = True
        self.save()

    async def _found(self, member: str) -> Introduction:
        home, passphrase = self.home(member), self.state.passphrase
        root = await asyncio.to_thread(make_keys, home, passphrase, self._cost)
        async with open_core(home, passphrase, self.world) as core:
            await found(core.desks, home.read(), root, await core.log.log_id(), _book(member))
            self.state.personas[member] = {name: await self._enrol(core.desks, member, name) for name in CAST}
            return await core.desks.directory.introduction()

    async def _enrol(self, desks: Desks, member: str, name: str) -> Persona:
        label = f"Demo {member.upper()} {name} (invented)"
        agency = "protection" if name == "protection" else "immigration"
        enrolled = await desks.members.enrol(None, label, agency, "duty", CAST[name])
        officer = UUID(bytes=enrolled.answer)
        token = await desks.members.issue_token(None, officer, CAST[name], TOKEN_DAYS)
        persona = Persona(officer.hex, token.text)
        if name in APPROVERS:
            made = await asyncio.to_thread(approval.create, self.state.passphrase, officer.hex, cost=self._cost)
            path = self.home(member).path / f"{name}.approval-key"
            write_private(path, made[0])
            persona.key_file = str(path)
            await desks.members.enrol_key(officer, made[1].raw)
        return persona

    async def invite(self, member: str) -> dict[str, str]:
        """One-time links into the pages for everybody of a Member, as the founder makes them."""
        found = {}
        async with open_core(self.home(member), self.state.passphrase, self.world) as core:
            for name, persona in self.state.personas[member].items():
                made = await core.desks.access.invite(None, UUID(hex=persona.officer))
                found[name] = f"{self.url(member)}/join#{made.code}"
        return found

    async def _introduce(self, member: str, known: dict[str, Introduction]) -> None:
        """Take in the others, and have this Member's focal point confirm each fingerprint as if heard by voice."""
        async with open_core(self.home(member), self.state.passphrase, self.world) as core:
            desks = core.desks
            focal = await desks.members.authenticate(self.persona(member, "focal-1").token)
            for other, introduction in known.items():
                if other != member:
                    listing = await desks.directory.take_in(introduction)
                    await desks.directory.verify(focal, other, fingerprint(listing.identity.root))


def enterable(path: Path) -> Path:
    """The folder, or one in its stead: run by root, the servers run as somebody who must be able to pass through it."""
    path = path.absolute()
    if os.geteuid() != 0 or all(p.stat().st_mode & stat.S_IXOTH for p in path.parents if p.exists()):
        return path
    tag = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"rilon-demo-{tag}"


def _book(member: str) -> RuleBook:
    """Thailand has an invented book of its own, the others the shipped one."""
    if member != "th":
        return default_book(member)
    return parse_book(resources.files(__package__).joinpath("th_rules.toml").read_bytes(), "th", 1)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
