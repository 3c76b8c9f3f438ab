"""Certificates for migrations over TLS, as docs/operations.md has them made: one authority, and for
each host a certificate that names it and its address."""
import pathlib
import shutil
import tempfile

from .processes import run

AUTHORITY = 'cn = "rig"\nca\ncert_signing_key\n'
HOST = ('cn = "{name}"\ndns_name = "{name}"\nip_address = "{address}"\n'
        "tls_www_server\ntls_www_client\nsigning_key\nencryption_key\n")
PLACES = {  # below /etc/pki
    "ca-cert.pem": ("CA/cacert.pem", "qemu/ca-cert.pem"),
    "cert.pem": ("libvirt/servercert.pem", "libvirt/clientcert.pem", "qemu/server-cert.pem",
                 "qemu/client-cert.pem"),
    "key.pem": ("libvirt/private/serverkey.pem", "libvirt/private/clientkey.pem",
                "qemu/server-key.pem", "qemu/client-key.pem"),
}


def _certtool(folder, *words):
    run("certtool", *words, cwd=folder)


def install(hosts):
    """Gives every host its certificates, and has its libvirtd listen for TLS beside TCP."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "ca.info").write_text(AUTHORITY)
        _certtool(folder, "--generate-privkey", "--bits", "2048", "--outfile", "ca-key.pem")
        _certtool(folder, "--generate-self-signed", "--load-privkey", "ca-key.pem",
                  "--template", "ca.info", "--outfile", "ca-cert.pem")
        for host in hosts:
            (folder / "host.info").write_text(HOST.format(name=host.name, address=host.address))
            _certtool(folder, "--generate-privkey", "--bits", "2048", "--outfile", "key.pem")
            _certtool(folder, "--generate-certificate", "--load-privkey", "key.pem",
                      "--load-ca-certificate", "ca-cert.pem", "--load-ca-privkey", "ca-key.pem",
                      "--template", "host.info", "--outfile", "cert.pem")
            for name, places in PLACES.items():
                for place in places:
                    target = host.folder / "etc/pki" / place
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(folder / name, target)
    for host in hosts:
        host.configure_libvirt(tls=True)
        host.kill_libvirtd()
        host.start_libvirtd()
