"""Changes one object of an API server, and tells when: kubectl needs a tenth of a second before it asks.

    python -m lab.tools.marking http://192.0.2.2:6443 /api/v1/nodes/node1 '{"metadata": …}'

The body is a merge patch (RFC 7396). Writes one line, a ``Marked``.
"""

import argparse
import http.client
import sys
import time
from urllib.parse import urlsplit

import msgspec

from lab.observations import Marked

ANSWER_WITHIN_S = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", help="URL of the API server, plain HTTP")
    parser.add_argument("path")
    parser.add_argument("body")
    given = parser.parse_args()
    server = urlsplit(given.server)
    connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=ANSWER_WITHIN_S)
    connection.connect()
    sent_at = time.monotonic()
    connection.request("PATCH", given.path, given.body, {"Content-Type": "application/merge-patch+json"})
    response = connection.getresponse()
    told = Marked(sent_at=sent_at, answered_at=time.monotonic())
    print(msgspec.json.encode(told).decode(), flush=True)
    return 0 if response.status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
