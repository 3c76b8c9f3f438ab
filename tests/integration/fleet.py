"""A group of real `ballast run` processes, set up by hand as a new user would: keys, trust, one
configuration a node, simulated hosts that meet over loopback.

Nothing outlives the test: what still runs is ended by cleanup(), and the kernel ends what is left
when this process dies. Ports are free ones, folders fresh ones, so tests may run side by side.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from waiting import PATIENCE_S, die_with_parent, wait_status  # noqa: E402 pylint: disable=C0413

ASK_PATIENCE_S = 30
FAST = """[sample]
sample_interval = 0.2
report_interval = 0.5
[plan]
plan_interval = 1
cooldown = 5
"""  # instead of minutes


def processes_naming(text):
    """Ids of living processes (no zombies) whose command line names `text`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if text in (entry / "cmdline").read_bytes().decode(errors="replace"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
    return found


class Node:
    """One host: its folder, configuration and, while it runs, its process."""

    def __init__(self, fleet, name):
        self.fleet = fleet
        self.name = name
        self.folder = fleet.folder / name
        self.control = self.folder / "control.sock"
        self.config = self.folder / "ballast.toml"
        self.log_file = self.folder / "log"
        self.process = None
        self.key = None
        self.inside = []  # what its command line begins with, to run it elsewhere

    def start(self):
        with open(self.log_file, "ab") as log:
            # Closed by stop(), kill() or cleanup().
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [*self.inside, self.fleet.binary, "run", "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)

    def kill(self):
        """As if the power went: SIGKILL, and gone."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self):
        """In order; gives back the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def log(self):
        return self.log_file.read_text() if self.log_file.exists() else ""

    def status(self):
        """ballast-status/1 as a dictionary; None while the node does not answer."""
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} has ended by itself:\n{self.log()}")
        ran = self.fleet.ballast("status", "--json", "--control", self.control)
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def wait_status(self, what, condition):
        """Waits until condition(status) holds and gives back that status."""
        return wait_status(self.name, what, self, condition)

    def stored_vms(self):
        """VMs that are on the simulated host, as its own file says."""
        lines = (self.folder / "simulated.vms").read_text().splitlines()
        return [line.split(" ")[0] for line in lines[1:-1]]


class Fleet:
    """Hosts with the same configuration. VMs are given as {vm: (host, MHz, MiB)}."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ballast-it-"))
        self.nodes = {}

    def cleanup(self):
        running = [n.process for n in self.nodes.values() if n.process and n.process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ballast(self, *arguments, **environment):
        """Runs a command to its end; `environment` is added to this process's."""
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True,
                              check=False, timeout=ASK_PATIENCE_S,
                              env={**os.environ, **environment})

    def write_trace(self, hosts, vms):
        folder = self.folder / "trace"
        folder.mkdir()
        rows = [f"{host},{mhz},{mib},10000," for host, (mhz, mib) in hosts.items()]
        self.write_csv(folder / "hosts.csv", "host,cpu,memory,network,group", rows)
        rows = [f"{vm},{host},{mhz},{mib},10" for vm, (host, mhz, mib) in vms.items()]
        self.write_csv(folder / "vms.csv", "vm,host,cpu,memory,network", rows)
        self.write_csv(folder / "cpu.csv", "vm,t0", [f"{vm},100" for vm in vms])
        (folder / "trace.toml").write_text("interval_s = 300\n")
        (folder / "secret").write_text("of this test alone")

    @staticmethod
    def write_csv(path, header, rows):
        path.write_text("\n".join([header, *rows]) + "\n")

    def add(self, name, role, mode="auto", master=None, cluster="test", timing=FAST):
        """A folder with key and configuration; `master` is a running node, `timing` TOML that ends
        in the table [plan]."""
        node = Node(self, name)
        node.folder.mkdir()
        made = self.ballast("keygen", "--state-dir", node.folder)
        assert made.returncode == 0, made.stderr
        node.key = made.stdout.strip()
        address = ""
        if master:
            status = master.wait_status("answers", bool)
            address = f'master = "{master.name}@{status["endpoint"]}"\n'
        node.config.write_text(f"""
[node]
id = "{name}"
role = "{role}"
cluster = "{cluster}"
bind = "tcp://127.0.0.1:0"
{address}state_dir = "{node.folder}"
control = "{node.control}"
{timing}mode = "{mode}"
[mesh]
bind = "tcp://127.0.0.1:0"
beacon = "127.0.0.1:0"
[migrate]
bandwidth = 16
[hypervisor]
kind = "simulated"
trace = "{self.folder / "trace"}"
speed = 30
""")
        checked = self.ballast("check-config", node.config)
        assert checked.returncode == 0, checked.stderr
        self.nodes[name] = node
        return node

    def trust(self, by, who, master=False):
        added = self.ballast("trust", "add", "--state-dir", by.folder, who.name, who.key,
                             *(["--master"] if master else []))
        assert added.returncode == 0, added.stderr

    def trust_each_other(self):
        """Each knows each, the masters as such."""
        for by in self.nodes.values():
            for who in self.nodes.values():
                self.trust(by, who, "role = \"master\"" in who.config.read_text())
