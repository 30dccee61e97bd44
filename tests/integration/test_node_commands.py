"""Commands that work on a home: founding nodes, introducing them, recovering a token, looking for what is wrong."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rilon.errors import FatalError
from rilon.node import doctor, founding
from rilon.node.cli import cli
from rilon.node.commands import init, keys, links, officers
from rilon.node.config import Home
from rilon.node.core import World, alone, open_core, owning
from rilon.node.founding import make_keys, read_root_key
from rilon.store.keyfile import KeyFile
from rilon.store.migrate import renew_log_id
from tests.fakes.keys import CHEAP
from tests.servers import free_ports, open_dir

pytestmark = pytest.mark.real

PASSPHRASE = "a fictional passphrase"
TWO = ("--focal-point", "Fictional Person", "--focal-point", "Fictional Colleague")


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """Passphrases that cost nothing to guess, and a database that may forget: the scripts of tests/e2e pay for real."""
    world = World(floor=CHEAP, fsync=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(init, "make_keys", partial(make_keys, cost=CHEAP))
        for module in (init, keys, links, officers):
            patch.setattr(module, "open_core", partial(open_core, world=world))
        patch.setattr(keys, "read_root_key", partial(read_root_key, floor=CHEAP))
        patch.setattr(doctor, "KeyFile", CheapKeyFile)
        yield


class CheapKeyFile:
    unlock = staticmethod(partial(KeyFile.unlock, floor=CHEAP))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_dir() as path:
        yield path


def run(home: Path, *args: str, **env: str | None) -> Result:
    given = {"RILON_HOME": str(home), "RILON_PASSPHRASE": PASSPHRASE, "RILON_TOKEN": None}
    return CliRunner().invoke(cli, args, env=given | env)


def founded(folder: Path, member: str) -> dict[str, Any]:
    port = str(free_ports(1)[0])
    said = run(folder / member, "init", member, *TWO, "--port", port, "--json")
    assert said.exit_code == 0, said.stderr
    told: dict[str, Any] = json.loads(said.stdout)
    return told


@pytest.fixture(scope="module")
def th(folder: Path) -> dict[str, Any]:
    return founded(folder, "th")


@pytest.fixture(scope="module")
def my(folder: Path) -> dict[str, Any]:
    return founded(folder, "my")


def test_a_node_is_founded_whole_and_for_its_owner_only(folder: Path, th: dict[str, Any]) -> None:
    home = Home(folder / "th")
    assert th["member"] == "th"
    assert len(th["words"]) == 16
    assert len({each["token"] for each in th["focal_points"]}) == 2
    assert all(each["token"].startswith(f"rilon_{each['officer']}_") for each in th["focal_points"])
    for path in (home.keyring, home.root_key, home.path / "node.toml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    verified = json.loads(run(home.path, "verify", "--json", RILON_PASSPHRASE=None).stdout)
    assert (verified["sound"], verified["member"], verified["fingerprint"]) == (True, "th", th["words"])


def test_a_second_node_does_not_take_the_place_of_the_first(folder: Path, th: dict[str, Any]) -> None:
    before = (folder / "th" / "keyring.rilon").read_bytes()
    said = run(folder / "th", "init", "my", *TWO)
    assert (said.exit_code, "[init.exists]" in said.stderr) == (1, True)
    assert (folder / "th" / "keyring.rilon").read_bytes() == before


@pytest.mark.parametrize(
    ("args", "env", "code"),
    [
        (("atlantis",), {}, "member.unknown"),
        (("th",), {"RILON_PASSPHRASE": "short"}, "init.passphrase-short"),
        (("th", "--database-url", "postgresql://nobody:no@127.0.0.1:1/none"), {}, "database.unavailable"),
    ],
)
def test_a_node_that_cannot_be_made_leaves_nothing(
    folder: Path, args: tuple[str, ...], env: dict[str, str | None], code: str
) -> None:
    home = folder / "half"
    home.mkdir(exist_ok=True)
    (home / "mine.txt").write_text("was here before")
    said = run(home, "init", *args, *TWO, **env)
    assert (said.exit_code, f"[{code}]" in said.stderr) == (3 if "unavailable" in code else 1, True)
    assert [path.name for path in home.iterdir()] == ["mine.txt"]
    said = run(folder / "none", "init", *args, *TWO, **env)
    assert not (folder / "none").exists()


def test_a_node_begins_with_two_focal_points(folder: Path) -> None:
    """One alone could never make another: that takes two."""
    said = run(folder / "none", "init", "th", *TWO[:2])
    assert (said.exit_code, "[init.two-focal-points]" in said.stderr) == (1, True)
    assert not (folder / "none").exists()


def test_a_bad_rule_file_is_told_before_anything_is_made(folder: Path) -> None:
    rules = folder / "bad.toml"
    rules.write_text("[[rule]]\nid = 1\n")
    said = run(folder / "none", "init", "th", *TWO, "--rules", str(rules))
    assert (said.exit_code, "[rules.file]" in said.stderr) == (1, True)
    assert not (folder / "none").exists()


def test_nodes_are_introduced_by_file_and_words(folder: Path, th: dict[str, Any], my: dict[str, Any]) -> None:
    file = folder / "th.introduction"
    assert run(folder / "th", "link", "introduce", str(file)).exit_code == 0
    told = run(folder / "my", "link", "add", str(file))
    assert told.stdout == f"TH: {' '.join(th['words'])}\n"
    assert run(folder / "th", "link", "words").stdout.split() == th["words"]
    assert "[link.own]" in run(folder / "th", "link", "add", str(file)).stderr
    doctor = json.loads(run(folder / "my", "doctor", "--json").stdout)
    assert ("link TH", "note") in {(s["part"], s["grade"]) for s in doctor}


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:-500] + bytes([raw[-500] ^ 1]) + raw[-499:],
        lambda _: b"",
        lambda _: b"\xff",
    ],
)
def test_a_damaged_introduction_is_refused(folder: Path, th: dict[str, Any], my: dict[str, Any], damage: Any) -> None:
    file = folder / "th.introduction"
    run(folder / "th", "link", "introduce", str(file))
    file.write_bytes(damage(file.read_bytes()))
    said = run(folder / "my", "link", "add", str(file))
    assert said.exit_code == 1
    assert said.stderr.count("[") == 1


def test_a_new_kem_key_is_published(folder: Path, th: dict[str, Any]) -> None:
    before = json.loads(run(folder / "th", "verify", "--json").stdout)
    (first,) = json.loads(run(folder / "th", "keys", "list", "--json").stdout)
    new = run(folder / "th", "keys", "rotate").stdout.strip()
    after = json.loads(run(folder / "th", "verify", "--json").stdout)
    assert (after["sound"], after["size"]) == (True, before["size"] + 1)
    assert after["proved"]["statements"] == before["proved"]["statements"] + 1
    held = json.loads(run(folder / "th", "keys", "list", "--json").stdout)
    assert [(key["kid"], key["until"] is None) for key in held] == [(first["kid"], False), (new, True)]
    shown = run(folder / "th", "keys", "list").stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == [first["kid"], new]
    assert shown[2].endswith("0 days  in force")


def test_a_new_log_takes_the_root_key_and_is_sound(folder: Path, th: dict[str, Any], my: dict[str, Any]) -> None:
    home, secret = Home(folder / "th"), folder / "root-passphrase"
    secret.write_text(PASSPHRASE)
    args = ("keys", "renew-log", "--passphrase-file", str(secret), "--root-key")
    size = json.loads(run(home.path, "verify", "--json").stdout)["size"]
    wrong = run(home.path, *args, my["root_key"])
    assert (wrong.exit_code, "[directory.root-key]" in wrong.stderr) == (1, True)
    assert json.loads(run(home.path, "verify", "--json").stdout)["size"] == size
    first, second = (run(home.path, *args, str(home.root_key)).stdout.strip() for _ in range(2))
    assert len({first, second, ""}) == 3
    told = json.loads(run(home.path, "verify", "--json").stdout)
    assert (told["sound"], told["size"]) == (True, size + 6)


def test_a_new_log_id_that_was_not_published_is_published_by_the_repetition(folder: Path, th: dict[str, Any]) -> None:
    """As after a crash between head and identity: the node does not serve until it was repeated."""
    home = Home(folder / "th")

    async def die_in_the_middle() -> None:
        async with open_core(home, PASSPHRASE, World(floor=CHEAP, fsync=False)) as core:
            await founding.must_be_renewed_whole(core)
            async with owning(core.dsn) as owner:
                await renew_log_id(owner, await core.log.log_id(), b"N" * 16)
            with pytest.raises(FatalError) as fatal:
                await founding.must_be_renewed_whole(core)
            assert fatal.value.code == "log.renewal-unfinished"

    asyncio.run(die_in_the_middle())
    secret = folder / "root-passphrase"
    secret.write_text(PASSPHRASE)
    said = run(home.path, "keys", "renew-log", "--passphrase-file", str(secret), "--root-key", str(home.root_key))
    assert said.stdout.strip() == (b"N" * 16).hex()
    assert json.loads(run(home.path, "verify", "--json").stdout)["sound"]


def test_no_new_log_begins_under_a_running_node(folder: Path, th: dict[str, Any]) -> None:
    """It would go on writing under the old id, and its peers would take that for a fork."""
    home, secret = Home(folder / "th"), folder / "root-passphrase"
    secret.write_text(PASSPHRASE)
    before = json.loads(run(home.path, "verify", "--json").stdout)["size"]
    with alone(home):
        said = run(home.path, "keys", "renew-log", "--passphrase-file", str(secret), "--root-key", str(home.root_key))
    assert (said.exit_code, "[node.running]" in said.stderr) == (3, True)
    assert json.loads(run(home.path, "verify", "--json").stdout)["size"] == before


def test_the_way_in_when_no_token_is_left(folder: Path, th: dict[str, Any]) -> None:
    first, *_ = th["focal_points"]
    args = ("officer", "token", first["officer"], "--role", "focal_point", "--local", "--json")
    made = json.loads(run(folder / "th", *args).stdout)
    assert made["token"] != first["token"]
    wrong = run(folder / "th", *args, RILON_PASSPHRASE="another passphrase")
    assert (wrong.exit_code, "[keyring.passphrase]" in wrong.stderr) == (1, True)


def test_the_doctor_names_what_is_wrong_and_what_to_do(folder: Path, th: dict[str, Any]) -> None:
    home = Home(folder / "th")
    home.keyring.chmod(0o644)
    said = run(home.path, "doctor")
    home.keyring.chmod(0o600)
    assert said.exit_code == 1
    signs = {line.split("  ")[0].strip(): line for line in said.stdout.splitlines()}
    assert "Others can read keyring.rilon." in signs["wrong"]
    assert "keyring: chmod 600 them." in said.stderr
    assert "No node answers" in said.stdout
    well = run(home.path, "doctor", "--json")
    assert well.exit_code == 0
    grades = {s["part"]: s["grade"] for s in json.loads(well.stdout)}
    assert grades | {"disk": "ok"} == {
        "root key": "note",
        "keyring": "ok",
        "disk": "ok",
        "database": "ok",
        "log": "ok",
        "KEM key": "ok",
        "hub": "note",
        "node": "note",
    }


def test_a_hub_is_made_and_members_let_in_and_out(folder: Path) -> None:
    path = folder / "hub"
    port, monitor = map(str, free_ports(2))
    made = run(folder, "hub", "init", "--path", str(path), "--port", port, "--monitor-port", monitor)
    assert (made.exit_code, made.stdout) == (0, f"nats://127.0.0.1:{port}\n")
    again = run(folder, "hub", "init", "--path", str(path))
    assert (again.exit_code, "[hub.exists]" in again.stderr) == (1, True)
    added = run(folder, "hub", "add-member", "th", "--path", str(path))
    assert stat.S_IMODE(Path(added.stdout.strip()).stat().st_mode) == 0o600
    assert run(folder, "hub", "revoke", "th", "--path", str(path)).exit_code == 2
    assert run(folder, "hub", "revoke", "th", "--yes", "--path", str(path)).exit_code == 0
    (member,) = json.loads(run(folder, "hub", "members", "--json", "--path", str(path)).stdout)
    assert member["member"] == "th"
    assert member["revoked"]
    absent = run(folder, "hub", "revoke", "au", "--yes", "--path", str(path))
    assert (absent.exit_code, "[hub.not-in]" in absent.stderr) == (1, True)
    assert "`rilon hub members` says who is in" in absent.stderr
    assert run(folder, "hub", "members", "--path", str(folder / "nowhere")).exit_code == 1
    public = run(folder, "hub", "init", "--path", str(folder / "other"), "--host", "0.0.0.0")
    assert public.exit_code == 2
