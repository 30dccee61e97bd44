"""What one alert to 44 recipients costs the node that posts it: CPU, not waiting; in one process, without servers."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from rilon.app.drafts import AlertDraft, AudienceDraft
from rilon.crypto import chain, frame
from rilon.crypto.keys import KemKey, LinkKey
from rilon.domain.base import lines_of
from rilon.domain.disclosure import Disclosure
from rilon.domain.members import MEMBERS
from rilon.domain.values import Role
from rilon.network import wire
from tests.fakes.drafts import example
from tests.nodes import introduce, memory_node

RECIPIENTS = 44


async def fan_out(rounds: int) -> dict[str, Any]:
    """CPU of one alert to 44 recipients: posting it, gathering what goes to each, signing and sealing a frame each."""
    names = [m for m, entry in MEMBERS.items() if entry.in_everyone][: RECIPIENTS + 1]
    nodes = [await memory_node(name) for name in names]
    sender = nodes[0]
    for other in nodes[1:]:
        await introduce(sender, other)
    officer = (await sender.officer(Role.OFFICER)).caller
    recipients = {n.member: frame.Recipient(KemKey.generate().public) for n in nodes[1:]}
    key, spent = LinkKey.generate(), []
    draft = AlertDraft(kind="INC-FATAL", fields=example("INC-FATAL")["fields"], audience=AudienceDraft(everyone=True))
    for _ in range(rounds):
        begun = time.process_time()
        done = await sender.desks.alerts.post(officer, draft)
        tail = await sender.log.page(done.position - 10, 10)
        released = next(r.event for r in tail if isinstance(r.event, Disclosure.Released))
        await seal_all(sender, released, recipients, key)
        spent.append(1e3 * (time.process_time() - begun))
    return {"name": f"one alert to {len(recipients)} recipients, CPU", "p50_ms": round(statistics.median(spent), 1)}


async def seal_all(sender: Any, released: Disclosure.Released, recipients: dict[str, Any], key: LinkKey) -> None:
    """What the courier does for each recipient."""
    log = sender.log_id
    for member, line in lines_of(released).items():
        attached = wire.attach([await sender.desks.outgoing.attach(released, member)])
        body = wire.Entries(log=log, to_log=log, acked=0, first=1, prev=chain.START, lines=(line,))
        route = frame.Route(sender.member, member, log, log, "real")
        frame.seal(wire.encode(body), attached, route, recipients[member], key)


def run(rounds: int = 9) -> list[dict[str, Any]]:
    """One row: median CPU in milliseconds."""
    return [asyncio.run(fan_out(rounds))]


if __name__ == "__main__":
    print(run())
