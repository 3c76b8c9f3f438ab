"""Three hosts become a fleet in one command each, and balance: no key is copied, no trust file
written, and of the configuration only what makes minutes into seconds on the rig.

usage: join_test.py BALLAST [TEST]...
"""
import json
import os
import threading
import time
import unittest

from rig import certificates
from rig.node import CPU_OF_CLOCK, CONFIG, MEMORY_MIB, Node
from rig.processes import wait_for
from scenario import CORES, Scenario, main

# What the rig is and a data centre is not: quick, and slower than its own clock.
OF_THE_RIG = """[sample]
sample_interval = 1
report_interval = 1
[plan]
plan_interval = 3
[hypervisor]
cpu = {cpu:.0f}
memory = {memory}
[hypervisor.base]
memory = 64
"""


class Packaged(Node):
    """A host as its package leaves it: its service starts by itself once it has joined."""

    def install(self, with_settings=True):
        path = self.host.folder / CONFIG
        path.unlink(missing_ok=True)
        if with_settings:
            path.parent.mkdir(exist_ok=True)
            path.write_text(OF_THE_RIG.format(cpu=self.host.clock_mhz() * CPU_OF_CLOCK,
                                              memory=MEMORY_MIB))
        # What `systemctl enable --now`, which init and join say, does where systemd runs.
        self.service = threading.Thread(target=self.start_when_joined, daemon=True)
        self.service.start()

    def start_when_joined(self):
        joined = self.host.folder / "var/lib/ballast/fleet"
        while not joined.exists():
            time.sleep(0.2)
        self.start()


class Join(Scenario):
    def install_packages(self, with_settings):
        for name in ("h1", "h2", "h3"):
            self.nodes[name] = Packaged(self.rig.hosts[name], self.binary)
            self.nodes[name].install(with_settings)

    def join_in_order(self, patience_s):
        """As a new user would; gives back how many commands that were, and the seconds until the
        last join and until the busy guests are apart."""
        began = time.monotonic()
        commands = 3  # dpkg -i ballast.deb, on each host

        def run(name, *words):
            nonlocal commands
            commands += 1
            return self.nodes[name].ballast(*words).stdout

        run("h1", "init", "--mode", "auto")
        token = run("h1", "invite", "--master", "--uses", "2").strip()
        for name in ("h2", "h3"):
            self.assertIn("now, one of", run(name, "join", token))
        joined = time.monotonic()
        self.nodes["h1"].wait_status("leads the three",
                                     lambda s: {h["id"] for h in s["hosts"]} == {"h1", "h2", "h3"})
        wait_for("the busy guests are apart", lambda: len(
            {tuple(hosts) for hosts in self.rig.running().values()}) > 1, patience_s)
        moved = time.monotonic()
        print(f"{commands} commands; the last join after {joined - began:.1f} s, the first move "
              f"after {moved - began:.1f} s")
        self.assertLessEqual(commands, 8)

    def boot_busy(self, count):
        certificates.install(self.rig.hosts.values())
        guests = self.rig.boot({1 + i: "h1" for i in range(count)})
        self.rig.cap(CORES)
        for guest in guests:
            guest.tell("work 10000000")

    @unittest.skipUnless(os.environ.get("BALLAST_RIG_SLOW"), "takes the minutes of the defaults")
    def test_without_a_line_of_configuration(self):
        # As many as the machine has CPUs: with what libvirt says of it, they fill the host.
        self.boot_busy(os.cpu_count())
        self.install_packages(False)
        self.join_in_order(900)
        self.wait_each_runs_once(60)
        self.check_beats()

    def test_three_hosts_from_packages_to_the_first_move(self):
        self.boot_busy(2)
        self.install_packages(True)
        self.join_in_order(180)
        self.wait_each_runs_once(60)
        self.check_beats()
        listed = json.loads(self.nodes["h3"].ballast("fleet", "--json").stdout)["nodes"]
        self.assertEqual({one["id"]: one["trust"] for one in listed},
                         {name: "certificate" for name in ("h1", "h2", "h3")})

        # One that is revoked is cut off; its guest runs on, and is moved by nobody.
        busy = next(hosts[0] for hosts in self.rig.running().values() if hosts[0] != "h1")
        self.nodes["h1"].ballast("revoke", busy)
        self.nodes["h1"].wait_status("has lost it", lambda s: all(
            h["id"] != busy or h["state"].startswith("lost") for h in s["hosts"]))
        self.wait_each_runs_once(60)
        self.nodes[busy].ballast("join", self.nodes["h1"].ballast("invite").stdout.strip())
        self.nodes["h1"].wait_status("has it again", lambda s: any(
            h["id"] == busy and not h["state"].startswith("lost") for h in s["hosts"]))
        self.check_beats()


if __name__ == "__main__":
    main()
