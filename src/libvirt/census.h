// All active domains at one look, however many of them hang. A question about one whose QEMU does
// not answer waits in libvirt for as long as it likes. Then it is left to wait, on a connection of
// its own, and the question is asked anew: libvirt does not wait for a domain that somebody waits
// for already, but tells what it knows without it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "connection.h"
#include "lane.h"
#include "line.h"

namespace ballast::libvirt {

class Census {
 public:
  // `patience`: how long one question may take without an answer to any part of it. Twice as long
  // after each look that came to nothing, since a large host may just be slow; up to a minute.
  Census(std::shared_ptr<Connector> connector, Duration patience);

  struct Taken {
    std::vector<DomainLook> domains;
    std::map<std::string, std::string> descriptions;  // XML by UUID; of those that could be had
  };
  // Error: libvirt gives none, or too many questions wait already.
  Result<Taken> take(Lane::Life& life);
  std::size_t hanging() const { return asking_->load(); }
  // Nothing new begins.
  void close();
  bool end(Duration patience) { return lane_.end(patience); }

 private:
  struct Asked;

  const std::shared_ptr<Connector> connector_;
  const Duration patience_;
  Duration patience_now_;  // of who calls take()
  const std::shared_ptr<std::atomic<std::size_t>> asking_;
  std::mutex mutex_;
  std::shared_ptr<Line> line_;
  bool closed_ = false;
  Lane lane_;
};

}  // namespace ballast::libvirt
