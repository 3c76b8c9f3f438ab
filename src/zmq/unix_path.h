// The file that a unix socket is: what may stand in its place, and who may.
#pragma once

#include <string>

#include "ballast/base/result.h"

namespace ballast::zmq {

// Error when the path cannot be the address of a unix socket: empty or longer than 107 bytes.
Status check_unix_path(const std::string& path);

// Makes the folder of the path (mode 0700) when it is missing. Error when somebody else could put a
// socket of his own there.
Status prepare_folder(const std::string& path);

// Holds `PATH.lock` for as long as it lives, so that one node only serves a path. The kernel lets
// go of it when the process ends, however it ends.
class PathLock {
 public:
  PathLock() = default;
  PathLock(PathLock&& other) noexcept;
  PathLock& operator=(PathLock&& other) noexcept;
  ~PathLock();
  static Result<PathLock> take(const std::string& path);

 private:
  int descriptor_ = -1;
};

// Error when there is something at the path that is not a socket.
Status check_replaceable(const std::string& path);

// A connection to who listens at the path, which does not block; the caller closes it. The Error
// says what to do when nobody listens there or we may not connect.
Result<int> connect_to(const std::string& path);

}  // namespace ballast::zmq
