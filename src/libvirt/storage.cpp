#include "storage.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "xml.h"

namespace ballast::libvirt {
namespace {

// The same list as libvirt's own (virFileIsSharedFSType), less what it takes for shared only
// because it cannot tell: a FUSE mount may be anything.
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

bool is_shared_file_system(unsigned long type) {
  type &= 0xffffffffUL;  // statfs(2) may give it with its sign
  return std::find(shared_types.begin(), shared_types.end(), type) != shared_types.end();
}

bool Storage::is_shared(const std::string& path) const {
  const bool named = std::any_of(shared_paths_.begin(), shared_paths_.end(),
                                 [&](const std::string& folder) { return is_below(path, folder); });
  if (named) return true;
  // A device is in a file system that says nothing of the disk behind it.
  if (is_below(path, "/dev")) return false;
  struct statfs found {};
  return statfs(path.c_str(), &found) == 0 &&
         is_shared_file_system(static_cast<unsigned long>(found.f_type));
}

bool Storage::is_shared_volume(Connection& connection, const std::string& pool,
                               const std::string& volume) const {
  const Result<std::string> xml = connection.pool_description(pool);
  const std::optional<Document> document = xml ? Document::parse(*xml) : std::nullopt;
  if (!document) return false;
  const std::string type = document->root().attribute_or_empty("type");
  for (const char* shared : {"netfs", "rbd", "gluster", "iscsi", "iscsi-direct", "sheepdog"}) {
    if (type == shared) return true;
  }
  const std::string folder = document->root().child("target").child("path").text();
  if (folder.empty()) return false;
  return is_shared(folder + "/" + volume);
}

}  // namespace ballast::libvirt
