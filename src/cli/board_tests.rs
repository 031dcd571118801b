//! The board as a reader sees it.

use super::*;

fn row(
    last: u8,
    status: Status,
    last_verdict: Option<Result<(), &str>>,
    share: Option<f64>,
) -> Row {
    Row {
        node: format!("node{last}"),
        address: IpAddr::from([127, 0, 0, 10 + last]),
        weight: 4,
        status,
        contradicted: false,
        since: last_verdict.is_some().then_some(Duration::from_secs(8)),
        last: last_verdict.map(|result| VerdictDoc {
            ago_ms: 0,
            outcome: if result.is_ok() { OutcomeWord::Pass } else { OutcomeWord::Fail },
            reason: result.err().map(str::to_owned),
            latency_ms: 0.412,
            warning: None,
        }),
        share,
    }
}

fn board() -> Board {
    let mut falling = row(4, Status::Up, Some(Err("connection refused")), Some(0.25));
    falling.contradicted = true;
    Board {
        service: "thoughtspot.customer.com".to_owned(),
        policy: "weighted".to_owned(),
        ttl: Duration::from_secs(5),
        answers_per_second: 49.7,
        rows: vec![
            row(1, Status::Up, Some(Ok(())), Some(0.75)),
            row(2, Status::Down, Some(Err("status 503")), Some(0.0)),
            row(3, Status::Unknown, None, None),
            falling,
        ],
        notice: None,
        events: vec![Event { ago: Duration::from_secs(3), text: "node2 is down".to_owned() }],
        hints: vec![Hint { label: "ask".to_owned(), command: "dig A".to_owned() }],
    }
}

const EXPECTED: &str = "  \
  thoughtspot.customer.com   weighted   ttl 5s   50 answers/s

  node   address     weight  status       since  last verdict  answered first
  node1  127.0.0.11       4  ● up            8s  ok in 0.4 ms   75% █████████
  node2  127.0.0.12       4  ○ down          8s  status 503      0%
  node3  127.0.0.13       4  ? unknown        -  -
  node4  127.0.0.14       4  ● up…           8s  connection …   25% ███

    3s ago  node2 is down

  try this in another terminal
  ask  dig A
";

#[test]
fn columns_are_aligned_and_bars_are_to_scale() {
    assert_eq!(render(&board(), 80, false), EXPECTED);
}

#[test]
fn a_wide_terminal_gets_whole_reasons_and_long_bars() {
    let mut board = board();
    board.rows[1] = row(2, Status::Down, Some(Err("not http: its head is too long")), Some(0.0));
    let wide = render(&board, 120, false);
    assert!(wide.contains("  not http: its head is t…    0%\n"), "{wide}");
    assert!(wide.contains(&format!("  75% {}\n", "█".repeat(18))), "{wide}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = render(&board(), 80, true);
    assert!(coloured.contains("\x1b[32m● up"));
    assert!(coloured.contains("\x1b[31m○ down"));
    let mut plain = String::new();
    let mut pieces = coloured.split("\x1b[");
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        plain.push_str(piece.split_once('m').unwrap().1);
    }
    let ends_trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(ends_trimmed(&plain), ends_trimmed(EXPECTED));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 0..130 {
        for line in render(&board(), width, false).lines() {
            assert!(columns(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_notice_stands_under_the_header() {
    let mut board = board();
    board.notice = Some("every address is down".to_owned());
    assert_eq!(render(&board, 80, false).lines().nth(1), Some("  every address is down"));
}

#[test]
fn ages_are_short() {
    for (seconds, expected) in [(0, "0s"), (59, "59s"), (65, "1m05"), (7620, "2h07")] {
        assert_eq!(age(Duration::from_secs(seconds)), expected);
    }
}
