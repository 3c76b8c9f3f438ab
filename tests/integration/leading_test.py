"""Who leads, with real processes, keys and trust files: promotion by role and trust, a second
master that stands by, masters that do not believe each other, a host that dies.

usage: leading_test.py BALLAST [TEST]...
"""
import os
import signal
import socket
import sys
import unittest

from fleet import Fleet

HOSTS = {name: (10_000, 65_536) for name in ("m", "a", "s")}
VMS = {"v1": ("s", 1_000, 1_024)}


class Leading(unittest.TestCase):
    binary = ""

    def setUp(self):
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        self.fleet.write_trace(HOSTS, VMS)

    def add(self, name, role, master=None):
        return self.fleet.add(name, role, "auto", master)

    def ask(self, node, *words):
        """(exit code, what it says in all) of an operator's command at this node."""
        ran = self.fleet.ballast(*words, "--control", node.control)
        return ran.returncode, ran.stdout + ran.stderr

    def group(self):
        """m leads, a may lead by its role, s may not; nobody trusts a as a master yet."""
        master = self.add("m", "master")
        self.fleet.trust(master, master, master=True)
        master.start()
        others = [self.add("a", "auto", master), self.add("s", "slave", master)]
        self.fleet.trust_each_other()
        for node in others:
            node.start()
        master.wait_status("all three are there", lambda s: len(s["hosts"]) == 3)
        return master, *others

    def trust_by_roles_alone(self, name, nodes):
        """The command that the alarms name: without the key, which is known."""
        for node in nodes:
            added = self.fleet.ballast("trust", "add", name, "--master", "--state-dir",
                                       node.folder)
            self.assertEqual((added.returncode, added.stderr), (0, ""))

    def wait_event(self, node, kind, text, times=1):
        """Until the node's own events tell that, so many times since it runs."""
        node.wait_status(f"{kind}: {text}", lambda _: sum(
            line.split("Z ", 1)[-1].startswith(f"{kind}: ") and text in line
            for line in node.log().splitlines()) >= times)

    def test_role_and_trust_decide_and_the_second_master_stands_by(self):
        master, second, slave = self.group()
        for node in (master, second, slave):
            code, said = self.ask(node, "promote", "s")
            self.assertEqual(code, 1)
            self.assertIn("a master", said)
            code, said = self.ask(node, "promote", "a")
            self.assertEqual(code, 1)
            self.assertIn("`ballast trust add a --master` on host '", said)
        self.wait_event(master, "alarm", "no host of this group may become one")
        self.assertEqual(second.status()["role"], "slave")

        self.trust_by_roles_alone("a", (master, second, slave))
        self.wait_event(master, "recovered", "there are masters enough, or a host that may")
        status = second.wait_status("it stands by", lambda s: s["role"] == "master")
        self.assertEqual(status["master"], "m")
        status = master.wait_status("they are linked", lambda s: s["masters"])
        self.assertEqual([host["id"] for host in status["hosts"]], ["a", "m", "s"])
        _, said = self.ask(second, "status")
        self.assertIn("it stands by for the day that m is gone", said)

        code, said = self.ask(slave, "promote", "a")
        self.assertEqual((code, said), (0, "'a' leads a group now, of itself to begin with\n"))
        code, said = self.ask(second, "demote")
        self.assertEqual(code, 0, said)
        second.wait_status("it follows m again", lambda s: (s["role"], s["master"]) ==
                           ("slave", "m"))
        second.stop()
        second.start()
        second.wait_status("it follows m", lambda s: s["master"] == "m")
        # Ten seconds are enough for a promotion: min_masters asks for one all the time.
        self.wait_event(master, "alarm", "no host of this group may become one", times=2)
        self.assertEqual(second.status()["role"], "slave")
        self.assertIn("demoted 1", (second.folder / "state").read_text())

    def test_a_master_that_stood_still_lives_and_concludes_nothing(self):
        """Those who gave it up meanwhile have closed connections full of what they said."""
        master, second, slave = self.group()
        os.kill(master.process.pid, signal.SIGSTOP)
        try:
            for node in (second, slave):
                node.wait_status("it has given the master up",
                                 lambda _, n=node: "lost master 'm'" in n.log())
        finally:
            os.kill(master.process.pid, signal.SIGCONT)
        self.wait_event(master, "recovered", "this master stood still for")
        master.wait_status("all are there again", lambda s: {
            host["id"] for host in s["hosts"] if host["state"] == "ok"} == {"m", "a", "s"})
        self.assertNotIn("nothing heard of", master.log())

    def test_what_a_slave_alone_can_know_reaches_the_events_of_its_master(self):
        master, _, slave = self.group()
        trust = slave.folder / "trust"
        good = trust.read_text()
        trust.write_text("this is no trust file\n")
        # By all that is said: another alarm of s (a key that was not there yet) may come first.
        self.wait_event(master, "alarm", "(what was trusted before stays in force)")
        trust.write_text(good)
        self.wait_event(master, "recovered", "at host 's': the files of who is trusted can be")
        code, _ = self.ask(master, "pause")
        self.assertEqual(code, 0)
        status = slave.wait_status("it is told of the pause", lambda s: s["paused"])
        self.assertEqual(status["role"], "slave")
        _, said = self.ask(slave, "status")
        self.assertIn("m plans for it", said)
        self.assertIn("balancing is PAUSED", said)
        self.assertEqual(self.ask(slave, "pause"),
                         (1, "ballast: this node is no master: ask 'm', its master\n"))
        self.assertEqual(self.ask(master, "resume")[0], 0)
        slave.wait_status("it is told of the end", lambda s: not s["paused"])

    def test_masters_that_do_not_believe_each_other_say_so_on_both_sides(self):
        first, second = self.add("m", "master"), self.add("a", "master")
        third = self.add("s", "slave")
        for node in (first, second, third):
            self.fleet.trust(node, node, master=node is not third)
        self.fleet.trust(second, first, master=True)
        self.fleet.trust(first, second)
        self.meet(first, second)
        self.wait_event(first, "alarm", "its key is not trusted as a master's here")
        self.wait_event(second, "alarm", "'m' does not trust this node as a master")
        self.trust_by_roles_alone("a", [first])
        self.wait_event(first, "recovered", "the key of 'a' is trusted as a master's here now")
        first.wait_status("they are linked", lambda s: any(one["peer"] for one in s["masters"]))
        _, said = self.ask(first, "events")
        self.assertRegex(said, r"(?m)^\d\d:\d\d:\d\d +\d+ s +alarm +'a' ")

    def meet(self, first, second):
        """Both run; the second calls the first by beacon."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        first.config.write_text(first.config.read_text().replace(
            'beacon = "127.0.0.1:0"', f'beacon = "127.0.0.1:{port}"'))
        second.config.write_text(second.config.read_text().replace(
            'role = "master"', f'role = "master"\nseeds = ["127.0.0.1:{port}"]'))
        for node in (first, second):
            node.start()
            node.wait_status("it runs", bool)

    def test_a_host_that_dies_stays_until_it_is_forgotten(self):
        master, _, slave = self.group()
        slave.kill()
        status = master.wait_status("it is lost", lambda s: any(
            host["id"] == "s" and host["state"].startswith("lost: ") for host in s["hosts"]))
        host = next(one for one in status["hosts"] if one["id"] == "s")
        self.assertEqual(host["lost_vms"], ["v1"])
        self.assertGreater(host["age_s"], 0)
        # Given up by the planner after thirty report intervals, and still shown.
        master.wait_status("for long", lambda s: any(
            host["id"] == "s" and host["age_s"] > 17 for host in s["hosts"]))
        code, said = self.ask(master, "why", "v1")
        self.assertEqual(code, 1)
        self.assertIn("it was on 's', which is not heard of for", said)
        self.assertEqual(self.ask(master, "forget", "m")[0], 1)
        code, said = self.ask(master, "forget", "s")
        self.assertEqual(code, 0, said)
        master.wait_status("it is forgotten", lambda s: len(s["hosts"]) == 2)


if __name__ == "__main__":
    Leading.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
