"""Nodes that know nobody's address find each other by broadcast: each in a network namespace of its
own, all on one bridge, as hosts on one switch.

Needs root, for the namespaces; without it the test is skipped.

usage: broadcast_test.py BALLAST [TEST]...
"""
import os
import subprocess
import sys
import unittest

from fleet import Fleet
from waiting import LIBC, die_with_parent

HOSTS = {name: (10_000, 65_536) for name in ("m1", "m2", "s1", "s2")}
VMS = {"v1": ("m1", 1_000, 1_024), "v2": ("s1", 1_000, 1_024)}
CLONE_NEWNET = 0x40000000
SKIPPED = 77  # to meson


def run(*words):
    """Runs a command; gives back what is wrong, or nothing."""
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    return "" if ran.returncode == 0 else f"{' '.join(words)}: {ran.stderr.strip()}"


class Switch:
    """A namespace with a bridge in it, and one with a cable to it for each host: nothing shows
    outside, and the kernel takes it down with the processes that keep the namespaces open."""

    def __init__(self):
        self.keepers = []
        self.bridge = self.namespace()

    def namespace(self):
        """A process that does nothing in a network of its own; its id."""
        def leave():
            die_with_parent()
            if LIBC.unshare(CLONE_NEWNET) != 0:
                os._exit(1)
        # Ended by close().
        keeper = subprocess.Popen(  # pylint: disable=consider-using-with
            ["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=leave)
        self.keepers.append(keeper)
        return keeper.pid

    @staticmethod
    def inside(pid, *words):
        return run("nsenter", f"--net=/proc/{pid}/ns/net", "--", *words)

    def power_on(self):
        return (self.inside(self.bridge, "ip", "link", "add", "br0", "type", "bridge") or
                self.inside(self.bridge, "ip", "link", "set", "br0", "up"))

    def plug_in(self, number):
        """A host with the address 10.99.0.`number`; gives back its namespace, or what is wrong."""
        host = self.namespace()
        wrong = (self.inside(self.bridge, "ip", "link", "add", f"p{number}", "type", "veth", "peer",
                             "name", "eth0", "netns", str(host)) or
                 self.inside(self.bridge, "ip", "link", "set", f"p{number}", "master", "br0", "up")
                 or self.inside(host, "ip", "address", "add", f"10.99.0.{number}/24", "brd", "+",
                                "dev", "eth0") or
                 self.inside(host, "ip", "link", "set", "lo", "up") or
                 self.inside(host, "ip", "link", "set", "eth0", "up"))
        return host, wrong

    def close(self):
        for keeper in self.keepers:
            keeper.stdin.close()
            keeper.kill()
            keeper.wait()


def why_not():
    """Why there can be no such networks here; nothing where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    switch = Switch()
    try:
        return switch.power_on() or switch.plug_in(1)[1]
    except OSError as error:
        return str(error)
    except subprocess.SubprocessError as error:
        return f"no network namespaces: {error}"
    finally:
        switch.close()


class Broadcast(unittest.TestCase):
    binary = ""

    def setUp(self):
        self.switch = Switch()
        self.addCleanup(self.switch.close)
        self.assertEqual(self.switch.power_on(), "")
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        self.fleet.write_trace(HOSTS, VMS)
        self.numbers = {}

    def add(self, name, role):
        """A node on a host of its own, which is told no address but its own."""
        node = self.fleet.add(name, role)
        number = self.numbers[name] = len(self.numbers) + 1
        namespace, wrong = self.switch.plug_in(number)
        self.assertEqual(wrong, "")
        node.inside = ["nsenter", f"--net=/proc/{namespace}/ns/net", "--"]
        text = node.config.read_text()
        text = text.replace("127.0.0.1:0", f"10.99.0.{number}:0")
        # The port is the one thing that those who call each other must have agreed on.
        text = text.replace(f'beacon = "10.99.0.{number}:0"', 'beacon = "0.0.0.0:7720"')
        node.config.write_text(text)
        return node

    def test_masters_and_slaves_find_each_other_and_a_slave_finds_another_master(self):
        m1 = self.add("m1", "master")
        s1 = self.add("s1", "slave")
        m2 = self.add("m2", "master")
        s2 = self.add("s2", "slave")
        self.fleet.trust_each_other()
        m1.start()
        s1.start()
        s1.wait_status("s1 has found m1", lambda s: s["master"] == "m1")
        m2.start()
        for node, other in ((m1, "m2"), (m2, "m1")):
            node.wait_status("masters know each other", lambda s, other=other: other in [
                one["id"] for one in s["masters"]])
        s2.start()
        s2.wait_status("s2 has found a master", lambda s: s["master"] in ("m1", "m2"))
        m1.kill()
        for slave in (s1, s2):
            slave.wait_status("it belongs to m2", lambda s: s["master"] == "m2")
        m2.wait_status("m2 leads both", lambda s: {"s1", "s2"} <= {h["id"] for h in s["hosts"]})


if __name__ == "__main__":
    Broadcast.binary = sys.argv.pop(1)
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
