#include "host_uuid.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "ballast/base/ids.h"
#include "ballast/libvirt/hypervisor.h"
#include "lane.h"
#include "real_connection.h"
#include "uri.h"
#include "xml.h"

namespace ballast::libvirt {
namespace {

Result<std::string> ask(Connector& connector) {
  const Result<std::unique_ptr<Connection>> connection = connector.open({});
  if (!connection) return connection.error();
  const Result<NodeFacts> node = (*connection)->node();
  if (!node) return node.error();
  return host_uuid_in(node->capabilities);
}

}  // namespace

Result<std::string> host_uuid_in(const std::string& capabilities) {
  const std::optional<Document> document = Document::parse(capabilities);
  const std::string uuid = document ? document->root().child("host").child("uuid").text() : "";
  if (!is_valid_id(uuid)) return Error{"libvirt's capabilities: found no UUID of the host"};
  return uuid;
}

// On a thread, as all that may hang.
Result<std::string> host_uuid_from(const std::shared_ptr<Connector>& connector, Duration patience) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<std::string>> uuid;
  };
  const auto answer = std::make_shared<Answer>();
  Lane lane(1, 1);
  (void)lane.run([connector, answer](Lane::Life&) {
    Result<std::string> uuid = ask(*connector);
    const std::lock_guard lock(answer->mutex);
    answer->uuid = std::move(uuid);
    answer->changed.notify_all();
  });
  std::unique_lock lock(answer->mutex);
  if (!answer->changed.wait_for(lock, patience, [&] { return answer->uuid.has_value(); }))
    return Error{"libvirt does not answer"};
  return *answer->uuid;
}

Result<std::string> host_uuid(const std::string& uri, Duration patience) {
  if (const Status local = check_local(uri); !local) return local.error();
  return host_uuid_from(real_connector(uri), patience);
}

}  // namespace ballast::libvirt
