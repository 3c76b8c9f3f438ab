"""What an overload that nothing can relieve costs the master of its group, in processor time of a
real `ballast run` at the default intervals: one host is over its threshold, all others are just
under what plans fill them up to, so that none of its VMs fits anywhere nor changes places with
another, and the loads of all waver a little. Goal: 0.3 % of a core.

usage: unrelieved.py BALLAST [SECONDS [SLAVES [VMS]]]   default: 240 s, 7 slaves, 20 VMs a host
"""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from fleet import Fleet  # noqa: E402 pylint: disable=wrong-import-position
from footprint import cpu_s  # noqa: E402 pylint: disable=wrong-import-position

GOAL_PERCENT = 0.3
HOST_MHZ = 80_000
BUSY = 0.755  # of each host but one
OVER = 0.95  # of that one
WAVERS = 0.003  # of a VM's load
INTERVAL_S = 20


def waver(fleet, vms, seconds):
    """Loads that change a little all the time."""
    draw = random.Random(1)
    count = int(seconds) // INTERVAL_S + 30
    rows = [",".join([vm, *(f"{100 * (1 + draw.uniform(-WAVERS, WAVERS)):.2f}"
                            for _ in range(count))]) for vm in vms]
    head = ",".join(["vm", *(f"t{i}" for i in range(count))])
    fleet.write_csv(fleet.folder / "trace/cpu.csv", head, rows)
    (fleet.folder / "trace/trace.toml").write_text(f"interval_s = {INTERVAL_S}\n")


def main(binary, seconds=240, slaves=7, vms=20):
    fleet = Fleet(binary)
    try:
        names = ["m"] + [f"s{i}" for i in range(int(slaves))]
        guests = {}
        for host in names:
            load = HOST_MHZ * (OVER if host == names[-1] else BUSY) / int(vms)
            guests.update({f"vm-{host}-{i}": (host, int(load), 4_096) for i in range(int(vms))})
        fleet.write_trace({name: (HOST_MHZ, 262_144) for name in names}, guests)
        waver(fleet, guests, float(seconds))
        default = "[plan]\n"
        master = fleet.add("m", "master", "auto", timing=default)
        fleet.trust(master, master, master=True)
        master.start()
        nodes = [fleet.add(name, "slave", "auto", master, timing=default) for name in names[1:]]
        fleet.trust_each_other()
        for node in nodes:
            node.start()
        master.wait_status("its group is complete", lambda s: len(s["hosts"]) == len(names))
        master.wait_status("a plan finds no place for some VMs",
                           lambda s: s["plan"] and s["plan"]["surplus"])
        before, start = cpu_s(master.process.pid), time.monotonic()
        counted = master.status()["counters"]
        time.sleep(float(seconds))  # what is measured is that nothing can be done
        span = time.monotonic() - start
        percent = 100 * (cpu_s(master.process.pid) - before) / span
        now = master.status()["counters"]
        made, spared = (now.get(name, 0) - counted.get(name, 0)
                        for name in ("searches_made", "searches_spared"))
        print(f"an overload in a group of {len(names)} hosts with {len(guests)} VMs for "
              f"{span:.0f} s: {percent:.3f} % of a core, {percent / GOAL_PERCENT:.2f} of the goal; "
              f"{made} searches made, {spared} spared")
    finally:
        fleet.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
