"""The officers of this node, their tokens and keys; and who the caller is."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rilon.api.access import Asking, Node, Once, needs
from rilon.api.pages import After, OfficerShown, show_officer
from rilon.api.requests import reads
from rilon.api.shapes import (
    AccountShown,
    CandidateShown,
    Enrolment,
    Invitation,
    Me,
    Placed,
    PublicKey,
    RoleChange,
    Signature,
    TokenOrder,
    TokenShown,
    Until,
    placed,
)
from rilon.domain.permissions import Action
from rilon.errors import RefusedError


@get("/me", opt=needs(Action.USE))
async def read_me(caller: Asking, services: Node) -> Me:
    """Say who this token is, and what it may do."""
    member = (await services.directory.current()).me
    actions = tuple(sorted(action for action in Action if caller.may(action)))
    return Me(member, caller.ref, tuple(sorted(caller.roles)), caller.agency, caller.desk, actions)


@post("/me/approval-key", status_code=200, opt=needs(Action.OFFER_KEY))
async def enrol_key(data: JSONBody[PublicKey], caller: Asking, services: Node, key: Once) -> Placed:
    """Offer the public half of an approval key of one's own; it counts once a second focal point has confirmed it."""
    return placed(await services.membership.enrol_key(UUID(hex=caller.ref), data.public_key, key))


@get("/officers", opt=needs(Action.SEE_OFFICERS), dependencies={"asked": reads(After)})
async def read_officers(asked: NamedDependency[After], caller: Asking, services: Node) -> list[OfficerShown]:
    """List the officers with their roles, keys and tokens; their names only to those who enrol."""
    await services.caught_up(asked.after)
    found = await services.views.officers()
    names = await services.membership.names(caller, [each.stream for each in found])
    return [show_officer(each, names.get(each.stream)) for each in found]


@post("/officers", opt=needs(Action.ENROL))
async def enrol(data: JSONBody[Enrolment], caller: Asking, services: Node, key: Once) -> Placed:
    """Enrol a person under a new opaque id."""
    return placed(await services.membership.enrol(caller, data.name, data.agency, data.desk, data.roles, key))


@post("/officers/{officer:uuid}/tokens", opt=needs(Action.ENROL))
async def make_token(
    officer: FromPath[UUID], data: JSONBody[TokenOrder], caller: Asking, services: Node, key: Once
) -> TokenShown:
    """Make a bearer token. Its text is in this answer and nowhere else."""
    made = await services.membership.issue_token(caller, officer, data.roles, data.days, key)
    return TokenShown(made.id, made.text, made.position)


@post("/officers/{officer:uuid}/invitations", opt=needs(Action.ENROL))
async def invite(officer: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Invitation:
    """Make a one-time link into the pages, with which an officer makes a passkey. It is in this answer only."""
    if not services.origin:
        fix = "Set http.origin in the node's configuration."
        raise RefusedError("pages.none", "This node has no pages.", fix=fix)
    made = await services.access.invite(caller, officer, key)
    return Invitation(officer, f"{services.origin}/join#{made.code}", made.expires_at, made.position)


@get("/officers/{officer:uuid}/accounts", opt=needs(Action.USE))
async def read_accounts(officer: FromPath[UUID], caller: Asking, services: Node) -> list[AccountShown]:
    """List an officer's accounts at the identity provider: one's own, or anybody's to who may see officers."""
    found = await services.accounts.accounts(caller, officer)
    return [AccountShown(each.id, each.bound_at) for each in found]


@delete("/officers/{officer:uuid}/accounts/{account:str}", status_code=200, opt=needs(Action.USE))
async def unbind_account(
    officer: FromPath[UUID], account: FromPath[str], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take an account away, and end what it opened: one's own, or anybody's by a focal point."""
    return placed(await services.accounts.unbind(caller, officer, account, key))


@delete("/officers/{officer:uuid}/tokens/{token:str}", status_code=200, opt=needs(Action.USE))
async def revoke_token(
    officer: FromPath[UUID], token: FromPath[str], caller: Asking, services: Node, key: Once
) -> Placed:
    """Revoke a token: one's own, or anybody's by a focal point. It ends with the next request."""
    return placed(await services.membership.revoke_token(caller, officer, token, key))


@post("/officers/{officer:uuid}/suspend", status_code=200, opt=needs(Action.ENROL))
async def suspend(officer: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Stop an officer's access at once, streams included, and take them off the published approvers."""
    return placed(await services.membership.suspend(caller, officer, key))


@post("/officers/{officer:uuid}/reinstate", status_code=200, opt=needs(Action.ENROL))
async def reinstate(officer: FromPath[UUID], caller: Asking, services: Node, key: Once) -> Placed:
    """Give a suspended officer access again."""
    return placed(await services.membership.reinstate(caller, officer, key))


@post("/officers/{officer:uuid}/roles", status_code=200, opt=needs(Action.ENROL))
async def grant_role(
    officer: FromPath[UUID], data: JSONBody[RoleChange], caller: Asking, services: Node, key: Once
) -> Placed:
    """Give an officer a role."""
    return placed(await services.membership.grant_role(caller, officer, data.role, key))


@post("/officers/{officer:uuid}/roles/revoke", status_code=200, opt=needs(Action.ENROL))
async def revoke_role(
    officer: FromPath[UUID], data: JSONBody[RoleChange], caller: Asking, services: Node, key: Once
) -> Placed:
    """Take a role away."""
    return placed(await services.membership.revoke_role(caller, officer, data.role, key))


@get("/officers/{officer:uuid}/confirmation", opt=needs(Action.CONFIRM))
async def read_candidate(officer: FromPath[UUID], caller: Asking, services: Node) -> CandidateShown:
    """Show who waits to become an approver: the roles and the key to compare by voice, and to sign."""
    found = await services.membership.candidate(caller, officer)
    return CandidateShown(found.member, found.officer, found.roles, found.key)


@post("/officers/{officer:uuid}/confirmation", status_code=200, opt=needs(Action.CONFIRM))
async def confirm(
    officer: FromPath[UUID], data: JSONBody[Signature], caller: Asking, services: Node, key: Once
) -> Placed:
    """Confirm an approver by one's own signature, as a focal point who neither enrolled them nor made their token."""
    return placed(await services.membership.confirm(caller, officer, data.approval, key))


@post("/officers/{officer:uuid}/call-upon", status_code=200, opt=needs(Action.CALL_UPON))
async def call_upon(
    officer: FromPath[UUID], data: JSONBody[Until], caller: Asking, services: Node, key: Once
) -> Placed:
    """Let a confirmed deputy decide in one's own place until a moment; again, until another one."""
    return placed(await services.membership.call_upon(caller, officer, data.until, key))


@delete("/officers/{officer:uuid}/call-upon/{principal:uuid}", status_code=200, opt=needs(Action.USE))
async def relieve(
    officer: FromPath[UUID], principal: FromPath[UUID], caller: Asking, services: Node, key: Once
) -> Placed:
    """End it before its time: by the deputy, or by any focal point."""
    return placed(await services.membership.relieve(caller, officer, principal, key))


HANDLERS = (
    read_me,
    call_upon,
    relieve,
    read_candidate,
    confirm,
    enrol_key,
    read_officers,
    enrol,
    make_token,
    invite,
    read_accounts,
    unbind_account,
    revoke_token,
    suspend,
    reinstate,
    grant_role,
    revoke_role,
)
