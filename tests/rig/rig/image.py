"""What guests boot: Debian's cloud kernel, and an initramfs of busybox, a few modules and load.c.

The kernel's package is only unpacked, never installed. Made once in a folder, and kept there.
"""
import contextlib
import fcntl
import gzip
import os
import pathlib
import shutil
import subprocess
import tempfile

from .processes import RigError, run

HERE = pathlib.Path(__file__).parent
# In the order in which they must be loaded.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "failover", "net_failover", "virtio_net", "virtio_balloon")
BUSYBOX = ("sh", "mount", "cat", "insmod", "ip", "sleep", "dmesg", "tail")
DOWNLOAD_S = 300


class NoImage(Exception):
    """No kernel could be had: the rig cannot run here."""


class Image:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.kernel = self.folder / "vmlinuz"
        self.initrd = self.folder / "initrd.gz"

    def build(self):
        """Has both files ready; several may call it at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.kernel.exists():
                self._fetch_kernel()
            if not self._is_fresh():
                self._pack_initrd()

    def _is_fresh(self):
        sources = [HERE / "load.c", HERE / "guest_init.sh", HERE / "image.py"]
        return self.initrd.exists() and all(
            self.initrd.stat().st_mtime >= source.stat().st_mtime for source in sources)

    def _fetch_kernel(self):
        unpacked = self.folder / "kernel"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        with tempfile.TemporaryDirectory() as downloads:
            os.chmod(downloads, 0o755)
            try:
                package = kernel_package()
                run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package,
                    cwd=downloads, timeout=DOWNLOAD_S)
                run("dpkg", "-x", next(pathlib.Path(downloads).glob("*.deb")), unpacked)
            except (RigError, StopIteration, subprocess.TimeoutExpired, OSError) as error:
                raise NoImage(f"no kernel for the guests: {error}") from error
        next((unpacked / "boot").glob("vmlinuz-*")).rename(self.kernel)

    def _pack_initrd(self):
        with tempfile.TemporaryDirectory() as tree:
            tree = pathlib.Path(tree)
            for folder in ("bin", "lib", "proc", "sys", "dev"):
                (tree / folder).mkdir()
            run("gcc", "-O2", "-static", "-pthread", "-o", tree / "load", HERE / "load.c")
            shutil.copy(shutil.which("busybox"), tree / "bin")
            for applet in BUSYBOX:
                (tree / "bin" / applet).symlink_to("busybox")
            self._add_modules(tree)
            shutil.copy(HERE / "guest_init.sh", tree / "init")
            (tree / "init").chmod(0o755)
            names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
            packed = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, check=True,
                                    input=names.encode(), stdout=subprocess.PIPE).stdout
        part = self.initrd.with_suffix(".part")
        with gzip.open(part, "wb", compresslevel=1) as out:
            out.write(packed)
        part.rename(self.initrd)

    def _add_modules(self, tree):
        present = []
        for module in MODULES:
            with contextlib.suppress(StopIteration):  # built into this kernel
                found = next((self.folder / "kernel/lib/modules").rglob(f"{module}.ko"))
                shutil.copy(found, tree / "lib")
                present.append(module)
        (tree / "modules").write_text("\n".join(present) + "\n")


def kernel_package():
    """The package behind Debian's cloud kernel of today."""
    for fetched in (False, True):
        if fetched:
            run("apt-get", "-qq", "update", timeout=DOWNLOAD_S)
        told = run("apt-cache", "depends", "linux-image-cloud-amd64", check=False).stdout
        for line in told.splitlines():
            if "Depends: linux-image" in line:
                return line.split()[-1]
    raise RigError("the package lists know no linux-image-cloud-amd64")
