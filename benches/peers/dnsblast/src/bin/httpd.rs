//! httpd: a health-check target for load tests. Answers every request on every local
//! address (0.0.0.0) with 200, or with 503 when the path starts with /fail.
//! usage: httpd PORT [SECS]   prints the number of requests served when it ends
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let l = TcpListener::bind(("0.0.0.0", a[1].parse().unwrap())).unwrap();
    let end = Instant::now() + Duration::from_secs(a.get(2).map_or(600, |v| v.parse().unwrap()));
    unsafe { libc::listen(l.as_raw_fd(), 4096) };
    l.set_nonblocking(true).unwrap();
    let ep = unsafe { libc::epoll_create1(0) };
    let add = |fd: i32| {
        let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: fd as u64 };
        unsafe { libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, fd, &mut e) };
    };
    add(l.as_raw_fd());
    let mut conns: HashMap<i32, TcpStream> = HashMap::new();
    let (mut conn_n, mut req_n, mut buf) = (0u64, 0u64, [0u8; 4096]);
    while Instant::now() < end {
        let mut ev = [libc::epoll_event { events: 0, u64: 0 }; 256];
        let n = unsafe { libc::epoll_wait(ep, ev.as_mut_ptr(), 256, 500) };
        for e in &ev[..n.max(0) as usize] {
            let fd = e.u64 as i32;
            if fd == l.as_raw_fd() {
                while let Ok((c, _)) = l.accept() {
                    c.set_nonblocking(true).unwrap();
                    conn_n += 1;
                    add(c.as_raw_fd());
                    conns.insert(c.as_raw_fd(), c);
                }
                continue;
            }
            let Some(c) = conns.get_mut(&fd) else { continue };
            match c.read(&mut buf) {
                Ok(k) if k > 0 => {
                    req_n += 1;
                    let code = if buf[..k].starts_with(b"GET /fail") { "503 no" } else { "200 OK" };
                    let close = !buf[..k].starts_with(b"GET ")
                        || buf[..k].windows(8).any(|w| w == b"HTTP/1.0")
                        || buf[..k].windows(6).any(|w| w.eq_ignore_ascii_case(b" close"));
                    let _ = c.write_all(
                        format!(
                            "HTTP/1.1 {code}\r\nContent-Length: 0\r\n{}\r\n",
                            if close { "Connection: close\r\n" } else { "" }
                        )
                        .as_bytes(),
                    );
                    if close {
                        conns.remove(&fd);
                    }
                }
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => {
                    conns.remove(&fd);
                }
            }
        }
    }
    println!("connections {conn_n} requests {req_n}");
}
