"""The Debian package is installed, upgraded, removed and purged as on a host: in a copy of this
machine's file system, of which nothing reaches the machine (an overlay in a mount namespace).

usage: package_test.py ROOT BALLAST
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
PATIENCE_S = 120
HOLD = r"""
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/scratch" "$1/copy" "$1/debs"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/scratch" "$1/copy"
mount --bind /proc "$1/copy/proc"
mount -t tmpfs none "$1/copy/tmp"
mount -t tmpfs none "$1/copy/run"
mount --bind /dev "$1/copy/dev"
mkdir "$1/copy/tmp/debs"
mount --bind "$1/debs" "$1/copy/tmp/debs"
echo ready
read -r end
"""


class Copy:
    """A copy of the machine's file system, for as long as this process lives."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ballast-package-"))
        self.problem = ""
        self.holder = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", HOLD, "sh", self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.works = self.holder.stdout.readline() == "ready\n"

    def close(self):
        self.holder.stdin.close()
        self.problem = self.holder.stderr.read().strip()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def root(self):
        return pathlib.Path(f"/proc/{self.holder.pid}/root{self.folder}/copy")

    def run(self, *command):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                       "LC_ALL": "C"}
        inner = ["nsenter", "-t", str(self.holder.pid), "--mount", "chroot",
                 self.folder / "copy", *command]
        return subprocess.run(list(map(str, inner)), capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S, env=environment, stdin=subprocess.DEVNULL)

    def added(self):
        """Files and folders that differ from the machine's, by their names."""
        upper = f"/proc/{self.holder.pid}/root{self.folder}/upper"
        return {"/" + str(path.relative_to(upper)) for path in pathlib.Path(upper).rglob("*")}


class Package(unittest.TestCase):
    top = binary = None

    def setUp(self):
        self.copy = Copy()
        self.addCleanup(self.copy.close)
        self.assertTrue(self.copy.works)

    def must(self, *command):
        done = self.copy.run(*command)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def make(self, version):
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run([f"{self.top}/scripts/make-deb", self.binary, folder, version],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(made.returncode, 0, made.stderr)
            package = pathlib.Path(made.stdout.strip())
            target = f"/proc/{self.copy.holder.pid}/root{self.copy.folder}/debs"
            shutil.copy(package, target)
            return f"/tmp/debs/{package.name}"

    def ours(self):
        return {name for name in self.copy.added()
                if "ballast" in name and not name.startswith("/var/lib/dpkg/")}

    def test_from_installation_to_purge(self):
        told = self.must("dpkg", "--install", self.make("0.1.0"))
        self.assertIn("not started yet", told)
        settings = self.must("ballast", "check-config", "/etc/ballast/ballast.toml")
        self.assertIn("recommend", settings)
        self.assertEqual(self.must("dpkg", "--verify", "ballast"), "")
        self.assertFalse(any("wants/ballast" in name for name in self.ours()), "it is enabled")
        self.must("ballast", "keygen")
        key = self.copy.root / "var/lib/ballast/node.key"
        secret = key.read_bytes()
        settings_file = self.copy.root / "etc/ballast/ballast.toml"
        with open(settings_file, "a", encoding="utf-8") as file:
            file.write("# a change of the operator's\n")

        self.must("dpkg", "--install", self.make("0.2.0"))
        self.assertIn("0.2.0", self.must("dpkg-query", "-W", "ballast"))
        self.assertEqual(key.read_bytes(), secret)
        self.assertIn("a change of the operator's", settings_file.read_text())

        self.must("dpkg", "--remove", "ballast")
        self.assertFalse((self.copy.root / "usr/bin/ballast").exists())
        self.assertEqual(key.read_bytes(), secret)
        self.assertIn("a change of the operator's", settings_file.read_text())

        self.must("dpkg", "--purge", "ballast")
        self.assertEqual(self.ours(), set())

    def test_the_service_starts_after_an_init(self):
        self.must("dpkg", "--install", self.make("0.1.0"))
        # Without systemd it says how to start the node.
        self.assertIn("Start it: `ballast run`", self.must("ballast", "init", "--id", "h1"))
        self.must("rm", "-r", "/var/lib/ballast")
        # With one, the service is started and enabled: this one only notes what it was told.
        (self.copy.root / "run/systemd/system").mkdir(parents=True)
        stand_in = self.copy.root / "usr/sbin/systemctl"
        stand_in.write_text("#!/bin/sh\necho \"$@\" >> /tmp/told\n")
        stand_in.chmod(0o755)
        told = self.must("ballast", "init", "--id", "h1")
        self.assertIn("Its service starts now, and with the host", told)
        self.assertEqual((self.copy.root / "tmp/told").read_text(),
                         "enable --now --no-block --quiet ballast.service\n")
        self.assertIn("h1", self.must("ballast", "fleet"))
        stand_in.write_text("#!/bin/sh\nexit 1\n")
        self.must("rm", "-r", "/var/lib/ballast")
        self.assertIn("could not be started", self.must("ballast", "init", "--id", "h1"))

    def test_systemd_accepts_the_unit(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here")
        self.must("dpkg", "--install", self.make("0.1.0"))
        done = self.copy.run("systemd-analyze", "verify", "ballast.service")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


def main():
    Package.top, Package.binary = map(os.path.abspath, sys.argv[1:3])
    if os.geteuid() != 0 or not shutil.which("dpkg-deb"):
        print("skipped: needs root, and dpkg-deb")
        sys.exit(SKIPPED)
    copy = Copy()
    works = copy.works
    copy.close()
    if not works:
        print(f"skipped: no overlay of the file system in a mount namespace: {copy.problem}")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)


main()
