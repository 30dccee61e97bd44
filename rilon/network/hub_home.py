"""What the hub keeps on disk: keys, credentials, who is a Member, and the configuration of its nats-server.

home/
  hub.json      settings, public keys and Members: everything about the hub that is no secret
  keys/         seeds, ours alone; ``operator.seed`` is needed once and belongs offline afterwards
  creds/        how the administrator and the Members' nodes sign in
  server/       all that nats-server itself sees: hub.conf, jwt/, store/, nats.log
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from rilon.app.ports import Entropy
from rilon.domain.misread import misread
from rilon.domain.values import MemberId
from rilon.errors import ConflictError, InvalidError, MalformedError, RefusedError, UnavailableError
from rilon.network import claims
from rilon.network.claims import Kind, NatsKey

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Certificate files for mutual TLS 1.3. The hub's certificate also serves its administrator as a client."""

    certificate: str
    key: str
    authority: str


class HubSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the hub is run. Every limit carries its unit.

    Attributes:
        host: where to listen: the name that nodes use and the certificate bears. Anything but loopback wants ``tls``.
        port: for nodes that connect directly.
        monitor_port: health, on loopback only.
        leaf_port: for nodes that keep a nats-server of their own (leaf nodes); None: not offered.
        tls: None only on loopback.
        inbox_frames: how many frames of one sender may wait for one recipient. Times 512 KiB times recipients, it
            bounds what a Member gone mad can make the hub store.
        frame_age_s: a frame nobody fetched is forgotten after this; its sender's log still has it.
        ack_wait_s: a frame handed out and not acknowledged comes again after this.
        store_bytes: the most the hub stores.
        replicas: copies of each inbox, 3 on a cluster of three.
        credential_days: how long a Member's credentials hold; ``add_member`` again renews them.
    """

    host: str = "127.0.0.1"
    port: int = 4222
    monitor_port: int = 8222
    leaf_port: int | None = None
    tls: Tls | None = None
    inbox_frames: int = 256
    frame_age_s: int = 7 * 86_400
    ack_wait_s: float = 10.0
    store_bytes: int = 10 << 30
    replicas: int = 1
    credential_days: int = 90


class HubMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Member as the hub knows it: the account that owns its inbox, and since when."""

    member: MemberId
    account: str
    since: datetime
    revoked: datetime | None = None


class HubRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``hub.json``."""

    settings: HubSettings
    operator_token: str
    signer: str
    system: str
    hub: str
    members: list[HubMember] = []

    def serving(self, member: MemberId) -> HubMember | None:
        """The Member's entry, unless it is revoked or never was."""
        return next((m for m in self.members if m.member == member and m.revoked is None), None)


class HubHome:
    """The hub's directory."""

    def __init__(self, path: Path, record: HubRecord) -> None:
        self.path, self.record = path.absolute(), record
        self.server = self.path / "server"
        self.config = self.server / "hub.conf"

    def __repr__(self) -> str:
        return f"HubHome({str(self.path)!r})"

    @classmethod
    def create(cls, path: Path, settings: HubSettings, now: datetime, entropy: Entropy) -> HubHome:
        """Make keys, the administrators' credentials and the server's configuration.

        Raises:
            ConflictError: ``hub.exists``: there is a hub already; its keys are not replaced.
            InvalidError: ``hub.tls``: others could reach it in clear.
        """
        if settings.tls is None and settings.host not in LOOPBACK:
            raise InvalidError("hub.tls", "A hub that other machines reach needs TLS certificates.", field="tls")
        if (path / "hub.json").exists():
            raise ConflictError("hub.exists", f"There is a hub in {path} already.", fix="Use it, or another directory.")
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711)  # so that the server, run as somebody else by root, may pass to what is its own
        for name in ("keys", "keys/members", "creds", "creds/members", "server", "server/jwt"):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        operator, signer = NatsKey.new(Kind.OPERATOR, entropy), NatsKey.new(Kind.OPERATOR, entropy)
        system, hub = NatsKey.new(Kind.ACCOUNT, entropy), NatsKey.new(Kind.ACCOUNT, entropy)
        grants = claims.operator_claims(system.public, signer.public)
        token = claims.mint(operator, operator.public, "rilon", grants, now)
        home = cls(path, HubRecord(settings, token, signer.public, system.public, hub.public))
        for name, key in {"operator": operator, "signer": signer, "system": system, "hub": hub}.items():
            home.keep_key(name, key)
        for name, account in {"system": system, "hub": hub}.items():
            home.issue(account, name, claims.admin_user_claims(), now, entropy, forever=True)
        home.save(home.record)
        home.configure(now)
        return home

    @classmethod
    def open(cls, path: Path) -> HubHome:
        """The hub in ``path``.

        Raises:
            RefusedError: ``hub.absent``.
            MalformedError: ``hub.record``: hub.json cannot be read; nothing is guessed.
        """
        try:
            return cls(path, msgspec.json.decode((path / "hub.json").read_bytes(), type=HubRecord))
        except FileNotFoundError as error:
            raise RefusedError("hub.absent", f"There is no hub in {path}.", fix="Run `rilon hub init`.") from error
        except msgspec.DecodeError as error:
            field = misread(error, HubRecord).field if isinstance(error, msgspec.ValidationError) else ""
            fix = "Restore it from a copy: nothing is guessed."
            message = f"{path / 'hub.json'} is not what a hub keeps."
            raise MalformedError("hub.record", message, field=field, fix=fix) from error

    @property
    def url(self) -> str:
        """Where nodes connect."""
        settings = self.record.settings
        return f"{'tls' if settings.tls else 'nats'}://{settings.host}:{settings.port}"

    @property
    def health_url(self) -> str:
        """Answers 200 when the server and its store are ready; loopback only."""
        return f"http://127.0.0.1:{self.record.settings.monitor_port}/healthz"

    def creds(self, name: str) -> Path:
        """The credentials file of ``system``, ``hub`` or ``members/<id>``."""
        return self.path / "creds" / f"{name}.creds"

    def key(self, name: str) -> NatsKey:
        """The key ``operator``, ``signer``, ``system``, ``hub`` or ``members/<id>``.

        Raises:
            UnavailableError: ``hub.key-absent``: it is kept elsewhere.
        """
        path = self.path / "keys" / f"{name}.seed"
        try:
            return NatsKey(path.read_bytes())
        except FileNotFoundError as error:
            raise UnavailableError("hub.key-absent", f"The key {path} is not here.") from error

    def keep_key(self, name: str, key: NatsKey) -> None:
        """Store a seed."""
        write_private(self.path / "keys" / f"{name}.seed", key.seed)

    def issue(
        self,
        account: NatsKey,
        name: str,
        grants: claims.Claims,
        now: datetime,
        entropy: Entropy,
        *,
        forever: bool = False,
    ) -> Path:
        """Credentials with a fresh user key of ``account``; the file."""
        user = NatsKey.new(Kind.USER, entropy)
        expires = None if forever else now + timedelta(days=self.record.settings.credential_days)
        token = claims.mint(account, user.public, name, grants, now, expires=expires)
        write_private(self.creds(name), claims.credentials(token, user).encode())
        return self.creds(name)

    def save(self, record: HubRecord) -> None:
        """Replace ``hub.json`` whole or not at all."""
        self.record = record
        write_private(self.path / "hub.json", msgspec.json.format(msgspec.json.encode(record), indent=2))

    def put_claims(self, account: str, token: str) -> None:
        """Hand claims to a server that does not run: it reads them when it starts."""
        write_private(self.server / "jwt" / f"{account}.jwt", token.encode())

    def configure(self, now: datetime) -> None:
        """Write the server's configuration. It holds no secret."""
        signer = self.key("signer")
        accounts = {
            self.record.system: ("SYS", claims.system_claims()),
            self.record.hub: ("HUB", claims.hub_claims()),
        }
        preload = {a: claims.mint(signer, a, name, grants, now) for a, (name, grants) in accounts.items()}
        write_private(self.config, render(self.record, self.server, preload).encode())


def render(record: HubRecord, server: Path, preload: dict[str, str]) -> str:
    """The text of ``hub.conf``; each deviation from NATS' defaults has its reason in docs/spec/courier.md."""
    settings, quote = record.settings, partial(json.dumps, ensure_ascii=False)  # nats-server knows no \\u
    return f"""\
# Written by `rilon hub init`; docs/spec/courier.md gives the reason for each line.
server_name: hub
listen: {quote(f"{settings.host}:{settings.port}")}
http: "127.0.0.1:{settings.monitor_port}"
log_file: {quote(str(server / "nats.log"))}
log_size_limit: 8MB
logfile_max_num: 4
max_payload: 1MB
max_control_line: 4KB
ping_interval: "20s"
ping_max: 2
{_tls(settings.tls)}{_leaf_nodes(settings)}
jetstream {{
  store_dir: {quote(str(server / "store"))}
  domain: hub
  sync_interval: always
  strict: true
  max_mem: 64MB
  max_file: {settings.store_bytes}
}}
operator: {quote(record.operator_token)}
system_account: {record.system}
resolver: {{ type: full, dir: {quote(str(server / "jwt"))}, allow_delete: true, interval: "2m" }}
resolver_preload: {quote(preload, indent=1)}
"""


def _leaf_nodes(settings: HubSettings) -> str:
    if settings.leaf_port is None:
        return ""
    listen = json.dumps(f"{settings.host}:{settings.leaf_port}")
    return f"""leafnodes {{
  listen: {listen}
  no_advertise: true
  isolate_leafnode_interest: true
  compression: disabled
  {_tls(settings.tls)}}}
"""


def _tls(tls: Tls | None) -> str:
    if tls is None:
        return ""
    files = {"cert_file": tls.certificate, "key_file": tls.key, "ca_file": tls.authority}
    named = ", ".join(f"{name}: {json.dumps(path, ensure_ascii=False)}" for name, path in files.items())
    return f'tls: {{ {named}, verify: true, handshake_first: true, min_version: "1.3", timeout: 5 }}\n'


def write_private(path: Path, data: bytes) -> None:
    """Replace a file of mode 0600 whole or not at all, durably."""
    draft = path.with_name(f"{path.name}.draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - mode
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
