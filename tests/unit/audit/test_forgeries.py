"""Every contradiction between an event and what was signed is found, though rows, leaves and head agree.

The forger owns the database, and where it says so the node's own keys too; never the approvers' keys, nor a peer's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from rilon.audit.statements import Statements
from rilon.crypto import release, statement, strict
from rilon.crypto.keys import SigningKey
from rilon.domain.alert import Alert
from rilon.domain.directory import Directory, PeerNode
from rilon.domain.disclosure import Disclosure
from rilon.domain.draft import GrantRecord
from rilon.domain.holding import Holding
from rilon.domain.officer import Officer
from rilon.domain.peer_link import PeerLink
from rilon.domain.rulebook import RuleBooks
from rilon.domain.rules import RuleBook
from rilon.domain.values import Line, Urgency
from rilon.errors import ProofError
from tests.evidence import Evidence, Story, evidence_of, stranger
from tests.fakes.entropy import SeededEntropy

Change = Callable[[Any], dict[str, Any]]


def found_at(evidence: Evidence, place: int) -> set[str]:
    evidence.tip, evidence.selected = None, []
    return {code for position, code in evidence.found() if position == place}


def edition(**changes: Any) -> Change:
    """Change the version that an event keeps."""
    return lambda event: {"edition": structs.replace(event.edition, **changes)}


def later(event: Any) -> dict[str, Any]:
    ends = event.edition.expires_at.replace(year=2099)
    return {"edition": structs.replace(event.edition, expires_at=ends)}


def longer(event: Any) -> dict[str, Any]:
    return {"edition": structs.replace(event.edition, until=event.edition.until.replace(year=2099))}


def fewer_sections(event: Any) -> dict[str, Any]:
    return {"edition": structs.replace(event.edition, sections=event.edition.sections[1:])}


def other_path(event: Any) -> dict[str, Any]:
    first, *rest = event.edition.sections
    return {
        "edition": structs.replace(event.edition, sections=(structs.replace(first, path=bytes(len(first.path))), *rest))
    }


def book(**changes: Any) -> Change:
    def change(event: Any) -> dict[str, Any]:
        found = msgspec.json.decode(event.book, type=RuleBook)
        return {"book": msgspec.json.encode(structs.replace(found, **changes), order="deterministic")}

    return change


def draft(**changes: Any) -> Change:
    return lambda event: {"draft": structs.replace(event.draft, **changes)}


FORGED: dict[str, tuple[str, type[Any], Change, str]] = {
    "a book of nobody": ("here", RuleBooks.Adopted, lambda _: {"book": b"{"}, "rulebook.unreadable"),
    "another Member's book": ("here", RuleBooks.Adopted, book(member="my"), "rulebook.version"),
    "a stream's name": ("here", RuleBooks.Adopted, lambda _: {"originator_id": UUID(int=5)}, "stream.name"),
    "who needs two": (
        "here",
        Directory.RosterChanged,
        lambda e: {"roster": structs.replace(e.roster, two_for=())},
        "event.contradiction",
    ),
    "a roster's digest": ("here", Directory.RosterChanged, lambda _: {"digest": bytes(32)}, "event.contradiction"),
    "a kind": ("here", Alert.Posted, edition(kind="SCAM-MO"), "event.contradiction"),
    "an urgency": ("here", Alert.Posted, edition(urgency=Urgency.NORMAL), "event.contradiction"),
    "a mark": ("here", Alert.Posted, edition(tlp="TLP:CLEAR"), "event.contradiction"),
    "a version": ("here", Alert.Posted, edition(version=7), "event.contradiction"),
    "a manifest's digest": ("here", Alert.Posted, edition(digest=bytes(32)), "event.contradiction"),
    "an expiry": ("here", Alert.Posted, later, "event.contradiction"),
    "a hidden section": ("here", Alert.Posted, fewer_sections, "tree.whole"),
    "a seed": ("here", Alert.Posted, edition(seed=bytes(32)), "tree.whole"),
    "a path": ("here", Alert.Posted, other_path, "tree.path"),
    "a correction's digest": ("here", Alert.Corrected, edition(digest=bytes(32)), "event.contradiction"),
    "the book that judged": ("here", Disclosure.Proposed, lambda _: {"book": bytes(32)}, "disclosure.basis"),
    "what was judged": ("here", Disclosure.Proposed, lambda _: {"manifest": bytes(32)}, "disclosure.basis"),
    "a draft's digest": ("here", Disclosure.Drafted, draft(digest=bytes(32)), "release.digest"),
    "a draft's seed": ("here", Disclosure.Drafted, draft(seed=bytes(32)), "tree.whole"),
    "which draft was approved": (
        "here",
        Disclosure.Approved,
        lambda _: {"draft": bytes(32)},
        "disclosure.draft-changed",
    ),
    "a release's digest": ("here", Disclosure.Released, lambda _: {"digest": bytes(32)}, "event.contradiction"),
    "a release's basis": ("here", Disclosure.Released, lambda _: {"basis": "rule"}, "event.contradiction"),
    "a release's cells": ("here", Disclosure.Released, lambda _: {"cells": ()}, "release.cells"),
    "a release's seed": ("here", Disclosure.Released, lambda _: {"seed": bytes(32)}, "tree.whole"),
    "who is told of a correction": ("here", Alert.Corrected, lambda _: {"to": {}}, "event.contradiction"),
    "who is told of a withdrawal": ("here", Alert.Withdrawn, lambda _: {"to": {}}, "event.contradiction"),
    "whom a withdrawal is told": (
        "here",
        Alert.Withdrawn,
        lambda e: {"to": e.to | {"my": e.to["id"]}},
        "event.contradiction",
    ),
    "which version is withdrawn": (
        "here",
        Alert.Withdrawn,
        lambda _: {"to": {"id": Line("withdrawal", (bytes(32),))}},
        "event.contradiction",
    ),
    "how an alert ends": (
        "here",
        Alert.Withdrawn,
        lambda e: {"to": {"id": Line("closure", e.to["id"].digests)}},
        "event.contradiction",
    ),
    "what is held": ("there", Holding.Granted, edition(digest=bytes(32)), "event.contradiction"),
    "its kind": ("there", Holding.Granted, edition(kind="SCAM-MO"), "event.contradiction"),
    "its basis": ("there", Holding.Granted, edition(basis="approval"), "event.contradiction"),
    "its readers": ("there", Holding.Granted, edition(readers=("agency:other",)), "event.contradiction"),
    "its end": ("there", Holding.Granted, longer, "event.contradiction"),
    "its sections": ("there", Holding.Granted, fewer_sections, "event.contradiction"),
    "its path": ("there", Holding.Granted, other_path, "tree.path"),
    "whose link it is": ("here", PeerLink.Began, lambda _: {"peer": "my"}, "stream.name"),
}
"""What is forged: in whose log, in which event, how, and what says so."""


@pytest.mark.parametrize("what", FORGED)
def test_what_was_forged_is_named(story: Story, what: str) -> None:
    whose, kind, change, code = FORGED[what]
    evidence = (story.evidence if whose == "here" else story.theirs).copy()
    place = evidence.place(kind)
    evidence.rewrite(place, **change(evidence.events()[place - 1]))
    assert found_at(evidence, place) == {code}


def test_an_event_of_another_thing_in_a_stream(here: Evidence) -> None:
    place = here.place(Directory.Verified)
    here.become(place, Officer.Suspended, by="0" * 32)
    assert found_at(here, place) == {"stream.topic", "officer.unknown"}


def test_a_second_opening(here: Evidence) -> None:
    place = here.place(Alert.Withdrawn)
    posted = here.events()[here.place(Alert.Posted) - 1]
    here.become(
        place,
        Alert.Posted,
        author=posted.author,
        unit="desk:a:b",
        edition=posted.edition,
        originator_topic="rilon.alert",
    )
    assert found_at(here, place) == {"stream.opening"}


def test_one_alerts_version_under_another(here: Evidence) -> None:
    place = here.place(Alert.Posted)
    other = here.events()[here.place(Alert.Posted, lambda e: e.edition.kind == "OSINT-FIND") - 1]
    here.rewrite(place, edition=other.edition)
    assert found_at(here, place) == {"event.contradiction"}


def test_one_holding_under_anothers_name(there: Evidence) -> None:
    """The same release twice in the log, the second time as if it were of another item."""
    held = [n for n, e in enumerate(there.events(), 1) if isinstance(e, Holding.Granted)]
    there.rewrite(held[1], edition=there.events()[held[0] - 1].edition)
    assert found_at(there, held[1]) == {"event.contradiction"}


def test_a_receipt_of_a_link_that_never_began(here: Evidence) -> None:
    here.rewrite(here.place(PeerLink.Began), peer="my")
    assert "link.unknown" in found_at(here, here.place(PeerLink.Receipted))


def test_an_older_identity_of_a_peer(here: Evidence) -> None:
    place = here.place(PeerNode.RosterChanged)
    known = here.events()[here.place(PeerNode.Introduced) - 1]
    here.become(place, PeerNode.IdentityChanged, identity=known.identity, statement=known.statement)
    assert found_at(here, place) == {"directory.seq"}


def test_a_peer_in_the_stream_of_another(here: Evidence) -> None:
    """Its guards would be another Member's, and so would its quota."""
    place = here.place(PeerNode.Introduced)
    here.rewrite(place, identity=structs.replace(here.events()[place - 1].identity, member="bd"))
    assert "stream.name" in found_at(here, place)


def test_a_root_of_ones_own_in_place_of_this_nodes(here: Evidence) -> None:
    own = here.events()[here.place(Directory.Founded) - 1].identity
    new = structs.replace(own, root=stranger().public.raw, signing=stranger().public.raw, seq=own.seq + 1)
    said = statement.sign("identity", strict.encode(new), stranger())
    place = here.place(Directory.Verified)
    here.become(place, Directory.IdentityChanged, identity=new, statement=said, to={})
    assert found_at(here, place) == {"directory.root"}


def made(
    like: release.Grant, basis: release.Basis, rulebook: bytes, *members: str, **terms: Any
) -> release.DraftRelease:
    """A release of the same item to other Members or on other terms."""
    names, under = release.Terms.__struct_fields__, {n: terms[n] for n in release.Part.__struct_fields__ if n in terms}
    terms["parts"] = tuple(structs.replace(part, **under) for part in like.parts)
    each = [{n: getattr(like, n) for n in names} | terms | {"recipient": m} for m in members]
    return release.draft_release(
        manifest=terms.pop("manifest", like.manifest),
        rulebook=rulebook,
        basis=basis,
        created=1,
        terms=[release.Terms(**{n: e[n] for n in names}) for e in each],
        entropy=SeededEntropy(3).bytes,
    )


def waiting(here: Evidence) -> tuple[int, Any, release.Grant, bytes]:
    """The first draft, its only grant, and the rule book's digest."""
    place = here.place(Disclosure.Drafted)
    kept = here.events()[place - 1].draft
    (record,) = kept.grants.values()
    return place, kept, release.read_grant(record.grant), release.read_body(kept.body).rulebook


def as_draft(kept: Any, new: release.DraftRelease, *told: str, **changes: Any) -> dict[str, Any]:
    grants = {
        g.grant.recipient: GrantRecord(g.data, g.position, g.path) for g in new.grants if g.grant.recipient in told
    }
    facts = {"body": new.data, "digest": new.digest, "seed": new.seed, "grants": grants}
    return {"draft": structs.replace(kept, **facts | changes)}


def test_a_draft_with_a_hidden_grant(here: Evidence) -> None:
    place, kept, grant, rulebook = waiting(here)
    here.rewrite(place, **as_draft(kept, made(grant, "approval", rulebook, "id", "my"), "id"))
    assert found_at(here, place) == {"tree.whole"}


def test_a_draft_about_another_version(here: Evidence) -> None:
    place, kept, grant, rulebook = waiting(here)
    new = made(grant, "approval", rulebook, "id", manifest=b"\1" * 32)
    here.rewrite(place, **as_draft(kept, new, "id"))
    assert found_at(here, place) == {"release.manifest"}


def test_a_grant_under_anothers_name(here: Evidence) -> None:
    place, kept, _, _ = waiting(here)
    (record,) = kept.grants.values()
    cells = tuple(structs.replace(c, recipient="my") for c in kept.cells)
    here.rewrite(place, draft=structs.replace(kept, grants={"my": record}, cells=cells))
    assert found_at(here, place) == {"event.contradiction"}


def received(story: Story, basis: release.Basis, recipient: str, **terms: Any) -> set[str]:
    """What Indonesia's auditor finds in a release that Thailand's node signed, but never should have."""
    there, key = story.theirs.copy(), story.here.desks.keys.ring().signing
    place = there.place(Holding.Granted)
    held = there.events()[place - 1].edition
    grant = release.read_grant(held.grant)
    new = made(grant, basis, bytes(32), recipient, **terms)
    there.rewrite(place, edition=structs.replace(held, **resigned(new, basis, key)))
    return found_at(there, place)


def resigned(new: release.DraftRelease, basis: str, key: SigningKey) -> dict[str, Any]:
    said = statement.sign(release.KIND, strict.encode(release.Release(new.body, ())), key)
    (grant,) = new.grants
    facts = {"release": said, "grant": grant.data, "position": grant.position, "path": grant.path, "basis": basis}
    return facts | {"readers": grant.grant.readers}


@pytest.mark.parametrize(
    ("basis", "recipient", "terms", "code"),
    [
        ("rule", "my", {"rules": ("a.rule",)}, "release.recipient"),
        ("rule", "id", {"rules": ()}, "release.rule"),
        ("approval", "id", {}, "approval.missing"),
        ("rule", "id", {"rules": ("a.rule",), "until": 4_000_000_000}, "event.contradiction"),
    ],
)
def test_a_release_that_the_receiver_should_have_refused(
    story: Story, basis: release.Basis, recipient: str, terms: dict[str, Any], code: str
) -> None:
    assert received(story, basis, recipient, **terms) == {code}


def test_a_line_to_nobody_in_the_release(here: Evidence) -> None:
    place = here.place(Disclosure.Released)
    here.rewrite(place, to={"id": Line("release", (bytes(32), bytes(32)))})
    assert "event.contradiction" in found_at(here, place)


def test_a_roster_that_a_peer_is_not_told(here: Evidence) -> None:
    place = here.place(Directory.RosterChanged, lambda e: bool(e.to))
    here.rewrite(place, to={})
    assert found_at(here, place) == {"event.contradiction"}


def test_an_older_roster_of_ones_own(here: Evidence) -> None:
    first, *_, last = [n for n, e in enumerate(here.events(), 1) if isinstance(e, Directory.RosterChanged)]
    old = here.events()[first - 1]
    here.rewrite(last, roster=old.roster, statement=old.statement, digest=old.digest)
    assert found_at(here, last) == {"directory.seq"}


def test_a_peer_that_nobody_knows_is_verified(here: Evidence) -> None:
    place = here.place(Directory.Verified)
    here.rewrite(place, member="bd")
    assert found_at(here, place) == {"directory.absent"}


async def renewed(story: Story) -> Evidence:
    """The story's node, restored, under a new log id."""
    node = story.here.copy()
    ring, new = node.desks.keys.ring(), b"\5" * 16
    await node.desks.directory.renew_log(node.root, new, ring.kem().public, await node.log.head())
    evidence = await evidence_of(node)
    return replace(evidence, log_id=new, tip=None, selected=[])


async def test_a_renewed_log_is_sound_under_its_new_id_only(story: Story) -> None:
    evidence = await renewed(story)
    assert evidence.found() == []
    evidence.log_id = story.here.log_id
    assert (0, "log.id") in evidence.found()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"root": bytes(32)}, "log.renewed"),
        ({"size": 7}, "log.renewed"),
        ({"log_id": bytes(16)}, "event.contradiction"),
    ],
)
async def test_a_renewal_names_what_it_goes_on_from(story: Story, changes: dict[str, Any], code: str) -> None:
    evidence = await renewed(story)
    place = evidence.place(Directory.LogRenewed)
    evidence.rewrite(place, **changes)
    assert found_at(evidence, place) == {code}


def test_a_key_goes_with_its_officers_suspension(here: Evidence) -> None:
    place = here.place(Disclosure.Approved)
    *before, approved = here.events()[:place]
    statements = Statements(Counter())
    for event in before:
        statements.check(event)
    suspended = object.__new__(Officer.Suspended)
    vars(suspended).update(
        originator_id=UUID(hex=approved.by), originator_version=9, timestamp=approved.timestamp, by="0" * 32
    )
    statements.check(suspended)
    with pytest.raises(ProofError, match=r"approval\.no-key"):
        statements.check(approved)
