// The control socket: `ballast` commands ask the node on this machine, over a Unix stream socket. A
// request and its reply are one text each, with its length before it in four bytes, the largest
// first; what they mean is told by the daemon. Source: design, section 4.
//
// Only the user that the node runs as can connect: the socket has mode 0600 and its folder, when we
// make it, 0700.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"

namespace ballast::zmq {

struct ControlRequest {
  std::uint64_t id = 0;  // names the asker in reply()
  std::string text;
};

class ControlServer {
 public:
  // Listens at this path; makes its folder when that is missing. What a dead node left there is
  // taken over. Errors: another node lives there, the path is no socket, it is too long for one
  // (107 bytes), others may write in its folder.
  static Result<std::unique_ptr<ControlServer>> open(const std::string& path);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // What has come in since the last call. At most limits::control_requests_max are connected, and
  // each asks one thing at a time; where one more comes, the one that has been idle longest goes.
  std::vector<ControlRequest> take_requests();
  // Answers a request, once. An asker that has gone is no error.
  void reply(std::uint64_t id, const std::string& text);

  // Connections dropped: too many at a time, or what they said was no request.
  std::uint64_t dropped() const;
  // Readable when take_requests() has something to do, for wait(). Owned by the server.
  int descriptor() const;

 private:
  struct Parts;
  explicit ControlServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

class ControlClient {
 public:
  // Connects to the node at this path. Errors: no node listens there, or it is not ours to ask.
  static Result<std::unique_ptr<ControlClient>> open(const std::string& path);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  // Asks and waits for the reply, at most `timeout`. Texts up to limits::control_bytes_max; replies
  // up to limits::control_reply_bytes_max. After a timeout the client is not to be used again.
  Result<std::string> ask(const std::string& text, Duration timeout);

 private:
  struct Parts;
  explicit ControlClient(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ballast::zmq
