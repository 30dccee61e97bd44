"""Every command over HTTP: what it answers, what the approver can check, and that it is done once."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec

from rilon.crypto import release, strict
from rilon.crypto.approval import reset_digest
from rilon.crypto.keys import SigningKey
from rilon.domain.alert import Alert
from rilon.domain.book_file import parse_book
from rilon.domain.disclosure import Disclosure
from rilon.domain.holding import Holding
from rilon.domain.values import Role
from rilon.domain.words import words
from tests.api import ApiNode, Client, api_of
from tests.nodes import acquaint, draft_of, introduce, memory_node, pump


@dataclass
class Pair:
    """Thailand and Indonesia, each with its API."""

    th: ApiNode
    id: ApiNode

    async def carry(self) -> None:
        assert set(await pump(self.th.node, self.id.node)) <= {""}
        assert set(await pump(self.id.node, self.th.node)) <= {""}


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    here, there = await memory_node("th"), await memory_node("id", seed=1)
    await acquaint(here, there)
    async with api_of(here) as th, api_of(there) as id_:
        yield Pair(th, id_)


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def approval(client: Client, shown: dict[str, Any]) -> dict[str, str]:
    """What an approver's own program makes of the answer: check that these are all grants, then sign the body."""
    body = release.read_body(b64decode(shown["body"]))
    assert release.body_digest(body) == b64decode(shown["digest"])
    grants = {g["position"]: b64decode(g["grant"]) for g in shown["grants"].values()}
    assert {g.recipient for g in release.verify_grants(body, grants, b64decode(shown["seed"]))} == set(shown["grants"])
    assert client.who.key is not None
    signed = strict.encode(client.who.key.approve(body, b"\6" * 32))
    return {"approval": b64encode(signed).decode()}


async def test_the_main_job_over_http() -> None:
    async with pair() as p:
        author, focal, reader = await p.th.client(), await p.th.approver(), await p.id.client()
        draft = draft_of("TIP-RECRUIT", "id")
        preview = ok(await author.post("/v1/alerts/preview", draft, key=None))
        assert preview["recipients"] == ["id"]
        assert {c["effect"] for c in preview["cells"]} == {"ask"}
        assert all(f["because"] for c in preview["cells"] for f in c["findings"])

        item = ok(await author.post("/v1/alerts", draft), 201)["id"]
        assert (await author.get(f"/v1/approvals/{item}")).status_code == 403
        shown = ok(await focal.get(f"/v1/approvals/{item}"))
        assert [(c["recipient"], c["sensitivity"]) for c in shown["cells"]] == [
            (c["recipient"], c["sensitivity"]) for c in preview["cells"]
        ]
        assert shown["approvers"] == 1
        decided = ok(await focal.post(f"/v1/approvals/{item}/approve", approval(focal, shown)))
        assert (decided["item"], decided["outcome"]) == (item, "released")
        await p.carry()

        at = f"/v1/items/th/{item}"
        opened = ok(await reader.post(f"{at}/open", {"sensitivity": "nominal", "purpose": "identify_victim"}, key=None))
        assert opened["fields"].keys() <= draft.fields.keys()
        assert opened["position"] == (await p.id.node.log.head()).size
        ok(await reader.post(f"{at}/acknowledge"))
        ok(await reader.post(f"{at}/reply", {"kind": "reply.sighting", "text": "Seen at a fictional pier."}))
        await p.carry()

        ok(await author.call("PUT", f"/v1/alerts/{item}", draft))
        ok(await author.post(f"/v1/alerts/{item}/withdraw", {"reason": "It was a drill."}))
        again = await author.post(f"/v1/alerts/{item}/close", {"outcome": "done"})
        assert (again.status_code, again.json()["type"]) == (409, "urn:rilon:alert.withdrawn")
        await p.carry()
        assert [type(e).__name__ for e in await p.id.node.events() if isinstance(e, Holding.Event)][-2:] == [
            "Superseded",
            "Ended",
        ]


async def test_a_cut_is_read_and_signed_anew() -> None:
    async with pair() as p:
        author, focal = await p.th.client(), await p.th.approver()
        item = ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
        before = ok(await focal.get(f"/v1/approvals/{item}"))
        cut = await focal.post(f"/v1/approvals/{item}/cut", {"keep": [["id", "summary"]]})
        assert ok(cut)["outcome"] == "waiting"
        stale = await focal.post(f"/v1/approvals/{item}/approve", approval(focal, before))
        assert stale.status_code in {409, 422}
        after = ok(await focal.get(f"/v1/approvals/{item}"))
        assert [(c["recipient"], c["sensitivity"]) for c in after["cells"]] == [("id", "summary")]
        assert ok(await focal.post(f"/v1/approvals/{item}/approve", approval(focal, after)))["outcome"] == "released"
        await p.carry()
        reader = await p.id.client()
        purpose = {"sensitivity": "nominal", "purpose": "identify_victim"}
        assert (await reader.post(f"/v1/items/th/{item}/open", purpose, key=None)).status_code == 404


async def test_a_deputy_decides_while_a_focal_point_calls_upon_them() -> None:
    async with pair() as p:
        author, focal = await p.th.client(), await p.th.approver(Role.OFFICER, Role.FOCAL_POINT)
        deputy = await p.th.approver(Role.OFFICER, Role.DEPUTY)
        item = ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
        theirs = ok(await focal.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
        assert (await deputy.get(f"/v1/approvals/{item}")).status_code == 403
        until = {"until": (p.th.node.clock.at + timedelta(hours=12)).isoformat()}
        called = f"/v1/officers/{deputy.who.id}/call-upon"
        assert (await author.post(called, until)).status_code == 403
        ok(await focal.post(called, until))
        shown = ok(await deputy.get(f"/v1/approvals/{theirs}"))
        by_way = await deputy.post(f"/v1/approvals/{theirs}/approve", approval(deputy, shown))
        assert (by_way.status_code, by_way.json()["type"]) == (403, "urn:rilon:disclosure.own-item-by-deputy")
        shown = ok(await deputy.get(f"/v1/approvals/{item}"))
        assert ok(await deputy.post(f"/v1/approvals/{item}/approve", approval(deputy, shown)))["outcome"] == "released"
        (signed,) = [e for e in await p.th.node.events() if isinstance(e, Disclosure.Approved)]
        assert (signed.by, signed.principal) == (deputy.who.caller.ref, focal.who.caller.ref)
        await p.carry()
        for whom in (deputy, focal):
            assert (await deputy.post(f"/v1/officers/{whom.who.id}/call-upon", until)).status_code == 403
        ok(await deputy.call("DELETE", f"{called}/{focal.who.id}"))
        assert (await deputy.get(f"/v1/approvals/{theirs}")).status_code == 403
        assert (await focal.call("DELETE", f"{called}/{focal.who.id}")).status_code == 404
        ok(await focal.post(called, until))
        p.th.node.clock.forward(hours=12)
        assert (await deputy.get(f"/v1/approvals/{theirs}")).status_code == 403


async def test_returned_refused_reviewed() -> None:
    async with pair() as p:
        author, focal = await p.th.client(), await p.th.approver()
        one, two = [ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"] for _ in range(2)]
        returned = await focal.post(f"/v1/approvals/{one}/return", {"comment": "Name the place."})
        refused = await focal.post(f"/v1/approvals/{two}/refuse", {"reason": "Not ours to tell."})
        assert (ok(returned)["outcome"], ok(refused)["outcome"]) == ("returned", "refused")
        assert (await focal.get(f"/v1/approvals/{one}")).status_code == 409
        glass = ok(await author.post("/v1/alerts", draft_of("MAR-DISTRESS", "id", handling={"tlp": "TLP:AMBER"})), 201)
        reviewed = await focal.post(f"/v1/approvals/{glass['id']}/review", {"sound": True})
        assert ok(reviewed)["outcome"] == "reviewed"


async def test_the_author_reads_why_and_nobody_else_does() -> None:
    async with pair() as p:
        author, colleague, focal = await p.th.client(), await p.th.client(), await p.th.approver()
        item = ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
        path = f"/v1/alerts/{item}/disclosure"
        assert (ok(await author.get(path))["state"], ok(await author.get(path))["words"]) == ("waiting", None)
        ok(await focal.post(f"/v1/approvals/{item}/return", {"comment": "Name the place."}))
        said = {"item": item, "state": "returned", "words": "Name the place.", "review_due": False}
        told = said | {"holders": [], "awaited": []}
        assert ok(await author.get(path)) == ok(await focal.get(path)) == told
        hidden, absent = [await colleague.get(f"/v1/alerts/{i}/disclosure") for i in (item, UUID(int=5))]
        assert (hidden.status_code, hidden.content) == (404, absent.content)
        ok(await author.call("PUT", f"/v1/alerts/{item}", draft_of("TIP-RECRUIT", "id")))
        assert (ok(await author.get(path))["state"], ok(await author.get(path))["words"]) == ("waiting", None)
        for repeated in (False, True):
            reason = {"reason": "Not ours to tell."}
            refused = ok(await focal.post(f"/v1/approvals/{item}/refuse", reason, key="refuse-it-once"))
            assert (refused["outcome"], refused["repeated"]) == ("refused", repeated)
        assert ok(await author.get(path))["words"] == "Not ours to tell."
        said = (await p.th.node.disclosure(UUID(item))).said
        assert said is not None
        await p.th.node.desks.vault.erase([said.slot])
        assert (ok(await author.get(path))["state"], ok(await author.get(path))["words"]) == ("refused", None)


async def test_an_approval_is_the_approvers_own_and_a_token_alone_never_is_one() -> None:
    async with pair() as p:
        author, focal, other = await p.th.client(), await p.th.approver(), await p.th.approver()
        item = ok(await author.post("/v1/alerts", draft_of("TIP-RECRUIT", "id")), 201)["id"]
        shown = ok(await focal.get(f"/v1/approvals/{item}"))
        for given in (approval(other, shown), {"approval": ""}, {"approval": b64encode(b"x" * 64).decode()}):
            answer = await focal.post(f"/v1/approvals/{item}/approve", given)
            assert answer.status_code in {400, 422}, answer.text
        assert not [e for e in await p.th.node.events() if isinstance(e, Disclosure.Approved)]


async def test_a_repeated_command_gets_its_first_answer_and_other_words_get_a_conflict() -> None:
    async with pair() as p:
        author, colleague = await p.th.client(), await p.th.client()
        draft: dict[str, Any] = msgspec.to_builtins(draft_of("TIP-RECRUIT", "id"))
        first = ok(await author.post("/v1/alerts", draft, key="the-same-key"), 201)
        size = (await p.th.node.log.head()).size
        reordered = dict(reversed(draft.items()))
        assert ok(await author.post("/v1/alerts", reordered, key="the-same-key"), 201) == first | {
            "position": size,
            "repeated": True,
        }
        other = await author.post("/v1/alerts", draft | {"onward": "no"}, key="the-same-key")
        assert (other.status_code, other.json()["type"]) == (409, "urn:rilon:command.key-reused")
        elsewhere = await author.post(f"/v1/alerts/{first['id']}/close", {"outcome": "done"}, key="the-same-key")
        assert elsewhere.json()["type"] == "urn:rilon:command.key-reused"
        assert (await p.th.node.log.head()).size == size
        theirs = ok(await colleague.post("/v1/alerts", draft, key="the-same-key"), 201)
        assert theirs["id"] != first["id"]
        assert len([e for e in await p.th.node.events() if isinstance(e, Alert.Posted)]) == 2


async def test_a_key_belongs_to_one_path_and_method() -> None:
    async with pair() as p:
        focal, one, other = await p.th.approver(), await p.th.client(), await p.th.client()
        ok(await focal.post(f"/v1/officers/{one.who.id}/suspend", key="the-same-key"))
        for path in (f"/v1/officers/{other.who.id}/suspend", f"/v1/officers/{one.who.id}/reinstate"):
            answer = await focal.post(path, key="the-same-key")
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:rilon:command.key-reused")
        assert (await other.get("/v1/me")).status_code == 200


async def test_no_key_and_no_request_can_be_guessed_from_the_log() -> None:
    """The command's id and the request's digest are HMACs: two nodes have different ones for the same words."""
    async with pair() as p:
        for api in (p.th, p.id):
            ok(await (await api.approver()).post("/v1/rules/draft", await next_book(api), key="the-same-key"), 201)
        stored = [
            {r.state for r in api.node.log._rows if r.topic == "rilon.command.answered.1"} for api in (p.th, p.id)
        ]
        assert not stored[0] & stored[1]


async def next_book(api: ApiNode) -> dict[str, Any]:
    book = ok(await (await api.client()).get("/v1/rules"))
    return {"after": book["book"]["version"], "text": book["text"]}


async def twice(client: Client, path: str, body: dict[str, Any]) -> httpx.Response:
    """Send a command twice under one key: what was done is told again, as repeated."""
    key = str(uuid4())
    first, again = await client.post(path, body, key=key), await client.post(path, body, key=key)
    if first.is_success:
        assert again.json() == first.json() | {"repeated": True}
    return first


async def sign_rules(focal: Client) -> httpx.Response:
    """Have a focal point sign the draft that waits."""
    book = parse_book(ok(await focal.get("/v1/rules/draft"))["text"].encode(), "th", 2)
    given = b64encode(focal.who.sign_rules(book)).decode()
    body = {"draft": b64encode(book.digest).decode(), "approval": given}
    return await twice(focal, "/v1/rules/draft/signature", body)


async def test_a_rule_book_is_drafted_checked_tried_and_signed_by_two() -> None:
    async with pair() as p:
        one, two, officer = await p.th.approver(), await p.th.approver(), await p.th.client()
        book = await next_book(p.th)
        book["text"] = book["text"].replace("anyone may have the summary", "all may have the summary")
        assert ok(await officer.post("/v1/rules/check", {"text": book["text"]})) == {"problems": []}
        assert (await officer.post("/v1/rules/draft", book)).status_code == 403
        assert (await one.get("/v1/rules/draft")).status_code == 404
        ok(await one.post("/v1/rules/draft", book), 201)
        waiting = ok(await officer.get("/v1/rules/draft"))
        assert (waiting["by"], waiting["signed_by"], waiting["book"]["version"]) == (one.who.caller.ref, [], 2)
        tried = ok(await two.post("/v1/rules/simulate", {"since": "2020-01-01T00:00:00Z"}))
        assert (tried["disclosures"], tried["changed"], tried["cells"]) == (0, 0, [])
        assert ok(await sign_rules(one), 201)["outcome"] == "waiting"
        assert (await sign_rules(one)).json()["type"] == "urn:rilon:rulebook.second-person"
        assert ok(await sign_rules(two), 201)["outcome"] == "published"
        assert "all may have the summary" in ok(await officer.get("/v1/rules"))["text"]
        assert "anyone may have the summary" in ok(await officer.get("/v1/rules?version=1"))["text"]
        assert (await officer.get("/v1/rules?version=3")).status_code == 404
        late = await one.post("/v1/rules/draft", book)
        assert (late.status_code, late.json()["type"]) == (409, "urn:rilon:rulebook.version")
        ok(await one.post("/v1/rules/draft", {"text": book["text"]}), 201)
        ok(await two.call("DELETE", "/v1/rules/draft"))
        assert (await two.call("DELETE", "/v1/rules/draft")).status_code == 404


async def test_what_was_taken_away_is_told_again_under_its_key_and_is_not_there_under_another() -> None:
    async with pair() as p:
        focal, deputy, officer = await p.th.approver(), await p.th.approver(Role.DEPUTY), await p.th.client()
        until = {"until": (p.th.node.clock.at + timedelta(hours=12)).isoformat()}
        ok(await focal.post(f"/v1/officers/{deputy.who.id}/call-upon", until))
        team = ok(await focal.post("/v1/teams", {"name": "Fictional night watch"}), 201)["id"]
        member = f"/v1/teams/{team}/members/{officer.who.id}"
        ok(await focal.post(f"/v1/teams/{team}/members", {"officer": officer.who.caller.ref}))
        ok(await focal.post("/v1/rules/draft", await next_book(p.th)), 201)
        relieved = f"/v1/officers/{deputy.who.id}/call-upon/{focal.who.id}"
        token = f"/v1/officers/{officer.who.id}/tokens/{officer.token_id}"
        for n, path in enumerate((relieved, token, member, f"/v1/teams/{team}", "/v1/rules/draft")):
            assert (await focal.call("DELETE", path, key=None)).json()["type"] == "urn:rilon:idempotency.missing"
            first = ok(await focal.call("DELETE", path, key=f"take-away-{n}"))
            size = (await p.th.node.log.head()).size
            again = ok(await focal.call("DELETE", path, key=f"take-away-{n}"))
            assert (first["repeated"], again) == (False, first | {"repeated": True}), path
            assert (await focal.call("DELETE", path)).status_code == 404, path
            assert (await p.th.node.log.head()).size == size


async def test_what_is_wrong_with_a_rule_file_is_told_with_its_line() -> None:
    async with pair() as p:
        focal = await p.th.approver()
        text = (await next_book(p.th))["text"]
        broad = text + '\n[[rule]]\nid = "all"\neffect = "refuse"\nbecause = "Nothing goes."\n'
        (*_, last) = ok(await focal.post("/v1/rules/check", {"text": broad}))["problems"]
        assert (last["code"], last["field"].startswith("line ")) == ("rules.shadowed", True)
        refused = await focal.post("/v1/rules/draft", {"text": broad})
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:rilon:invalid.several")
        twice = await focal.post("/v1/rules/draft", {"text": text + text})
        assert twice.json()["type"] == "urn:rilon:invalid.several"
        broken = await focal.post("/v1/rules/draft", {"text": "[[rule]\n"})
        assert (broken.status_code, broken.json()["field"]) == (400, "line 1")
        ended = await focal.post("/v1/rules/agreements/none/end")
        assert ended.status_code == 404


async def test_a_peer_is_verified_by_its_words_and_cut_off() -> None:
    here, there = await memory_node("th"), await memory_node("my", seed=2)
    await introduce(here, there, verify=False)
    async with api_of(here) as api:
        focal = await api.approver()
        (link,) = ok(await focal.get("/v1/links"))
        assert (link["member"], link["standing"], len(link["words"])) == ("my", "unverified", 16)
        wrong = await focal.post("/v1/links/my/verify", {"words": " ".join(words(bytes(32)))})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:rilon:directory.fingerprint")
        ok(await focal.post("/v1/links/my/verify", {"words": " ".join(w[:4].upper() for w in link["words"])}))
        assert ok(await focal.get("/v1/links"))[0]["standing"] == "verified"
        ok(await focal.post("/v1/links/my/revoke"))
        assert ok(await focal.get("/v1/links"))[0]["standing"] == "revoked"
        assert (await focal.post("/v1/links/zz/revoke")).status_code == 404


async def test_an_officer_is_enrolled_given_a_token_a_role_and_a_key() -> None:
    async with pair() as p:
        focal = await p.th.approver()
        person = {"name": "Fictional Newcomer", "agency": "navy", "desk": "d1", "roles": ["officer"]}
        made = ok(await focal.post("/v1/officers", person, key="enrol-her-once"), 201)
        assert ok(await focal.post("/v1/officers", person, key="enrol-her-once"), 201)["id"] == made["id"]
        order = {"roles": ["officer"], "days": 7}
        token = ok(await focal.post(f"/v1/officers/{made['id']}/tokens", order, key="token-her-once"), 201)
        again = await focal.post(f"/v1/officers/{made['id']}/tokens", order, key="token-her-once")
        assert (again.status_code, again.json()["type"]) == (409, "urn:rilon:token.shown-once")
        she = Client(p.th.http, None, token["token"])
        me = ok(await she.get("/v1/me"))
        assert UUID(me["officer"]) == UUID(made["id"])
        assert (me["agency"], me["desk"], me["roles"]) == ("navy", "d1", ["officer"])

        own = await focal.post(f"/v1/officers/{focal.who.id}/roles", {"role": "protection"})
        assert (own.status_code, own.json()["type"]) == (403, "urn:rilon:officer.own")
        ok(await focal.post(f"/v1/officers/{made['id']}/roles", {"role": "focal_point"}))
        order["roles"] = ["focal_point"]
        token = ok(await focal.post(f"/v1/officers/{made['id']}/tokens", order), 201)
        she = Client(p.th.http, None, token["token"])
        key = SigningKey.from_seed(b"\7" * 64).public.raw
        ok(await she.post("/v1/me/approval-key", {"public_key": b64encode(key).decode()}))
        short = await she.post("/v1/me/approval-key", {"public_key": b64encode(key[:-1]).decode()})
        assert short.json()["type"] == "urn:rilon:body.value"
        ok(await focal.post(f"/v1/officers/{made['id']}/roles/revoke", {"role": "focal_point"}))
        assert (await she.get("/v1/me")).status_code == 403, "a token for a role that is gone is good for nothing"


async def test_what_a_reader_may_not_have_is_told_like_what_is_not_there() -> None:
    """Absent, for another desk, not for this purpose, erased, ended: the same bytes, headers and steps."""
    async with pair() as p:
        author, focal = await p.th.client(), await p.th.approver()
        reader, stranger = await p.id.client(), await p.id.client(desk="other")
        draft = draft_of("TIP-RECRUIT", "id", audience={"members": ["id"], "readers": ["desk:duty"]})
        item = ok(await author.post("/v1/alerts", msgspec.convert(draft, type(draft))), 201)["id"]
        ok(
            await focal.post(
                f"/v1/approvals/{item}/approve", approval(focal, ok(await focal.get(f"/v1/approvals/{item}")))
            )
        )
        await p.carry()
        opening = {"sensitivity": "summary", "purpose": "identify_victim"}
        ok(await reader.post(f"/v1/items/th/{item}/open", opening, key=None))
        asked = [
            (stranger, "th", item, opening),
            (reader, "th", str(UUID(int=5)), opening),
            (reader, "my", item, opening),
            (reader, "id", item, opening),
            (reader, "TH", item, opening),
            (reader, "th", item, opening | {"sensitivity": "victim"}),
            (reader, "th", item, opening | {"sensitivity": "source"}),
        ]
        answers = [await who.post(f"/v1/items/{o}/{i}/open", what, key=None) for who, o, i, what in asked]
        for path, body in (("acknowledge", None), ("reply", {"kind": "reply.hit", "text": "Yes."})):
            answers += [await who.post(f"/v1/items/{o}/{i}/{path}", body) for who, o, i, _ in asked[:5]]
        p.id.node.clock.forward(days=4000)
        reader = await p.id.with_token(reader.who)
        answers.append(await reader.post(f"/v1/items/th/{item}/open", opening, key=None))
        assert {a.status_code for a in answers} == {404}
        assert len({a.content for a in answers}) == 1
        assert len({tuple(sorted(a.headers.items())) for a in answers}) == 1


async def test_a_frozen_link_goes_on_when_two_focal_points_say_so() -> None:
    here = await memory_node("th")
    await introduce(here, await memory_node("my", seed=2))
    async with api_of(here) as api:
        one, two = await api.approver(), await api.approver()
        assert (await one.get("/v1/links/my/reset")).status_code == 409
        await api.node.desks.links.frozen("my", "link.fork", b"evidence")
        assert (await one.post("/v1/links/my/reset")).status_code == 422, "a token is no signature"

        async def sign(who: Client) -> httpx.Response:
            shown = ok(await who.get("/v1/links/my/reset"))
            ours, theirs, evidence = (b64decode(shown[name]) for name in ("ours", "theirs", "evidence"))
            digest = reset_digest(
                shown["member"], shown["peer"], shown["number"], shown["code"], (ours, theirs), evidence
            )
            return await twice(who, "/v1/links/my/reset", {"approval": b64encode(who.who.consent(digest)).decode()})

        assert ok(await sign(one))["outcome"] == "waiting"
        assert (await sign(one)).status_code == 403
        assert ok(await sign(two))["outcome"] == "reset"
        assert (await one.get("/v1/links/my/reset")).status_code == 409
