"""Every public header compiles on its own, twice included. usage: headers.py ROOT COMPILER...

Through ccache, where the compiler command has it, only headers that changed cost time.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def compile_alone(root, compiler, folder, header):
    """None, or what the compiler said."""
    name = header.relative_to(root / "include").as_posix()
    source = folder / (name.replace("/", "_") + ".cpp")
    source.write_text(f'#include "{name}"\n#include "{name}"\n', encoding="utf-8")
    command = [*compiler, *FLAGS, "-I", str(root / "include"), "-c", source.name]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return None if ran.returncode == 0 else f"{name}: does not compile alone\n{ran.stderr}"


def findings(root, compiler):
    headers = sorted((root / "include").rglob("*.h"))
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(
                lambda header: compile_alone(root, compiler, pathlib.Path(folder), header), headers)
            return len(headers), [result for result in results if result]


def main(arguments):
    checked, found = findings(pathlib.Path(arguments[0]).resolve(), arguments[1:])
    for finding in found:
        print(finding)
    print(f"{checked} headers, {len(found)} findings")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
