"""Starts emulators of their own for the tests, each on a free port with a state folder of its own."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

EMULATOR = Path(__file__).parents[1] / "emulator.py"
REGION = "us-east-1"
SECONDS_TO_WAIT = 30
SECONDS_TO_STOP = 60
# Below those that systems give to outgoing connections: one of these could take the port of an emulator while it restarts.
PORTS = range(20_000, 32_000)


class Emulator:
    """A running emulator; used with `with`, it is ended and its folder removed at the end."""

    def __init__(self, off: str = "", **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="switchboard-emulator-"))
        self.state = self.folder / "state"
        self.logs = self.folder / "logs"
        self.proxies = self.folder / "proxies.json"
        self.port = free_port()
        self.off, self.environment = off, environment
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = self.launch()
        wait_until(self.answers, "the emulator answers")

    def launch(self) -> subprocess.Popen:
        environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY_PORT": str(self.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.state / "s3"),
            "SWITCHBOARD_LOG_DIR": str(self.logs),
            "SWITCHBOARD_PROXY_FILE": str(self.proxies),
            "SWITCHBOARD_MENDS_OFF": self.off,
            **self.environment,
        }
        with (self.folder / "emulator.log").open("ab") as log:
            return subprocess.Popen([sys.executable, str(EMULATOR)], stdin=subprocess.PIPE, stdout=log,
                                    stderr=subprocess.STDOUT, env=environment)

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the emulator ended with {self.process.returncode}:\n{self.log()}")
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5):
                return True
        except OSError:
            return False

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(SECONDS_TO_STOP)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdin.close()

    def restart(self) -> None:
        if self.stop() != 0:
            raise AssertionError(f"the stop was not clean:\n{self.log()}")
        self.process.stdin.close()
        self.start()

    def log(self) -> str:
        return (self.folder / "emulator.log").read_text()

    def client(self, service: str, key: str = "test", secret: str = "test", token: str | None = None) -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120, s3={"addressing_style": "path"}))


def run_inside(script: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs Python that calls the emulator's functions without starting it: the folder of the mends, then the arguments."""
    with tempfile.TemporaryDirectory(prefix="switchboard-emulator-") as state:
        return subprocess.run([sys.executable, "-c", script, str(EMULATOR.parent), *arguments], capture_output=True,
                              text=True, check=True, env={"PERSIST_STATE": "1", "STATE_DIR": state})


ports = iter(random.sample(PORTS, len(PORTS)))


def take_share_of_ports(share: int, shares: int) -> None:
    """From now on this process uses no port that one with another share uses."""
    global ports
    its_own = PORTS[share::shares]
    ports = iter(random.sample(its_own, len(its_own)))


def free_port() -> int:
    """A port nobody listens on. None is given twice, so that nothing of an earlier emulator is met on it."""
    for port in ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there are no more ports")


def wait_until(condition: Callable[[], Any], what: str, seconds: float = SECONDS_TO_WAIT) -> Any:
    """The first true answer of the condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain until {what}")


def create_table(emulator: Emulator, name: str, stream: bool = False) -> None:
    """A table with the shape of the project's core table: string keys and one index that projects two attributes."""
    attributes = ["PK", "SK", "GSI1PK", "GSI1SK"]
    emulator.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        KeySchema=key_schema("PK", "SK"),
        GlobalSecondaryIndexes=[{
            "IndexName": "GSI1",
            "KeySchema": key_schema("GSI1PK", "GSI1SK"),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name", "status"]},
        }],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"} if stream
        else {"StreamEnabled": False},
    )


def key_schema(partition: str, sort: str | None = None) -> list[dict]:
    schema = [{"AttributeName": partition, "KeyType": "HASH"}]
    return schema + [{"AttributeName": sort, "KeyType": "RANGE"}] if sort else schema


def stream_records(emulator: Emulator, table: str) -> list[dict]:
    """The table's stream from its beginning, each record as its event's name, old image and new image."""
    arn = emulator.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = emulator.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    beginning = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=beginning["ShardIterator"])["Records"]
    return [{"event": record["eventName"], "old": record["dynamodb"].get("OldImage"),
             "new": record["dynamodb"].get("NewImage")} for record in records]


def create_role(emulator: Emulator, name: str, statements: list[dict], trusted: dict | None = None) -> str:
    iam = emulator.client("iam")
    trust = {"Effect": "Allow", "Principal": trusted or {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="granted", PolicyDocument=policy(statements))
    return arn


def policy(statements: list[dict]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
