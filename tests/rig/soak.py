"""A quarter of an hour of changing load at small intervals, on the rig. Not in the
suite: it takes its time.

No guest is lost, none runs twice or stands still, none goes to and fro, and the daemons grow
neither in memory nor in descriptors.

usage: BALLAST_SOAK_MINUTES=15 soak.py BALLAST
"""
import os
import pathlib
import random
import time

from rig.node import memory_mib
from scenario import CORES, Scenario, main

MINUTES = float(os.environ.get("BALLAST_SOAK_MINUTES", "15"))
CHANGE_S = 10
ROLES = {"h1": "master", "h2": "slave", "h3": "master", "h4": "slave"}
NO_RETURN_S = 60
GROWTH_MIB_MAX = 4
OVERHEAD_MIB_MAX = 25
GUESTS = 8


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Soak(Scenario):
    def footprints(self):
        return {name: (memory_mib(node.pids()[0]), descriptors(node.pids()[0]),
                       cpu_s(node.pids()[0])) for name, node in self.nodes.items()}

    def moves(self):
        """[(when seen, guest, from, to)] as the hypervisors show, by looking once a second."""
        where = {vm: hosts[0] for vm, hosts in self.rig.running().items() if len(hosts) == 1}
        found = [(time.monotonic(), vm, self.where[vm], host) for vm, host in where.items()
                 if self.where.get(vm, host) != host]
        self.where.update(where)
        return found

    def test_changing_load(self):
        seed = int(os.environ.get("BALLAST_SOAK_SEED", time.time()))
        print(f"seed {seed}")
        draw = random.Random(seed)
        hosts = sorted(ROLES)
        guests = self.rig.boot({k: hosts[k % len(hosts)] for k in range(1, GUESTS + 1)})
        self.rig.cap(CORES)
        # A slave that waits too long for its own master looks for another: there is one place each.
        self.install(ROLES, cooldown_s=20, no_return_s=NO_RETURN_S, max_slaves=1)
        self.start_group("h1", ["h2"])
        self.start_group("h3", ["h4"])
        self.where, seen = {}, []
        self.moves()
        begin = first = None
        end = time.monotonic() + MINUTES * 60
        while time.monotonic() < end:
            for guest in draw.sample(guests, 2):
                guest.tell(f"work {draw.choice([0, 0, 5_000, 20_000, 10_000_000])}")
            until = time.monotonic() + CHANGE_S
            while time.monotonic() < until:
                seen += self.moves()
                twice = {vm: on for vm, on in self.rig.running().items() if len(on) > 1}
                self.assertEqual(twice, {})
                time.sleep(1)
            if first is None and time.monotonic() > end - MINUTES * 60 * 0.8:
                begin, first = time.monotonic(), self.footprints()
        last = self.footprints()
        span = time.monotonic() - begin
        for name, (memory, opened, used) in last.items():
            print(f"{name}: {memory:.1f} MiB (was {first[name][0]:.1f}), {opened} descriptors (was "
                  f"{first[name][1]}), {100 * (used - first[name][2]) / span:.2f} % of a core")
            self.assertLess(memory, first[name][0] + GROWTH_MIB_MAX)
            self.assertLess(memory, OVERHEAD_MIB_MAX)
            self.assertLessEqual(opened, first[name][1] + 4)
        for guest in guests:
            guest.tell("work 0")
        self.wait_each_runs_once(60)
        self.check_beats()
        print(f"{len(seen)} migrations")
        for at, (when, vm, _, to) in enumerate(seen):
            back = [before for before, other, left, _ in seen[:at]
                    if other == vm and left == to and when - before < NO_RETURN_S]
            self.assertEqual(back, [], f"{vm} came back to {to} too soon")


if __name__ == "__main__":
    main()
