#!/usr/bin/env python3
"""What many health checks cost: Rota beside gdnsd, in rounds that take turns.

  checks.py [--nodes 10000] [--interval 10] [--rounds 2] [--rota target/release/rota]

Each round starts one of them afresh with a service for every four nodes, waits until it answers, and
then counts for three intervals: CPU time a probe (of which user space), memory, and of Rota how late
probes start: the bucket of its histogram that holds the slowest of a hundred. All nodes are one
small HTTP server on another core, which closes every connection. Everything is on loopback, at high
ports. Needs gdnsd (Debian's package).
"""

import argparse
import math
import os
import pathlib
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
DNS_ADDRESS, DNS_PORT, ADMIN, HTTP = "127.0.0.61", 5391, "127.0.0.61:9391", 8391


def addresses(count):
    """As many loopback addresses, none of them 127.0.0.x."""
    return [f"127.{1 + i // 62500}.{i % 62500 // 250}.{1 + i % 250}" for i in range(count)]


def in_fours(nodes):
    return [(f"p{i // 4}", nodes[i : i + 4]) for i in range(0, len(nodes), 4)]


def rota(folder, nodes, args):
    (folder / "zones").mkdir(parents=True)
    check = f'check = {{ http = ":{HTTP}/ready", every = "{args.interval}s", timeout = "3s" }}\n'
    quoted = lambda four: ", ".join(f'"{address}"' for address in four)
    services = "".join(
        f'[service.{name}]\npolicy = "weighted"\n{check}nodes = [{quoted(four)}]\n'
        for name, four in in_fours(nodes)
    )
    zone = f'[zone]\nns = ["ns1 {DNS_ADDRESS}"]\n{services}'
    (folder / "zones" / "example.test.toml").write_text(zone)
    listen = f'[listen]\ndns = ["{DNS_ADDRESS}:{DNS_PORT}"]\nadmin = "{ADMIN}"\nworkers = 1\n'
    (folder / "rota.toml").write_text(f'zones = "zones"\nstate = "state"\n{listen}')
    return [args.rota, "-c", str(folder / "rota.toml"), "run"]


def gdnsd(folder, nodes, args):
    for name in ("run", "state", "zones"):
        (folder / name).mkdir(parents=True)
    four = lambda four: " ".join(f"a{k} => [ {address}, 10 ]" for k, address in enumerate(four))
    pools = "".join(f"{name} => {{ {four(them)} }}\n" for name, them in in_fours(nodes))
    head = "$TTL 60\n@ SOA ns1 host 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"
    names = "".join(f"{name} DYNA weighted!{name}\n" for name, _ in in_fours(nodes))
    (folder / "zones" / "example.test").write_text(head + names)
    (folder / "config").write_text(
        f"options => {{ listen => {DNS_ADDRESS}, dns_port => {DNS_PORT}, udp_threads => 1, "
        f"run_dir => {folder}/run, state_dir => {folder}/state }}\n"
        f"service_types => {{ web => {{ plugin => http_status, port => {HTTP}, "
        f"url_path => /ready, interval => {args.interval}, timeout => 3 }} }}\n"
        f"plugins => {{ weighted => {{ service_types => web, multi => true\n{pools} }} }}\n"
    )
    return ["gdnsd", "-c", str(folder), "start"]


def answers(name):
    """Whether an A query for the name gets at least one record."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.05)
        try:
            client.sendto(query, (DNS_ADDRESS, DNS_PORT))
            return struct.unpack(">6H", client.recv(4096)[:12])[3] > 0
        except OSError:
            return False


def cpu(pid):
    """Seconds of user space and of the kernel."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def delays():
    """How many probes of Rota's started at most so many seconds late, by bound; gdnsd does not say."""
    try:
        with urllib.request.urlopen(f"http://{ADMIN}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return {}
    mark = 'rota_check_start_delay_seconds_bucket{le="'
    rows = (line.removeprefix(mark).split('"} ') for line in lines if line.startswith(mark))
    return {float(bound): float(count) for bound, count in rows}


def slowest_of_a_hundred(before, after):
    """The bound in ms below which 99 of 100 probes between two looks started late."""
    counts = {bound: count - before[bound] for bound, count in after.items()}
    held = (bound for bound, count in sorted(counts.items()) if count >= 0.99 * max(counts.values()))
    return 1e3 * next(held) if counts else math.nan


def measure(command, folder, args):
    """One life: seconds to the first answer, µs a probe (all, user), MB, ms late at p99."""
    with open(folder / "log", "w") as log:
        begin = time.monotonic()
        server = subprocess.Popen(["taskset", "-c", "0", *command], stdout=log, stderr=log)
    try:
        while not answers("p0.example.test"):
            if server.poll() is not None or time.monotonic() - begin > 60:
                sys.exit(f"{command[0]} does not answer:\n{(folder / 'log').read_text()[-2000:]}")
        up = time.monotonic() - begin
        time.sleep(args.interval)
        early_delays = delays()
        before, start = cpu(server.pid), time.monotonic()
        time.sleep(3 * args.interval)
        after, end = cpu(server.pid), time.monotonic()
        late_ms = slowest_of_a_hundred(early_delays, delays())
        probes = (end - start) / args.interval * args.nodes
        user, kernel = (1e6 * (late - early) / probes for late, early in zip(after, before))
        return up, user + kernel, user, megabytes(server.pid), late_ms
    finally:
        server.terminate()
        server.wait(20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rota", default="target/release/rota")
    args = parser.parse_args()
    if not shutil.which("gdnsd"):
        sys.exit("gdnsd is not here: apt-get install gdnsd")
    nodes, found = addresses(args.nodes), {"gdnsd": [], "rota": []}
    node = subprocess.Popen(
        ["taskset", "-c", "1", args.rota, "node", "--listen", f"0.0.0.0:{HTTP}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1)
        for _ in range(args.rounds):
            for name, make in (("gdnsd", gdnsd), ("rota", rota)):
                with tempfile.TemporaryDirectory() as folder:
                    folder = pathlib.Path(folder)
                    found[name].append(measure(make(folder, nodes, args), folder, args))
    finally:
        node.terminate()
        node.wait()
    print(f"{args.nodes} nodes, each every {args.interval} s; medians of {args.rounds} rounds\n")
    print("| | answers after s | CPU µs a probe | of which user | MB | p99 starts late by ms |")
    print("|---|---:|---:|---:|---:|---:|")
    medians = {}
    for name, rounds in found.items():
        medians[name] = up, both, user, size, late = [statistics.median(it) for it in zip(*rounds)]
        late = "-" if math.isnan(late) else f"at most {late:g}"
        print(f"| {name} | {up:.2f} | {both:.0f} | {user:.0f} | {size:.0f} | {late} |")
    up, both = (medians["rota"][at] / medians["gdnsd"][at] for at in (0, 1))
    print(f"\nRota answers after {up:.2f} × gdnsd's time, and takes {both:.2f} × its CPU.")


if __name__ == "__main__":
    main()
