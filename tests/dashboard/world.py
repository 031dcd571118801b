"""The configurations that the dashboard is looked at with."""

from scene import TOKEN

IPS = {
    "eu1": "127.0.41.11", "eu2": "127.0.41.12", "eu3": "127.0.41.13",
    "us1": "127.0.42.11", "us2": "127.0.42.12",
    "big": "127.0.43.11", "mid": "127.0.43.12", "small1": "127.0.43.13", "small2": "127.0.43.14",
    "blue1": "127.0.44.11", "green1": "127.0.44.12",
}

SERVER = """
[listen]
dns = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
workers = 2
idle_time = "1s"
"""

WITH_TOKEN = SERVER + '[admin]\ntoken_file = "token"\n'


def zone(port):
    """Three services: two sites, four sizes of machine, two versions."""
    check = f'{{ http = ":{port}/ready", every = "500ms", timeout = "300ms", fails = 2, passes = 2 }}'
    return f"""
[zone]
ns = ["ns1 127.0.0.1"]

[service.app]
check = {check}
steer = "failover"
policy = "weighted"
ttl = "45s"
[service.app.pool.eu]
nodes = [
  {{ name = "eu1", address = "{IPS['eu1']}", weight = 3, labels = {{ rack = "a", site = "fra" }} }},
  {{ name = "eu2", address = "{IPS['eu2']}", weight = 3, labels = {{ rack = "b", site = "fra" }} }},
  {{ name = "eu3", address = "{IPS['eu3']}", labels = {{ rack = "b", site = "fra" }} }},
]
[service.app.pool.us]
nodes = [
  {{ name = "us1", address = "{IPS['us1']}", weight = 2 }},
  {{ name = "us2", address = "{IPS['us2']}", weight = 2 }},
]

[service.search]
check = {check}
max_withdraw = {{ share = 0.4, within = "10m" }}
nodes = [
  {{ name = "big", address = "{IPS['big']}", weight = 4 }},
  {{ name = "mid", address = "{IPS['mid']}", weight = 2 }},
  {{ name = "small1", address = "{IPS['small1']}" }},
  {{ name = "small2", address = "{IPS['small2']}" }},
]

[service.shop]
check = {check}
steer = "split"
[service.shop.pool.blue]
share = 90
nodes = [{{ name = "blue1", address = "{IPS['blue1']}" }}]
[service.shop.pool.green]
share = 10
nodes = [{{ name = "green1", address = "{IPS['green1']}" }}]
"""


def files(port, token=False):
    return {
        "rota.toml": WITH_TOKEN if token else SERVER,
        "token": TOKEN,
        # As if a process before had answered with this TTL at most, so that it is over at once.
        "state/answers.json": '{"version": 1, "longest_ttl": 0}',
        "zones/lb.example.org.toml": zone(port),
    }


def crowd(services, nodes):
    """A zone of so many services with so many nodes each, of which nobody asks anything."""
    lines = ['[zone]\nns = ["ns1 127.0.0.1"]\n']
    number = 0
    for service in range(services):
        addresses = []
        for _ in range(nodes):
            addresses.append(f'"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"')
            number += 1
        lines.append(f"[service.s{service:03}]\nnodes = [{', '.join(addresses)}]\n")
    return {"rota.toml": SERVER, "zones/lb.example.org.toml": "\n".join(lines)}
