"""Real libvirt hosts on this machine, to look at by hand: brings them up, has guests run on them,
disturbs them. Root is needed.

  rig up [HOSTS]             hosts h1.. (4), each with its own libvirtd; they stay until `rig down`
  rig down                   ends all of it
  rig vm NUMBER HOST [WORK]  starts guest vmNUMBER, which does WORK thousand units a second
  rig tell NUMBER ORDER      'work N', 'dirty N' or 'stat', to a guest
  rig cap CORES              caps the CPU of every host (0: no cap)
  rig status                 hosts and their guests
  rig virsh HOST ...         virsh on that host
  rig exec HOST ...          any command on that host
  rig cut HOST, mend HOST    its link
  rig libvirtd HOST          starts libvirtd there again, if it has ended
  rig check                  says why the rig cannot run here, or nothing

Its folder is $BALLAST_RIG (build/rig), what guests boot is kept in $BALLAST_RIG_IMAGE
(build/rig-image).
"""
import os
import pathlib
import signal
import subprocess
import sys
import threading

from . import needs
from .image import NoImage
from .processes import RigError, kill_and_wait, started_at, wait_for
from .rig import Rig

TOP = pathlib.Path(__file__).resolve().parents[3]
FOLDER = pathlib.Path(os.environ.get("BALLAST_RIG", TOP / "build/rig"))
IMAGE = pathlib.Path(os.environ.get("BALLAST_RIG_IMAGE", TOP / "build/rig-image"))
UP_S = 600  # with the kernel to fetch


def keep(count):
    """Holds a rig up until it is told to end; `rig up` runs this in the background."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    rig = Rig(FOLDER, IMAGE)
    try:
        rig.up(count)
        (FOLDER / "keeper").write_text(f"{os.getpid()} {started_at(os.getpid())}")
        while not ended.wait(1):
            pass
    finally:
        rig.down()


def keeper():
    try:
        pid, born = (FOLDER / "keeper").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if started_at(pid) == born else None


def up(count="4"):
    if keeper():
        raise RigError(f"there is a rig in {FOLDER} already: `rig down` ends it")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    log_path = FOLDER.with_suffix(".log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, sys.argv[0], "keep", count], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True)
    try:
        wait_for("the rig is up", lambda: keeper() or process.poll() is not None, UP_S)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.poll() is not None:
        raise RigError(f"the rig did not come up: {log_path.read_text().strip()}")
    print(f"rig: {count} hosts are up in {FOLDER}")


def down():
    pid = keeper()
    if pid:
        kill_and_wait(pid, signal.SIGTERM)


def attached():
    if not keeper():
        raise RigError(f"there is no rig in {FOLDER}: `rig up` makes one")
    return Rig.attach(FOLDER, IMAGE)


def host_of(name):
    hosts = attached().hosts
    if name not in hosts:
        raise RigError(f"found no host '{name}', expected one of {' '.join(hosts)}")
    return hosts[name]


def vm(number, host, work="0"):
    host_of(host)
    attached().boot({int(number): host}, work=int(work))


def tell(number, order):
    print(attached().guest(int(number)).tell(order))


def cap(cores):
    attached().cap(float(cores))


def status():
    for host in attached().hosts.values():
        domains = host.domains()
        shown = "libvirtd does not answer" if domains is None else " ".join(
            f"{name} ({state})" for name, state in sorted(domains.items()))
        print(f"{host.name} {host.address}: {shown or 'no guest'}")


def execute(host, *command):
    sys.exit(subprocess.run(host_of(host).inside(*command), check=False).returncode)


def check():
    reason = needs.why_not()
    if reason:
        raise RigError(reason)


COMMANDS = {
    "up": up, "down": down, "keep": lambda count: keep(int(count)), "vm": vm, "tell": tell,
    "cap": cap, "status": status, "exec": execute, "check": check,
    "virsh": lambda host, *words: execute(host, "virsh", "-c", "qemu:///system", *words),
    "cut": lambda host: host_of(host).cut_link(),
    "mend": lambda host: host_of(host).mend_link(),
    "libvirtd": lambda host: host_of(host).start_libvirtd(),
}


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments[0] in ("up", "keep"):
        check()
    try:
        COMMANDS[arguments[0]](*arguments[1:])
    except TypeError:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


def run(arguments):
    try:
        return main(arguments)
    except (RigError, NoImage, AssertionError, ValueError) as error:
        print(f"rig: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
