"""Takes a port as soon as it is free, and holds it: ``python -m cluster.squatter ADDRESS PORT``."""

import socket
import sys
from typing import Final

from lab.waiting import pause

POLL_S: Final = 0.005  # quicker than who begins anew


def main(address: str, port: int) -> None:
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # whatever ended lately
        while True:
            try:
                own.bind((address, port))
                own.listen()
                break
            except OSError:
                pause(POLL_S)
        print("holding", flush=True)
        while True:
            own.accept()[0].close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
