"""Peers that cheat, one way after the other, all at the same master: each is refused and counted,
and after each one a well-behaved peer is still served.

usage: cheat_test.py BALLAST [TEST]...
"""
import sys
import unittest

import msgpack
import zmq

from fleet import Fleet
from peer import (KINDS, TOLD, Identity, Peer, beacon, beacon_text, nonce_of, offer, packed,
                  read_offer, receive, seek, udp_socket)
from waiting import wait_for

HOSTS = {"m": (10_000, 65_536), "s": (10_000, 65_536)}
VMS = {"v1": ("m", 1_000, 1_024)}
LEASE = ["m", 1, 1]
EPOCH = [1, 1]
LOAD = [100, 512, 0]
WHERE = "tcp://127.0.0.1:9"
ME = ["slave", WHERE, WHERE]
SUMMARY = [ME, 1, 0, [0, 0, 0], [9_000, 9_000, None], [[9_000, 9_000, None]], [], [], 0, False]
ITEM = [msgpack.packb([1, 1, SUMMARY]), bytes(64)]
ENTRY = [2**63, 1, 1]
# What only masters may say: a good body of each, as docs/protocol.md lays it out.
OF_MASTERS = {
    "AttachAnswer": [EPOCH, False, "go away"],
    "ReportAck": [EPOCH, 1],
    "Order": [LEASE, EPOCH, "v1", "slave", WHERE, "for me", "slave"],
    "OutcomeAck": [LEASE, 0],
    "LeaseTell": [LEASE, EPOCH, "v1", "slave", WHERE, LOAD],
    "LeaseRevoke": [LEASE, "v1", True, True],
    "LeaseStateAck": [LEASE, TOLD],
    "Gossip": [[ITEM], [ENTRY]],
    "Neighbor": [ME, True, True],
    "NeighborAnswer": [ME, True, [ME]],
    "Disconnect": [[ME]],
    "Shuffle": [ME, [ME]],
    "ShuffleAnswer": [[ME]],
    "Pull": [[ENTRY]],
    "Pulled": [[ITEM]],
    "Request": [1, [["v2", LOAD, "slave", WHERE, False, None, 0, ["h"], 0]]],
    "RequestAnswer": [1, [["v1", LEASE, "slave", WHERE, ["v2", LOAD, WHERE, True], "slave"]],
                      [["v1", 0, 0]], [[9_000, 9_000, None]]],
    "Release": [LEASE],
    "ReleaseAck": [LEASE],
    "SwapBack": [LEASE, ["slave", 1, 1], "slave", WHERE, "slave"],
    "SwapOver": [LEASE, "for me"],
    "SwapOverAck": [LEASE],
    "Proposal": [1, 1, 0, 1, [[LEASE, "v1", "m", EPOCH, "slave", 0.5]]],
    "Verdict": [1, 1, [[LEASE, 0, 0, ""]]],
    "Promote": [ME, "for me"],
    "Dismiss": [EPOCH, "for me"],
    "LeaveAck": [EPOCH],
    "ReportAsk": [EPOCH],
    "Reply": [1, 0, "so be it", []],
    "Drain": [EPOCH, True, "for me"],
    "Paused": [EPOCH, True],
}
# What a slave may say, but of things that it has no part in.
OF_SLAVES = {
    "Outcome": [LEASE, "v1", 3, 1, "arrived with me, I swear", 0],
    "LeaseState": [LEASE, 2, 1, ""],
    "Begin": [LEASE, "v1", LOAD, True, [0, 0, 0]],
    "BeginAnswer": [LEASE, True, "", "tcp://127.0.0.1:9"],
    "Settle": [LEASE, "v1", True],
    "SettleAnswer": [LEASE, "v1", 1, ""],
    "Leave": [[99, 99], "all of us"],
    "Disbelief": [],
    "Alarms": [[[1, False, 0, "look at me"]]],
}
MALFORMED = {
    "nothing": b"",
    "no msgpack": b"\xc1" * 64,
    "an array cut short": packed("Settle", [LEASE, "v1", False], "slave")[:-3],
    "bytes after the end": packed("Settle", [LEASE, "v1", False], "slave") + b"\0",
    "another version": msgpack.packb([1, "test", "slave", 1, 1, 14, [LEASE, "v1"]]),
    "kind 0": packed(0, [], "slave"),
    "a kind of the future": packed(len(KINDS) + 1, [], "slave"),
    "a map": msgpack.packb({"version": 3}),
    "a body too long": packed("Settle", [LEASE, "v1", False, 1], "slave"),
    "a body too short": packed("Settle", [LEASE], "slave"),
    "an id of 129 bytes": packed("Settle", [LEASE, "v" * 129, False], "slave"),
    "an id with a control character": packed("Settle", [LEASE, "v\n1", False], "slave"),
    "a number below zero": packed("Settle", [["m", -1, 1], "v1", False], "slave"),
    "no number": packed("Begin", [LEASE, "v1", [float("nan"), 1, 1], False, [0, 0, 0]], "slave"),
    "a load without end": packed("Begin", [LEASE, "v1", [float("inf"), 1, 1], False, [0, 0, 0]],
                                 "slave"),
    "a presence that is none": packed("SettleAnswer", [LEASE, "v1", 6, ""], "slave"),
    "a list of 2^32 VMs":
        packed("Settle", [LEASE, "v1", False], "slave")[:-4] + b"\xdd\xff\xff\xff\xff",
    "a text of 2^32 bytes": b"\x97\x03\xdb\xff\xff\xff\xff",
    "a thousand arrays in each other": b"\x97\x03" + b"\x91" * 1_000,
    "a VM twice":
        packed("Request", [1, 2 * [["v2", LOAD, "m", WHERE, False, None, 0, [], 0]]], "slave"),
}
FLOOD = 3_000
GIANT_BYTES = 2 << 20


class Cheats(unittest.TestCase):
    binary = ""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(cls.binary)
        cls.addClassCleanup(cls.fleet.cleanup)
        cls.fleet.write_trace(HOSTS, VMS)
        with udp_socket() as free:
            cls.beacon = free.getsockname()
        cls.master = cls.fleet.add("m", "master")
        config = cls.master.config
        config.write_text(config.read_text().replace(
            'beacon = "127.0.0.1:0"', f'beacon = "127.0.0.1:{cls.beacon[1]}"'))
        cls.fleet.trust(cls.master, cls.master, master=True)
        cls.good, cls.slave, cls.rival = (Identity(name) for name in ("good", "slave", "rival"))
        for who in (cls.good, cls.slave, cls.rival):
            cls.fleet.trust(cls.master, who, master=who is cls.rival)
        cls.master.start()
        cls.endpoint = cls.master.wait_status("answers", bool)["endpoint"]
        cls.trusted = {"m": cls.master.key}
        cls.peer = Peer(cls.good, "m", cls.endpoint, cls.trusted)
        cls.addClassCleanup(cls.peer.close)
        cls.context = zmq.Context()
        cls.addClassCleanup(cls.context.destroy, linger=0)

    def setUp(self):
        self.addCleanup(self.check_good_peer_is_served)

    def check_good_peer_is_served(self):
        self.assertEqual(self.peer.attach(), (True, ""))
        self.peer.report_until_heard()
        hosts = [host["id"] for host in self.master.status()["hosts"]]
        self.assertEqual([host for host in hosts if host not in ("s", "slave")], ["good", "m"])
        self.assertEqual(self.master.stored_vms(), ["v1"])

    # --- hands ---

    def counters(self):
        return self.master.wait_status("answers", bool)["counters"]

    def wait_counted(self, name, before, at_least=1):
        """Until the counter has risen by so much; gives back by how much it has."""
        goal = before.get(name, 0) + at_least
        status = self.master.wait_status(
            f"{name} is {goal} or more", lambda s: s["counters"].get(name, 0) >= goal)
        return status["counters"][name] - before.get(name, 0)

    def dial(self, identity=None, kind=zmq.DEALER, endpoint=None):
        sock = self.context.socket(kind)
        self.addCleanup(sock.close, 0)
        sock.linger = 0
        if identity:
            identity.be_curve_client(sock, self.master.key)
        if kind == zmq.SUB:
            sock.subscribe(b"own")
        sock.connect(endpoint or self.endpoint)
        return sock

    def ask_offer(self, identity, wants=0):
        """(nonce, master, endpoint, feed, ...) of an offer, and its bytes."""
        sock = udp_socket()
        self.addCleanup(sock.close)

        def ask():
            sock.sendto(seek(identity.name, wants=wants), self.beacon)
            return receive(sock)[0]
        text = wait_for("an offer", ask)
        return read_offer(text, identity, self.trusted), text

    def feed(self):
        return self.ask_offer(self.rival, wants=2)[0][3]

    # --- who they are ---

    def test_one_without_a_key_does_not_get_in(self):
        before = self.counters()
        sock = self.dial()
        sock.send(packed("Settle", [LEASE, "v1"], "good"))
        self.wait_counted("net_failed_handshakes", before)
        self.assertEqual(self.counters().get("net_dropped_impostor", 0),
                         before.get("net_dropped_impostor", 0))

    def test_one_with_a_key_that_nobody_trusts_does_not_get_in(self):
        before = self.counters()
        self.dial(Identity("good")).send(packed("Settle", [LEASE, "v1", False], "good"))
        self.wait_counted("net_refused_keys", before)

    def test_one_with_a_good_key_does_not_speak_for_another(self):
        before = self.counters()
        sock = self.dial(self.slave)
        names = ("good", "m", "rival", "nobody")
        for name in names:
            sock.send(packed("Leave", [[99, 99], "it was not me"], name, (1, 2)))
        self.assertEqual(self.wait_counted("net_dropped_impostor", before, len(names)), len(names))

    def test_one_of_another_cluster_is_not_heard(self):
        before = self.counters()
        self.dial(self.slave).send(packed("Settle", [LEASE, "v1", False], "slave", cluster="other"))
        self.wait_counted("net_dropped_wrong_cluster", before)

    # --- what they may ---

    def test_a_slave_that_plays_master_is_not_heard(self):
        before = self.counters()
        sock = self.dial(self.slave)
        for kind, body in OF_MASTERS.items():
            sock.send(packed(kind, body, "slave"))
        self.assertEqual(self.wait_counted("net_dropped_not_master", before, len(OF_MASTERS)),
                         len(OF_MASTERS))
        self.assertEqual(self.counters().get("net_dropped_undecodable", 0),
                         before.get("net_dropped_undecodable", 0))

    def test_a_slave_that_meddles_with_leases_of_others_changes_nothing(self):
        before = self.counters()
        sock = self.dial(self.slave)
        for kind, body in OF_SLAVES.items():
            sock.send(packed(kind, body, "slave"))
        self.wait_counted("net_received", before, len(OF_SLAVES))
        status = self.master.status()
        self.assertEqual(status["leases"] + status["in_flight"], [])
        self.assertEqual(status["counters"].get("net_dropped_undecodable", 0),
                         before.get("net_dropped_undecodable", 0))

    def test_a_slave_does_not_get_the_feed_of_masters(self):
        before = self.counters()
        sock = self.dial(self.slave, zmq.SUB, self.feed())
        self.wait_counted("net_refused_subscribers", before)
        self.assertEqual(sock.poll(0), 0)

    # --- beacons ---

    def test_replayed_forged_and_foreign_offers_move_no_slave(self):
        """We stand between a slave without a master and the master, and pass on what we like."""
        between = udp_socket()
        self.addCleanup(between.close)
        host = self.fleet.add("s", "slave")
        host.config.write_text(host.config.read_text().replace(
            'role = "slave"', f'role = "slave"\nseeds = ["127.0.0.1:{between.getsockname()[1]}"]'))
        for by, who in ((host, host), (host, self.master), (host, self.slave), (self.master, host)):
            self.fleet.trust(by, who, master=who is self.master)
        host.start()

        _, stale = self.ask_offer(self.good)

        def try_offer(counter, text_of):
            """An offer of ours for each seek, until the slave has counted one."""
            def offered():
                said, address = receive(between)
                if said:
                    between.sendto(text_of(said), address)
                return (host.status() or {"counters": {}})["counters"].get(counter, 0) > 0
            wait_for(f"the slave counts {counter}", offered)
            self.assertIsNone(host.status()["master"])
        # A good offer, but made for another and long ago.
        try_offer("beacon_dropped_not_asked_for", lambda said: stale)
        # The right seeker and nonce, in the name of the master, with a hash of somebody else.
        try_offer("beacon_dropped_bad_mac", lambda said: offer(
            "s", nonce_of(said), Identity("m"), host.key, WHERE))
        # All in order, but a slave may not offer.
        try_offer("beacon_dropped_stranger", lambda said: offer(
            "s", nonce_of(said), self.slave, host.key, WHERE))
        try_offer("beacon_dropped_undecodable", lambda said: said[:-1])

        seeker = None

        def passed_on():
            nonlocal seeker
            said, sender = receive(between)
            if sender == self.beacon:
                between.sendto(said, seeker)
            elif said:
                seeker = sender
                between.sendto(said, self.beacon)
            return host.status()["master"] == "m"
        wait_for("the slave attaches where the true offer says", passed_on)
        host.stop()

    def test_beacons_that_say_nothing_good_are_counted(self):
        before = self.counters()
        sock = udp_socket()
        self.addCleanup(sock.close)
        peer = beacon_text("slave") + 2 * beacon_text(WHERE)
        for counter, text in {
                "beacon_dropped_undecodable": b"BAL\x01\x09junk",
                "beacon_dropped_wrong_cluster": beacon(1, beacon_text("good") + bytes(17), "other"),
                "beacon_dropped_stranger": beacon(3, peer),
                "beacon_dropped_not_asked_for": offer("m", bytes(16), self.rival, self.master.key,
                                                      WHERE)}.items():
            sock.sendto(text, self.beacon)
            self.wait_counted(counter, before)

    def test_a_flood_of_beacons_is_cut_short(self):
        before = self.counters()
        sock = udp_socket()
        self.addCleanup(sock.close)

        def flooded():
            for _ in range(300):
                sock.sendto(b"BAL\x01\x09junk", self.beacon)
            return self.counters().get("beacon_dropped_too_often", 0) > before.get(
                "beacon_dropped_too_often", 0)
        wait_for("beacons that came too often", flooded)

    # --- how much ---

    def test_a_flood_of_reports_does_not_keep_others_from_being_heard(self):
        before = self.counters()
        flooder = Peer(self.slave, "m", self.endpoint, self.trusted)
        self.addCleanup(flooder.close)
        flooder.attach()
        self.peer.attach()
        for _ in range(10):
            for _ in range(FLOOD // 10):
                flooder.send("Report", [1, None, flooder.host_report()])
            self.peer.report_until_heard()
        self.wait_counted("reports_outdated", before, FLOOD)

    def test_a_flood_of_junk_does_not_keep_others_from_being_heard(self):
        before = self.counters()
        sock = self.dial(self.slave)
        self.peer.attach()
        for _ in range(10):
            for _ in range(FLOOD // 10):
                sock.send(b"junk")
            self.peer.report_until_heard()
        self.assertEqual(self.wait_counted("net_dropped_undecodable", before, FLOOD), FLOOD)

    def test_a_giant_message_ends_its_connection(self):
        before = self.counters()
        self.dial(self.slave).send(bytes(GIANT_BYTES))
        self.wait_counted("net_lost_sessions", before)
        self.assertEqual(self.counters().get("net_dropped_undecodable", 0),
                         before.get("net_dropped_undecodable", 0))

    def test_messages_in_parts_are_dropped(self):
        before = self.counters()
        sock = self.dial(self.slave)
        sock.send_multipart([b"part"] * 100)
        self.wait_counted("net_dropped_extra_frames", before)

    def test_each_malformed_message_is_counted_once(self):
        sock = self.dial(self.slave)
        for what, frame in MALFORMED.items():
            with self.subTest(what=what):
                before = self.counters()
                sock.send(frame)
                self.assertEqual(self.wait_counted("net_dropped_undecodable", before), 1)

    # --- subscriptions ---

    def test_subscriptions_to_what_there_is_not_are_cut(self):
        before = self.counters()
        sock = self.dial(self.rival, zmq.SUB, self.feed())
        sock.subscribe(b"everything")
        self.wait_counted("net_unknown_topics", before)

    def test_endless_changes_of_subscriptions_are_cut(self):
        before = self.counters()
        sock = self.dial(self.rival, zmq.SUB, self.feed())

        def changed():
            for _ in range(100):
                sock.subscribe(b"again")
                sock.unsubscribe(b"again")
            return self.counters().get("net_subscriptions_too_many", 0) > before.get(
                "net_subscriptions_too_many", 0)
        wait_for("subscriptions that changed too often", changed)

    def test_more_connections_to_the_feed_than_one_needs_are_cut(self):
        before = self.counters()
        feed = self.feed()
        for _ in range(12):
            self.dial(self.rival, zmq.SUB, feed)
        self.wait_counted("net_subscribers_too_many", before)


if __name__ == "__main__":
    Cheats.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
