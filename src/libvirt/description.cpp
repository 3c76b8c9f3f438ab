#include "description.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <utility>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "xml.h"

namespace ballast::libvirt {
namespace {

// Each looks at one side of a domain and says why it cannot move; empty: for all it sees, it can.
using Check = std::string (*)(const Element& domain, const DescribeOptions& options);

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string why_not_disk(const Element& disk, const DescribeOptions& options) {
  const std::string type = disk.attribute_or_empty("type");
  const Element source = disk.child("source");
  const std::string target = disk.child("target").attribute_or_empty("dev");
  if (disk.child("mirror")) return "disk " + target + " is being copied";
  const std::string local = "disk " + target + " is local: ";
  if (!source) return {};  // an empty drive
  if (type == "network") {
    return source.child("host").attribute_or_empty("transport") == "unix" ? local + "a unix socket"
                                                                          : "";
  }
  if (type == "volume") {
    const std::string pool = source.attribute_or_empty("pool");
    const std::string volume = source.attribute_or_empty("volume");
    return options.is_shared_volume(pool, volume) ? "" : local + pool + "/" + volume;
  }
  if (type != "file" && type != "block") return local + "of type " + quoted(type);
  const std::string path = source.attribute_or_empty(type == "file" ? "file" : "dev");
  if (path.empty()) return {};
  return options.is_shared(path) ? "" : local + last_part(path);
}

std::string why_not_disks(const Element& domain, const DescribeOptions& options) {
  for (const Element& disk : domain.child("devices").children("disk")) {
    std::string why = why_not_disk(disk, options);
    if (!why.empty()) return why;
  }
  return {};
}

std::string why_not_passthrough(const Element& domain, const DescribeOptions&) {
  for (const Element& device : domain.child("devices").children()) {
    const std::string kind = device.name();
    const std::string type = device.attribute_or_empty("type");
    if (kind == "hostdev") return "hostdev: a " + type + " device is passed through";
    if (kind == "interface" && (type == "hostdev" || type == "vdpa" || type == "vhostuser"))
      return "a network card is passed through (" + type + ")";
    if (kind == "filesystem") return "filesystem: a folder of the host is passed through";
    if (kind == "shmem") return "shmem: it shares memory with others on this host";
    if (kind == "tpm" && device.child("backend").attribute_or_empty("type") == "passthrough")
      return "the TPM of the host is passed through";
    if ((kind == "serial" || kind == "parallel" || kind == "console") && type == "dev")
      return "a " + kind + " port of the host is passed through";
    if (kind == "memory" && device.attribute_or_empty("model").starts_with("nvdimm"))
      return "its NVDIMM is on this host alone";
  }
  return {};
}

std::string why_not_cpu(const Element& domain, const DescribeOptions&) {
  const Element cpu = domain.child("cpu");
  if (cpu.attribute_or_empty("migratable") == "off") return "its CPU cannot move: migratable='off'";
  for (const Element& feature : cpu.children("feature")) {
    if (feature.attribute_or_empty("name") == "invtsc" &&
        feature.attribute_or_empty("policy") == "require")
      return "its CPU cannot move: it requires invtsc";
  }
  if (domain.child("launchSecurity")) return "launchSecurity: its memory is encrypted by this CPU";
  return {};
}

// Blank-separated ids, each at most as long as an id may be; nothing when one is none.
std::optional<std::vector<std::string>> words_of(const std::string& text) {
  std::istringstream in(text);
  std::set<std::string> words;
  std::string word;
  while (in >> word) {
    if (!is_valid_id(word) || words.size() >= limits::rule_words_max) return std::nullopt;
    words.insert(word);
  }
  return std::vector<std::string>(words.begin(), words.end());
}

// The owner's element; why it must stay where this is not understood or says so.
std::string read_metadata(const Element& domain, const DescribeOptions& options,
                          Description& into) {
  Element found;
  for (const Element& element : domain.child("metadata").children()) {
    if (element.space() == metadata_space) found = element;
  }
  std::string policy;
  for (const std::string& name : found.attribute_names()) {
    const std::string value = found.attribute_or_empty(name.c_str());
    if (name == "policy") {
      policy = value;
      continue;
    }
    std::vector<std::string>* list = name == "affinity"        ? &into.affinity
                                     : name == "anti-affinity" ? &into.anti_affinity
                                     : name == "hosts"         ? &into.hosts
                                                               : nullptr;
    if (list == nullptr) return "metadata: unknown attribute " + quoted(name);
    std::optional<std::vector<std::string>> words = words_of(value);
    if (!words || words->empty()) return "metadata: cannot use " + name + "=" + quoted(value);
    *list = std::move(*words);
  }
  if (found && (found.name() != "vm" || !found.children().empty()))
    return "metadata: expected one <vm .../>";
  if (policy == "pinned") return "metadata: pinned to this host";
  if (policy == "ignored") return "metadata: to be ignored by Ballast";
  if (policy == "movable") return {};
  if (!policy.empty()) return "metadata: unknown policy=" + quoted(policy);
  return options.opt_in ? "it has not opted in by policy=\"movable\"" : "";
}

// A quota of 50 ms in periods of 100 ms is half a CPU for each vCPU.
double cpu_share_of(const Element& domain) {
  const auto number = [&](const char* name) {
    const std::string text = domain.child("cputune").child(name).text();
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() ? value : 0;
  };
  const double quota = number("quota");
  const double period = number("period");
  return quota > 0 && period > 0 ? std::min(1.0, quota / period) : 1.0;
}

std::string cpu_model_of(const Element& domain) {
  const Element cpu = domain.child("cpu");
  std::string mode = cpu.attribute_or_empty("mode");
  if (mode == "host-passthrough") return mode;
  return cpu.child("model").text();
}

}  // namespace

Description describe(const std::string& xml, const DescribeOptions& options) {
  Description description;
  const std::optional<Document> document = Document::parse(xml);
  const Element domain = document ? document->root() : Element();
  if (domain.name() != "domain") {
    description.immovable = "its description cannot be read";
    return description;
  }
  const Element memory =
      domain.child("currentMemory") ? domain.child("currentMemory") : domain.child("memory");
  description.memory_mib = mib_of(memory).value_or(0);
  description.huge_pages = bool(domain.child("memoryBacking").child("hugepages"));
  description.cpu_share_max = cpu_share_of(domain);
  description.cpu_model = cpu_model_of(domain);
  description.machine = domain.child("os").child("type").attribute_or_empty("machine");
  // The owner's rules are read in any case: they bind others, too.
  description.immovable = read_metadata(domain, options, description);
  for (const Check check : {why_not_passthrough, why_not_cpu, why_not_disks}) {
    if (description.immovable.empty()) description.immovable = check(domain, options);
  }
  // No plan knows of these rules: a VM that stays breaks none, and neither do the others that the
  // rule names, which stay as well.
  const bool ruled = !description.affinity.empty() || !description.anti_affinity.empty() ||
                     !description.hosts.empty();
  if (ruled && description.immovable.empty())
    description.immovable = "metadata: bound by a rule, so it stays";
  return description;
}

}  // namespace ballast::libvirt
