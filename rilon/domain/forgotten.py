"""What a restored log has forgotten, and a holder proves to it."""

from __future__ import annotations

from rilon.domain.draft import GrantRecord
from rilon.domain.values import Digest, MemberId, Sensitivity, Value


class Forgotten(Value, frozen=True):
    """A release of ours; see ``Disclosure.Recovered``.

    Attributes:
        version, digest: of the manifest and the release, whose statements are kept as they came.
        leaves: of the granted sections, each with its path to the manifest's root.
    """

    holder: MemberId
    version: Digest
    manifest: bytes
    digest: Digest
    release: bytes
    grant: GrantRecord
    leaves: tuple[tuple[bytes, bytes], ...]
    sections: tuple[Sensitivity, ...]
