"""One guest: 96 MiB, no disk, a load that is set at run time, and a console that proves it lives.

Each second it writes a numbered heartbeat. A number that is missing, doubled or out of order would
show that the guest stood still, ran twice or began anew.
"""
import re

from .host import NETWORK
from .processes import RigError, wait_for

BOOT_S = 180
BEAT = re.compile(r"BEAT (\S+) n=(\d+) up=([\d.]+) work=(\d+)\r?\n")
# Live migration under software emulation now and then loses a page that the guest had written:
# plain `virsh migrate` of these guests broke one in 38. Its kernel then says one of these.
TROUBLE = re.compile(r"Kernel panic|BUG:|Oops|general protection|segfault|Attempted to kill init|"
                     r"invalid opcode|stack-protector|Call Trace|rcu: INFO")
BEAT_S = 1
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>{metadata}</metadata>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 mitigations=off {arguments}</cmdline></os>
  <features><acpi/><apic/><tcg><tb-cache unit='MiB'>32</tb-cache></tcg></features>
  <cpu mode='custom' match='exact'><model fallback='forbid'>qemu64</model></cpu>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <interface type='bridge'><mac address='52:54:00:77:00:{number:02x}'/><source bridge='br0'/>
      <model type='virtio'/><rom enabled='no'/></interface>
    <serial type='file'><source path='{console}' append='on'/><target port='0'/></serial>
    <memballoon model='virtio'><stats period='2'/></memballoon>
    <audio id='1' type='none'/>
    {devices}
  </devices>
</domain>
"""


def beats_in(name, text):
    """[(number, seconds since it booted, units of work done)] of a console."""
    return [(int(n), float(up), int(work)) for guest, n, up, work in BEAT.findall(text)
            if guest == name]


def broken_in(name, text):
    """Its kernel says so; or it counts on from an older number although its clock went on, as after
    the loss of a page. Two that run side by side come from one moment: there the clocks agree."""
    said = [line for line in text.splitlines() if TROUBLE.search(line)]
    if said:
        return f"its kernel says {said[0].strip()!r}"
    beats = beats_in(name, text)
    for (before, up_before, _), (after, up_after, _) in zip(beats, beats[1:]):
        if after <= before and up_after - up_before >= BEAT_S / 2:
            return (f"it counts on from {after} after {before}, {up_after - up_before:.1f} s later "
                    "by its own clock: a page was lost")
    return ""


class Guest:
    """Number k is called vmk, and reached at 10.77.0.(100 + k)."""

    def __init__(self, rig, number):
        self.rig = rig
        self.number = number
        self.name = f"vm{number}"
        self.uuid = f"77000000-0000-4000-8000-00000001{number:04x}"
        self.address = f"{NETWORK}.{100 + number}"
        self.console = rig.folder / "console" / f"{self.name}.log"

    def define(self, host, *, work=0, dirty=0, memory_mib=96, wss_mib=16, metadata="", devices=""):
        """Makes it known to a host: `work` thousand units a second, `dirty` MiB a second."""
        arguments = (f"rig.name={self.name} rig.ip={self.address} rig.work={work} "
                     f"rig.dirty={dirty} rig.wss={wss_mib}")
        xml = self.rig.folder / f"{self.name}.xml"
        xml.write_text(DOMAIN.format(
            name=self.name, uuid=self.uuid, number=self.number, memory_mib=memory_mib,
            kernel=self.rig.image.kernel, initrd=self.rig.image.initrd, arguments=arguments,
            console=self.console, metadata=metadata, devices=devices))
        self.console.write_text("")
        host.virsh("define", xml)

    def start(self, host):
        host.virsh("start", self.name)

    def wait_booted(self):
        wait_for(f"{self.name} gives its first heartbeat", self.beats, BOOT_S)

    def console_end(self, lines=60):
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-lines:])

    def beats(self):
        """[(number, seconds since it booted, units of work done)] so far."""
        return beats_in(self.name, self.console.read_text(errors="replace"))

    def wait_beats(self, count):
        """Until it has given `count` heartbeats more than now."""
        last = self.beats()[-1][0]
        wait_for(f"{self.name} gives {count} heartbeats after number {last}",
                 lambda: self.beats()[-1][0] >= last + count)

    def broken(self):
        """What shows that its emulator broke it, and nobody ran it twice; empty: nothing does."""
        return broken_in(self.name, self.console.read_text(errors="replace"))

    def check_beats(self):
        """Every number from 0, each once, in order: it ran without a gap, and never twice."""
        numbers = [n for n, _, _ in self.beats()]
        wrong = [(at, n) for at, n in enumerate(numbers) if at != n]
        if wrong:
            raise AssertionError(f"{self.name}: heartbeat {wrong[0][1]} where number {wrong[0][0]} "
                                 f"was due, of {len(numbers)}")

    def rate(self, beats):
        """Thousand units of work a second of its own time, over the next so many heartbeats."""
        first = self.beats()[-1]
        self.wait_beats(beats)
        last = self.beats()[-1]
        return (last[2] - first[2]) / (last[1] - first[1]) / 1000

    def tell(self, order):
        """`work N`, `dirty N` or `stat`, over the network; gives back the answer."""
        talk = f"exec 3<>/dev/tcp/{self.address}/7000 && echo '{order}' >&3 && head -n 1 <&3"

        def answered():
            done = self.rig.switch.run("bash", "-c", talk, check=False, timeout=20)
            return done.stdout.strip() if done.returncode == 0 else None
        try:
            return wait_for(f"{self.name} obeys '{order}'", answered)
        except AssertionError as error:
            raise RigError(str(error)) from None
