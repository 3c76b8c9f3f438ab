#!/bin/bash
# Makes ready what the fully static binary needs and Debian has no .a of, from Debian's own source
# packages: builds libvirt.a (the client: remote and test drivers) and fetches the source of libzmq
# for subprojects/libzmq.wrap. Does nothing when both are there.
#
# usage: scripts/static-deps.sh FOLDER   libvirt.a, its headers and libvirt.pc go there
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ $# -eq 1 ] || fail "usage: scripts/static-deps.sh FOLDER"
prefix=$(realpath -m "$1")

# A pinned Debian revision leaves the archive at the next update: then the one served now is taken,
# but only on the same upstream source.
libvirt_version=9.0.0
libvirt_revision=9.0.0-4+deb12u2
libvirt_sha256=deca5cff1b7baac297bca9663907c61f71a47183371dc7ac019c107806d5435a
zmq_tarball=zeromq3_4.3.4.orig.tar.gz
zmq_sha256=0ff5a531c9ffaf0dfdc7dc78d13d1383088f454896d252934c429b2554d10559

has_hash() { echo "$2  $1" | sha256sum --check --quiet > /dev/null 2>&1; }

# A source list of our own: nothing under /etc/apt is changed, and no lock is shared.
prepare_apt() {
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,parts}
  local sources=/etc/apt/sources.list.d/debian.sources
  if [ -f $sources ]; then
    sed 's/^Types: .*/Types: deb-src/' $sources > "$work/apt/parts/source.sources"
  else
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > "$work/apt/parts/source.list"
  fi
  cat > "$work/apt.conf" << END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/apt/parts";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "root";
END
  export APT_CONFIG=$work/apt.conf
  apt-get -qq update > "$work/apt.log" 2>&1 || true
}

# fetch_source ARGUMENT OF apt-get source...
fetch_source() {
  say "fetching the source of ${*: -1}"
  (cd "$work" && apt-get -qq source "$@" >> "$work/apt.log" 2>&1)
}

fetch_zmq() {
  fetch_source --download-only zeromq3 || true
  has_hash "$work/$zmq_tarball" $zmq_sha256 ||
    fail "no source package with $zmq_tarball could be fetched" \
      "($(tail -n 1 "$work/apt.log")). Is there a network and a Debian 12 package source?"
  mkdir -p "$root/subprojects/packagecache"
  cp "$work/$zmq_tarball" "$root/subprojects/packagecache/"
}

# libvirt always makes its client library shared: make that one target static. It keeps its sources.
make_target_static() {
  python3 - "$1" << 'END'
import re
import sys

path = sys.argv[1]
text = open(path, encoding="utf-8").read()
start = text.index("libvirt_lib = shared_library(\n  'virt',")
end = text.index("\n)\n", start)
target = text[start:end].replace("shared_library", "static_library", 1)
target = re.sub(r"\n  (link_args|link_depends|version|soversion): [^\n]*", "", target)
open(path, "w", encoding="utf-8").write(text[:start] + target + text[end:])
END
}

build_libvirt() {
  if ! fetch_source "libvirt=$libvirt_revision"; then
    say "warning: libvirt $libvirt_revision is no longer served: taking the revision that is"
    fetch_source libvirt || true
  fi
  has_hash "$work/libvirt_$libvirt_version.orig.tar.xz" $libvirt_sha256 ||
    fail "libvirt $libvirt_version could not be fetched as source ($(tail -n 1 "$work/apt.log"))." \
      "Is there a network and a Debian 12 package source?"
  cd "$work/libvirt-$libvirt_version"
  make_target_static src/meson.build
  say "building libvirt.a (about a minute)"
  meson setup build --prefix=/usr --sysconfdir=/etc --localstatedir=/var -Drunstatedir=/run \
    --libdir=lib --buildtype=release --auto-features=disabled -Ddriver_remote=enabled \
    -Ddriver_test=enabled -Dremote_default_mode=legacy -Ddocs=disabled -Dtests=disabled \
    -Dnls=disabled -Dinit_script=none -Drpath=disabled -Dno_git=true \
    -Dc_args="-ffunction-sections -fdata-sections -ffile-prefix-map=$work=." > setup.log 2>&1 ||
    { tail -n 20 setup.log >&2; fail "libvirt could not be configured: see above"; }
  ninja -C build src/libvirt.a > build.log 2>&1 ||
    { tail -n 20 build.log >&2; fail "libvirt could not be built: see above"; }
}

install_libvirt() {
  mkdir -p "$prefix"/{lib/pkgconfig,include/libvirt}
  cp build/src/libvirt.a "$prefix/lib/"
  cp include/libvirt/*.h build/include/libvirt/*.h "$prefix/include/libvirt/"
  local needs="-lgnutls -lxml2 -ltirpc -lgio-2.0 -lgobject-2.0 -lgmodule-2.0 -lglib-2.0 -lpcre2-8"
  needs+=" -lffi -lz -llzma -lnettle -lhogweed -lgmp -ltasn1 -lidn2 -lunistring -lselinux -lsepol"
  cat > "$prefix/lib/pkgconfig/libvirt.pc" << END
prefix=$prefix
Name: libvirt
Description: libvirt client (remote and test drivers), static
Version: $libvirt_version
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lvirt $needs -lblkid -lm
END
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stamp=$prefix/stamp-$(sha256sum < "${BASH_SOURCE[0]}" | cut -c1-16)
have_zmq=no
! has_hash "$root/subprojects/packagecache/$zmq_tarball" $zmq_sha256 || have_zmq=yes
if [ -e "$stamp" ] && [ $have_zmq = yes ]; then
  say "static-deps: all is there"
  exit 0
fi
prepare_apt
[ $have_zmq = yes ] || fetch_zmq
if [ ! -e "$stamp" ]; then
  build_libvirt
  install_libvirt
  touch "$stamp"
fi
say "static-deps: done"
