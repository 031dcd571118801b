//! `rota ready`: asks the admin listener whether the server is ready.
//!
//! For the health check of a container and for scripts: the image then needs neither a shell nor
//! curl. One HTTP request over a plain socket, bounded in time and size; nothing of it needs a
//! client library.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::{Exit, client};

/// How long the listener may take to accept, and then for each read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most octets of a response that are read.
const RESPONSE_LEN_MAX: u64 = 4096;

/// Arguments of `rota ready`.
#[derive(clap::Args, Debug)]
pub struct ReadyArgs {
    /// Ask here rather than where the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin: Option<SocketAddr>,

    /// Print nothing; only the exit code tells
    #[arg(short, long)]
    pub quiet: bool,
}

/// Asks `GET /readyz` where the arguments or the configuration say.
pub fn run(args: &ReadyArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let server = client::admin(args.admin, config)?;
    let (code, text) = fetch(server)
        .map_err(|why| anyhow!("no answer from {server} ({why})\n      is `rota run` running?"))?;
    if !args.quiet {
        super::print(text.trim());
    }
    match code {
        200 => Ok(Exit::Good),
        503 => Ok(Exit::Found),
        other => bail!("{server} answered with status {other}: not rota's admin listener"),
    }
}

fn fetch(server: SocketAddr) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n")?;
    let mut response = Vec::new();
    stream.take(RESPONSE_LEN_MAX).read_to_end(&mut response)?;
    parse(&String::from_utf8_lossy(&response))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what answers is not HTTP"))
}

/// Response code and body.
fn parse(response: &str) -> Option<(u16, String)> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    let code = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((code, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(response: &str, expected: Option<(u16, &str)>) {
        assert_eq!(parse(response), expected.map(|(code, text)| (code, text.to_owned())));
    }

    #[test]
    fn reads_code_and_body() {
        check("HTTP/1.1 200 OK\r\na: b\r\n\r\nready\n", Some((200, "ready\n")));
        check("HTTP/1.1 503 No\r\n\r\n", Some((503, "")));
        check("HTTP/1.1 20", None);
        check("SSH-2.0-x\r\n\r\n", None);
        check("", None);
    }
}
