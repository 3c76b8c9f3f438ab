"""One host: a place with its own libvirtd, joined to the switch by a link that can be cut."""
import os
import shutil
import subprocess

from .cgroup import Cgroup, remove
from .place import Place
from .processes import RigError, run, wait_for

NETWORK = "10.77.0"
HOSTS_MAX = 32
PROCSTAT_BYTES = 4096
LIBVIRTD_CONF = """listen_tls = {tls}
listen_tcp = 1
listen_addr = "{address}"
tcp_port = "16509"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "{uuid}"
keepalive_interval = 2
keepalive_count = 3
log_level = 3
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
log_filters = "1:qemu.qemu_migration 3:util 3:object"
"""
QEMU_CONF = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
security_default_confined = 0
cgroup_controllers = [ ]
namespaces = [ ]
seccomp_sandbox = 0
stdio_handler = "file"
migration_host = "{address}"
migration_address = "{address}"
keepalive_interval = 2
keepalive_count = 3
max_core = 0
"""
# libvirt-daemon-system would make them; libvirtd does not start without, whatever qemu.conf says.
USERS = {"libvirt-qemu": 64055}
GROUPS = {"libvirt-qemu": 64055, "kvm": 64056, "libvirt": 64057}


class Host(Place):
    """Number k of the rig is called hk, and reached at 10.77.0.(10 + k)."""

    def __init__(self, folder, number, switch):
        address = f"{NETWORK}.{10 + number}"
        super().__init__(folder, f"h{number}", address, "host_init.sh")
        self.number = number
        self.switch = switch
        self.uuid = f"77000000-0000-4000-8000-0000000000{number:02x}"
        self.uri = f"qemu+tcp://{address}/system"
        self.procstat = self.folder / "procstat"

    # Life.

    def make(self):
        """Its disk, with what a fresh installation has."""
        for folder in ("etc", "var"):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / "var/run").symlink_to("/run")
        shutil.copytree("/etc", self.folder / "etc", symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("qemu", "ballast", "pki"))
        self._write_users()
        (self.folder / "etc/hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{NETWORK}.{10 + k} h{k}\n" for k in range(1, HOSTS_MAX + 1)))
        (self.folder / "etc/libvirt").mkdir(exist_ok=True)
        self.configure_libvirt()
        self.procstat.write_text("\n" * PROCSTAT_BYTES)

    def _write_users(self):
        for name, wanted, line in (("passwd", USERS, "{0}:x:{1}:{1}::/var/lib/libvirt:/bin/false"),
                                   ("group", GROUPS, "{0}:x:{1}:")):
            path = self.folder / "etc" / name
            text = path.read_text()
            have = {entry.split(":")[0] for entry in text.splitlines()}
            path.write_text(text + "".join(line.format(user, number) + "\n"
                                           for user, number in wanted.items() if user not in have))

    def configure_libvirt(self, tls=False):
        etc = self.folder / "etc/libvirt"
        (etc / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(
            address=self.address, uuid=self.uuid, tls=int(tls)))
        (etc / "qemu.conf").write_text(QEMU_CONF.format(address=self.address))

    def start(self):
        """Power on, from the main thread: neither libvirtd nor a guest runs yet."""
        group = Cgroup(self.name)
        group.make()
        (self.folder / "cgroup").write_text(group.name)
        super().start()
        self._plug_in()

    def stop(self):
        super().stop()
        name = self.folder / "cgroup"
        if name.exists():
            remove(name.read_text())
            name.unlink()

    def cap(self, cores):
        """From now on it has so many cores; 0: all."""
        self.group.cap(cores)

    @property
    def group(self):
        group = Cgroup(self.name)
        group.name = (self.folder / "cgroup").read_text()
        return group

    # The link.

    def _plug_in(self):
        link = f"v-{self.name}"
        self.switch.run("ip", "link", "delete", link, check=False)  # of a former life
        self.switch.run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0")
        # Named by its number out there: the switch does not see that process.
        run("nsenter", "-t", self.switch.pid, "-n", "ip", "link", "set", "eth0",
            "netns", self.pid)
        self.switch.run("ip", "link", "set", link, "master", "br0", "up")
        # Above every guest's, the worst there can be for a bridge that would take the least.
        self.run("ip", "link", "set", "eth0", "address", f"fe:ff:ff:00:00:{self.number:02x}")
        self.run("ip", "link", "set", "eth0", "master", "br0", "up")

    def cut_link(self):
        """Frames are lost from now on; nobody is told."""
        self.switch.run("ip", "link", "set", f"v-{self.name}", "nomaster")

    def mend_link(self):
        self.switch.run("ip", "link", "set", f"v-{self.name}", "master", "br0")

    # What runs there.

    def spawn(self, *command, log):
        """Starts a program that shares the host's CPU cap; it ends with the host."""
        enter = " && ".join(f"echo $$ > {path}" for path in self.group.entry())
        with open(log, "ab") as out:
            return subprocess.Popen(  # pylint: disable=consider-using-with
                ["sh", "-c", f'{enter} && exec "$@"', "sh", *self.inside(*command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def libvirtd_pids(self):
        return self.named(self.processes(), "libvirtd")

    def start_libvirtd(self):
        if not self.libvirtd_pids():
            starter = self.spawn("libvirtd", "-d", "--listen", log=self.folder / "libvirtd.out")
            if starter.wait() != 0:
                raise RigError(f"libvirtd on {self.name}: "
                               f"{(self.folder / 'libvirtd.out').read_text()}")
        wait_for(f"libvirtd on {self.name} answers",
                 lambda: self.virsh("nodeinfo", check=False).returncode == 0)

    def kill_libvirtd(self):
        self.kill(self.libvirtd_pids())

    def qemu_pids(self, guest):
        """Of a guest's emulator here, running or incoming."""
        processes = self.processes()
        return [pid for pid in self.named(processes, "qemu-system-x86_64")
                if any(word.startswith(f"guest={guest},") for word in processes[pid])]

    def virsh(self, *arguments, **options):
        return self.run("virsh", "-q", "-c", "qemu:///system", *arguments, **options)

    def clock_mhz(self):
        told = dict(line.split(":", 1) for line in self.virsh("nodeinfo").stdout.splitlines()
                    if ":" in line)
        return float(told["CPU frequency"].split()[0])

    def domains(self):
        """{name: state} as libvirt tells; None where libvirtd does not answer."""
        told = self.virsh("list", "--all", check=False) if self.pid else None
        if told is None or told.returncode != 0:
            return None
        rows = [line.split(maxsplit=2) for line in told.stdout.splitlines() if line.strip()]
        return {name: state for _, name, state in rows}


def make_switch(folder):
    os.makedirs(folder, exist_ok=True)
    return Place(folder, "switch", f"{NETWORK}.1", "switch_init.sh")
