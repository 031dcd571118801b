//! What the listener says beside the pages: what they may load, who may look, who keeps them.

use super::*;

/// A listener whose desk tells this, and what came back for each request.
async fn ask(status: StatusDoc, requests: Vec<String>) -> Vec<String> {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (desk, mut asked) = Desk::new(&Events::default());
    tokio::spawn(async move {
        while let Some(request) = asked.recv().await {
            if let Request::Status(reply) = request {
                drop(reply.send(status.clone()));
            }
        }
    });
    let state = Arc::new(State::new(now(), Duration::from_secs(30)));
    tokio::spawn(serve(Door::Tcp(listener, None), state, desk, std::future::pending()));
    spawn_blocking(move || requests.iter().map(|request| talk(address, request)).collect())
        .await
        .unwrap()
}

fn talk(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let host =
        if head.contains("\r\nhost: ") { String::new() } else { format!("host: {address}\r\n") };
    let request = format!("{head}\r\n{host}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[tokio::test]
async fn pages_say_what_they_may_load_and_nobody_keeps_them() {
    let heads = ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET /explain HTTP/1.1"];
    let heads = heads.map(str::to_owned).into();
    for response in ask(crowd(1, 1), heads).await {
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        for header in [
            "content-security-policy: default-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "content-type: text/html; charset=utf-8",
        ] {
            assert!(head.contains(header), "no {header} in {head}");
        }
        assert!(body.is_empty() || body.starts_with("<!doctype html>"), "{body}");
    }
}

#[tokio::test]
async fn files_are_asked_for_again_and_sent_once() {
    let names = ["rota.css", "rota.js", "rota.svg"];
    let heads = names.map(|name| format!("GET /assets/{name} HTTP/1.1")).into();
    let firsts = ask(crowd(1, 1), heads).await;
    let tag = |response: &String| {
        let tags = response.lines().find_map(|line| line.strip_prefix("etag: "));
        tags.unwrap_or_else(|| panic!("no tag in {response}")).to_owned()
    };
    let tags: Vec<String> = firsts.iter().map(tag).collect();
    let again = names.iter().zip(&tags).map(|(name, tag)| {
        format!("GET /assets/{name} HTTP/1.1\r\nif-none-match: \"other\", W/{tag}")
    });
    let other = "GET /assets/rota.css HTTP/1.1\r\nif-none-match: \"other\"".to_owned();
    let mut seconds = ask(crowd(1, 1), again.chain([other]).collect()).await;
    assert!(seconds.pop().unwrap().starts_with("HTTP/1.1 200 "));
    for second in seconds {
        assert!(second.starts_with("HTTP/1.1 304 "), "{second}");
        assert!(second.ends_with("\r\n\r\n"), "{second}");
    }
}

#[tokio::test]
async fn who_may_not_look_sees_no_page() {
    let heads = [
        "GET / HTTP/1.1\r\nhost: evil.test",
        "GET /assets/rota.js HTTP/1.1\r\nhost: evil.test",
        "POST / HTTP/1.1\r\ncontent-type: application/json",
        "GET /services/lb.test/none HTTP/1.1",
        "GET /assets/none.js HTTP/1.1",
    ];
    let found = ask(crowd(1, 1), heads.map(str::to_owned).into()).await;
    let codes: Vec<&str> =
        found.iter().map(|response| response.split(' ').nth(1).unwrap()).collect();
    // The desk here knows no details: the service page says that the server is stopping.
    assert_eq!(codes, ["403", "403", "405", "503", "404"]);
}
