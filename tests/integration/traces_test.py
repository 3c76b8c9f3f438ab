"""Traces that are made up, and the table beside other balancers: make-trace and compare.

usage: traces_test.py BALLAST [TEST]...
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
KINDS = ("bursts", "ramps", "daily", "flash", "batch", "mixed")
SMALL = ("--hosts", "6", "--vms", "40", "--days", "0.1")


class Traces(unittest.TestCase):
    binary = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_script(self, name, *words):
        return subprocess.run([sys.executable, SCRIPTS / name, *map(str, words)],
                              capture_output=True, text=True, check=False)

    def make(self, kind, name, seed=3):
        made = self.folder / name
        ran = self.run_script("make-trace", kind, made, "--seed", seed, *SMALL)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return made

    def test_one_seed_is_one_trace_and_every_kind_can_be_replayed(self):
        for kind in KINDS:
            first, again = self.make(kind, kind), self.make(kind, kind + "-again")
            other = self.make(kind, kind + "-other", seed=4)
            for file in sorted(first.iterdir()):
                self.assertEqual(file.read_bytes(), (again / file.name).read_bytes(), file)
            self.assertNotEqual((first / "cpu.csv").read_bytes(),
                                (other / "cpu.csv").read_bytes())
            self.check_loads(first)
            ran = subprocess.run([self.binary, "replay", first, "--nothing-moves", "--json"],
                                 capture_output=True, text=True, check=False)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            told = json.loads(ran.stdout)
            self.assertEqual((told["hosts"], told["vms"], told["intervals"]), (6, 40, 144))

    def check_loads(self, folder):
        """No moment asks for more of the fleet than there is room, nor much less than was said."""
        with open(folder / "hosts.csv", encoding="ascii") as file:
            capacity = sum(float(row["cpu"]) for row in csv.DictReader(file))
        with open(folder / "vms.csv", encoding="ascii") as file:
            size = {row["vm"]: float(row["cpu"]) for row in csv.DictReader(file)}
        with open(folder / "cpu.csv", encoding="ascii") as file:
            rows = list(csv.reader(file))[1:]
        used = [sum(size[row[0]] * float(row[i]) / 100 for row in rows) / capacity
                for i in range(1, len(rows[0]))]
        self.assertLess(max(used), 0.725)
        self.assertGreater(sum(used) / len(used), 0.4)

    def test_the_table_has_ballast_and_the_peers_and_says_the_same_twice(self):
        trace = self.make("mixed", "mixed")
        words = (trace, "--ballast", self.binary, "--json", "--vary", "plan.dwell=1,3")
        ran = self.run_script("compare", *words)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout, self.run_script("compare", *words).stdout)
        table = {row["balancer"]: row for row in json.loads(ran.stdout)}
        self.assertEqual(list(table), ["nothing moves", "Ballast", "Ballast, plan.dwell 1",
                                       "Ballast, plan.dwell 3", "cloudsim", "even", "greedy"])
        self.assertEqual(table["nothing moves"]["migrations"], 0)
        for name in ("Ballast", "greedy"):
            self.assertLessEqual(table[name]["over"], table["nothing moves"]["over"])

    def test_what_makes_no_sense_is_refused_with_what_is_wrong(self):
        made = self.make("daily", "daily")
        for words, said in ((("daily", made), "is there already"),
                            (("weekly", self.folder / "x"), "invalid choice: 'weekly'"),
                            (("daily", self.folder / "x", "--load", "0.9"), "--load above 0"),
                            (("daily", self.folder / "x", "--vms", "5000", "--hosts", "1"),
                             "do not fit into the memory")):
            ran = self.run_script("make-trace", *words)
            self.assertEqual(ran.returncode, 2)
            self.assertIn(said, ran.stderr)
            self.assertFalse((self.folder / "x").exists())
        for words, said in ((("--peers", "drs"), "no peer 'drs'"),
                            (("--ballast", self.binary, "--set", "plan.dwel=3"), "dwel"),
                            (("--ballast", self.folder / "none"), "none")):
            ran = self.run_script("compare", made, *words)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn(said, ran.stderr)
            self.assertNotIn("Traceback", ran.stderr)
        ran = self.run_script("compare", self.folder / "nowhere", "--ballast", self.binary)
        self.assertIn("nowhere", ran.stderr)
        self.assertNotIn("Traceback", ran.stderr)


if __name__ == "__main__":
    Traces.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
