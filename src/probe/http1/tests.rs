use std::net::Ipv4Addr;

use tokio::io::duplex;

use super::*;

const BODY_LEN_MAX: usize = 8;

/// What a node says, whole and octet by octet: the code of the answer, and its body.
async fn hear(text: &'static str, is_to_head: bool) -> Result<(u16, String, bool), Outcome> {
    let mut told = Vec::new();
    for pipe_len in [1 << 20, 1] {
        let (mut node, stream) = duplex(pipe_len);
        let saying = tokio::spawn(async move { node.write_all(text.as_bytes()).await });
        let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        told.push(
            async {
                let heard = Heard { stream, socket, octets: Vec::new() };
                let answer = heard.answer(is_to_head).await?;
                let status = answer.status;
                let (body, whole) = answer.body(BODY_LEN_MAX).await?;
                Ok((status, String::from_utf8(body).unwrap(), whole))
            }
            .await,
        );
        // What is not listened to cannot be said.
        drop(saying.await.unwrap());
    }
    assert_eq!(told[0], told[1], "{text:?}");
    told.remove(0)
}

async fn check(text: &'static str, body: &str, whole: bool) {
    let expected = Ok((200, body.to_owned(), whole));
    assert_eq!(hear(text, false).await, expected, "{text:?}");
}

#[tokio::test]
async fn bodies_end_where_the_head_says() {
    check("HTTP/1.1 200 OK\r\n\r\nto the", "to the", true).await;
    check("HTTP/1.1 200 OK\r\n\r\nto the end", "to the e", false).await;
    check("HTTP/1.0 200 OK\n\nto the", "to the", true).await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour more", "four", true).await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\neight888", "eight888", true).await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnine99999", "nine9999", false).await;
    check("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nokay", "ok", true).await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", "", true).await;
}

#[tokio::test]
async fn chunks_are_put_together() {
    const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (chunks, body, whole) in [
        ("5\r\nhello\r\n0\r\n\r\n", "hello", true),
        ("3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n", "hello", true),
        ("8\r\neight888\r\n0\r\n\r\n", "eight888", true),
        ("8\r\neight888\r\n1\r\n9\r\n0\r\n\r\n", "eight888", false),
        ("ffffffffffffffff\r\nwithout end", "without ", false),
    ] {
        check(format!("{CHUNKS}{chunks}").leak(), body, whole).await;
    }
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
    check(format!("{both}2\r\nok\r\n0\r\n\r\n").leak(), "ok", true).await;
    let other = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzipped";
    check(other, "zipped", true).await;
}

#[tokio::test]
async fn some_answers_have_no_body_whatever_they_say() {
    let to_head = hear("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", true).await;
    assert_eq!(to_head, Ok((200, String::new(), true)));
    for status in [204, 304] {
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\n").leak();
        assert_eq!(hear(text, false).await, Ok((status, String::new(), true)));
    }
}

/// A node that says a part at a time and then waits, with the connection open.
#[tokio::test]
async fn an_answer_that_is_whole_needs_no_end_of_the_connection() {
    for parts in [
        ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "\r\nok"],
        ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r", "\nok"],
        ["HTTP/1.1 200 OK\nContent-Length: 2\n", "\nok"],
        ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r", "\nok"],
    ] {
        let (mut node, stream) = duplex(1 << 20);
        let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let heard = Heard { stream, socket, octets: Vec::new() };
        let saying = async {
            for part in parts {
                node.write_all(part.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        };
        let hearing = async {
            let answer = heard.answer(false).await?;
            Ok::<_, Outcome>((answer.status, answer.body(BODY_LEN_MAX).await?))
        };
        let told = tokio::select! {
            biased;
            told = hearing => told,
            () = saying => unreachable!("it waits"),
            () = tokio::time::sleep(std::time::Duration::from_secs(10)) => panic!("{parts:?}"),
        };
        assert_eq!(told, Ok((200, (b"ok".to_vec(), true))), "{parts:?}");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n\
                HTTP/1.1 200 OK\r\n\r\nok";
    check(text, "ok", true).await;
    let switching = "HTTP/1.1 101 Switching Protocols\r\n\r\nwhat follows is not HTTP";
    assert_eq!(hear(switching, false).await, Ok((101, String::new(), true)));
}

#[tokio::test]
async fn what_is_malformed_says_how() {
    for (text, why) in [
        ("HTTP/1.1 2oo OK\r\n\r\n", "invalid response status"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "invalid HTTP version"),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "invalid header name"),
        ("HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\n", "its Content-Length is no length"),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "its Content-Length is no length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\n", "it has two Content-Lengths"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "a chunk without a size"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n",
            "a chunk is longer than it says",
        ),
    ] {
        assert_eq!(hear(text, false).await, Err(malformed(why)), "{text:?}");
    }
    let many = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(HEADERS_MAX + 1)).leak();
    assert_eq!(hear(many, false).await, Err(malformed("too many headers")));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(HEAD_LEN_MAX)).leak();
    assert_eq!(hear(long, false).await, Err(malformed("its head is over 64 KiB")));
    let line =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}", "a".repeat(2048));
    assert_eq!(hear(line.leak(), false).await, Err(malformed("a chunk without a size")));
}

#[tokio::test]
async fn what_ends_too_soon_is_cut_off() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nX-Ha",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfou",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        assert_eq!(hear(text, false).await, Err(cut_off()), "{text:?}");
    }
}

#[tokio::test]
async fn headers_are_found_by_name() {
    let text = "HTTP/1.1 200 OK\r\nA:1\r\nb: 2 \r\na: x, y\r\nAA: 3\r\nC:\r\n\r\nA: body";
    let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let heard = Heard { stream: text.as_bytes(), socket, octets: Vec::new() };
    let answer = heard.answer(false).await.unwrap();
    for (name, expected) in [
        ("a", vec!["1", "x, y"]),
        ("B", vec!["2"]),
        ("c", vec![""]),
        ("d", vec![]),
        ("HTTP/1.1 200 OK", vec![]),
    ] {
        let found: Vec<_> =
            answer.values(name).map(|value| str::from_utf8(value).unwrap()).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_request_that_would_break_its_lines_is_not_written() {
    let written = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    for (path, host, header) in [
        ("/\r\nX: y", "a.test", written("A", "b")),
        ("/", "a\nb", written("A", "b")),
        ("/", "a.test", written("A\r", "b")),
        ("/", "a.test", written("A", "b\0")),
    ] {
        let told = Request::new("GET", path, &[("host", host)], &[header], "");
        assert!(matches!(told, Err(Outcome::NoVerdict(Reason::Local(_)))), "{told:?}");
    }
    let request = Request::new("POST", "/", &[("a", "b"), ("c", "d")], &[written("A", "x")], "e\n");
    assert_eq!(request.unwrap().octets, b"POST / HTTP/1.1\r\nc: d\r\nA: x\r\n\r\ne\n");
}
