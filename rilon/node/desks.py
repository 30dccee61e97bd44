"""All desks of one node over its ports: the same assembly over Postgres and a keyring file, and over fakes in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rilon.app.access_desk import AccessDesk
from rilon.app.alert_desk import AlertDesk
from rilon.app.attachment_desk import AttachmentDesk
from rilon.app.charters import Charters
from rilon.app.circle_desk import CircleDesk
from rilon.app.circle_ends import CircleEnds
from rilon.app.deeds import Deeds
from rilon.app.directory_desk import DirectoryDesk
from rilon.app.disclosure_desk import DisclosureDesk
from rilon.app.editions import Editions
from rilon.app.erasures import Erasures
from rilon.app.explain_desk import ExplainDesk
from rilon.app.incoming import Incoming
from rilon.app.keys_desk import KeysDesk
from rilon.app.link_desk import LinkDesk
from rilon.app.membership_desk import MembershipDesk
from rilon.app.onward_desk import OnwardDesk
from rilon.app.outbox import Pager, Sender
from rilon.app.outgoing import Outgoing
from rilon.app.parcels import Parcels
from rilon.app.ports import Blobs, Clock, Entropy, EventLog, Keys
from rilon.app.provider_desk import ProviderDesk
from rilon.app.reach_desk import ReachDesk
from rilon.app.reading_desk import ReadingDesk
from rilon.app.recall_desk import RecallDesk
from rilon.app.recovery import Recovery
from rilon.app.release import Releases
from rilon.app.reminders import Reminders
from rilon.app.rules_desk import RulesDesk
from rilon.app.tasks import Tasks
from rilon.app.team_desk import TaskDesk, TeamDesk
from rilon.app.unit import Work
from rilon.app.vault import Vault
from rilon.domain.reach import Way
from rilon.node.images import ImageProcess


@dataclass(frozen=True, slots=True)
class Desks:
    """Everything that decides at one node."""

    log: EventLog
    keys: Keys
    clock: Clock
    entropy: Entropy
    work: Work
    vault: Vault
    access: AccessDesk
    alerts: AlertDesk
    attachments: AttachmentDesk
    circles: CircleDesk
    circle_ends: CircleEnds
    directory: DirectoryDesk
    disclosures: DisclosureDesk
    epochs: KeysDesk
    explain: ExplainDesk
    incoming: Incoming
    links: LinkDesk
    members: MembershipDesk
    outgoing: Outgoing
    parcels: Parcels
    reach: ReachDesk
    reading: ReadingDesk
    rules: RulesDesk
    recalls: RecallDesk
    onward: OnwardDesk
    erasures: Erasures
    tasks: Tasks
    teams: TeamDesk
    care: TaskDesk
    reminders: Reminders
    deeds: Deeds = field(default_factory=Deeds)

    @property
    def accounts(self) -> ProviderDesk:
        """Accounts at the Member's identity provider."""
        return ProviderDesk(self.work, self.access, self.keys)


NOBODY: Final = Sender("", "real", "")


def assemble(
    log: EventLog,
    blobs: Blobs,
    keys: Keys,
    clock: Clock,
    entropy: Entropy,
    pagers: Mapping[Way, Pager] = MappingProxyType({}),
    sender: Sender = NOBODY,
) -> Desks:
    """Build the desks of a node.

    Args:
        pagers: the ways out to people outside the pages. sender: whom their messages come from.
    """
    work, vault, signing = Work(log, clock, entropy), Vault(blobs, keys, entropy), keys.ring().signing
    editions, releases = Editions(vault, signing, entropy), Releases(signing, entropy.bytes)
    directory, attached = DirectoryDesk(work, signing), AttachmentDesk(vault, ImageProcess())
    epochs, recalls, tasks = KeysDesk(work, keys, directory), RecallDesk(work, vault), Tasks()
    return Desks(
        log=log,
        keys=keys,
        clock=clock,
        entropy=entropy,
        work=work,
        vault=vault,
        access=AccessDesk(work, signing),
        alerts=AlertDesk(work, vault, editions, releases, attached),
        attachments=attached,
        circles=CircleDesk(work, Charters(vault), signing),
        circle_ends=CircleEnds(work, vault, editions, recalls),
        directory=directory,
        disclosures=DisclosureDesk(work, vault, editions, releases),
        epochs=epochs,
        explain=ExplainDesk(work),
        incoming=Incoming(work, vault, Recovery(work, editions), signing),
        links=LinkDesk(work),
        members=MembershipDesk(work, vault, signing),
        outgoing=Outgoing(work, vault, clock),
        parcels=Parcels(work, vault, blobs),
        reach=ReachDesk(work, vault, pagers, sender),
        reading=ReadingDesk(work, vault),
        rules=RulesDesk(work, editions),
        recalls=recalls,
        onward=OnwardDesk(work, vault, editions, releases),
        erasures=Erasures(work, vault, keys, epochs),
        tasks=tasks,
        teams=TeamDesk(work, vault, tasks),
        care=TaskDesk(work, tasks),
        reminders=Reminders(work),
    )
