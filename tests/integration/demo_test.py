"""`ballast demo` through the real binary: balanced at the end, nothing left behind however it ends.

usage: demo_test.py BALLAST [TEST]...
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from fleet import processes_naming
from waiting import PATIENCE_S, die_with_parent, wait_for

SLAVES = 7


class Demo(unittest.TestCase):
    binary = ""

    def setUp(self):
        # Everything that the demo makes is in here, and each of its processes names it.
        self.folder = tempfile.mkdtemp(prefix="ballast-dt-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, *arguments):
        demo = subprocess.Popen(
            [self.binary, "demo", "--json", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": self.folder}, preexec_fn=die_with_parent)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.stderr.close)
        self.addCleanup(demo.kill)
        return demo

    def nodes(self):
        return processes_naming(self.folder)

    def interrupt_when_up(self, number):
        """Starts a demo, sends it the signal once all nodes run; gives back the demo, ended."""
        demo = self.start()
        wait_for("all nodes of the demo run", lambda: len(self.nodes()) == SLAVES + 1)
        demo.send_signal(number)
        demo.wait(PATIENCE_S)
        wait_for("no node of the demo runs", lambda: not self.nodes())
        return demo

    def test_it_balances_loses_no_vm_and_leaves_nothing(self):
        demo = self.start()
        out, err = demo.communicate(timeout=2 * PATIENCE_S)
        self.assertEqual(demo.returncode, 0, f"{out}\n{err}")
        self.assertEqual(err, "")
        result = json.loads(out)
        self.assertEqual(result["format"], "ballast-demo/1")
        expected = {"format", "overloaded_before", "overloaded_after", "relievable_left",
                    "migrations", "lower_bound", "remote_grants", "reattached_s", "vms_before",
                    "vms_after", "elapsed_ms"}
        self.assertEqual(set(result), expected)
        self.assertEqual(set(result["migrations"]), {"total", "local", "remote", "swaps"})
        self.assertGreater(result["overloaded_before"], 0)
        self.assertEqual(result["relievable_left"], 0)
        self.assertGreater(result["migrations"]["total"], 0)
        self.assertEqual(result["vms_before"], result["vms_after"])
        self.assertEqual(self.nodes(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_ctrl_c_ends_it_in_order(self):
        demo = self.interrupt_when_up(signal.SIGINT)
        self.assertEqual(demo.returncode, 1)
        self.assertIn("interrupted", demo.stderr.read())
        self.assertEqual(demo.stdout.read(), "")
        self.assertEqual(os.listdir(self.folder), [])

    def test_ctrl_c_while_it_starts_ends_it_at_once(self):
        demo = self.start("--slaves", "1")
        # A master that never answers: then the demo is still waiting for it when Ctrl-C comes.
        master = wait_for("the master of the demo runs", self.nodes)[0]
        os.kill(master, signal.SIGSTOP)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=PATIENCE_S)
        self.assertEqual((demo.returncode, out), (1, ""), err)
        self.assertIn("interrupted", err)
        self.assertNotIn("does not answer", err)
        self.assertEqual(self.nodes(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_ctrl_c_before_any_node_runs_leaves_nothing(self):
        demo = self.start()
        wait_for("the demo has made its folder", lambda: os.listdir(self.folder))
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=PATIENCE_S)
        self.assertEqual((demo.returncode, out), (1, ""), err)
        self.assertIn("interrupted", err)
        self.assertEqual(self.nodes(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def check_killed(self, masters_killed):
        """Three masters, and so many of them killed in the middle; gives back the result."""
        demo = self.start("--masters", "3", "--slaves", "9", *masters_killed * ["--kill-master"])
        out, err = demo.communicate(timeout=2 * PATIENCE_S)
        self.assertEqual(demo.returncode, 0, f"{out}\n{err}")
        result = json.loads(out)
        self.assertGreater(result["overloaded_before"], 0)
        self.assertEqual(result["relievable_left"], 0)
        self.assertEqual(result["vms_before"], result["vms_after"])
        # How long each took is a figure (docs/benchmarks.md); that it has, is what counts here.
        self.assertGreater(len(result["reattached_s"]), 0)
        self.assertEqual(self.nodes(), [])
        self.assertEqual(os.listdir(self.folder), [])
        return result

    def test_groups_help_each_other_and_slaves_of_a_killed_master_find_another(self):
        result = self.check_killed(1)
        self.assertGreaterEqual(result["remote_grants"], 1)
        self.assertGreater(result["migrations"]["remote"], 0)

    def test_slaves_of_two_killed_masters_find_the_third(self):
        self.check_killed(2)

    def test_the_last_master_is_not_killed(self):
        demo = self.start("--masters", "2", "--kill-master", "--kill-master")
        out, err = demo.communicate(timeout=PATIENCE_S)
        self.assertEqual((demo.returncode, out), (2, ""))
        self.assertIn("at least one that stays", err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_sigterm_ends_it_in_order(self):
        demo = self.interrupt_when_up(signal.SIGTERM)
        self.assertEqual(demo.returncode, 1)
        self.assertEqual(os.listdir(self.folder), [])

    def test_no_node_survives_when_the_demo_is_killed(self):
        demo = self.interrupt_when_up(signal.SIGKILL)
        self.assertEqual(demo.returncode, -signal.SIGKILL)

    def test_a_bad_trace_is_one_line_and_starts_nothing(self):
        (pathlib.Path(self.folder) / "hosts.csv").write_text("host,cpu\n")
        demo = self.start("--trace", self.folder)
        out, err = demo.communicate(timeout=PATIENCE_S)
        self.assertEqual((demo.returncode, out), (2, ""))
        self.assertEqual(err.count("\n"), 1)
        self.assertIn("hosts.csv:1", err)
        self.assertEqual(os.listdir(self.folder), ["hosts.csv"])


if __name__ == "__main__":
    Demo.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
