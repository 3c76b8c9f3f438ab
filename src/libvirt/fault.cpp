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
  constexpr std::array<std::string_view, 14> texts{
      "unable to connect to server",  // either libvirtd, or the port of the copy
      "Unable to connect to server",
      "Failed to connect to",  // QEMU, the port of the copy
      "No route to host",
      "Connection refused",
      "Name or service not known",
      "cannot resolve",
      "ertificate",                    // Certificate, certificate: of any of the three TLS users
      "Unable to access credentials",  // QEMU: no certificate for the copy
      "TLS handshake",
      "authentication failed",
      "Unable to bind",  // no port is left in the target's range
      "Unable to find an unused port",
      "failed to connect to the socket",
  };
  const bool by_code = std::find(codes.begin(), codes.end(), code) != codes.end();
  const bool by_text = std::any_of(texts.begin(), texts.end(), [&](std::string_view known) {
    return text.find(known) != std::string_view::npos;
  });
  return by_code || by_text ? FaultOf::pair : FaultOf::vm;
}

}  // namespace ballast::libvirt
