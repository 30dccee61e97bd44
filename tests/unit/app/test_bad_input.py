"""Bad input: each a problem with a code, the field and what would fix it, told all at once; and nothing is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.unit import Key
from rilon.domain.alert import Alert
from rilon.domain.values import Role, Sensitivity
from rilon.errors import ConflictError, InvalidError, NotFoundError, RilonError
from tests.fakes.drafts import NOW, example
from tests.nodes import MemoryNode, Person, draft_of, introduce, memory_node


@pytest_asyncio.fixture(scope="module")
async def th() -> MemoryNode:
    """Thailand, who has verified Indonesia and heard of Malaysia."""
    node, id_, my = [await memory_node(m) for m in ("th", "id", "my")]
    await introduce(node, id_)
    await introduce(node, my, verify=False)
    return node


def fields(**changes: Any) -> dict[str, Any]:
    return example("TIP-RECRUIT")["fields"] | changes


def to(*members: str, **changes: Any) -> AudienceDraft:
    return AudienceDraft(members=members, **changes)


def deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


SOON, LATE = "handling.expires_at", "handling.review_by"


def until(**marks: str) -> dict[str, Any]:
    return {"handling": marks}


BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    # name: code, field, what differs from a good draft
    "unknown kind": ("kind.unknown", "kind", {"kind": "TIP-RECRIUT"}),
    "linkage is no kind": ("kind.unknown", "kind", {"kind": "LINK-REQ"}),
    "exercise": ("kind.exercise-only", "kind", {"kind": "EXERCISE", "fields": example("EXERCISE")["fields"]}),
    "unknown member": ("member.unknown", "audience.members", {"audience": to("id", "zz")}),
    "a member that looks like one": ("member.unknown", "audience.members", {"audience": to("id", "\u043cy")}),
    "a country that looks like one": (
        "country.unknown",
        "destination.country",
        {"fields": fields(destination={"country": "K\u041d"})},
    ),
    "unknown field": ("field.unknown", "colour", {"fields": fields(colour="red")}),
    "a field of another kind": ("field.unknown", "vessels", {"fields": fields(vessels=[])}),
    "a name that is none": ("field.unknown", "with a name that is none", {"fields": fields(**{"a\u202eb": 1})}),
    "missing": ("field.missing", "promise", {"fields": {k: v for k, v in fields().items() if k != "promise"}}),
    "wrong type": ("field.value", "promise", {"fields": fields(promise=7)}),
    "oversize": ("text.too-long", "promise", {"fields": fields(promise="x" * 100_000)}),
    "too deep": ("field.value", "promise", {"fields": fields(promise=deep(900))}),
    "NUL": ("text.control", "promise", {"fields": fields(promise="a\0b")}),
    "half a character": ("text.surrogate", "promise", {"fields": fields(promise="a\ud800b")}),
    "bidi in a name": (
        "text.bidi",
        "persons[0].name",
        {"fields": fields(persons=[{"role": "suspect", "name": "Fictional \u202e Person"}])},
    ),
    "future date": ("time.future", "observed_at", {"kind": "MAR-DISTRESS", "fields": None, "grade": None}),
    "expires before it exists": ("handling.expired", SOON, until(expires_at="2026-05-03T09:59:59Z")),
    "expires too late": ("handling.expiry-too-far", SOON, until(expires_at="2126-05-03T10:00:00Z")),
    "a date of no calendar": ("handling.value", SOON, until(expires_at="9999-99-99")),
    "a date without a zone": ("handling.value", SOON, until(expires_at="2026-07-01T10:00:00")),
    "reviewed too late": ("handling.review-late", LATE, until(review_by="2125-05-03T10:00:00Z")),
    "reviewed too early": ("handling.review-early", LATE, until(review_by="0001-01-01T00:00:00+14:00")),
    "REL_TO nobody": ("handling.rel-to-empty", "handling.rel_to", {"handling": {"rel_to": []}}),
    "REL_TO only whom NOT_TO names": (
        "handling.rel-to-barred",
        "handling.rel_to",
        {"handling": {"rel_to": ["id"], "not_to": ["id"]}},
    ),
    "NOT_TO an unknown member": ("member.unknown", "handling.not_to", {"handling": {"not_to": ["zz"]}}),
    "unknown mark": ("handling.unknown-field", "handling", {"handling": {"noforn": True}}),
    "unknown TLP": ("handling.value", "handling.tlp", {"handling": {"tlp": "TLP:PINK"}}),
    "wider than TLP": ("audience.wider-than-tlp", "audience", {"audience": AudienceDraft(everyone=True)}),
    "readers wider than TLP": (
        "audience.readers",
        "audience.readers",
        {"handling": {"tlp": "TLP:RED"}, "audience": to("id", readers=("agency:navy",))},
    ),
    "above the ceiling": ("handling.classification", "handling.classification", {"handling": {"classification": 2}}),
    "no level at all": ("handling.value", "handling.classification", {"handling": {"classification": 5}}),
    "to nobody": ("audience.empty", "audience", {"audience": AudienceDraft()}),
    "to itself": ("audience.empty", "audience.members", {"audience": to("th")}),
    "to the unverified": ("audience.unverified", "audience.members", {"audience": to("my")}),
    "to who runs no node": ("audience.unverified", "audience.members", {"audience": to("kh", "my")}),
    "ungraded": ("grade.missing", "grade", {"grade": None}),
    "no such grade": ("grade.value", "grade", {"grade": {"scheme": "uk_nim_5x5x5", "source": "Z", "information": "2"}}),
    "no such scheme": ("grade.value", "grade", {"grade": {"scheme": "gut feeling"}}),
}


def bad(name: str) -> AlertDraft:
    changes = dict(BAD[name][2])
    if changes.get("fields", "") is None:
        late = (NOW + timedelta(days=1)).isoformat()
        changes["fields"] = example("MAR-DISTRESS")["fields"] | {"observed_at": late}
    good = draft_of("TIP-RECRUIT", "id")
    return msgspec.structs.replace(good, **changes)


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_a_problem_with_a_code_a_field_and_a_fix(th: MemoryNode, name: str) -> None:
    node, (code, field, _) = th.copy(), BAD[name]
    author = await node.officer()
    before = await node.stored()
    for attempt in (node.desks.alerts.preview, node.desks.alerts.post):
        with pytest.raises(RilonError) as caught:
            await attempt(author.caller, bad(name))
        assert (caught.value.code, caught.value.field) == (code, field)
        assert caught.value.fix.strip().endswith((".", "?"))
        assert 400 <= caught.value.status < 500
    assert await node.stored() == before  # not even a ciphertext: nothing is sealed before all is checked


async def test_all_that_is_wrong_is_told_at_once(th: MemoryNode) -> None:
    node = th.copy()
    author = await node.officer()
    draft = AlertDraft(
        kind="TIP-RECRUIT",
        fields=fields(colour="red", promise="a\0"),
        audience=to("zz"),
        handling={"rel_to": [], "tlp": "TLP:PINK"},
    )
    with pytest.raises(InvalidError) as caught:
        await node.desks.alerts.post(author.caller, draft)
    assert caught.value.code == "invalid.several"
    codes = {p.code for p in caught.value.problems}
    assert codes == {
        "field.unknown", "text.control", "member.unknown", "handling.rel-to-empty", "handling.value", "grade.missing",
    }  # fmt: skip
    assert all(p.field and p.fix for p in caught.value.problems)


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {"readers": []}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {"readers": ["desk:a b"]}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {"readers": ["officer:somebody"]}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {"members": ["id"] * 129}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {"circle": "c"}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {}, "onward": "yes"},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {}, "urgency": "yesterday"},
        {"kind": "TIP-RECRUIT", "fields": {}},
        {"kind": "TIP-RECRUIT", "fields": {}, "audience": {}, "author": "somebody else"},
    ],
)
def test_what_is_not_even_a_draft_is_refused_by_its_form(raw: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, AlertDraft)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
async def test_who_may_not_post_is_told_nothing_of_the_draft(th: MemoryNode, role: Role) -> None:
    node = th.copy()
    person = await node.officer(role)
    before = await node.stored()
    for attempt in (node.desks.alerts.preview, node.desks.alerts.post):
        with pytest.raises(RilonError) as caught:
            await attempt(person.caller, bad("unknown kind"))
        assert caught.value.code == "permission.denied"
    assert await node.stored() == before


async def test_a_body_of_the_process_never_originates() -> None:
    node, id_ = await memory_node("rso"), await memory_node("id")
    await introduce(node, id_)
    author = await node.officer()
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await node.desks.alerts.post(author.caller, draft_of("TIP-RECRUIT", "id"))
    assert caught.value.code == "member.never-originates"
    assert await node.stored() == before


async def test_an_exercise_is_posted_in_its_own_world() -> None:
    node, id_ = await memory_node("th", world="exercise"), await memory_node("id", world="exercise")
    await introduce(node, id_)
    item = await node.post(await node.officer(), draft_of("EXERCISE", "id"))
    assert (await node.desks.work.read(Alert, item)).edition.kind == "EXERCISE"


async def test_a_key_of_idempotency_is_for_one_request(th: MemoryNode) -> None:
    node = th.copy()
    author = await node.officer()
    command = UUID(int=77)
    first = await node.desks.alerts.post(author.caller, draft_of("TIP-RECRUIT", "id"), Key(command, b"a" * 32))
    before = await node.stored()
    again = await node.desks.alerts.post(author.caller, draft_of("TIP-RECRUIT", "id"), Key(command, b"a" * 32))
    assert (again.answer, again.position) == (first.answer, before[0])
    with pytest.raises(ConflictError) as caught:
        await node.desks.alerts.post(author.caller, draft_of("GOOD-PRACTICE", "id"), Key(command, b"b" * 32))
    assert caught.value.code == "command.key-reused"
    assert await node.stored() == before


# Commands about an alert that exists


@pytest_asyncio.fixture
async def posted(th: MemoryNode) -> tuple[MemoryNode, Person, UUID]:
    node = th.copy()
    author = await node.officer()
    return node, author, await node.post(author, draft_of("TIP-RECRUIT", "id"))


@pytest.mark.parametrize("name", ["unknown field", "expires before it exists", "wider than TLP", "unknown member"])
async def test_a_bad_correction_corrects_nothing(posted: tuple[MemoryNode, Person, UUID], name: str) -> None:
    node, author, item = posted
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await node.desks.alerts.correct(author.caller, item, bad(name))
    assert caught.value.code == BAD[name][0]
    assert await node.stored() == before


async def test_a_correction_is_told_to_holders_even_when_nobody_can_have_it_any_more(
    posted: tuple[MemoryNode, Person, UUID],
) -> None:
    node, author, item = posted
    await node.desks.alerts.correct(author.caller, item, draft_of("TIP-RECRUIT", "my"))
    alert = await node.desks.work.read(Alert, item)
    assert alert.edition.version == 2
    assert (await node.disclosure(item)).draft is None


@pytest.mark.parametrize(
    ("reason", "code"), [(" ", "text.blank"), ("a\u202eb", "text.bidi"), ("x" * 2001, "text.too-long")]
)
async def test_a_reason_is_words(posted: tuple[MemoryNode, Person, UUID], reason: str, code: str) -> None:
    node, author, item = posted
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await node.desks.alerts.withdraw(author.caller, item, reason)
    assert caught.value.code == code
    assert await node.stored() == before


async def test_what_does_not_exist_is_neither_corrected_nor_ended(th: MemoryNode) -> None:
    node, nothing = th.copy(), UUID(int=1)
    author = await node.officer()
    before = await node.stored()
    for attempt in (
        lambda: node.desks.alerts.correct(author.caller, nothing, draft_of("TIP-RECRUIT", "id")),
        lambda: node.desks.alerts.withdraw(author.caller, nothing, "Why."),
        lambda: node.desks.alerts.close(author.caller, nothing, "found-safe"),
    ):
        with pytest.raises(NotFoundError):
            await attempt()
    assert await node.stored() == before


async def test_an_outcome_is_a_code(posted: tuple[MemoryNode, Person, UUID]) -> None:
    node, author, item = posted
    before = await node.stored()
    with pytest.raises(RilonError) as caught:
        await node.desks.alerts.close(author.caller, item, "He was found by Fictional Person.")
    assert caught.value.code == "log.event-invalid"
    assert (await node.stored())[:2] == before[:2]
    assert (await node.desks.work.read(Alert, item)).state == "live"


async def test_a_preview_stores_nothing_and_does_not_lie(th: MemoryNode) -> None:
    node = th.copy()
    author = await node.officer()
    before, draft = await node.stored(), draft_of("TIP-RECRUIT", "id", "my")
    shown = await node.desks.alerts.preview(author.caller, draft)
    assert await node.stored() == before
    assert shown.recipients == ("id", "my")
    assert set(shown.sections) == {Sensitivity.SUMMARY, Sensitivity.NOMINAL}
    found = await node.disclosure(await node.post(author, draft))
    assert found.verdicts == shown.matrix.verdicts
    assert {v.effect for v in found.verdicts if v.recipient == "my"} == {"refuse"}


async def test_who_shortens_the_life_of_an_alert_need_not_state_its_review(th: MemoryNode) -> None:
    node = th.copy()
    author = await node.officer()
    for days in (1, 10, 3000):
        end = NOW + timedelta(days=days)
        draft = draft_of("TIP-RECRUIT", "id", handling={"expires_at": end.isoformat()})
        marks = (await node.desks.alerts.preview(author.caller, draft)).handling
        assert marks.expires_at == end
        assert marks.review_by == end - min(timedelta(days=120), timedelta(days=days) / 2)
