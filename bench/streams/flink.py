"""Flink SQL in a JVM of its own: `flink.py HOME SCRIPT.sql`. HOME holds apache-flink-libraries and py4j.

Flink's own SQL client is not among PyPI's packages; the statements go to its table environment by py4j, whose server is
part of Flink's jar for Python."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

home, script = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
sys.path.insert(0, str(home))

from py4j.java_gateway import GatewayParameters, JavaGateway  # noqa: E402  (its place is only known now)

OPENED = ("lang", "util", "nio", "time", "net", "io", "util.concurrent")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


port = free_port()
jars = [*(home / "pyflink/lib").glob("*.jar"), *(home / "pyflink/opt").glob("flink-python*.jar")]
jvm = subprocess.Popen(
    ["java", *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENED), "-cp", ":".join(map(str, jars)),
     "org.apache.flink.api.python.shaded.py4j.GatewayServer", str(port)],
    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
while not answers(port):
    if jvm.poll() is not None:
        sys.exit(f"the JVM ended with {jvm.returncode}")
    time.sleep(0.02)
api = JavaGateway(gateway_parameters=GatewayParameters(port=port)).jvm.org.apache.flink.table.api
tables = api.TableEnvironment.create(api.EnvironmentSettings.newInstance().inStreamingMode().build())
for statement in filter(None, map(str.strip, script.read_text().split(";"))):
    if statement.startswith("SET "):
        key, value = (part.strip().strip("'") for part in statement[4:].split("="))
        tables.getConfig().set(key, value)
        continue
    result = tables.executeSql(statement)
    if statement.startswith("INSERT "):
        getattr(result, "await")()
jvm.terminate()
jvm.wait()
# Not by the ordinary end: py4j would say goodbye to the JVM object by object.
os._exit(0)
