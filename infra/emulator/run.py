"""Runs the local AWS of the tests: one ministack, on a free port of the loopback interface.

Prints its endpoint once it answers. Runs until standard input is closed, so that it never outlives
whoever started it. With `--auth` it enforces IAM policies, by the keys of rows too (`leading_keys.py`).

By hand: `target/emulator/venv/bin/python infra/emulator/run.py target/emulator/by-hand`
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

STARTS_WITHIN = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(port, folder, auth, calls_to):
    """What it is told: nothing of the caller's own AWS, so that nothing can reach it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        # The functions that it runs inherit this, and so call it and not AWS.
        "AWS_ENDPOINT_URL": calls_to or f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1,localhost",
        "AUTH": "true" if auth else "false",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # These two listen on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "S3_DATA_DIR": os.path.join(folder, "s3"),
        "TMPDIR": folder,
    }


def answers(endpoint):
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"{endpoint}/_ministack/health", timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


def start(folder, auth, calls_to):
    """A ministack that answers, and its endpoint."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with open(f"{folder}.log", "w") as log:
        ministack = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "leading_keys.py")],
            env=environment(port, folder, auth, calls_to),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    until = time.monotonic() + STARTS_WITHIN
    while not answers(endpoint):
        if ministack.poll() is not None or time.monotonic() > until:
            ministack.kill()
            sys.exit(f"ministack does not start; see {folder}.log")
        time.sleep(0.05)
    return ministack, endpoint


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="for its files; removed at the end; a log stands beside it")
    parser.add_argument("--auth", action="store_true", help="enforce IAM policies")
    parser.add_argument("--calls-to", metavar="URL", help="whom functions call, instead of it")
    arguments = parser.parse_args()
    folder = os.path.abspath(arguments.folder)
    os.makedirs(folder, exist_ok=True)
    # Control-C is for the tests; they close our standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ministack, endpoint = start(folder, arguments.auth, arguments.calls_to)
    print(endpoint, flush=True)

    def end_when_nobody_listens():
        sys.stdin.read()
        ministack.terminate()
        try:
            ministack.wait(5)
        except subprocess.TimeoutExpired:
            ministack.kill()

    threading.Thread(target=end_when_nobody_listens, daemon=True).start()
    ministack.wait()
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.getsize(f"{folder}.log") == 0:
        os.remove(f"{folder}.log")


if __name__ == "__main__":
    main()
