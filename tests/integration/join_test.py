"""Joining in one command: real processes that know each other by certificates of a fleet's key.

usage: join_test.py BALLAST [TEST]...
"""
import json
import os
import shutil
import socket
import sys
import unittest

from fleet import FAST, Fleet, Node
from waiting import wait_for


def free_port():
    """A port that is the node's again when it has been away: others were told of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Joining(unittest.TestCase):
    binary = None

    def setUp(self):
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        hosts = {f"h{i}": (10000, 65536) for i in range(1, 5)}
        self.fleet.write_trace(hosts, {"v1": ("h1", 5000, 1024), "v2": ("h1", 4500, 1024),
                                       "v3": ("h2", 1000, 1024)})

    def host(self, name, extra=""):
        """A host as the package leaves it, but for what a test needs to share one machine."""
        node = Node(self.fleet, name)
        node.folder.mkdir()
        node.config.write_text(f"""
[node]
bind = "tcp://127.0.0.1:{free_port()}"
state_dir = "{node.folder}"
control = "{node.control}"
{extra}{FAST}mode = "auto"
[mesh]
bind = "tcp://127.0.0.1:0"
beacon = "127.0.0.1:0"
[hypervisor]
kind = "simulated"
trace = "{self.fleet.folder / "trace"}"
speed = 30
""".replace("[node]\n", f"[node]\nid = \"{name}\"\n"))
        self.fleet.nodes[name] = node
        return node

    def run_at(self, node, *words, code=0):
        """A command on that host; its exit code is the expected one."""
        ran = self.fleet.ballast(words[0], "--config", node.config, *words[1:])
        self.assertEqual(ran.returncode, code, f"{words}: {ran.stdout}{ran.stderr}")
        return ran

    def invite(self, node, *words):
        return self.run_at(node, "invite", *words).stdout.strip()

    def first(self):
        node = self.host("h1")
        self.run_at(node, "init")
        node.start()
        return node

    def join(self, node, token, *words):
        self.run_at(node, "join", token, *words)
        node.start()

    def nodes(self, node):
        """What `ballast fleet` says at that host, by id."""
        listed = self.fleet.ballast("fleet", "--config", node.config, "--json")
        if listed.returncode != 0:
            return {}
        return {one["id"]: one for one in json.loads(listed.stdout)["nodes"]}

    def wait_nodes(self, node, what, condition):
        wait_for(f"{node.name}: {what}", lambda: condition(self.nodes(node)))

    def group_of(self, node, hosts):
        node.wait_status(f"leads {hosts}",
                         lambda s: {h["id"] for h in s["hosts"] if h["state"] != "lost"} >= hosts)

    def test_three_hosts_with_one_token_and_their_first_move(self):
        first = self.first()
        token = self.invite(first, "--master", "--uses", "2")
        second, third = self.host("h2"), self.host("h3")
        self.join(second, token)
        self.join(third, token)
        self.group_of(first, {"h1", "h2", "h3"})
        wait_for("a VM has moved", lambda: "moved: " in first.log())
        for node in (first, second, third):
            self.wait_nodes(node, "knows all", lambda n: {i for i, one in n.items() if
                            one["trust"] == "certificate" and one["heard_s"] is not None} ==
                            {"h1", "h2", "h3"})
        # The token was for two.
        late = self.host("h4")
        refused = self.run_at(late, "join", token, code=1)
        self.assertIn("used already", refused.stderr)
        # Both that joined are known after all have been away.
        for node in (first, second, third):
            self.assertEqual(node.stop(), 0)
        for node in (first, second, third):
            node.start()
        self.group_of(first, {"h1", "h2", "h3"})
        again = self.run_at(late, "join", token, code=1)
        self.assertIn("used already", again.stderr)

    def test_a_revoked_node_is_cut_off_everywhere_and_may_join_anew(self):
        first = self.first()
        token = self.invite(first, "--uses", "3")
        hosts = [self.host(f"h{i}") for i in (2, 3, 4)]
        for node in hosts:
            self.join(node, token)
        self.group_of(first, {"h1", "h2", "h3", "h4"})
        second, away, out = hosts
        self.wait_nodes(away, "knows all", lambda n: len(n) == 4)
        away.kill()
        revoked = self.run_at(first, "revoke", "h4")
        self.assertIn("within a report interval", revoked.stdout)
        self.wait_nodes(second, "has heard", lambda n: n.get("h4", {}).get("trust") == "revoked")
        wait_for("it is told", lambda: "certificate was revoked" in out.log())
        first.wait_status("lost it", lambda s: "h4" not in {
            h["id"] for h in s["hosts"] if not h["state"].startswith("lost")})
        # One that was away hears of it when it is back, the revoked one does not get in again.
        away.start()
        self.wait_nodes(away, "has heard", lambda n: n.get("h4", {}).get("trust") == "revoked")
        out.kill()
        out.start()
        wait_for("it is refused", lambda: "does not take this node's certificate: the certificate "
                 "was revoked" in out.log())
        self.assertIn("revoked after it had joined", self.run_at(out, "join", token, code=1).stderr)
        self.run_at(out, "join", self.invite(first))
        self.group_of(first, {"h1", "h2", "h4"})
        self.wait_nodes(second, "is back", lambda n: n.get("h4", {}).get("trust") == "certificate")
        self.assertEqual(self.run_at(first, "revoke", "nobody", code=1).returncode, 1)
        self.assertIn("is this host", self.run_at(first, "revoke", "h1", code=1).stderr)

    def test_the_key_on_a_stick_is_replaced_while_one_is_away(self):
        stick = self.fleet.folder / "stick"
        stick.mkdir()
        key = stick / "fleet.key"
        first = self.host("h1")
        self.run_at(first, "init", "--fleet-key", key)
        first.start()
        self.assertFalse((first.folder / "fleet.key").exists())
        self.assertIn("--fleet-key", self.run_at(first, "invite", code=2).stderr)
        token = self.invite(first, "--uses", "2", "--fleet-key", key)
        second, away = self.host("h2"), self.host("h3")
        self.join(second, token)
        self.join(away, token)
        self.group_of(first, {"h1", "h2", "h3"})
        self.wait_nodes(away, "knows all", lambda n: len(n) == 3)
        away.kill()
        old = key.read_bytes()
        self.run_at(first, "init", "--rotate", "--fleet-key", key)
        self.assertNotEqual(key.read_bytes(), old)
        self.assertEqual((stick / "fleet.key.1").read_bytes(), old)
        listed = lambda node: json.loads(self.fleet.ballast(
            "fleet", "--config", node.config, "--json").stdout or "{}")
        wait_for("h2 follows", lambda: listed(second).get("generation") == 2)
        away.start()
        wait_for("h3 follows", lambda: listed(away).get("generation") == 2)
        self.group_of(first, {"h1", "h2", "h3"})
        # The old key is of no use, the new one is.
        refused = self.run_at(first, "invite", "--fleet-key", stick / "fleet.key.1", code=2)
        self.assertIn("present key", refused.stderr)
        late = self.host("h4")
        self.join(late, self.invite(first, "--fleet-key", key))
        self.group_of(first, {"h1", "h2", "h3", "h4"})
        self.assertEqual(listed(late)["generation"], 2)
        # Restarted, the node has not the key any more, and says so to who comes.
        fifth = self.host("h5")
        token = self.invite(first, "--fleet-key", key)
        first.kill()
        first.start()
        first.wait_status("answers", bool)
        self.assertIn("not on the inviter now", self.run_at(fifth, "join", token, code=1).stderr)

    def test_hand_trusted_hosts_move_over_without_a_stop(self):
        first = self.fleet.add("h1", "master", cluster="ballast")
        self.fleet.trust_each_other()
        first.start()
        others = [self.fleet.add(name, "slave", master=first, cluster="ballast")
                  for name in ("h2", "h3")]
        self.fleet.trust_each_other()
        wait_for("each is trusted", lambda: "3 nodes in the trust file" in first.log())
        for node in others:
            node.start()
        nodes = [self.fleet.nodes[name] for name in ("h1", "h2", "h3")]
        first = nodes[0]
        self.group_of(first, {"h1", "h2", "h3"})
        before = [len(node.log()) for node in nodes]
        lives = [node.status()["epoch"]["incarnation"] for node in nodes]
        self.run_at(first, "init")
        wait_for("the node has seen it", lambda: "by certificates of the fleet" in first.log())
        token = self.invite(first, "--uses", "2")
        for node in nodes[1:]:
            self.run_at(node, "join", token)
        for node in nodes:
            self.wait_nodes(node, "knows all by both", lambda n: {one["trust"] for one in
                            n.values()} == {"both"} and len(n) == 3)
        for node in nodes:
            pruned = self.fleet.ballast("trust", "prune", "--state-dir", node.folder)
            self.assertEqual(pruned.returncode, 0, pruned.stderr)
            self.wait_nodes(node, "by certificate alone", lambda n: {one["trust"] for one in
                            n.values()} == {"certificate"})
        self.group_of(first, {"h1", "h2", "h3"})
        self.assertEqual([node.status()["epoch"]["incarnation"] for node in nodes], lives)
        for node, start in zip(nodes, before):
            # On a busy machine one may fall silent for the 1.5 s after which it is lost; nobody
            # may have refused another.
            for words in ("does not take", "does not trust", "not trusted", "revoked"):
                self.assertNotIn(words, node.log()[start:])
        # And a fourth host joins that was never in a trust file.
        late = self.host("h4")
        self.join(late, self.invite(first))
        self.group_of(first, {"h1", "h2", "h3", "h4"})

    def test_tokens_that_are_no_good(self):
        first = self.first()
        token = self.invite(first)
        late = self.host("h2")
        cut = self.run_at(late, "join", token[:-5], code=2).stderr
        self.assertIn("not whole", cut)
        self.assertNotIn(token[20:60], cut)
        middle = len(token) // 2
        changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
        self.assertIn("not whole", self.run_at(late, "join", changed, code=2).stderr)
        self.assertIn("ballast-", self.run_at(late, "join", "hello", code=2).stderr)
        # An id that is taken, with another key: the token is not used up by the refusal.
        taken = self.host("h3")
        taken.config.write_text(taken.config.read_text().replace('id = "h3"', 'id = "h1"'))
        self.assertIn("choose another id", self.run_at(taken, "join", token, code=1).stderr)
        self.join(late, token)
        self.group_of(first, {"h1", "h2"})
        # Asked again by the same host, the answer is the same.
        self.assertIn("belongs", self.run_at(late, "join", token).stdout.replace("is 'h2' of",
                                                                              "belongs"))
        # One that has expired: the inviter's clock counts.
        brief = self.invite(first, "--for", "1s")
        file = first.folder / "invitations"
        lines = file.read_text().splitlines()
        words = lines[-1].split(" ")
        words[3] = str(int(words[3]) - 3600)
        file.write_text("\n".join(lines[:-1] + [" ".join(words)]) + "\n")
        fourth = self.host("h4")
        self.assertIn("expired", self.run_at(fourth, "join", brief, code=1).stderr)
        # Another fleet's host does not take it.
        other = self.fleet.folder / "other"
        other.mkdir()
        self.fleet.folder, whole = other, self.fleet.folder
        shutil.copytree(whole / "trace", other / "trace")
        stranger = self.host("h1")
        self.run_at(stranger, "init")
        stranger.start()
        stranger.wait_status("answers", bool)
        self.fleet.folder = whole
        wrong = self.invite(first)
        stolen = self.fleet.ballast("join", "--config", stranger.config, wrong)
        self.assertEqual(stolen.returncode, 1, stolen.stderr)
        stranger.stop()
        self.assertTrue(os.path.exists(stranger.folder / "fleet"))


if __name__ == "__main__":
    Joining.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
