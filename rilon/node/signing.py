"""The approver's side of an approval, away from the node: check what one was shown, then sign exactly that.

The node is not trusted to show everything, or to call things by their names: the body, all grants and the tree's seed
are checked against each other, and every granted section against the manifest that the body names. So a grant that was
hidden, or a victim's section that was shown as a summary, cannot stand under what is signed (protocol.md, Release).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rilon.api.shapes import WaitingShown
from rilon.app.release import conditions_of
from rilon.crypto import approval, manifest, release, statement, strict
from rilon.crypto.approval import ApprovalKey
from rilon.crypto.manifest import Manifest
from rilon.crypto.release import Grant, ReleaseBody
from rilon.errors import MalformedError, ProofError, RefusedError
from rilon.node.system import SystemEntropy


def read_key(path: Path, passphrase: str) -> ApprovalKey:
    """An approver's own key from its file.

    Raises:
        RefusedError: ``approval.no-file``, ``approval.passphrase``. MalformedError: no approval file.
    """
    try:
        data = path.read_bytes()
    except OSError:
        fix = "Make one with: rilon officer enrol-key"
        raise RefusedError("approval.no-file", f"There is no approval key at {path}.", fix=fix) from None
    return approval.unlock(data, passphrase)


def read_waiting(answer: Any) -> WaitingShown:
    """The answer of ``GET /v1/approvals/{item}``.

    Raises:
        MalformedError: ``approve.answer``: told in words that this program does not know.
    """
    try:
        return msgspec.convert(answer, WaitingShown)
    except msgspec.ValidationError:
        fix = "Use a rilon of the node's version."
        raise MalformedError("approve.answer", "The node tells this in words that are new.", fix=fix) from None


def proved(shown: WaitingShown) -> tuple[ReleaseBody, tuple[Grant, ...]]:
    """The body to sign and all its grants.

    Raises:
        ProofError: ``approve.*``, ``tree.*`` or ``grant.*``: not everything was shown, or it is something else.
        MalformedError: what cannot be read.
    """
    body = release.read_body(shown.body)
    if release.body_digest(body) != shown.digest or body.basis != "approval":
        raise ProofError("approve.body", "The node shows another body than it names.")
    of_item = _manifest(shown, body.manifest)
    grants = release.verify_grants(body, {g.position: g.grant for g in shown.grants.values()}, shown.seed)
    read = (manifest.verify_leaf(of_item, leaf.leaf, leaf.path) for leaf in shown.leaves)
    named = {leaf.position: leaf.sensitivity for leaf in read}
    parts = [(g.recipient, named.get(place, ""), part) for g in grants for part in g.parts for place in part.leaves]
    if _cells(shown) != sorted((recipient, name) for recipient, name, _ in parts):
        raise ProofError("approve.cells", "The node shows other cells than the release would grant.")
    said = {(c.recipient, str(c.sensitivity)): c.conditions for c in shown.cells}
    if any(said[recipient, name] != conditions_of(part) for recipient, name, part in parts):
        raise ProofError("approve.conditions", "The node shows other conditions than the release would grant under.")
    return body, grants


def sign(waiting: Mapping[str, Any], key: ApprovalKey) -> str:
    """The caller's approval of exactly what is shown, in base64 for the API.

    Raises:
        ProofError, MalformedError: as ``proved``.
    """
    return signed(proved(read_waiting(waiting))[0], key)


def signed(body: ReleaseBody, key: ApprovalKey) -> str:
    """An approval of a body that was proved, in base64 for the API."""
    return consented(release.body_digest(body), key)


def consented(digest: bytes, key: ApprovalKey) -> str:
    """Consent to what has this digest, in base64 for the API."""
    given = key.consent(digest, SystemEntropy().bytes(release.NONCE_BYTES))
    return b64encode(strict.encode(given)).decode()


def _manifest(shown: WaitingShown, digest: bytes) -> Manifest:
    """The manifest that the body names, if it is of the item, version and marks that are shown."""
    said = statement.parse(shown.manifest)
    if (said.kind, said.digest) != (manifest.KIND, digest):
        raise ProofError("approve.manifest", "The node shows another manifest than the release is of.")
    found, marks = manifest.read(said.body), shown.handling
    told = (shown.item.bytes, shown.version, marks.tlp, marks.pap)
    if told != (found.item, found.version, found.handling.tlp, found.handling.pap):
        raise ProofError("approve.marks", "The node shows another item, version or marking than the manifest has.")
    return found


def _cells(shown: WaitingShown) -> list[tuple[str, str]]:
    return sorted((cell.recipient, str(cell.sensitivity)) for cell in shown.cells)
