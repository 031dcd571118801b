#!/usr/bin/env bash
# Processor time an answer over sockets and past them (AF_XDP): Rota and Knot, one worker each on core
# 0, kxdpgun (and dnsblast, where there is one) on core 1, between two network namespaces.
#
#   benches/peers/xdp.sh [SECONDS] [ROUNDS] [QUERIES A SECOND]
#
# Every round asks every server once, so that what else the machine does meets all of them. What is
# told of each round is the processor time of the server's process, with what the kernel does in its
# name, for each answer that came back; at the end the medians. Knot answers the plain RRset, and with
# its module geoip (Debian's knot-module-geoip) the weighted and the geographic one. No node is probed.
#
# ROTA_BINARY names another binary than target/release/rota, DNSBLAST another than the one of
# benches/peers/dnsblast; without either kxdpgun asks alone.
set -eu
cd "$(dirname "$0")/../.."
secs=${1:-3} rounds=${2:-5} rate=${3:-100000}
rota=$(realpath "${ROTA_BINARY:-target/release/rota}")
blast=${DNSBLAST:-$PWD/benches/peers/dnsblast/target/release/dnsblast}
for tool in ip knotd kxdpgun taskset; do
    command -v "$tool" > /dev/null || { echo "missing: $tool"; exit 2; }
done
[ "$(id -u)" -eq 0 ] || { echo 'network namespaces take root'; exit 2; }
work=$(mktemp -d)
server=rota-bench-$$-s client=rota-bench-$$-c address=10.98.0.1 pid=
finish() {
    if [ -n "$pid" ]; then kill "$pid" 2> /dev/null || true; wait "$pid" 2> /dev/null || true; fi
    ip netns del "$server" 2> /dev/null || true
    ip netns del "$client" 2> /dev/null || true
    rm -r "$work"
}
trap finish EXIT
cd "$work"

ip netns add "$server"
ip netns add "$client"
ip link add vs netns "$server" type veth peer name vc netns "$client"
ip -n "$server" addr add $address/24 dev vs
ip -n "$client" addr add 10.98.0.2/24 dev vc
for netns in "$server" "$client"; do ip -n "$netns" link set lo up; done
ip -n "$server" link set vs up
ip -n "$client" link set vc up
mac() { ip netns exec "$1" cat "/sys/class/net/$2/address"; }
ip -n "$server" neigh replace 10.98.0.2 lladdr "$(mac "$client" vc)" dev vs nud permanent
ip -n "$client" neigh replace $address lladdr "$(mac "$server" vs)" dev vc nud permanent

mkdir zones knot
cat > zones/example.test.zone <<ZONE
\$ORIGIN example.test.
\$TTL 5
@ SOA ns1 host 1 7200 900 1209600 60
@ NS ns1
ns1 A $address
www A 192.0.2.1
www A 192.0.2.2
www A 192.0.2.3
www A 192.0.2.4
ZONE
cp zones/example.test.zone knot/
cat > zones/example.test.toml <<'ZONE'
[service.weighted]
policy = "weighted"
nodes = ["192.0.2.1 x4", "192.0.2.2 x3", "192.0.2.3 x2", "192.0.2.4"]
[service.geo]
steer = "geo"
[service.geo.pool.near]
place = ["10.0.0.0/8"]
nodes = ["192.0.2.1", "192.0.2.2"]
[service.geo.pool.east]
place = ["198.51.100.0/24"]
nodes = ["192.0.2.3", "192.0.2.4"]
[service.geo.pool.rest]
place = ["*"]
nodes = ["192.0.2.5", "192.0.2.6"]
ZONE
cat > weighted.conf <<'CONF'
weighted.example.test:
  - weight: 4
    A: 192.0.2.1
  - weight: 3
    A: 192.0.2.2
  - weight: 2
    A: 192.0.2.3
  - weight: 1
    A: 192.0.2.4
CONF
cat > geo.conf <<'CONF'
geo.example.test:
  - net: 10.0.0.0/8
    A: [ 192.0.2.1, 192.0.2.2 ]
  - net: 198.51.100.0/24
    A: [ 192.0.2.3, 192.0.2.4 ]
  - net: 0.0.0.0/0
    A: [ 192.0.2.5, 192.0.2.6 ]
CONF
# kxdpgun tells no client subnet: its own address decides which pool of `geo` answers.
for name in www weighted geo; do echo "$name.example.test A" > "$name.questions"; done

start_rota() { # sockets or xdp
    local xdp=
    if [ "$1" = xdp ]; then xdp='xdp = ["vs"]'; fi
    printf '[listen]\ndns = ["%s:53"]\nadmin = "127.0.0.1:9153"\nworkers = 1\n%s\n[dns]\nrate_limit = false\n' \
        "$address" "$xdp" > rota.toml
    ip netns exec "$server" taskset -c 0 "$rota" run > rota.log 2>&1 &
    pid=$!
}
start_knot() {
    local xdp=
    if [ "$1" = xdp ]; then xdp=$'xdp:\n  listen: vs@53\n'; fi
    local modules= listed=
    if [ "$geoip" = yes ]; then
        modules=$'mod-geoip:\n  - id: weighted\n    config-file: '"$work"$'/weighted.conf\n    ttl: 5\n    mode: weighted\n'
        modules+=$'  - id: geo\n    config-file: '"$work"$'/geo.conf\n    ttl: 5\n    mode: subnet\n'
        listed='    module: [ mod-geoip/weighted, mod-geoip/geo ]'
    fi
    cat > knot.conf <<CONF
server:
  rundir: $work/knot
  listen: $address@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
${xdp}log:
  - target: stderr
    any: warning
database:
  storage: $work/knot
${modules}zone:
  - domain: example.test
    storage: $work/knot
    file: example.test.zone
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole
$listed
CONF
    ip netns exec "$server" taskset -c 0 knotd -c knot.conf > knot.log 2>&1 &
    pid=$!
}
stop() {
    kill "$pid"
    wait "$pid" 2> /dev/null || true
    pid=
    # Knot leaves its program on the interface, where nobody else could put another.
    ip -n "$server" link set vs xdp off
    # Linux frees the queues of a process that has ended a little later.
    sleep 0.5
}
geoip=no
if knotd -VV 2> /dev/null | grep -q geoip || ls /usr/lib/*/knot/modules*/geoip.so > /dev/null 2>&1; then
    geoip=yes
fi

# Nanoseconds that the process has had of a processor: finer than ticks.
spent() { cat "/proc/$pid/task/"*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
tell() { # who, how, what, generator, nanoseconds, answers, asked
    if [ "$6" -eq 0 ]; then echo "$1 $2 $3 $4: no answer"; return; fi
    awk -v spent="$5" -v answers="$6" -v asked="$7" \
        -v label="$1 $2 $3 $4" 'BEGIN {
            ns = spent / answers
            printf "%-34s %7.0f ns of processor an answer, %8d answers, %5.1f %% of those asked\n",
                label, ns, answers, asked ? 100 * answers / asked : 100
        }' | tee -a told
}
load() { # who, how, what
    local before after out asked answers
    # What is told of one way must have gone that way.
    if [ "$2" = xdp ] && ! ip -n "$server" link show vs | grep -q xdp; then
        echo "$1 $2 $3: not past the kernel"
        return
    fi
    before=$(spent)
    out=$(ip netns exec "$client" taskset -c 1 kxdpgun -t "$secs" -Q "$rate" -b 32 \
        -i "$3.questions" -I vc "$address" 2>&1 || true)
    after=$(spent)
    asked=$(printf '%s\n' "$out" | sed -n 's/^total queries: *\([0-9]*\).*/\1/p')
    answers=$(printf '%s\n' "$out" | sed -n 's/^total replies: *\([0-9]*\).*/\1/p')
    tell "$1" "$2" "$3" kxdpgun $((after - before)) "${answers:-0}" "${asked:-0}"
    if [ -x "$blast" ]; then
        local subnet=()
        if [ "$3" = geo ]; then subnet=(--ecs random10); fi
        before=$(spent)
        out=$(ip netns exec "$client" taskset -c 1 "$blast" -s "$address" -d "$3.questions" \
            "${subnet[@]}" -l "$secs" -W 0 -n 8 -w 24 --json 2>&1 || true)
        after=$(spent)
        answers=$(printf '%s\n' "$out" | sed -n 's/.*"total_answered":\([0-9]*\).*/\1/p')
        tell "$1" "$2" "$3" dnsblast $((after - before)) "${answers:-0}" 0
    fi
}
for _ in $(seq "$rounds"); do
    for how in sockets xdp; do
        start_rota "$how"
        sleep 2
        for what in www weighted geo; do load rota "$how" "$what"; done
        stop
        start_knot "$how"
        sleep 2
        load knot "$how" www
        if [ "$geoip" = yes ]; then for what in weighted geo; do load knot "$how" "$what"; done; fi
        stop
    done
done
printf '\nmedians\n'
sort -k1,4 -k5,5n told | awk '
    function show() { printf "%-34s %7.0f\n", key, all[int((n + 1) / 2)] }
    { now = $1 " " $2 " " $3 " " $4 }
    now != key { if (n) show(); key = now; n = 0 }
    { all[++n] = $5 }
    END { if (n) show() }'
