# The habits of this repository. `just` alone lists them.

_list:
    @just --list --unsorted

# Format and lints, as CI wants them
check:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Every test that needs no root, network or container
test:
    cargo test --locked

# Answers beside those of NSD, Knot and BIND (Debian's nsd, knot, bind9), on zones from seeds
same-answers *ARGS:
    cargo test --locked --test compare -- --nocapture {{ARGS}}

# What clients of real resolvers see (Debian's unbound, bind9, nsd)
resolvers:
    cargo test --locked --test resolvers

# Answers below the sockets, between network namespaces (root; Debian's iproute2, iputils-ping, ethtool)
below:
    cargo test --locked --test xdp -- --test-threads 2

# Clients of other makers over TLS, HTTPS and QUIC (Debian's knot-dnsutils, bind9-dnsutils, curl, dnsperf, unbound)
encrypted:
    cargo test --locked --test encrypted_peers

# Queries a second over TLS and HTTPS beside BIND and NSD (Debian's bind9, nsd, dnsperf, nghttp2-client)
compare-dot *ARGS:
    cargo build --release --locked
    benches/peers/encrypted.sh {{ARGS}}

# What an answer costs below the sockets, beside Knot (root; Debian's knot, knot-dnsutils)
compare-xdp *ARGS:
    cargo build --release --locked
    benches/peers/xdp.sh {{ARGS}}

# What 10,000 health checks cost beside gdnsd (Debian's package)
compare-checks *ARGS:
    cargo build --release --locked
    benches/peers/checks.py {{ARGS}}

# Every rule for alerts, made to fire (Debian's prometheus, for promtool)
alerts:
    promtool check rules docs/alerts.yaml
    promtool test rules tests/alerts.yaml

# The dashboard in a real browser (Debian's chromium, and Playwright from PyPI)
dashboard:
    cargo build --locked
    python3 tests/dashboard/run.py

# What a query costs beside gdnsd, Knot, NSD, PowerDNS and BIND (Debian's packages; Linux, two cores)
compare *ARGS: _load-generator
    benches/peers/compare.py {{ARGS}}

# How long a query waits beside them, at rates that leave room
compare-latency *ARGS: _load-generator
    benches/peers/latency.py {{ARGS}}

# What a start with a million records and with 100,000 zones costs beside them
compare-load *ARGS: _load-generator
    benches/peers/load.py {{ARGS}}

_load-generator:
    cargo build --release --locked
    cd benches/peers/dnsblast && cargo build --release --locked

# What an answer of each policy costs beside a static one
bench:
    cargo bench --locked --bench answer

# How many instructions an answer takes, beside what it took (Debian's valgrind)
instructions:
    cargo bench --locked --bench instructions

# How the cost of an answer grows with nodes, names, services and workers, drawn
growth:
    cargo bench --locked --bench growth

# How soon a node that fails is out of the answers of a busy server
withdrawal *ARGS:
    cargo bench --locked --bench withdrawal -- {{ARGS}}

# A million records and a hundred thousand zones, loaded and asked
scale:
    cargo build --release --locked
    ROTA_BINARY=target/release/rota cargo test --locked --test scale -- --nocapture --test-threads 1

# A target of fuzz/ for so many seconds (needs cargo-fuzz and a nightly toolchain)
fuzz TARGET SECONDS="300":
    cargo +nightly fuzz run {{TARGET}} -- -max_total_time={{SECONDS}}

# One simulated world, again
sim SEED:
    SEED={{SEED}} cargo test --locked --test simulation -- --nocapture

# Four nodes, a zone and a live board
demo *ARGS:
    cargo run --release --locked -- demo {{ARGS}}

# The compose file for real, where there is a Docker engine
docker:
    cargo build --release --locked
    docker/test.sh

# What may come in from outside (`cargo install cargo-deny --locked`)
deny:
    cargo deny --locked check bans licenses sources

# Everything, as the machine runs it
ci:
    .ci/run
