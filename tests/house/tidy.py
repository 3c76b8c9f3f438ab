"""Tidiness that a machine can judge. usage: tidy.py ROOT

Prints one finding a line and fails when there is one; lists the files that grow long.
"""
import pathlib
import re
import sys

LINES_MAX = 500
LINES_LONG = 250
COLUMNS_MAX = 100

CODE = {".h", ".hpp", ".c", ".cpp", ".py", ".sh", ".build"}
TEXT = CODE | {".toml", ".md", ".txt", ".wrap", ".yml"}
SCRIPTS = {"scripts", ".ci"}  # folders whose files without a suffix are shell scripts
TOP_LEVEL = {
    "meson.build", "meson_options.txt", "src", "include", "subprojects", "conf", "tests", "scripts",
    "README.md", "LICENSE", "CONTRIBUTING.md", "docs", ".ci", ".clang-format", ".clang-tidy",
    ".gitignore", ".git", "dist",
}
FOREIGN = re.compile(r"^subprojects/(packagecache|libzmq-)|(^|/)__pycache__/")

# Each is written so that it does not find itself.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
MACHINE_PATH = re.compile(r"/(?:wor[k]|roo[t])/|\.librar[y]\b|/tmp/b-[a-z]")
CONFLICT = re.compile(r"^(<{7}|>{7}) ")


def files_of(root):
    """(path, its name from the root) of each text file that is ours, in order."""
    for top in sorted(p for p in root.iterdir() if p.name in TOP_LEVEL - {".git", "dist"}):
        for path in [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file()):
            name = path.relative_to(root).as_posix()
            is_text = path.suffix in TEXT or (path.suffix == "" and name.split("/")[0] in SCRIPTS)
            if is_text and not FOREIGN.search(name):
                yield path, name


def check_line(line, is_code):
    if is_code and len(line) > COLUMNS_MAX:
        yield f"{len(line)} columns, at most {COLUMNS_MAX}"
    if "\t" in line:
        yield "a tab"
    if line != line.rstrip():
        yield "white space at its end"
    if UNFINISHED.search(line):
        yield "unfinished: finish it, or file an issue"
    if MACHINE_PATH.search(line):
        yield "names a path of one machine"
    if CONFLICT.search(line):
        yield "left over from a merge"


def check_file(name, text):
    lines = text.split("\n")
    suffix = pathlib.PurePosixPath(name).suffix
    is_code = suffix in CODE or suffix == ".toml" or name.split("/")[0] in SCRIPTS
    if lines[-1] != "":
        yield len(lines), "no newline at the end of the file"
    if is_code and len(lines) - 1 > LINES_MAX:
        yield LINES_MAX, f"{len(lines) - 1} lines, at most {LINES_MAX}: find the second idea in it"
    if suffix == ".h":
        if name.startswith("include/") and not lines[0].startswith("// "):
            yield 1, "a public header opens with what it is for"
        if "#pragma once" not in lines:
            yield 1, "no #pragma once"
    for number, line in enumerate(lines, 1):
        yield from ((number, what) for what in check_line(line, is_code))


def top_level_findings(root):
    for path in sorted(root.iterdir()):
        if path.name not in TOP_LEVEL and not path.name.startswith("build"):
            yield f"{path.name}:1: does not belong at the top level"


def findings(root):
    """Findings of the whole tree, as 'file:line: what'."""
    yield from top_level_findings(root)
    for path, name in files_of(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            yield f"{name}:1: is not UTF-8 at byte {error.start}"
            continue
        yield from (f"{name}:{line}: {what}" for line, what in check_file(name, text))


def long_files(root):
    for path, name in files_of(root):
        lines = path.read_bytes().count(b"\n")
        if path.suffix in CODE and lines > LINES_LONG:
            yield lines, name


def main(arguments):
    root = pathlib.Path(arguments[0])
    found = list(findings(root))
    for finding in found:
        print(finding)
    for lines, name in sorted(long_files(root), reverse=True):
        print(f"long: {name} has {lines} lines")
    checked = sum(1 for _ in files_of(root))
    print(f"{checked} files, {len(found)} findings")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
