"""The doors of a node under pressure, with the limits that its unit gives it: strangers that say
nothing, slow senders, half handshakes, floods by one trusted key. Throughout, a well-behaved slave
is acknowledged, `ballast status` is answered, and a revocation takes; afterwards the process is as
small as it was.

usage: door_test.py BALLAST [TEST]...
"""
import pathlib
import re
import socket
import sys
import time
import unittest

import zmq

from fleet import Fleet
from memory_bound import MemoryBound
from peer import Identity, Peer, packed
from waiting import wait_for

HOSTS = {"m": (10_000, 65_536), "s": (10_000, 65_536)}
VMS = {"v1": ("m", 1_000, 1_024)}
DESCRIPTORS = 1024  # a quarter of the unit's, so that they are soon used up
SILENT = 1_500
SLOW = 400
FLOODING = 40
FLOOD_BYTES = 512 << 10
GREETING = (b"\xff" + bytes(7) + b"\x01\x7f\x03\x00CURVE").ljust(64, b"\0")
LONG_FRAME = b"\x06" + (1_000_000).to_bytes(8, "big")  # a command: libzmq makes room for all of it
# A command of 200 bytes that begins as CURVE's HELLO does (RFC 26), and never ends.
HALF_HELLO = b"\x04\xc8\x05HELLO\x01\x00" + bytes(100)
HALF = 400
MIB = 1 << 20
UNIT = pathlib.Path(__file__).parents[2] / "conf/ballast.service"
MEMORY_MAX = int(re.search(r"^MemoryMax=(\d+)M$", UNIT.read_text(), re.M)[1]) * MIB
# What docs/safety.md adds up for a node without a group, and what may stay of it.
RESIDENT_MAX = 600 * MIB
STAYS_MAX = 48 * MIB


class Doors(unittest.TestCase):
    binary = ""

    def setUp(self):
        bound = MemoryBound("ballast-door", MEMORY_MAX)
        self.addCleanup(bound.remove)  # after the fleet's
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        self.fleet.write_trace(HOSTS, VMS)
        self.master = self.fleet.add("m", "master")
        self.master.inside = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
        self.fleet.trust(self.master, self.master, master=True)
        self.good, self.enemy = (Identity(name) for name in ("good", "enemy"))
        for who in (self.good, self.enemy):
            self.fleet.trust(self.master, who)
        self.master.start()
        bound.hold(self.master.process.pid)
        if not bound.place:
            print("no control group can be made here: the memory is looked at, and not bounded")
        self.endpoint = self.master.wait_status("answers", bool)["endpoint"]
        self.peer = Peer(self.good, "m", self.endpoint, {"m": self.master.key})
        self.addCleanup(self.peer.close)
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)
        self.assertEqual(self.peer.attach(), (True, ""))
        self.peer.report_until_heard()
        self.before = self.resident()
        self.changes = 0
        self.sockets = []
        self.addCleanup(lambda: [one.close() for one in self.sockets])

    # --- hands ---

    def of_process(self, what):
        status = pathlib.Path(f"/proc/{self.master.process.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.M)[1]) << 10

    def resident(self):
        return self.of_process("VmRSS")

    def connect(self):
        host, port = self.endpoint.removeprefix("tcp://").split(":")
        one = socket.create_connection((host, int(port)))
        one.setblocking(False)
        self.sockets.append(one)
        return one

    @staticmethod
    def push(one, data):
        """As much as is taken; False when the other end has hung up."""
        try:
            one.send(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def check_is_served(self):
        """Slave, operator, and a change of trust."""
        self.peer.report_until_heard()
        self.assertIsNotNone(self.master.status())
        before = self.trust_read()
        self.changes += 1
        self.fleet.trust(self.master, Identity(f"late{self.changes}"))

        def read_again():
            self.peer.report_until_heard()
            return self.trust_read() > before
        wait_for("the trust file is read again", read_again)

    def trust_read(self):
        return self.master.log().count("who is trusted has changed")

    def counter(self, name):
        return self.master.wait_status("answers", bool)["counters"].get(name, 0)

    def check_is_small_again(self):
        self.assertLess(self.of_process("VmHWM"), RESIDENT_MAX)
        wait_for(f"it is as small as before ({self.before >> 20} MiB)",
                 lambda: (self.peer.report_until_heard(), self.resident())[1]
                 < self.before + STAYS_MAX)

    # --- who stands at the door ---

    def test_strangers_that_say_nothing(self):
        for _ in range(SILENT):
            self.connect()
        self.check_is_served()
        wait_for("most are cut", lambda: self.counter("net_cut_unproven_too_many") > SILENT // 2)
        # A slave that is not connected yet gets in beside them.
        self.peer.close()
        self.peer = Peer(self.good, "m", self.endpoint, {"m": self.master.key})
        self.addCleanup(self.peer.close)
        self.peer.epoch = [2, 1]
        self.assertEqual(self.peer.attach(), (True, ""))
        self.check_is_small_again()

    def test_half_handshakes(self):
        for number in range(HALF):
            one = self.connect()
            half = (GREETING[:1 + number % 63], GREETING, GREETING + HALF_HELLO)[number % 3]
            self.push(one, half)
        self.check_is_served()
        wait_for("most are cut", lambda: self.counter("net_cut_unproven_too_many") > HALF // 2)
        self.check_is_small_again()

    def test_slow_senders_of_large_frames(self):
        slow = []
        for turn in range(40):
            slow += [self.connect() for _ in range(SLOW // 40)]
            for one in slow[-SLOW // 40:]:
                self.push(one, GREETING + LONG_FRAME)
            slow = [one for one in slow if self.push(one, bytes(64 << 10))]
            if turn % 10 == 0:
                self.peer.report_until_heard()
        self.check_is_served()
        wait_for("most are cut", lambda: self.counter("net_cut_unproven_too_long")
                 + self.counter("net_cut_unproven_too_many") > SLOW // 2)
        self.check_is_small_again()

    def test_a_trusted_key_with_many_connections_and_full_queues(self):
        flood = []
        for _ in range(FLOODING):
            one = self.context.socket(zmq.DEALER)
            one.linger = 0
            one.sndhwm = 8
            self.enemy.be_curve_client(one, self.master.key)
            one.connect(self.endpoint)
            flood.append(one)
        junk = bytes(FLOOD_BYTES)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for one in flood:
                try:
                    one.send(junk, zmq.DONTWAIT)
                except zmq.Again:
                    pass
            self.peer.report_until_heard()
        self.check_is_served()
        wait_for("connections are cut", lambda: self.counter("net_cut_connections_of_key") > 0)
        revoked = self.fleet.ballast("trust", "revoke", "--state-dir", self.master.folder, "enemy")
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        wait_for("the flood is cut off",
                 lambda: self.counter("net_refused_keys") > 0 and self.peer.report() > 0)
        for one in flood:
            one.close()
        self.check_is_small_again()

    def test_a_trusted_key_that_chooses_its_routing_id(self):
        for name in (b"x" * 5, b"y" * 255):
            one = self.context.socket(zmq.DEALER)
            self.addCleanup(one.close, 0)
            one.linger = 0
            one.routing_id = name
            self.enemy.be_curve_client(one, self.master.key)
            one.connect(self.endpoint)
            one.send(packed("Settle", [["m", 1, 1], "v1"], "enemy"))
        wait_for("they are cut off", lambda: self.counter("net_cut_chosen_names") >= 2)
        self.check_is_served()


if __name__ == "__main__":
    Doors.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
