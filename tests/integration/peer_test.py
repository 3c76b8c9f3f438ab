"""A peer that knows Ballast only from docs/protocol.md is served like any other node, and what it
must not do is refused and counted, whatever it tries.

usage: peer_test.py BALLAST [TEST]...
"""
import sys
import unittest

from fleet import Fleet
from peer import (ABSENT, ACCEPTED, FAILED, LEASE_ABSENT, REFUSED, TOLD, Identity, Peer, nonce_of,
                  read_offer, receive, seek, udp_socket)
from waiting import wait_for

HOSTS = {"m": (10_000, 65_536)}
OF_VM = 0  # whose fault it is: of this VM at that target
BUSY = 8 * [1_200]  # MHz: 96 % of a host
HEAVY = [(f"v{i}", mhz, 1_024) for i, mhz in enumerate(BUSY)]


class Served(unittest.TestCase):
    """One master, one peer."""
    binary = ""

    def setUp(self):
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)

    def start(self, vms_of_master):
        self.fleet.write_trace(HOSTS, {vm: ("m", mhz, mib) for vm, mhz, mib in vms_of_master})
        self.master = self.fleet.add("m", "master")
        self.fleet.trust(self.master, self.master, master=True)
        identity = Identity("p")
        self.fleet.trust(self.master, identity)
        self.master.start()
        self.endpoint = self.master.wait_status("answers", bool)["endpoint"]
        self.peer = Peer(identity, "m", self.endpoint, {"m": self.master.key})
        self.addCleanup(self.peer.close)

    def test_it_reports_gets_an_order_asks_the_target_and_tells_the_outcome(self):
        self.start([("w1", 1_500, 1_024)])
        peer = self.peer
        peer.vms, peer.over_samples = HEAVY, 2
        self.assertEqual(peer.attach(), (True, ""))
        peer.report_until_heard()
        self.master.wait_status("p is over", lambda s: any(
            h["id"] == "p" and h["state"] == "over" and h["vms"] == len(HEAVY)
            for h in s["hosts"]))

        lease, epoch, vm, target, target_endpoint, why, hypervisor = peer.expect("Order")
        self.assertEqual((lease[0], epoch, target), ("m", peer.epoch, "m"))
        self.assertEqual((target_endpoint, hypervisor), (self.endpoint, "m"))
        self.assertIn(vm, [name for name, _, _ in HEAVY])
        self.assertIn("96.0 %", why)
        peer.send("Outcome", [lease, vm, ACCEPTED, peer.sequence, "", OF_VM])
        self.assertEqual(peer.expect("OutcomeAck"), [lease, ACCEPTED])

        # The target is the master's own host: asked where the order says, which is where we are.
        peer.send("Begin", [lease, vm, [1_200, 1_024, 0], False, [0, 0, 0]])
        begun, yes, reason, uri = peer.expect("BeginAnswer")
        self.assertEqual((begun, yes, reason), (lease, True, ""))
        self.assertTrue(uri)
        # There is no VM to send: both ends say so, and the lease ends.
        peer.send("Settle", [lease, vm, False])
        self.assertEqual(peer.expect("SettleAnswer"), [lease, vm, ABSENT, ""])
        peer.send("Outcome", [lease, vm, FAILED, peer.sequence, "a peer without a hypervisor",
                              OF_VM])
        self.assertEqual(peer.expect("OutcomeAck"), [lease, FAILED])
        self.master.wait_status("the lease has ended", lambda s: all(
            one["vm"] != vm for one in s["leases"]))

    def test_it_is_told_of_a_lease_and_asked_to_begin_and_may_say_no(self):
        self.start(HEAVY)
        peer = self.peer
        self.assertEqual(peer.attach(), (True, ""))
        lease, epoch, vm, holder, holder_endpoint, load = peer.expect("LeaseTell")
        self.assertEqual((lease[0], epoch, holder), ("m", peer.epoch, "m"))
        self.assertEqual(holder_endpoint, self.endpoint)
        self.assertEqual(load[:2], [1_200, 1_024])
        peer.send("LeaseState", [lease, TOLD, peer.sequence, ""])

        *begin, swing = peer.expect("Begin")
        self.assertEqual(begin, [lease, vm, load, False])
        self.assertEqual(len(swing), 3)
        peer.answer_at_door("BeginAnswer", [lease, False, "a peer without a hypervisor", ""])
        self.assertEqual(peer.expect("LeaseRevoke")[:2], [lease, vm])
        peer.send("LeaseState", [lease, LEASE_ABSENT, peer.sequence, ""])
        self.assertEqual(peer.expect("LeaseStateAck"), [lease, LEASE_ABSENT])
        self.master.wait_status("the lease has ended", lambda s: all(
            one["vm"] != vm or one["to"] != "p" for one in s["leases"]))
        self.assertEqual(sorted(self.master.stored_vms()), [name for name, _, _ in HEAVY])

    def test_an_order_that_it_refuses_is_asked_of_it_no_more_for_a_while(self):
        self.start([("w1", 1_500, 1_024)])
        peer = self.peer
        peer.vms, peer.over_samples = HEAVY, 2
        peer.attach()
        refused = set()
        # Each VM that is refused rests, and the next one is tried.
        for _ in range(3):
            lease, _, vm, _, _, _, _ = peer.expect("Order")
            self.assertNotIn(vm, refused)
            refused.add(vm)
            peer.send("Outcome", [lease, vm, REFUSED, peer.sequence, "not this one", OF_VM])
            self.assertEqual(peer.expect("OutcomeAck"), [lease, REFUSED])

    def test_it_finds_its_master_by_beacon_and_leaves_it(self):
        beacon = udp_socket()
        port = beacon.getsockname()[1]
        beacon.close()
        self.fleet.write_trace(HOSTS, {})
        self.master = self.fleet.add("m", "master")
        config = self.master.config
        config.write_text(config.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'))
        self.fleet.trust(self.master, self.master, master=True)
        identity = Identity("p")
        self.fleet.trust(self.master, identity)
        self.master.start()
        trusted = {"m": self.master.key}
        sock = udp_socket()
        self.addCleanup(sock.close)
        nonces = []

        def ask():
            nonces.append(nonce_of(seek("p")))
            sock.sendto(seek("p", nonces[-1]), ("127.0.0.1", port))
            return receive(sock)[0]
        text = wait_for("an offer", ask)
        nonce, master, endpoint, _, free, slaves = read_offer(text, identity, trusted)
        self.assertIn(nonce, nonces)
        self.assertEqual((master, free + slaves), ("m", 64))
        peer = Peer(identity, "m", endpoint, trusted)
        self.addCleanup(peer.close)
        self.assertEqual(peer.attach(), (True, ""))
        peer.send("Leave", [peer.epoch, "it belongs to nobody"])
        self.assertEqual(peer.expect("LeaveAck"), [peer.epoch])
        self.master.wait_status("it has left", lambda s: len(s["hosts"]) == 1)


if __name__ == "__main__":
    Served.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
