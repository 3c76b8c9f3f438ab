"""A guest that cannot move is never tried, for whatever reason; one that writes memory faster than
the link carries is given up, and rests.

usage: immovable_test.py BALLAST [TEST]...
"""
from rig.processes import wait_for
from scenario import CORES, Scenario, main

SPACE = "urn:ballast"
REASONS = {  # a word of the reason: how a guest gets it
    "pinned": {"metadata": f"<b:vm xmlns:b='{SPACE}' policy='pinned'/>"},
    "ignored": {"metadata": f"<b:vm xmlns:b='{SPACE}' policy='ignored'/>"},
    "unknown attribute": {"metadata": f"<b:vm xmlns:b='{SPACE}' polcy='pinned'/>"},
    "local": {"devices": "<disk type='file' device='disk'><driver name='qemu' "
                             "type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/>"
                             "</disk>"},
    "serial": {"devices": "<serial type='dev'><source path='/dev/null'/>"
                         "<target port='1'/></serial>"},
}


class Immovable(Scenario):

    def migrations_of(self, vm):
        """Lines in any log that order, begin or end a move of the guest."""
        return [line for node in self.nodes.values() for line in node.log().splitlines()
                if f"'{vm}'" in line.replace('"', "'")
                and any(f" {kind}: " in line for kind in ("ordered", "moved", "not moved"))]

    def wait_looks(self, master, more):
        """So many times more the master has planned, or seen that there is nothing new to plan."""
        def looks(status):
            return sum(status["counters"].get(name, 0)
                       for name in ("searches_made", "searches_spared"))
        seen = looks(master.status())
        return master.wait_status(f"{more} more looks", lambda s: looks(s) >= seen + more)

    def test_what_cannot_move_is_not_tried(self):
        disk = self.rig.folder / "disk.raw"
        disk.write_bytes(bytes(1 << 20))
        guests = []
        for number, how in enumerate(REASONS.values(), 1):
            options = {key: text.replace("{disk}", str(disk)) for key, text in how.items()}
            guests += self.rig.boot({number: "h1"}, **options)
        self.rig.cap(CORES)
        self.install({"h1": "master", "h2": "slave"})
        self.start_group("h1", ["h2"])
        for guest in guests:
            guest.tell("work 10000000")
        master = self.nodes["h1"]
        master.wait_status("sees that h1 is over, and that nothing can go", lambda s: (
            s["plan"] and s["hosts"][0]["state"] == "over" and not s["plan"]["migrations"]
            and len(s["plan"]["surplus"]) >= len(guests) - 1))  # one alone is no overload
        status = self.wait_looks(master, 5)
        words = {guest.name: word for guest, word in zip(guests, REASONS)}
        for surplus in status["plan"]["surplus"]:
            self.assertIn(words[surplus["vm"]], surplus["reason"])
        self.assertEqual({host for hosts in self.rig.running().values() for host in hosts}, {"h1"})
        self.assertEqual([line for guest in guests for line in self.migrations_of(guest.name)], [])

    def test_one_that_never_converges_is_given_up_and_rests(self):
        writer, other = self.rig.boot({7: "h1", 8: "h1"}, memory_mib=160, wss_mib=48)
        self.rig.cap(CORES)
        self.install({"h1": "master", "h2": "slave"}, bandwidth=4, timeout_s=6, cooldown_s=300)
        # Alone it must be the one that is moved.
        self.rig.hosts["h1"].virsh(
            "metadata", other.name, SPACE, "--live", "--key", "b", "--set",
            "<vm policy='pinned'/>")
        self.start_group("h1", ["h2"])
        for guest in (writer, other):
            guest.tell("work 10000000")
        writer.tell("dirty 400")
        wait_for("its migration is given up", lambda: any(
            " not moved: " in line for line in self.migrations_of(writer.name)), 180)
        self.assertEqual(self.rig.running()[writer.name], ["h1"])
        master = self.nodes["h1"]
        tries = [line for line in self.migrations_of(writer.name) if " ordered: " in line]
        self.wait_looks(master, 5)
        self.assertEqual([line for line in self.migrations_of(writer.name) if " ordered: " in line],
                         tries)
        self.check_each_runs_once()
        self.check_beats()


if __name__ == "__main__":
    main()
