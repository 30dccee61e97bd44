"""Writes the vectors of encoding, statements, items and releases: ``python -m tests.vectors.make_vectors``.

Run it only when a format changed on purpose: ML-DSA signatures and key files are randomised, so every run writes other
bytes. The code is trusted to produce good vectors and to name the failure it *should* name; ``test_vectors`` then
holds the code against the bytes that were committed. All keys are test keys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rilon.crypto import approval, onward, recall, release, section, statement, strict
from rilon.crypto.strongbox import Strongbox
from tests.fakes.authenticator import Authenticator
from tests.fakes.items import (
    ITEM,
    LISTS,
    NODE,
    OFFICERS,
    OTHER_NODE,
    PUBLIC,
    TWO_PARTS,
    altered,
    approve,
    draft_release,
    drafted,
    part,
    refusal,
    terms,
)
from tests.fakes.keys import CHEAP
from tests.vectors.operations import OPERATIONS

Vector = dict[str, Any]
HERE = Path(__file__).parent
PASSPHRASE = "a boat at daybreak"


def good(name: str, operation: str, **given: Any) -> Vector:
    """A vector whose answer is what the code says today."""
    return {"name": name, "op": operation, "in": given, "out": OPERATIONS[operation](**given)}


def bad(name: str, code: str, operation: str, **given: Any) -> Vector:
    """A vector that must be refused with this code."""
    assert refusal(OPERATIONS[operation], **given) == code, name
    return {"name": name, "op": operation, "in": given, "code": code}


def flip(data: bytes, at: int = -1) -> str:
    """One bit changed, as hex."""
    changed = bytearray(data)
    changed[at] ^= 1
    return changed.hex()


def encoding() -> Iterator[Vector]:
    """Deterministic CBOR."""
    from tests.unit.crypto.test_strict import REFUSED

    for value in (
        0,
        24,
        (1 << 64) - 1,
        -(1 << 63),
        b"\1",
        "ü",
        [],
        [1, [2]],
        {"a": None, "bb": True},
        {1: -19, 4: b"k"},
    ):
        yield good("value", "read_cbor", data=strict.dumps(value).hex(), limit=64)
    yield bad("one byte too many", "cbor.size", "read_cbor", data="420000", limit=2)
    for name, (data, code) in REFUSED.items():
        if len(data) < 1000:
            yield bad(name, code, "read_cbor", data=raw_hex(data), limit=1 << 20)


def raw_hex(data: str) -> str:
    """Hex without spaces."""
    return bytes.fromhex(data).hex()


def statements() -> Iterator[Vector]:
    """COSE_Sign."""
    body = drafted().body
    data, key = statement.sign("manifest", body, NODE), NODE.public.raw.hex()
    given = {"key": key, "kind": "manifest"}
    protected, _, payload, (ed, ml) = strict.loads(data[2:], limit=1 << 16)

    def built(signatures: list[Any], kind_header: bytes = protected) -> str:
        return (data[:2] + strict.dumps([kind_header, {}, payload, signatures])).hex()

    yield good("signed", "verify_statement", data=data.hex(), **given)
    again = statement.sign("manifest", body, OTHER_NODE).hex()
    yield good(
        "signed again with another key: same digest",
        "verify_statement",
        data=again,
        key=OTHER_NODE.public.raw.hex(),
        kind="manifest",
    )
    for name, code, wrong in (
        ("a signature missing", "cbor.shape", built([ed])),
        ("signatures in the other order", "statement.header", built([ml, ed])),
        ("one signature twice", "statement.header", built([ed, ed])),
        ("an unprotected header", "cbor.shape", built([[ed[0], {1: -19}, ed[2]], ml])),
        ("a last bit flipped", "signature.invalid", flip(data)),
        ("Ed25519 signature flipped", "signature.invalid", built([[ed[0], {}, bytes.fromhex(flip(ed[2]))], ml])),
        ("no tag", "statement.tag", data[2:].hex()),
        ("bytes after the end", "cbor.trailing", data.hex() + "00"),
        ("kind renamed", "statement.kind", built([ed, ml], strict.dumps({3: "application/vnd.rilon.release+cbor"}))),
        ("another content type", "statement.header", built([ed, ml], strict.dumps({3: "application/cbor"}))),
        ("key of another", "statement.kid", again),
    ):
        yield bad(name, code, "verify_statement", data=wrong, **given)


def sections() -> Iterator[Vector]:
    """Sealed texts."""
    context = {"origin": "th", "item": ITEM.hex(), "version": 1, "position": 3, "sensitivity": "nominal"}
    bound = section.item_context("th", ITEM, 1, 3, "nominal")
    sealed = section.seal(b"Fictional Person One", bound, bytes(range(32)))
    given = {"key": sealed.key.hex(), "commitment": sealed.commitment.hex(), "context": context}
    ciphertext = sealed.ciphertext.hex()
    yield good("sealed", "open_item_section", ciphertext=ciphertext, **given)
    for field, other in {
        "origin": "my",
        "item": "00" * 16,
        "version": 2,
        "position": 4,
        "sensitivity": "summary",
    }.items():
        moved = given | {"context": context | {field: other}}
        yield bad(f"moved to another {field}", "section.seal", "open_item_section", ciphertext=ciphertext, **moved)
    yield bad("flipped", "section.seal", "open_item_section", ciphertext=flip(sealed.ciphertext, 9), **given)
    yield bad("cut", "section.seal", "open_item_section", ciphertext=ciphertext[:-2], **given)
    yield bad(
        "another key", "section.commitment", "open_item_section", ciphertext=ciphertext, **given | {"key": "00" * 32}
    )
    yield bad("a short key", "key.length", "open_item_section", ciphertext=ciphertext, **given | {"key": "00" * 31})
    local = section.seal(b"", section.local_context("comment", b"1"), bytes(32))
    at_home = {"key": local.key.hex(), "commitment": local.commitment.hex(), "owner": "31"}
    yield good("local", "open_local_text", ciphertext=local.ciphertext.hex(), purpose="comment", **at_home)
    yield bad(
        "other purpose",
        "section.seal",
        "open_local_text",
        ciphertext=local.ciphertext.hex(),
        purpose="reason",
        **at_home,
    )


def manifests() -> Iterator[Vector]:
    """Manifests and their sections."""
    draft = drafted()
    body = draft.body.hex()
    yield good("first version", "read_manifest", body=body)
    yield good(
        "correction", "read_manifest", body=drafted(version=2, corrects=draft.manifest.digest, grade=None).body.hex()
    )
    malformed: dict[str, dict[str, Any]] = {
        "an unknown field": {"note": "x"},
        "a missing field": {"grade": ...},
        "words for a code": {"kind": "a boat is overdue"},
        "another format": {"format": 2},
        "a second version that corrects nothing": {"version": 2},
        "a short item id": {"item": bytes(15)},
    }
    for name, changes in malformed.items():
        yield bad(name, "cbor.shape", "read_manifest", body=altered(draft.manifest, **changes).hex())
    first, other = draft.sections[:2]
    given = {"body": body, "leaf": strict.encode(first.leaf).hex(), "path": first.path.hex()}
    sealed = {"ciphertext": first.sealed.ciphertext.hex(), "key": first.sealed.key.hex()}
    yield good("a section", "open_manifest_section", **given, **sealed)
    raised = strict.encode(replace(first.leaf, sensitivity="victim")).hex()
    yield bad("a leaf changed", "tree.path", "open_manifest_section", **given | {"leaf": raised}, **sealed)
    yield bad("a path flipped", "tree.path", "open_manifest_section", **given | {"path": flip(first.path)}, **sealed)
    yield bad("a path cut", "tree.path", "open_manifest_section", **given | {"path": first.path[32:].hex()}, **sealed)
    swapped = sealed | {"ciphertext": other.sealed.ciphertext.hex()}
    yield bad("another ciphertext", "section.digest", "open_manifest_section", **given, **swapped)
    yield bad(
        "another key",
        "section.commitment",
        "open_manifest_section",
        **given,
        **sealed | {"key": other.sealed.key.hex()},
    )
    leaves = [strict.encode(each.leaf).hex() for each in draft.sections]
    yield good("all sections", "verify_sections", body=body, leaves=leaves, seed=draft.seed.hex())
    yield bad("one withheld", "tree.whole", "verify_sections", body=body, leaves=leaves[1:], seed=draft.seed.hex())
    yield good("Member lists", "commit_lists", lists=strict.encode(LISTS).hex(), salt="07" * 32)
    yield bad(
        "Members not sorted",
        "cbor.shape",
        "commit_lists",
        lists=altered(LISTS, not_to=["my", "id"]).hex(),
        salt="07" * 32,
    )


def recalls() -> Iterator[Vector]:
    """Receipts of erasures."""
    said = recall.Receipt(
        "my", "th", ITEM, bytes(32), (recall.Closed("nominal", 2), recall.Closed("summary", 0)), 5, None
    )
    key = {"key": NODE.public.raw.hex(), "holder": "my"}
    for name, receipt in (
        ("closed", said),
        ("destroyed", replace(said, destroyed=7)),
        ("nothing held", replace(said, sections=())),
    ):
        yield good(name, "verify_recalled", statement=recall.sign(receipt, NODE)[0].hex(), **key)
    signed = recall.sign(said, NODE)[0]
    unsorted = altered(said, sections=[{"sensitivity": n, "openings": 1} for n in ("summary", "nominal")])
    early = altered(said, destroyed=4)
    for name, code, data, changes in (
        ("another Member's", "recalled.holder", signed, {"holder": "id"}),
        ("by another key", "statement.kid", signed, {"key": OTHER_NODE.public.raw.hex()}),
        ("a bit flipped", "signature.invalid", bytes.fromhex(flip(signed)), {}),
        ("another kind", "statement.kind", statement.sign("release", strict.encode(said), NODE), {}),
        ("sections not sorted", "cbor.shape", statement.sign("recalled", unsorted, NODE), {}),
        ("destroyed before it was closed", "cbor.shape", statement.sign("recalled", early, NODE), {}),
    ):
        yield bad(name, code, "verify_recalled", statement=data.hex(), **key | changes)


def asks() -> Iterator[Vector]:
    """Questions of holders."""
    ask = onward.Ask("id", ("nominal", "summary"), False, "They are nearer.")
    for name, said in (
        ("a third Member", ask),
        ("court", replace(ask, member="my", sections=("nominal",), court=True)),
    ):
        yield good(name, "read_ask", data=onward.encode(said).hex())
    for name, code, data in (
        ("sections not sorted", "cbor.shape", altered(ask, sections=["summary", "nominal"])),
        ("no sections", "cbor.shape", altered(ask, sections=[])),
        ("no Member", "cbor.shape", altered(ask, member="Indonesia!")),
        ("court in words", "cbor.shape", altered(ask, court="yes")),
        ("a field more", "cbor.shape", altered(ask, grant=True)),
        ("cut short", "cbor.truncated", onward.encode(ask)[:-1]),
    ):
        yield bad(name, code, "read_ask", data=data.hex())


def reminders() -> Iterator[Vector]:
    """What holders return to a restored log."""
    item = drafted()
    places = tuple(sorted(s.leaf.position for s in item.sections))
    draft = draft_release(all_terms=[terms(member, parts=(part(*places[:2]),)) for member in ("my", "id")])
    mine, other = draft.grants
    signed = statement.sign("manifest", item.body, NODE)
    payload = strict.encode(release.Release(draft.body, ()))
    released = statement.sign("release", payload, NODE)
    named = [statement.parse(signed).digest.hex(), statement.parse(released).digest.hex()]
    parts = {"manifest": signed, "release": released, "grant": mine.data, "path": mine.path}
    parts["position"] = mine.position.to_bytes(1, "big")
    for each in (s for s in item.sections if s.leaf.position in mine.grant.leaves):
        parts[f"leaf.{each.leaf.position}"] = strict.encode(each.leaf)
        parts[f"path.{each.leaf.position}"] = each.path
    attached = {name: part.hex() for name, part in sorted(parts.items())}
    leaf = next(name for name in attached if name.startswith("leaf."))
    keys = [OTHER_NODE.public.raw.hex(), NODE.public.raw.hex()]
    given = {"attached": attached, "digests": named, "holder": "my", "keys": keys}
    yield good("our release to them, by a key we had once", "check_reminded", **given)
    forged = statement.sign("release", payload, OTHER_NODE).hex()
    elsewhere = strict.encode(release.Release(replace(draft.body, manifest=bytes(32)), ()))
    stray = statement.sign("release", elsewhere, NODE)
    strayed = [named[0], statement.parse(stray).digest.hex()]
    cases: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("signed by another", "reminder.signature", {"attached": attached | {"release": forged}, "keys": keys[1:]}),
        ("digests in the other order", "reminder.digests", {"digests": named[::-1]}),
        (
            "a release of another item",
            "reminder.manifest",
            {"attached": attached | {"release": stray.hex()}, "digests": strayed},
        ),
        ("returned by another", "reminder.holder", {"holder": "id"}),
        ("another's grant", "tree.path", {"attached": attached | {"grant": other.data.hex()}}),
        ("a leaf flipped", "tree.path", {"attached": attached | {leaf: flip(parts[leaf])}}),
        ("no leaf", "reminder.part", {"attached": {n: p for n, p in attached.items() if not n.startswith("leaf.")}}),
        ("no grant", "reminder.part", {"attached": {n: p for n, p in attached.items() if n != "grant"}}),
        ("a place of two bytes", "reminder.part", {"attached": attached | {"position": "0000"}}),
    )
    for name, code, changes in cases:
        yield bad(name, code, "check_reminded", **given | changes)


def resets() -> Iterator[Vector]:
    """Signatures that let a frozen link go on."""
    (officer, key), (_, another) = list(OFFICERS.items())[:2]
    said: dict[str, Any] = {"member": "th", "peer": "my", "number": 2, "why": "link.fork"}
    said |= {"logs": ["0a" * 16, "0b" * 16], "evidence": "0c" * 32}
    digest = approval.reset_digest("th", "my", 2, "link.fork", (b"\n" * 16, b"\x0b" * 16), b"\x0c" * 32)
    mine = approval.ApprovalKey(officer, key)
    given = said | {"given": strict.encode(mine.consent(digest, bytes(32))).hex(), "key": key.public.raw.hex()}
    yield good("by an approval key", "verify_reset", **given)
    confirmed = mine.consent(approval.confirm_digest("th", officer, ["focal_point"], key.public.raw), bytes(32))
    for name, code, changes in (
        ("a later fork", "signature.invalid", {"number": 3}),
        ("another reason", "signature.invalid", {"why": "link.rolled-back"}),
        ("another link", "signature.invalid", {"peer": "id"}),
        ("the logs exchanged", "signature.invalid", {"logs": ["0b" * 16, "0a" * 16]}),
        ("other evidence", "signature.invalid", {"evidence": "0d" * 32}),
        ("a confirmation", "signature.invalid", {"given": strict.encode(confirmed).hex()}),
        ("another key", "approval.kid", {"key": another.public.raw.hex()}),
    ):
        yield bad(name, code, "verify_reset", **given | changes)


def releases() -> Iterator[Vector]:
    """Grants, releases, approvals."""
    draft = draft_release("my", "id")
    mine, other = draft.grants
    given = {"body": draft.data.hex(), "position": mine.position, "path": mine.path.hex()}
    yield good("a grant", "verify_grant", grant=mine.data.hex(), **given)
    yield bad("another's grant", "tree.path", "verify_grant", grant=other.data.hex(), **given)
    yield bad(
        "a place moved", "tree.path", "verify_grant", grant=mine.data.hex(), **given | {"position": mine.position ^ 1}
    )
    yield bad("a path flipped", "tree.path", "verify_grant", grant=mine.data.hex(), **given | {"path": flip(mine.path)})
    elsewhere = strict.encode(replace(draft.body, manifest=bytes(32))).hex()
    yield bad(
        "another manifest", "grant.manifest", "verify_grant", grant=mine.data.hex(), **given | {"body": elsewhere}
    )
    yield from conditions()
    whole = strict.loads(strict.encode(mine.grant.parts[0]), limit=1024)
    malformed: dict[str, dict[str, Any]] = {
        "readers not sorted": {"readers": ["entitled", "desk:a"]},
        "no reader": {"readers": []},
        "a name": {"readers": ["officer:Persona"]},
        "no leaf": {"parts": [whole | {"leaves": []}]},
        "no part": {"parts": []},
        "parts not in order": {"parts": [whole | {"leaves": [5], "court": "ask"}, whole]},
        "a section in two parts": {"parts": [whole | {"leaves": [3, 5]}, whole | {"leaves": [5], "court": "ask"}]},
        "two parts of the same conditions": {"parts": [whole, whole | {"leaves": [5]}]},
        "conditions of the whole grant": {"court": "ask"},
    }
    for name, changes in malformed.items():
        yield bad(name, "cbor.shape", "verify_grant", grant=altered(mine.grant, **changes).hex(), **given)
    shown = {str(grant.position): grant.data.hex() for grant in draft.grants}
    yield good("all grants", "verify_grants", body=draft.data.hex(), grants=shown, seed=draft.seed.hex())
    fewer = {str(mine.position): mine.data.hex()}
    yield bad(
        "one hidden from the approver",
        "tree.whole",
        "verify_grants",
        body=draft.data.hex(),
        grants=fewer,
        seed=draft.seed.hex(),
    )
    yield from approvals(draft.body)


def conditions() -> Iterator[Vector]:
    """Sections under different conditions, which nobody can loosen."""
    draft = draft_release(all_terms=[terms("my", parts=TWO_PARTS)])
    (mine,) = draft.grants
    given = {"body": draft.data.hex(), "position": mine.position, "path": mine.path.hex()}
    yield good("sections under different conditions", "verify_grant", grant=mine.data.hex(), **given)
    first, second = (strict.loads(strict.encode(each), limit=1024) for each in TWO_PARTS)
    for name, parts in (
        ("loosened: another purpose", [first, second | {"purposes": ["border_decision"]}]),
        ("loosened: use in court", [first, second | {"court": "ask"}]),
        ("loosened: longer", [first, second | {"until": first["until"]}]),
        ("loosened: a caveat left out", [first, second | {"caveats": []}]),
        ("a section under the other's conditions", [first | {"leaves": [3, 5]}, second | {"leaves": [7]}]),
    ):
        yield bad(name, "tree.path", "verify_grant", grant=altered(mine.grant, parts=parts).hex(), **given)


def approvals(body: release.ReleaseBody) -> Iterator[Vector]:
    """Who approved."""
    one, two = (approve(body, officer) for officer in list(OFFICERS)[:2])
    known = {officer: key.public.raw.hex() for officer, key in OFFICERS.items()}

    def case(*given: release.Approval, required: int, keys: dict[str, str] = known) -> Vector:
        written = strict.encode(release.Release(body, given)).hex()
        return {"release_body": written, "keys": keys, "required": required}

    yield good("two people", "verify_approvals", **case(one, two, required=2))
    same_key = {one.officer: known[one.officer], two.officer: known[one.officer]}
    for name, code, wrong in (
        ("one where two must", "approval.missing", case(one, required=2)),
        ("none where the basis is approval", "approval.missing", case(required=0)),
        ("one person twice", "approval.officer", case(one, one, required=2)),
        ("somebody unknown", "approval.officer", case(one, required=1, keys={})),
        ("two people with one key", "approval.key", case(one, two, required=2, keys=same_key)),
        ("another key", "approval.kid", case(replace(one, kid=bytes(16)), required=1)),
        ("a method of the future", "approval.method", case(replace(one, method="telepathy"), required=1)),
        ("another nonce", "signature.invalid", case(replace(one, nonce=bytes(32)), required=1)),
        ("one signature of two", "signature.invalid", case(replace(one, signature=one.signature[:64]), required=1)),
    ):
        yield bad(name, code, "verify_approvals", **wrong)


def passkeys() -> Iterator[Vector]:
    """Passkeys: made, used, and used otherwise; and what they approve."""
    challenge = b"c" * 32
    for name, mine in [(name, Authenticator(algorithm=name)) for name in ("ES256", "Ed25519", "RS256")]:
        said, attested = mine.create(challenge)
        made = {"client_data": said.hex(), "attestation": attested.hex(), "origin": mine.origin}
        yield good(f"{name}: made", "register_passkey", challenge=challenge.hex(), **made)
        used = {"key": mine.raw.hex(), "challenge": challenge.hex()}
        yield good(f"{name}: used", "verify_assertion", assertion=mine.sign(challenge).hex(), **used)
    mine = Authenticator()
    for name, code, changes in (
        ("made on another page", "passkey.origin", {"origin": "https://my.example"}),
        ("made without verifying the user", "passkey.user", {"flags": 0x41}),
        ("no key in it", "passkey.form", {"flags": 0x05}),
        ("made with another challenge", "passkey.challenge", {"challenge": "another"}),
    ):
        said, attested = mine.create(challenge, **changes)
        made = {"client_data": said.hex(), "attestation": attested.hex(), "origin": mine.origin}
        yield bad(name, code, "register_passkey", challenge=challenge.hex(), **made)
    key = mine.raw.hex()
    for name, code, wrong in (
        ("another challenge", "passkey.challenge", mine.sign(b"d" * 32)),
        ("another origin", "passkey.origin", mine.sign(challenge, origin="https://th.example.evil.example")),
        ("another host", "passkey.origin", mine.sign(challenge, host="evil.example")),
        ("inside another page", "passkey.origin", mine.sign(challenge, crossOrigin=True)),
        ("the user was not verified", "passkey.user", mine.sign(challenge, flags=0x01)),
        ("made, not used", "passkey.type", mine.sign(challenge, type="webauthn.create")),
        ("another key", "signature.invalid", Authenticator(seed=2).sign(challenge)),
    ):
        yield bad(name, code, "verify_assertion", key=key, challenge=challenge.hex(), assertion=wrong.hex())
    body, (one, two, _) = draft_release("my", "id").body, OFFICERS
    keys = {one: key, two: PUBLIC[two].raw.hex()}

    def case(*given: release.Approval, required: int = 1) -> Vector:
        return {"release_body": strict.encode(release.Release(body, given)).hex(), "keys": keys, "required": required}

    both = case(mine.approve(body, one), approve(body, two), required=2)
    yield good("a passkey and a key file", "verify_approvals", **both)
    key_file = replace(approve(body, two), method="passkey")
    for name, code, given in (
        ("a key file's key by passkey", "approval.method", key_file),
        ("a passkey by key file", "approval.method", replace(mine.approve(body, one), method="key-file")),
        ("a passkey's other nonce", "passkey.challenge", replace(mine.approve(body, one), nonce=bytes(32))),
        ("approved without verifying the user", "passkey.user", mine.approve(body, one, flags=0x01)),
        ("approved on another page", "passkey.origin", mine.approve(body, one, origin="https://my.example")),
    ):
        yield bad(name, code, "verify_approvals", **case(given))


def approval_files() -> Iterator[Vector]:
    """An approver's key file, at a price tests can pay."""
    file, _ = approval.create(PASSPHRASE, "0123456789abcdef" * 2, cost=CHEAP)
    floor = [CHEAP.memory_kib, CHEAP.passes, CHEAP.lanes]
    given = {"file": file.hex(), "passphrase": PASSPHRASE, "floor": floor}
    yield good("unlocked", "unlock_approval_key", **given)
    fields = strict.loads(file, limit=4096)
    greedy = fields | {"header": fields["header"] | {"cost": {"memory_kib": 100 << 20, "passes": 3, "lanes": 4}}}
    keyring = Strongbox.create("keyring.1", PASSPHRASE, cost=CHEAP).seal(bytes(80))
    odd = Strongbox.create("approval.1", PASSPHRASE, cost=CHEAP).seal(bytes(79))
    for name, code, changes in (
        ("a wrong passphrase", "approval.passphrase", {"passphrase": "a boat at nightfall"}),
        ("a flipped file", "approval.passphrase", {"file": flip(file)}),
        ("too cheap to guess at", "strongbox.cost", {"floor": [64 * 1024, 3, 4]}),
        ("100 GiB of memory", "strongbox.cost", {"file": strict.dumps(greedy).hex()}),
        ("another kind of file", "strongbox.format", {"file": keyring.hex()}),
        ("another content", "key.length", {"file": odd.hex()}),
        ("a cut file", "cbor.truncated", {"file": file[:-1].hex()}),
    ):
        yield bad(name, code, "unlock_approval_key", **given | changes)


FILES = {
    "encoding": encoding,
    "statement": statements,
    "section": sections,
    "manifest": manifests,
    "release": releases,
    "recall": recalls,
    "onward": asks,
    "reminder": reminders,
    "reset": resets,
    "approval": approval_files,
    "passkey": passkeys,
}


def main(*only: str) -> None:
    """Write all files beside this one, or only those named."""
    for name, make in ((n, FILES[n]) for n in only or FILES):
        lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in make())
        (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
