"""The keyring's file: whole or not at all, one writer at a time, and seen by everyone who holds an older one."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rilon.crypto.keyring import Keyring
from rilon.errors import FatalError, RefusedError, UnavailableError
from rilon.store import keyfile
from rilon.store.keyfile import KeyFile
from tests.fakes.keys import CHEAP, cheap_keyring

PASSPHRASE = "a passphrase of tests"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyring"


@pytest.fixture
def keys(path: Path) -> KeyFile:
    return KeyFile.create(path, cheap_keyring())


def other_process(path: Path) -> KeyFile:
    """What another process of the node holds: nothing is shared but the file."""
    return KeyFile.unlock(path, PASSPHRASE, floor=CHEAP)


async def turn(keys: KeyFile, bucket: int) -> tuple[bytes, bytes]:
    async with keys.exclusive() as draft:
        turned = draft.rotate(bucket)
        await keys.save(draft)
    return turned


def kek_of(ring: Keyring, bucket: int) -> bytes:
    return ring.wrap(bytes([bucket]) * 32, bytes(32))[0]


def test_it_is_for_its_owner_alone(keys: KeyFile, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["keyring"]


def test_it_opens_again(keys: KeyFile, path: Path) -> None:
    assert list(other_process(path).ring().keks()) == list(keys.ring().keks())


def test_a_keyring_is_never_put_over_another(keys: KeyFile, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"keyring\.exists"):
        KeyFile.create(path, cheap_keyring())
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["keyring"]


def test_a_wrong_passphrase_is_refused(keys: KeyFile, path: Path) -> None:
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        KeyFile.unlock(path, "another", floor=CHEAP)


def test_a_cheap_file_is_refused_outside_tests(keys: KeyFile, path: Path) -> None:
    with pytest.raises(RefusedError, match=r"strongbox\.cost"):
        KeyFile.unlock(path, PASSPHRASE)


def test_no_file_is_a_clear_end(path: Path) -> None:
    with pytest.raises(FatalError, match=r"keyring\.missing"):
        KeyFile.unlock(path, PASSPHRASE)


async def test_a_draft_is_nobody_elses_until_it_is_saved(keys: KeyFile) -> None:
    async with keys.exclusive() as draft:
        _, new = draft.rotate(7)
        assert kek_of(keys.ring(), 7) != new
        await keys.save(draft)
        assert kek_of(keys.ring(), 7) == new
        draft.rotate(7)
        assert kek_of(keys.ring(), 7) == new
    assert kek_of(keys.ring(), 7) == new


async def test_every_process_sees_what_one_saved(keys: KeyFile, path: Path) -> None:
    other = other_process(path)
    old, new = await turn(keys, 7)
    assert kek_of(other.ring(), 7) == new
    async with other.exclusive() as draft:
        draft.destroy(old)
        await other.save(draft)
    assert not keys.ring().knows(old)


async def test_no_change_is_missed_when_the_system_gives_an_inode_out_again(keys: KeyFile, path: Path) -> None:
    other = other_process(path)
    for _ in range(8):
        await turn(keys, 7)
        _, new = await turn(keys, 7)
        assert kek_of(other.ring(), 7) == new


async def test_a_file_with_a_second_name_is_seen_to_be_replaced(keys: KeyFile, path: Path) -> None:
    os.link(path, path.with_name("backup"))
    other = other_process(path)
    _, new = await turn(keys, 7)
    assert kek_of(other.ring(), 7) == new


async def test_the_old_content_is_overwritten_where_it_lies(keys: KeyFile, path: Path) -> None:
    with path.open("rb") as old:
        await turn(keys, 7)
        assert set(old.read()) == {0}
    assert set(path.read_bytes()) != {0}


async def test_nothing_but_the_file_and_its_lock_remains(keys: KeyFile, path: Path) -> None:
    await turn(keys, 7)
    assert sorted(p.name for p in path.parent.iterdir()) == ["keyring", "keyring.lock"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {0o600}


async def test_writers_wait_for_each_other(keys: KeyFile, path: Path) -> None:
    others = [keys, keys, other_process(path), other_process(path)]
    await asyncio.gather(*(turn(k, bucket) for bucket, k in enumerate(others)))
    assert [bucket for bucket, _ in keys.ring().turning()] == [0, 1, 2, 3]


async def test_a_writer_does_not_wait_for_ever(keys: KeyFile, path: Path) -> None:
    other = KeyFile(path, keys.ring().reopened, patience_s=0.05)
    async with keys.exclusive():
        with pytest.raises(UnavailableError, match=r"keyring\.busy"):
            await turn(other, 1)
    await turn(other, 1)


async def test_a_writer_that_gives_up_waiting_leaves_no_lock(keys: KeyFile, path: Path) -> None:
    other = other_process(path)
    async with keys.exclusive():
        waiting = asyncio.create_task(turn(other, 1))
        await asyncio.sleep(0.05)
        waiting.cancel()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
    await turn(keys, 1)
    await turn(other, 2)


async def test_a_writer_that_died_leaves_no_lock(keys: KeyFile, path: Path) -> None:
    lock = path.with_name("keyring.lock")
    program = (
        f"import fcntl; f = open({str(lock)!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UnavailableError, match=r"keyring\.busy"):
            await turn(KeyFile(path, keys.ring().reopened, patience_s=0.05), 1)
        holder.kill()
    await turn(keys, 1)


async def test_a_keyring_is_saved_under_its_lock_only(keys: KeyFile) -> None:
    with pytest.raises(RuntimeError):
        await keys.save(keys.ring())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_leaves_the_file_as_it_was(keys: KeyFile, path: Path) -> None:
    before = path.read_bytes()
    path.with_name("keyring.new").symlink_to("/dev/full")
    with pytest.raises(UnavailableError, match=r"keyring\.unwritable"):
        await turn(keys, 7)
    assert path.read_bytes() == before
    path.with_name("keyring.new").unlink()
    await turn(keys, 7)


async def test_a_disk_that_does_not_sync_ends_the_node(keys: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    async with keys.exclusive() as draft:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fails)
            with pytest.raises(UnavailableError, match=r"keyring\.unwritable"):
                await keys.save(draft)
            patch.setattr(
                keyfile, "_write_beside", lambda p, d: Path(p.with_name("x").write_bytes(d) and p.with_name("x"))
            )
            with pytest.raises(FatalError, match=r"keyring\.unknown"):
                await keys.save(draft)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    keys: KeyFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader was slow: its file has lost its name, and then its content."""
    read, times = os.pread, iter(["first"])

    def slow(file: int, size: int, at: int) -> bytes:
        if next(times, None):
            beside = path.with_name("beside")
            beside.write_bytes(path.read_bytes())
            old = os.open(path, os.O_RDWR)
            beside.replace(path)
            os.pwrite(old, bytes(size), 0)
            os.close(old)
        return read(file, size, at)

    monkeypatch.setattr(os, "pread", slow)
    assert list(other_process(path).ring().keks()) == list(keys.ring().keks())


async def test_a_file_locked_with_another_passphrase_needs_a_restart(keys: KeyFile, path: Path) -> None:
    relocked = path.with_name("relocked")
    relocked.write_bytes(cheap_keyring("another").sealed())
    relocked.replace(path)
    with pytest.raises(RefusedError, match=r"keyring\.passphrase"):
        keys.ring()


async def test_what_is_held_survives_that_the_file_is_away(keys: KeyFile, path: Path) -> None:
    aside = path.rename(path.with_name("aside"))
    with pytest.raises(FatalError, match=r"keyring\.missing"):
        keys.ring()
    aside.rename(path)
    assert keys.ring()


def test_nothing_secret_shows(keys: KeyFile) -> None:
    assert repr(keys) == object.__repr__(keys)
    keys.close()
