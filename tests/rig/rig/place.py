"""A place: a set of namespaces held open by a first process, with which everything in it ends."""
import os
import pathlib
import signal
import subprocess

from waiting import die_with_parent

from .needs import UNSHARE
from .processes import children_of, in_namespace_of, kill_and_wait, run, started_at, wait_for

HERE = pathlib.Path(__file__).parent


def mac_of(address):
    """A link address that stays: the same for the same IPv4 address."""
    return "02:77:" + ":".join(f"{int(byte):02x}" for byte in address.split("."))


class Place:
    """`folder` holds `pid` (of the first process, and when it was born) while the place is up."""

    def __init__(self, folder, name, address, script):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.address = address
        self.script = script
        self._holder = None

    @property
    def pid(self):
        """The first process, as the machine numbers it; None where the place is down."""
        try:
            pid, born = (self.folder / "pid").read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if started_at(pid) == born else None

    def start(self):
        """Ends with the process that called this, however that one ends; to the kernel that is the
        thread that called, so let it be the main one."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        with open(self.folder / "init.log", "ab") as log:
            # Ended by stop(), and by the kernel when this process dies.
            self._holder = subprocess.Popen(  # pylint: disable=consider-using-with
                [*UNSHARE, "bash", HERE / self.script, self.folder, self.name, self.address,
                 mac_of(self.address)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                start_new_session=True)

        def came_up():
            if self._holder.poll() is not None:
                log = (self.folder / "init.log").read_text()
                raise AssertionError(f"{self.name} did not start: {log}")
            return ready.exists() and children_of(self._holder.pid)
        pid = wait_for(f"{self.name} is up", came_up)[0]
        (self.folder / "pid").write_text(f"{pid} {started_at(pid)}")

    def stop(self):
        """All of it ends at once, as if the power went."""
        if self.pid:
            kill_and_wait(self.pid)
        if self._holder:
            self._holder.wait()
            self._holder = None

    def inside(self, *command, namespaces="-muinp"):
        """The command line that runs `command` in the place."""
        if not self.pid:
            raise AssertionError(f"{self.name} is down")
        flags = [f"-{letter}" for letter in namespaces.lstrip("-")]
        return ["nsenter", "-t", str(self.pid), *flags, "--", *map(str, command)]

    def run(self, *command, **options):
        return run(*self.inside(*command), **options)

    def processes(self):
        """{process id: command line as a list} of all that lives there, the holder aside."""
        pid = self.pid
        return {p: words for p, words in in_namespace_of(pid).items() if p != pid} if pid else {}

    def kill(self, pids, number=signal.SIGKILL):
        for pid in pids:
            kill_and_wait(pid, number)

    @staticmethod
    def named(processes, program):
        """Of processes(), the ids of those that run `program`."""
        return [pid for pid, words in processes.items()
                if words and os.path.basename(words[0]) == program]
