"""Counts the outcomes in meson's test logs (one JSON object a line) and prints the closing line.

Fails when a test failed, or when none ran. What did not end well (timeout, error, interrupted,
passed although a failure was expected) counts as failed. Names the tests that took more than a
third of their time limit: on a machine three times slower they would run out of it.

usage: count_tests.py LOG...   each as meson writes it: BUILD/meson-logs/testlog.json
"""
import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SHARE = 1 / 3  # of its time limit, at most, for one test


def results_of(log):
    try:
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    except FileNotFoundError:
        return []


def limits_of(log):
    """{test: its time limit in seconds, 0 or less for none}, of the build folder of the log."""
    tests = log.parent.parent / "meson-info" / "intro-tests.json"
    try:
        return {test["name"]: test["timeout"]
                for test in json.loads(tests.read_text(encoding="utf-8"))}
    except (FileNotFoundError, ValueError, KeyError):
        return {}


def near_limit(results, limits):
    """Tests above their share, as lines."""
    for result in results:
        limit = limits.get(result["name"].split(" / ")[-1], 0)
        if limit > 0 and result["duration"] > SHARE * limit:
            yield (f"slow: {result['name']} took {result['duration']:.0f} s, more than a third of "
                   f"its {limit} s")


def main(paths):
    passed = failed = skipped = 0
    for log in map(pathlib.Path, paths):
        results = results_of(log)
        for line in near_limit(results, limits_of(log)):
            print(line)
        for result in (one["result"] for one in results):
            passed += result in PASSED
            skipped += result == "SKIP"
            failed += result not in PASSED and result != "SKIP"
    if passed + failed == 0:
        print("error: no test ran", file=sys.stderr)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
