"""Waiting for what a real process does, as all tests in Python do it: for a condition, with a bound
that says what was waited for; and processes that end with the test."""
import ctypes
import json
import signal
import time

PATIENCE_S = 60  # for anything awaited: a bound for a slow machine, not an expectation
LOG_LINES = 200
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def wait_for(what, condition, patience_s=PATIENCE_S, every_s=0.05):
    """The first true value of condition(), asked again and again; fails after `patience_s`."""
    until = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience_s} s in vain: {what}")
        time.sleep(every_s)


def wait_status(name, what, node, condition, patience_s=PATIENCE_S, every_s=0.05):
    """Waits until condition(node.status()) holds and gives back that status; a status of None says
    that the node does not answer now. A failure shows the last status and the end of node.log()."""
    last = None

    def look():
        nonlocal last
        last = node.status() or last
        return last is not None and condition(last)

    try:
        wait_for(f"{name}: {what}", look, patience_s, every_s)
    except AssertionError as error:
        raise AssertionError(f"{error}\nlast status: {json.dumps(last)}\nend of its log:\n"
                             + "\n".join(node.log().splitlines()[-LOG_LINES:])) from None
    return last


def die_with_parent():
    """For preexec_fn: the kernel ends the process when the one that started it has died."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
