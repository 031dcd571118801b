#!/usr/bin/env bash
# Queries a second and processor time a query over TLS and HTTPS: Rota, BIND and NSD, one worker
# each on core 0, clients on core 1, everything on persistent connections.
#
#   benches/peers/encrypted.sh [SECONDS] [ROUNDS]
#
# Over TLS dnsperf asks on 8 connections with up to 192 questions open; over HTTPS h2load posts on 8
# connections with 24 requests open each (NSD has no HTTPS; dnsperf keeps only the last of the answers
# that come in one read, and so cannot tell how fast a server is that sends several at once).
# ROTA_BINARY names another binary than target/release/rota.
set -eu
cd "$(dirname "$0")/../.."
secs=${1:-3} rounds=${2:-3}
rota=$(realpath "${ROTA_BINARY:-target/release/rota}")
for tool in named nsd dnsperf h2load openssl taskset; do
    command -v "$tool" > /dev/null || { echo "missing: $tool"; exit 2; }
done
work=$(mktemp -d)
cd "$work"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=ns1.example.test -addext subjectAltName=DNS:ns1.example.test,IP:127.0.0.1 \
    -keyout key.pem -out cert.pem 2> openssl.log
mkdir zones
cat > zones/example.test.zone <<'ZONE'
$ORIGIN example.test.
$TTL 5
@ SOA ns1 host 1 7200 900 1209600 60
@ NS ns1
ns1 A 127.0.0.53
www A 192.0.2.1
www A 192.0.2.2
www A 192.0.2.3
www A 192.0.2.4
ZONE
echo 'www.example.test A' > questions
printf '\0\0\0\0\0\1\0\0\0\0\0\0\3www\7example\4test\0\0\1\0\1' > question
cat > rota.toml <<CONF
[listen]
dns = ["127.0.0.1:15970"]
tls = ["127.0.0.1:15971"]
https = ["127.0.0.1:15972"]
admin = "127.0.0.1:15973"
workers = 1
[tls]
certs = [{ cert = "cert.pem", key = "key.pem" }]
CONF
cat > named.conf <<CONF
options {
    directory "$work"; pid-file none; session-keyfile none; listen-on-v6 { none; };
    listen-on port 15974 tls own { 127.0.0.1; };
    listen-on port 15975 tls own http default { 127.0.0.1; };
    recursion no; minimal-responses yes; notify no; dnssec-validation no;
    rrset-order { order cyclic; }; empty-zones-enable no;
};
tls own { cert-file "$work/cert.pem"; key-file "$work/key.pem"; };
controls { };
logging { category default { null; }; };
zone "example.test" { type primary; file "zones/example.test.zone"; };
CONF
cat > nsd.conf <<CONF
server:
  server-count: 1
  ip-address: 127.0.0.1@15976
  tls-port: 15976
  tls-service-key: "$work/key.pem"
  tls-service-pem: "$work/cert.pem"
  username: ""
  chroot: ""
  zonesdir: "$work/zones"
  database: ""
  zonelistfile: "$work/zonelist"
  xfrdfile: "$work/xfrd"
  pidfile: "$work/nsd.pid"
  minimal-responses: yes
  round-robin: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: example.test.zone
CONF

taskset -c 0 "$rota" run > rota.log 2>&1 & rota_pid=$!
taskset -c 0 named -f -n 1 -c named.conf > named.log 2>&1 & named_pid=$!
taskset -c 0 nsd -d -c nsd.conf > nsd.log 2>&1 & nsd_pid=$!
trap 'kill $rota_pid $named_pid $nsd_pid; wait; rm -r "$work"' EXIT
sleep 2

tree() { echo "$1"; for child in $(ps -o pid= --ppid "$1"); do tree "$child"; done; }
ticks() {
    for pid in $(tree "$1"); do sed 's/.*) //' "/proc/$pid/stat"; done |
        awk '{ sum += $12 + $13 } END { print sum }'
}
told() { # who, what, ticks, queries, seconds
    awk -v who="$1" -v what="$2" -v ticks="$3" -v queries="$4" -v secs="$5" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { printf "%-5s %-5s %8d qps  %6.1f us of processor a query\n", who, what,
                 queries / secs, queries ? ticks / hz * 1e6 / queries : 0 }'
}
over_tls() { # who, pid, port
    local before after queries
    before=$(ticks "$2")
    queries=$(taskset -c 1 dnsperf -m dot -s 127.0.0.1 -p "$3" -d questions -c 8 -q 192 -T 1 -l "$secs" \
        2>&1 | awk '/Queries completed/ { print $3 }')
    after=$(ticks "$2")
    told "$1" dot $((after - before)) "$queries" "$secs"
}
over_https() { # who, pid, port
    local before after queries
    before=$(ticks "$2")
    queries=$(taskset -c 1 h2load -D "$secs" -c 8 -m 24 -t 1 -d question \
        -H 'content-type: application/dns-message' "https://127.0.0.1:$3/dns-query" |
        sed -n 's/^requests: .* \([0-9]*\) succeeded.*/\1/p')
    after=$(ticks "$2")
    told "$1" doh $((after - before)) "$queries" "$secs"
}
for _ in $(seq "$rounds"); do
    over_tls rota "$rota_pid" 15971
    over_tls bind "$named_pid" 15974
    over_tls nsd "$nsd_pid" 15976
    over_https rota "$rota_pid" 15972
    over_https bind "$named_pid" 15975
done
