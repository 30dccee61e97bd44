"""The small words everything else is said in: closed codes and value objects, all immutable."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

MemberId = Annotated[str, Meta(pattern=r"\A[a-z]{2,12}\Z")]
"""An entry of the directory: ``th``, ``iom``, ``rso`` (members.json)."""

OfficerId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
"""Opaque id of an officer, random, no name; what leaves the country in approvals and receipts."""

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""A SHA-256 digest."""

LogId = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""Random id of a log; a restored log starts a new one (protocol.md, Links)."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A point in time that says its zone."""

Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}\Z")]
"""A closed, language-neutral code. The only kind of ``str`` an event may hold (catalogue test)."""


class Value(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of the value objects that events and messages carry.

    Made once from what is below them, they never stand in a cycle: the collector is spared them (a replay: a fifth).
    """


class Sensitivity(StrEnum):
    """What a section holds. A set of entitlements; ordered only for display, less revealing first."""

    SUMMARY = "summary"
    NOMINAL = "nominal"
    VICTIM = "victim"
    CHILD = "child"
    SOURCE = "source"
    ATTACHMENT = "attachment"


VULNERABLE = frozenset({Sensitivity.VICTIM, Sensitivity.CHILD})
"""Sections that leave only when two people have signed, and that no rule alone opens."""


class Urgency(StrEnum):
    """How fast somebody must act."""

    LIFE_AT_RISK = "life_at_risk"
    IMMEDIATE = "immediate"
    HIGH = "high"
    NORMAL = "normal"


class Effect(StrEnum):
    """A rule's verdict. Nothing matched is ASK; a broken invariant is REFUSE."""

    ALLOW = "allow"
    ASK = "ask"
    REFUSE = "refuse"


class Role(StrEnum):
    """What an officer may do at this node; roles are separate. A deputy acts while a focal point calls upon them."""

    OFFICER = "officer"
    FOCAL_POINT = "focal_point"
    PROTECTION = "protection"
    DEPUTY = "deputy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Purpose(StrEnum):
    """Why something is shared or opened (handling.json, purpose_codes)."""

    PREVENT_LOSS_OF_LIFE = "prevent_loss_of_life"
    IDENTIFY_VICTIM = "identify_victim"
    PROTECT_AND_REFER = "protect_and_refer"
    LOCATE_MISSING_PERSON = "locate_missing_person"
    IDENTIFY_DECEASED = "identify_deceased"
    INVESTIGATE_SMUGGLING = "investigate_smuggling"
    INVESTIGATE_TRAFFICKING = "investigate_trafficking"
    BORDER_DECISION = "border_decision"
    DOCUMENT_VERIFICATION = "document_verification"
    FINANCIAL_TRACING = "financial_tracing"
    PROSECUTION = "prosecution"
    RETURN_AND_REINTEGRATION = "return_and_reintegration"
    STRATEGIC_ANALYSIS = "strategic_analysis"
    TRAINING_EXERCISE = "training_exercise"


class Sealed(Value, frozen=True):
    """Something a person wrote, as an event may hold it: where its ciphertext lies, and what binds it.

    Attributes:
        slot: 32 bytes; the ciphertext's and the key's place in the erasable stores.
        digest: SHA-256 of the ciphertext.
        commitment: 32 bytes; public commitment to the key, so that one ciphertext has one reading.
    """

    slot: Digest
    digest: Digest
    commitment: Digest


class Line(Value, frozen=True, array_like=True):
    """What an event addresses to one peer: a kind and the digests of the statements that belong to it.

    The n-th line addressed to a peer *is* entry n of the link to it (protocol.md, Links).
    """

    kind: Code
    digests: tuple[Digest, ...] = ()


class Source(Value, frozen=True):
    """An item that an alert quotes, merges or answers: its originator, and its id."""

    origin: MemberId
    item: UUID
