"""An approver signs what was proved to be all; a node that shows less, or something else, gets no signature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
import pytest
from msgspec import structs, to_builtins

from rilon.api.shapes import CellShown, WaitingShown
from rilon.app.disclosure_desk import Leaf
from rilon.crypto import manifest, release, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain.conditions import Conditions
from rilon.domain.draft import GrantRecord
from rilon.domain.handling import Handling, Pap, Tlp
from rilon.domain.rules import Finding
from rilon.domain.values import Effect, Sensitivity
from rilon.errors import MalformedError, ProofError, RilonError
from rilon.node import signing
from rilon.node.commands import approve
from rilon.node.commands.items import Ref
from tests.fakes.entropy import SeededEntropy
from tests.fakes.items import part

ITEM = UUID(int=7)


def item(tlp: str = Tlp.AMBER, number: UUID = ITEM, seed: int = 5) -> manifest.DraftManifest:
    """A manifest with a summary, a nominal and a victim's section."""
    marks = manifest.Handling(tlp, Pap.GREEN, (), (), bytes(32))
    facts = {"kind": "VIC-REFER", "urgency": "normal", "grade": None, "review": None, "expiry": 1_800_000_000}
    head = manifest.Head(format=1, origin="th", item=number.bytes, version=1, corrects=None, handling=marks, **facts)
    texts = [manifest.SectionDraft(s, b"text") for s in (*SHOWN, Sensitivity.VICTIM)]
    return manifest.draft(head, texts, SeededEntropy(seed).bytes)


SHOWN = (Sensitivity.SUMMARY, Sensitivity.NOMINAL)
MADE = item()
SIGNED = statement.sign(manifest.KIND, MADE.body, SigningKey.from_seed(b"k" * 64))
PLACES = {Sensitivity(s.leaf.sensitivity): s.leaf.position for s in MADE.sections}


def leaves(*some: Sensitivity, made: manifest.DraftManifest = MADE) -> tuple[Leaf, ...]:
    return tuple(Leaf(strict.encode(s.leaf), s.path) for s in made.sections if s.leaf.sensitivity in some)


def drafted(
    *recipients: str, some: Iterable[Sensitivity] = SHOWN, basis: release.Basis = "approval", seed: int = 0
) -> release.DraftRelease:
    terms = [
        release.Terms(
            recipient=r,
            readers=("entitled",),
            parts=(part(*sorted(PLACES[s] for s in some), purposes=("prosecution",), until=1_800_000_000),),
            rules=(),
        )
        for r in recipients
    ]
    return release.draft_release(
        manifest=MADE.manifest.digest,
        rulebook=bytes(32),
        basis=basis,
        created=1,
        terms=terms,
        entropy=SeededEntropy(seed).bytes,
    )


UNDER = Conditions(("prosecution",), "ask", "no", datetime(2027, 1, 15, 8, tzinfo=UTC))


def cells(*recipients: str) -> tuple[CellShown, ...]:
    why = Finding("a.rule", Effect.ASK, "A fictional reason.", "som-10")
    return tuple(CellShown(r, s, Effect.ASK, 1, False, (why,), UNDER) for r in recipients for s in SHOWN)


def shown(*recipients: str, made: release.DraftRelease | None = None, **changes: Any) -> WaitingShown:
    made = made or drafted(*recipients)
    facts = WaitingShown(
        item=ITEM,
        state="waiting",
        author="a" * 32,
        version=1,
        handling=Handling(tlp=Tlp.AMBER, pap=Pap.GREEN),
        body=made.data,
        digest=made.digest,
        seed=made.seed,
        grants={g.grant.recipient: GrantRecord(g.data, g.position, g.path) for g in made.grants},
        approvers=1,
        signed_by=(),
        cells=cells(*recipients),
        manifest=SIGNED,
        leaves=leaves(*SHOWN),
    )
    return structs.replace(facts, **changes)


def test_what_is_all_there_is_can_be_signed(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = shown("id", "my")
    body, grants = signing.proved(waiting)
    assert release.body_digest(body) == waiting.digest
    assert {g.recipient for g in grants} == {"id", "my"}
    approve.show(waiting, grants)
    said = capsys.readouterr().err
    for words in (
        "Indonesia (ID), readers there: everybody whom that node entitles, would get:\n  summary, nominal",
        "Malaysia (MY), ",
        "until: 2027-01-15 08:00Z",
        "for: prosecution",
        "onward sharing: only after asking us; use in court: never",
        "why: A fictional reason. [som-10]",
        "These 2 grants are all there are",
    ):
        assert words in said


def without(waiting: WaitingShown, member: str) -> WaitingShown:
    left = {m: g for m, g in waiting.grants.items() if m != member}
    return structs.replace(waiting, grants=left, cells=tuple(c for c in waiting.cells if c.recipient != member))


NOMINAL, VICTIM = Sensitivity.NOMINAL, Sensitivity.VICTIM
_VICTIM = next(s for s in MADE.sections if s.leaf.sensitivity is VICTIM)
OTHER_LABEL = Leaf(strict.encode(structs.replace(_VICTIM.leaf, sensitivity="summary")), _VICTIM.path)


STRICTER: tuple[dict[str, Any], ...] = (
    {"purposes": ("identify_victim",)},
    {"purposes": ()},
    {"onward": "no"},
    {"court": "ask"},
    {"until": datetime(2027, 1, 14, tzinfo=UTC)},
    {"caveats": ("NO_CONTACT",)},
)


def under(**changes: Any) -> tuple[CellShown, ...]:
    """One of two cells as if it went under other conditions than the grant gives it."""
    first, *rest = cells("id")
    return structs.replace(first, conditions=structs.replace(UNDER, **changes)), *rest


def another(made: manifest.DraftManifest) -> bytes:
    return statement.sign(manifest.KIND, made.body, SigningKey.from_seed(b"k" * 64))


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (without(shown("id", "my"), "my"), "tree.whole"),
        (shown("id", cells=cells("my")), "approve.cells"),
        (shown("id", cells=cells("id")[:1]), "approve.cells"),
        (shown("id", cells=cells("id", "my")), "approve.cells"),
        (shown("id", digest=bytes(32)), "approve.body"),
        (shown("id", body=drafted("my").data), "approve.body"),
        (shown("id", seed=bytes(32)), "tree.whole"),
        (shown("id", made=drafted("id", basis="rule")), "approve.body"),
        (shown("id", body=b"\xff"), "cbor.type"),
        # a victim's section is granted, and shown as a summary
        (shown("id", made=drafted("id", some=(NOMINAL, VICTIM)), leaves=leaves(*PLACES)), "approve.cells"),
        (shown("id", made=drafted("id", some=(NOMINAL, VICTIM))), "approve.cells"),
        (shown("id", leaves=(OTHER_LABEL, *leaves(NOMINAL))), "tree.path"),
        (shown("id", leaves=leaves(*SHOWN, made=item(seed=6))), "tree.path"),
        # and conditions are what they are in the grant, not what the node calls them
        *((shown("id", cells=under(**one)), "approve.conditions") for one in STRICTER),
        (shown("id", manifest=another(item(Tlp.GREEN))), "approve.manifest"),
        (shown("id", handling=Handling(tlp=Tlp.RED, pap=Pap.GREEN)), "approve.marks"),
        (shown("id", item=UUID(int=8)), "approve.marks"),
    ],
)
def test_a_node_that_shows_something_else_gets_no_signature(lie: WaitingShown, code: str) -> None:
    with pytest.raises((ProofError, MalformedError)) as caught:
        signing.proved(lie)
    assert caught.value.code == code


@dataclass
class FakeApi:
    answer: Any

    def get(self, path: str) -> Any:
        assert path == f"approvals/{ITEM}"
        return self.answer


def test_words_of_a_newer_node_are_not_guessed_at() -> None:
    told = to_builtins(shown("id"))
    assert approve.look(FakeApi(told), Ref(ITEM)) == shown("id")  # type: ignore[arg-type]
    with pytest.raises(RilonError, match=r"approve\.answer"):
        approve.look(FakeApi(told | {"novelty": 1}), Ref(ITEM))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cuts", "left"),
    [
        (("my",), {("id", "summary"), ("id", "nominal")}),
        (("my:nominal", "ID:nominal"), {("id", "summary"), ("my", "summary")}),
        (("id", "my"), set()),
    ],
)
def test_cuts_name_what_shall_not_go(cuts: tuple[str, ...], left: set[tuple[str, str]]) -> None:
    assert approve._kept(shown("id", "my"), cuts) == left


@pytest.mark.parametrize("cut", ["bd", "id:victim", ":summary", ""])
def test_a_cut_of_nothing_is_a_mistake(cut: str) -> None:
    with pytest.raises(click.UsageError):
        approve._kept(shown("id", "my"), [cut])
