// A UDP socket for datagrams to addresses and to every local network.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/wire/beacon.h"

namespace ballast::zmq {

// "HOST:PORT" looked up. Blocks while a name is asked for; an Error says what was not found.
Result<wire::BeaconAddress> look_up(const std::string& host_and_port);

// The broadcast addresses of all interfaces that are up now.
std::vector<std::uint32_t> broadcast_addresses();

class UdpSocket {
 public:
  static Result<UdpSocket> bind(const wire::BeaconAddress& address);
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&&) = delete;
  ~UdpSocket();

  // False when the system does not take it now.
  bool send(const wire::BeaconAddress& to, std::string_view bytes) const;
  struct Datagram {
    wire::BeaconAddress from;
    std::string bytes;  // one byte more than a beacon may have stands for all that are longer
  };
  // Nothing when nothing waits.
  std::optional<Datagram> receive() const;

  int descriptor() const { return descriptor_; }
  const wire::BeaconAddress& address() const { return address_; }

 private:
  UdpSocket(int descriptor, const wire::BeaconAddress& address)
      : descriptor_(descriptor), address_(address) {}
  int descriptor_;
  wire::BeaconAddress address_;
};

std::string text_of(const wire::BeaconAddress& address);

}  // namespace ballast::zmq
