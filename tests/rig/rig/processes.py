"""Processes: who lives, in which namespace, and how they end with us."""
import contextlib
import functools
import os
import pathlib
import signal
import subprocess

import waiting

PATIENCE_S = waiting.PATIENCE_S
POLL_S = 0.25  # looking costs a process in the host's namespaces

wait_for = functools.partial(waiting.wait_for, every_s=POLL_S)


class RigError(Exception):
    """The rig itself does not do what it should: says what, and what was seen."""


def run(*command, check=True, timeout=PATIENCE_S, **options):
    """Runs a command to its end; its output is text."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=timeout, stdin=subprocess.DEVNULL, **options)
    if check and done.returncode != 0:
        raise RigError(f"{' '.join(map(str, command))}: exit {done.returncode}: "
                       f"{(done.stderr or done.stdout).strip()}")
    return done


def started_at(pid):
    """The kernel's start time of a process, which tells it from a later one of the same number;
    None where there is no such process, or only its remains."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def children_of(pid):
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def in_namespace_of(pid):
    """{process id: command line as a list} of what lives in the process namespace of `pid`."""
    try:
        wanted = os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return {}
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.readlink(entry / "ns/pid") == wanted and started_at(entry.name):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                found[int(entry.name)] = words[:-1]
        except OSError:
            continue  # it ended meanwhile
    return found


def kill_and_wait(pid, number=signal.SIGKILL):
    born = started_at(pid)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    wait_for(f"process {pid} ends on signal {number}", lambda: started_at(pid) != born)


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


@contextlib.contextmanager
def stopped(pids):
    """They stand still meanwhile. Whoever waits for one (nsenter) stops with it, and would not go
    on by itself."""
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            if started_at(pid):
                os.kill(parent_of(pid), signal.SIGCONT)
                os.kill(pid, signal.SIGCONT)
