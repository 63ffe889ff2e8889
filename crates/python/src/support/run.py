"""Runs a script as `python SCRIPT ARGUMENTS` does, within limits, and writes down where it failed.

    run.py RECORD MEMORY SCRIPT [ARGUMENTS]

RECORD is a file for the account of a failure (JSON), MEMORY the most bytes of data the process may hold, 0 for no
limit. Standard input is a pipe that closes when whoever started this is gone; then all of the script's processes end.
"""

import builtins
import json
import os
import resource
import signal
import sys
import threading
import traceback
import types

LONGEST = 4000


def end_with_parent():
    """Ends the process group when the other end of standard input is closed; scripts read an empty one."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch():
        try:
            while os.read(pipe, 1):
                pass
        except OSError:
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="ends-with-parent").start()


def limit_memory(most):
    if most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def text_of(error):
    try:
        text = str(error)
    except Exception:
        text = ""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    return name, text[:LONGEST]


def place_of(frame):
    place = {"file": frame.filename, "line": frame.lineno, "function": frame.name}
    column, end = getattr(frame, "colno", None), getattr(frame, "end_colno", None)
    if column is not None:
        place["column"] = column
        if end is not None and frame.end_lineno == frame.lineno:
            place["end"] = end
    return place


def account_of(error, script):
    """What a reader needs of a failure: the error, the line of the script, the line that raised it, the cause."""
    name, text = text_of(error)
    account = {"error": name, "text": text}
    if isinstance(error, SyntaxError) and error.filename:
        account["at"] = {"file": error.filename, "line": error.lineno or 1, "column": (error.offset or 1) - 1}
        account["text"] = error.msg or text
    else:
        frames = traceback.extract_tb(error.__traceback__)
        folder = os.path.dirname(script) + os.sep
        own = [f for f in frames if f.filename == script]
        own = own or [f for f in frames if f.filename.startswith(folder) and "site-packages" not in f.filename]
        if own:
            account["at"] = place_of(own[-1])
        if frames and frames[-1].filename != script:
            account["raised"] = place_of(frames[-1])
    if isinstance(error, ModuleNotFoundError) and error.name:
        account["module"] = error.name
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        account["cause"] = ": ".join(part for part in text_of(cause) if part)
    return account


def write_down(path, account):
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(account, file)
        os.replace(path + ".new", path)
    except OSError:
        pass


def main():
    record, memory, script = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    end_with_parent()
    limit_memory(memory)
    sys.argv = sys.argv[3:]
    sys.path[0] = os.path.dirname(script)
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=builtins, __cached__=None)
    own = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec", dont_inherit=True)
        exec(code, module.__dict__)
        return 0
    except SystemExit as ending:
        code = ending.code
        if code is None or code == 0:
            return 0
        if isinstance(code, int):
            account = account_of(ending, script)
            account["exit"] = code
            write_down(record, account)
            return code & 0xFF or 1
        print(code, file=sys.stderr)
        account = account_of(ending, script)
        account["text"] = str(code)[:LONGEST]
        account["exit"] = 1
        write_down(record, account)
        return 1
    except BaseException as error:
        # The frames of this file say nothing to a reader.
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_globals is own.__dict__:
            trace = trace.tb_next
        error.__traceback__ = trace
        write_down(record, account_of(error, script))
        traceback.print_exception(type(error), error, trace)
        return 1
    finally:
        sys.stdout.flush()


sys.exit(main())
