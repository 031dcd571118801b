"""The peers that Rota is measured beside: how each is set up, started, asked and stopped.

All of them serve the same zone on a loopback address of their own with one worker, and the whole
process is pinned to one core. Answers are of the same size: four addresses and nothing beside them.
Rotation is on where a peer has it, logs and rate limits are off. gdnsd and Rota check their nodes
for real, over HTTP every five seconds.

Needs Debian's knot, nsd, gdnsd, pdns-server with pdns-backend-bind, and bind9, and the load
generator: `cargo build --release` in dnsblast/.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = pathlib.Path(tempfile.gettempdir()) / "rota-compare"
PORT, HTTP = 5300, 8099
V4 = [f"127.0.9.{i}" for i in range(1, 5)]
V6 = [f"2001:db8::{i}" for i in range(1, 5)]
# Client networks in the maps of places.
NETWORKS = 2000
SERVER_CORE, LOAD_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")


def tool(name):
    """A program of the load generator."""
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "dnsblast" / "target"))
    path = folder / "release" / name
    if not path.exists():
        sys.exit(f"{path} is not there: run `cargo build --release` in {HERE / 'dnsblast'}")
    return str(path)


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def network(i):
    return f"10.{i >> 8}.{i & 255}.0/24"


def zone(extra=""):
    """`www` with four addresses of each family, 1,000 hosts, a delegation."""
    lines = ["$ORIGIN example.test.", "$TTL 5", "@ 3600 SOA ns1 host 1 7200 900 1209600 60"]
    lines += ["@ 3600 NS ns1", "ns1 3600 A 127.0.0.53"]
    lines += [f"www A {address}" for address in V4] + [f"www AAAA {address}" for address in V6]
    lines += [f"h{i} A 10.0.{i >> 8}.{i & 255}" for i in range(1000)]
    lines += ["sub 3600 NS ns.sub", "ns.sub 3600 A 127.0.0.54"]
    return "\n".join(lines) + "\n" + extra


def turned(items, by):
    return items[by:] + items[:by]


# One function a peer: writes its configuration, returns the command.


def knot(folder, ip, geo=False):
    write(folder, "zone", zone("wtd A 127.0.9.1\ngeo A 127.0.9.1\n"))
    weights = "".join(f"  - weight: 10\n    A: {address}\n" for address in V4)
    write(folder, "weights.conf", f"wtd.example.test.:\n{weights}")
    places = "".join(
        f"  - net: {network(i)}\n    A: [{', '.join(turned(V4, i % 4))}]\n" for i in range(NETWORKS)
    )
    write(folder, "places.conf", f"geo.example.test.:\n{places}")
    modules = "    module: [mod-geoip/weights, mod-geoip/places]\n" if geo else ""
    text = f"""\
server:
  rundir: {folder}
  listen: {ip}@{PORT}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  tcp-max-clients: 1000
  tcp-idle-timeout: 60
  answer-rotation: on
  edns-client-subnet: on
database:
  storage: {folder}
log:
  - target: stderr
    any: error
mod-geoip:
  - id: weights
    config-file: {folder}/weights.conf
    ttl: 5
    mode: weighted
  - id: places
    config-file: {folder}/places.conf
    ttl: 5
    mode: subnet
template:
  - id: default
    storage: {folder}
    file: zone
    journal-content: none
    zonefile-sync: -1
    semantic-checks: off
zone:
  - domain: example.test
{modules}"""
    return ["knotd", "-c", str(write(folder, "conf", text))]


def knot_geo(folder, ip):
    return knot(folder, ip, geo=True)


def nsd(folder, ip):
    write(folder, "zone", zone())
    text = f"""\
server:
  server-count: 1
  ip-address: {ip}@{PORT}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  zonelistfile: "{folder}/list"
  xfrdfile: "{folder}/xfrd"
  pidfile: "{folder}/pid"
  round-robin: yes
  minimal-responses: yes
  rrl-ratelimit: 0
  tcp-count: 200
  tcp-query-count: 0
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: zone
"""
    return ["nsd", "-d", "-c", str(write(folder, "conf", text))]


def gdnsd(folder, ip):
    names = "wtd DYNA weighted!one\nwtdm DYNA weighted!all\ngeo DYNA geoip!g\n"
    write(folder / "zones", "example.test", zone(names))
    weighted = " ".join(f"a{i} => [ {address}, 10 ]" for i, address in enumerate(V4))
    plain = " ".join(f"a{i} => {address}" for i, address in enumerate(V4))
    sites = " ".join(f"dc{i} => {{ {plain} }}" for i in range(4))
    places = "\n".join(
        f"{network(i)} => [ dc{i % 4}, dc{(i + 1) % 4} ]" for i in range(NETWORKS)
    )
    text = f"""\
options => {{
  listen => {ip}, dns_port => {PORT}, udp_threads => 1, tcp_threads => 1
  tcp_clients_per_thread => 500, run_dir => {folder}/run, state_dir => {folder}/state
}}
service_types => {{
  web => {{ plugin => http_status, port => {HTTP}, url_path => /, interval => 5, timeout => 2 }}
}}
plugins => {{
  weighted => {{
    service_types => web, one => {{ {weighted} }}, all => {{ multi => true, {weighted} }}
  }}
  geoip => {{
    maps => {{ m => {{ datacenters => [ dc0, dc1, dc2, dc3 ], nets => {{ {places} }} }} }}
    resources => {{
      g => {{ map => m, plugin => multifo, service_types => web, dcmap => {{ {sites} }} }}
    }}
  }}
}}
"""
    for name in ("run", "state"):
        (folder / name).mkdir(exist_ok=True)
    write(folder, "config", text)
    return ["gdnsd", "-c", str(folder), "start"]


def pdns(folder, ip):
    pick = ",".join(f"{{10,'{address}'}}" for address in V4)
    write(folder, "zone", zone(f'wtd LUA A "pickwrandom({{{pick}}})"\n'))
    write(folder, "named.conf", f'zone "example.test" {{ type master; file "{folder}/zone"; }};\n')
    text = f"""\
launch=bind
bind-config={folder}/named.conf
local-address={ip}
local-port={PORT}
receiver-threads=1
distributor-threads=1
daemon=no
guardian=no
socket-dir={folder}
loglevel=1
enable-lua-records=yes
max-tcp-connections=200
max-tcp-connections-per-client=0
max-tcp-transactions-per-conn=0
"""
    write(folder, "pdns.conf", text)
    return ["pdns_server", f"--config-dir={folder}"]


def bind(folder, ip):
    write(folder, "zone", zone())
    text = f"""\
options {{
  directory "{folder}"; listen-on port {PORT} {{ {ip}; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; recursion no; minimal-responses yes; notify no;
  dnssec-validation no; querylog no; rrset-order {{ order cyclic; }}; tcp-clients 500;
  allow-transfer {{ none; }}; empty-zones-enable no;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
zone "example.test" {{ type primary; file "zone"; }};
"""
    return ["named", "-f", "-n", "1", "-c", str(write(folder, "conf", text))]


def rota_command(binary):
    def rota(folder, ip):
        write(folder / "zones", "example.test.zone", zone())
        weighted = json.dumps([f"{address} x10" for address in V4])
        services = f"""\
[check.web]
http = ":{HTTP}/"
every = "5s"
[service.wtd]
check = "web"
policy = "weighted"
answers = 1
nodes = {weighted}
[service.wtdm]
check = "web"
policy = "weighted"
nodes = {weighted}
[service.geo]
check = "web"
steer = "geo"
"""
        for i in range(4):
            places = [network(n) for n in range(i, NETWORKS, 4)] + (["*"] if i == 0 else [])
            services += f"[service.geo.pool.dc{i}]\nplace = {json.dumps(places)}\n"
            services += f"nodes = {json.dumps(turned(V4, i))}\n"
        write(folder / "zones", "example.test.toml", services)
        listen = f'[listen]\ndns = ["{ip}:{PORT}"]\nadmin = "{ip}:9153"\nworkers = 1\n'
        text = f'zones = "zones"\nstate = "state"\n{listen}[dns]\nrate_limit = false\n'
        return [str(binary), "-c", str(write(folder, "rota.toml", text)), "run"]

    return rota


def echo(_folder, ip):
    """No DNS server: recvmmsg, sendmmsg, and the same octets for all."""
    return [tool("echo"), f"{ip}:{PORT}"]


# Processes.


def tree(root):
    """A process and all below it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found, todo = [], [root]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += children.get(process, [])
    return found


def cpu_seconds(root):
    """User and system time of a process and all below it."""
    user = system = 0
    for process in tree(root):
        try:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        user, system = user + int(fields[11]), system + int(fields[12])
    return user / TICKS, system / TICKS


def memory_mb(root):
    """Proportional memory, so that what forked processes share is counted once."""
    total = 0
    for process in tree(root):
        try:
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def start(name, command, core=SERVER_CORE):
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    log = open(folder / "log", "w")
    pinned = ["taskset", "-c", core] if core else []
    return subprocess.Popen(
        pinned + command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder
    )


def stop(process):
    """Ends a process that was started here, and all below it."""
    for signal in (15, 9):
        for each in tree(process.pid):
            try:
                os.kill(each, signal)
            except OSError:
                pass
        try:
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue


def ask(ip, name, timeout=0.3):
    """One A query: the code and how many answers, or None."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack(">HHHHHH", 4660, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        try:
            client.connect((ip, PORT))
            client.send(query)
            response = client.recv(4096)
        except OSError:
            return None
    return response[3] & 15, struct.unpack(">H", response[6:8])[0]


def wait_up(ip, name, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if ask(ip, name) is not None:
            return True
        time.sleep(0.05)
    return False


def random_name(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(10))


def mix():
    """40 % www A, 15 % www AAAA, 20 % other names, 15 % names that are not there, 10 % below a cut."""
    rng = random.Random(1)
    lines = []
    for _ in range(200_000):
        at = rng.random()
        if at < 0.4:
            lines.append("www.example.test A")
        elif at < 0.55:
            lines.append("www.example.test AAAA")
        elif at < 0.75:
            lines.append(f"h{rng.randrange(1000)}.example.test A")
        elif at < 0.9:
            lines.append(f"{random_name(rng)}.example.test A")
        else:
            lines.append(f"{random_name(rng)}.sub.example.test A")
    return "\n".join(lines) + "\n"


def arguments(story, rounds, *more):
    """What every bench beside peers is told; `more` are an option's name and what argparse takes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=story, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rota", type=pathlib.Path, default=ROOT / "target/release/rota")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    for name, how in more:
        parser.add_argument(name, **how)
    args = parser.parse_args()
    args.rota = args.rota.resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    return args


def web():
    """The HTTP server that all checks ask."""
    return start("http", [tool("httpd"), str(HTTP), "7200"], LOAD_CORE)


def write_into(what, tables):
    """Puts tables between the two marks of docs/performance.md that are for them."""
    document = ROOT / "docs" / "performance.md"
    begin, end = f"<!-- {what}: begin -->\n", f"<!-- {what}: end -->\n"
    head, rest = document.read_text().split(begin)
    _, tail = rest.split(end)
    document.write_text(f"{head}{begin}\n{tables}\n{end}{tail}")
