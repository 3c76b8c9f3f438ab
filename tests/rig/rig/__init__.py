"""The rig: real libvirtd hosts on one machine, each a set of namespaces with its own libvirtd,
address, host UUID, CPU cap and /proc/stat, joined by a bridge. Guests run under QEMU's software
emulation, so no KVM is needed; live migration between the hosts is the real thing.

    needs       why it cannot run here
    image       what guests boot
    host        one host, and the switch that joins them
    guest       one guest, its load, and what proves that it went on
    rig         all of it: up, down, who runs where
    node        our daemon on a host
    certificates for migrations over TLS
    procstat    the CPU time that each host believes it has used
    door        the commands of scripts/rig

What is not faked: memory (each host shows the machine's) and the kernel.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "common"))
