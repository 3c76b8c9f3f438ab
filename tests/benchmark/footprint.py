"""What an idle node costs: memory and processor time of real `ballast run` processes, a master
and a slave, at the default intervals. Goal: under 20 MB and 0.5 % of a core.

usage: footprint.py BALLAST [SECONDS [VMS]]        default: 60 s, 20 VMs a host
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from fleet import Fleet  # noqa: E402 pylint: disable=wrong-import-position

GOAL_MB = 20
GOAL_PERCENT = 0.5


def cpu_s(pid):
    """Processor time of all threads so far."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def memory_mb(pid):
    """(resident, of it private) in MB; what is private is not shared with other processes."""
    kib = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        kib[name.rstrip(":")] = int(value)
    private = kib["Private_Clean"] + kib["Private_Dirty"]
    return kib["Rss"] * 1024 / 1e6, private * 1024 / 1e6


def main(binary, seconds=60, vms=20):
    fleet = Fleet(binary)
    try:
        hosts = {name: (80_000, 262_144) for name in ("m", "s")}
        fleet.write_trace(hosts, {f"vm-{host}-{i}": (host, 1_000, 4_096)
                                  for host in hosts for i in range(int(vms))})
        default = "[plan]\n"
        master = fleet.add("m", "master", "recommend", timing=default)
        fleet.trust(master, master, master=True)
        master.start()
        slave = fleet.add("s", "slave", "recommend", master, timing=default)
        fleet.trust_each_other()
        slave.start()
        master.wait_status("the slave is in", lambda s: len(s["hosts"]) == 2)
        nodes = {"slave": slave.process.pid, "master of one slave": master.process.pid}
        before = {pid: cpu_s(pid) for pid in nodes.values()}
        start = time.monotonic()
        time.sleep(float(seconds))  # what is measured is that nothing happens
        span = time.monotonic() - start
        print(f"idle for {span:.0f} s at the default intervals, {vms} VMs a host")
        for name, pid in nodes.items():
            percent = 100 * (cpu_s(pid) - before[pid]) / span
            resident, private = memory_mb(pid)
            print(f"  {name:20} {resident:5.1f} MB resident ({private:.1f} MB private), "
                  f"{resident / GOAL_MB:.2f} of the goal; "
                  f"{percent:.3f} % of a core, {percent / GOAL_PERCENT:.2f} of the goal")
    finally:
        fleet.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
