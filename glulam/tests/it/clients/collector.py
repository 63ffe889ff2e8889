"""A collector of OpenTelemetry: reads what is sent to it strictly, with OpenTelemetry's own messages, and prints a line of
JSON for each request. Options: --fail N (so many requests of each path are answered 503 first), --reject (all is answered as
not taken), --tls CERTIFICATE KEY."""

import argparse
import base64
import gzip
import http.server
import json
import ssl
import threading

from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_service

SERVED = {
    "/v1/traces": (trace_service.ExportTraceServiceRequest, trace_service.ExportTraceServiceResponse),
    "/v1/metrics": (metrics_service.ExportMetricsServiceRequest, metrics_service.ExportMetricsServiceResponse),
}
IDS = ("traceId", "spanId", "parentSpanId")

parser = argparse.ArgumentParser()
parser.add_argument("--fail", type=int, default=0)
parser.add_argument("--reject", action="store_true")
parser.add_argument("--tls", nargs=2)
options = parser.parse_args()
left = {path: options.fail for path in SERVED}
lock = threading.Lock()


def known(message):
    """Refuses fields that the messages do not have."""
    assert len(UnknownFieldSet(message)) == 0, f"unknown fields in {message}"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                known(one)


def with_bytes(value):
    """Ids are hexadecimal digits in OTLP's JSON, not base 64 as elsewhere."""
    if isinstance(value, dict):
        return {
            name: base64.b64encode(bytes.fromhex(inner)).decode() if name in IDS else with_bytes(inner)
            for name, inner in value.items()
        }
    return [with_bytes(inner) for inner in value] if isinstance(value, list) else value


def attributes(pairs):
    told = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
    assert len(told) == len(pairs), f"a name twice in {pairs}"
    return told


def span(one):
    assert len(one.trace_id) == 16 and any(one.trace_id) and len(one.span_id) == 8 and any(one.span_id)
    assert len(one.parent_span_id) in (0, 8) and one.name and 0 < one.start_time_unix_nano <= one.end_time_unix_nano
    return {
        "trace": one.trace_id.hex(),
        "id": one.span_id.hex(),
        "parent": one.parent_span_id.hex(),
        "name": one.name,
        "kind": one.kind,
        "millis": (one.end_time_unix_nano - one.start_time_unix_nano) / 1e6,
        "attributes": attributes(one.attributes),
        "events": [{"name": event.name, **attributes(event.attributes)} for event in one.events],
        "status": one.status.code,
        "message": one.status.message,
    }


def point(one):
    assert one.time_unix_nano >= one.start_time_unix_nano >= 0 and one.time_unix_nano > 0
    told = {"attributes": attributes(one.attributes), "start": one.start_time_unix_nano}
    if hasattr(one, "bucket_counts"):
        assert len(one.bucket_counts) == len(one.explicit_bounds) + 1 and sum(one.bucket_counts) == one.count
        return {**told, "count": one.count, "sum": one.sum}
    return {**told, "value": getattr(one, one.WhichOneof("value"))}


def metric(one):
    kind = one.WhichOneof("data")
    data = getattr(one, kind)
    if kind != "gauge":
        assert data.aggregation_temporality == 2
    assert kind != "sum" or data.is_monotonic
    assert data.data_points and one.description
    return {"name": one.name, "unit": one.unit, "kind": kind, "points": [point(p) for p in data.data_points]}


def told(path, message):
    spans, metrics, resources = [], [], []
    for resource in message.resource_spans if path.endswith("traces") else message.resource_metrics:
        resources.append(attributes(resource.resource.attributes))
        if path.endswith("traces"):
            spans += [span(one) for scope in resource.scope_spans for one in scope.spans]
        else:
            metrics += [metric(one) for scope in resource.scope_metrics for one in scope.metrics]
    return {"spans": spans, "metrics": metrics, "resources": resources}


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            self.answer(body)
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
            self.reply(400, b"", "text/plain")

    def answer(self, body):
        asked, answered = SERVED[self.path]
        with lock:
            fails = left[self.path] > 0
            left[self.path] -= fails
        if fails:
            return self.reply(503, b"not yet", "text/plain", {"retry-after": "0"})
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["content-type"]
        message = asked()
        if kind == "application/x-protobuf":
            message.ParseFromString(body)
            known(message)
        else:
            assert kind == "application/json", kind
            json_format.ParseDict(with_bytes(json.loads(body)), message)
        answer = answered()
        if options.reject and self.path == "/v1/traces":
            answer.partial_success.rejected_spans = 1
            answer.partial_success.error_message = "too old"
        is_json = kind == "application/json"
        sent = json_format.MessageToJson(answer).encode() if is_json else answer.SerializeToString()
        shown = {"kind": kind, "headers": dict(self.headers), **told(self.path, message)}
        self.reply(200, sent, kind)
        say(shown)

    def reply(self, status, body, kind, headers={}):
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def say(value):
    with lock:
        print(json.dumps(value), flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
scheme = "http"
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https"
print(f"listens at {scheme}://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
