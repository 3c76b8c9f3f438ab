"""The rules of the house find what is planted, and let pass what is allowed. usage:
planted_test.py NM COMPILER..."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import headers
import layers
import tidy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import count_tests  # noqa: E402 pylint: disable=wrong-import-position

NM = sys.argv[1]
COMPILER = sys.argv[2:]


class Planted(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def finds(self, rule, name, text, *expected):
        """Plants one file and expects one finding for each word expected, none for no word."""
        self.plant(name, text)
        found = [finding for finding in rule(self.root) if finding.startswith(name + ":")]
        (self.root / name).unlink()
        self.assertEqual(len(found), len(expected), f"{text!r} gave {found}")
        for finding, word in zip(found, expected):
            self.assertIn(word, finding)

    def layer(self, name, text, *expected):
        self.finds(layers.findings, name, text, *expected)

    def tidy(self, name, text, *expected):
        self.finds(tidy.findings, name, text, *expected)


class Layers(Planted):
    def test_lower_layers_and_oneself_may_be_included(self):
        self.layer("src/plan/a.cpp", '#include "ballast/plan/p.h"\n#include "ballast/base/ids.h"\n')
        self.layer("src/cli/a.cpp", '#include "ballast/daemon/d.h"\n#include "ballast/zmq/z.h"\n')
        self.layer("include/ballast/node/n.h", '#include "ballast/ledger/l.h"\n')

    def test_up_sideways_and_unknown_modules_are_found(self):
        self.layer("src/plan/a.cpp", '#include "ballast/node/n.h"\n', "layer 5")
        self.layer("src/plan/a.cpp", '#include "ballast/ledger/l.h"\n', "may not know ledger")
        self.layer("include/ballast/base/b.h", '# include "ballast/model/m.h"\n', "layer 2")
        self.layer("src/zmq/a.cpp", '#include "ballast/trust/t.h"\n', "may not know trust")
        self.layer("src/daemon/a.cpp", '#include "ballast/world/w.h"\n', "may not know world")
        self.layer("src/daemon/a.cpp", '#include "ballast/cli/c.h"\n', "layer 8")
        self.layer("src/plan/a.cpp", '#include "ballast/nowhere/n.h"\n', "no module")
        self.layer("src/nowhere/a.cpp", "int a;\n", "no module")
        self.layer("src/a.cpp", "int a;\n", "no module")

    def test_private_headers_stay_in_their_module(self):
        self.plant("src/plan/inner.h", "#pragma once\n")
        self.layer("src/plan/a.cpp", '#include "inner.h"\n')
        self.layer("src/node/a.cpp", '#include "inner.h"\n', "same module")
        self.layer("src/node/a.cpp", '#include "plan/inner.h"\n', "same module")
        self.layer("src/node/a.cpp", '#include "../plan/inner.h"\n', "no way up")
        self.layer("include/ballast/plan/p.h", '#include "inner.h"\n', "same module")

    def test_the_pure_modules_have_no_impure_header(self):
        for header in ("zmq.hpp", "libvirt/libvirt.h", "thread", "mutex", "atomic", "random",
                       "fstream", "iostream", "sys/socket.h", "netinet/in.h", "ctime", "unistd.h",
                       "filesystem"):
            for module in ("base", "plan", "node", "port", "world"):
                self.layer(f"src/{module}/a.cpp", f"#include <{header}>\n", header)
        self.layer("src/base/a.cpp", "#include <vector>\n#include <cstdio>\n#include <chrono>\n")
        self.layer("src/daemon/a.cpp", "#include <thread>\n#include <zmq.hpp>\n")

    def test_a_library_is_known_to_its_owners_alone(self):
        self.layer("src/wire/a.cpp", "#include <msgpack.hpp>\n")
        self.layer("src/node/a.cpp", "#include <msgpack.hpp>\n", "wire alone")
        self.layer("src/trust/a.cpp", "#include <zmq.hpp>\n", "zmq alone")
        self.layer("src/wire/a.cpp", "#include <nlohmann/json.hpp>\n", "files")

    def test_the_pure_modules_have_no_impure_word(self):
        for word in ("std::chrono::system_clock::now()", "std::chrono::steady_clock::now()",
                     "gettimeofday(&t, 0)", "clock_gettime(CLOCK_REALTIME, &t)", "time(nullptr)",
                     "std::time(0)", "::time(0)", "std::random_device()()", "rand()", "std::rand()",
                     "random()", "std::thread(f)", "std::atomic<int>()", "zmq_poll(0, 0, 0)",
                     "virDomainMigrate3(d)", "getenv(\"A\")"):
            self.plant("src/plan/a.cpp", f"auto x = {word};\n")
            self.assertTrue(list(layers.findings(self.root)), word)
        self.plant("src/plan/a.cpp", "int ok;\n")

    def test_words_in_comments_and_texts_and_of_others_are_no_finding(self):
        for line in ("// libvirt tells the time (of day), not rand()", 'auto x = "zmq_poll()";',
                     "/* std::thread\n std::mutex */ int x;", "x.time(0);", "Random random(7);",
                     "auto lead_time(int a);", 'auto x = R"(rand())"; // system_clock',
                     "int big = 1'000; auto c = '\"'; int y = 2; // \" rand()"):
            self.layer("src/plan/a.cpp", line + "\n")


class Unordered(Planted):
    HEAD = "std::unordered_map<int, std::vector<int>> table_;\nstd::vector<int> list;\n"

    def iterates(self, line, *expected):
        self.layer("src/plan/a.cpp", self.HEAD + line + "\n", *expected)

    def test_iteration_is_found(self):
        for line in ("for (auto& [k, v] : table_) use(k);",
                     "for (const auto& e : this->table_) use(e);",
                     "for (const auto& e : self.table_)\n  use(e);",
                     "auto i = table_.begin();",
                     "auto i = std::begin(table_);",
                     "std::vector<int> v(table_.cbegin(), table_.cend());",
                     "for (int n = 0; auto& e : table_) use(e);",
                     "for (auto e : table_ | keys) use(e);",
                     "std::ranges::for_each(table_, use);",
                     "std::unordered_set<int> made(); void f() { for (int e : made()) use(e); }",
                     "using Set = std::unordered_set<int>; Set s; auto i = s.begin();",
                     "void f(const std::unordered_set<int>& s) { for (int e : s) use(e); }",
                     "const auto& same = table_;\nfor (auto& e : same) use(e);"):
            self.iterates(line, "unordered")

    def test_a_reason_excuses_it(self):
        self.iterates("for (auto& e : table_) sum += e;  // order-free: a sum of integers")
        self.iterates("// order-free: sorted below\nfor (auto& e : table_) all.push_back(e);")
        self.iterates("for (auto& e : table_) use(e);  // order-free:", "unordered")

    def test_look_ups_and_ordered_containers_are_no_finding(self):
        for line in ("for (int e : table_[3]) use(e);", "for (int e : table_.at(3)) use(e);",
                     "for (int e : list) use(e);", "auto i = table_.find(3) == table_.end();",
                     "for (int e : table_.find(3)->second) use(e);", "auto i = list.begin();",
                     "for (size_t n = 0; n < table_.size(); ++n) use(a ? b : c);"):
            self.iterates(line)

    def test_members_declared_in_the_header_are_known(self):
        self.plant("include/ballast/plan/p.h", "std::unordered_map<int, int> all_;\n")
        include = '#include "ballast/plan/p.h"\n'
        self.layer("src/plan/a.cpp", include + "for (auto& e : all_) use(e);\n", "all_")

    def test_the_adapters_may(self):
        self.layer("src/daemon/a.cpp", self.HEAD + "void f() { for (auto& e : table_) use(e); }\n")


class Symbols(Planted):
    def symbols(self, declared, called):
        self.plant("a.cpp", f"{declared}\nvoid f() {{ (void){called}; }}\n")
        subprocess.run([*COMPILER, "-c", "a.cpp", "-o", "a.o"], cwd=self.root, check=True)
        return list(layers.symbol_findings(NM, self.root / "a.o"))

    def test_what_the_core_must_not_need_is_found(self):
        for declared, called in (('extern "C" int zmq_poll();', "zmq_poll()"),
                                 ('extern "C" int virInitialize();', "virInitialize()"),
                                 ("#include <pthread.h>", "pthread_create(0, 0, 0, 0)"),
                                 ("#include <chrono>", "std::chrono::system_clock::now()"),
                                 ("#include <random>", "std::random_device()()")):
            self.assertTrue(self.symbols(declared, called), called)

    def test_the_rest_is_no_finding(self):
        self.assertEqual(self.symbols("#include <string>", 'std::string("a").size()'), [])


class Tidy(Planted):
    def test_a_clean_file_has_no_finding(self):
        self.tidy("include/ballast/base/a.h", "// What it is for.\n#pragma once\n")
        self.tidy("docs/a.md", "A long line is fine in a text. " * 10 + "end\n")

    def test_what_is_untidy_is_found(self):
        name = "src/base/a.cpp"
        self.tidy(name, "int a;\n" * 500)
        self.tidy(name, "int a;\n" * 501, "501 lines")
        self.tidy(name, "int a;" + " " * 93 + "//\n", "101 columns")
        self.tidy(name, "int a;\tint b;\n", "tab")
        self.tidy(name, "int a; \n", "white space")
        self.tidy(name, "int a;", "no newline")
        self.tidy(name, "// TO" + "DO: later\n", "unfinished")
        self.tidy(name, "// FIX" + "ME\n", "unfinished")
        self.tidy("conf/a.toml", 'path = "/wor' + 'k/main"\n', "one machine")
        self.tidy("docs/a.md", "see /roo" + "t/notes\n", "one machine")
        self.tidy("include/ballast/base/a.h", "#pragma once\n", "opens with")
        self.tidy("src/base/a.h", "int a;\n", "pragma once")
        self.tidy("scripts/a", "#!/bin/bash\n\ttrue\n", "tab")
        self.tidy("stray.txt", "a\n", "top level")

    def test_long_files_are_listed(self):
        self.plant("src/base/a.cpp", "int a;\n" * 251)
        self.plant("src/base/b.cpp", "int a;\n" * 250)
        self.assertEqual(list(tidy.long_files(self.root)), [(251, "src/base/a.cpp")])


class Headers(Planted):
    def test_a_header_that_leans_on_others_is_found(self):
        uses = "std::vector<int> f();\n"
        self.plant("include/ballast/base/good.h", "#pragma once\n#include <vector>\n" + uses)
        self.plant("include/ballast/base/bad.h", "#pragma once\n" + uses)
        self.plant("include/ballast/base/twice.h", "struct A {};\n")
        checked, found = headers.findings(self.root, COMPILER)
        self.assertEqual(checked, 3)
        self.assertEqual([text.split(":")[0] for text in found],
                         ["ballast/base/bad.h", "ballast/base/twice.h"])


class Limits(Planted):
    def test_a_test_near_its_time_limit_is_named(self):
        self.plant("meson-info/intro-tests.json",
                   '[{"name": "slow", "timeout": 30}, {"name": "endless", "timeout": 0}]')
        self.plant("meson-logs/testlog.json",
                   '{"name": "p:unit / slow", "duration": 10.1, "result": "OK"}\n'
                   '{"name": "p:unit / slow", "duration": 9.9, "result": "OK"}\n'
                   '{"name": "p:unit / endless", "duration": 999, "result": "OK"}\n')
        log = self.root / "meson-logs/testlog.json"
        named = list(count_tests.near_limit(count_tests.results_of(log),
                                            count_tests.limits_of(log)))
        self.assertEqual(len(named), 1)
        self.assertIn("slow took 10 s", named[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
