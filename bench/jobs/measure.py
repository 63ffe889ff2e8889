"""Runs one command and reports it as JSON: `measure.py TIMEOUT COMMAND…` -> {"seconds", "cpu", "mb", "code", "error"}.

A process of its own, because a child's peak memory begins at that of the process that starts it: this one is small.
It is the parent of whatever the command leaves behind (Spark's JVM, for one), so that nothing escapes the account."""

import ctypes
import json
import os
import signal
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


def main():
    limit, command = float(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    said = tempfile.TemporaryFile()
    begun = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, file_actions=[
        (os.POSIX_SPAWN_DUP2, said.fileno(), 1), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)])

    def too_long(_signal, _frame):
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit)
    seconds, code, cpu, peak = None, None, 0.0, 0
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        except KeyboardInterrupt:
            os.killpg(child, signal.SIGKILL)
            raise
        if pid == child:
            seconds, code = time.perf_counter() - begun, os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        # What the command left behind ran beside it.
        peak += usage.ru_maxrss
    said.seek(0)
    error = said.read().decode(errors="replace").strip()[-2000:] if code else None
    if code == -signal.SIGKILL and seconds >= limit:
        error = f"was stopped after {limit:g} s"
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mb": peak / 1024, "code": code, "error": error}))


main()
