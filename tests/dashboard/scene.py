"""A small world on loopback for the dashboard: nodes that can be broken, a server, and clients.

Everything listens on 127.0.0.0/8 at ports that are spare, and ends with the scene.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

PATIENCE_S = 60.0
TOKEN = "0123456789abcdef0123456789abcdef"


def wait_for(what, find, patience_s=PATIENCE_S):
    """Asks until there is something, which it gives; says what there was not in time."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not in time: {what}")


class Node:
    """`rota node`: an HTTP server that can be told how to feel."""

    def __init__(self, binary, ip, port, name):
        self.base = f"http://{ip}:{port}"
        command = [binary, "node", "--listen", f"{ip}:{port}", "--name", name]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for(f"node {name}", self.answers)

    def answers(self):
        assert self.process.poll() is None, "the node has ended"
        try:
            with urllib.request.urlopen(self.base + "/", timeout=5):
                return True
        except OSError:
            return False

    def feel(self, mood):
        request = urllib.request.Request(f"{self.base}/{mood}", method="POST")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def kill(self):
        self.process.kill()
        self.process.wait()


RESOLVERS = 120


class Clients:
    """Resolvers at addresses of their own that ask on and on, and count nothing: the server does."""

    def __init__(self, server, names, per_second):
        self.server, self.names, self.pause = server, names, 1.0 / per_second
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        choice = random.Random(7)
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(RESOLVERS)]
        for number, one in enumerate(sockets):
            one.bind((f"127.0.45.{number + 1}", 0))
        while not self.stopped.wait(self.pause):
            name = choice.choices([name for name, _ in self.names], [n for _, n in self.names])[0]
            labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
            query = struct.pack(">6H", choice.randrange(65536), 0x0100, 1, 0, 0, 0)
            choice.choice(sockets).sendto(query + labels + b"\0\0\1\0\1", self.server)

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Scene:
    """A server in a folder of its own, on these files."""

    def __init__(self, binary, files):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rota-dashboard-"))
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.nodes, self.clients, self.process, self.log = {}, None, None, None

    def start_node(self, name, ip, port):
        self.nodes[name] = Node(self.binary, ip, port, name)

    def start(self):
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        command = [self.binary, "run", "--log", "json", "--seed", "7"]
        self.process = subprocess.Popen(command, cwd=self.folder, stderr=self.log)
        dns = wait_for("DNS", lambda: self.listening("dns"))
        self.admin = wait_for("the admin listener", lambda: self.listening("admin"))
        ip, port = dns.rsplit(":", 1)
        self.dns = (ip, int(port))
        self.url = f"http://{self.admin}"

    def listening(self, what):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        for line in (self.folder / "log").read_text().splitlines():
            if line.startswith("{") and what in json.loads(line):
                return json.loads(line)[what]
        return None

    def get(self, path, headers=None):
        request = urllib.request.Request(self.url + path, headers=headers or {})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def status(self):
        return json.loads(self.get("/api/v1/status"))

    def tell(self, *words):
        environment = {**os.environ, "USER": "ada"}
        command = [self.binary, *words]
        subprocess.run(command, cwd=self.folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    def ask(self, names, per_second):
        self.clients = Clients(self.dns, names, per_second)

    def stop_server(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.clients:
            self.clients.stop()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for node in self.nodes.values():
            node.kill()
        if self.log:
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def spare_port(ips):
    """A port that is free on all of these addresses."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind((ips[0], 0))
            port = first.getsockname()[1]
        try:
            for ip in ips:
                with socket.socket() as one:
                    one.bind((ip, port))
            return port
        except OSError:
            continue
    raise AssertionError(f"no port is spare on all of {ips}")


def binary():
    """The built binary."""
    root = pathlib.Path(__file__).resolve().parents[2]
    return os.environ.get("ROTA_BINARY", str(root / "target/debug/rota"))
