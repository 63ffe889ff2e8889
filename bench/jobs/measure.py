"""Runs one command and reports it as JSON: `measure.py TIMEOUT COMMAND…` -> {"seconds", "cpu", "mb", "code", "error", "why"}.

`why` says in a few words why it was no use: it took too long, or too much memory. A process of its own, because a
child's peak memory begins at that of the process that starts it: this one is small. It is the parent of whatever the
command leaves behind (Spark's JVM, for one), so that nothing escapes the account."""

import ctypes
import json
import os
import re
import signal
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
# How the engines and their languages say that there was no memory left.
NO_MEMORY = re.compile(r"OutOfMemory|MemoryError|out of memory|memory allocation of \d+ bytes failed|resources exhausted"
                       r"|needs more memory|cannot allocate memory|bad_alloc|malloc of size", re.IGNORECASE)


def main():
    limit, command = float(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Where all memory is taken the system is to end what is measured and nothing else.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    said = tempfile.TemporaryFile()
    begun = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, file_actions=[
        (os.POSIX_SPAWN_DUP2, said.fileno(), 1), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)])
    too_late = False

    def too_long(_signal, _frame):
        nonlocal too_late
        too_late = True
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
    error = why = None
    if code:
        text = said.read().decode(errors="replace").strip()
        error = text[-2000:] or f"exit code {code}"
        if too_late:
            error = why = f"ended after {limit:g} s"
        elif code == -signal.SIGKILL or NO_MEMORY.search(text):
            why = "out of memory"
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mb": peak / 1024, "code": code, "error": error, "why": why}))


main()
