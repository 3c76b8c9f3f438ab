"""What operators of other balancers report: a target that cannot take the guest, certificates
that are missing, state that a migration loses, a guest that somebody pauses in flight, a QEMU that
hangs.

usage: failing_test.py BALLAST [TEST]...
"""
import random

from rig import certificates
from rig.processes import run, stopped, wait_for
from scenario import Scenario, main

SECOND_CARD = ("<interface type='bridge'><mac address='52:54:00:78:00:{0:02x}'/>"
               "<source bridge='br1'/><model type='virtio'/><rom enabled='no'/></interface>")
DISK = ("<disk type='file' device='disk'><driver name='qemu' type='raw' cache='{cache}'/>"
        "<source file='/var/lib/shared/disk{number}.raw'/><target dev='vda' bus='virtio'/></disk>")
SHARED = 'shared_paths = ["/var/lib/shared"]'
SLOW_MIB_S = 4  # a migration takes seconds
ROLES = {"h1": "slave", "h2": "slave", "h3": "master"}


class Failing(Scenario):
    def start(self, **settings):
        self.install(ROLES, **settings)
        self.start_group("h3", ["h1", "h2"])
        self.master = self.nodes["h3"]

    def ask(self, *words, **options):
        return self.master.ballast(*words, **options).stdout

    def tries(self, guest, target):
        return self.master.log().count(f"ordered: '{guest}' from 'h1' to '{target}'")

    def wait_at(self, guest, host):
        wait_for(f"{guest} runs on {host}, now {self.rig.running()}",
                 lambda: self.rig.running()[guest] == [host], 120)

    def wait_told(self, text, *nodes):
        for node in nodes or (self.master,):
            wait_for(f"{node.id} says {text!r}; its log:\n{node.log()}",
                     lambda node=node: text in node.log(), 60)

    def wait_host(self, name, state):
        return self.master.wait_status(f"{name} is {state!r}", lambda s: any(
            h["id"] == name and h["state"] == state for h in s["hosts"]))

    def add_bridge(self, *names):
        for name in names:
            host = self.rig.hosts[name]
            host.run("ip", "link", "add", "br1", "type", "bridge")
            host.run("ip", "link", "set", "br1", "up")
            self.addCleanup(host.run, "ip", "link", "delete", "br1", check=False)

    def wait_in_flight(self, guest):
        flight = self.master.wait_status(f"{guest} is in flight", lambda s: any(
            m["vm"] == guest and m["state"] == "running" for m in s["in_flight"]))["in_flight"]
        target = next(m["to"] for m in flight if m["vm"] == guest)
        wait_for(f"memory of {guest} flows", lambda: self.rig.hosts[target].qemu_pids(guest))
        return target

    def test_a_network_that_one_host_lacks(self):
        """h3 has it; h2 gets it later."""
        self.add_bridge("h1", "h3")
        self.rig.boot({1: "h1"}, devices=SECOND_CARD.format(1))
        self.rig.boot({2: "h3"})
        self.start()
        self.ask("drain", "h1")
        self.wait_host("h1", "drained")
        self.assertEqual(self.rig.running()["vm1"], ["h3"])
        self.assertLessEqual(self.tries("vm1", "h2"), 1)

        # Now h3 is to be emptied, and only h2 is left: it can take one of the two.
        self.ask("drain", "h3")
        status = self.wait_host("h3", "drain stopped: 1 VM left")
        self.assertEqual(self.rig.running(), {"vm1": ["h3"], "vm2": ["h2"]})
        self.assertEqual([f["vm"] for f in status["failures"] if "br1" in f["reason"]], ["vm1"])
        self.wait_told("the drain of 'h3' can go no further, 1 VM is left: 'vm1'")
        for words in (("why", "vm1"), ("status",), ("drain", "h3")):
            self.assertIn("br1", self.ask(*words), words)
        tries = self.master.log().count("ordered: 'vm1' from 'h3' to 'h2'")
        # `drain` again tried again, once.
        self.wait_host("h3", "drain stopped: 1 VM left")
        self.assertLessEqual(self.master.log().count("ordered: 'vm1' from 'h3' to 'h2'"),
                             tries + 1)
        self.assertIn("may be tried again", self.ask("retry", "vm1"))
        self.wait_host("h3", "drain stopped: 1 VM left")

        # What was wrong is mended: nobody has to say so.
        self.add_bridge("h2")
        self.wait_host("h3", "drained")
        self.wait_at("vm1", "h2")
        self.check_beats()

    def test_a_certificate_that_is_missing(self):
        """On h2: no guest gets there, and that is told once."""
        certificates.install(self.rig.hosts.values())
        for kind in ("cert", "key"):
            (self.rig.hosts["h2"].folder / f"etc/pki/qemu/server-{kind}.pem").unlink()
        self.rig.boot({1: "h1", 2: "h1"})
        self.rig.boot({3: "h3"})
        self.start(transport="tls")
        self.ask("drain", "h1")
        self.wait_host("h1", "drained")
        self.assertEqual(self.rig.running(), {f"vm{n}": ["h3"] for n in (1, 2, 3)})
        tries = self.tries("vm1", "h2") + self.tries("vm2", "h2")
        self.assertEqual(self.master.log().count("no VM can go from 'h1' to 'h2'"), min(tries, 1))
        self.assertLessEqual(tries, 1)
        self.check_beats()

    def share_a_disk(self, number):
        """One file, the same for all hosts, on a file system that libvirt takes for local."""
        disk = self.rig.folder / f"disk{number}.raw"
        disk.write_bytes(bytes(1 << 20))
        self.share(disk)

    def share(self, disk):
        for name in ROLES:
            folder = self.rig.hosts[name].folder / "var/lib/shared"
            folder.mkdir(exist_ok=True)
            (folder / disk.name).unlink(missing_ok=True)  # of another scenario
            (folder / disk.name).hardlink_to(disk)

    def test_a_disk_that_libvirt_calls_unsafe_stays(self):
        """It is known from the start: the drain is refused, and nothing is tried."""
        self.share_a_disk(1)
        self.rig.boot({1: "h1"}, devices=DISK.format(number=1, cache="none"))
        self.start(hypervisor=SHARED)
        refused = self.master.ballast("drain", "h1", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("libvirt takes its file for local", refused.stdout + refused.stderr)
        self.assertIn("libvirt takes its file for local", self.ask("why", "vm1"))
        self.assertEqual([self.tries("vm1", name) for name in ("h2", "h3")], [0, 0])
        self.check_beats()

    def test_a_disk_that_libvirt_calls_unsafe_moves_when_told_so(self):
        """Only the one that no host caches."""
        for number, cache, host in ((1, "none", "h1"), (2, "writeback", "h2")):
            self.share_a_disk(number)
            self.rig.boot({number: host}, devices=DISK.format(number=number, cache=cache))
        self.start(hypervisor=SHARED + "\nforce_shared_paths = true")
        self.assertIn("cache writeback, none is needed to force", self.ask("why", "vm2"))
        self.ask("drain", "h1")
        self.wait_host("h1", "drained")
        self.assertNotEqual(self.rig.running()["vm1"], ["h1"])
        self.check_beats()

    def test_a_disk_on_a_mount_that_libvirt_takes_for_shared_moves(self):
        """Nobody has to force it: the mount bears the name of GlusterFS."""
        self.share_a_disk(1)
        for name in ROLES:
            host = self.rig.hosts[name]
            host.run("bindfs", "-o", "subtype=glusterfs", "/var/lib/shared", "/var/lib/shared")
            self.addCleanup(host.run, "umount", "--lazy", "/var/lib/shared")
        self.rig.boot({1: "h1"}, devices=DISK.format(number=1, cache="none"))
        self.start(hypervisor=SHARED)
        self.ask("drain", "h1")
        self.wait_host("h1", "drained")
        self.check_beats()

    def test_a_guest_whose_disk_is_being_pulled_stays_until_that_ends(self):
        """The description says nothing of such a job: the QEMU is asked."""
        base, top = self.rig.folder / "base.raw", self.rig.folder / "disk1.raw"
        base.write_bytes(random.randbytes(64 << 20))
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base.name, top)
        self.share(base)
        self.share(top)
        disk = DISK.format(number=1, cache="none").replace("type='raw'", "type='qcow2'")
        self.rig.boot({1: "h1"}, devices=disk)
        self.start(hypervisor=SHARED + "\nforce_shared_paths = true")
        h1 = self.rig.hosts["h1"]
        h1.virsh("blockpull", "vm1", "vda", "--bandwidth", "1")
        wait_for("the job is seen", lambda: "disk vda: a block job is under way"
                 in self.ask("why", "vm1"))
        self.assertEqual(self.master.ballast("drain", "h1", check=False).returncode, 1)
        h1.virsh("blockjob", "vm1", "vda", "--abort")
        wait_for("its end is seen", lambda: "block job" not in self.ask("why", "vm1"))
        self.ask("drain", "h1")
        self.wait_host("h1", "drained")
        self.check_beats()

    def test_what_a_hypervisor_forgets_is_kept(self):
        """Autostart, and that a guest is transient; our processes die while the first migrates."""
        h1 = self.rig.hosts["h1"]
        self.rig.boot({1: "h1"})
        h1.virsh("autostart", "vm1")
        h1.virsh("desc", "vm1", "--config", "kept for whom it concerns")
        transient = self.rig.guest(2)
        transient.define(h1)
        h1.virsh("undefine", "vm2")
        h1.virsh("create", self.rig.folder / "vm2.xml")
        transient.wait_booted()
        before = h1.virsh("dumpxml", "--inactive", "vm1").stdout
        self.start(bandwidth=SLOW_MIB_S)
        self.ask("drain", "h1")
        target = self.wait_in_flight("vm1")
        for name in ("h1", target):
            self.nodes[name].kill()
            self.nodes[name].start()
        self.wait_host("h1", "drained")
        where = self.check_each_runs_once()

        def told(guest):
            lines = self.rig.hosts[where[guest]].virsh("dominfo", guest).stdout.splitlines()
            return {key: value.strip() for key, value in
                    (line.split(":", 1) for line in lines if ":" in line)}
        wait_for("vm1 is started with its host again", lambda: told("vm1")["Autostart"] == "enable")
        self.assertEqual(told("vm1")["Persistent"], "yes")
        self.assertEqual(told("vm2")["Persistent"], "no")
        after = self.rig.hosts[where["vm1"]].virsh("dumpxml", "--inactive", "vm1").stdout
        self.assertEqual(before, after)
        for host in self.rig.hosts.values():
            self.assertEqual({"vm1", "vm2"} & set(host.domains()),
                             {vm for vm, at in where.items() if at == host.name})
        self.check_beats()
        self.rig.hosts[where["vm2"]].virsh("destroy", "vm2")
        self.assertNotIn("vm2", self.rig.hosts[where["vm2"]].domains())

    def test_a_guest_that_is_paused_in_flight(self):
        """It has arrived; the next one goes at once."""
        self.rig.boot({1: "h1", 2: "h1"})
        self.start(bandwidth=SLOW_MIB_S)
        self.ask("drain", "h1")
        flight = self.master.wait_status("a guest is in flight", lambda s: any(
            m["state"] == "running" for m in s["in_flight"]))["in_flight"]
        guest = next(m["vm"] for m in flight if m["state"] == "running")
        target = self.wait_in_flight(guest)
        # Neither end of ours looks until it is done: paused is all that they ever see of it.
        with stopped(pid for name in ("h1", target) for pid in self.nodes[name].pids()):
            wait_for(f"{guest} has left", lambda: guest not in self.rig.hosts["h1"].domains())
            self.rig.hosts[target].virsh("suspend", guest)
        self.wait_told(f"'{guest}' arrived on '{target}', but does not run there: it is paused")
        self.wait_host("h1", "drained")
        self.assertNotIn("nobody can tell", self.master.log())
        self.master.wait_status("no lease is left", lambda s: not s["leases"])
        self.rig.hosts[target].virsh("resume", guest)
        self.wait_each_runs_once(10)
        self.check_beats()

    def test_a_qemu_that_hangs(self):
        """It is named, hides nobody, and keeps no other guest on a host that is drained."""
        h1 = self.rig.hosts["h1"]
        self.rig.boot({1: "h1", 2: "h1"})
        self.start()
        with stopped(h1.qemu_pids("vm1")):
            self.wait_told("cannot say how VM 'vm1' is", self.nodes["h1"], self.master)
            self.master.wait_status("h1 is not stale", lambda s: any(
                h["id"] == "h1" and not h["state"].startswith("stale") for h in s["hosts"]))
            self.ask("drain", "h1")
            self.wait_host("h1", "drain stopped: 1 VM left")
            self.assertNotIn("vm2", h1.domains())
        self.wait_told("VM 'vm1' on 'h1' answers again", self.nodes["h1"], self.master)
        self.wait_host("h1", "drained")
        self.wait_each_runs_once(10)


if __name__ == "__main__":
    main()
