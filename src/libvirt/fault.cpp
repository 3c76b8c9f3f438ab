// Sources: libvirt 9.0 include/libvirt/virterror.h (codes); src/rpc/virnetsocket.c,
// virnettlscontext.c and src/qemu/qemu_migration.c (texts of libvirt); QEMU 7.2 io/ and
// crypto/tlscreds*.c, whose texts libvirt hands on inside of an internal error.
#include "fault.h"

#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

namespace ballast::libvirt {

FaultOf fault_of(int code, std::string_view text) {
  constexpr std::array codes{
      VIR_ERR_NO_CONNECT,
      VIR_ERR_INVALID_CONN,
      VIR_ERR_GNUTLS_ERROR,
      VIR_ERR_RPC,
      VIR_ERR_AUTH_FAILED,
      VIR_ERR_AUTH_CANCELLED,
      VIR_ERR_AUTH_UNAVAILABLE,
      VIR_ERR_NO_SERVER,
      VIR_ERR_UNKNOWN_HOST,
      VIR_ERR_LIBSSH,
      VIR_ERR_SSH,
  };
  // Of the copy's own connection, from QEMU; of a disk's it would be this VM's.
  constexpr std::array<std::string_view, 2> of_copy{"migration out job", "command 'migrate'"};
  constexpr std::array<std::string_view, 5> no_way{"Failed to connect", "Connection refused",
                                                   "Connection timed out", "No route to host",
                                                   "Network is unreachable"};
  constexpr std::array<std::string_view, 9> texts{
      "unable to connect to server",  // libvirtd there
      "remote libvirt URI",           // the same, as the source's libvirtd says it
      "Name or service not known",
      "ertificate",                    // of libvirtd, or of the copy
      "Unable to access credentials",  // QEMU: no certificate for the copy
      "TLS handshake",
      "authentication failed",
      "unable to find an unused port",  // the range of ports for copies is used up
      "Unable to find an unused port",
  };
  // The target's QEMU did not start with what this VM has, or did not open one of its disks.
  constexpr std::array<std::string_view, 3> of_this_vm{"process exited", "blockdev-add",
                                                       "device_add"};
  const auto says = [&](std::string_view known) { return text.find(known) != text.npos; };
  const auto any = [&](const auto& list) { return std::any_of(list.begin(), list.end(), says); };
  const bool by_code = std::find(codes.begin(), codes.end(), code) != codes.end();
  const bool by_text = !any(of_this_vm) && (any(texts) || (any(of_copy) && any(no_way)));
  return by_code || by_text ? FaultOf::pair : FaultOf::vm;
}

}  // namespace ballast::libvirt
