"""What the vectors ask of an implementation: one function an operation, plain JSON in and out, bytes as hex.

Another implementation needs these operations only. ``in`` holds the arguments; a good vector has ``out``, a must-fail
one has ``code``, the code of the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from rilon.app import charters, directory_desk
from rilon.app.recovery import check_reminder
from rilon.app.release import check_consent, read_approval
from rilon.crypto import approval, manifest, onward, outbox, passkey, recall, release, section, statement, strict
from rilon.crypto.keys import VerifyKey
from rilon.crypto.strongbox import Cost
from rilon.domain import words
from rilon.domain.book_file import parse_book
from rilon.domain.circle import Charter
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.identity import Identity

Json = Any
raw = bytes.fromhex


def read_cbor(*, data: str, limit: int) -> Json:
    """Read deterministic CBOR; the answer is its diagnostic form, and writing it must give the same bytes."""
    value = strict.loads(raw(data), limit=limit)
    assert strict.dumps(value) == raw(data)
    return diagnostic(value)


def verify_statement(*, data: str, key: str, kind: str) -> Json:
    """Verify both signatures of a statement of a kind."""
    found = statement.verify(raw(data), VerifyKey(raw(key)), kind)
    return {"body": found.body.hex(), "kid": found.kid.hex(), "digest": found.digest.hex()}


def open_item_section(*, ciphertext: str, key: str, commitment: str, context: Mapping[str, Json]) -> Json:
    """Open a section of an item in its context."""
    bound = section.item_context(**dict(context) | {"item": raw(context["item"])})
    return {"plaintext": section.open_(raw(ciphertext), raw(key), raw(commitment), bound).hex()}


def open_local_text(*, ciphertext: str, key: str, commitment: str, purpose: str, owner: str) -> Json:
    """Open text that never leaves a node."""
    bound = section.local_context(purpose, raw(owner))
    return {"plaintext": section.open_(raw(ciphertext), raw(key), raw(commitment), bound).hex()}


def read_manifest(*, body: str) -> Json:
    """Read a manifest and name it."""
    found = manifest.read(raw(body))
    return {"digest": found.digest.hex(), "root": found.root.hex(), "version": found.version}


def open_manifest_section(*, body: str, leaf: str, path: str, ciphertext: str, key: str) -> Json:
    """All a recipient does with a section: leaf, path, digest, commitment, seal."""
    found = manifest.read(raw(body))
    checked = manifest.verify_leaf(found, raw(leaf), raw(path))
    text = manifest.open_section(found, checked, raw(ciphertext), raw(key))
    return {"sensitivity": checked.sensitivity, "plaintext": text.hex()}


def verify_sections(*, body: str, leaves: list[str], seed: str) -> Json:
    """Check that these are all sections."""
    found = [strict.decode(raw(leaf), manifest.SectionLeaf, limit=manifest.LEAF_LIMIT_BYTES) for leaf in leaves]
    manifest.verify_sections(manifest.read(raw(body)), found, raw(seed))
    return {}


def commit_lists(*, lists: str, salt: str) -> Json:
    """Commit to Member lists."""
    found = strict.decode(raw(lists), manifest.MemberLists, limit=manifest.LISTS_LIMIT_BYTES)
    return {"commitment": manifest.commit_lists(found, raw(salt)).hex()}


def verify_grant(*, body: str, grant: str, position: int, path: str) -> Json:
    """Check a grant against its release body."""
    found = release.verify_grant(release.read_body(raw(body)), raw(grant), position, raw(path))
    return {"recipient": found.recipient, "parts": msgspec.json.decode(msgspec.json.encode(found.parts))}


def verify_grants(*, body: str, grants: Mapping[str, str], seed: str) -> Json:
    """Check that these are all grants."""
    shown = {int(place): raw(data) for place, data in grants.items()}
    found = release.verify_grants(release.read_body(raw(body)), shown, raw(seed))
    return {"recipients": sorted(grant.recipient for grant in found)}


def open_outbox(*, envelope: str, seed: str, member: str, world: str, officer: str) -> Json:
    """Open what waited in an officer's browser, with the one key that the node holds."""
    bound = outbox.Bound(member, world, officer)
    found = outbox.open_(raw(envelope), [outbox.OutboxKey(raw(seed), 0)], bound)
    return {"id": found.id.hex(), "content": found.content.decode()}


def read_ask(*, data: str) -> Json:
    """What a holder asks its originator for."""
    found = onward.read(raw(data))
    return {
        "member": found.member,
        "sections": list(found.sections),
        "court": found.court,
        "reason": found.reason,
    }


def verify_recalled(*, statement: str, key: str, holder: str) -> Json:
    """Check a holder's receipt of an erasure."""
    found, digest = recall.verify(raw(statement), VerifyKey(raw(key)), holder)
    return {
        "digest": digest.hex(),
        "item": found.item.hex(),
        "manifest": found.manifest.hex(),
        "origin": found.origin,
        "sections": {s.sensitivity: s.openings for s in found.sections},
        "closed": found.closed,
        "destroyed": found.destroyed,
    }


def verify_reset(
    *, member: str, peer: str, number: int, why: str, logs: list[str], evidence: str, given: str, key: str
) -> Json:
    """Verify a focal point's consent to let a frozen link go on; what was signed."""
    ours, theirs = map(raw, logs)
    digest = approval.reset_digest(member, peer, number, why, (ours, theirs), raw(evidence))
    release.verify_consent(digest, read_approval(raw(given)), release.approver_key(raw(key)))
    return {"digest": digest.hex()}


def check_reminded(*, attached: Mapping[str, str], digests: list[str], holder: str, keys: list[str]) -> Json:
    """Check what a holder returns to a restored log."""
    parts = {name: raw(part) for name, part in attached.items()}
    named = tuple(raw(digest) for digest in digests)
    said, found = check_reminder(parts, named, holder, [raw(key) for key in keys])
    return {"item": said.item.hex(), "version": said.version, "sections": list(found.sections)}


def verify_approvals(*, release_body: str, keys: Mapping[str, str], required: int) -> Json:
    """Read the payload of a release statement and check its approvals."""
    found = release.read(raw(release_body))
    known = {officer: release.approver_key(raw(key)) for officer, key in keys.items()}
    officers = release.verify_approvals(found, known, required)
    return {"officers": list(officers), "body_digest": release.body_digest(found.body).hex()}


def register_passkey(*, client_data: str, attestation: str, challenge: str, origin: str) -> Json:
    """Take in a passkey that a browser made."""
    found = passkey.register(raw(client_data), raw(attestation), raw(challenge), origin)
    return {"credential": found.credential.hex(), "key": found.raw.hex(), "synced": found.synced}


def verify_assertion(*, key: str, assertion: str, challenge: str) -> Json:
    """Check what a passkey signed."""
    passkey.Passkey(raw(key)).verify(raw(assertion), raw(challenge))
    return {}


def read_book(*, file: str, member: str, version: int) -> Json:
    """Read a rule file; the answer is what two focal points sign."""
    book = parse_book(raw(file), member, version)
    return {"digest": book.digest.hex(), "signed": approval.book_digest(book.digest).hex(), "rules": len(book.rules)}


def verify_book(*, file: str, member: str, version: int, officer: str, key: str, given: str) -> Json:
    """Check one focal point's signature over the rule book of a file."""
    digest = approval.book_digest(parse_book(raw(file), member, version).digest)
    check_consent(digest, raw(given), officer, raw(key))
    return {}


def unlock_approval_key(*, file: str, passphrase: str, floor: list[int]) -> Json:
    """Unlock an approver's key file. ``floor``: the least memory (KiB), passes and lanes accepted."""
    found = approval.unlock(raw(file), passphrase, floor=Cost(*floor))
    return {"officer": found.officer, "public": found.public.raw.hex()}


def read_identity(*, data: str) -> Json:
    """Read an identity that its own root signed, and say its fingerprint in words."""
    found = directory_desk.read_identity(raw(data))
    printed = directory_desk.fingerprint(found.root)
    return {
        "member": found.member,
        "seq": found.seq,
        "world": found.world,
        "log_id": found.log_id.hex(),
        "fingerprint": printed.hex(),
        "words": " ".join(words.words(printed)),
    }


def read_roster(*, data: str, member: str, signing: str) -> Json:
    """Read a roster of a Member whose identity names this signing key."""
    known = Identity(member, 1, raw(signing), raw(signing), bytes(32), bytes(16), "real")
    found, digest = directory_desk.read_roster(raw(data), known)
    return {
        "member": found.member,
        "seq": found.seq,
        "kem": sha256(found.kem).hexdigest(),
        "approvers": [approver.officer for approver in found.approvers],
        "two_for": list(found.two_for),
        "digest": digest.hex(),
    }


def keep_directory(*, own: str, steps: list[Mapping[str, str]]) -> Json:
    """Found a directory with an identity, then take in introductions (``file``) and compare ``words`` of a ``member``.

    The answer is what is known of every other Member after each step.
    """
    at = datetime(2026, 1, 1, tzinfo=UTC)
    book, told = Directory.found(directory_desk.read_identity(raw(own)), raw(own), at), []
    nodes: dict[str, PeerNode] = {}
    for step in steps:
        if "file" in step:
            _take_in(book, nodes, directory_desk.read_introduction(raw(step["file"])), at)
        else:
            node = nodes[step["member"]]
            held = directory_desk.fingerprint(node.identity.root)[: words.COUNT]
            book.verify(node, held, words.heard(step["words"]), bytes(32), "0" * 32, at)
        told.append({member: _known(book, node) for member, node in nodes.items()})
    return told


def _known(book: Directory, found: PeerNode) -> Json:
    return {
        "identity": found.identity.seq,
        "roster": found.roster.seq if found.roster else None,
        "log_id": found.identity.log_id.hex(),
        "standing": book.standing(found.member),
    }


def _take_in(book: Directory, nodes: dict[str, PeerNode], found: directory_desk.Introduction, at: datetime) -> None:
    identity = directory_desk.read_identity(found.identity)
    roster, digest = directory_desk.read_roster(found.roster, identity)
    if identity.member == book.me:
        book.change_identity(identity, found.identity, statement.parse(found.identity).digest, at)
        return
    node = nodes[identity.member] = book.take_in(nodes.get(identity.member), identity, found.identity, at)
    node.change_roster(roster, found.roster, digest, at)


def read_charter(*, data: str, member: str, signing: str, world: str) -> Json:
    """Read a charter of a Member of this world, whose identity names this signing key."""
    found, digest = charters.read_charter(raw(data), _identity(member, signing, world))
    return {"circle": found.ref, "version": found.version, "members": list(found.members), "digest": digest.hex()}


def activate(*, charter: str, consent: str, member: str, signing: str) -> Json:
    """Activate a consultation (``charter``: the body of version 1) by the consent of a Member with this signing key."""
    found = strict.decode(raw(charter), Charter, limit=statement.LIMIT_BYTES)
    given, digest = charters.read_consent(raw(consent), _identity(member, signing, found.world))
    charters.check_activation(found, statement.statement_digest(charters.CHARTER, raw(charter)), given)
    return {"circle": found.ref, "digest": digest.hex()}


def _identity(member: str, signing: str, world: str) -> Identity:
    facts = {"member": member, "seq": 1, "root": raw(signing), "signing": raw(signing), "link": bytes(32)}
    return strict.shape(facts | {"log_id": bytes(16), "world": world}, Identity)


def hear_words(*, text: str) -> Json:
    """The first bytes of the fingerprint that somebody read aloud."""
    return {"fingerprint": words.heard(text).hex()}


def diagnostic(value: Json) -> str:
    """RFC 8949 §8, without spaces."""
    match value:
        case bytes():
            return f"h'{value.hex()}'"
        case str():
            return f'"{value}"'
        case list():
            return f"[{','.join(map(diagnostic, value))}]"
        case dict():
            return "{" + ",".join(f"{diagnostic(key)}:{diagnostic(inner)}" for key, inner in value.items()) + "}"
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


OPERATIONS: Mapping[str, Callable[..., Json]] = {
    operation.__name__: operation
    for operation in (
        read_cbor,
        verify_statement,
        read_ask,
        open_outbox,
        verify_recalled,
        check_reminded,
        verify_reset,
        open_item_section,
        open_local_text,
        read_manifest,
        open_manifest_section,
        verify_sections,
        commit_lists,
        verify_grant,
        verify_grants,
        verify_approvals,
        register_passkey,
        verify_assertion,
        read_book,
        verify_book,
        unlock_approval_key,
        read_identity,
        read_roster,
        keep_directory,
        read_charter,
        activate,
        hear_words,
    )
}
