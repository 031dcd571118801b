#!/usr/bin/env python3
"""How long a query waits at a rate that leaves room: Rota beside its peers.

  latency.py [--rota target/release/rota] [--rounds 5] [--secs 2] [--write]

First the fastest server's best rate is looked for; then every server gets 30 % and 70 % of it as an
open load: a question is sent when it is due, whatever became of the others, and its time counts from
then. Rota has a second row, in which a node's weight is set over the admin listener a hundred times
a second, and each time a new plan is put in force. One worker on one core, the generator on
another, loopback. What is needed: see peers.py.
"""

import http.client
import json
import statistics
import sys
import threading
import time

import compare
import peers

ROWS = {
    "rota": ("rota", "wtd"),
    "rota, 100 new plans a second": ("rota", "wtd"),
    "gdnsd": ("gdnsd", "wtd"),
    "knot": ("knot-geo", "wtd"),
    "nsd": ("nsd", "www"),
}
SHARES = (0.3, 0.7)
PLANS_A_SECOND = 100


class Changes(threading.Thread):
    """Gives a node one weight after the other, so many times a second."""

    def __init__(self, ip):
        super().__init__(daemon=True)
        self.ip, self.end, self.made, self.refusal = ip, threading.Event(), 0, None

    def run(self):
        client = http.client.HTTPConnection(self.ip, 9153)
        due = time.monotonic()
        while not self.end.is_set():
            weight = 10 + self.made % 2
            form = {"scopes": ["example.test/wtd/127-0-9-1"], "set": {"weight": weight}}
            headers = {"Content-Type": "application/json"}
            client.request("POST", "/api/v1/overrides", json.dumps(form), headers)
            response = client.getresponse()
            told = response.read()
            if response.status != 200:
                self.refusal = told.decode()
                return
            self.made += 1
            due += 1 / PLANS_A_SECOND
            time.sleep(max(0, due - time.monotonic()))


def main():
    args = peers.arguments(__doc__, 5, ("--secs", {"type": float, "default": 2}))
    files, known = compare.question_files(), compare.servers(args.rota)
    names = list(dict.fromkeys(server for server, _ in ROWS.values()))
    running = {}
    web = peers.web()
    try:
        for at, name in enumerate(names):
            ip, folder = f"127.0.0.{20 + at}", peers.WORK / name
            folder.mkdir(parents=True, exist_ok=True)
            running[name] = (peers.start(name, known[name](folder, ip)), ip)
        for name, (_, ip) in running.items():
            if not peers.wait_up(ip, "www.example.test"):
                sys.exit(f"{name} does not answer: see {peers.WORK / name / 'log'}")
        time.sleep(3)
        made = table(args, running, files)
    finally:
        for process, _ in running.values():
            peers.stop(process)
        peers.stop(web)
    print(made)
    if args.write:
        peers.write_into("latency", made)


def table(args, running, files):
    best = 0
    for _ in range(2):
        for server, questions in ROWS.values():
            told = compare.measure(*running[server], files[questions], 1, [])
            best = max(best, told["qps"])
    results = {}
    for _ in range(args.rounds):
        for share in SHARES:
            for row, (server, questions) in ROWS.items():
                process, ip = running[server]
                changes = Changes(ip) if "plans" in row else None
                if changes:
                    changes.start()
                options = ["-r", str(int(best * share)), "--idle", "spin"]
                told = compare.measure(process, ip, files[questions], args.secs, options)
                if changes:
                    changes.end.set()
                    changes.join()
                    if changes.refusal:
                        sys.exit(f"rota takes no weight: {changes.refusal}")
                    told["plans"] = changes.made / (args.secs + 0.3)
                results.setdefault((share, row), []).append(told)
                print(f"  {share} {row} {told['p99_us']} us at p99", file=sys.stderr)
    lines = [f"The best rate was {best:.0f} questions a second.", ""]
    lines += ["| load | server | p50 µs | p99 µs | p99.9 µs | lost |", "|---|---|---:|---:|---:|---:|"]
    for (share, row), told in results.items():
        p50, p99, p999 = (compare.median(told, key) for key in ("p50_us", "p99_us", "p999_us"))
        lost = sum(each["lost"] for each in told)
        lines.append(f"| {share:.0%} | {row} | {p50:.0f} | {p99:.0f} | {p999:.0f} | {lost} |")
    plans = [each["plans"] for told in results.values() for each in told if "plans" in each]
    lines += ["", f"New plans a second, in the row that has them: {statistics.median(plans):.0f}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
