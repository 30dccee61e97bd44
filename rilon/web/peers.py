"""The other nodes: how each link does and what was not believed; verified by voice, cut off, reset by two; bags."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from rilon.app.directory_desk import fingerprint
from rilon.app.link_words import LINK, unsound
from rilon.app.unit import Done, Key
from rilon.domain.permissions import Action
from rilon.domain.words import heard, words
from rilon.errors import NotFoundError
from rilon.front.services import Services
from rilon.web.bodies import no_form, one, read_form
from rilon.web.language import _, gettext
from rilon.web.render import AnyRequest, page, saved
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node
from rilon.web.words import member_name

MAX_BAG_BYTES: Final = 21 * 1024 * 1024
"""A bag at its largest (``rilon.network.bag``), and a little."""
RAW: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Unsound:
    """What a node sent that was not believed, for one reason."""

    sentence: str
    told: Any


@dataclass(frozen=True, slots=True)
class Peer:
    """Another Member's node, in a sentence; what was not believed of it, in more."""

    member: str
    standing: str
    state: str
    sentence: str
    health: Any
    refusals: list[Unsound]


@get("/network", opt=needs(Action.SEE_LINKS))
async def network(request: AnyRequest, services: Node) -> Response[str]:
    """Every other node: how far it is trusted, and how the link does."""
    directory, links = await services.directory.current(), _links(services)
    peers = []
    for member in directory.others:
        link, standing = links.get(member), directory.standing(member)
        state = str(link.state) if link else standing
        peers.append(Peer(member, standing, state, _sentence(link), link, _unsound(link)))
    well = sum(p.state == "open" for p in peers)
    return page(request, services, "network.html", peers=peers, well=well)


@get("/network/{member:str}", opt=needs(Action.SEE_LINKS))
async def peer(member: FromPath[str], request: AnyRequest, services: Node) -> Response[str]:
    """One of them: what went to it and came from it, what was not believed, and what may be done about it."""
    directory = await services.directory.current()
    if member == directory.me:
        raise NotFoundError
    directory.listing(member)
    link = _links(services).get(member)
    return page(
        request,
        services,
        "peer.html",
        member=member,
        standing=directory.standing(member),
        health=link,
        sentence=_sentence(link),
        refusals=_unsound(link),
        own_words=words(fingerprint(directory.own.identity.root)),
        once=secrets.token_hex(16),
    )


@post("/network/{member:str}/verify", status_code=303, opt=needs(Action.VERIFY_PEER))
async def verify(member: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Confirm a node whose words were compared by voice."""
    form = await read_form(request)
    said = one(form, "words")
    key = _key(services, request, form, said)
    return await _done(
        services, member, await services.directory.verify(caller_of(request), member, heard(said), key), "verified"
    )


@post("/network/{member:str}/revoke", status_code=303, opt=needs(Action.VERIFY_PEER))
async def revoke(member: FromPath[str], request: AnyRequest, services: Node) -> Redirect:
    """Cut a node off."""
    key = _key(services, request, await read_form(request))
    return await _done(services, member, await services.directory.revoke(caller_of(request), member, key), "revoked")


@post("/network/{member:str}/bag", status_code=200, opt=needs(Action.CARRY))
async def export_bag(member: FromPath[str], request: AnyRequest, services: Node) -> Response[bytes]:
    """A courier bag with all that a node lacks, as a file; it changes nothing."""
    await read_form(request)
    made: Any = await services.export_bag(member)
    return saved(f"rilon-{services.me}-to-{made.member}.bag", made.bag, RAW)


@post("/bags", status_code=200, opt=needs(Action.CARRY), request_max_body_size=MAX_BAG_BYTES)
async def import_bag(request: AnyRequest, services: Node) -> dict[str, str]:
    """Take in a bag that was carried here, and say what to carry back."""
    if request.content_type[0] != RAW:
        raise no_form()
    told: Any = await services.import_bag(b"".join([chunk async for chunk in request.stream()]))
    return {"say": _said(told.says, told.member, _links(services).get(told.member))}


def _links(services: Services) -> dict[str, Any]:
    return {getattr(link, "peer", ""): link for link in services.links()}


def _sentence(link: Any) -> str:
    """How a link does, in the reader's language."""
    return _said(link.says, link.peer, link) if link else _("Nothing is known of the link.")


def _said(code: str, member: str, link: Any) -> str:
    facts = {name: getattr(link, name, "") for name in ("sent", "waiting", "reason")}
    return gettext(LINK[code]) % (facts | {"peer": member_name(member)})


def _unsound(link: Any) -> list[Unsound]:
    """What it sent that was not believed, the newest first."""
    refusals = link.refusals if link else ()
    return [Unsound(gettext(unsound(told.code)) % {"peer": member_name(link.peer)}, told) for told in refusals]


def _key(services: Services, request: AnyRequest, form: dict[str, list[str]], meaning: str = "") -> Key:
    return services.key(caller_of(request), one(form, "once"), "POST", request.url.path, meaning.encode())


async def _done(services: Services, member: str, done: Done, what: str) -> Redirect:
    await services.caught_up(done.position)
    return Redirect(f"/network/{member}?done={what}", status_code=303)


HANDLERS = (network, peer, verify, revoke, export_bag, import_bag)
