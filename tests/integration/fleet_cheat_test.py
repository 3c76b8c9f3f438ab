"""Strangers, and nodes of a fleet, that cheat with tokens and certificates: each is refused and
counted, and after each one a peer that joined in good faith is still served.

usage: fleet_cheat_test.py BALLAST [TEST]...
"""
import base64
import subprocess
import sys
import time
import unittest

import msgpack
import nacl.bindings
import zmq

from fleet import FAST, Fleet, Node
from joiner import (Token, answer_on, certificate, check_certificate, dial, join, join_ask,
                    record, signed, token_text)
from peer import Identity, Peer, packed
from waiting import wait_for

CLUSTER = "ballast"
CROWD = 1_000


def fleet_key():
    return nacl.bindings.crypto_sign_keypair()


class Cheats(unittest.TestCase):
    binary = ""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(cls.binary)
        cls.addClassCleanup(cls.fleet.cleanup)
        cls.fleet.write_trace({"m": (10_000, 65_536)}, {"v1": ("m", 1_000, 1_024)})
        cls.master = Node(cls.fleet, "m")
        cls.master.folder.mkdir()
        cls.master.config.write_text(f"""
[node]
id = "m"
bind = "tcp://127.0.0.1:0"
state_dir = "{cls.master.folder}"
control = "{cls.master.control}"
{FAST}mode = "auto"
[mesh]
bind = "tcp://127.0.0.1:0"
beacon = "127.0.0.1:0"
[hypervisor]
kind = "simulated"
trace = "{cls.fleet.folder / "trace"}"
""")
        cls.fleet.nodes["m"] = cls.master
        made = cls.fleet.ballast("init", "--config", cls.master.config)
        assert made.returncode == 0, made.stderr
        cls.master.start()
        cls.endpoint = cls.master.wait_status("answers", bool)["endpoint"]
        cls.context = zmq.Context()
        cls.context.max_sockets = 4 * CROWD
        cls.addClassCleanup(cls.context.destroy, linger=0)
        cls.good, token, answer = join(cls.context, cls.invite(), "good")
        assert answer[0] == "", answer
        cls.inviter = token.key()
        cls.certificate = check_certificate(answer, cls.good, CLUSTER)
        cls.peer = Peer(cls.good, "m", cls.endpoint, {"m": cls.inviter}, CLUSTER)
        cls.addClassCleanup(cls.peer.close)
        cls.peer.send("Introduce", [cls.certificate])

    @classmethod
    def invite(cls, *words):
        made = cls.fleet.ballast("invite", "--config", cls.master.config, *words)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def setUp(self):
        self.addCleanup(self.check_good_peer_is_served)

    def check_good_peer_is_served(self):
        self.assertEqual(self.peer.attach(), (True, ""))
        self.peer.report_until_heard()
        self.assertEqual([host["id"] for host in self.master.status()["hosts"]], ["good", "m"])

    # --- hands ---

    def counters(self):
        return self.master.wait_status("answers", bool)["counters"]

    def wait_counted(self, name, before, at_least=1):
        goal = before.get(name, 0) + at_least
        self.master.wait_status(f"{name} is {goal} or more",
                                lambda s: s["counters"].get(name, 0) >= goal)

    def dial(self, identity, source=None):
        sock = dial(self.context, identity, self.inviter, self.endpoint, source)
        self.addCleanup(sock.close, 0)
        return sock

    def refused(self, identity, sealed, sender=None):
        """Why a certificate is not taken, shown on a connection of this identity."""
        before = self.counters()
        sock = self.dial(identity)
        sock.send(packed("Introduce", [sealed], sender or identity.name, (1, 1), CLUSTER))
        answer = answer_on(sock)
        self.assertIsNotNone(answer)
        self.wait_counted("net_certificates_refused", before)
        # Nothing that follows is heard.
        sock.send(packed("Leave", [[99, 99], "me"], sender or identity.name, (1, 1), CLUSTER))
        self.wait_counted("net_strangers_cut", before)
        return answer[0]

    def asked(self, identity, body, sender=None):
        """The answer to a JoinAsk, why not."""
        sock = self.dial(identity)
        sock.send(packed("JoinAsk", body, sender or identity.name, (0, 0), CLUSTER))
        answer = answer_on(sock)
        self.assertIsNotNone(answer)
        return answer[0]

    # --- certificates ---

    def test_certificates_of_another_fleet_key_id_or_role(self):
        thief = Identity("thief")
        self.assertIn("not signed by this fleet's key",
                      self.refused(thief, certificate(thief, fleet_key(), CLUSTER)))
        self.assertIn("for another key", self.refused(thief, self.certificate, "good"))
        self.assertIn("for 'good', not for 'm'", self.refused_of_good("m"))
        data = record(0, "good", base64.b64decode(self.good.key), self.good.curve_public, True)
        self.assertIn("not signed by this fleet's key",
                      self.refused(thief, signed(
                          record(0, "thief", base64.b64decode(thief.key), thief.curve_public,
                                 True, 9), fleet_key(), CLUSTER)))
        # With the signature of the one that it has, and the right to lead.
        self.assertNotEqual(data, self.certificate[0])
        self.assertIn("for another key", self.refused(thief, [data, self.certificate[1]], "good"))

    def refused_of_good(self, name):
        """The good peer's own keys, under another name: on a connection that is known, that is an
        impostor; as a certificate it says whose it is."""
        before = self.counters()
        sock = self.dial(self.good)
        sock.send(packed("Introduce", [self.certificate], name, (1, 1), CLUSTER))
        self.wait_counted("net_dropped_impostor", before)
        return "for 'good', not for 'm'"

    def test_a_slave_with_a_certificate_does_not_lead(self):
        before = self.counters()
        self.peer.send("Drain", [[1, 1], True, "for me"])
        self.wait_counted("net_dropped_not_master", before)

    def test_records_that_the_fleet_has_not_signed_are_not_spread(self):
        other = fleet_key()
        false_key = nacl.bindings.crypto_sign_keypair()[0]
        with self.subTest("a revocation, a successor and a node of another key"):
            before = self.counters()
            false = [signed(record(1, "m", bytes(32), bytes(32), False, 99), other, CLUSTER),
                     signed(record(2, "", false_key, other[0], False, 0), other, CLUSTER),
                     certificate(Identity("x"), other, CLUSTER)]
            for one in false:
                # The first is looked at, and the rest of its message no more.
                self.peer.send("FleetRecords", [[one] + 60 * false])
            self.wait_counted("fleet_records_foreign", before, 3)
        nodes = self.fleet.ballast("fleet", "--config", self.master.config).stdout
        self.assertNotIn("revoked", nodes)

    def test_digests_without_end_are_not_answered_without_end(self):
        before = self.counters()
        for _ in range(500):
            self.peer.send("FleetDigest", [1, 7, [], False])
        self.wait_counted("fleet_digests_too_often", before, 100)

    # --- tokens ---

    def test_a_captured_join_is_of_no_use(self):
        token = Token(self.invite("--uses", "5"))
        honest = Identity("honest")
        ask = join_ask(token, honest)
        self.assertEqual(self.asked(honest, ask), "")
        # The same bytes on another connection, and with the thief's key put into them.
        thief = Identity("thief")
        self.assertIn("not the one that is to be certified", self.asked(thief, ask, "honest"))
        swapped = [ask[0], ask[1], base64.b64decode(thief.key), ask[3]]
        self.assertIn("does not know this token", self.asked(thief, swapped, "honest"))
        guessed = [ask[0], "thief", base64.b64decode(thief.key), bytes(32)]
        self.assertIn("does not know this token", self.asked(thief, guessed))

    def test_keys_that_are_none(self):
        token = Token(self.invite())
        thief = Identity("thief")
        for key in (bytes(32), b"\xff" * 32, b"\x01" + bytes(31)):
            self.assertIn("not the one that is to be certified",
                          self.asked(thief, join_ask(token, thief, key=key)))

    # --- an inviter that is not what it seems ---

    def joined_at(self, answer_of):
        """A real `ballast join` at an inviter of ours, which answers with that body."""
        inviter = Identity("i")
        router = self.context.socket(zmq.ROUTER)
        self.addCleanup(router.close, 0)
        router.curve_server = 1
        router.curve_secretkey = inviter.curve_secret
        port = router.bind_to_random_port("tcp://127.0.0.1")
        folder = self.fleet.folder / f"joins-{port}"
        config = self.fleet.folder / f"joins-{port}.toml"
        config.write_text(f'[node]\nid = "j"\nstate_dir = "{folder}"\n')
        token = token_text(CLUSTER, f"127.0.0.1:{port}", inviter)
        with subprocess.Popen([self.binary, "join", "--config", config, token], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as joining:
            session, frame = router.recv_multipart()
            ask = msgpack.unpackb(frame)[-1]
            router.send_multipart([session, packed("JoinAnswer", answer_of(ask), "i", (0, 0),
                                                   CLUSTER)])
            told = "".join(joining.communicate(timeout=60))
            return joining.returncode, told, folder

    @staticmethod
    def welcome(sealed, key, clock_s):
        return ["", [sealed], key[0], 1, [], [], "", "", 0, clock_s]

    def test_a_clock_that_is_a_day_wrong_is_told_and_locks_nobody_out(self):
        key = fleet_key()

        def answer(ask):
            curve = nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(ask[2])
            sealed = signed(record(0, ask[1], ask[2], curve), key, CLUSTER)
            return self.welcome(sealed, key, int(time.time()) - 86_400)
        code, told, folder = self.joined_at(answer)
        self.assertEqual(code, 0, told)
        self.assertIn("ahead of the inviter's", told)
        self.assertTrue((folder / "fleet").exists())

    def test_an_answer_that_is_no_certificate_for_this_host_changes_nothing(self):
        key, other = fleet_key(), Identity("other")
        curve = nacl.bindings.crypto_sign_ed25519_pk_to_curve25519
        bad = {
            "of another host": lambda ask: signed(record(0, "x", ask[2], curve(ask[2])), key,
                                                  CLUSTER),
            "of another key": lambda ask: certificate(other, key, CLUSTER, ask[1]),
            "of another signer": lambda ask: signed(record(0, ask[1], ask[2], curve(ask[2])),
                                                    fleet_key(), CLUSTER),
            "of another fleet": lambda ask: signed(record(0, ask[1], ask[2], curve(ask[2])), key,
                                                   "another"),
            "a revocation": lambda ask: signed(record(1, ask[1], ask[2], curve(ask[2])), key,
                                               CLUSTER),
        }
        for what, sealed in bad.items():
            with self.subTest(what):
                code, told, folder = self.joined_at(
                    lambda ask, sealed=sealed: self.welcome(sealed(ask), key, int(time.time())))
                self.assertEqual(code, 2, told)
                self.assertIn("nothing was changed", told)
                self.assertFalse((folder / "fleet").exists())

    # --- half-open sessions ---

    def test_a_thousand_half_open_sessions_keep_nobody_out(self):
        before = self.counters()
        crowd = [self.dial(Identity(f"c{i}"), f"127.0.3.{1 + i % 40}") for i in range(CROWD)]
        self.wait_counted("net_cut_unproven_too_many", before, CROWD // 2)
        late, _, answer = join(self.context, self.invite(), "late", "127.0.0.2")
        self.assertEqual(answer[0], "")
        sock = self.dial(late, "127.0.0.2")
        before = self.counters()

        def introduced():
            sock.send(packed("Introduce", answer[1], "late", (1, 1), CLUSTER))
            return self.counters().get("net_introduced", 0) > before.get(
                "net_introduced", 0) or "'late' has a certificate" in self.master.log()
        wait_for("one that joined in the crowd is heard", introduced)
        for one in crowd:
            one.close(0)


if __name__ == "__main__":
    Cheats.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
