"""Joining a fleet as a peer in another language does it, from docs/protocol.md alone: tokens,
certificates, and what a key says that nobody knows yet."""
import base64
import hashlib
import time

import msgpack
import nacl.bindings
import zmq

from peer import Identity, curve_key_of, packed

CERTIFICATE, REVOCATION, SUCCESSION = 0, 1, 2  # kinds of records
ANSWER_PATIENCE_S = 20


class Token:
    """What `ballast invite` printed."""

    def __init__(self, text):
        assert text.startswith("ballast-"), text
        data = base64.urlsafe_b64decode(text[8:] + "=" * (-len(text[8:]) % 4))
        assert data[-4:] == hashlib.blake2b(data[:-4], digest_size=16).digest()[:4]
        self.at, self.data = 0, data[:-4]
        assert self.take(1) == b"\x01"
        self.cluster = self.text()
        self.addresses = [self.text() for _ in range(self.take(1)[0])]
        self.inviter = self.take(32)
        self.invitation = int.from_bytes(self.take(8), "big")
        self.secret = self.take(16)
        assert self.at == len(self.data)

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        return self.take(self.take(1)[0]).decode()

    def key(self):
        """The inviter's, as trust files have it."""
        return base64.b64encode(self.inviter).decode()

    def proof(self, node, key):
        return hashlib.blake2b(
            b"\0".join([b"ballast-join/1", self.cluster.encode(), node.encode(), b""]) + key +
            self.inviter + self.invitation.to_bytes(8, "big"), digest_size=32,
            key=self.secret).digest()


def join_ask(token, identity, node=None, key=None):
    node = node or identity.name
    key = key or base64.b64decode(identity.key)
    return [token.invitation, node, key, token.proof(node, key)]


def record(kind, node, identity, curve, may_lead=False, serial=1, generation=1):
    return msgpack.packb([kind, generation, node, identity, curve, may_lead, serial, 1_800_000_000])


def signed(data, fleet_key, cluster):
    """[bytes, signature] by a fleet's key, which is (public, secret) of Ed25519."""
    text = b"ballast-fleet/1\0" + cluster.encode() + b"\0" + data
    return [data, nacl.bindings.crypto_sign(text, fleet_key[1])[:64]]


def certificate(identity, fleet_key, cluster, node=None, may_lead=False):
    data = record(CERTIFICATE, node or identity.name, base64.b64decode(identity.key),
                  identity.curve_public, may_lead)
    return signed(data, fleet_key, cluster)


def dial(context, identity, key, endpoint, source=None):
    """A connection with our keys to the owner of that key, from that address."""
    sock = context.socket(zmq.DEALER)
    identity.be_curve_client(sock, key)
    sock.reconnect_ivl = 1000
    sock.connect(endpoint.replace("tcp://", f"tcp://{source}:0;") if source else endpoint)
    return sock


def answer_on(sock):
    """The body of a JoinAnswer that comes on this connection; None when none does."""
    until = time.monotonic() + ANSWER_PATIENCE_S
    while time.monotonic() < until:
        if sock.poll(200):
            body = msgpack.unpackb(sock.recv())[-1]
            if len(body) == 10:
                return body
    return None


def join(context, text, name, source=None):
    """(identity, token, answer): as a host of that name, with a new key."""
    token, identity = Token(text), Identity(name)
    sock = dial(context, identity, token.key(), f"tcp://{token.addresses[0]}", source)
    sock.send(packed("JoinAsk", join_ask(token, identity), name, (0, 0), token.cluster))
    answer = answer_on(sock)
    sock.close(0)
    assert answer is not None, "no answer to JoinAsk"
    return identity, token, answer


def check_certificate(answer, identity, cluster):
    """It is for these keys and this name, and signed by the fleet's key that the answer names."""
    (data, signature), = answer[1]
    kind, generation, node, key, curve, *_ = msgpack.unpackb(data)
    assert (kind, generation, node) == (CERTIFICATE, answer[3], identity.name), answer
    assert (key, curve) == (base64.b64decode(identity.key), curve_key_of(identity.key)), answer
    text = b"ballast-fleet/1\0" + cluster.encode() + b"\0" + data
    nacl.bindings.crypto_sign_open(signature + text, answer[2])
    return [data, signature]


def token_text(cluster, address, identity, number=7, secret=bytes(16)):
    """A token as `ballast invite` would print it for an inviter with this identity."""
    data = b"\x01" + bytes([len(cluster)]) + cluster.encode() + b"\x01"
    data += bytes([len(address)]) + address.encode() + base64.b64decode(identity.key)
    data += number.to_bytes(8, "big") + secret
    data += hashlib.blake2b(data, digest_size=16).digest()[:4]
    return "ballast-" + base64.urlsafe_b64encode(data).decode().rstrip("=")
