"""A master's host dies: its slaves find the other master by beacon over the bridge, and go on.

usage: master_test.py BALLAST [TEST]...
"""
from rig.processes import wait_for
from scenario import CORES, Scenario, main


class Master(Scenario):
    def test_slaves_of_a_dead_host_find_the_other_master_and_balance_on(self):
        guests = self.rig.boot({1: "h2", 2: "h2"})
        self.rig.cap(CORES)
        roles = {"h1": "master", "h2": "slave", "h3": "slave", "h4": "master"}
        self.install(roles)
        self.start_group("h1", ["h2", "h3"])
        self.start_group("h4", [])
        for name, other in (("h1", "h4"), ("h4", "h1")):
            self.nodes[name].wait_status(f"knows {other}", lambda s, other=other: other in [
                master["id"] for master in s["masters"]])

        self.rig.hosts["h1"].stop()
        other = self.nodes["h4"]
        other.wait_status("has taken both slaves over", lambda s: {
            host["id"] for host in s["hosts"] if not host["state"].startswith("stale")}
            >= {"h2", "h3", "h4"})
        for name in ("h2", "h3"):
            self.nodes[name].wait_status("knows its new master", lambda s: s["master"] == "h4")

        for guest in guests:
            guest.tell("work 10000000")
        wait_for("the two busy guests are apart", lambda: len(
            {tuple(hosts) for hosts in self.rig.running().values()}) == 2, 180)
        self.wait_each_runs_once(60)
        self.check_beats()


if __name__ == "__main__":
    main()
