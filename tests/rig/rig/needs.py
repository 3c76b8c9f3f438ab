"""What the rig needs, and why it cannot run here. Each check gives a reason, or None."""
import os
import pathlib
import shutil
import subprocess

from . import cgroup

MEMORY_MIB_MIN = 3_000  # nine guests with the overhead of their QEMUs, and the hosts
CPUS_MIN = 2
TOOLS = {
    "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "cpio": "cpio",
    "libvirtd": "libvirt-daemon", "virsh": "libvirt-clients", "gcc": "gcc",
    "qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static",
}
UNSHARE = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
           "--mount-proc", "--propagation", "private"]


def _root():
    return None if os.geteuid() == 0 else "needs root: it makes namespaces, control groups, mounts"


def _machine():
    machine = os.uname().machine
    return None if machine == "x86_64" else f"guests are x86_64, this machine is {machine}"


def _tools():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    return missing and f"packages missing: {' '.join(missing)} (scripts/setup --rig installs them)"


def _namespaces():
    probe = ("mount -t tmpfs none /run && ip link add rig-br type bridge && "
             "ip link add rig-a type veth peer name rig-b && ip link set rig-a master rig-br")
    ran = subprocess.run([*UNSHARE, "sh", "-c", probe], capture_output=True, text=True, check=False)
    return ran.returncode and f"no namespaces with mounts, bridges and veth: {ran.stderr.strip()}"


def _cgroups():
    return None if cgroup.version() else "no cpu controller of cgroup v1 or v2 that may be written"


def _memory():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            mib = int(line.split()[1]) // 1024
            if mib < MEMORY_MIB_MIN:
                return f"{mib} MiB of memory are free, needs {MEMORY_MIB_MIN}"
    return None


def _cpus():
    count = len(os.sched_getaffinity(0))
    return None if count >= CPUS_MIN else f"{count} CPU, needs {CPUS_MIN}"


def why_not():
    """The first reason why the rig cannot run here; None where it can."""
    for check in (_machine, _root, _tools, _cgroups, _namespaces, _memory, _cpus):
        reason = check()
        if reason:
            return reason
    return None
