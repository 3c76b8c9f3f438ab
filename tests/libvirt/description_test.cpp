// What a domain's description says: whether it can move, and its owner's rules.
#include "description.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "ballast/base/random.h"
#include "fake_libvirt.h"
#include "storage.h"

namespace ballast::libvirt {
namespace {

using namespace std::chrono_literals;

DescribeOptions rules(bool opt_in = false) {
  DescribeOptions options;
  options.opt_in = opt_in;
  options.is_shared = [](const std::string& path) { return path.starts_with("/shared/"); };
  options.is_shared_volume = [](const std::string& pool, const std::string&) {
    return pool == "nfs" || pool == "mirrored";
  };
  // What all hosts share, but libvirt cannot know.
  options.libvirt_takes_for_shared = [](const std::string& path) {
    return !path.starts_with("/shared/mirrored/");
  };
  options.libvirt_takes_volume_for_shared = [](const std::string& pool, const std::string&) {
    return pool != "mirrored";
  };
  return options;
}

std::string why(const std::string& devices, const std::string& more = "") {
  return describe(plain_description(devices, more), rules()).immovable;
}

bool tells(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string with_metadata(const std::string& element) {
  return plain_description("", "<metadata>" + element + "</metadata>");
}

std::string owner_says(const std::string& attributes) {
  return with_metadata("<ballast:vm xmlns:ballast='urn:ballast' " + attributes + "/>");
}

TEST_CASE("a plain VM can move, and its description gives what counters may not") {
  const Description plain =
      describe(plain_description("<memballoon model='virtio'/>",
                                 "<currentMemory unit='MiB'>512</currentMemory>"
                                 "<cpu mode='custom'><model>Haswell</model></cpu>"
                                 "<memoryBacking><hugepages/></memoryBacking>"
                                 "<cputune><period>100000</period><quota>25000</quota></cputune>"),
               rules());
  CHECK(plain.immovable.empty());
  CHECK(plain.memory_mib == 512);
  CHECK(plain.huge_pages);
  CHECK(plain.cpu_share_max == 0.25);
  CHECK(plain.cpu_model == "Haswell");
  CHECK(plain.machine == "pc-q35-7.2");
  CHECK(describe(plain_description(), rules()).memory_mib == 1024);
  CHECK(describe(plain_description("", "<cpu mode='host-passthrough'/>"), rules()).cpu_model ==
        "host-passthrough");
}

TEST_CASE("disks: what only this host has keeps the VM here") {
  const auto disk = [](const std::string& type, const std::string& inside) {
    return "<disk type='" + type + "' device='disk'>" + inside + "<target dev='vda'/></disk>";
  };
  CHECK(why(disk("file", "<source file='/shared/a.qcow2'/>")).empty());
  CHECK(tells(why(disk("file", "<source file='/var/a.qcow2'/>")), "disk vda is local: a.qcow2"));
  CHECK(why(disk("block", "<source dev='/shared/lun'/>")).empty());
  CHECK(tells(why(disk("block", "<source dev='/dev/sdb'/>")), "local: sdb"));
  CHECK(why(disk("network", "<source protocol='rbd' name='a'><host name='m'/></source>")).empty());
  CHECK(tells(why(disk("network", "<source protocol='nbd'><host transport='unix'/></source>")),
              "socket"));
  CHECK(why(disk("volume", "<source pool='nfs' volume='a'/>")).empty());
  CHECK(tells(why(disk("volume", "<source pool='default' volume='a'/>")), "default/a"));
  CHECK(why("<disk type='file' device='cdrom'><target dev='sda'/></disk>").empty());
  CHECK(tells(why("<disk type='file' device='cdrom'><source file='/iso/x.iso'/>"
                  "<target dev='sda'/></disk>"),
              "disk sda is local: x.iso"));
  CHECK(tells(why(disk("nvme", "<source/>")), "type 'nvme'"));
  CHECK(
      tells(why(disk("file", "<source file='/shared/a'/><mirror type='file'/>")), "being copied"));
  CHECK(tells(why(disk("file", "<source file='/shared/a'/>") + disk("file", "<source file='/b'/>")),
              "local: b"));
}

TEST_CASE("an image below a disk keeps the VM here as the disk itself would, however deep it is") {
  const auto image = [](const std::string& path, const std::string& below,
                        const std::string& format = "qcow2") {
    return "<backingStore type='file'><format type='" + format + "'/><source file='" + path +
           "'/>" + below + "</backingStore>";
  };
  const auto disk = [](const std::string& below) {
    return "<disk type='file' device='disk'><driver type='qcow2'/><source file='/shared/top'/>" +
           below + "<target dev='vda'/></disk>";
  };
  CHECK(why(disk("<backingStore/>")).empty());
  CHECK(why(disk(image("/shared/a", image("/shared/b", "<backingStore/>")))).empty());
  CHECK(tells(why(disk(image("/var/a", ""))), "below disk vda is local: a"));
  CHECK(tells(why(disk(image("/shared/a", image("/shared/b", image("/var/c", ""))))), "local: c"));
  CHECK(tells(why(disk(image("/shared/a", "", "vmdk"))), "below disk vda: QEMU moves none"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep = image("/shared/x", deep);
  CHECK(tells(why(disk(deep)), "too long"));
  CHECK(tells(why("<disk type='file'><driver type='vdi'/><source file='/shared/a'/>"
                  "<target dev='vdb'/></disk>"),
              "disk vdb: QEMU moves none of format vdi"));
  CHECK(tells(why("<disk type='file'><source file='/shared/a'/><transient/>"
                  "<target dev='vdb'/></disk>"),
              "transient"));
  // Read by every host over the network.
  CHECK(why("<disk type='network' device='cdrom'><driver type='raw'/><source protocol='https' "
            "name='/i.iso'><host name='web' port='443'/></source><target dev='sda'/></disk>")
            .empty());
}

TEST_CASE("what is bound to this host's CPUs and memory nodes by number stays") {
  for (const char* bound : {"<cputune><vcpupin vcpu='0' cpuset='4'/></cputune>",
                            "<cputune><emulatorpin cpuset='1-3'/></cputune>",
                            "<cputune><iothreadpin iothread='1' cpuset='5'/></cputune>",
                            "<numatune><memory mode='strict' nodeset='0'/></numatune>",
                            "<numatune><memnode cellid='0' mode='strict' nodeset='1'/></numatune>",
                            "<vcpu cpuset='0-3'>4</vcpu>"}) {
    CAPTURE(bound);
    CHECK(tells(why("", bound), "here"));
  }
  for (const char* free :
       {"<cputune><shares>2048</shares><quota>50000</quota></cputune>",
        "<numatune><memory mode='strict' placement='auto'/></numatune>", "<vcpu>4</vcpu>"}) {
    CAPTURE(free);
    CHECK(why("", free).empty());
  }
}

TEST_CASE("whatever is passed through from this host keeps the VM here, each told by its name") {
  for (const auto& [device, part] :
       {std::pair{"<hostdev mode='subsystem' type='pci'/>", "pci device"},
        {"<hostdev type='usb'/>", "usb device"},
        {"<interface type='hostdev'/>", "network card"},
        {"<interface type='vdpa'/>", "network card"},
        {"<filesystem type='mount'/>", "folder"},
        {"<shmem name='x'/>", "shmem"},
        {"<tpm model='tpm-tis'><backend type='passthrough'/></tpm>", "TPM"},
        {"<serial type='dev'/>", "serial port"},
        {"<memory model='nvdimm'/>", "nvdimm"},
        {"<memory model='sgx-epc'/>", "sgx-epc"},
        {"<memory model='virtio-pmem'/>", "virtio-pmem"},
        {"<crypto model='virtio' type='qemu'/>", "crypto"},
        {"<input type='evdev'><source dev='/dev/input/event1'/></input>", "input device"},
        {"<video><model type='virtio'><acceleration accel3d='yes'/></model></video>", "3D"}}) {
    const char* const said = device;
    CAPTURE(said);
    CHECK(tells(why(device), part));
  }
  for (const char* device :
       {"<interface type='bridge'/>", "<serial type='pty'/>", "<serial type='file'/>",
        "<tpm model='tpm-tis'><backend type='emulator'/></tpm>", "<memory model='dimm'/>",
        "<memory model='virtio-mem'/>", "<redirdev bus='usb' type='spicevmc'/>",
        "<graphics type='vnc'/>", "<input type='tablet' bus='usb'/>",
        "<video><model type='virtio'/></video>",
        "<video><model type='virtio'><acceleration accel3d='no'/></model></video>"}) {
    CAPTURE(device);
    CHECK(why(device).empty());
  }
}

TEST_CASE("a CPU that cannot move keeps the VM here") {
  CHECK(tells(why("", "<cpu mode='host-passthrough' migratable='off'/>"), "migratable"));
  CHECK(tells(why("", "<cpu><feature policy='require' name='invtsc'/></cpu>"), "invtsc"));
  CHECK(why("",
            "<cpu><feature policy='require' name='invtsc'/></cpu>"
            "<clock offset='utc'><timer name='tsc' frequency='2400000000'/></clock>")
            .empty());
  CHECK(tells(why("",
                  "<cpu><feature policy='require' name='invtsc'/></cpu>"
                  "<clock offset='utc'><timer name='tsc' mode='native'/></clock>"),
              "invtsc"));
  CHECK(tells(why("", "<features><hyperv mode='passthrough'/></features>"), "hyperv"));
  CHECK(
      why("", "<features><hyperv mode='custom'><relaxed state='on'/></hyperv></features>").empty());
  CHECK(tells(why("", "<launchSecurity type='sev'/>"), "launchSecurity"));
  CHECK(why("", "<cpu><feature policy='disable' name='invtsc'/></cpu>").empty());
}

TEST_CASE("the owner's metadata: policy, groups and hosts") {
  CHECK(tells(describe(owner_says("policy='pinned'"), rules()).immovable, "pinned"));
  CHECK(tells(describe(owner_says("policy='ignored'"), rules()).immovable, "ignored"));
  CHECK(describe(owner_says("policy='movable'"), rules()).immovable.empty());
  const Description ruled =
      describe(owner_says("affinity='app  db' anti-affinity='web' hosts='h1 h2'"), rules());
  CHECK(tells(ruled.immovable, "bound by a rule"));
  CHECK(ruled.affinity == std::vector<std::string>{"app", "db"});
  CHECK(ruled.anti_affinity == std::vector<std::string>{"web"});
  CHECK(ruled.hosts == std::vector<std::string>{"h1", "h2"});
  // Rules of a VM that stays bind those that move.
  CHECK(describe(owner_says("policy='pinned' anti-affinity='web'"), rules()).anti_affinity.size() ==
        1);
}

TEST_CASE("where VMs opt in, only those that do may move") {
  CHECK(tells(describe(plain_description(), rules(true)).immovable, "opted in"));
  CHECK(describe(owner_says("policy='movable'"), rules(true)).immovable.empty());
  CHECK(tells(describe(owner_says("affinity='a'"), rules(true)).immovable, "opted in"));
}

TEST_CASE("metadata that is not understood keeps the VM here and says what it found") {
  for (const auto& [attributes, part] : {std::pair{"polcy='pinned'", "'polcy'"},
                                         {"policy='Pinned'", "policy='Pinned'"},
                                         {"affinity=''", "affinity=''"},
                                         {"hosts='   '", "hosts="},
                                         {"hosts='a b c d e f g h i j'", "hosts="}}) {
    const char* const said = attributes;
    CAPTURE(said);
    CHECK(tells(describe(owner_says(attributes), rules()).immovable, part));
  }
  CHECK(tells(
      describe(with_metadata("<b:vm xmlns:b='urn:ballast'><affinity/></b:vm>"), rules()).immovable,
      "expected one <vm"));
  CHECK(tells(describe(with_metadata("<b:host xmlns:b='urn:ballast'/>"), rules()).immovable,
              "expected one <vm"));
  // Somebody else's metadata is none of our business.
  CHECK(describe(with_metadata("<o:vm xmlns:o='urn:other' policy='pinned'/>"), rules())
            .immovable.empty());
}

TEST_CASE("what is no description of a domain cannot move") {
  for (const char* text : {"", "x", "<domain>", "<network/>", "<?xml version='1.0'?>",
                           "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><network>&x;"}) {
    CAPTURE(text);
    CHECK(tells(describe(text, rules()).immovable, "cannot be read"));
  }
}

TEST_CASE("whatever bytes change in a description, reading it ends well") {
  const std::string good = plain_description(
      "<disk type='file'><source file='/shared/a'/><target dev='vda'/></disk>",
      "<metadata><ballast:vm xmlns:ballast='urn:ballast' affinity='a b'/></metadata>"
      "<cputune><period>100000</period><quota>25000</quota></cputune>");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    for (int round = 0; round < 500; ++round) {
      std::string text = good;
      for (std::uint64_t n = 1 + random.below(5); n > 0; --n)
        text[random.below(text.size())] = static_cast<char>(random.below(256));
      if (random.chance(0.2)) text.resize(random.below(text.size()));
      const Description read = describe(text, rules());
      CHECK(read.memory_mib >= 0);
      CHECK((read.cpu_share_max > 0 && read.cpu_share_max <= 1));
    }
  }
}

TEST_CASE("files that libvirt takes for local stay, or are forced where no host caches them") {
  const auto disk = [](const std::string& source, const std::string& cache,
                       const std::string& more = "") {
    const std::string type = source.starts_with("file") ? "file" : "volume";
    return plain_description("<disk type='" + type + "'><driver name='qemu' type='raw'" + cache +
                             "/><source " + source + "/><target dev='vda'/>" + more + "</disk>");
  };
  DescribeOptions told = rules();
  told.force_shared_paths = true;
  for (const std::string source :
       {"file='/shared/mirrored/a.raw'", "pool='mirrored' volume='a.raw'"}) {
    CAPTURE(source);
    const std::string none = disk(source, " cache='none'");
    CHECK(tells(describe(none, rules()).immovable, "disk vda: libvirt takes its file for local"));
    CHECK(describe(none, told).immovable.empty());
    CHECK(describe(none, told).forced);
    CHECK(describe(disk(source, " cache='directsync'"), told).forced);
    const Description cached = describe(disk(source, " cache='writeback'"), told);
    CHECK(tells(cached.immovable, "cache writeback, none is needed to force"));
    CHECK(tells(describe(disk(source, ""), told).immovable, "cache default, none"));
    const Description read = describe(disk(source, "", "<readonly/>"), rules());
    CHECK(read.immovable.empty());
    CHECK_FALSE(read.forced);
  }
  const Description known = describe(disk("file='/shared/a.raw'", ""), told);
  CHECK(known.immovable.empty());
  CHECK_FALSE(known.forced);
  CHECK(tells(describe(disk("file='/here/a.raw'", " cache='none'"), told).immovable, "is local"));
}

TEST_CASE("a path is shared when it is below one that the configuration names, and not beside it") {
  Storage storage({"/srv/images/", "/dev/vg"}, file_system_of, 1min);
  CHECK(storage.is_shared("/srv/images/a.qcow2") == true);
  CHECK(storage.is_shared("/dev/vg/lv1") == true);
  CHECK(storage.is_shared("/srv/images2/a.qcow2") == false);
  CHECK(storage.is_shared("/srv/images/../../etc/passwd") == false);
  CHECK(storage.is_shared("/dev/sda") == false);
  CHECK(storage.is_shared("/nowhere/at/all") == false);
  CHECK(kind_of_file_system(0x6969) == FileSystem::shared);
  CHECK(kind_of_file_system(static_cast<unsigned long>(
            static_cast<long>(static_cast<int>(0xff534d42)))) == FileSystem::shared);
  CHECK(kind_of_file_system(0xef53) == FileSystem::local);  // ext4
  CHECK(kind_of_file_system(0x65735546) == FileSystem::unclear);
}

TEST_CASE("what libvirt takes for shared does not depend on the configuration") {
  Storage storage(
      {"/srv"},
      [](const std::string& path) {
        return path.starts_with("/srv/nfs/")    ? FileSystem::shared
               : path.starts_with("/srv/fuse/") ? FileSystem::unclear
                                                : FileSystem::local;
      },
      1min);
  for (const char* path : {"/srv/nfs/a", "/srv/fuse/a", "/srv/ext4/a"})
    CHECK(storage.is_shared(path) == true);
  CHECK(storage.libvirt_takes_for_shared("/srv/nfs/a") == true);
  CHECK(storage.libvirt_takes_for_shared("/srv/fuse/a") == true);
  CHECK(storage.libvirt_takes_for_shared("/srv/ext4/a") == false);
  // Of a file that cannot be seen from here nothing is said: libvirtd may see it.
  CHECK(file_system_of("/nowhere/at/all") == FileSystem::unclear);
  CHECK(file_system_of("/proc/self/status") == FileSystem::local);
}

TEST_CASE("a file system that does not answer is not waited for twice, and costs no other") {
  const auto dead = std::make_shared<Gate>();
  dead->shut();
  Storage storage(
      {},
      [dead](const std::string& path) {
        if (path.starts_with("/dead/")) dead->pass();
        const bool shared = path.starts_with("/nfs/") || path.starts_with("/dead/");
        return shared ? FileSystem::shared : FileSystem::local;
      },
      1s);
  CHECK(storage.is_shared("/dead/a") == std::nullopt);  // waits a second
  for (int looks = 0; looks < 1000; ++looks) CHECK(storage.is_shared("/dead/a") == std::nullopt);
  DescribeOptions options = rules();
  options.is_shared = [&](const std::string& path) { return storage.is_shared(path); };
  CHECK(tells(describe(plain_description("<disk type='file'><source file='/dead/a'/>"
                                         "<target dev='vda'/></disk>"),
                       options)
                  .immovable,
              "disk vda: its storage does not answer"));
  CHECK(eventually([&] { return storage.is_shared("/nfs/b") == true; }));
  CHECK(eventually([&] { return storage.is_shared("/local/c") == false; }));
  dead->open();
  CHECK(eventually([&] { return storage.is_shared("/dead/a") == true; }));
}

}  // namespace
}  // namespace ballast::libvirt
