"""Two focal points let a frozen link go on from their keyboards, each with their own key."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.conftest import Desk

pytestmark = pytest.mark.real


async def test_two_focal_points_let_a_frozen_link_go_on(desk: Desk) -> None:
    th = desk.nodes["th"]
    await th.core.desks.links.frozen("id", "link.fork", b"evidence")

    async def reset(who: str, key_of: str) -> tuple[str, int]:
        file, secret = th.demo.persona("th", key_of).key_file, desk.folder / "demo-passphrase"
        command = f"rilon link reset ID --yes --approval-key {file} --passphrase-file {secret}"
        said = await asyncio.to_thread(desk.run, f"th-{who}", command)
        return said.err, said.code

    told, code = await reset("focal-1", "focal-2")
    assert ("[approval.officer]" in told, code) == (True, 1)
    told, code = await reset("focal-1", "focal-1")
    assert "Fork 1 of the link to ID: link.fork." in told
    assert "Signed by 0 of 2." in told
    assert (told.splitlines()[-1], code) == ("Signed. It waits for a second, different focal point.", 0)
    told, code = await reset("focal-2", "focal-2")
    assert "Signed by 1 of 2." in told
    assert (told.splitlines()[-1], code) == ("The link to ID goes on.", 0)
    told, code = await reset("focal-2", "focal-2")
    assert "[link.not-frozen]" in told
