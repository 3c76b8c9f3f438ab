"""All of the rig: hosts, the switch between them, guests; who runs where.

A rig belongs to the process that brought it up, and ends with it, however that one ends. Another
process may attach() to it: look, and disturb.
"""
import concurrent.futures
import pathlib
import shutil

from . import cgroup
from .guest import Guest
from .host import Host, make_switch
from .image import Image
from .procstat import Faker

HIDDEN = ("/etc", "/var", "/run", "/proc", "/sys", "/dev")  # hosts have their own
BOOTS_AT_A_TIME = 3


class Rig:
    def __init__(self, folder, image_folder):
        self.folder = pathlib.Path(folder).resolve()
        if str(self.folder).startswith(tuple(f"{path}/" for path in HIDDEN)):
            raise ValueError(f"the folder {self.folder} would be hidden from the hosts, which have "
                             f"their own {' '.join(HIDDEN)}")
        self.image = Image(pathlib.Path(image_folder).resolve())
        self.switch = make_switch(self.folder / "switch")
        self.hosts = {}
        self.guests = {}
        self._faker = None

    def _add_hosts(self, count):
        for number in range(1, count + 1):
            host = Host(self.folder / f"h{number}", number, self.switch)
            self.hosts[host.name] = host

    def up(self, count):
        """So many hosts, not capped, no guest."""
        for name in cgroup.left_behind():
            cgroup.remove(name)
        self.image.build()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        (self.folder / "console").mkdir(exist_ok=True)
        self.switch.start()
        self._add_hosts(count)
        for host in self.hosts.values():
            host.make()
            host.start()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(Host.start_libvirtd, self.hosts.values()))
        self._faker = Faker(list(self.hosts.values()))
        self._faker.start()

    def down(self):
        """Nothing is left: no process, no mount, no control group, no file."""
        if self._faker:
            self._faker.stop()
        for host in self.hosts.values():
            host.stop()
        self.switch.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def attach(cls, folder, image_folder):
        """The rig that another process holds up there."""
        rig = cls(folder, image_folder)
        rig._add_hosts(len(list(rig.folder.glob("h*/pid"))))
        for console in rig.folder.glob("console/vm*.log"):
            rig.guest(int(console.stem[2:]))
        return rig

    def cap(self, cores):
        for host in self.hosts.values():
            host.cap(cores)

    def guest(self, number):
        return self.guests.setdefault(f"vm{number}", Guest(self, number))

    def boot(self, where, **options):
        """Defines and starts guests, {number: host name}, and waits for their first heartbeats.
        Quick on hosts that are not capped yet."""
        def one(item):
            guest, host = self.guest(item[0]), self.hosts[item[1]]
            guest.define(host, **options)
            guest.start(host)
            guest.wait_booted()
            return guest
        with concurrent.futures.ThreadPoolExecutor(BOOTS_AT_A_TIME) as pool:
            return list(pool.map(one, where.items()))

    def running(self):
        """{guest: [hosts where it runs]} as the libvirtds tell; a host that does not answer is
        left out."""
        where = {name: [] for name in self.guests}
        for host in self.hosts.values():
            for name, state in (host.domains() or {}).items():
                if state == "running":
                    where.setdefault(name, []).append(host.name)
        return where
