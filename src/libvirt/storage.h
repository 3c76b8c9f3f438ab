// Which disks are the same on all hosts: those on a network or cluster file system, as libvirt
// itself judges it, and those below a path that the configuration names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connection.h"

namespace ballast::libvirt {

class Storage {
 public:
  explicit Storage(std::vector<std::string> shared_paths)
      : shared_paths_(std::move(shared_paths)) {}

  // Asks the file system: may block as long as a dead server of files does.
  bool is_shared(const std::string& path) const;
  // Asks libvirt what the pool is; one that it does not know is not shared.
  bool is_shared_volume(Connection& connection, const std::string& pool,
                        const std::string& volume) const;

 private:
  std::vector<std::string> shared_paths_;
};

// True when `path` is `folder` or below it.
bool is_below(std::string_view path, std::string_view folder);

// True for the numbers that statfs(2) gives for file systems that several hosts may mount.
bool is_shared_file_system(unsigned long type);

}  // namespace ballast::libvirt
