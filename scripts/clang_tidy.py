"""Runs clang-tidy over sources, but not again over one that was clean and has not changed since.

usage: clang_tidy.py BUILD [SOURCE...]   without a source, all that BUILD compiles

clang-tidy takes ten seconds and more for a source, most of it for the system's headers. So each
source that is clean leaves a stamp in BUILD/clang-tidy, named by all that clang-tidy's answer
depends on: its version and settings, how the source is compiled, and every byte of the source and
of the headers it includes, the system's too. A pass that is interrupted goes on where it was.
BALLAST_JOBS says how many run side by side (one a CPU).
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commands_of(build):
    """How each source of ours is compiled: some are, with other switches, more than once."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if any(source.is_relative_to(ROOT / top) for top in ("src", "tests")):
            commands.setdefault(source, []).append(shlex.split(entry["command"]))
    return commands


def switches_of(command):
    """What of the g++ command says how the source is read, and not where the object goes."""
    kept = ("-I", "-D", "-isystem", "-std=", "-include")
    return [word for word in command if word.startswith(kept)]


def headers_of(build, source, command):
    """Every file that compiling `source` reads, itself first."""
    rule = subprocess.run(["clang++", *switches_of(command), "-M", "-MT", "it", str(source)],
                          cwd=build, check=True, capture_output=True, text=True).stdout
    return [build / name for name in rule.replace("\\\n", " ").split()[1:]]


@functools.lru_cache(maxsize=None)
def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stamp_of(build, source, commands, setting):
    """Where the stamp of this source, as it is now, is or will be."""
    seen = hashlib.sha256(setting)
    for command in commands:
        seen.update(repr(command).encode())
        for path in headers_of(build, source, command):
            seen.update(f"{path} {digest_of(path)}\n".encode())
    return build / "clang-tidy" / f"{source.name}-{seen.hexdigest()[:32]}"


def judge(build, source, commands, setting):
    """('known' | 'clean' | 'not clean', what clang-tidy said)"""
    try:
        stamp = stamp_of(build, source, commands, setting)
    except subprocess.CalledProcessError as error:
        return "not clean", error.stderr
    if stamp.exists():
        return "known", ""
    ran = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", str(source)],
                         check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        return "not clean", ran.stdout or ran.stderr
    stamp.touch()
    return "clean", ran.stdout


def main(arguments):
    build = pathlib.Path(arguments[0]).resolve()
    (build / "clang-tidy").mkdir(exist_ok=True)
    commands = commands_of(build)
    wanted = [pathlib.Path(name).resolve() for name in arguments[1:]] or sorted(commands)
    sources = [source for source in wanted if source in commands]
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    setting = version + (ROOT / ".clang-tidy").read_bytes()
    jobs = int(os.environ.get("BALLAST_JOBS") or len(os.sched_getaffinity(0)))
    counts = {"known": 0, "clean": 0, "not clean": 0}
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    judged = {pool.submit(judge, build, source, commands[source], setting): source
              for source in sources}
    try:
        for done in concurrent.futures.as_completed(judged):
            outcome, said = done.result()
            counts[outcome] += 1
            if outcome != "known":
                name = judged[done].relative_to(ROOT)
                print(f"[{sum(counts.values())}/{len(sources)}] {name}: {outcome}", flush=True)
                print(said, end="", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C the rest is not begun
    print(f"clang-tidy: {counts['clean']} clean, {counts['known']} clean before and not changed, "
          f"{counts['not clean']} not clean")
    return 1 if counts["not clean"] or not commands else 0


sys.exit(main(sys.argv[1:]))
