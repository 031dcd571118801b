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
