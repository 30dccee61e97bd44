"""Where a correction begins: the version in force as a draft, without its content.

What no page asks for (caveats, purposes, readers, a rescue desk) must not be lost by writing on, or a correction would
loosen what its author never saw.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.app.editions import OF_ONE_SECTION, Marks
from rilon.crypto import manifest, statement
from rilon.domain.alert import Edition

_ENDS: Final = frozenset({"review_by", "expires_at"})
"""A correction ends with the version before unless its author says otherwise."""


def draft_of(edition: Edition, marks: Marks, home: tuple[str, ...]) -> AlertDraft:
    """The marks, readers and conditions of an edition of ours, as its author would state them.

    Of a recovered one, whose marks are lost with its content, TLP and PAP are known and nothing else: its author states
    the rest anew.

    Args:
        home: who may read it at this node beside its author and roles.
    """
    if not edition.sections:
        known = {"tlp": str(edition.tlp), "pap": str(edition.pap)}
        return AlertDraft(edition.kind, {}, AudienceDraft(home=home), known, urgency=edition.urgency)
    stated = msgspec.to_builtins(msgspec.structs.asdict(marks.handling))
    stated["caveats"] = sorted(set(marks.handling.caveats) - OF_ONE_SECTION)
    circle = next(iter(marks.circles), "")
    members = frozenset(edition.audience) - marks.circles.get(circle, frozenset())
    grade = manifest.read(statement.parse(edition.manifest).body).grade
    given = {"scheme": grade.scheme, "source": grade.source or "", "information": grade.information} if grade else None
    onward: Literal["ask", "no"] = "no" if marks.conditions.onward == "no" else "ask"
    court: Literal["ask", "no"] = "no" if marks.conditions.court == "no" else "ask"
    return AlertDraft(
        kind=edition.kind,
        fields={},
        audience=AudienceDraft(
            members=tuple(sorted(members)),
            circle=circle,
            readers=marks.conditions.readers,
            home=home,
            rescue=marks.conditions.rescue,
        ),
        handling={name: value for name, value in stated.items() if name not in _ENDS and value not in (None, [], ())},
        grade=given,
        urgency=edition.urgency,
        onward=onward,
        court=court,
        keep_attachments=True,
    )
