"""Handing a function's invocations to another server and back, without a restart."""

import json
import threading
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.functions import deploy, invoke, received
from tests.running import Emulator, wait_until


class Server:
    """Stands in for `cargo lambda watch`: remembers the events and answers all of them with the same status and body."""

    def __init__(self, status: int = 200, body: object = None) -> None:
        self.events: list[dict] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = json.dumps(body if body is not None else {"from": "the other server"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/2015-03-31/functions/watched/invocations"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class FunctionProxies(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        may_read = [{"Effect": "Allow", "Resource": "*",
                     "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]}]
        deploy(self.emulator, "watched", may_read, variables={"CORE_TABLE": "core"})

    def hand_over_to(self, server: Server) -> None:
        self.emulator.proxies.write_text(json.dumps({"watched": server.url}))

    def test_invocations_follow_the_file_while_the_emulator_runs(self) -> None:
        with Server() as server:
            self.assertEqual(invoke(self.emulator, "watched", {"number": 1}), {"number": 1})
            self.hand_over_to(server)
            self.assertEqual(invoke(self.emulator, "watched", {"number": 2}), {"from": "the other server"})
            self.emulator.proxies.unlink()
            self.assertEqual(invoke(self.emulator, "watched", {"number": 3}), {"number": 3})
            self.assertEqual(server.events, [{"number": 2}])

    def test_queues_feed_the_other_server(self) -> None:
        queue, _ = self.queue_feeding_the_function()
        with Server(body={"batchItemFailures": []}) as server:
            self.hand_over_to(server)
            self.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
            wait_until(lambda: server.events, "the message has reached the server")
            self.assertEqual(server.events[0]["Records"][0]["body"], "{}")
        self.assertEqual(received(self.emulator, "watched"), [])

    def test_messages_stay_in_the_queue_when_the_watched_function_fails_while_it_starts(self) -> None:
        queue, attributes = self.queue_feeding_the_function()
        with Server(body={"errorType": "panic", "errorMessage": "no table"}) as server:
            self.hand_over_to(server)
            self.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
            wait_until(lambda: server.events, "the message has reached the server")
            wait_until(lambda: "FAILED" in self.emulator.client("lambda").list_event_source_mappings(
                FunctionName="watched")["EventSourceMappings"][0]["LastProcessingResult"], "the batch has failed")
            self.assertEqual(attributes()["ApproximateNumberOfMessagesNotVisible"], "1")

    def queue_feeding_the_function(self):
        sqs = self.emulator.client("sqs")
        queue = sqs.create_queue(QueueName="work")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["QueueArn"]
        self.emulator.client("lambda").create_event_source_mapping(
            FunctionName="watched", EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"])
        return queue, lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    def test_the_environment_a_watched_process_needs_can_be_asked_for(self) -> None:
        with urllib.request.urlopen(f"{self.emulator.url}/_switchboard/functions/watched/environment") as response:
            environment = json.load(response)
        self.assertEqual(environment["CORE_TABLE"], "core")
        self.assertEqual(environment["AWS_ENDPOINT_URL"], self.emulator.url)
        caller = self.emulator.client("sts", environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"],
                                      environment["AWS_SESSION_TOKEN"]).get_caller_identity()
        self.assertIn("assumed-role/watched-role/", caller["Arn"])
        with self.assertRaises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{self.emulator.url}/_switchboard/functions/absent/environment")
        self.assertEqual(missing.exception.code, 404)
        missing.exception.close()


class WithoutTheMend(unittest.TestCase):
    def test_the_file_is_not_read(self) -> None:
        with Emulator(off="function_proxies", AUTH="true") as emulator, Server() as server:
            deploy(emulator, "watched")
            emulator.proxies.write_text(json.dumps({"watched": server.url}))
            self.assertEqual(invoke(emulator, "watched", {"number": 1}), {"number": 1})
