"""One PATCH of an object at the embedded API server, told with the moment before it was sent.

python -m lab.tools.patch http://192.0.2.2:6443 /api/v1/…/status '{"status": …}'
"""

import http.client
import sys
import time
from urllib.parse import urlsplit


def main() -> int:
    server, path, body = sys.argv[1:]
    url = urlsplit(server)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    connection.connect()
    at = time.monotonic()
    connection.request("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})
    response = connection.getresponse()
    said = response.read()
    print(at)
    if response.status != http.client.OK:
        print(said.decode(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
