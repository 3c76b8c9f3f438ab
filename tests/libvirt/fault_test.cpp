// Whose fault it is that libvirt could not migrate, by what libvirt said.

#include "fault.h"

#include <doctest/doctest.h>
#include <libvirt/virterror.h>

namespace ballast::libvirt {
namespace {

TEST_CASE("what would meet any VM between two hosts is told apart from what meets this one") {
  struct Case {
    int code;
    const char* text;
    FaultOf fault;
  };
  // As libvirt 9.0 and QEMU 7.2 have said it on real hosts, or as their sources do.
  const Case cases[] = {
      {VIR_ERR_SYSTEM_ERROR,
       "libvirt: unable to connect to server at '10.0.0.2:16514': Connection refused",
       FaultOf::pair},
      {VIR_ERR_SYSTEM_ERROR,
       "libvirt: Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
       FaultOf::pair},
      {VIR_ERR_OPERATION_FAILED,
       "libvirt: operation failed: Failed to connect to remote libvirt URI qemu+tls://h2/system",
       FaultOf::pair},
      {VIR_ERR_INTERNAL_ERROR,
       "libvirt: internal error: unable to execute QEMU command 'object-add': Unable to access "
       "credentials /etc/pki/qemu/ca-cert.pem: No such file or directory",
       FaultOf::pair},
      {VIR_ERR_AUTH_FAILED, "libvirt: authentication failed: access denied", FaultOf::pair},
      {VIR_ERR_RPC, "libvirt: packet 16777220 bytes received from server too large", FaultOf::pair},
      {VIR_ERR_OPERATION_FAILED,
       "libvirt: operation failed: migration out job: Failed to connect to '10.0.0.2:49152': "
       "Connection refused",
       FaultOf::pair},
      // A disk of this VM that the target cannot reach, in the same words.
      {VIR_ERR_INTERNAL_ERROR,
       "libvirt: internal error: process exited while connecting to monitor: qemu-system-x86_64: "
       "-blockdev nbd: Failed to connect to '10.0.0.5:10809': Connection refused",
       FaultOf::vm},
      {VIR_ERR_INTERNAL_ERROR,
       "libvirt: internal error: unable to execute QEMU command 'blockdev-add': Failed to connect "
       "to '10.0.0.5:10809': No route to host",
       FaultOf::vm},
      {VIR_ERR_SYSTEM_ERROR, "libvirt: Cannot get interface MTU on 'br1': No such device",
       FaultOf::vm},
      {VIR_ERR_MIGRATE_UNSAFE,
       "libvirt: Unsafe migration: Migration without shared storage is unsafe", FaultOf::vm},
      {VIR_ERR_OPERATION_ABORTED,
       "libvirt: operation aborted: migration out job: canceled by "
       "client",
       FaultOf::vm},
      {VIR_ERR_CPU_INCOMPATIBLE, "libvirt: the CPU is incompatible with host CPU", FaultOf::vm},
      {VIR_ERR_OPERATION_FAILED, "libvirt: domain 'a' already exists with uuid x", FaultOf::vm},
      {VIR_ERR_INTERNAL_ERROR, "", FaultOf::vm},
  };
  for (const Case& one : cases) CHECK_MESSAGE(fault_of(one.code, one.text) == one.fault, one.text);
}

}  // namespace
}  // namespace ballast::libvirt
