//! dnsblast: bounded closed-loop (or paced) DNS load generator over UDP or TCP.
//!
//! Every query occupies a window slot (message id = generation << 8 | slot); an
//! answer counts only if its id is in flight on that socket, QR is set and the
//! question section comes back byte for byte.  UDP I/O is recvmmsg/sendmmsg.
use std::collections::BTreeMap;
use std::io::{Error, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const USAGE: &str = "dnsblast -s ADDR -p PORT (-d FILE | -q 'NAME TYPE') [options]
  -l SECS     measured duration (default 5)      -W SECS  warm-up, not counted (0.5)
  -n N        sockets/connections (16)           -w N     window per socket, 1..256 (32)
  -t N        generator threads (1)              -r QPS   paced open load instead of full speed
  -b N        sendmmsg/recvmmsg batch (64)       --tcp    persistent pipelined TCP
  --edns SIZE   add OPT                          --do     set the DO bit (implies OPT)
  --ecs CIDR|random|random10   client-subnet option; random = 65536 seeded IPv4 /24s,
                random10 = the same inside 10.0.0.0/13 (for maps that list those)
  --idle spin|sleep|epoll   what to do when nothing is readable (sleep = 50 us naps)
  --timeout-ms MS (1000)    --shuffle    --dist (count first answer address)   --json
FILE: one 'NAME TYPE' per line, # comments.";

#[derive(Clone, Copy, PartialEq)]
enum Idle {
    Spin,
    Sleep,
    Epoll,
}

#[derive(Clone)]
struct Opt {
    addr: SocketAddr,
    secs: f64,
    warm: f64,
    socks: usize,
    window: usize,
    threads: usize,
    rate: f64,
    batch: usize,
    tcp: bool,
    edns: Option<u16>,
    dnssec_ok: bool,
    ecs: Option<String>,
    idle: Idle,
    timeout_ns: u64,
    shuffle: bool,
    dist: bool,
    json: bool,
}

struct Query {
    wire: Vec<u8>,
    qend: usize,
}

// ---------- statistics ----------
const SUB: u32 = 6; // 64 sub-buckets per octave: 1.6 % resolution
#[derive(Clone)]
struct Stats {
    answered: u64,
    sent: u64,
    lost: u64,
    bad: u64,
    tc: u64,
    io_err: u64,
    bytes: u64,
    rr: u64,
    rcode: [u64; 16],
    hist: Vec<u64>,
    dist: BTreeMap<Vec<u8>, u64>,
}
impl Stats {
    fn new() -> Self {
        Stats {
            answered: 0,
            sent: 0,
            lost: 0,
            bad: 0,
            tc: 0,
            io_err: 0,
            bytes: 0,
            rr: 0,
            rcode: [0; 16],
            hist: vec![0; 64 << SUB],
            dist: BTreeMap::new(),
        }
    }
    fn lat(&mut self, ns: u64) {
        let v = ns.max(1 << SUB);
        let e = 63 - v.leading_zeros();
        let i = ((e - SUB) << SUB) as usize + (v >> (e - SUB)) as usize;
        self.hist[i] += 1;
    }
    fn pct(&self, p: f64) -> f64 {
        let total: u64 = self.hist.iter().sum();
        let want = (total as f64 * p).ceil() as u64;
        let mut c = 0;
        for (i, n) in self.hist.iter().enumerate() {
            c += n;
            if c >= want && *n > 0 {
                let sh = ((i >> SUB) as u32).saturating_sub(1);
                let m = if i >> SUB == 0 { i as u64 } else { (i as u64) - ((sh as u64) << SUB) };
                return (m << sh) as f64 / 1e3;
            }
        }
        0.0
    }
    fn merge(&mut self, o: &Stats) {
        self.answered += o.answered;
        self.sent += o.sent;
        self.lost += o.lost;
        self.bad += o.bad;
        self.tc += o.tc;
        self.io_err += o.io_err;
        self.bytes += o.bytes;
        self.rr += o.rr;
        for i in 0..16 {
            self.rcode[i] += o.rcode[i]
        }
        for (a, b) in self.hist.iter_mut().zip(&o.hist) {
            *a += b
        }
        for (k, v) in &o.dist {
            *self.dist.entry(k.clone()).or_default() += v
        }
    }
}

// ---------- queries ----------
fn qtype(s: &str) -> u16 {
    match s.to_ascii_uppercase().as_str() {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "DS" => 43,
        "DNSKEY" => 48,
        "SVCB" => 64,
        "HTTPS" => 65,
        "CAA" => 257,
        "ANY" => 255,
        t => t
            .strip_prefix("TYPE")
            .and_then(|n| n.parse().ok())
            .unwrap_or_else(|| die(&format!("qtype {s}"))),
    }
}
fn build(name: &str, qt: u16, o: &Opt, ecs: Option<(IpAddr, u8)>) -> Query {
    let opt = o.edns.is_some() || o.dnssec_ok || ecs.is_some();
    let mut w = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, opt as u8];
    for l in name.trim_end_matches('.').split('.').filter(|l| !l.is_empty()) {
        w.push(l.len() as u8);
        w.extend_from_slice(l.as_bytes());
    }
    w.push(0);
    w.extend_from_slice(&qt.to_be_bytes());
    w.extend_from_slice(&[0, 1]);
    let qend = w.len();
    if opt {
        w.extend_from_slice(&[0, 0, 41]);
        w.extend_from_slice(&o.edns.unwrap_or(1232).to_be_bytes());
        w.extend_from_slice(&[0, 0, if o.dnssec_ok { 0x80 } else { 0 }, 0]);
        let mut rd = vec![];
        if let Some((ip, plen)) = ecs {
            let (fam, bytes) = match ip {
                IpAddr::V4(a) => (1u8, a.octets().to_vec()),
                IpAddr::V6(a) => (2, a.octets().to_vec()),
            };
            let n = (plen as usize).div_ceil(8);
            rd.extend_from_slice(&[0, 8, 0, 4 + n as u8, 0, fam, plen, 0]);
            rd.extend_from_slice(&bytes[..n]);
        }
        w.extend_from_slice(&(rd.len() as u16).to_be_bytes());
        w.extend_from_slice(&rd);
    }
    Query { wire: w, qend }
}
fn rng(s: &mut u64) -> u64 {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    *s
}
fn queries(lines: &[String], o: &Opt) -> Vec<Query> {
    let mut seed = 0x9e3779b97f4a7c15u64;
    let mut pairs: Vec<(String, u16)> = lines
        .iter()
        .map(|l| l.split('#').next().unwrap().trim())
        .filter(|l| !l.is_empty())
        .map(|l| {
            let mut p = l.split_whitespace();
            (p.next().unwrap().to_string(), qtype(p.next().unwrap_or("A")))
        })
        .collect();
    if pairs.is_empty() {
        die("no queries")
    }
    if o.shuffle {
        for i in (1..pairs.len()).rev() {
            pairs.swap(i, (rng(&mut seed) % (i as u64 + 1)) as usize)
        }
    }
    match o.ecs.as_deref() {
        Some(m @ ("random" | "random10")) => (0..pairs.len().max(65536))
            .map(|i| {
                let r = rng(&mut seed) >> 20;
                let ip = if m == "random" {
                    [1 + (r % 223) as u8, (r >> 8) as u8, (r >> 16) as u8, 0]
                } else {
                    [10, (r >> 8 & 7) as u8, (r >> 16) as u8, 0]
                };
                let (n, t) = &pairs[i % pairs.len()];
                build(n, *t, o, Some((IpAddr::from(ip), 24)))
            })
            .collect(),
        e => {
            let ecs = e.map(|s| {
                let (a, p) = s.split_once('/').unwrap_or_else(|| die("--ecs needs ADDR/LEN"));
                (a.parse().unwrap(), p.parse().unwrap())
            });
            pairs.iter().map(|(n, t)| build(n, *t, o, ecs)).collect()
        }
    }
}

// ---------- window of one socket ----------
struct Slot {
    at: u64,
    q: u32,
    seq: u8,
    live: bool,
}
struct Win {
    slots: Vec<Slot>,
    free: Vec<u8>,
    next_q: usize,
}
impl Win {
    fn new(n: usize, next_q: usize) -> Self {
        Win {
            slots: (0..n).map(|_| Slot { at: 0, q: 0, seq: 0, live: false }).collect(),
            free: (0..n).rev().map(|i| i as u8).collect(),
            next_q,
        }
    }
    fn take(&mut self, qs: &[Query], at: u64) -> (u16, usize) {
        let s = self.free.pop().unwrap();
        let q = self.next_q;
        self.next_q = if q + 1 == qs.len() { 0 } else { q + 1 };
        let sl = &mut self.slots[s as usize];
        sl.seq = sl.seq.wrapping_add(1);
        sl.at = at;
        sl.q = q as u32;
        sl.live = true;
        ((sl.seq as u16) << 8 | s as u16, q)
    }
    fn untake(&mut self, id: u16) {
        self.slots[(id & 255) as usize].live = false;
        self.free.push(id as u8)
    }
    fn answer(&mut self, m: &[u8], qs: &[Query], now: u64, st: &mut Stats, dist: bool) {
        if m.len() < 12 {
            st.bad += 1;
            return;
        }
        let id = u16::from_be_bytes([m[0], m[1]]);
        let Some(sl) = self.slots.get_mut((id & 255) as usize) else {
            st.bad += 1;
            return;
        };
        if !sl.live || sl.seq != (id >> 8) as u8 || m[2] & 0x80 == 0 {
            st.bad += 1;
            return;
        }
        let q = &qs[sl.q as usize];
        if m.len() < q.qend || m[12..q.qend] != q.wire[12..q.qend] {
            st.bad += 1;
            return;
        }
        sl.live = false;
        self.free.push(id as u8);
        st.answered += 1;
        st.bytes += m.len() as u64;
        st.rr += u16::from_be_bytes([m[6], m[7]]) as u64;
        st.rcode[(m[3] & 15) as usize] += 1;
        st.tc += (m[2] >> 1 & 1) as u64;
        st.lat(now.saturating_sub(sl.at));
        if dist {
            if let Some(rd) = first_rdata(&m[q.qend..]) {
                *st.dist.entry(rd.to_vec()).or_default() += 1
            }
        }
    }
    fn expire(&mut self, now: u64, limit: u64, st: &mut Stats) {
        for (i, s) in self.slots.iter_mut().enumerate() {
            if s.live && now.saturating_sub(s.at) > limit {
                s.live = false;
                self.free.push(i as u8);
                st.lost += 1
            }
        }
    }
    fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
fn first_rdata(mut m: &[u8]) -> Option<&[u8]> {
    loop {
        let l = *m.first()? as usize;
        if l >= 0xc0 {
            m = m.get(2..)?;
            break;
        }
        m = m.get(1 + l..)?;
        if l == 0 {
            break;
        }
    }
    let n = u16::from_be_bytes([*m.get(8)?, *m.get(9)?]) as usize;
    if !matches!(m[1], 1 | 28) {
        return None;
    }
    m.get(10..10 + n)
}

// ---------- recvmmsg/sendmmsg buffers ----------
const BUF: usize = 4096;
struct Mm {
    hdr: Vec<libc::mmsghdr>,
    _iov: Vec<libc::iovec>,
    buf: Vec<u8>,
}
impl Mm {
    fn new(n: usize) -> Self {
        let mut buf = vec![0u8; n * BUF];
        let mut iov: Vec<libc::iovec> = (0..n)
            .map(|i| libc::iovec { iov_base: buf[i * BUF..].as_mut_ptr().cast(), iov_len: BUF })
            .collect();
        let hdr = (0..n)
            .map(|i| {
                let mut h: libc::mmsghdr = unsafe { std::mem::zeroed() };
                h.msg_hdr.msg_iov = &mut iov[i];
                h.msg_hdr.msg_iovlen = 1;
                h
            })
            .collect();
        Mm { hdr, _iov: iov, buf }
    }
}

fn die(m: &str) -> ! {
    eprintln!("dnsblast: {m}");
    std::process::exit(2)
}
fn epoll_for(fds: &[i32]) -> i32 {
    unsafe {
        let ep = libc::epoll_create1(0);
        for fd in fds {
            let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, *fd, &mut e);
        }
        ep
    }
}
struct Clock {
    t0: Instant,
    warm: u64,
    end: u64,
    drain: u64,
}
impl Clock {
    fn now(&self) -> u64 {
        self.t0.elapsed().as_nanos() as u64
    }
}
/// Paced mode: how many queries are due, and the intended time of the next one
/// (latency counts from the intended time, so stalls are not hidden).
struct Pace {
    gap: f64,
    done: u64,
}
impl Pace {
    fn due(&self, now: u64) -> usize {
        if self.gap == 0.0 {
            usize::MAX
        } else {
            ((now as f64 / self.gap) as u64 + 1).saturating_sub(self.done) as usize
        }
    }
    fn at(&mut self, now: u64) -> u64 {
        if self.gap == 0.0 {
            now
        } else {
            self.done += 1;
            ((self.done - 1) as f64 * self.gap) as u64
        }
    }
}
fn idle(o: &Opt, ep: i32) {
    match o.idle {
        Idle::Spin => std::hint::spin_loop(),
        Idle::Sleep => std::thread::sleep(Duration::from_micros(50)),
        Idle::Epoll => unsafe {
            let mut e = libc::epoll_event { events: 0, u64: 0 };
            libc::epoll_wait(ep, &mut e, 1, 1);
        },
    }
}

/// (measured part, everything from first query to the end of the drain)
fn worker_udp(o: &Opt, qs: &[Query], idx: usize, gate: &Barrier) -> (Stats, Stats) {
    let n = o.socks.div_ceil(o.threads);
    let any: SocketAddr = if o.addr.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().unwrap();
    let socks: Vec<UdpSocket> = (0..n)
        .map(|_| {
            let s = UdpSocket::bind(any).unwrap();
            s.connect(o.addr).unwrap();
            let sz: i32 = 1 << 20;
            for op in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
                unsafe {
                    libc::setsockopt(
                        s.as_raw_fd(),
                        libc::SOL_SOCKET,
                        op,
                        (&raw const sz).cast(),
                        4,
                    );
                }
            }
            s
        })
        .collect();
    let fds: Vec<i32> = socks.iter().map(|s| s.as_raw_fd()).collect();
    let ep = epoll_for(&fds);
    let mut win: Vec<Win> =
        (0..n).map(|i| Win::new(o.window, (idx * n + i) * 7919 % qs.len())).collect();
    let (mut rx, mut tx) = (Mm::new(o.batch), Mm::new(o.batch));
    let mut ids = vec![0u16; o.batch];
    let (mut st, mut all) = (Stats::new(), Stats::new());
    gate.wait();
    let t = clock(o);
    let mut pace =
        Pace { gap: if o.rate > 0.0 { 1e9 * o.threads as f64 / o.rate } else { 0.0 }, done: 0 };
    let (mut measuring, mut sweep, mut first) = (false, 0u64, 0usize);
    loop {
        let mut now = t.now();
        if !measuring && now >= t.warm {
            measuring = true;
            all.merge(&st);
            st = Stats::new()
        }
        if now >= t.end {
            all.merge(&st);
            drain(&mut st, &mut all, &fds, &mut win, &mut rx, qs, &t, o);
            return (st, all);
        }
        let mut busy = false;
        first = (first + 1) % n;
        for k in 0..n {
            let i = (first + k) % n;
            let r = recv(fds[i], &mut rx);
            if r > 0 {
                busy = true;
                now = t.now();
                for j in 0..r as usize {
                    win[i].answer(
                        &rx.buf[j * BUF..j * BUF + rx.hdr[j].msg_len as usize],
                        qs,
                        now,
                        &mut st,
                        o.dist,
                    )
                }
            } else if r < 0 && Error::last_os_error().raw_os_error() != Some(libc::EAGAIN) {
                st.io_err += 1
            }
            let want = win[i].free.len().min(o.batch).min(pace.due(now));
            if want == 0 || (pace.gap == 0.0 && want < o.batch.min(o.window) / 4) {
                continue;
            }
            for j in 0..want {
                let at = pace.at(now);
                let (id, q) = win[i].take(qs, at);
                let w = &qs[q].wire;
                let b = &mut tx.buf[j * BUF..j * BUF + w.len()];
                b.copy_from_slice(w);
                b[..2].copy_from_slice(&id.to_be_bytes());
                tx._iov[j].iov_len = w.len();
                ids[j] = id;
            }
            let s = unsafe {
                libc::sendmmsg(fds[i], tx.hdr.as_mut_ptr(), want as u32, libc::MSG_DONTWAIT as _)
            };
            if s < 0 {
                st.io_err += 1
            }
            let s = s.max(0) as usize;
            for id in ids[s..want].iter().rev() {
                win[i].untake(*id)
            }
            st.sent += s as u64;
            busy |= s > 0;
        }
        if now.saturating_sub(sweep) > 50_000_000 {
            sweep = now;
            for w in &mut win {
                w.expire(now, o.timeout_ns, &mut st)
            }
        }
        if !busy {
            idle(o, ep)
        }
    }
}
fn recv(fd: i32, rx: &mut Mm) -> isize {
    let r = unsafe {
        libc::recvmmsg(
            fd,
            rx.hdr.as_mut_ptr(),
            rx.hdr.len() as u32,
            libc::MSG_DONTWAIT as _,
            std::ptr::null_mut(),
        )
    };
    r as isize
}
#[allow(clippy::too_many_arguments)]
fn drain(
    st: &mut Stats,
    all: &mut Stats,
    fds: &[i32],
    win: &mut [Win],
    rx: &mut Mm,
    qs: &[Query],
    t: &Clock,
    o: &Opt,
) {
    let mut d = Stats::new();
    while t.now() < t.drain && win.iter().any(|w| w.live() > 0) {
        let mut got = false;
        for (i, fd) in fds.iter().enumerate() {
            let r = recv(*fd, rx);
            let now = t.now();
            for j in 0..r.max(0) as usize {
                got = true;
                win[i].answer(
                    &rx.buf[j * BUF..j * BUF + rx.hdr[j].msg_len as usize],
                    qs,
                    now,
                    &mut d,
                    o.dist,
                )
            }
        }
        if !got {
            std::thread::sleep(Duration::from_micros(50))
        }
    }
    all.merge(&d);
    st.lost += win.iter().map(|w| w.live() as u64).sum::<u64>();
}
fn clock(o: &Opt) -> Clock {
    let (w, e) = ((o.warm * 1e9) as u64, ((o.warm + o.secs) * 1e9) as u64);
    Clock { t0: Instant::now(), warm: w, end: e, drain: e + 300_000_000 }
}

struct Conn {
    s: TcpStream,
    out: Vec<u8>,
    sent: usize,
    inb: Vec<u8>,
}
fn conn(o: &Opt) -> Conn {
    let s = TcpStream::connect(o.addr).unwrap_or_else(|e| die(&format!("tcp connect: {e}")));
    s.set_nodelay(true).unwrap();
    s.set_nonblocking(true).unwrap();
    Conn { s, out: Vec::with_capacity(65536), sent: 0, inb: Vec::with_capacity(1 << 18) }
}
fn worker_tcp(o: &Opt, qs: &[Query], idx: usize, gate: &Barrier) -> (Stats, Stats) {
    let n = o.socks.div_ceil(o.threads);
    let mut cs: Vec<Conn> = (0..n).map(|_| conn(o)).collect();
    let ep = epoll_for(&cs.iter().map(|c| c.s.as_raw_fd()).collect::<Vec<_>>());
    let mut win: Vec<Win> =
        (0..n).map(|i| Win::new(o.window, (idx * n + i) * 7919 % qs.len())).collect();
    let (mut st, mut all) = (Stats::new(), Stats::new());
    let mut rd = vec![0u8; 1 << 16];
    let mut extra = Stats::new(); // answers that arrive during the drain
    gate.wait();
    let t = clock(o);
    let mut pace =
        Pace { gap: if o.rate > 0.0 { 1e9 * o.threads as f64 / o.rate } else { 0.0 }, done: 0 };
    let (mut measuring, mut sweep) = (false, 0u64);
    loop {
        let mut now = t.now();
        if !measuring && now >= t.warm {
            measuring = true;
            all.merge(&st);
            st = Stats::new()
        }
        let sending = now < t.end;
        if !sending {
            if measuring && sweep != u64::MAX {
                sweep = u64::MAX;
                all.merge(&st)
            }
            if now >= t.drain || win.iter().all(|w| w.live() == 0) {
                break;
            }
        }
        let tgt = if sending { &mut st } else { &mut extra };
        let mut busy = false;
        for i in 0..n {
            let mut dead = false;
            match cs[i].s.read(&mut rd) {
                Ok(0) => dead = true,
                Ok(k) => {
                    busy = true;
                    now = t.now();
                    let c = &mut cs[i];
                    c.inb.extend_from_slice(&rd[..k]);
                    let mut p = 0;
                    while c.inb.len() - p >= 2 {
                        let l = u16::from_be_bytes([c.inb[p], c.inb[p + 1]]) as usize;
                        if c.inb.len() - p - 2 < l {
                            break;
                        }
                        win[i].answer(&c.inb[p + 2..p + 2 + l], qs, now, tgt, o.dist);
                        p += 2 + l;
                    }
                    c.inb.drain(..p);
                }
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => dead = true,
            }
            if dead {
                // reconnect; whatever was in flight is lost
                tgt.io_err += 1;
                tgt.lost += win[i].live() as u64;
                let q = win[i].next_q;
                win[i] = Win::new(o.window, q);
                if sending {
                    cs[i] = conn(o);
                    let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
                    unsafe {
                        libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, cs[i].s.as_raw_fd(), &mut e);
                    }
                }
                continue;
            }
            if sending && cs[i].sent == cs[i].out.len() {
                cs[i].out.clear();
                cs[i].sent = 0;
                let want = win[i].free.len().min(o.batch).min(pace.due(now));
                if want > 0 && (pace.gap > 0.0 || want >= o.batch.min(o.window) / 4) {
                    for _ in 0..want {
                        let at = pace.at(now);
                        let (id, q) = win[i].take(qs, at);
                        let w = &qs[q].wire;
                        let out = &mut cs[i].out;
                        out.extend_from_slice(&(w.len() as u16).to_be_bytes());
                        out.extend_from_slice(&id.to_be_bytes());
                        out.extend_from_slice(&w[2..]);
                    }
                    tgt.sent += want as u64;
                }
            }
            let c = &mut cs[i];
            if c.sent < c.out.len() {
                if let Ok(k) = c.s.write(&c.out[c.sent..]) {
                    c.sent += k;
                    busy = true
                }
            }
        }
        if sending && now.saturating_sub(sweep) > 50_000_000 {
            sweep = now;
            for w in &mut win {
                w.expire(now, o.timeout_ns, &mut st)
            }
        }
        if !busy {
            idle(o, ep)
        }
    }
    all.merge(&extra);
    st.lost += win.iter().map(|w| w.live() as u64).sum::<u64>();
    (st, all)
}

fn main() {
    let mut o = Opt {
        addr: "127.0.0.1:53".parse().unwrap(),
        secs: 5.0,
        warm: 0.5,
        socks: 16,
        window: 32,
        threads: 1,
        rate: 0.0,
        batch: 64,
        tcp: false,
        edns: None,
        dnssec_ok: false,
        ecs: None,
        idle: Idle::Sleep,
        timeout_ns: 1_000_000_000,
        shuffle: false,
        dist: false,
        json: false,
    };
    let (mut ip, mut port, mut lines) = ("127.0.0.1".parse::<IpAddr>().unwrap(), 53u16, vec![]);
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        let mut v = || a.next().unwrap_or_else(|| die(USAGE));
        macro_rules! num {
            () => {
                v().parse().unwrap_or_else(|_| die(&format!("bad value for {k}")))
            };
        }
        match k.as_str() {
            "-s" => ip = num!(),
            "-p" => port = num!(),
            "-q" => lines.push(v()),
            "-d" => {
                let f = v();
                lines.extend(
                    std::fs::read_to_string(&f)
                        .unwrap_or_else(|e| die(&format!("{f}: {e}")))
                        .lines()
                        .map(String::from),
                )
            }
            "-l" => o.secs = num!(),
            "-W" => o.warm = num!(),
            "-n" => o.socks = num!(),
            "-w" => o.window = num!(),
            "-t" => o.threads = num!(),
            "-r" => o.rate = num!(),
            "-b" => o.batch = num!(),
            "--tcp" => o.tcp = true,
            "--edns" => o.edns = Some(num!()),
            "--do" => o.dnssec_ok = true,
            "--ecs" => o.ecs = Some(v()),
            "--idle" => {
                o.idle = match v().as_str() {
                    "spin" => Idle::Spin,
                    "sleep" => Idle::Sleep,
                    "epoll" => Idle::Epoll,
                    _ => die(USAGE),
                }
            }
            "--timeout-ms" => {
                let ms: u64 = num!();
                o.timeout_ns = ms * 1_000_000
            }
            "--shuffle" => o.shuffle = true,
            "--dist" => o.dist = true,
            "--json" => o.json = true,
            _ => die(USAGE),
        }
    }
    o.addr = SocketAddr::new(ip, port);
    if o.window == 0
        || o.window > 256
        || o.batch == 0
        || o.batch > 1024
        || o.socks == 0
        || o.threads == 0
        || o.secs <= 0.0
        || o.secs > 600.0
    {
        die(USAGE)
    }
    let qs = Arc::new(queries(&lines, &o));
    let gate = Arc::new(Barrier::new(o.threads));
    let hs: Vec<_> = (0..o.threads)
        .map(|i| {
            let (o, qs, gate) = (o.clone(), qs.clone(), gate.clone());
            std::thread::spawn(move || {
                if o.tcp { worker_tcp(&o, &qs, i, &gate) } else { worker_udp(&o, &qs, i, &gate) }
            })
        })
        .collect();
    let (mut st, mut all) = (Stats::new(), Stats::new());
    for h in hs {
        let (s, t) = h.join().unwrap();
        st.merge(&s);
        all.merge(&t)
    }
    report(&o, &st, &all);
    if st.answered == 0 {
        std::process::exit(1)
    }
}
fn report(o: &Opt, s: &Stats, all: &Stats) {
    const RC: [&str; 16] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "6", "7", "8", "9",
        "10", "11", "12", "13", "14", "15",
    ];
    let rc: Vec<String> = s
        .rcode
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(i, n)| format!("\"{}\":{n}", RC[i]))
        .collect();
    let per = |x: u64| x as f64 / s.answered.max(1) as f64;
    let (qps, p) = (s.answered as f64 / o.secs, [0.5, 0.99, 0.999].map(|p| s.pct(p)));
    let dist: Vec<String> = s
        .dist
        .iter()
        .map(|(k, n)| {
            let ip = match k.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(&k[..]).unwrap()).to_string(),
                16 => IpAddr::from(<[u8; 16]>::try_from(&k[..]).unwrap()).to_string(),
                _ => "?".into(),
            };
            format!("\"{ip}\":{n}")
        })
        .collect();
    if o.json {
        println!(
            "{{\"qps\":{qps:.0},\"answered\":{},\"total_answered\":{},\"sent\":{},\"lost\":{},\"bad\":{},\"io_err\":{},\"tc\":{},\"p50_us\":{:.1},\"p99_us\":{:.1},\"p999_us\":{:.1},\"bytes_avg\":{:.1},\"answers_avg\":{:.2},\"rcodes\":{{{}}},\"dist\":{{{}}}}}",
            s.answered,
            all.answered,
            s.sent,
            s.lost,
            s.bad,
            s.io_err,
            s.tc,
            p[0],
            p[1],
            p[2],
            per(s.bytes),
            per(s.rr),
            rc.join(","),
            dist.join(",")
        );
    } else {
        println!(
            "{qps:.0} qps answered  ({} in {} s; lost {}, bad {}, io errors {}, TC {})",
            s.answered, o.secs, s.lost, s.bad, s.io_err, s.tc
        );
        println!(
            "latency us: p50 {:.1}  p99 {:.1}  p99.9 {:.1}   avg {:.1} bytes, {:.2} answer RRs   {}",
            p[0],
            p[1],
            p[2],
            per(s.bytes),
            per(s.rr),
            rc.join(" ")
        );
        if o.dist {
            println!("first answer: {}", dist.join("  "))
        }
    }
}
