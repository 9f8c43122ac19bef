"""Starts MiniStack, the local AWS, with the mends this project needs, and stops it without losing or leaving anything.

Configured by environment; README.md beside this file lists the variables. Exit status: 0 after a clean stop, 1 when state
could not be read or saved, 2 when it refuses to start.
"""

import asyncio
import importlib.metadata
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from processes import Reaper
from state import State, StateFailures, StateInUse

MINISTACK_VERSION = "1.5.33"

# What the emulator may take over from the AWS settings of the shell it was started in. Any other (a profile, an endpoint
# of one service, a session token) would reach the functions, which inherit this environment.
KEPT_AWS_SETTINGS = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@dataclass(frozen=True)
class Settings:
    """Where the emulator listens and keeps its state."""

    host: str
    port: int
    state: Path
    parent_pipe: bool
    mends_off: frozenset[str]

    @staticmethod
    def from_environment() -> "Settings":
        if not os.environ.get("STATE_DIR"):
            refuse("STATE_DIR must name a folder for the emulator's files")
        return Settings(
            host=os.environ.get("BIND_HOST", "127.0.0.1"),
            port=int(os.environ.get("GATEWAY_PORT", "4566")),
            state=Path(os.environ["STATE_DIR"]),
            parent_pipe=os.environ.get("SWITCHBOARD_PARENT_PIPE") == "1",
            mends_off=frozenset(filter(None, os.environ.get("SWITCHBOARD_MENDS_OFF", "").split(","))),
        )


def refuse(reason: str) -> NoReturn:
    print(f"emulator: {reason}", file=sys.stderr)
    raise SystemExit(2)


def refuse_other_versions(installed: str) -> None:
    """The mends reach into MiniStack's internals, so each was read and tested against exactly one version."""
    if installed != MINISTACK_VERSION:
        refuse(f"the mends are written for MiniStack {MINISTACK_VERSION} and {installed} is installed; "
               "install localstack/requirements.txt")


def refuse_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            refuse(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}")


def prepare_environment(settings: Settings) -> None:
    """MiniStack reads its settings when it is imported, and functions inherit them."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name not in KEPT_AWS_SETTINGS]:
        del os.environ[name]
    os.environ["BIND_HOST"] = settings.host
    os.environ["GATEWAY_PORT"] = str(settings.port)
    os.environ.setdefault("AWS_ENDPOINT_URL", f"http://127.0.0.1:{settings.port}")
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        os.environ.setdefault("MINISTACK_REGION", region)
    # MiniStack would also listen on fixed ports for MQTT and SFTP, so a second emulator beside the first would fail.
    os.environ.setdefault("IOT_MTLS_ENABLED", "0")
    os.environ.setdefault("SFTP_ENABLED", "0")


def stop_when_parent_is_gone(stop: Callable[[], object]) -> None:
    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True, name="parent-pipe").start()


async def serve(settings: Settings) -> None:
    from hypercorn.asyncio import serve as serve_http
    from hypercorn.config import Config
    from invocations import Invocations
    from ministack.app import app

    invocations = Invocations()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_number, stopping.set)
    if settings.parent_pipe:
        stop_when_parent_is_gone(lambda: loop.call_soon_threadsafe(stopping.set))

    async def run_until_quiet() -> None:
        invocations.open()
        await stopping.wait()
        await asyncio.to_thread(invocations.close)
        # Otherwise MiniStack loads its SFTP service, for a second, only to stop it.
        sys.modules.setdefault("ministack.services.transfer", None)

    config = Config()
    config.bind = [f"{settings.host}:{settings.port}"]
    config.loglevel = os.environ.get("LOG_LEVEL", "INFO")
    config.graceful_timeout = 1.0
    config.shutdown_timeout = 600.0
    await serve_http(app, config, shutdown_trigger=run_until_quiet)


def main() -> None:
    refuse_other_versions(importlib.metadata.version("ministack"))
    settings = Settings.from_environment()
    refuse_taken_port(settings)
    try:
        state = State(settings.state)
    except StateInUse as in_use:
        refuse(str(in_use))
    state.begin()
    prepare_environment(settings)
    reaper = Reaper()
    reaper.adopt_new_processes()

    import mends

    try:
        mends.apply(settings.mends_off)
    except mends.UnknownMend as unknown:
        refuse(str(unknown))
    failures = StateFailures()
    failures.stop_on_unreadable_state()
    asyncio.run(serve(settings))
    reaper.end_all()
    if failures.messages:
        failures.report("some state was not saved")
    else:
        state.end_cleanly()
    # Threads of the emulator that never end by themselves must not hold up a stop that is complete.
    os._exit(1 if failures.messages else 0)


if __name__ == "__main__":
    main()
