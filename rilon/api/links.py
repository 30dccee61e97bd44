"""The peers: whom this node trusts, and how the links do."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.link_shapes import BagBrought, BagShown, BagTaken, ForkShown, LinkHealth, LinkShown, ResetShown
from rilon.api.requests import MAX_BAG_BODY_BYTES
from rilon.api.shapes import Heard, Recorded, Signature, recorded
from rilon.app.directory_desk import fingerprint
from rilon.domain.directory import Book
from rilon.domain.peer_link import SIGNERS
from rilon.domain.permissions import Action
from rilon.domain.words import heard, words


@get("/links", opt=needs(Action.SEE_LINKS))
async def read_links(services: Node) -> list[LinkShown]:
    """List every peer with its standing, its fingerprint, and how the link does."""
    directory = await services.directory.current()
    told = (msgspec.convert(link, LinkHealth, from_attributes=True) for link in services.links())
    health = {link.peer: link for link in told}
    return [_show(directory, m, health.get(m)) for m in directory.others]


@post("/links/{member:str}/verify", status_code=200, opt=needs(Action.VERIFY_PEER))
async def verify_peer(
    member: FromPath[str], data: JSONBody[Heard], caller: Asking, services: Node, key: Once
) -> Recorded:
    """Confirm a peer whose fingerprint was compared by voice; from now on things are sealed to it."""
    return recorded(await services.directory.verify(caller, member, heard(data.words), key))


@post("/links/{member:str}/revoke", status_code=200, opt=needs(Action.VERIFY_PEER))
async def revoke_peer(member: FromPath[str], caller: Asking, services: Node, key: Once) -> Recorded:
    """Cut a peer off: nothing is sealed to it or accepted from it any more."""
    return recorded(await services.directory.revoke(caller, member, key))


@get("/links/{member:str}/reset", opt=needs(Action.VERIFY_PEER))
async def read_fork(member: FromPath[str], caller: Asking, services: Node) -> ForkShown:
    """Show why a link is frozen, and what a focal point signs to let it go on."""
    found = await services.link_desk.halted(caller, member)
    fork, (ours, theirs) = found.fork, found.fork.logs
    return ForkShown(
        found.member, fork.peer, fork.number, fork.code, ours, theirs, fork.evidence, found.signed, SIGNERS
    )


@post("/links/{member:str}/reset", status_code=200, opt=needs(Action.VERIFY_PEER))
async def reset_link(
    member: FromPath[str], data: JSONBody[Signature], caller: Asking, services: Node, key: Once
) -> ResetShown:
    """Let a frozen link go on: by the signatures of two focal points, whose own keys made them."""
    done = await services.link_desk.reset(caller, member, data.approval, key)
    return ResetShown(done.answer.decode(), done.position, done.repeated)


@get("/links/{member:str}/bag", opt=needs(Action.CARRY))
async def export_bag(member: FromPath[str], services: Node) -> BagShown:
    """Make a courier bag with all that a peer lacks, to be carried there by hand; it changes nothing, so make many."""
    return msgspec.convert(await services.export_bag(member), BagShown, from_attributes=True)


@post("/links/bag", status_code=200, opt=needs(Action.CARRY), request_max_body_size=MAX_BAG_BODY_BYTES)
async def import_bag(data: JSONBody[BagBrought], services: Node) -> BagTaken:
    """Take in a courier bag that was carried here; what it holds is taken once, however often it is brought."""
    return msgspec.convert(await services.import_bag(data.bag), BagTaken, from_attributes=True)


def _show(directory: Book, member: str, health: LinkHealth | None) -> LinkShown:
    spoken = words(fingerprint(directory.listing(member).identity.root))
    return LinkShown(member, directory.standing(member), spoken, health)


HANDLERS = (read_links, verify_peer, revoke_peer, read_fork, reset_link, export_bag, import_bag)
