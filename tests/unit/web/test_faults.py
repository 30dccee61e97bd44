"""What is wrong with a form is told by the names that its reader sees."""

from __future__ import annotations

from typing import Any

from rilon.domain.kinds import KINDS
from rilon.domain.values import Role
from rilon.errors import InvalidError
from rilon.web import forms
from rilon.web.faults import faults
from tests.unit.web.test_screens import post
from tests.web import pages

KIND = KINDS["TIP-RECRUIT"]


def test_a_fault_names_its_field_as_the_form_does_and_leads_to_it() -> None:
    missing = InvalidError("field.missing", "TIP-RECRUIT needs promise.", field="promise", fix="Give {words}.")
    value = InvalidError("country.unknown", "There is no such country.", field="origin.country", fix="Choose one.")
    part = InvalidError(
        "field.missing", "The field value is missing.", field="recruiter_identifiers[1].value", fix="Give {value}."
    )
    found = faults(InvalidError("draft", "", problems=(missing, value, part)), KIND)
    assert [(f.at, f.label, f.message, f.fix) for f in found] == [
        ("f-promise", "What they promise", "Please fill this in.", ""),
        ("f-origin-country", "Origin · Country", "There is no such country.", "Choose one."),
        ("f-recruiter_identifiers-1-value", "Recruiter identifiers · 2 · Value", "Please fill this in.", ""),
    ]


def test_no_form_speaks_of_codes_or_shapes_to_who_left_it_empty() -> None:
    for kind in KINDS.values():
        bare = [InvalidError("field.missing", f"{kind.code} needs {n}.", field=n, fix="{}") for n in kind.fields]
        for fault in faults(InvalidError("draft", "", problems=bare), kind):
            assert not {"_", "{", kind.code} & set(f"{fault.label} {fault.message} {fault.fix}".split())
            assert "_" not in fault.label


async def test_an_empty_form_is_refused_in_words_that_lead_to_its_fields() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        written: dict[str, Any] = {"kind": KIND.code, "once": "0123456789abcdef", "f.narrative": "Kept."}
        answer = await officer.form("/new", **written)
        assert answer.status_code == 422
        assert '<a href="#f-promise">What they promise</a>: Please fill this in.' in answer.text
        assert 'id="f-promise"' in answer.text
        assert "needs promise" not in answer.text
        before, _, after = answer.text.partition("Kept.</textarea>")
        assert after
        assert before.rpartition('<details class="more"')[2].startswith(" open"), "what was written does not hide"


def test_a_country_is_read_by_its_name_or_its_code() -> None:
    for said in ("Philippines", " philippines", "ph", "PH"):
        assert forms.read(KIND, {"f.origin.country": [said]})["origin"] == {"country": "PH"}
    assert forms.read(KIND, {"f.origin.country": ["Atlantis"]})["origin"] == {"country": "ATLANTIS"}


async def test_every_deed_on_an_alert_is_announced() -> None:
    async with pages(knows=("my",)) as node:
        officer = await node.signed_in()
        where = await post(officer, member=["my"])
        for name in ("acknowledged", "answered", "withdrawn", "recalled", "watch"):
            page = (await officer.get(f"{where}?done={name}")).text
            assert 'role="status" tabindex="-1"' in page, name
        gone = await officer.form(f"{where}/withdraw", once="w", reason="Fictional.")
        assert gone.headers["location"].endswith("done=withdrawn")


async def test_an_agency_is_written_as_people_say_it() -> None:
    async with pages() as node:
        focal = await node.signed_in(Role.FOCAL_POINT)
        form: dict[str, Any] = {"name": "Fictional Newcomer", "desk": "duty", "role": ["officer"], "once": "e"}
        refused = await focal.form("/people/new", **form, agency="入管")
        assert refused.status_code == 422
        assert '<a href="#agency">Agency</a>: This is no code.' in refused.text
        done = await focal.form("/people/new", **form, agency="Immigration Bureau")
        assert done.status_code == 303, done.text
        assert "Immigration bureau" in (await focal.get(done.headers["location"])).text
