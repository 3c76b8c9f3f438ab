"""The rig itself: what it shows of its hosts is true, a guest goes over without a gap, and nothing
is left behind, whatever ends it.

usage: rig_test.py BALLAST [TEST]...
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from rig import cgroup, door
from rig.guest import broken_in
from rig.processes import wait_for
from scenario import CORES, Scenario, main


class TheRig(Scenario):

    def test_a_guest_migrates_without_a_gap(self):
        guest = self.rig.boot({1: "h1"}, work=1000)[0]
        source, target = self.rig.hosts["h1"], self.rig.hosts["h2"]
        self.assertIn(source.uuid, source.virsh("capabilities").stdout)
        source.virsh("migrate", "--live", "--p2p", "--persistent", "--undefinesource",
                     guest.name, target.uri)
        self.assertEqual(self.rig.running(), {guest.name: ["h2"]})
        self.assertEqual(source.domains(), {})
        guest.wait_beats(3)
        guest.check_beats()
        self.assertIn(f"name={guest.name} ", guest.tell("stat"))

    def test_a_capped_host_shows_what_it_uses(self):
        guest = self.rig.boot({2: "h1"}, work=10)[0]
        host = self.rig.hosts["h1"]
        host.cap(CORES)
        guest.tell("work 10000000")

        def busy_cores():
            def read():
                words = host.procstat.read_text().split("\n")[0].split()
                return float(words[4]), sum(map(float, words[1:]))
            before = read()
            guest.wait_beats(3)
            after = read()
            return (1 - (after[0] - before[0]) / (after[1] - before[1])) * os.cpu_count()
        # Over a few heartbeats; how many ticks fall into them is chance. Without a cap it is a core
        # each time.
        wait_for("the guest uses most of what it may have, and no more",
                 lambda: 0.7 * CORES < busy_cores() < 1.3 * CORES)

    def test_a_cut_link_is_cut(self):
        self.rig.hosts["h2"].cut_link()
        ping = ("bash", "-c", f"timeout 2 bash -c '</dev/tcp/{self.rig.hosts['h2'].address}/16509'")
        self.assertNotEqual(self.rig.hosts["h1"].run(*ping, check=False).returncode, 0)
        self.rig.hosts["h2"].mend_link()
        wait_for("the link is mended",
                 lambda: self.rig.hosts["h1"].run(*ping, check=False).returncode == 0)


class TheConsole(unittest.TestCase):
    """A guest that its emulator broke is told from one that ran twice, or stood still."""

    BEATS = "".join(f"BEAT vm1 n={n} up={n + 3.5} work=0\r\n" for n in range(5))

    def test_what_is_no_trouble(self):
        for more in ("", "a line of another kind\n", "BEAT vm1 n=9 up=12.5 work=0\n",
                     "BEAT vm1 n=4 up=7.5 work=0\n",  # the same moment a second time: it ran twice
                     "BEAT vm1 n=3 up=6.5 work=0\n", "BEAT vm2 n=1 up=90 work=0\n"):
            self.assertEqual(broken_in("vm1", self.BEATS + more), "", more)

    def test_what_an_emulator_breaks(self):
        for more in ("[   9.1] Kernel panic - not syncing: Attempted to kill init!\n",
                     "[   9.1] BUG: unable to handle page fault for address: 0\n",
                     "load[1]: segfault at 0 ip 0 sp 0 error 4\n",
                     "BEAT vm1 n=4 up=8.5 work=0\n"):  # its clock went on, its memory did not
            self.assertNotEqual(broken_in("vm1", self.BEATS + more), "", more)


class NothingIsLeft(unittest.TestCase):
    def end_with(self, number):
        """Ends the process that holds a rig up: is its folder left, and which control groups?"""
        with tempfile.TemporaryDirectory(prefix="ballast-rig-") as top:
            folder = pathlib.Path(top) / "rig"
            program = (f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})\n"
                       "from rig import door; import pathlib\n"
                       f"door.FOLDER = pathlib.Path({str(folder)!r}); door.keep(1)")
            with subprocess.Popen([sys.executable, "-c", program]) as keeper:
                wait_for("the rig is up", (folder / "keeper").exists)
                first = int((folder / "h1/pid").read_text().split()[0])
                self.assertTrue(pathlib.Path(f"/proc/{first}").exists())
                keeper.send_signal(number)
                keeper.wait()
            wait_for("its hosts have ended", lambda: not pathlib.Path(f"/proc/{first}").exists())
            return folder.exists(), {name for name in cgroup.left_behind()
                                     if f"-{keeper.pid}-" in name}

    def test_after_an_interrupt(self):
        self.assertEqual(self.end_with(signal.SIGINT), (False, set()))

    def test_after_a_kill_but_control_groups_that_the_next_rig_removes(self):
        _, left = self.end_with(signal.SIGKILL)
        self.assertEqual(len(left), 1)
        for name in left:
            cgroup.remove(name)
        self.assertEqual(cgroup.left_behind() & left, set())


if __name__ == "__main__":
    door.IMAGE.parent.mkdir(parents=True, exist_ok=True)
    main()
