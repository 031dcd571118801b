#!/usr/bin/env python3
"""What a query costs: Rota beside gdnsd, Knot, NSD, PowerDNS and BIND, in rounds that take turns.

  compare.py [--rota target/release/rota] [--rounds 5] [--secs 2] [--only weighted,mix] [--write]

Every server runs with one worker on one core, the load generator on another. What is shown is the
processor time of the whole server process a query that was answered: the median of all rounds, and
as a ratio to Rota's in the same round. `echo` is no DNS server: it shows what receiving and
sending alone cost. All on loopback, at high ports. `--write` puts the tables into
docs/performance.md. What is needed: see peers.py.
"""

import json
import random
import statistics
import subprocess
import sys
import time

import load
import peers

ZONES = 100_000


class Workload:
    """What is asked, and of which row's server under which owner name."""

    def __init__(self, title, rows, questions=None, options=(), tcp=False, many=False):
        self.title, self.rows, self.questions = title, rows, questions
        self.options, self.tcp, self.many = list(options), tcp, many


PLAIN = ["rota", "gdnsd", "knot", "nsd", "pdns", "bind"]
WORKLOADS = {
    "weighted": Workload(
        "One service with four weighted, checked nodes; one address an answer",
        {
            "echo": ("echo", "www"),
            "rota": ("rota", "wtd"),
            "gdnsd": ("gdnsd", "wtd"),
            "knot, weighted, not checked": ("knot-geo", "wtd"),
            "nsd, four static addresses": ("nsd", "www"),
            "bind, four static addresses": ("bind", "www"),
            "pdns, Lua pickwrandom, not checked": ("pdns", "wtd"),
        },
    ),
    "weighted-all": Workload(
        "The same with all four addresses an answer",
        {
            "echo": ("echo", "www"),
            "rota": ("rota", "wtdm"),
            "gdnsd": ("gdnsd", "wtdm"),
            "knot, four static addresses": ("knot", "www"),
            "nsd, four static addresses": ("nsd", "www"),
        },
    ),
    "geo": Workload(
        "Four sites by 2,000 client networks, told by EDNS Client Subnet; checked nodes",
        {
            "echo": ("echo", "www"),
            "rota": ("rota", "geo"),
            "gdnsd": ("gdnsd", "geo"),
            "knot, not checked": ("knot-geo", "geo"),
        },
        options=["--ecs", "random10"],
    ),
    "mix": Workload(
        "A, AAAA, other names, names that are not there, a delegation",
        {"echo": ("echo", "mix")} | {name: (name, "mix") for name in PLAIN},
    ),
    "zones": Workload(
        f"{ZONES:,} zones, each asked for its www",
        {name: (f"{name}-many", "many") for name in PLAIN},
        many=True,
    ),
    "tcp": Workload(
        "Pipelined TCP: 8 connections, 24 questions open on each; four addresses an answer",
        {name: (name, "wtdm" if name in ("rota", "gdnsd") else "www") for name in PLAIN},
        tcp=True,
    ),
}


def servers(rota):
    return {
        "echo": peers.echo,
        "rota": peers.rota_command(rota),
        "gdnsd": peers.gdnsd,
        "knot": peers.knot,
        "knot-geo": peers.knot_geo,
        "nsd": peers.nsd,
        "pdns": peers.pdns,
        "bind": peers.bind,
    } | {f"{name}-many": load.serve_many(name, rota) for name in PLAIN}


def question_files():
    files = {
        owner: peers.write(peers.WORK, f"ask-{owner}", f"{owner}.example.test A\n")
        for owner in ("www", "wtd", "wtdm", "geo")
    }
    files["mix"] = peers.write(peers.WORK, "ask-mix", peers.mix())
    rng = random.Random(2)
    many = "".join(f"www.z{rng.randrange(ZONES)}.test A\n" for _ in range(100_000))
    files["many"] = peers.write(peers.WORK, "ask-many", many)
    return files


def blast(ip, questions, secs, options):
    command = ["taskset", "-c", peers.LOAD_CORE, peers.tool("dnsblast"), "-s", ip]
    command += ["-p", str(peers.PORT), "-d", str(questions), "-l", str(secs), "-W", "0.3"]
    # More in flight than this overflows the socket buffers that most peers leave as they are.
    return command + ["-n", "8", "-w", "24", "--json", *options]


def measure(process, ip, questions, secs, options):
    """One round: nanoseconds of processor time a query, of which user space, and what was told."""
    before = peers.cpu_seconds(process.pid)
    done = subprocess.run(blast(ip, questions, secs, options), capture_output=True, text=True)
    after = peers.cpu_seconds(process.pid)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"dnsblast: {done.stdout}{done.stderr}")
    answered = max(1, told["total_answered"])
    user, system = (1e9 * (after[at] - before[at]) / answered for at in (0, 1))
    return told | {"user": user, "cpu": user + system}


def rounds(workload, running, files, args):
    """Every row in turn, so many times; what each round measured, by row."""
    results = {row: [] for row in workload.rows}
    for at in range(args.rounds):
        # Who comes first has the core that rested.
        order = list(workload.rows.items())
        for row, (server, questions) in order[at % len(order) :] + order[: at % len(order)]:
            if server not in running:
                continue
            process, ip = running[server]
            options = workload.options + (["--tcp"] if workload.tcp else [])
            told = measure(process, ip, files[questions], args.secs, options)
            results[row].append(told)
            note = f"  {row:36} {told['cpu']:7.0f} ns ({told['user']:.0f} user)"
            print(f"{note}  {told['qps']} q/s  lost {told['lost']} bad {told['bad']}", file=sys.stderr)
    return {row: told for row, told in results.items() if told}


def median(told, key):
    return statistics.median(each[key] for each in told)


def table(workload, results):
    ours = results["rota"]
    lines = [f"### {workload.title}", ""]
    lines += ["| server | ns a query | of which user space | × Rota |", "|---|---:|---:|---:|"]
    for row, told in sorted(results.items(), key=lambda it: median(it[1], "cpu")):
        ratio = statistics.median(b["cpu"] / a["cpu"] for a, b in zip(ours, told))
        cpu, user = median(told, "cpu"), median(told, "user")
        lines.append(f"| {row} | {cpu:.0f} | {user:.0f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


def run(workload, args, files, addresses):
    running = {}
    wanted = dict.fromkeys(server for server, _ in workload.rows.values())
    known = servers(args.rota)
    try:
        for name in wanted:
            ip = addresses[name]
            folder = peers.WORK / name
            folder.mkdir(parents=True, exist_ok=True)
            running[name] = (peers.start(name, known[name](folder, ip)), ip)
        for name, (process, ip) in list(running.items()):
            probe = "www.z0.test" if workload.many else "www.example.test"
            if not peers.wait_up(ip, probe, 120 if workload.many else 30):
                print(f"{name} does not answer: see {peers.WORK / name / 'log'}", file=sys.stderr)
                peers.stop(process)
                del running[name]
        time.sleep(4 if workload.many else 3)
        return rounds(workload, running, files, args)
    finally:
        for process, _ in running.values():
            peers.stop(process)


def main():
    all_of_them = ",".join(WORKLOADS)
    args = peers.arguments(
        __doc__,
        5,
        ("--secs", {"type": float, "default": 2}),
        ("--only", {"default": all_of_them, "help": f"of {all_of_them}"}),
    )
    files = question_files()
    # named binds only addresses that the interface lists.
    names = servers(args.rota)
    addresses = {name: f"127.0.0.{20 + at}" for at, name in enumerate(names)}
    addresses |= {"bind": "127.0.0.1", "bind-many": "127.0.0.1"}
    tables = []
    web = peers.web()
    try:
        for name in args.only.split(","):
            print(name, file=sys.stderr)
            workload = WORKLOADS[name]
            tables.append(table(workload, run(workload, args, files, addresses)))
            print(tables[-1], flush=True)
    finally:
        peers.stop(web)
    if args.write:
        peers.write_into("compare", "\n".join(tables))


if __name__ == "__main__":
    main()
