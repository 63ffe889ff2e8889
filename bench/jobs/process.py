"""A whole process as `measure.py` accounts for it."""

import json
import os
import subprocess
import sys
from pathlib import Path


def measured(command, limit, environment=None):
    """What measure.py says of a whole process."""
    arguments = [sys.executable, "-S", Path(__file__).with_name("measure.py"), str(limit), *command]
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=True, env={**os.environ, **(environment or {})})
    return json.loads(done.stdout)
