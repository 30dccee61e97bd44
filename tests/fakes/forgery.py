"""Releases as an evil origin can make them: signed with its true key, and wrong in whatever a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rilon.crypto import manifest, release, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain.kinds import encode_content, kind, parse_fields
from rilon.domain.values import Line, Sensitivity
from tests.fakes.drafts import NOW, example
from tests.fakes.entropy import SeededEntropy
from tests.fakes.items import HANDLING, head, part

KIND = "VIC-REFER"


def contents(kind_: str = KIND) -> dict[str, bytes]:
    """The encoded sections of a kind's example."""
    made = parse_fields(kind_, example(kind_)["fields"], now=NOW)
    return {str(sensitivity): encode_content(fields) for sensitivity, fields in made.items()}


def full() -> dict[str, bytes]:
    """A summary, and something in every other section that the kind knows."""
    sections = {s for s in Sensitivity if kind(KIND).section(s)}
    return {str(s): contents().get(str(s), encode_content({})) for s in Sensitivity if s in sections}


@dataclass(frozen=True)
class Forgery:
    """A release to be.

    Attributes:
        head, terms: what differs from a sound one; of the terms, conditions too.
        granted: sensitivities in the grant; approvers: who signs, by officer.
        parts, digests: what the line brings and names instead; None leaves a part out.
    """

    signing: SigningKey
    origin: str = "th"
    recipient: str = "my"
    texts: Mapping[str, bytes] = field(default_factory=contents)
    granted: Sequence[str] = ("summary",)
    basis: Any = "rule"
    head: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)
    approvals: Sequence[release.Approval] = ()
    parts: Mapping[str, bytes | None] = field(default_factory=dict)
    digests: tuple[bytes, ...] | None = None
    seed: int = 0

    def but(self, **changes: Any) -> Forgery:
        return replace(self, **changes)

    @property
    def item(self) -> manifest.DraftManifest:
        facts = {"origin": self.origin, "kind": KIND, "urgency": "high", "handling": HANDLING, "grade": None}
        drafts = [manifest.SectionDraft(s, text) for s, text in self.texts.items()]
        return manifest.draft(head(**facts | dict(self.head)), drafts, SeededEntropy(self.seed).bytes)

    @property
    def leaving(self) -> release.DraftRelease:
        """The release's body and grants."""
        places = tuple(sorted(s.leaf.position for s in self.item.sections if s.leaf.sensitivity in self.granted))
        facts: dict[str, Any] = {
            "recipient": self.recipient,
            "readers": ("entitled",),
            "rules": ("th.1",),
        }
        said = dict(self.terms)
        under = {"court": "ask", "purposes": ()} | {n: said.pop(n) for n in release.Part.__struct_fields__ if n in said}
        facts["parts"] = (part(*places, **under),)
        return release.draft_release(
            manifest=self.item.manifest.digest,
            rulebook=b"\5" * 32,
            basis=self.basis,
            created=1_800_000_000,
            terms=[release.Terms(**facts | said)],
            entropy=SeededEntropy(self.seed).bytes,
        )

    def arrives(self) -> tuple[Line, dict[str, bytes]]:
        """The line and what comes beside it."""
        item, leaving = self.item, self.leaving
        said = statement.sign(manifest.KIND, item.body, self.signing)
        body = strict.encode(release.Release(leaving.body, tuple(self.approvals)))
        released = statement.sign(release.KIND, body, self.signing)
        (grant,) = leaving.grants
        parts: dict[str, bytes | None] = {
            "manifest": said,
            "release": released,
            "grant": grant.data,
            "position": bytes([grant.position]),
            "path": grant.path,
        }
        for drafted in item.sections:
            if (place := drafted.leaf.position) in grant.grant.leaves:
                parts |= {
                    f"leaf.{place}": strict.encode(drafted.leaf),
                    f"path.{place}": drafted.path,
                    f"key.{place}": drafted.sealed.key,
                    f"ciphertext.{place}": drafted.sealed.ciphertext,
                }
        parts |= self.parts
        digests = (item.manifest.digest, statement.parse(released).digest) if self.digests is None else self.digests
        return Line("release", digests), {name: data for name, data in parts.items() if data is not None}

    def part(self, name: str, sensitivity: str) -> str:
        """The name under which a part of a section travels."""
        (place,) = [s.leaf.position for s in self.item.sections if s.leaf.sensitivity == sensitivity]
        return f"{name}.{place}"
