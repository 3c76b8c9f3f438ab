"""Counts the outcomes in meson's test logs (one JSON object a line) and prints the closing line.

Fails when a test failed, or when none ran. What did not end well (timeout, error, interrupted,
passed although a failure was expected) counts as failed.
"""
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def main(paths):
    passed = failed = skipped = 0
    for path in paths:
        try:
            with open(path, encoding="utf-8") as log:
                results = [json.loads(line)["result"] for line in log if line.strip()]
        except FileNotFoundError:
            results = []
        for result in results:
            passed += result in PASSED
            skipped += result == "SKIP"
            failed += result not in PASSED and result != "SKIP"
    if passed + failed == 0:
        print("error: no test ran", file=sys.stderr)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


sys.exit(main(sys.argv[1:]))
