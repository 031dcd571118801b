#!/usr/bin/env bash
# The compose file for real: builds the image from the binary that was just built, starts it, stops
# a node's container, sees its address leave the answers, starts it again, sees it return.
#
#   docker/test.sh
#
#   ROTA_BINARY     the binary to put in the image   [target/release/rota, built where missing]
#   RUNTIME_IMAGE   the base image                   [debian:bookworm-slim where present, else one
#                                                     made with debootstrap, kept as rota-test-base]
#
# Where there is no Docker engine it says so and ends well. It removes what it made, except the
# base image, which the next run takes again.

set -euo pipefail
cd "$(dirname "$0")/.."

readonly name=thoughtspot.customer.com
readonly addresses=(10.53.0.11 10.53.0.12 10.53.0.13 10.53.0.14)
readonly stopped=node3 stopped_address=10.53.0.13
readonly made_base=rota-test-base
readonly project=rota-test-$$

say() { printf 'docker/test: %s\n' "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }

if ! command -v docker > /dev/null || ! timeout 20 docker info > /dev/null 2>&1; then
    say 'no Docker engine here: nothing was tested'
    exit 0
fi
if docker compose version > /dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose > /dev/null; then
    compose=(docker-compose)
else
    say 'a Docker engine, but neither `docker compose` nor `docker-compose`: nothing was tested'
    exit 0
fi
compose+=(--project-name "$project" --file docker/compose.yaml)

# --- the image ---------------------------------------------------------------------------------

binary=${ROTA_BINARY:-target/release/rota}
if [ ! -x "$binary" ]; then
    [ -z "${ROTA_BINARY:-}" ] || die "$binary is no program"
    say 'building the binary'
    cargo build --release --locked --bin rota
fi

staging=$(mktemp -d)
export ROTA_IMAGE=$project
# A port for DNS that other runs on this machine are unlikely to have.
export ROTA_PORT=$((20000 + $$ % 10000))
clean_up() {
    local status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        say 'what the containers said last:'
        "${compose[@]}" logs --no-color --tail 20 2>&1 | tail -n 80 || true
    fi
    "${compose[@]}" down --volumes --timeout 2 > /dev/null 2>&1 || true
    docker image rm --force "$project" > /dev/null 2>&1 || true
    docker image prune --force --filter "label=rota.built-by=$project" > /dev/null 2>&1 || true
    rm -rf "$staging"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A Debian base without a registry: of the release that this machine runs, as the binary was
# linked against its C library.
make_base() {
    [ "$(id -u)" -eq 0 ] || die "no base image, and debootstrap needs root; set RUNTIME_IMAGE"
    if ! command -v debootstrap > /dev/null; then
        say 'installing debootstrap'
        { apt-get update && apt-get install -y --no-install-recommends debootstrap; } > /dev/null \
            || die 'cannot install debootstrap; set RUNTIME_IMAGE'
    fi
    local release
    release=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-}") || true
    say "making a Debian ${release:-bookworm} base with debootstrap (once)"
    timeout 900 debootstrap --variant=minbase --include=ca-certificates "${release:-bookworm}" \
        "$staging/base" > "$staging/debootstrap.log" 2>&1 \
        || { tail -n 20 "$staging/debootstrap.log"; die 'debootstrap did not succeed'; }
    rm -rf "$staging"/base/var/cache/apt/* "$staging"/base/var/lib/apt/lists/*
    tar -C "$staging/base" --numeric-owner -c . | docker import - "$made_base" > /dev/null
    rm -rf "$staging/base"
}

base=${RUNTIME_IMAGE:-}
if [ -z "$base" ]; then
    base=debian:bookworm-slim
    docker image inspect "$base" > /dev/null 2>&1 || base=$made_base
    docker image inspect "$base" > /dev/null 2>&1 || make_base
fi

mkdir "$staging/context"
cp "$binary" "$staging/context/rota"
say "building the image from $binary on $base"
docker build --quiet --tag "$project" --file docker/Dockerfile --build-arg "BUILD_IMAGE=$base" \
    --build-arg "RUNTIME_IMAGE=$base" --build-arg BINARY=rota --build-arg "BUILT_BY=$project" \
    "$staging/context" > /dev/null

# --- the test ----------------------------------------------------------------------------------

answer() { "$binary" ask "$name" "@127.0.0.1:$ROTA_PORT" 2> /dev/null || true; }

# answered WORD...: each address is in the answer, or with a leading '-' is not.
answered() {
    local got word
    got=" $(answer) "
    for word in "$@"; do
        case $word in
            -*) [[ $got != *" ${word#-} "* ]] || return 1 ;;
            *) [[ $got == *" $word "* ]] || return 1 ;;
        esac
    done
}

container() { "${compose[@]}" ps -q "$1"; }
state() { docker inspect --format "$2" "$(container "$1")"; }
healthy() { [ "$(state rota '{{.State.Health.Status}}')" = healthy ]; }
client_answered() { docker logs "$(container client)" 2>&1 | grep "A ttl 5: 10\.53\.0\." > /dev/null; }

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    local seconds=$1 what=$2 began=$SECONDS
    shift 2
    until "$@"; do
        if ((SECONDS - began >= seconds)); then
            die "not within ${seconds}s: $what; the last answer: $(answer)"
        fi
        sleep 0.5
    done
    say "after $((SECONDS - began))s: $what"
}

say "starting with ${compose[*]}"
"${compose[@]}" up -d --no-build > "$staging/up.log" 2>&1 || { cat "$staging/up.log"; die 'up'; }

wait_for 30 'all four addresses are answered' answered "${addresses[@]}"
wait_for 30 'the container of rota is healthy' healthy
wait_for 15 'the client in the network prints answers' client_answered
answer
[ "$(state rota '{{.Config.User}}')" = 65532:65532 ] || die 'rota does not run without root'
[ "$(state rota '{{.HostConfig.ReadonlyRootfs}}')" = true ] || die 'the root is writable'

others=("${addresses[@]/#$stopped_address/-$stopped_address}")
"${compose[@]}" stop --timeout 2 "$stopped" > /dev/null 2>&1
wait_for 20 "$stopped is stopped: $stopped_address is out of the answers" answered "${others[@]}"
answer
"${compose[@]}" start "$stopped" > /dev/null 2>&1
wait_for 20 "$stopped runs again: $stopped_address is back" answered "${addresses[@]}"
answer

"${compose[@]}" stop --timeout 10 rota > /dev/null 2>&1
rota=$("${compose[@]}" ps -a -q rota 2> /dev/null || container rota)
exit_code=$(docker inspect --format '{{.State.ExitCode}}' "$rota")
[ "$exit_code" = 0 ] || die "rota ended with code $exit_code"
say 'rota stopped cleanly'
say 'passed'
