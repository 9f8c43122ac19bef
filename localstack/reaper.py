"""A small process that ends every process of its own group once the emulator is gone, however the emulator died.

The emulator holds the other end of this process's standard input and puts every process it starts into this process's
group. The kernel closes the pipe when the emulator dies, `kill -9` included, so nothing has to look for its death.
"""

import os
import signal
import sys


def main() -> None:
    if os.getpgrp() != os.getpid():
        sys.exit("reaper.py is started by emulator.py, as the leader of a process group of its own")
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
