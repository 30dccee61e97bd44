"""Become one of our servers: drop rights, arrange to die with our parent, then exec. Run as a script, alone.

``python -I -S embedded_exec.py UID GID PARENT SIGNAL PROGRAM ARGUMENT...``

A script of its own rather than ``preexec_fn``, which may deadlock in a process with threads. The order matters: Linux
forgets the parent-death signal when a process changes its user, and a parent that died before we asked never sends it.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
ORPHANED, NOT_EXECUTABLE = 125, 126


def main(uid: int, gid: int, parent: int, signal: int, command: list[str]) -> int:
    """Exec ``command`` as ``uid``; return an exit code only if that cannot be done."""
    os.umask(0o077)
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        return ORPHANED
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is the point; the path comes from the installed wheel
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_EXECUTABLE


if __name__ == "__main__":
    as_uid, as_gid, child_of, death_signal = map(int, sys.argv[1:5])
    sys.exit(main(as_uid, as_gid, child_of, death_signal, sys.argv[5:]))
