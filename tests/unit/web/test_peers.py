"""The other nodes on pages: verified by the words that were heard, cut off, reset by two, and carried to by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import escape

from rilon.app.directory_desk import fingerprint
from rilon.app.link_words import LINK, NO_SOUND_NODE, UNSOUND, UNSOUND_KINDS, Says, unsound
from rilon.domain.values import Role
from rilon.domain.words import words
from rilon.errors import MalformedError
from rilon.network.health import LinkHealth, LinkState, Refusal
from rilon.web.language import ENGLISH, LANGUAGES, messages
from tests.nodes import introduce, memory_node
from tests.web import SAME, pages

SCRIPT = "<script>alert(1)</script>"
RAW = {"content-type": "application/octet-stream"}


@dataclass
class Filled:
    """What a courier makes of a bag."""

    member: str = "my"
    bag: bytes = b"RILON bag 1\n"
    says: str = Says.ANSWER
    sentence: str = "Carry the answer back: rilon link export my"


async def fill(_: str) -> object:
    return Filled()


async def take(raw: bytes) -> object:
    if raw != Filled.bag:
        raise MalformedError("bag.form", "This is no courier bag that this node can read.", field="bag")
    return Filled()


def health(state: LinkState, says: Says, *codes: str) -> LinkHealth:
    refusals = tuple(Refusal(code, 3, datetime(2026, 5, 3, tzinfo=UTC), "For programs.") for code in codes)
    counts: dict[str, Any] = dict.fromkeys(("sent", "receipted", "waiting", "received", "refused", "rejected"), 7)
    return LinkHealth(
        "my", state, **counts, receipt_age_s=None, reason=SCRIPT, says=says, sentence=SCRIPT, refusals=refusals
    )


async def test_a_node_is_verified_by_the_words_that_were_heard_and_cut_off() -> None:
    async with pages() as node:
        focal, admin, officer = (
            await node.signed_in(Role.FOCAL_POINT),
            await node.signed_in(Role.ADMINISTRATOR),
            await node.signed_in(),
        )
        other = await memory_node("my", seed=1)
        await introduce(node.node, other, verify=False)
        directory = await node.services.directory.current()
        said = " ".join(words(fingerprint(directory.listing("my").identity.root)))
        shown = (await focal.get("/network/my")).text
        assert "These are its words" in shown
        assert said not in shown, "who compares hears them; the page does not tell them"
        assert " ".join(words(fingerprint(directory.own.identity.root))) in shown
        assert "These are its words" not in (await admin.get("/network/my")).text
        wrong = said.replace(said.split()[0], said.split()[1])
        assert (await focal.form("/network/my/verify", words=wrong, once="1")).is_client_error
        done = await focal.form("/network/my/verify", words=said.upper(), once="2")
        assert done.headers["location"] == "/network/my?done=verified", done.text
        for who in (admin, officer):
            for act in ("verify", "revoke", "reset"):
                assert (await who.form(f"/network/my/{act}", words=said, once="x")).status_code == 403
        assert (await focal.form("/network/my/revoke", once="3")).status_code == 303
        assert "Cut off" in (await focal.get("/network/my")).text
        for absent in ("th", "zz", "atlantis"):
            assert (await focal.get(f"/network/{absent}")).status_code == 404


async def test_what_was_not_believed_is_said_and_bags_go_by_hand() -> None:
    links = lambda: [health(LinkState.FROZEN, Says.FROZEN, "frame.seal")]  # noqa: E731
    async with pages(knows=("my",), links=links, export_bag=fill, import_bag=take) as node:
        focal, admin = await node.signed_in(Role.FOCAL_POINT), await node.signed_in(Role.ADMINISTRATOR)
        shown = (await focal.get("/network/my")).text
        assert "Malaysia sent frames that are altered, or made for another key, log or world." in shown
        assert "Our log and that of Malaysia contradict each other (&lt;script&gt;" in shown
        assert "<script>alert" not in shown
        assert "/network/my/frozen" in shown
        assert "/network/my/frozen" not in (await admin.get("/network/my")).text
        bag = await admin.form("/network/my/bag", once="b")
        assert bag.content == Filled.bag
        assert bag.headers["content-disposition"] == 'attachment; filename="rilon-th-to-my.bag"'
        taken = await admin.http.post("/bags", content=Filled.bag, headers=SAME | RAW)
        assert taken.json() == {"say": "Carry the answer back: make a courier bag for Malaysia."}
        for content, headers, status in (
            (b"x", SAME | RAW, 400),
            (Filled.bag, RAW, 403),
            (Filled.bag, SAME, 400),
            (b"x" * (22 << 20), SAME | RAW, 413),
        ):
            assert (await admin.http.post("/bags", content=content, headers=headers)).status_code == status
        assert (await (await node.signed_in()).http.post("/bags", content=b"x", headers=SAME | RAW)).status_code == 403


async def test_how_a_link_does_is_said_in_the_language_of_the_reader() -> None:
    links: list[LinkHealth] = []
    async with pages(knows=("my",), links=lambda: links) as node:
        admin = await node.signed_in(Role.ADMINISTRATOR)
        facts = {"peer": "Malaysia", "sent": 7, "waiting": 7, "reason": SCRIPT}
        for says in Says:
            state = LinkState(says) if says in set(LinkState) else LinkState.OPEN
            links[:] = [health(state, says, "release.origin", "never.heard")]
            for path in ("/network", "/network/my"):
                shown = (await admin.get(path, **{"accept-language": "id"})).text
                for sentence in (LINK[says], unsound("release.origin"), NO_SOUND_NODE):
                    assert str(escape(messages("id")[sentence].string % facts)) in shown
                    assert str(escape(sentence % facts)) not in shown
                assert "For programs." not in shown


def test_every_code_of_a_link_has_a_sentence_in_every_language() -> None:
    said = (*(LINK[each] for each in Says), *UNSOUND.values(), *UNSOUND_KINDS.values(), NO_SOUND_NODE)
    lacking = [(code, text) for code in LANGUAGES if code != ENGLISH for text in said if text not in messages(code)]
    assert lacking == []
    assert unsound("release.new") == UNSOUND_KINDS["release"]
    assert unsound("never.heard") == NO_SOUND_NODE


async def test_keys_are_shown_with_their_end_and_no_key_is() -> None:
    async with pages() as node:
        admin, officer = await node.signed_in(Role.ADMINISTRATOR), await node.signed_in()
        await node.services.epochs.settle()
        first = node.services.keys.ring().kem().kid.hex()
        await node.services.epochs.rotate()
        said = (await admin.get("/keys")).text
        assert said.count("In force") == 1
        assert said.count("Goes by") == 1
        assert f"…{first[-8:]}" in said
        assert first not in said
        assert "180 days" in said
        assert (await officer.get("/keys")).status_code == 403
