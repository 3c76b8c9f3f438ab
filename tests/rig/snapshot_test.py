"""Hosts that Ballast is not installed on, looked at from another place: real libvirtds over TCP.

usage: snapshot_test.py BALLAST [TEST]...
"""
import json

from scenario import CORES, Scenario, main

LOOKED_AT = ("h1", "h2", "h3")
SPACE = "urn:ballast"


class Snapshot(Scenario):

    def snapshot(self, *names):
        """Exit code, document and complaints of a look from h4, whose own libvirt is not asked."""
        uris = [self.rig.hosts[name].uri for name in names]
        ran = self.rig.hosts["h4"].run(str(self.binary), "snapshot", *uris, check=False)
        return ran.returncode, json.loads(ran.stdout), ran.stderr

    def test_what_is_seen_from_a_fourth_place(self):
        busy = self.rig.boot({1: "h1", 2: "h1"})[0]
        self.rig.boot({3: "h2"}, metadata=f"<b:vm xmlns:b='{SPACE}' hosts='h2 h3'/>")
        self.rig.cap(CORES)
        busy.tell("work 10000000")
        busy.wait_beats(2)
        code, seen, said = self.snapshot(*LOOKED_AT)
        self.assertEqual(code, 0, said)
        self.assertEqual([host["id"] for host in seen["hosts"]], list(LOOKED_AT))
        where = {vm["id"]: vm["host"] for vm in seen["vms"]}
        self.assertEqual(where, {name: hosts[0] for name, hosts in self.rig.running().items()})
        self.assertTrue(all(vm.get("movable", True) for vm in seen["vms"]), seen["vms"])
        self.assertGreater(next(vm["cpu"] for vm in seen["vms"] if vm["id"] == busy.name), 0)
        self.assertEqual(len(seen["rules"]), 1)
        self.assertEqual(seen["rules"][0]["hosts"], ["h2", "h3"])
        self.assertIn("libvirt does not tell the speed of its network", said)
        # What it says can be planned.
        file = self.rig.folder / "seen.json"
        file.write_text(json.dumps(seen), encoding="utf-8")
        planned = self.rig.hosts["h4"].run(str(self.binary), "plan", str(file))
        self.assertIn("3 hosts, 3 VMs, 1 rule", planned.stdout)

    def test_a_host_that_is_not_reached_is_told_and_the_others_come(self):
        self.rig.boot({1: "h1"})
        self.rig.hosts["h2"].cut_link()
        self.addCleanup(self.rig.hosts["h2"].mend_link)
        uris = [self.rig.hosts[name].uri for name in ("h1", "h2")]
        ran = self.rig.hosts["h4"].run(str(self.binary), "snapshot", "--timeout", "5", *uris,
                                       check=False)
        self.assertEqual(ran.returncode, 1)
        self.assertIn(f"ballast: {uris[1]}: ", ran.stderr)
        self.assertEqual([host["id"] for host in json.loads(ran.stdout)["hosts"]], ["h1"])


if __name__ == "__main__":
    main()
