"""NATS keys and JWTs (operator, account, user), minted by ourselves, and verified before anything believes them.

One account per Member. The hub's account exports four doors whose subjects name an account key, and the server lets an
importer in only under its own (``account_token_position``). So neither a forged subject nor a reply-to that names
another Member leads anywhere: one shared account with per-user permissions had that hole (docs/spec/courier.md).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal

import msgspec
import nkeys
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from rilon.app.ports import Entropy
from rilon.domain.values import MemberId
from rilon.errors import MalformedError, ProofError

Claims = dict[str, Any]
Connection = Literal["STANDARD", "LEAFNODE"]

TOKEN_LIMIT_BYTES = 16 << 10
HEADER = b'{"typ":"JWT","alg":"ed25519-nkey"}'
CONSUMER = "in"
MAX_PAYLOAD_BYTES = 1 << 20
UNLIMITED = -1
MEMBER_LIMITS = {
    "subs": 200,
    "data": UNLIMITED,
    "payload": MAX_PAYLOAD_BYTES,
    "imports": UNLIMITED,
    "exports": 0,
    "wildcards": True,
    "conn": 20,
    "leaf": 4,
}
REVOKED_LIMITS = MEMBER_LIMITS | {"conn": 0, "leaf": 0, "imports": 0}
HUB_LIMITS = MEMBER_LIMITS | {
    **dict.fromkeys(("subs", "conn", "exports", "mem_storage", "disk_storage", "streams", "consumer"), UNLIMITED),
    "leaf": 0,
}
SYSTEM_LIMITS = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), UNLIMITED)


class Kind(IntEnum):
    """What a key is for; its first letter says so too: O, A or U."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER


class NatsKey:
    """An Ed25519 key pair in NATS' clothes."""

    __slots__ = ("_pair", "public")

    def __init__(self, seed: bytes) -> None:
        self._pair = nkeys.from_seed(bytearray(seed))
        self.public: str = self._pair.public_key.decode()

    @classmethod
    def new(cls, kind: Kind, entropy: Entropy) -> NatsKey:
        """A fresh pair."""
        return cls(nkeys.encode_seed(entropy.bytes(32), kind))

    def __repr__(self) -> str:
        return f"NatsKey({self.public})"

    @property
    def seed(self) -> bytes:
        """The secret, as NATS writes it."""
        return bytes(self._pair.seed)

    def sign(self, message: bytes) -> bytes:
        """A 64-byte signature."""
        return bytes(self._pair.sign(message))


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """The claims of a NATS JWT, version 2. ``nats`` holds what the kind of token is about."""

    iat: int
    iss: str
    name: str
    sub: str
    nats: Claims
    jti: str = ""
    exp: int | None = None


def frame_subject(sender: str, recipient: MemberId) -> str:
    """Where the account ``sender`` puts frames for ``recipient``."""
    return f"rilon.{sender}.{recipient}.f"


def mint(
    issuer: NatsKey, subject: str, name: str, nats: Claims, issued: datetime, *, expires: datetime | None = None
) -> str:
    """A signed JWT."""
    body = Token(
        iat=int(issued.timestamp()),
        iss=issuer.public,
        name=name,
        sub=subject,
        nats={"version": 2, **nats},
        exp=int(expires.timestamp()) if expires else None,
    )
    digest = hashlib.sha256(msgspec.json.encode(body, order="deterministic")).digest()
    named = msgspec.structs.replace(body, jti=base64.b32encode(digest).decode().rstrip("="))
    signed = f"{_b64(HEADER)}.{_b64(msgspec.json.encode(named, order='deterministic'))}"
    return f"{signed}.{_b64(issuer.sign(signed.encode()))}"


def verify(token: str, issuer: str) -> Token:
    """The claims of ``token`` if ``issuer`` signed it.

    Raises:
        MalformedError: ``claims.malformed``.
        ProofError: ``claims.signature``: another signed it, or nobody did.
    """
    claims, signed, signature = _parse(token)
    try:
        VerifyKey(_raw_key(issuer)).verify(signed, signature)
    except (BadSignatureError, ValueError) as error:
        raise ProofError("claims.signature", "The claims are not signed by the expected key.") from error
    if claims.iss != issuer:
        raise ProofError("claims.signature", "The claims name another issuer than the one who signed them.")
    return claims


def verify_member(token: str, signer: str, hub: str) -> Token:
    """The claims of a Member's account (serving or revoked) if they are signed and are *exactly* what we would grant.

    The server must not be trusted with this: it answers 200 to claims that it then refuses.

    Raises:
        MalformedError: ``claims.malformed``.
        ProofError: ``claims.signature``, or ``claims.grant``: they grant something else, such as another's door.
    """
    claims = verify(token, signer)
    serving = {"version": 2, **member_claims(claims.sub, hub)}
    revoked = {"version": 2, **revoked_claims(claims.iat)}
    if not claims.sub.startswith("A") or claims.exp is not None or claims.nats not in (serving, revoked):
        raise ProofError("claims.grant", "The claims grant something other than a Member's own doors.")
    return claims


def operator_claims(system: str, signing: str) -> Claims:
    """The operator: names the system account and the key that signs accounts, so that its own may stay offline."""
    return {"type": "operator", "system_account": system, "signing_keys": [signing]}


def hub_claims() -> Claims:
    """The hub's account: it owns the inboxes and exports the four doors to them."""
    doors = (
        ("submit", "rilon.*.*.f", 2, "Singleton"),
        ("next", f"$JS.API.CONSUMER.MSG.NEXT.*.{CONSUMER}", 6, "Stream"),
        ("info", f"$JS.API.CONSUMER.INFO.*.{CONSUMER}", 5, "Singleton"),
        ("ack", f"$JS.ACK.*.{CONSUMER}.>", 3, "Singleton"),
    )
    exports = [
        {"name": name, "subject": subject, "type": "service", "account_token_position": position, "response_type": kind}
        for name, subject, position, kind in doors
    ]
    return _account(HUB_LIMITS) | {"exports": exports}


def system_claims() -> Claims:
    """NATS' own account, through which claims are pushed."""
    return _account(SYSTEM_LIMITS)


def member_claims(account: str, hub: str) -> Claims:
    """A Member's account: the four doors of the hub, each under its own key only."""
    doors = (
        ("submit", f"rilon.{account}.*.f", f"rilon.{account}.*.f"),
        ("next", f"$JS.API.CONSUMER.MSG.NEXT.{account}.{CONSUMER}", "hub.next"),
        ("info", f"$JS.API.CONSUMER.INFO.{account}.{CONSUMER}", "hub.info"),
        ("ack", f"$JS.ACK.{account}.{CONSUMER}.>", f"$JS.ACK.{account}.{CONSUMER}.>"),
    )
    imports = [
        {"name": name, "subject": subject, "account": hub, "type": "service", "local_subject": local}
        for name, subject, local in doors
    ]
    return _account(MEMBER_LIMITS) | {"imports": imports}


def revoked_claims(issued: int) -> Claims:
    """An account that may do nothing, all of whose users are out: the server drops live connections at once."""
    return _account(REVOKED_LIMITS) | {"revocations": {"*": issued}}


def member_user_claims(account: str, connection: Connection) -> Claims:
    """A Member's node: it may knock at its own four doors, listen for answers, and nothing else."""
    own = [f"rilon.{account}.*.f", "hub.next", "hub.info", f"$JS.ACK.{account}.{CONSUMER}.>"]
    return _user() | {
        "pub": {"allow": own},
        "sub": {"allow": ["_INBOX.>"]},
        "allowed_connection_types": [connection],
    }


def admin_user_claims() -> Claims:
    """An administrator of the hub's or the system's account."""
    return _user() | {"pub": {}, "sub": {}}


def credentials(token: str, user: NatsKey) -> str:
    """The text of a ``.creds`` file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )


def account_of(creds: str) -> str:
    """The account key in the text of a ``.creds`` file; what the server will call us.

    Raises:
        MalformedError: ``claims.malformed``: not such a file.
    """
    token = next((line for line in creds.splitlines() if line.startswith("ey")), "")
    return _parse(token)[0].iss


def _account(limits: Mapping[str, int]) -> Claims:
    return {"type": "account", "limits": dict(limits), "default_permissions": {"pub": {}, "sub": {}}}


def _user() -> Claims:
    return {"type": "user", "subs": UNLIMITED, "data": UNLIMITED, "payload": UNLIMITED}


def _parse(token: str) -> tuple[Token, bytes, bytes]:
    """Claims (of nobody known yet), the bytes that were signed, the signature."""
    try:
        head, body, signature = token.split(".")
        if len(token) > TOKEN_LIMIT_BYTES or _unb64(head) != HEADER:
            raise ValueError  # noqa: TRY301 - one refusal for all
        return msgspec.json.decode(_unb64(body), type=Token), f"{head}.{body}".encode(), _unb64(signature)
    except ValueError as error:  # msgspec's and binascii's errors are ValueErrors
        raise MalformedError("claims.malformed", "These are no NATS claims.") from error


def _raw_key(public: str) -> bytes:
    """The 32 bytes within prefix and checksum."""
    return base64.b32decode(public)[1:33]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
