"""A node's configuration: one TOML file in its home, and the only reader of the environment.

RILON_HOME             the node's home; the command line may say another
RILON_PASSPHRASE_FILE  a file whose first line unlocks the keyring (a systemd credential, say)
RILON_PASSPHRASE       the passphrase itself; for demos: others on the machine may see an environment
RILON_TOKEN            the bearer token that the command line sends, when no token file is given
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from rilon.domain.members import member
from rilon.domain.misread import broken_toml, misread
from rilon.errors import MalformedError, RefusedError

FILE = "node.toml"
_HUB_URL = re.compile(r"(nats|tls)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


_ORIGIN = r"\A(|https://[a-z0-9.-]{1,200}(:[0-9]{1,5})?|http://([a-z0-9-]+\.)*localhost(:[0-9]{1,5})?)\Z"
"""Without TLS a browser keeps neither passkeys nor our cookies, but on its own machine."""


_ISSUER = (
    r"\A(|https://[A-Za-z0-9./_~:-]{1,250}|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[A-Za-z0-9./_~-]{0,200})?)\Z"
)


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the log lies.

    Attributes:
        url: a Postgres (15 or newer) database whose owner this login is; "" for one that the node runs itself.
    """

    url: str = ""


class HubAccess(Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the courier; without a url the node works alone.

    Attributes:
        url: ``nats://host:port`` or ``tls://...``. creds: path of the credentials file, relative to the home.
        authority, certificate, key: paths for mutual TLS; all or none.
    """

    url: str = ""
    creds: str = "hub.creds"
    authority: str = ""
    certificate: str = ""
    key: str = ""


class Http(Struct, frozen=True, forbid_unknown_fields=True):
    """Where API and pages listen. Anything but loopback belongs behind a TLS proxy.

    Attributes:
        names: hosts the node answers to.
        origin: how people's browsers reach the pages, ``https://host``; "": there are no pages. Passkeys are made for
            it, and it is published with the keys that approve.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8400
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    origin: Annotated[str, Meta(pattern=_ORIGIN)] = ""


class MailServer(Struct, frozen=True, forbid_unknown_fields=True):
    """The mail server that notices go out by; without a host none do.

    Attributes:
        tls: ``implicit``, ``starttls``, or ``none`` for a server on this machine.
        sender: address they come from. user: "" for no login; its password is the first line of ``password_file``.
        authority: certificates to believe, a file; "" for the system's. Paths are relative to the home.
    """

    host: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.:-]{0,253}\Z")] = ""
    port: Annotated[int, Meta(gt=0, le=65535)] = 465
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    sender: Annotated[str, Meta(pattern=r"\A(|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253})\Z")] = ""
    user: str = ""
    password_file: str = "mail-password"  # noqa: S105  a path
    authority: str = ""

    def __post_init__(self) -> None:
        """Refuse what would show notices to the network, or come from nowhere. Raises ValueError."""
        if self.host and not self.sender:
            raise ValueError("mail needs a sender")
        if self.tls == "none" and self.host not in {"", "localhost", "127.0.0.1", "::1"}:
            raise ValueError("mail without TLS goes to this machine only")


class Hook(Struct, frozen=True, forbid_unknown_fields=True):
    """A program that rings a telephone for a notice; without a command there is none.

    Attributes:
        command: the program and its arguments; no shell reads them.
        seconds: how long it may take.
    """

    command: tuple[str, ...] = ()
    seconds: Annotated[int, Meta(gt=0, le=120)] = 20


class ProviderAccess(Struct, frozen=True, forbid_unknown_fields=True):
    """The Member's identity provider (OpenID Connect), the other way in; without an issuer there is none.

    Attributes:
        issuer: as it names itself, to the letter; http only on this machine. name: what people know it by.
        client_id: what it knows this node by; the secret is the first line of ``secret_file``.
        acr: levels of assurance, one of which it must vouch for. scopes: what is asked for; names are not needed.
        authority: certificates to believe, a file; "" for the system's. Paths are relative to the home.
    """

    issuer: Annotated[str, Meta(pattern=_ISSUER)] = ""
    name: Annotated[str, Meta(max_length=60)] = ""
    client_id: Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{0,255}\Z")] = ""
    secret_file: str = "provider-secret"  # noqa: S105  a path
    acr: tuple[Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,255}\Z")], ...] = ()
    scopes: tuple[Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,60}\Z")], ...] = ("openid",)
    authority: str = ""

    def __post_init__(self) -> None:
        """Refuse a provider that anybody could pose as, or that vouches for nothing. Raises ValueError."""
        if self.issuer and not (self.name and self.client_id and self.acr and "openid" in self.scopes):
            raise ValueError("a provider needs a name, a client_id, an acr, and the scope openid")


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """What a node is told about itself.

    Attributes:
        demo: approval keys may lie in its home, and a browser without an authenticator comes in; exercises only.
    """

    member: str
    world: Literal["real", "exercise"] = "real"
    database: Database = Database()
    hub: HubAccess = HubAccess()
    http: Http = Http()
    mail: MailServer = MailServer()
    hook: Hook = Hook()
    provider: ProviderAccess = ProviderAccess()
    demo: bool = False

    def __post_init__(self) -> None:
        """Refuse a demo of a real node, or one that others reach; and a way in to no pages. Raises ValueError."""
        if self.demo and (self.world != "exercise" or not self.http.origin.startswith("http://")):
            raise ValueError("a demo is an exercise on this machine")
        if self.provider.issuer and not self.http.origin:
            raise ValueError("a provider signs in to pages: http.origin says where they are")


class Home:
    """A node's folder: configuration, keyring, and the database it runs itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Home({self.path})"

    @property
    def keyring(self) -> Path:
        """The keyring file; replicate it continuously, never keep old versions (docs/operate.md)."""
        return self.path / "keyring.rilon"

    @property
    def root_key(self) -> Path:
        """The root key, to be taken offline after the node was founded."""
        return self.path / "root-key.rilon"

    @property
    def postgres(self) -> Path:
        """Data of the embedded Postgres."""
        return self.path / "postgres"

    def read(self) -> Config:
        """The configuration.

        Raises:
            RefusedError: ``config.no-home``. MalformedError: ``config.file``, with the place.
        """
        try:
            raw = (self.path / FILE).read_bytes()
        except FileNotFoundError:
            fix = "Run: rilon init MEMBER"
            raise RefusedError("config.no-home", f"There is no node in {self.path}.", fix=fix) from None
        return parse(raw)

    def write(self, config: Config) -> None:
        """Put the configuration there, readable by its owner only: a database url may hold a password."""
        self.make()
        write_private(self.path / FILE, render(config).encode())

    def make(self) -> None:
        """Make the folder when it is missing. Run by root, its database's user must be able to pass through it."""
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, from its first byte on."""
    path.touch(mode=0o600)
    path.write_bytes(data)


def parse(raw: bytes) -> Config:
    """Read a configuration file.

    Raises:
        MalformedError: ``config.file``, ``config.hub-url``. InvalidError: ``member.unknown``.
    """
    try:
        config = msgspec.toml.decode(raw, type=Config)
    except (msgspec.DecodeError, ValueError) as error:
        raise _unread(error) from error
    member(config.member)
    if config.hub.url and not _HUB_URL.fullmatch(config.hub.url):
        fix = "For example: tls://hub.example:4222"
        raise MalformedError("config.hub-url", "This is no address of a hub.", field="hub.url", fix=fix)
    return config


def _unread(error: Exception) -> MalformedError:
    """What is wrong with a configuration. What stands in it is not told: it may be a secret of another file."""
    if isinstance(error, msgspec.ValidationError):
        found = misread(error, Config)
        fix = found.fix or "See docs/operate.md."
        return MalformedError("config.file", f"The configuration: {found.message}", field=found.field, fix=fix)
    field, words = broken_toml(error)
    fix = "Compare it with the one that `rilon init` writes."
    return MalformedError("config.file", f"The configuration cannot be read: {words}.", field=field, fix=fix)


def home_of(given: Path | None, environment: Mapping[str, str] = os.environ) -> Home:  # noqa: TID251  the one reader
    """The node's home: what the command line says, else the environment, else ``~/.rilon``."""
    return Home(given or Path(environment.get("RILON_HOME", "~/.rilon")).expanduser())


def passphrase(environment: Mapping[str, str] = os.environ) -> str:  # noqa: TID251  the one reader
    """The keyring's passphrase.

    Raises:
        RefusedError: ``config.no-passphrase``, ``config.passphrase-file``.
    """
    if path := environment.get("RILON_PASSPHRASE_FILE"):
        return first_line(Path(path), "config.passphrase-file", "passphrase file")
    if found := environment.get("RILON_PASSPHRASE"):
        return found
    fix = "Set RILON_PASSPHRASE_FILE to a file whose first line is the passphrase."
    raise RefusedError("config.no-passphrase", "The keyring's passphrase is not given.", fix=fix)


def first_line(path: Path, code: str, what: str) -> str:
    """The secret in a small file: its first line.

    Raises:
        RefusedError: ``code``: it cannot be read, is no text, or is empty. What stands in it is never told.
    """
    try:
        found = path.read_text(encoding="utf-8").partition("\n")[0].strip("\r")
    except (OSError, UnicodeDecodeError):
        found = ""
    if not found:
        fix = "Its first line is the secret; let only its owner read it."
        raise RefusedError(code, f"The {what} {path} cannot be read, or is empty.", fix=fix)
    return found


def token_of(path: Path | None, environment: Mapping[str, str] = os.environ) -> str:  # noqa: TID251  the one reader
    """An officer's bearer token: the first line of a file, else ``RILON_TOKEN``; never on a command line.

    Raises:
        RefusedError: ``auth.token-file``, ``auth.token-missing``.
    """
    text = first_line(path, "auth.token-file", "token file") if path else environment.get("RILON_TOKEN", "")
    if found := text.strip():
        return found
    fix = "Put your token into a file and give --token-file, or set RILON_TOKEN."
    raise RefusedError("auth.token-missing", "Nobody has said who you are.", fix=fix)


def render(config: Config) -> str:
    """The file of a configuration. JSON's strings, numbers and arrays are TOML's."""
    plain = msgspec.to_builtins(config)
    lines = [f"{k} = {json.dumps(v)}" for k, v in plain.items() if not isinstance(v, dict)]
    for name, table in plain.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"
