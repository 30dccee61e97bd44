"""What a person signs on a page, and proves: by a passkey of theirs, asked for at that very click.

Being signed in signs nothing. In a demo (an exercise, on this machine) whose browsers may have no authenticator, a key
in a file beside the node stands in for the passkey, here and nowhere else; the page says so beside the button.
"""

from __future__ import annotations

import secrets

import msgspec

from rilon.crypto import release, strict
from rilon.crypto.keys import key_id
from rilon.crypto.passkey import host
from rilon.domain.access import Passkey
from rilon.domain.permissions import Caller
from rilon.errors import RefusedError
from rilon.front.services import Services
from rilon.web.bodies import hexed, no_form, one
from rilon.web.signin import Given, raw, text

Form = dict[str, list[str]]


async def challenge(services: Services, caller: Caller, digest: bytes) -> dict[str, str] | None:
    """What the caller is to sign to consent to what has this digest; None: they have no key here that approves."""
    officer, held = await services.membership.officer(caller), await _passkeys(services, caller)
    approving = [p for p in held if p.key == officer.approval_key]
    if not approving and officer.approval_key is None:
        return None
    return _asked(services, digest, approving)


async def challenge_any(services: Services, caller: Caller, digest: bytes) -> dict[str, str] | None:
    """What any passkey of the caller's is to sign, where nobody but this node asks who it was; None: they have none."""
    return _asked(services, digest, await _passkeys(services, caller))


async def consent(services: Services, caller: Caller, form: Form) -> bytes:
    """The consent that the caller gave, encoded; whoever takes it in checks it against what is consented to.

    Raises:
        MalformedError: ``form.malformed``. RefusedError: ``approval.not-this-passkey``, ``approval.no-key``.
    """
    if "soft" in form:
        return await _soft(services, caller, hexed(form, "soft"))
    given, nonce = _given(form)
    officer, held = await services.membership.officer(caller), await _passkeys(services, caller)
    passkey = next((p for p in held if p.credential == raw(given.credential)), None)
    if passkey is None or passkey.key != officer.approval_key:
        raise RefusedError("approval.not-this-passkey", "This passkey signs in; it does not approve.")
    fields = (caller.ref, key_id(passkey.key), release.PASSKEY, nonce, given.encoded())
    made = dict(zip(release.Approval.__struct_fields__, fields, strict=True))
    return strict.encode(strict.shape(made, release.Approval))


async def prove(services: Services, caller: Caller, form: Form, digest: bytes) -> None:
    """Let the caller prove that it is them, for exactly this.

    Args:
        digest: of what is to be done, as it is now.

    Raises:
        MalformedError: ``form.malformed``. RefusedError: ``auth.proof``: no passkey of theirs signed this.
    """
    if "soft" in form and services.soft_keys is not None and hexed(form, "soft") == digest:
        return  # a demo has nothing better to ask
    given, nonce = _given(form)
    asked = release.approval_challenge(digest, nonce)
    await services.access.prove(caller, raw(given.credential), given.encoded(), asked)


def _asked(services: Services, digest: bytes, passkeys: list[Passkey]) -> dict[str, str] | None:
    if not passkeys:
        return {"soft": digest.hex()} if services.soft_keys is not None else None
    nonce = secrets.token_bytes(release.NONCE_BYTES)
    return {
        "nonce": nonce.hex(),
        "challenge": text(release.approval_challenge(digest, nonce)),
        "host": host(services.origin),
        "credentials": " ".join(text(p.credential) for p in passkeys),
    }


async def _passkeys(services: Services, caller: Caller) -> list[Passkey]:
    access = await services.access.of(caller)
    return list(access.passkeys.values()) if access else []


async def _soft(services: Services, caller: Caller, digest: bytes) -> bytes:
    """The demo's key in a file beside the node."""
    made = await services.soft_keys.consent(caller.ref, digest) if services.soft_keys is not None else None
    if made is None:
        raise RefusedError("approval.no-key", "There is no approval key of yours here.", fix="Use your passkey.")
    return strict.encode(made)


def _given(form: Form) -> tuple[Given, bytes]:
    if "assertion" not in form:
        raise no_form()
    try:
        return msgspec.json.decode(one(form, "assertion"), type=Given), hexed(form, "nonce")
    except msgspec.MsgspecError:
        raise no_form() from None
