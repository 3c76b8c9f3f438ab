"""What a node refuses: strangers, a second process with its folder, files that are damaged, and
requests on its control socket that mean nothing.

usage: refusal_test.py BALLAST [TEST]...
"""
import signal
import subprocess
import sys
import unittest

from fleet import Fleet
from waiting import PATIENCE_S

HOSTS = {"m": (10_000, 65_536), "s1": (10_000, 65_536)}
VMS = {"v1": ("s1", 1_000, 1_024)}


class Refusal(unittest.TestCase):
    binary = ""

    def setUp(self):
        self.fleet = Fleet(self.binary)
        self.addCleanup(self.fleet.cleanup)
        self.fleet.write_trace(HOSTS, VMS)
        self.master = self.fleet.add("m", "master", "recommend")
        self.fleet.trust(self.master, self.master, master=True)

    def start_with_slave(self, cluster="test"):
        """A slave that trusts the master; whether the master trusts it is the test's business."""
        self.master.start()
        slave = self.fleet.add("s1", "slave", "recommend", self.master, cluster)
        self.fleet.trust(slave, slave)
        self.fleet.trust(slave, self.master, master=True)
        return slave

    def refused_start(self, node):
        """What `ballast run` says when it ends at once, which it must with exit code 2."""
        ran = subprocess.run([self.binary, "run", "--config", node.config], capture_output=True,
                             text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""), ran.stderr)
        self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)
        self.assertTrue(ran.stderr.startswith("ballast: "), ran.stderr)
        return ran.stderr

    def test_a_slave_that_the_master_does_not_trust_is_kept_out_and_counted(self):
        slave = self.start_with_slave()
        slave.start()
        status = self.master.wait_status(
            "a refused key", lambda s: s["counters"].get("net_refused_keys", 0) > 0)
        self.assertEqual([host["id"] for host in status["hosts"]], ["m"])
        status = slave.wait_status(
            "it sees the refusal", lambda s: s["counters"].get("net_refused_by_peer", 0) > 0)
        self.assertIsNone(status["master"])

    def test_a_changed_configuration_is_taken_where_that_is_safe_and_a_wrong_one_not_at_all(self):
        self.master.start()
        self.master.wait_status("it answers", lambda s: True)
        good = self.master.config.read_text(encoding="utf-8")

        def reload():
            ran = self.fleet.ballast("reload", BALLAST_CONTROL=str(self.master.control))
            return ran.returncode, ran.stdout, ran.stderr

        self.assertEqual(reload(), (0, "nothing has changed in the configuration\n", ""))
        self.master.config.write_text(good.replace('"recommend"', '"approve"')
                                      .replace('"test"', '"other"'), encoding="utf-8")
        code, said, _ = reload()
        self.assertEqual(code, 0)
        self.assertIn('taken          plan.mode: "recommend" -> "approve"\n', said)
        self.assertIn('needs restart  node.cluster: "test" -> "other"\n', said)
        self.assertEqual(self.master.status()["mode"], "approve")
        self.master.config.write_text(good + "\n[plan]\nmod = 1\n", encoding="utf-8")
        code, said, wrong = reload()
        self.assertEqual((code, said), (1, ""))
        self.assertIn("nothing has changed", wrong)
        self.assertEqual(self.master.status()["mode"], "approve")
        self.master.config.write_text(good, encoding="utf-8")
        self.master.process.send_signal(signal.SIGHUP)
        self.master.wait_status("it heard the signal", lambda s: s["mode"] == "recommend")
        self.assertIn('plan.mode: "approve" -> "recommend" (SIGHUP)', self.master.log())

    def test_a_slave_gets_in_once_it_is_trusted_and_out_once_it_is_revoked(self):
        slave = self.start_with_slave()
        slave.start()
        self.master.wait_status(
            "a refused key", lambda s: s["counters"].get("net_refused_keys", 0) > 0)
        self.fleet.trust(self.master, slave)
        self.master.wait_status("it is in", lambda s: len(s["hosts"]) == 2)
        revoked = self.fleet.ballast("trust", "revoke", "--state-dir", self.master.folder, "s1")
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        self.master.wait_status("what it says is dropped", lambda s: any(
            h["id"] == "s1" and h["state"].startswith("lost") for h in s["hosts"]))

    def test_a_slave_with_the_id_of_another_and_its_own_key_is_kept_out(self):
        slave = self.start_with_slave()
        other = self.fleet.ballast("keygen", "--state-dir", self.fleet.folder / "other")
        added = self.fleet.ballast("trust", "add", "--state-dir", self.master.folder, "s1",
                                   other.stdout.strip())
        self.assertEqual(added.returncode, 0, added.stderr)
        slave.start()
        status = self.master.wait_status(
            "a refused key", lambda s: s["counters"].get("net_refused_keys", 0) > 0)
        self.assertEqual([host["id"] for host in status["hosts"]], ["m"])

    def test_a_slave_of_another_cluster_is_dropped_and_counted(self):
        slave = self.start_with_slave(cluster="another")
        self.fleet.trust(self.master, slave)
        slave.start()
        status = self.master.wait_status(
            "a message of another cluster",
            lambda s: s["counters"].get("net_dropped_wrong_cluster", 0) > 0)
        self.assertEqual([host["id"] for host in status["hosts"]], ["m"])

    def test_a_second_process_with_the_same_folder_is_refused(self):
        self.master.start()
        self.master.wait_status("answers", bool)
        said = self.refused_start(self.master)
        self.assertIn(str(self.master.folder), said)
        self.assertIn(f"pid {self.master.process.pid}", said)
        self.assertEqual(self.master.status()["epoch"]["incarnation"], 1)

    def test_a_second_process_with_the_same_control_socket_is_refused(self):
        self.master.start()
        self.master.wait_status("answers", bool)
        other = self.fleet.add("s1", "slave", "recommend", self.master)
        self.fleet.trust(other, other)
        other.config.write_text(
            other.config.read_text().replace(str(other.control), str(self.master.control)))
        self.assertIn("control.sock", self.refused_start(other))
        self.assertEqual(self.master.status()["id"], "m")

    def test_a_damaged_state_file_is_told_with_its_line(self):
        for name, text, where in [
                ("state", "incarnation x\n", "state:1"),
                ("state", "incarnation 3\nmaintenance 0\nrest 5\n", "state:3"),
                ("state", "incarnation 3", "state:1"),
                ("state", "", "state"),
                ("state", "incarnation 3\nnonsense\n", "state:2"),
                ("simulated.vms", "ballast-simulated/1 m 0\nv1 nowhere\nend 1\n",
                 "simulated.vms:2"),
                ("simulated.vms", "ballast-simulated/1 m 0\n", "simulated.vms:1"),
                ("trust", "m nokey master\n", "trust:1")]:
            with self.subTest(text=text):
                file = self.master.folder / name
                before = file.read_bytes() if file.exists() else None
                file.write_text(text)
                said = self.refused_start(self.master)
                self.assertIn(f"{self.master.folder}/{where}", said)
                self.assertEqual(file.read_text(), text)  # evidence is not written over
                file.unlink()
                if before is not None:
                    file.write_bytes(before)

    def test_binary_in_its_files_is_an_error_and_not_echoed_raw(self):
        for name in ("state", "simulated.vms", "trust", "node.key"):
            with self.subTest(file=name):
                file = self.master.folder / name
                before = file.read_bytes() if file.exists() else None
                file.write_bytes(bytes(range(256)) * 64)
                file.chmod(0o600)
                said = self.refused_start(self.master)
                self.assertIn(str(file), said)
                self.assertTrue(said[:-1].isprintable(), repr(said))
                file.unlink()
                if before is not None:
                    file.write_bytes(before)
                    file.chmod(0o600)

    def test_missing_key_missing_trace_and_foreign_host_are_told(self):
        key = self.master.folder / "node.key"
        saved = key.read_bytes()
        key.unlink()
        self.assertIn("node.key", self.refused_start(self.master))
        key.write_bytes(saved)
        key.chmod(0o600)
        text = self.master.config.read_text()
        trace = str(self.fleet.folder / "trace")
        self.master.config.write_text(text.replace(trace, trace + "-gone"))
        self.assertIn("trace-gone", self.refused_start(self.master))
        self.master.config.write_text(text.replace('id = "m"', 'id = "nobody"'))
        self.assertIn("nobody", self.refused_start(self.master))


if __name__ == "__main__":
    Refusal.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
