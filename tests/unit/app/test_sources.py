"""An item that is made of others never carries weaker marks than they do, and goes to nobody whom they bar."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rilon.app.drafts import AlertDraft, AudienceDraft, check
from rilon.domain.directory import DIRECTORY_ID, Directory
from rilon.domain.handling import Caveat, Pap, Tlp
from rilon.domain.held import HeldEdition, marks_held
from rilon.domain.values import Effect, Role, Source
from rilon.errors import InvalidError, NotFoundError, RefusedError, RilonError
from tests.fakes.drafts import NOW
from tests.fakes.histories import START, held
from tests.nodes import MemoryNode, Person, acquaint, draft_of, memory_node, pump


@dataclass
class Story:
    """Indonesia holds an alert of Thailand's."""

    th: MemoryNode
    id: MemoryNode
    item: UUID
    reader: Person

    def draft(self, *members: str, **changes: object) -> AlertDraft:
        return draft_of("TIP-RECRUIT", *members, sources=(Source("th", self.item),), **changes)


@pytest.fixture
async def story() -> Story:
    th, id_, my = await memory_node("th"), await memory_node("id"), await memory_node("my")
    await acquaint(th, id_, my)
    signer = await th.approver()
    item = await th.post(await th.officer(), draft_of("TIP-RECRUIT", "id", handling={"pap": "PAP:RED"}))
    await th.approve(item, signer)
    await pump(th, id_)
    return Story(th, id_, item, await id_.officer())


async def test_what_quotes_another_members_item_goes_back_to_it_only(story: Story) -> None:
    desk = story.id.desks.alerts
    found = await desk.preview(story.reader.caller, story.draft("th", "my", handling={"tlp": "TLP:GREEN"}))
    assert (found.handling.tlp, found.handling.pap, found.handling.rel_to) == (Tlp.AMBER, Pap.RED, frozenset({"th"}))
    refused = {c.recipient for c in found.matrix.cells if c.decision.effect is Effect.REFUSE}
    assert refused == {"my"}
    assert {c.recipient for c in found.matrix.cells} == {"th", "my"}
    posted = UUID(bytes=(await desk.post(story.reader.caller, story.draft("th"))).answer)
    disclosure = await story.id.disclosure(posted)
    assert {v.recipient for v in disclosure.verdicts} == {"th"}


async def test_an_item_that_is_not_for_you_cannot_be_quoted(story: Story) -> None:
    far, desk = await story.th.officer(agency="police"), story.th.desks.alerts
    absent = draft_of("TIP-RECRUIT", "id", sources=(Source("th", UUID(int=3)),))
    for draft in (story.draft("id"), absent):
        with pytest.raises(NotFoundError) as caught:
            await desk.preview(far.caller, draft)
        assert caught.value.code == NotFoundError().code
    nobody = await story.id.officer(Role.PROTECTION)
    other = draft_of("TIP-RECRUIT", "th", sources=(Source("my", story.item),))
    with pytest.raises(NotFoundError):
        await story.id.desks.alerts.post(nobody.caller, other)


async def test_own_items_are_merged_under_the_stricter_mark(story: Story) -> None:
    author, desk = await story.th.officer(), story.th.desks.alerts
    found = await desk.preview(author.caller, story.draft("id", handling={"tlp": "TLP:GREEN", "pap": "PAP:CLEAR"}))
    assert (found.handling.tlp, found.handling.pap, found.handling.rel_to) == (Tlp.AMBER, Pap.RED, None)


@pytest.fixture(scope="module")
async def directory() -> Directory:
    th, id_ = await memory_node("th"), await memory_node("id")
    await acquaint(th, id_)
    return await th.desks.work.read(Directory, DIRECTORY_ID)


EVERYBODY = frozenset({"id", "my", "th"})


def sources() -> st.SearchStrategy[HeldEdition]:
    caveats = st.sets(st.sampled_from([Caveat.ORCON, Caveat.NO_JUDICIAL, Caveat.NO_CONTACT, Caveat.NOT_TO]))
    until = START.replace(year=2027)
    return st.builds(
        lambda tlp, pap, some, a: held(
            UUID(int=1), 1, a, tlp=tlp, pap=pap, caveats=tuple(sorted(some)), until=until, review_at=until
        ),
        st.sampled_from(list(Tlp)),
        st.sampled_from([*Pap, "PAP:NEWER"]),
        caveats,
        st.integers(0, 5),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["id", "my"]), sources()), max_size=3), st.sampled_from(list(Tlp)))
def test_no_mark_is_ever_lowered(directory: Directory, quoted: list[tuple[str, HeldEdition]], tlp: Tlp) -> None:
    audience = AudienceDraft(members=("id",), readers=("desk:duty",))
    draft = msgspec.structs.replace(draft_of("TIP-RECRUIT", "id", handling={"tlp": tlp}), audience=audience)
    marks = [marks_held(origin, edition) for origin, edition in quoted]
    if not frozenset.intersection(*(m.rel_to or EVERYBODY for m in marks), EVERYBODY):
        with pytest.raises(RefusedError, match=r"handling\.nothing-in-common"):
            check(draft, directory, NOW, (), marks)
        return
    found = check(draft, directory, NOW, (), marks).handling
    order_tlp, order_pap = list(Tlp), list(Pap)
    for origin, edition in quoted:
        assert order_tlp.index(found.tlp) <= order_tlp.index(Tlp(edition.tlp))
        strictest = edition.pap if edition.pap in order_pap else Pap.RED
        assert order_pap.index(found.pap) <= order_pap.index(Pap(strictest))
        assert {c for c in edition.caveats if c != "NOT_TO"} <= found.codes
        open_ = edition.tlp in {Tlp.GREEN, Tlp.CLEAR} and not {"ORCON", "NOT_TO"} & set(edition.caveats)
        assert open_ or found.rel_to == {origin}
        assert edition.purposes is None or (found.purposes or frozenset()) <= edition.purposes
        assert found.expires_at is not None
        assert found.expires_at <= edition.until
    assert order_tlp.index(found.tlp) <= order_tlp.index(tlp)


async def test_an_intelligence_report_says_facts_assessment_and_gaps_and_is_graded(story: Story) -> None:
    author, desk = await story.th.officer(), story.th.desks.alerts
    draft = draft_of("INTEL-REPORT", "id")
    with pytest.raises(InvalidError) as caught:
        await desk.post(author.caller, msgspec.structs.replace(draft, grade=None))
    assert (caught.value.code, caught.value.field) == ("grade.missing", "grade")
    assert caught.value.fix
    for part in ("facts", "assessment", "gaps"):
        fields = {name: value for name, value in draft.fields.items() if name != part}
        with pytest.raises(RilonError) as problem:
            await desk.post(author.caller, msgspec.structs.replace(draft, fields=fields))
        assert (problem.value.code, problem.value.field) == ("field.missing", part)
    await story.th.post(author, draft)
