#!/usr/bin/env python3
"""What a start costs: a zone of a million records and 100,000 zones, Rota beside its peers.

  load.py [--rota target/release/rota] [--rounds 3] [--only rota,nsd] [--write]

From the start of the process until every name that is asked for is answered, on both cores, with
the threads that each takes by itself. Memory is what the process and all below it hold then. The
rounds take turns, and the medians are shown. `--write` puts the table into docs/performance.md.
What is needed: see peers.py.
"""

import random
import statistics
import sys
import time

import peers

SMALL = """$TTL 60
@ SOA ns1 host 1 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.1
www A 192.0.2.2
www A 192.0.2.3
www A 192.0.2.4
"""
BIG_NAMES = 250_000
MANY_ZONES = 100_000
LIMIT_SECONDS = 120


def data(kind):
    """The folder of zone files of a kind, made once; and the zones' names."""
    folder, done = peers.WORK / f"data-{kind}", peers.WORK / f"data-{kind}-done"
    zones = ["example.test"] if kind == "big" else [f"z{i}.test" for i in range(MANY_ZONES)]
    if done.exists():
        return folder, zones
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "big":
        with open(folder / "example.test", "w") as file:
            file.write("$ORIGIN example.test.\n$TTL 60\n@ SOA ns1 host 1 7200 900 1209600 60\n")
            file.write("@ NS ns1\nns1 A 192.0.2.53\n")
            for i in range(BIG_NAMES):
                for k in range(4):
                    file.write(f"n{i} A 10.{i >> 16}.{i >> 8 & 255}.{(i + k) & 255}\n")
    else:
        for zone in zones:
            (folder / zone).write_text(SMALL)
    done.touch()
    return folder, zones


# One function a peer, as in peers.py.


def knot(folder, ip, files, zones):
    head = f"""\
server:
  rundir: {folder}
  listen: {ip}@{peers.PORT}
database:
  storage: {folder}
log:
  - target: stderr
    any: error
template:
  - id: default
    storage: {files}
    file: "%s"
    journal-content: none
    zonefile-sync: -1
zone:
"""
    text = head + "".join(f"  - domain: {zone}\n" for zone in zones)
    return ["knotd", "-c", str(peers.write(folder, "conf", text))]


def nsd(folder, ip, files, zones):
    head = f"""\
server:
  ip-address: {ip}@{peers.PORT}
  username: ""
  chroot: ""
  zonesdir: "{files}"
  database: ""
  zonelistfile: "{folder}/list"
  xfrdfile: "{folder}/xfrd"
  pidfile: "{folder}/pid"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
    text = head + "".join(f'zone:\n  name: {zone}\n  zonefile: "{zone}"\n' for zone in zones)
    return ["nsd", "-d", "-c", str(peers.write(folder, "conf", text))]


def gdnsd(folder, ip, files, _zones):
    for name in ("run", "state"):
        (folder / name).mkdir(exist_ok=True)
    options = f"listen => {ip}, dns_port => {peers.PORT}"
    folders = f"run_dir => {folder}/run, state_dir => {folder}/state"
    peers.write(folder, "config", f"options => {{ {options}, {folders} }}\n")
    if not (folder / "zones").exists():
        (folder / "zones").symlink_to(files)
    return ["gdnsd", "-c", str(folder), "start"]


def named_zones(files, zones, kind):
    line = 'zone "{0}" {{ type {1}; file "{2}/{0}"; }};\n'
    return "".join(line.format(zone, kind, files) for zone in zones)


def pdns(folder, ip, files, zones):
    peers.write(folder, "named.conf", named_zones(files, zones, "master"))
    text = f"""\
launch=bind
bind-config={folder}/named.conf
local-address={ip}
local-port={peers.PORT}
daemon=no
guardian=no
socket-dir={folder}
loglevel=1
"""
    peers.write(folder, "pdns.conf", text)
    return ["pdns_server", f"--config-dir={folder}"]


def bind(folder, ip, files, zones):
    head = f"""\
options {{
  directory "{folder}"; listen-on port {peers.PORT} {{ {ip}; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; recursion no; notify no; dnssec-validation no;
  empty-zones-enable no; minimal-responses yes;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
"""
    text = head + named_zones(files, zones, "primary")
    return ["named", "-f", "-c", str(peers.write(folder, "conf", text))]


def rota(binary):
    def command(folder, ip, files, zones):
        inside = folder / "zones"
        if not inside.exists():
            inside.mkdir(parents=True)
            for zone in zones:
                # A link that leads out of the folder would be refused.
                (inside / f"{zone}.zone").write_bytes((files / zone).read_bytes())
        listen = f'[listen]\ndns = ["{ip}:{peers.PORT}"]\nadmin = "{ip}:9153"\n'
        text = f'zones = "zones"\nstate = "state"\n{listen}[dns]\nrate_limit = false\n'
        return [str(binary), "-c", str(peers.write(folder, "rota.toml", text)), "run"]

    return command


def commands(binary):
    return {
        "rota": rota(binary),
        "nsd": nsd,
        "gdnsd": gdnsd,
        "knot": knot,
        "pdns": pdns,
        "bind": bind,
    }


def serve_many(name, binary):
    """A peer with 100,000 zones, to be measured while it answers."""

    def command(folder, ip):
        files, zones = data("many")
        return commands(binary)[name](folder, ip, files, zones)

    return command


def one(name, kind, binary, ip):
    """Starts a peer afresh: seconds until it answers, processor seconds, memory; None if never."""
    files, zones = data(kind)
    folder = peers.WORK / f"load-{name}-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    command = commands(binary)[name](folder, ip, files, zones)
    if kind == "big":
        todo = [f"n{i}.example.test" for i in (0, BIG_NAMES // 2, BIG_NAMES - 1)]
    else:
        rng = random.Random(2)
        todo = [f"www.{zone}" for zone in (zones[0], zones[-1], *rng.sample(zones, 200))]
    begun = time.time()
    process = peers.start(f"load-{name}-{kind}", command, core=None)
    try:
        while todo:
            while todo and peers.ask(ip, todo[-1], timeout=0.2) == (0, 4):
                todo.pop()
            time.sleep(0.01)
            if time.time() - begun > LIMIT_SECONDS or process.poll() is not None:
                print(f"{name} does not answer: see {folder / 'log'}", file=sys.stderr)
                return None
        took = time.time() - begun
        time.sleep(0.5)
        return took, sum(peers.cpu_seconds(process.pid)), peers.memory_mb(process.pid)
    finally:
        peers.stop(process)


def table(args):
    results = {}
    for _ in range(args.rounds):
        for kind in ("big", "many"):
            for at, name in enumerate(args.only.split(",")):
                ip = "127.0.0.1" if name == "bind" else f"127.0.0.{80 + at}"
                figures = one(name, kind, args.rota, ip)
                if figures:
                    results.setdefault((kind, name), []).append(figures)
                    print(kind, name, *(f"{figure:.2f}" for figure in figures), file=sys.stderr)
    titles = {
        "big": f"one zone, {BIG_NAMES:,} names × 4 A",
        "many": f"{MANY_ZONES:,} zones × 7 records",
    }
    records = {"big": 4 * BIG_NAMES, "many": 7 * MANY_ZONES}
    lines = ["| data | server | seconds to answers | processor seconds | MiB | octets a record |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for kind in titles:
        rows = [(name, told) for (of, name), told in results.items() if of == kind]
        medians = [(name, [statistics.median(it) for it in zip(*told)]) for name, told in rows]
        for name, (took, cpu, memory) in sorted(medians, key=lambda row: row[1][0]):
            each = memory * 1048576 / records[kind]
            row = f"{took:.2f} | {cpu:.2f} | {memory:.0f} | {each:.0f}"
            lines.append(f"| {titles[kind]} | {name} | {row} |")
    return "\n".join(lines) + "\n"


def main():
    args = peers.arguments(__doc__, 3, ("--only", {"default": "rota,nsd,gdnsd,knot,pdns,bind"}))
    made = table(args)
    print(made)
    if args.write:
        peers.write_into("load", made)


if __name__ == "__main__":
    main()
