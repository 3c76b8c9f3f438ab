"""A control group that bounds the memory of one process, as the unit file does; where this machine
lets nobody make one (no root, no controller) there is none, and the test says so."""
import os
import pathlib

from waiting import wait_for

ROOT = pathlib.Path("/sys/fs/cgroup")


class MemoryBound:
    """`place` is None where there is none."""

    def __init__(self, name, bytes_max):
        self.place = None
        for top, limit in ((ROOT / "memory", "memory.limit_in_bytes"), (ROOT, "memory.max")):
            place = top / f"{name}-{os.getpid()}"
            try:
                place.mkdir()
            except OSError:
                continue
            try:
                (place / limit).write_text(str(bytes_max))
                self.place = place
                return
            except OSError:
                place.rmdir()

    def hold(self, pid):
        if self.place:
            (self.place / "cgroup.procs").write_text(str(pid))

    def remove(self):
        """Once the process has ended."""
        def is_removed():
            try:
                self.place.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return False
            return True
        if self.place:
            wait_for("the control group is empty", is_removed)
