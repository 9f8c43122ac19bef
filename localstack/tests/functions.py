"""Deploys a small function whose bootstrap, a Python script, does what the event asks and notes what it was given."""

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.running import Emulator, create_role, wait_until

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


def deploy(emulator: Emulator, name: str, statements: list[dict] | None = None, timeout: int = 30,
           variables: dict[str, str] | None = None) -> None:
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=create_role(emulator, f"{name}-role", statements or []),
        Code={"ZipFile": package()},
        Timeout=timeout,
        Environment={"Variables": {"RECEIVED": str(received_file(emulator, name)), **(variables or {})}},
    )
    wait_until(lambda: functions.get_function(FunctionName=name)["Configuration"]["State"] == "Active", "the function is active")


def package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, f"#!{sys.executable}\n{BOOTSTRAP.read_text()}")
        archive.writestr("beside.txt", "a file beside the bootstrap")
    return content.getvalue()


def invoke(emulator: Emulator, name: str, event: dict) -> Any:
    response = emulator.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(response["Payload"].read())


def received_file(emulator: Emulator, name: str) -> Path:
    return emulator.folder / f"{name}.received"


def received(emulator: Emulator, name: str) -> list[dict]:
    """The records of queues and streams the function was given, in order."""
    file = received_file(emulator, name)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
