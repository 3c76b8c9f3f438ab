#include "description.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "xml.h"

namespace ballast::libvirt {
namespace {

constexpr std::size_t chain_max = 64;  // images of one disk

// What keeps a domain from moving, and who says so. L is libvirt 9.0, src/qemu/qemu_migration.c; Q
// is QEMU 7.2, the callers of migrate_add_blocker() and devices without or with an unmigratable
// state; B is Ballast: libvirt would move it, and it would be wrong there.
//
// clang-format off
//   a disk only this host has, the whole chain of images below it     L SrcIsSafe; B
//   a file on shared storage that libvirt takes for local             L SrcIsSafe, IsSharedFS
//   ... unless it is told to (force_shared_paths), and then where
//   a host caches it                                                  L docs, VIR_MIGRATE_UNSAFE
//   a disk that is transient, or being copied                         L SrcIsAllowed
//   format qcow, vdi, vhdx, vmdk, vpc, vvfat, parallels               Q block/*.c
//   host devices; interfaces hostdev, vdpa, vhostuser                 L SrcIsAllowedHostdev; B
//   filesystem (virtiofs; 9p once mounted)                            L SrcIsAllowed; Q hw/9pfs
//   shmem                                                             L SrcIsAllowed; Q ivshmem
//   TPM of the host                                                   Q tpm_passthrough.c
//   NVDIMM, virtio-pmem: a file of this host; sgx-epc                 B; Q hw/i386/sgx.c
//   crypto                                                            Q virtio-crypto.c
//   input of the host (passthrough, evdev), serial ports of the host  Q virtio-input-host.c; B
//   video with 3D                                                     Q virtio-gpu.c (virgl)
//   hyperv mode='passthrough'                                         Q target/i386/kvm/kvm.c
//   invtsc without a frequency of the timer tsc                       L SrcIsAllowed; Q kvm.c
//   CPU migratable='off'                                              B: what it asks for
//   launchSecurity                                                    Q target/i386/sev.c
//   pins to CPUs and NUMA nodes                                       B: of this host's numbers
// clang-format on
//
// Snapshots, jobs and states of the moment are in the meter, since they are not in the description.

// Each looks at one side of a domain and says why it cannot move; empty: for all it sees, it can.
using Check = std::string (*)(const Element& domain, const DescribeOptions& options);

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return text == word; });
}

std::string why_not_format(const std::string& format, const std::string& what) {
  return is_one_of(format, {"qcow", "vdi", "vhdx", "vmdk", "vpc", "vvfat", "parallels"})
             ? what + ": QEMU moves none of format " + format
             : "";
}

// Of one image: the disk itself, or one below it.
std::string why_not_image(const std::string& type, const Element& source, const std::string& what,
                          const DescribeOptions& options) {
  const std::string local = what + " is local: ";
  const std::string silent = what + ": its storage does not answer";
  if (type == "network") {
    return source.child("host").attribute_or_empty("transport") == "unix" ? local + "a unix socket"
                                                                          : "";
  }
  std::optional<bool> shared;
  std::string name;
  if (type == "volume") {
    const std::string pool = source.attribute_or_empty("pool");
    const std::string volume = source.attribute_or_empty("volume");
    name = pool + "/" + volume;
    shared = options.is_shared_volume(pool, volume);
  } else if (type == "file" || type == "block") {
    const std::string path = source.attribute_or_empty(type == "file" ? "file" : "dev");
    if (path.empty()) return {};
    name = last_part(path);
    shared = options.is_shared(path);
  } else {
    return local + "of type " + quoted(type);
  }
  if (!shared) return silent;
  return *shared ? "" : local + name;
}

// Of a disk that all hosts share: what libvirt says against it all the same. It asks this of what
// is written to, and not of what lies below. `forced` is set where it must be overruled.
std::string why_unsafe(const Element& disk, const std::string& what, const DescribeOptions& options,
                       bool& forced) {
  const std::string type = disk.attribute_or_empty("type");
  const Element source = disk.child("source");
  if (disk.child("readonly") || (type != "file" && type != "volume")) return {};
  std::optional<bool> known = true;
  if (type == "file") {
    const std::string path = source.attribute_or_empty("file");
    if (path.empty()) return {};
    if (options.libvirt_takes_for_shared) known = options.libvirt_takes_for_shared(path);
  } else if (options.libvirt_takes_volume_for_shared) {
    known = options.libvirt_takes_volume_for_shared(source.attribute_or_empty("pool"),
                                                    source.attribute_or_empty("volume"));
  }
  if (!known) return what + ": its storage does not answer";
  if (*known) return {};
  // Short: these must fit into a report.
  if (!options.force_shared_paths) return what + ": libvirt takes its file for local (unsafe)";
  const std::string cache = disk.child("driver").attribute_or_empty("cache");
  if (!is_one_of(cache, {"none", "directsync"}))
    return what + ": cache " + (cache.empty() ? "default" : cache.substr(0, 12)) +
           ", none is needed to force";
  forced = true;
  return {};
}

std::string why_not_disk(const Element& disk, const DescribeOptions& options, bool& forced) {
  const std::string what = "disk " + disk.child("target").attribute_or_empty("dev");
  if (disk.child("mirror")) return what + " is being copied";
  if (!disk.child("source")) return {};  // an empty drive
  if (disk.child("transient")) return what + " is transient: its changes are here alone";
  std::string why = why_not_format(disk.child("driver").attribute_or_empty("type"), what);
  if (why.empty())
    why = why_not_image(disk.attribute_or_empty("type"), disk.child("source"), what, options);
  Element below = disk.child("backingStore");
  for (std::size_t depth = 0; why.empty() && below.child("source"); ++depth) {
    if (depth >= chain_max) return what + ": its chain of images is too long to look at";
    why = why_not_format(below.child("format").attribute_or_empty("type"), "below " + what);
    if (why.empty())
      why = why_not_image(below.attribute_or_empty("type"), below.child("source"), "below " + what,
                          options);
    below = below.child("backingStore");
  }
  return why.empty() ? why_unsafe(disk, what, options, forced) : why;
}

std::string why_not_disks(const Element& domain, const DescribeOptions& options, bool& forced) {
  for (const Element& disk : domain.child("devices").children("disk")) {
    std::string why = why_not_disk(disk, options, forced);
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
    const std::string model = device.attribute_or_empty("model");
    if (kind == "memory" &&
        (model.starts_with("nvdimm") || model == "virtio-pmem" || model == "sgx-epc"))
      return "its memory of model " + model + " is on this host alone";
    if (kind == "crypto") return "QEMU cannot move a crypto device";
    if (kind == "input" && (type == "passthrough" || type == "evdev"))
      return "an input device of the host is passed through";
    if (kind == "video" &&
        device.child("model").child("acceleration").attribute_or_empty("accel3d") == "yes")
      return "QEMU cannot move a video card with 3D";
  }
  return {};
}

std::string why_not_cpu(const Element& domain, const DescribeOptions&) {
  const Element cpu = domain.child("cpu");
  if (cpu.attribute_or_empty("migratable") == "off") return "its CPU cannot move: migratable='off'";
  const auto timers = domain.child("clock").children("timer");
  const bool has_frequency = std::any_of(timers.begin(), timers.end(), [](const Element& timer) {
    return timer.attribute_or_empty("name") == "tsc" &&
           !timer.attribute_or_empty("frequency").empty();
  });
  for (const Element& feature : cpu.children("feature")) {
    if (feature.attribute_or_empty("name") == "invtsc" &&
        feature.attribute_or_empty("policy") == "require" && !has_frequency)
      return "its CPU cannot move: invtsc without a TSC frequency";
  }
  if (domain.child("features").child("hyperv").attribute_or_empty("mode") == "passthrough")
    return "its CPU cannot move: hyperv mode='passthrough'";
  if (domain.child("launchSecurity")) return "launchSecurity: its memory is encrypted by this CPU";
  return {};
}

// Numbers of this host's CPUs and nodes, which may be others, or none, on another host.
std::string why_not_pins(const Element& domain, const DescribeOptions&) {
  for (const char* pin : {"vcpupin", "emulatorpin", "iothreadpin"})
    if (domain.child("cputune").child(pin)) return std::string("pinned to CPUs here: ") + pin;
  for (const char* binding : {"memory", "memnode"}) {
    const Element found = domain.child("numatune").child(binding);
    if (!found.attribute_or_empty("nodeset").empty())
      return std::string("bound to NUMA nodes here: numatune ") + binding;
  }
  if (!domain.child("vcpu").attribute_or_empty("cpuset").empty())
    return "pinned to CPUs here: vcpu cpuset";
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
  for (const Element& disk : domain.child("devices").children("disk"))
    if (disk.child("source") && !disk.child("readonly"))
      description.disks.push_back(disk.child("target").attribute_or_empty("dev"));
  // The owner's rules are read in any case: they bind others, too.
  description.immovable = read_metadata(domain, options, description);
  for (const Check check : {why_not_passthrough, why_not_cpu, why_not_pins}) {
    if (description.immovable.empty()) description.immovable = check(domain, options);
  }
  if (description.immovable.empty())
    description.immovable = why_not_disks(domain, options, description.forced);
  // No plan knows of these rules: a VM that stays breaks none, and neither do the others that the
  // rule names, which stay as well.
  const bool ruled = !description.affinity.empty() || !description.anti_affinity.empty() ||
                     !description.hosts.empty();
  if (ruled && !options.knows_rules && description.immovable.empty())
    description.immovable = "metadata: bound by a rule, so it stays";
  return description;
}

}  // namespace ballast::libvirt
