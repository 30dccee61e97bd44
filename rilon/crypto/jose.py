"""Signed tokens of an identity provider (JWS, RFC 7515; JWK, RFC 7517): which algorithms and keys count, how large.

joserfc parses and verifies; what may come in is said here. A token names its key, never brings it: ``jwk``, ``jku`` and
``x5u`` of a header are not looked at, and the algorithm is of this closed list, all asymmetric, so that neither
``none`` nor a public key taken for an HMAC's secret opens anything (RFC 8725 §3.1).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from rilon.errors import MalformedError, ProofError

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384")
MAX_TOKEN_BYTES: Final = 16 * 1024
MAX_KEYS: Final = 100
MAX_MODULUS: Final = 2048
"""Characters."""
_RSA_BITS: Final = range(2048, 8193)
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_KINDS: Final[Mapping[str, type[RSAKey | ECKey]]] = {"RSA": RSAKey, "EC": ECKey}
_HASHES: Final = {"256": sha256, "384": sha384}


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token says, once its signature held.

    Attributes:
        algorithm: one of ``ALGORITHMS``. kind: its ``typ``, lower case, or "". claims: its JSON object.
    """

    algorithm: str
    kind: str
    claims: dict[str, Any]


class UnknownKeyError(ProofError):
    """The token names a key that is not among those known; the provider may have turned it."""


class ProviderKeys:
    """The keys that a provider publishes for signatures; of other kinds or uses, or private ones, nothing is kept."""

    def __init__(self, raw: bytes) -> None:
        """Read a JWK Set.

        Raises:
            MalformedError: ``provider.keys``: none is in it that counts.
        """
        listed = read_object(raw, "provider.keys").get("keys")
        if not isinstance(listed, list) or len(listed) > MAX_KEYS:
            raise _malformed("provider.keys")
        self._keys = [found for entry in listed if (found := _key(entry))]
        if not self._keys:
            raise _malformed("provider.keys")

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: object, algorithm: str) -> RSAKey | ECKey:
        """The one key of that id and for that algorithm; without an id, the only key there is.

        Raises:
            UnknownKeyError: ``provider.key``.
        """
        fits = [key for name, alg, key in self._keys if kid in {None, name} and alg in {None, algorithm}]
        if len(fits) != 1:
            raise UnknownKeyError("provider.key", "The provider's token is signed with a key it does not publish.")
        return fits[0]


def verify(token: str, keys: ProviderKeys) -> Verified:
    """Check a token's signature.

    Args:
        token: JWS Compact Serialization, at most ``MAX_TOKEN_BYTES``.

    Raises:
        MalformedError: ``provider.token``. UnknownKeyError: ``provider.key``.
        ProofError: ``provider.algorithm``, ``provider.signature``.
    """
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = MAX_TOKEN_BYTES
    if not token.isascii() or len(token) > MAX_TOKEN_BYTES:
        raise _malformed("provider.token")
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=registry)
        header = signed.headers()
    except (JoseError, ValueError, RecursionError, TypeError, AttributeError):
        raise _malformed("provider.token") from None
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProofError("provider.algorithm", "The provider's token is signed in a way that does not count here.")
    if "crit" in header or "b64" in header or not isinstance(kid, str | None) or not isinstance(kind, str):
        raise _malformed("provider.token")
    _check_signature(signed, keys.find(kid, algorithm), registry)
    return Verified(algorithm, kind.lower(), read_object(signed.payload, "provider.token"))


def half_hash(algorithm: str, value: str) -> str:
    """``at_hash`` of an access token: the left half of its hash, base64url (OpenID Connect Core 3.1.3.6)."""
    digest = _HASHES[algorithm[2:]](value.encode()).digest()
    return _text(digest[: len(digest) // 2])


def pkce_challenge(verifier: str) -> str:
    """``code_challenge`` of a verifier by S256 (RFC 7636 §4.2)."""
    return _text(sha256(verifier.encode("ascii")).digest())


def read_object(raw: bytes, code: str) -> dict[str, Any]:
    """A JSON object in which no name stands twice and every number is one.

    Raises:
        MalformedError: ``code``.
    """
    try:
        found = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _malformed(code) from None
    if not isinstance(found, dict):
        raise _malformed(code)
    return found


def _key(entry: object) -> tuple[str | None, str | None, RSAKey | ECKey] | None:
    """A key that counts, with its id and its one algorithm, if it has them; None for any other."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kty, name, algorithm = (entry.get(field) for field in ("kty", "kid", "alg"))
    if (
        not isinstance(name, str | None)
        or not isinstance(algorithm, str | None)
        or not isinstance(kty, str)
        or kty not in _KINDS
    ):
        return None
    public = {part: value for part in _PARTS[kty] if isinstance(value := entry.get(part), str)}
    if len(public) != len(_PARTS[kty]) or len(public.get("n", "")) > MAX_MODULUS:
        return None
    try:
        key = _KINDS[kty].import_key({"kty": kty, **public})
        native: object = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(native, RSAPublicKey) and native.key_size not in _RSA_BITS:
        return None
    return name, algorithm, key


def _check_signature(signed: jws.CompactSignature, key: RSAKey | ECKey, registry: jws.JWSRegistry) -> None:
    try:
        good = jws.validate_compact(signed, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        good = False
    if not good:
        raise ProofError("provider.signature", "The signature of the provider's token does not hold.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: two readers would read two things."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("repeated")
    return dict(pairs)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _malformed(code: str) -> MalformedError:
    return MalformedError(code, "What the identity provider sent cannot be read.")
