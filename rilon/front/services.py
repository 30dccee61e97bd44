"""What API and pages ask of the node. The composition root fills it in; tests fill it with desks over fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rilon.app.access_desk import AccessDesk
from rilon.app.alert_desk import AlertDesk
from rilon.app.attachment_desk import AttachmentDesk
from rilon.app.circle_desk import CircleDesk
from rilon.app.deadlines import Deadlines
from rilon.app.deeds import Deeds
from rilon.app.directory_desk import DirectoryDesk
from rilon.app.disclosure_desk import DisclosureDesk
from rilon.app.explain_desk import ExplainDesk
from rilon.app.keys_desk import KeysDesk
from rilon.app.link_desk import LinkDesk
from rilon.app.membership_desk import MembershipDesk
from rilon.app.onward_desk import OnwardDesk
from rilon.app.ports import Clock, EventLog, Keys, Provider
from rilon.app.provider_desk import ProviderDesk
from rilon.app.reach_desk import ReachDesk
from rilon.app.reading_desk import ReadingDesk
from rilon.app.recall_desk import RecallDesk
from rilon.app.rules_desk import RulesDesk
from rilon.app.summaries import Summaries
from rilon.app.tasks import Tasks
from rilon.app.team_desk import TaskDesk, TeamDesk
from rilon.app.unit import Key
from rilon.crypto import labels
from rilon.crypto.release import Approval
from rilon.domain.base import natural_id
from rilon.domain.permissions import Caller
from rilon.errors import FatalError, InvalidError, UnavailableError
from rilon.front.notifier import Notifier
from rilon.front.replays import Replays
from rilon.front.views import Views


def no_courier() -> Sequence[object]:
    """The links of a process without a courier."""
    return ()


async def no_bags(_: object) -> object:
    """The courier bags of a process without a courier. Raises UnavailableError."""
    raise UnavailableError("link.no-courier", "No courier runs here.")


class SoftKeys(Protocol):
    """Keys beside the node that sign in people's stead: for a demo on this machine, and nothing else."""

    async def make(self, officer: str) -> bytes:
        """The public half of this person's key, made now if there is none."""

    async def consent(self, officer: str, digest: bytes) -> Approval | None:
        """Their consent to what has this digest; None: they have no key here."""


Check = Callable[[], Awaitable[str]]
"""Looks whether a part of the node works: "" when it does, else one sentence for the operator."""


def _ignore(_: FatalError) -> None:
    """Somebody else stops this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything behind the API.

    Attributes:
        me: this Member.
        hosts: names the node answers to, lower case, without port.
        replays: the past, one moment at a time for all who ask.
        keys: for the HMACs of idempotency keys.
        shown: waits until the views of this process show a position, as ``Progress.wait_for``.
        links: the courier's words on each link, ``rilon.network.health.LinkHealth``; none where no courier runs.
        export_bag, import_bag: the courier's bags, ``Courier.fill_bag`` and ``Courier.take_bag``.
        checks: what ``/v1/ready`` looks at, by name: database, log, keyring, hub, views.
        world: ``real`` or ``exercise``.
        origin: where people reach the pages, ``https://host``; "": there are none. Passkeys are made for it.
        soft_keys: of a demo whose browsers may have no authenticator; None everywhere else.
        provider: the Member's identity provider, the other way in; None: passkeys are the only one.
        fatal: told that the node's state is unknown, so that the process ends and its restart repairs.
    """

    me: str
    hosts: frozenset[str]
    clock: Clock
    keys: Keys
    link_desk: LinkDesk
    log: EventLog
    access: AccessDesk
    accounts: ProviderDesk
    alerts: AlertDesk
    attachments: AttachmentDesk
    circles: CircleDesk
    directory: DirectoryDesk
    disclosures: DisclosureDesk
    membership: MembershipDesk
    reach: ReachDesk
    reading: ReadingDesk
    recalls: RecallDesk
    explain: ExplainDesk
    onward: OnwardDesk
    epochs: KeysDesk
    rules: RulesDesk
    teams: TeamDesk
    care: TaskDesk
    tasks: Tasks
    deeds: Deeds
    summaries: Summaries
    deadlines: Deadlines
    views: Views
    notifier: Notifier
    replays: Replays
    shown: Callable[[int], Awaitable[None]]
    links: Callable[[], Sequence[object]] = no_courier
    export_bag: Callable[[str], Awaitable[object]] = no_bags
    import_bag: Callable[[bytes], Awaitable[object]] = no_bags
    checks: Mapping[str, Check] = field(default_factory=dict)
    world: str = "real"
    origin: str = ""
    soft_keys: SoftKeys | None = None
    provider: Provider | None = None
    fatal: Callable[[FatalError], None] = _ignore

    def key(self, caller: Caller, text: str, method: str, path: str, body: bytes) -> Key:
        """An idempotency key as the log may hold it: HMACs, so that it confirms no guess of a key or a request."""
        ring = self.keys.ring()
        command = ring.hmac(labels.COMMAND, caller.ref.encode(), text.encode())
        asked = ring.hmac(labels.REQUEST, method.encode(), path.encode(), body)
        return Key(natural_id("command", command.hex()), asked)

    async def caught_up(self, after: int) -> None:
        """Wait until what is read shows a position, so that one reads one's own write.

        Raises:
            InvalidError: ``query.after``: the log is not that long; who waited for it would wait for ever.
            UnavailableError: ``views.behind``.
        """
        if after > 0:
            if after > (await self.log.head()).size:
                raise InvalidError("query.after", "There is no such position yet.", field="after")
            await self.shown(after)
