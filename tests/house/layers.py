"""The layers of the house, and that no file breaks them (design, section 2).

usage: layers.py ROOT [NM CORE_LIBRARY]

A module includes lower layers and itself, never a neighbour or a higher one. The core (layers 1-5)
and `world` have no clock, thread, socket, random source, file, ZeroMQ or libvirt, and iterate over
no unordered container unless the line says why the order does not matter. With NM and CORE_LIBRARY,
the core as linked is asked too. Prints one finding a line; fails when there is one.
"""
import pathlib
import re
import subprocess
import sys

from source_text import includes, line_of, without_comments
from unordered import iterations, names_in

LAYERS = {
    1: ["base"],
    2: ["model"],
    3: ["wire", "estimate", "plan", "ledger"],
    4: ["mesh", "market", "exchange", "discovery", "fleet", "migrate", "hypermodel"],
    5: ["node", "port"],
    6: ["zmq", "libvirt", "simulated", "trust", "files"],
    7: ["world", "daemon"],
    8: ["cli"],
}
LAYER_OF = {module: layer for layer, modules in LAYERS.items() for module in modules}
NOT_MODULES = {"static"}  # src/static: stand-ins for the fully static binary

# Libraries that few modules may know; `cli` asks some of them for their version.
OWNERS = {
    r"msgpack": {"wire"},
    r"zmq(_addon)?\.hpp|zmq\.h": {"zmq", "daemon", "cli"},
    r"libvirt/": {"libvirt", "cli"},
    r"libxml/": {"libvirt"},
    r"nlohmann/|toml\+\+/|toml\.hpp": {"files"},
    r"lzma\.h": {"files", "cli"},
    r"sodium": {"trust", "zmq", "cli"},
    r"CLI/": {"cli"},
}

IMPURE_HEADERS = re.compile(
    r"zmq.*|libvirt/.*|thread|mutex|shared_mutex|atomic|condition_variable|future|semaphore|latch"
    r"|barrier|stop_token|pthread\.h|random|ctime|time\.h|iostream|fstream|filesystem|print"
    r"|netdb\.h|sys/.*|netinet/.*|arpa/.*|net/.*|poll\.h|unistd\.h|fcntl\.h|signal\.h|csignal"
    r"|sodium.*"
)
_FREE = r"(?<![\w.>:])(?:std::|::)?"  # a free function, not a member of something
IMPURE_WORDS = {
    "a wall clock": r"\b(?:system_clock|steady_clock|high_resolution_clock|utc_clock|gettimeofday"
    r"|clock_gettime|timespec_get|CLOCK_\w+)\b|" + _FREE + r"(?:time|clock)\s*\(",
    "a wait": r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b",
    "a thread": r"\b(?:pthread_\w+|jthread|thread_local)\b"
    r"|\bstd::(?:thread|mutex|atomic\w*|async)\b",
    "a random source": r"\b(?:random_device|getrandom|getentropy|arc4random\w*|drand48)\b"
    r"|\bmt19937\w*|" + _FREE + r"(?:s?rand\s*\(|random\s*\(\s*\))",
    "ZeroMQ": r"\bzmq::|\bzmq_\w+\s*\(",
    "libvirt": r"\bvir[A-Z]\w*\s*\(",
    "the environment": r"\b(?:secure_)?getenv\b",
}
IMPURE_SYMBOLS = re.compile(
    r"(zmq_\w+|vir[A-Z]\w+|pthread_create|socket|connect|clock_gettime|gettimeofday|time|getrandom"
    r"|getentropy|rand|random|getenv|secure_getenv|\w*(?:system_clock|steady_clock)3nowEv"
    r"|\w*13random_device\w*)(@\S+)?"
)


def is_pure(module):
    return LAYER_OF[module] <= 5 or module == "world"


def sources_of(root):
    """(path, module or None) of each source file, in order."""
    for top in (root / "include" / "ballast", root / "src"):
        for path in sorted(p for s in ("*.h", "*.cpp") for p in top.rglob(s)):
            folder = path.relative_to(top).parts[0] if path.parent != top else None
            if folder not in NOT_MODULES:
                yield path, folder


def check_includes(root, path, module, text):
    public = "include" in path.relative_to(root).parts[:1]
    for line, kind, name in includes(text):
        first, _, rest = name.partition("/")
        other = rest.partition("/")[0] if first == "ballast" else None
        if ".." in name.split("/"):
            yield line, f"includes {name}: no way up by '..'"
        elif other is not None and other not in LAYER_OF:
            yield line, f"includes {name}: {other} is no module"
        elif other is not None and other != module and LAYER_OF[other] >= LAYER_OF[module]:
            yield line, (f"includes {name}: {module} (layer {LAYER_OF[module]}) may not know "
                         f"{other} (layer {LAYER_OF[other]})")
        elif other is None and kind == '"':
            inside = any((path.parent / n).exists() for n in (name, name + ".in"))
            if public or not inside:
                yield line, f"includes {name}: only ballast/..., in src also the same module"
        elif kind == "<" and is_pure(module) and IMPURE_HEADERS.fullmatch(name):
            yield line, f"includes <{name}>: not in {module}, which is pure"
        elif kind == "<":
            for library, owners in OWNERS.items():
                if re.match(library, name) and module not in owners:
                    yield line, f"includes <{name}>: known to {', '.join(sorted(owners))} alone"


def check_words(module, text):
    code = without_comments(text)
    for what, pattern in IMPURE_WORDS.items():
        for found in re.finditer(pattern, code):
            line = line_of(code, found.start())
            yield line, f"uses {what} ({found.group().strip()}): {module} is pure"


def check_iteration(root, path, text):
    seen = set()
    for _, kind, name in includes(text):
        candidates = [root / "include" / name, path.parent / name]
        for header in (c for c in candidates if kind == '"' and c.is_file()):
            seen |= names_in(header.read_text(encoding="utf-8"))
    for line, name in iterations(text, seen):
        yield line, f"iterates over unordered {name}: sort it, or say '// order-free: <reason>'"


def findings(root):
    """Findings of the whole tree, as 'file:line: what'."""
    for path, module in sources_of(root):
        where = path.relative_to(root)
        if module not in LAYER_OF:
            yield f"{where}:1: is in no module that has a layer"
            continue
        text = path.read_text(encoding="utf-8")
        found = list(check_includes(root, path, module, text))
        if is_pure(module):
            found += check_words(module, text)
            found += check_iteration(root, path, text)
        yield from (f"{where}:{line}: {what}" for line, what in sorted(found))


def symbol_findings(nm, library):
    """What the linked core asks of the outside and must not."""
    listed = subprocess.run([nm, "-u", str(library)], capture_output=True, text=True, check=True)
    symbols = {line.split()[-1] for line in listed.stdout.splitlines() if line.startswith(" ")}
    for symbol in sorted(symbols):
        if IMPURE_SYMBOLS.fullmatch(symbol):
            yield f"{pathlib.Path(library).name}: needs the symbol {symbol}"


def main(arguments):
    root = pathlib.Path(arguments[0])
    found = list(findings(root))
    checked = sum(1 for _ in sources_of(root))
    if len(arguments) == 3:
        found += symbol_findings(arguments[1], arguments[2])
    for finding in found:
        print(finding)
    print(f"{checked} files, {len(found)} findings")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
