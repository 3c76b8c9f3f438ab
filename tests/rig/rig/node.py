"""Our daemon on a host of the rig, set up as an operator would: a key, the trust file, one
configuration, all in the places that are the default."""
import json
import pathlib

from waiting import wait_status

from .processes import POLL_S

CONFIG = "etc/ballast/ballast.toml"
# A guest that is always ready to run counts as a whole CPU, whatever the host's cap lets it have.
# So hosts are said to have what one such guest does not fill to its threshold, but two do.
CPU_OF_CLOCK = 1.6
MEMORY_MIB = 2_048
SETTINGS = """[node]
id = "{id}"
role = "{role}"
cluster = "rig"
{master}
[sample]
sample_interval = {sample_s}
report_interval = {report_s}
[plan]
mode = "{mode}"
plan_interval = {plan_s}
cooldown = {cooldown_s}
no_return = {no_return_s}
[plan.thresholds]
cpu = {cpu_threshold}
[mesh]
gossip_interval = 0.5
min_masters = {min_masters}
[migrate]
bandwidth = {bandwidth}
timeout = {timeout_s}
transport = "{transport}"
{migrate}
[limits]
max_slaves = {max_slaves}
[hypervisor]
cpu = {cpu:.0f}
memory = {memory}
{hypervisor}
[hypervisor.base]
memory = 64
"""
# Short intervals, so that a test sees in seconds what takes minutes in a data centre.
DEFAULTS = {
    "mode": "auto", "master": "", "sample_s": 1, "report_s": 1, "plan_s": 3, "cooldown_s": 10,
    "no_return_s": 30, "cpu_threshold": 0.8, "min_masters": 2, "bandwidth": 0, "timeout_s": 60,
    "migrate": "", "transport": "tcp", "hypervisor": "", "memory": MEMORY_MIB,
    "max_slaves": 64,
}


class Node:
    def __init__(self, host, binary, role="slave", **settings):
        self.host = host
        self.binary = binary
        self.role = role
        self.settings = settings
        self.log_file = host.folder / "ballast.log"
        self.key = None

    @property
    def id(self):
        return self.host.name

    def ballast(self, *arguments, **options):
        """Runs a command there, to its end."""
        return self.host.run(self.binary, *arguments, **options)

    def install(self):
        """Key and configuration."""
        self.key = self.ballast("keygen").stdout.strip()
        self.configure()

    def configure(self, **settings):
        """Writes the configuration anew; a running daemon does not see it."""
        self.settings.update(settings)
        values = DEFAULTS | self.settings
        values.setdefault("cpu", self.host.clock_mhz() * CPU_OF_CLOCK)
        path = self.host.folder / CONFIG
        path.parent.mkdir(exist_ok=True)
        path.write_text(SETTINGS.format(id=self.id, role=self.role, **values))
        self.ballast("check-config", "/" + CONFIG)

    def trust(self, other):
        self.ballast("trust", "add", other.id, other.key,
                     *([] if other.role == "slave" else ["--master"]))

    def start(self):
        self.host.spawn(self.binary, "run", log=self.log_file)

    def pids(self):
        return [pid for pid, words in self.host.processes().items()
                if words[:2] == [str(self.binary), "run"]]

    def kill(self):
        self.host.kill(self.pids())

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def status(self):
        """ballast-status/1 as a dictionary; None while the node does not answer."""
        if not self.host.pid:
            return None
        told = self.ballast("status", "--json", check=False)
        return json.loads(told.stdout) if told.returncode == 0 else None

    def wait_status(self, what, condition, patience_s=120):
        """Waits until condition(status) holds and gives back that status."""
        return wait_status(self.id, what, self, condition, patience_s, POLL_S)


def introduce(nodes):
    """Everybody trusts everybody."""
    for by in nodes:
        for other in nodes:
            by.trust(other)


def memory_mib(pid):
    """Resident memory of a process."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20
