// Which disks are the same on all hosts: those on a network or cluster file system, as libvirt
// itself judges it, and those below a path that the configuration names.
//
// A server of files that is dead answers nothing, for as long as it is dead: file systems are asked
// on threads of their own, an answer is kept for a minute, and what is not answered in a moment is
// not known. So a VM whose storage hangs costs the others on its host nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/time.h"
#include "connection.h"
#include "lane.h"

namespace ballast::libvirt {

// What the kind of a file system says of who else may mount it.
enum class FileSystem : unsigned char {
  local,    // nobody, for all that it tells: ext4, xfs, a LUN's own file system
  shared,   // several hosts
  unclear,  // anything may be behind it: FUSE, or a path that is not there
};

// Of the file system of that file. May block.
FileSystem file_system_of(const std::string& path);

class Storage {
 public:
  using Ask = std::function<FileSystem(const std::string& path)>;

  explicit Storage(std::vector<std::string> shared_paths, Ask ask = file_system_of,
                   Duration patience = std::chrono::seconds(1));

  // Nothing: the file system does not answer now.
  std::optional<bool> is_shared(const std::string& path);
  // Whether libvirt takes a file there for one on shared storage, whatever the configuration says;
  // true where it might. Nothing: as above.
  std::optional<bool> libvirt_takes_for_shared(const std::string& path);
  // Asks libvirt what the pool is; one that it does not know is not shared.
  std::optional<bool> is_shared_volume(Connection& connection, const std::string& pool,
                                       const std::string& volume);
  std::optional<bool> libvirt_takes_volume_for_shared(Connection& connection,
                                                      const std::string& pool,
                                                      const std::string& volume);

 private:
  std::optional<FileSystem> ask(const std::string& path);
  struct Answers;

  std::vector<std::string> shared_paths_;
  Ask ask_;
  Duration patience_;
  std::shared_ptr<Answers> answers_;
  Lane lane_;
};

// True when `path` is `folder` or below it.
bool is_below(std::string_view path, std::string_view folder);

// Of the number that statfs(2) gives for it.
FileSystem kind_of_file_system(unsigned long type);

}  // namespace ballast::libvirt
