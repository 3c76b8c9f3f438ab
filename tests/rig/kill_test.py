"""Something is killed in the middle of a migration that Ballast ordered. Whatever it is, the guest
never runs twice and runs exactly once at rest; the system notices, comes to rest, and balances on.

usage: kill_test.py BALLAST [TEST]...
"""
from rig.processes import wait_for
from scenario import CORES, Scenario, main

AT_REST_S = 30  # once what was killed is back; a slow machine gets as much again
SLOW_MIB_S = 8  # a migration takes seconds


class Kill(Scenario):

    def setUp(self):
        """h1 leads h2 and h3; on h2 are two guests too many for it, and one is on its way."""
        super().setUp()
        self.guests = self.rig.boot({1: "h2", 2: "h2"}, memory_mib=160, wss_mib=48)
        self.rig.cap(CORES)
        self.install({"h1": "master", "h2": "slave", "h3": "slave"}, bandwidth=SLOW_MIB_S)
        self.start_group("h1", ["h2", "h3"])
        for guest in self.guests:
            guest.tell("work 10000000")
        flight = self.nodes["h1"].wait_status("a guest is in flight", lambda s: [
            move for move in s["in_flight"] if move["state"] == "running"])["in_flight"][0]
        self.vm, self.source, self.target = flight["vm"], flight["from"], flight["to"]
        # Its memory flows: both ends have an emulator for it.
        wait_for(f"{self.vm} is on its way from {self.source} to {self.target}",
                 lambda: self.rig.hosts[self.target].qemu_pids(self.vm))
        self.rig.hosts[self.source].virsh("domjobinfo", self.vm)

    def check_followed(self):
        """The migration was libvirtd's, and went on: it is neither doubled nor ordered anew."""
        self.check_goes_on()
        self.assertEqual(self.rig.running()[self.vm], [self.target])

    def check_goes_on(self):
        """At rest soon; then balanced, which takes the migration that was disturbed."""
        self.wait_each_runs_once(2 * AT_REST_S)
        master = self.nodes["h1"]
        master.wait_status("no lease is open and nothing unknown", lambda s: (
            len(s["hosts"]) == 3 and not s["leases"] and not s["in_flight"]))
        master.wait_status("no host holds two busy guests", lambda s: (
            all(len(hosts) == 1 for hosts in self.rig.running().values())
            and len({host for hosts in self.rig.running().values() for host in hosts}) == 2
            and not s["in_flight"]))
        self.check_each_runs_once()
        self.check_beats()

    def test_the_emulator_at_the_destination(self):
        target = self.rig.hosts[self.target]
        target.kill(target.qemu_pids(self.vm))
        self.check_goes_on()

    def test_the_libvirtd_at_the_destination(self):
        self.rig.hosts[self.target].kill_libvirtd()
        self.rig.hosts[self.target].start_libvirtd()
        self.check_goes_on()

    def test_the_libvirtd_at_the_source(self):
        self.rig.hosts[self.source].kill_libvirtd()
        self.rig.hosts[self.source].start_libvirtd()
        self.check_goes_on()

    def test_ballast_at_the_source(self):
        self.nodes[self.source].kill()
        self.nodes[self.source].start()
        self.check_followed()

    def test_ballast_at_the_destination(self):
        self.nodes[self.target].kill()
        self.nodes[self.target].start()
        self.check_goes_on()

    def test_ballast_at_the_master(self):
        self.nodes["h1"].kill()
        self.nodes["h1"].start()
        self.check_goes_on()

    def test_the_link_of_the_destination_is_cut(self):
        target = self.rig.hosts[self.target]
        target.cut_link()
        # Libvirt gives up after three keepalives of two seconds.
        wait_for("libvirt at the source has given up", lambda: "None" in self.rig.hosts[
            self.source].virsh("domjobinfo", self.vm, check=False).stdout)
        self.assertEqual(self.rig.running()[self.vm], [self.source])
        target.mend_link()
        self.check_goes_on()


if __name__ == "__main__":
    main()
