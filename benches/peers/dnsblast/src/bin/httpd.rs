//! httpd: what health checks of a bench ask.
//!
//! ```text
//! httpd PORT [SECS]
//! ```
//!
//! Every request on any local address gets 200, or 503 where its path begins with `/fail`. A
//! connection stays open unless the client wants it closed. After so many seconds (600) it tells
//! how much it has served, and ends.
//!
//! A thread a connection: a bench has a few nodes, and such a thread sleeps between checks.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, thread};

const USAGE: &str = "usage: httpd PORT [SECS]";
const DEFAULT_SECS: u64 = 600;
/// Small, so that thousands of connections are no matter.
const STACK_LEN: usize = 64 * 1024;
/// Rest after an error of `accept`, so that one that stays does not burn a core.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((port, secs)) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(listener) => thread::spawn(move || accept(&listener)),
        Err(error) => {
            eprintln!("httpd: port {port}: {error}");
            return ExitCode::from(2);
        }
    };
    thread::sleep(Duration::from_secs(secs));
    let [connections, requests] = [&CONNECTIONS, &REQUESTS].map(|it| it.load(Ordering::Relaxed));
    println!("connections {connections} requests {requests}");
    ExitCode::SUCCESS
}

fn parse(arguments: &[String]) -> Option<(u16, u64)> {
    match arguments {
        [port] => Some((port.parse().ok()?, DEFAULT_SECS)),
        [port, secs] => Some((port.parse().ok()?, secs.parse().ok()?)),
        _ => None,
    }
}

fn accept(listener: &TcpListener) {
    for stream in listener.incoming() {
        let started = stream.and_then(|stream| {
            CONNECTIONS.fetch_add(1, Ordering::Relaxed);
            // A client that breaks off is no news.
            thread::Builder::new().stack_size(STACK_LEN).spawn(move || serve(&stream).ok())
        });
        if started.is_err() {
            thread::sleep(ERROR_PAUSE);
        }
    }
}

/// Answers one request after the other, until one of the two wants no more.
fn serve(mut stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(Request { fails, closes }) = read_request(&mut reader)? {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        let status = if fails { "503 no" } else { "200 OK" };
        let close = if closes { "Connection: close\r\n" } else { "" };
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{close}\r\n");
        stream.write_all(response.as_bytes())?;
        if closes {
            break;
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Request {
    fails: bool,
    closes: bool,
}

/// Reads the head of a request; None where the client has closed. What has a body is no check:
/// any other method than GET ends the connection.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut closes = !line.starts_with("GET ") || line.trim_end().ends_with("HTTP/1.0");
    let fails = line.starts_with("GET /fail");
    while !line.trim_end().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        closes |= header.starts_with("connection:") && header.ends_with("close");
    }
    Ok(Some(Request { fails, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_what_is_wanted() {
        let request = |fails, closes| Some(Request { fails, closes });
        for (head, wanted) in [
            ("", None),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", request(false, false)),
            ("GET /fail HTTP/1.1\r\n\r\n", request(true, false)),
            ("GET /failing HTTP/1.1\r\nconnection: Close\r\n\r\n", request(true, true)),
            ("GET / HTTP/1.0\r\n\r\n", request(false, true)),
            ("HEAD / HTTP/1.1\r\n\r\n", request(false, true)),
        ] {
            assert_eq!(read_request(&mut head.as_bytes()).unwrap(), wanted, "{head}");
        }
    }

    #[test]
    fn requests_follow_each_other() {
        let mut both = "GET / HTTP/1.1\r\n\r\nGET /fail HTTP/1.1\r\n\r\n".as_bytes();
        assert_eq!(read_request(&mut both).unwrap().map(|request| request.fails), Some(false));
        assert_eq!(read_request(&mut both).unwrap().map(|request| request.fails), Some(true));
    }
}
