#include "storage.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "xml.h"

namespace ballast::libvirt {
namespace {

constexpr std::size_t asking_max = 4;  // as many dead servers, or files of one, are asked at a time
constexpr std::size_t waiting_max = 4096;
constexpr std::chrono::seconds fresh_for{60};
constexpr std::chrono::minutes kept_for{10};

// The same list as libvirt's own (virFileIsSharedFSType). Of FUSE mounts it looks for the name of
// GlusterFS or Quobyte: here any of them may be shared for libvirt, and none is by itself.
constexpr unsigned long fuse_type = 0x65735546;
constexpr std::array<unsigned long, 10> shared_types = {
    0x6969,      // NFS
    0x01161970,  // GFS2
    0x7461636f,  // OCFS2
    0x5346414f,  // AFS
    0x517b,      // SMB
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB2
    0x00c36400,  // Ceph
    0x47504653,  // GPFS
    0x0bd00bd0,  // Lustre
};

}  // namespace

bool is_below(std::string_view path, std::string_view folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.remove_suffix(1);
  if (!path.starts_with(folder)) return false;
  // "/srv/images/../../etc" begins as if it were below, and is not.
  if (path.find("/../") != std::string_view::npos || path.ends_with("/..")) return false;
  return folder == "/" || path.size() == folder.size() || path[folder.size()] == '/';
}

FileSystem kind_of_file_system(unsigned long type) {
  type &= 0xffffffffUL;  // statfs(2) may give it with its sign
  if (type == fuse_type) return FileSystem::unclear;
  const bool shared =
      std::find(shared_types.begin(), shared_types.end(), type) != shared_types.end();
  return shared ? FileSystem::shared : FileSystem::local;
}

FileSystem file_system_of(const std::string& path) {
  struct statfs found {};
  // Not to be seen from here: libvirtd may see it.
  if (statfs(path.c_str(), &found) != 0) return FileSystem::unclear;
  return kind_of_file_system(static_cast<unsigned long>(found.f_type));
}

// Held by whoever asks, too: a question may outlive the one who put it.
struct Storage::Answers {
  using Clock = std::chrono::steady_clock;
  struct Answer {
    std::optional<FileSystem> kind;
    Clock::time_point at;    // of the answer
    Clock::time_point used;  // when somebody wanted to know last
    bool asking = false;
    bool waited = false;  // in vain, for the question that is open
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Answer> by_path;
};

Storage::Storage(std::vector<std::string> shared_paths, Ask ask, Duration patience)
    : shared_paths_(std::move(shared_paths)),
      ask_(std::move(ask)),
      patience_(patience),
      answers_(std::make_shared<Answers>()),
      lane_(asking_max, waiting_max) {}

std::optional<bool> Storage::is_shared(const std::string& path) {
  const bool named = std::any_of(shared_paths_.begin(), shared_paths_.end(),
                                 [&](const std::string& folder) { return is_below(path, folder); });
  if (named) return true;
  // A device is in a file system that says nothing of the disk behind it.
  if (is_below(path, "/dev")) return false;
  const std::optional<FileSystem> kind = ask(path);
  return kind ? std::optional(*kind == FileSystem::shared) : std::nullopt;
}

std::optional<bool> Storage::libvirt_takes_for_shared(const std::string& path) {
  const std::optional<FileSystem> kind = ask(path);
  return kind ? std::optional(*kind != FileSystem::local) : std::nullopt;
}

std::optional<FileSystem> Storage::ask(const std::string& path) {
  std::unique_lock lock(answers_->mutex);
  const Answers::Clock::time_point now = Answers::Clock::now();
  std::erase_if(answers_->by_path, [&](const auto& known) {
    return !known.second.asking && known.first != path && now > known.second.used + kept_for;
  });
  Answers::Answer& answer = answers_->by_path[path];
  answer.used = now;
  if (answer.kind && now < answer.at + fresh_for) return answer.kind;
  if (!answer.asking) {
    answer.waited = false;
    answer.asking = lane_.run([answers = answers_, ask = ask_, path](Lane::Life&) {
      const FileSystem kind = ask(path);
      const std::lock_guard guard(answers->mutex);
      Answers::Answer& known = answers->by_path[path];
      known.kind = kind;
      known.at = Answers::Clock::now();
      known.asking = false;
      answers->changed.notify_all();
    });
  }
  // One that is silent is waited for once, then only looked at: what it said before may be wrong.
  if (answer.asking && !answer.waited) {
    answers_->changed.wait_for(lock, patience_, [&] { return !answer.asking; });
    answer.waited = answer.asking;
  }
  return answer.asking && answer.waited ? std::nullopt : answer.kind;
}

namespace {

// A pool that libvirt knows, as far as it matters here.
struct KnownPool {
  bool is_shared = false;  // by its type: every host that has it has the same
  bool has_files = false;
  std::string folder;
};

KnownPool pool_of(Connection& connection, const std::string& name) {
  const Result<std::string> xml = connection.pool_description(name);
  const std::optional<Document> document = xml ? Document::parse(*xml) : std::nullopt;
  if (!document) return {};
  const std::string type = document->root().attribute_or_empty("type");
  KnownPool pool;
  for (const char* shared : {"netfs", "rbd", "gluster", "iscsi", "iscsi-direct", "sheepdog"})
    pool.is_shared = pool.is_shared || type == shared;
  for (const char* files : {"dir", "fs", "vstorage"}) pool.has_files |= type == files;
  pool.folder = document->root().child("target").child("path").text();
  return pool;
}

}  // namespace

std::optional<bool> Storage::is_shared_volume(Connection& connection, const std::string& pool,
                                              const std::string& volume) {
  const KnownPool found = pool_of(connection, pool);
  if (found.is_shared) return true;
  if (found.folder.empty()) return false;
  return is_shared(found.folder + "/" + volume);
}

std::optional<bool> Storage::libvirt_takes_volume_for_shared(Connection& connection,
                                                             const std::string& pool,
                                                             const std::string& volume) {
  const KnownPool found = pool_of(connection, pool);
  if (!found.has_files) return true;  // a device, or on the network
  return libvirt_takes_for_shared(found.folder + "/" + volume);
}

}  // namespace ballast::libvirt
