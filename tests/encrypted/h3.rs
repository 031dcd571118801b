//! DNS over HTTP/3, which hickory's server carries: a client of it gets what all others get. Both
//! ends are of one library, but what is said between them is ours.

use std::sync::Arc;

use hickory_proto::op::{DnsRequest, DnsRequestOptions, Message};
use hickory_server::net::h3::H3ClientStream;
use hickory_server::net::xfer::{DnsRequestSender, FirstAnswer};
use rota::serve::Way;

use super::engine::query;
use super::world::{HOST, SHARED, ask, question};

async fn connect() -> H3ClientStream {
    let builder = H3ClientStream::builder().crypto_config(SHARED.client(&[b"h3"]));
    builder.build(SHARED.at(Way::H3), Arc::from(HOST), Arc::from("/dns-query")).await.unwrap()
}

/// The records of an answer in their order, whatever octets they came in.
async fn ask_h3(client: &mut H3ClientStream, query: &[u8]) -> Message {
    let request = Message::from_vec(query).unwrap();
    let request = DnsRequest::new(request, DnsRequestOptions::default());
    client.send_message(request).first_answer().await.unwrap().into_message()
}

#[tokio::test]
async fn a_client_of_http_3_gets_what_one_of_tls_gets() {
    let mut client = connect().await;
    let mut tls = SHARED.tls(Way::Tls, b"dot").await;
    for (name, qtype) in [
        ("text.example.test", 16),
        ("mail.example.test", 15),
        ("nothing.example.test", 1),
        ("sub.example.test", 1),
        ("elsewhere.test", 28),
    ] {
        let query = query(0, name, qtype, Some(1232));
        let expected = Message::from_vec(&ask(&mut tls, &query).await).unwrap();
        assert_eq!(ask_h3(&mut client, &query).await, expected, "{name}");
    }
}

/// That is the library's limit, and no end of service: its client connects anew.
#[tokio::test]
async fn a_connection_ends_after_a_hundred_requests_and_another_goes_on() {
    let mut client = connect().await;
    let mut answered = 0;
    let refused = loop {
        let request = Message::from_vec(&question()).unwrap();
        let request = DnsRequest::new(request, DnsRequestOptions::default());
        match client.send_message(request).first_answer().await {
            Ok(_) if answered < 200 => answered += 1,
            Ok(_) => break false,
            Err(_) => break true,
        }
    };
    assert!(refused, "no end after {answered} requests");
    // It closes with the hundredth in its hands, which may be lost.
    assert!(matches!(answered, 99 | 100), "{answered}");
    ask_h3(&mut connect().await, &question()).await;
}
