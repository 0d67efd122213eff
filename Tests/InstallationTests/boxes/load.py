"""Posts tasks on four connections until a file appears; writes down the Taskq-Sequence of every 201.

A connection that the server ends is opened anew, a 503 is asked again; a refused connection is counted.
"""

import http.client
import os
import sys
import threading
import time
from urllib.parse import urlsplit

url, stop, output = urlsplit(sys.argv[1]), sys.argv[2], sys.argv[3]
lock, sequences, counts = threading.Lock(), [], {"posts": 0, "503": 0, "ended": 0, "refused": 0}
BODY = b'{"title":"load","description":"d","priority":"low"}'


def count(name):
    with lock:
        counts[name] += 1


def run():
    connection = None
    while not os.path.exists(stop):
        try:
            connection = connection or http.client.HTTPConnection(url.hostname, url.port, timeout=30)
            connection.request("POST", url.path, BODY, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            count("posts")
            if response.status == 201:
                with lock:
                    sequences.append(int(response.headers["Taskq-Sequence"]))
                time.sleep(0.01)
            elif response.status == 503:
                count("503")
                time.sleep(0.05)
            else:
                raise SystemExit(f"unexpected {response.status}")
        except ConnectionRefusedError:
            connection = None
            count("refused")
            time.sleep(0.05)
        except (http.client.HTTPException, OSError):
            connection = None
            count("ended")


threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(output, "w", encoding="utf-8") as file:
    file.writelines(f"{sequence}\n" for sequence in sequences)
with open(output + ".summary", "w", encoding="utf-8") as file:
    file.write(" ".join(f"{name} {value}" for name, value in counts.items()) + "\n")
