"""A host is emptied before maintenance: within its group, across groups, or not at all. Asked for
at any node; with `why`, `events` and `best-host`.

usage: drain_test.py BALLAST [TEST]...
"""
import json
import socket
import sys
import unittest

from fleet import Fleet

MIB = 1_024
HOSTS = {name: (10_000, 65_536) for name in ("m1", "a1", "m2", "b1")}
GROUPS = {"m1": "a1", "m2": "b1"}  # master: slave


def free_udp_ports(count):
    """Ports of loopback that nobody has now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def state_of(host, status):
    return next((h["state"] for h in status["hosts"] if h["id"] == host), "")


class Drain(unittest.TestCase):
    binary = ""

    def setUp(self):
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        self.nodes = {}

    def start(self, vms):
        """Two groups whose masters know each other. `vms`: {vm: (host, MHz)}."""
        self.fleet.write_trace(HOSTS, {vm: (*on, MIB) for vm, on in vms.items()})
        ports = dict(zip(GROUPS, free_udp_ports(len(GROUPS))))
        seeds = ", ".join(f'"127.0.0.1:{port}"' for port in ports.values())
        for master, slave in GROUPS.items():
            node = self.nodes[master] = self.fleet.add(master, "master")
            # One place each: a slave that waits too long for its own master joins no other.
            text = node.config.read_text().replace(
                'beacon = "127.0.0.1:0"', f'beacon = "127.0.0.1:{ports[master]}"').replace(
                    "[node]", f"[node]\nseeds = [{seeds}]") + "[limits]\nmax_slaves = 1\n"
            node.config.write_text(text)
            self.fleet.trust(node, node, master=True)
            node.start()
            self.nodes[slave] = self.fleet.add(slave, "slave", "auto", node)
        self.fleet.trust_each_other()
        for master, slave in GROUPS.items():
            self.nodes[slave].start()
            self.nodes[master].wait_status("its group is whole and it knows the other", lambda s: (
                len(s["hosts"]) == 2 and len(s["masters"]) == 1))
        # Room is told once samples are there; and in the first two intervals nothing moves.
        for master in GROUPS:
            self.nodes[master].wait_status("it plans, and knows of the other's room", lambda s: (
                s["counters"].get("plans_made", 0) >= 3 and s["masters"][0]["spare"]["cpu"] > 0))

    def ask(self, node, *words):
        """Exit code and answer."""
        ran = self.fleet.ballast(*words, "--json", "--control", self.nodes[node].control)
        self.assertEqual(ran.stderr, "")
        return ran.returncode, json.loads(ran.stdout)

    def placement(self):
        where = {}
        for node in self.nodes.values():
            for vm in node.stored_vms():
                where.setdefault(vm, []).append(node.name)
        return where

    def test_a_drain_across_groups_lasts_over_restarts_and_ends(self):
        # m1 has no room for any of a1's.
        self.start({"w1": ("m1", 7_000), "v1": ("a1", 1_500), "v2": ("a1", 1_500),
                    "w2": ("m2", 3_000), "w3": ("b1", 3_000)})
        code, answer = self.ask("b1", "drain", "a1")  # at a slave of the other group
        self.assertEqual((code, answer["format"], answer["ok"]), (0, "ballast-drain/1", True))
        self.assertEqual({fact["vm"] for fact in answer["facts"]}, {"v1", "v2"})
        self.assertEqual({fact["master"] for fact in answer["facts"]}, {"m2"})
        master, host = self.nodes["m1"], self.nodes["a1"]
        master.wait_status("a1 is empty", lambda s: state_of("a1", s) == "drained")
        where = self.placement()
        self.assertEqual({vm: len(hosts) for vm, hosts in where.items()},
                         {vm: 1 for vm in ("v1", "v2", "w1", "w2", "w3")})
        self.assertTrue(set(where["v1"] + where["v2"]) <= {"m2", "b1"})
        host.kill()
        host.start()
        host.wait_status("a second life, drained", lambda s: (
            s["epoch"]["incarnation"] == 2 and s["master"] == "m1"
            and state_of("a1", s) == "drained"))
        master.wait_status("its master knows", lambda s: state_of("a1", s) == "drained")
        _, why = self.ask("m1", "why", "v1")
        kinds = [fact["kind"] for fact in why["facts"]]
        for kind in ("request", "exchange", "ordered", "moved", "measurement"):
            self.assertIn(kind, kinds)
        _, events = self.ask("a1", "events")  # its master's
        self.assertIn("'a1' is drained: no VM is left there",
                      [fact["text"] for fact in events["facts"]])
        code, answer = self.ask("a1", "undrain", "a1")
        self.assertEqual((code, answer["ok"]), (0, True))
        master.wait_status("a1 takes VMs again", lambda s: state_of("a1", s) == "ok")

    def test_a_drain_that_cannot_be_done_says_so_and_moves_nothing(self):
        vms = {"w1": ("m1", 5_000), "v1": ("a1", 5_000), "v2": ("a1", 1_000),
               "w2": ("m2", 4_000), "w3": ("b1", 4_000)}
        self.start(vms)
        code, answer = self.ask("m1", "drain", "a1")
        self.assertEqual((code, answer["ok"]), (1, False))
        self.assertEqual(answer["error"], "'a1' cannot be drained: 1 VM has no other place")
        stays = [fact for fact in answer["facts"] if fact["kind"] == "stays"]
        self.assertEqual([fact["vm"] for fact in stays], ["v1"])
        self.assertIn("it needs 5000 MHz", stays[0]["text"])
        self.assertIn("the most that is left is", stays[0]["text"])
        told = self.fleet.ballast("drain", "a1", "--control", self.nodes["m1"].control)
        self.assertEqual(told.returncode, 1)
        self.assertIn("stays  v1 on a1: no host of the group has the CPU for it: ", told.stdout)
        self.assertIn("cannot be drained", told.stderr)
        master = self.nodes["m1"]
        seen = master.status()["counters"]["plans_made"]
        status = master.wait_status("three more plans",
                                    lambda s: s["counters"]["plans_made"] >= seen + 3)
        self.assertEqual(state_of("a1", status), "ok")
        self.assertEqual(self.placement(), {vm: [host] for vm, (host, _) in vms.items()})
        unknown = self.fleet.ballast("drain", "a9", "--control", self.nodes["b1"].control)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("no master knows host 'a9'", unknown.stderr)
        self.check_room()

    def check_room(self):
        """Where a new VM fits, in both groups; and that it does nowhere."""
        code, answer = self.ask("a1", "best-host", "--cpu", "3000", "--memory", "1024")
        self.assertEqual((code, answer["format"]), (0, "ballast-best-host/1"))
        self.assertEqual([(f["host"], f["master"]) for f in answer["facts"][:2]],
                         [("b1", "m2"), ("m2", "m2")])
        code, answer = self.ask("a1", "best-host", "--cpu", "9000", "--memory", "1024")
        self.assertEqual((code, answer["ok"]), (1, False))
        self.assertIn("no host has room for 9000 MHz", answer["error"])


if __name__ == "__main__":
    Drain.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
