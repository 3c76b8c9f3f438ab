"""Busy guests on one host are spread over the group by live migrations, and then over the other
group: by request, grant and exchange.

usage: balance_test.py BALLAST [TEST]...
"""
from rig import certificates
from scenario import CORES, Scenario, main

BUSY = 0.75  # of what one host can do
BEATS = 8


class Balance(Scenario):
    def demand(self, guest):
        """Thousand units a second that are BUSY of what a capped host does."""
        guest.tell("work 10000000")
        guest.wait_beats(2)
        most = guest.rate(BEATS)
        guest.tell("work 0")
        return int(most * BUSY)

    def crowd(self, numbers, host="h1"):
        """Guests on one host, idle, hosts capped; gives back the guests."""
        guests = self.rig.boot({number: host for number in numbers})
        self.rig.cap(CORES)
        return guests

    def check_told_is_true(self):
        """What libvirt reports equals what `ballast status` says."""
        where = self.check_each_runs_once()
        for name, node in self.nodes.items():
            here = sorted(vm for vm, host in where.items() if host == name)
            node.wait_status(f"shows {here}", lambda s, here=here: sorted(s["vms"]) == here)

    def settled(self, status):
        return (status["hosts"] and all(h["state"] == "ok" for h in status["hosts"])
                and not status["in_flight"] and not status["leases"])

    def test_three_busy_guests_are_spread_over_their_group(self):
        certificates.install(self.rig.hosts.values())
        guests = self.crowd([1, 2, 3])
        self.install({"h1": "master", "h2": "slave", "h3": "slave"}, transport="tls")
        work = self.demand(guests[0])
        for guest in guests:
            guest.tell(f"work {work}")
        guests[0].wait_beats(3)
        before = sum(guest.rate(BEATS) for guest in guests)
        self.start_group("h1", ["h2", "h3"])
        master = self.nodes["h1"]
        master.wait_status("each host has one of the three", lambda s: [
            host["vms"] for host in s["hosts"]] == [1, 1, 1] and self.settled(s))
        for guest in guests:
            guest.wait_beats(3)
        after = sum(guest.rate(BEATS) for guest in guests)
        print(f"work: {before:.0f} k/s before, {after:.0f} k/s after: {after / before:.2f} times")
        # They ask for 3 * BUSY = 2.25 of a host and had one. A figure, not a verdict: what all
        # three get depends on what else the machine has to do.
        self.check_beats()
        self.check_told_is_true()

    def test_what_a_group_cannot_hold_goes_to_the_other(self):
        guests = self.crowd([1, 2, 3, 4])
        roles = {"h1": "master", "h2": "slave", "h3": "master", "h4": "slave"}
        self.install(roles)
        # A slave that waits too long for its own master looks for another: there is one place each.
        for name in ("h1", "h3"):
            self.nodes[name].configure(max_slaves=1)
        self.start_group("h1", ["h2"])
        self.start_group("h3", ["h4"])
        for guest in guests:
            guest.tell("work 10000000")  # all it can get: each fills a host
        master = self.nodes["h1"]
        master.wait_status("each host has one of the four", lambda _: sorted(
            hosts[0] for hosts in self.rig.running().values() if hosts) == sorted(roles))
        for name in ("h1", "h3"):
            self.nodes[name].wait_status("at rest", self.settled)
        self.assertGreaterEqual(self.nodes["h3"].status()["counters"]["grants_given"], 2)
        self.check_beats()
        self.check_told_is_true()


if __name__ == "__main__":
    main()
