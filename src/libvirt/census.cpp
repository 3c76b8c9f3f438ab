#include "census.h"

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <utility>

namespace ballast::libvirt {
namespace {

constexpr std::size_t hanging_max = 8;
constexpr Duration patience_max = std::chrono::minutes(1);
constexpr int tries_max = 3;  // for one look: more hang at the next
constexpr std::chrono::milliseconds slice{50};

// Counts what was answered.
Result<Census::Taken> ask(Line& line, std::atomic<std::size_t>& answers) {
  const Result<std::shared_ptr<Connection>> connection = line.get();
  if (!connection) return connection.error();
  Result<std::vector<DomainLook>> domains = (*connection)->domains();
  if (!domains) return domains.error();
  ++answers;
  Census::Taken taken;
  taken.domains = std::move(*domains);
  for (const DomainLook& domain : taken.domains) {
    if (Result<std::string> xml = (*connection)->description(domain.uuid); xml)
      taken.descriptions.emplace(domain.uuid, std::move(*xml));
    ++answers;
  }
  return taken;
}

}  // namespace

// Held by both sides: whoever gave up does not wait for the other.
struct Census::Asked {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<Taken>> answer;
  std::atomic<std::size_t> answers = 0;

  void put(Result<Taken> what) {
    const std::lock_guard lock(mutex);
    answer = std::move(what);
    changed.notify_all();
  }
  bool wait(std::chrono::milliseconds span) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, span, [this] { return answer.has_value(); });
  }
};

Census::Census(std::shared_ptr<Connector> connector, Duration patience)
    : connector_(std::move(connector)),
      patience_(patience),
      patience_now_(patience),
      asking_(std::make_shared<std::atomic<std::size_t>>(0)),
      line_(std::make_shared<Line>(connector_, DomainEvent())),
      lane_(hanging_max, hanging_max) {}

Result<Census::Taken> Census::take(Lane::Life& life) {
  for (int i = 0; i < tries_max; ++i) {
    if (asking_->load() >= hanging_max) break;
    const auto asked = std::make_shared<Asked>();
    std::shared_ptr<Line> line;
    {
      const std::lock_guard lock(mutex_);
      line = line_;
    }
    ++*asking_;
    const bool taken = lane_.run([asked, line, asking = asking_](Lane::Life&) {
      Result<Taken> answer = ask(*line, asked->answers);
      --*asking;
      asked->put(std::move(answer));
    });
    if (!taken) {
      --*asking_;
      break;
    }
    std::size_t answers = 0;
    for (Duration waited{0}; waited < patience_now_; waited += slice) {
      if (asked->wait(slice)) {
        patience_now_ = patience_;
        return std::move(*asked->answer);
      }
      if (life.ending()) return Error{"this node is stopping"};
      if (const std::size_t now = asked->answers; now != answers) {
        answers = now;
        waited = Duration(0);
      }
    }
    // Its thread keeps the line, and closes it when libvirt has answered after all.
    const std::lock_guard lock(mutex_);
    if (!closed_) line_ = std::make_shared<Line>(connector_, DomainEvent());
  }
  patience_now_ = std::min(2 * patience_now_, std::max(patience_, patience_max));
  return Error{"libvirt does not answer " + std::to_string(asking_->load()) +
               " questions about its domains"};
}

void Census::close() {
  std::shared_ptr<Line> line;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    line = line_;
  }
  (void)lane_.end(Duration(0));
  line->close();
}

}  // namespace ballast::libvirt
