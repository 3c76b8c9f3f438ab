"""One control group a host: it caps the host's CPU and counts what the host used.

A group's name holds who made it, so that what a killed rig left behind is found and removed later.
"""
import os
import pathlib
import re

from .processes import started_at, wait_for

ROOT = pathlib.Path("/sys/fs/cgroup")
PERIOD_US = 100_000
# The caps must hold on a busy machine too: hosts go before what else runs here.
SHARES_V1 = 20_000
WEIGHT_V2 = 2_000
PREFIX = "ballast-rig"
MADE_BY = re.compile(PREFIX + r"-(\d+)-(\d+)-\w+")


def _write(path, value):
    path.write_text(f"{value}\n")


class V1:
    """Controllers cpu and cpuacct, each in its own tree."""

    trees = (ROOT / "cpu", ROOT / "cpuacct")

    @classmethod
    def works(cls):
        return all((tree / "cgroup.procs").exists() and os.access(tree, os.W_OK)
                   for tree in cls.trees)

    @classmethod
    def cap(cls, name, cores):
        folder = cls.trees[0] / name
        _write(folder / "cpu.shares", SHARES_V1)
        _write(folder / "cpu.cfs_period_us", PERIOD_US)
        _write(folder / "cpu.cfs_quota_us", int(PERIOD_US * cores) if cores else -1)

    @classmethod
    def used_ns(cls, name):
        folder = cls.trees[1] / name
        return tuple(int((folder / f"cpuacct.usage_{kind}").read_text())
                     for kind in ("user", "sys"))


class V2:
    """The unified tree, where the top lets its children have the cpu controller."""

    trees = (ROOT,)

    @classmethod
    def works(cls):
        control = ROOT / "cgroup.subtree_control"
        given = control.read_text().split() if control.exists() else []
        return "cpu" in given and os.access(ROOT, os.W_OK)

    @classmethod
    def cap(cls, name, cores):
        _write(ROOT / name / "cpu.weight", WEIGHT_V2)
        quota = int(PERIOD_US * cores) if cores else "max"
        _write(ROOT / name / "cpu.max", f"{quota} {PERIOD_US}")

    @classmethod
    def used_ns(cls, name):
        told = dict(line.split() for line in (ROOT / name / "cpu.stat").read_text().splitlines())
        return int(told["user_usec"]) * 1000, int(told["system_usec"]) * 1000


def version():
    """The class that works here, or None."""
    return next((kind for kind in (V1, V2) if kind.works()), None)


class Cgroup:
    def __init__(self, host):
        owner = os.getpid()
        self.name = f"{PREFIX}-{owner}-{started_at(owner)}-{host}"
        self.kind = version()

    def make(self):
        for tree in self.kind.trees:
            (tree / self.name).mkdir(exist_ok=True)
        self.cap(0)

    def cap(self, cores):
        """At most so many cores; 0 is no cap."""
        self.kind.cap(self.name, cores)

    def entry(self):
        """Files that a process writes its id to in order to belong to the group."""
        return [str(tree / self.name / "cgroup.procs") for tree in self.kind.trees]


def remove(name):
    """Removes a group whose processes have ended, or are about to."""
    for tree in version().trees:
        folder = tree / name

        def gone(folder=folder):
            try:
                folder.rmdir()
            except FileNotFoundError:
                return True
            except OSError:
                return False  # its last processes are still ending
            return True
        wait_for(f"{folder} is empty", gone)


def left_behind():
    """Names of groups whose maker is dead."""
    names = set()
    for tree in version().trees:
        for folder in tree.glob(f"{PREFIX}-*"):
            made = MADE_BY.fullmatch(folder.name)
            if made and started_at(made[1]) != made[2]:
                names.add(folder.name)
    return names
