"""What all scenarios of the suite `libvirt` share: the rig, brought up once a process, with as many
hosts as any scenario needs; our daemons on it; and what must hold at rest whatever happened.

Where the rig cannot run, a file ends with exit code 77 (skipped) and says why.
"""
import atexit
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

from rig import door, needs
from rig.image import NoImage
from rig.node import Node, introduce
from rig.processes import wait_for
from rig.rig import Rig

SKIPPED = 77
CORES = 0.4  # of each host, once its guests have booted
HOSTS = 4

BROKEN_MAX = 4  # runs of a scenario in which guests are broken by their emulator


class Scenario(unittest.TestCase):
    """`binary` is ours; `rig` is up, with nothing on it when a test begins: clear() sees to that,
    so that scenarios can share it."""

    binary = None
    rig = None
    broken = ()

    @classmethod
    def setUpClass(cls):
        if Scenario.rig:
            return
        folder = tempfile.mkdtemp(prefix="ballast-rig-")
        Scenario.rig = Rig(folder, door.IMAGE)
        atexit.register(Scenario.rig.down)
        Scenario.rig.up(HOSTS)
        # A copy: a new build may replace the other one at any time.
        copy = pathlib.Path(folder) / "ballast"
        shutil.copy(Scenario.binary, copy)
        Scenario.binary = copy

    def run(self, result=None):
        """Once more, where a guest was seen to be broken by its emulator: that is neither ours nor
        hides ours, since it is told, and the last time counts whatever it is. On a busy machine
        it has been seen twice in a row."""
        for left in reversed(range(BROKEN_MAX)):
            self.broken = []
            trial = unittest.TestResult()
            super().run(trial)
            if trial.wasSuccessful() or not self.broken or not left:
                break
            print(f"{self.id()}: {'; '.join(self.broken)}: once more", file=sys.stderr)
        result.startTest(self)
        if trial.wasSuccessful():
            result.addSuccess(self)
        for _, text in trial.failures + trial.errors:
            print(f"{self.id()} FAILED", file=sys.stderr)
            result.failures.append((self, text))
        result.stopTest(self)
        return result

    def setUp(self):
        self.nodes = {}
        self.addCleanup(self.clear)

    def clear(self):
        """Takes daemons and guests away; hosts that were lost come back."""
        result = self._outcome.result  # what failed so far is in it already
        failed = any(test is self for test, _ in result.failures + result.errors)
        for node in self.nodes.values():
            if failed:
                print(f"--- log of {node.id}\n{node.log()}", file=sys.stderr)
            node.kill()
            node.log_file.unlink(missing_ok=True)
            shutil.rmtree(node.host.folder / "var/lib/ballast", ignore_errors=True)
        if failed:
            for guest in self.rig.guests.values():
                why = guest.broken() if guest.console.exists() else ""
                if why:
                    self.broken.append(f"{guest.name} was broken by its emulator: {why}")
                print(f"--- console of {guest.name}, its end\n{guest.console_end()}",
                      file=sys.stderr)
        for host in self.rig.hosts.values():
            if host.pid:
                host.mend_link()
            else:
                host.stop()  # what is left of it
                host.start()
            host.start_libvirtd()
            for guest, state in (host.domains() or {}).items():
                if state != "shut off":
                    host.virsh("destroy", guest, check=False)
                host.virsh("undefine", guest, check=False)
            host.cap(0)
        self.rig.guests.clear()

    # Our daemons.

    def install(self, roles, **settings):
        """{host: role}: a daemon each, that all trust one another; none is started."""
        for name, role in roles.items():
            node = Node(self.rig.hosts[name], self.binary, role, **settings)
            self.nodes[name] = node
            node.install()
        introduce(self.nodes.values())

    def start_group(self, master, slaves):
        """A group as configured by hand: its slaves know their master."""
        self.nodes[master].start()
        endpoint = self.nodes[master].wait_status("answers", bool)["endpoint"]
        for name in slaves:
            self.nodes[name].configure(master=f'master = "{master}@{endpoint}"')
            self.nodes[name].start()
        self.nodes[master].wait_status("its group is complete",
                                       lambda s: len(s["hosts"]) == 1 + len(slaves))

    # What must hold.

    def check_each_runs_once(self):
        """As all libvirtds tell."""
        where = self.rig.running()
        self.assertEqual({vm: hosts for vm, hosts in where.items() if len(hosts) != 1}, {})
        return {vm: hosts[0] for vm, hosts in where.items()}

    def wait_each_runs_once(self, patience_s):
        wait_for(f"each guest runs once, now {self.rig.running()}",
                 lambda: all(len(hosts) == 1 for hosts in self.rig.running().values()), patience_s)
        return self.check_each_runs_once()

    def check_beats(self):
        for guest in self.rig.guests.values():
            guest.wait_beats(2)
            guest.check_beats()


def end(*_):
    raise KeyboardInterrupt  # the only thing that ends unittest at once


def main():
    """usage: SCENARIO BALLAST [TEST]..."""
    reason = needs.why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    Scenario.binary = pathlib.Path(sys.argv.pop(1)).resolve()
    try:
        door.IMAGE.parent.mkdir(parents=True, exist_ok=True)
        Rig(door.FOLDER, door.IMAGE).image.build()
    except NoImage as error:
        print(f"skipped: {error}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
