"""What each host's /proc/stat tells: the CPU time of its control group, out of the machine's.

A host that is capped at half a core of a machine with two never shows more than a quarter busy:
what a cap makes of a host's capacity is for the configuration to say.
"""
import os
import threading
import time

EVERY_S = 0.2
NS_PER_TICK = 10_000_000
REST = "intr 0\nctxt 0\nbtime 1700000000\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"


class Faker(threading.Thread):
    """Rewrites the files of the hosts that are up, until stop()."""

    def __init__(self, hosts):
        super().__init__(daemon=True)
        self.hosts = hosts
        self.cpus = os.cpu_count()
        self.told = {}  # host: [time, user, system as read last; user, system, idle as shown]
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(EVERY_S):
            for host in self.hosts:
                try:
                    self._look(host)
                except (OSError, ValueError):
                    self.told.pop(host.name, None)  # it is down, or going down

    def stop(self):
        self._stopped.set()
        self.join()

    def _look(self, host):
        user, system = host.group.kind.used_ns(host.group.name)
        now = time.monotonic_ns()
        last = self.told.setdefault(host.name, [now, user, system, 0.0, 0.0, 0.0])
        elapsed = (now - last[0]) * self.cpus
        busy = (max(0, user - last[1]), max(0, system - last[2]))
        idle = max(0, elapsed - sum(busy))
        last[:] = [now, user, system, last[3] + busy[0], last[4] + busy[1], last[5] + idle]
        with open(host.procstat, "r+", encoding="ascii") as file:
            file.write(self._text(*last[3:]))

    def _text(self, *shares):
        def line(name, parts):
            user, system, idle = (share / NS_PER_TICK / parts for share in shares)
            return f"{name} {user:15.0f} 0 {system:15.0f} {idle:15.0f} 0 0 0 0 0 0\n"
        each = "".join(line(f"cpu{k}", self.cpus) for k in range(self.cpus))
        return line("cpu ", 1) + each + REST
