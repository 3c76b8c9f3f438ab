"""A node in Python, written from docs/protocol.md alone: the proof that the page is enough to write
a peer in another language, and a hand with which tests say what no `ballast` would say.

Nothing here runs by itself: a peer speaks when a test tells it to, and listens while a test waits.
"""
import base64
import secrets
import socket
import struct
import time

import msgpack
import nacl.bindings
import nacl.encoding
import nacl.hash
import zmq

VERSION = 4
KINDS = """Attach AttachAnswer Report ReportAck Order Outcome OutcomeAck LeaseTell LeaseRevoke
LeaseState LeaseStateAck Begin BeginAnswer Settle SettleAnswer Gossip Neighbor NeighborAnswer
Disconnect Shuffle ShuffleAnswer Pull Pulled Request RequestAnswer Release ReleaseAck SwapBack
SwapOver SwapOverAck Proposal Verdict Promote Dismiss Leave LeaveAck ReportAsk
Inquiry Reply Drain Disbelief Alarms Paused Introduce FleetDigest FleetRecords JoinAsk
JoinAnswer""".split()
ABSENT, RUNNING = 0, 1  # presence of a VM
ACCEPTED, REFUSED, FAILED = 0, 1, 2  # what became of an order
TOLD, LEASE_ABSENT = 0, 3  # how a lease stands
SEEK, OFFER, HELLO = 1, 2, 3  # beacons
PATIENCE_S = 60
REPORT_EVERY_S = 0.3


def curve_key_of(key):
    """The CURVE key of the node that the trust file knows by `key`."""
    return nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(base64.b64decode(key))


class Identity:
    """One seed: an Ed25519 pair, and the X25519 pair of CURVE made from it."""

    def __init__(self, name):
        self.name = name
        public, secret = nacl.bindings.crypto_sign_seed_keypair(secrets.token_bytes(32))
        self.key = base64.b64encode(public).decode()  # as the trust file has it
        self.curve_public = nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(public)
        self.curve_secret = nacl.bindings.crypto_sign_ed25519_sk_to_curve25519(secret)

    def be_curve_client(self, sock, server_key):
        sock.linger = 0
        sock.curve_publickey = self.curve_public
        sock.curve_secretkey = self.curve_secret
        sock.curve_serverkey = curve_key_of(server_key)

    def mac(self, other_key, text):
        """The keyed hash of an offer between us and the owner of that key."""
        shared = nacl.bindings.crypto_box_beforenm(curve_key_of(other_key), self.curve_secret)
        return nacl.hash.blake2b(b"ballast-beacon/1" + text, digest_size=16, key=shared,
                                 encoder=nacl.encoding.RawEncoder)


def packed(kind, body, sender, epoch=(1, 1), cluster="test"):
    number = KINDS.index(kind) + 1 if kind in KINDS else kind
    return msgpack.packb([VERSION, cluster, sender, *epoch, number, body])


class Peer:
    """A slave on a host that does not exist. By itself it answers only the question for a report;
    who opens its door (ROUTER) must be one of `trusted`, {id: key}."""

    def __init__(self, identity, master, endpoint, trusted, cluster="test"):
        self.identity = identity
        self.name = identity.name
        self.cluster = cluster
        self.epoch = [1, 1]
        self.sequence = 0
        self.vms = []
        self.over_samples = 0
        self.heard = []  # (sender, kind, body), in the order of arrival
        self.next_report = time.monotonic()
        self.attached = False
        self.names = {curve_key_of(key): name for name, key in trusted.items()}
        self.context = zmq.Context()
        self.door = self.context.socket(zmq.REP)  # before the socket that it guards
        self.door.bind("inproc://zeromq.zap.01")
        self.router = self.context.socket(zmq.ROUTER)
        self.router.linger = 0
        self.router.curve_server = 1
        self.router.curve_secretkey = identity.curve_secret
        self.router.zap_domain = b"peer"
        self.endpoint = f"tcp://127.0.0.1:{self.router.bind_to_random_port('tcp://127.0.0.1')}"
        self.dealer = self.context.socket(zmq.DEALER)
        self.master = master
        identity.be_curve_client(self.dealer, trusted[master])
        self.dealer.connect(endpoint)

    def close(self):
        self.context.destroy(linger=0)

    # --- saying ---

    def send(self, kind, body, sender=None):
        self.dealer.send(packed(kind, body, sender or self.name, self.epoch, self.cluster))

    def facts(self):
        return [[10_000, 65_536, float("inf")], [0.8, 0.9, 0.8], self.endpoint, False, self.name,
                ""]

    def host_report(self):
        """What the host carries; each of these takes the next number."""
        self.sequence += 1
        used_mhz = sum(cpu for _, cpu, _ in self.vms)
        vms = [[vm, RUNNING, [cpu, mib, 0], True, "", 0, 0, [0, 0, 0]]
               for vm, cpu, mib in self.vms]
        return [[0, 0, 0], used_mhz, 32_768, False, self.over_samples, 0, "", vms, [], []]

    def attach(self):
        """Until the master has taken us, or has said why not; gives back its answer."""
        self.heard.clear()

        def answer():
            self.send("Attach", [self.facts(), self.host_report(), self.sequence, ""])
            self.listen(1)
            return self.last("AttachAnswer")
        epoch, accepted, reason = self.wait_for("an answer to Attach", answer)
        assert epoch == self.epoch, epoch
        self.attached = accepted
        return accepted, reason

    def report(self):
        self.next_report = time.monotonic() + REPORT_EVERY_S
        report = self.host_report()
        self.send("Report", [self.sequence, None, report])
        return self.sequence

    def report_until_heard(self):
        """A report of now, and the master's acknowledgement of it."""
        sequence = self.report()
        self.wait_for(f"report {sequence} is acknowledged",
                      lambda: (self.last("ReportAck") or [None, 0])[1] >= sequence)

    # --- hearing ---

    def last(self, kind):
        return next((body for _, said, body in reversed(self.heard) if said == kind), None)

    def expect(self, kind):
        """Waits for a message of that kind, reports meanwhile, and forgets what it heard of it."""
        body = self.wait_for(kind, lambda: self.last(kind))
        self.heard = [one for one in self.heard if one[1] != kind]
        return body

    def wait_for(self, what, condition):
        until = time.monotonic() + PATIENCE_S
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} waited in vain for {what}; heard: {self.heard}")
            if self.attached and time.monotonic() >= self.next_report:
                self.report()
            self.listen(REPORT_EVERY_S)

    def listen(self, for_s):
        """Takes one message, if one comes within that time."""
        poller = zmq.Poller()
        for sock in (self.door, self.router, self.dealer):
            poller.register(sock, zmq.POLLIN)
        for sock, _ in poller.poll(for_s * 1000):
            if sock is self.door:
                self.answer_door()
            elif sock is self.router:
                session, frame = self.router.recv_multipart(copy=False)
                sender = self.take(frame.bytes)
                assert sender == frame.get("User-Id"), sender
                self.session = session.bytes
            else:
                sender = self.take(self.dealer.recv())
                assert sender == self.master, sender

    def answer_door(self):
        """RFC 27: whose key this is, and whether it may come in."""
        _, request, _, _, _, mechanism, key = self.door.recv_multipart()
        name = self.names.get(key, "") if mechanism == b"CURVE" else ""
        self.door.send_multipart([b"1.0", request, b"200" if name else b"400", b"", name.encode(),
                                  b""])

    def take(self, frame):
        version, cluster, sender, _, _, kind, body = msgpack.unpackb(frame)
        assert (version, cluster) == (VERSION, self.cluster), (version, cluster)
        kind = KINDS[kind - 1]
        self.heard.append((sender, kind, body))
        if kind == "ReportAsk" and body == [self.epoch]:
            self.report()
        return sender

    def answer_at_door(self, kind, body):
        """To whoever spoke last at our ROUTER."""
        self.router.send_multipart(
            [self.session, packed(kind, body, self.name, self.epoch, self.cluster)])


# --- beacons ------------------------------------------------------------------------------------


def beacon_text(text):
    return bytes([len(text)]) + text.encode()


def beacon(kind, fields, cluster="test"):
    return b"BAL\x01" + bytes([kind]) + beacon_text(cluster) + fields


def seek(seeker, nonce=None, wants=0):
    return beacon(SEEK, beacon_text(seeker) + (nonce or secrets.token_bytes(16)) + bytes([wants]))


def offer(seeker, nonce, identity, seeker_key, endpoint, free_places=9):
    """An offer in the name of `identity`, with a keyed hash that is right for it."""
    text = beacon(OFFER, beacon_text(seeker) + nonce + beacon_text(identity.name) +
                  2 * beacon_text(endpoint) + struct.pack(">HH", free_places, 0))
    return text + identity.mac(seeker_key, text)


def nonce_of(seek_bytes):
    assert seek_bytes[:5] == b"BAL\x01" + bytes([SEEK]), seek_bytes
    return seek_bytes[-17:-1]


def read_offer(text, identity, trusted):
    """(nonce, master, endpoint, feed, free_places, slaves) of an offer to us with a good hash."""
    assert text[:5] == b"BAL\x01" + bytes([OFFER]), text
    at = 5

    def take(size=None):
        nonlocal at
        if size is None:
            size = text[at]
            at += 1
        at += size
        return text[at - size:at]
    cluster, seeker, nonce = take().decode(), take().decode(), take(16)
    master, endpoint, feed = (take().decode() for _ in range(3))
    free_places, slaves = struct.unpack(">HH", take(4))
    assert (cluster, seeker) == ("test", identity.name), (cluster, seeker)
    assert take(16) == identity.mac(trusted[master], text[:-16]) and at == len(text), text
    return nonce, master, endpoint, feed, free_places, slaves


def udp_socket(port=0):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    sock.settimeout(0.2)
    return sock


def receive(sock):
    """One datagram and where it came from; (b"", None) when none comes."""
    try:
        return sock.recvfrom(512)
    except socket.timeout:
        return b"", None
