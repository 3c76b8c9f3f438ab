// Sockets on loopback: a listener, and connections that speak lines and give up on silence.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "record.h"

namespace ballast::simulated {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Listener {
  Descriptor socket;
  LoopbackAddress address;  // with the port that was given
};
Result<Listener> listen_on(const LoopbackAddress& address);
// On any port that is free and not one of those that the system gives to outgoing connections: the
// port of a host that is down would be taken by somebody's connection, and a peer in doubt would
// ask there for ever.
Result<Listener> listen_on_any_port(const std::string& ip);

// Why a connection or an answer did not come.
enum class Silence : unsigned char {
  refused,  // nobody listens: on loopback, the process is gone
  broken,   // closed by the other end, reset, or by us
  late,     // nothing within the time
  garbage,  // what came is no record
};

class Line {
 public:
  Line(Descriptor socket, const std::atomic<bool>& stop)
      : socket_(std::move(socket)), stop_(&stop) {}

  bool send(const Record& record);
  // The next record, within that time.
  std::optional<Record> read(Duration within);
  Silence silence() const { return silence_; }
  // Waits that long; false, at once, when the other end speaks or the connection ends.
  bool is_quiet_for(Duration span);
  void close() { socket_ = Descriptor(); }

 private:
  std::optional<Record> take_line();
  std::optional<Record> silent(Silence why);

  Descriptor socket_;
  const std::atomic<bool>* stop_;
  std::string received_;
  Silence silence_ = Silence::broken;
};

struct Connected {
  std::optional<Line> line;
  Silence silence = Silence::broken;  // where there is no line
};
Connected connect_to(const LoopbackAddress& address, Duration within,
                     const std::atomic<bool>& stop);

// Waits for the next connection; nothing after `span`. `stranger` is set when one came that is not
// from loopback, and was closed.
std::optional<Descriptor> accept_from(const Listener& listener, Duration span, bool& stranger);

}  // namespace ballast::simulated
