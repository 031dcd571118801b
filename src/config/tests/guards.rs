//! What keeps checks from doing harm: their pace, `live`, and the guards of a service.

use std::time::Duration;

use super::{check, service};
use crate::health::{Check, HoldDown, Share};
use crate::steer::{Guard, MaxWithdraw, Policy};

#[test]
fn the_pace_of_a_check_is_judged_as_a_whole() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (written, expected) in [
        (
            "fast = \"6s\"",
            "4:30: `fast` is 6s, longer than `every`, 5s (it is the pace while \
            verdicts are being counted: lower it, or leave it out)",
        ),
        (
            "idle = \"1s\"",
            "4:30: `idle` is 1s, shorter than `every`, 5s (it is the pace of what \
            has been up for long: raise it, or leave it out)",
        ),
        ("hold_down = { after = 0 }", "4:45: `after` is 0, but must be 1 to 20"),
        (
            "hold_down = { max = \"11m\" }",
            "4:43: `max` can never be reached: falls are forgotten \
            after 10m (lower `max`, or raise `within`)",
        ),
    ] {
        check(&format!("[service.a]\ncheck = {{ http = \"/\", {written} }}\n{nodes}"), &[expected]);
    }
}

#[test]
fn the_pace_of_a_check_is_what_was_written() {
    let check = |written: &str| {
        let text =
            format!("[service.a]\nnodes = [\"192.0.2.1\"]\ncheck = {{ http = \"/\"{written} }}");
        let service = service(&text);
        service.targets().next().unwrap().check.clone()
    };
    let default = check("");
    assert_eq!(default, Check::new(default.ask.clone()));
    assert_eq!(check(", hold_down = true"), default);
    assert_eq!(check(", hold_down = false").hold_down, None);
    let written = check(", fast = \"1s\", idle = \"30s\", hold_down = { after = 2, max = \"1m\" }");
    let (second, hold_down) = (Duration::from_secs(1), HoldDown::DEFAULT);
    assert_eq!((written.fast, written.idle), (Some(second), Some(30 * second)));
    assert_eq!(written.hold_down, Some(HoldDown { after: 2, max: 60 * second, ..hold_down }));
}

#[test]
fn guards_are_judged_with_their_service() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (written, expected) in [
        (
            "panic = 1.5",
            "5:9: `panic` is no part of a whole (write 0 to 1, with up to three digits \
            behind the point: 0.5)",
        ),
        (
            "panic = \"50%\"",
            "5:9: `panic` takes a part of a whole (like 0.5), not text (write a \
            number: 0.5)",
        ),
        (
            "max_withdraw = { share = 2 }",
            "5:26: `share` is no part of a whole (write 0 to 1, with \
            up to three digits behind the point: 0.5)",
        ),
        (
            "policy = \"rotate\"\nslow_start = \"30s\"",
            "6:14: `policy = \"rotate\"` takes no notice \
            of weights (write policy = \"weighted\": a node that returns has but a part of its \
            weight)",
        ),
    ] {
        check(&format!("[service.a]\n{nodes}\n{written}"), &[expected]);
    }
}

#[test]
fn guards_are_what_was_written() {
    let guard =
        |text: &str| service(&format!("[service.a]\nnodes = [\"192.0.2.1\"]\n{text}")).guard;
    assert_eq!(guard(""), Guard::default());
    assert_eq!(guard("panic = 0").panic, None);
    assert_eq!(guard("panic = 0.5").panic, Some(Share::thousandths(500)));
    assert_eq!(guard("panic = 1").panic, Some(Share::WHOLE));
    assert_eq!(guard("max_withdraw = true").max_withdraw, Some(MaxWithdraw::DEFAULT));
    let (second, half) = (Duration::from_secs(1), Share::thousandths(500));
    let limit = guard("max_withdraw = { within = \"2m\" }").max_withdraw.unwrap();
    assert_eq!(limit, MaxWithdraw { share: half, within: 120 * second });
    assert_eq!(guard("slow_start = \"30s\"").slow_start, Some(30 * second));
    let text = "[service.a]\nnodes = [\"192.0.2.1\"]\nslow_start = \"30s\"";
    assert_eq!(service(text).policy, Policy::Weighted);
}

#[test]
fn what_tells_of_life_stands_beside_what_tells_of_readiness() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    let help = "(write `check` too: `live` says whether a node that fails it is still alive)";
    let alone = format!("[service.a]\n{nodes}\nlive = {{ http = \"/live\" }}");
    check(&alone, &[&format!("5:1: `live` stands without `check` {help}")]);
    let same = "[check.a]\nhttp = \"/\"\n[service.a]\ncheck = \"a\"\nlive = [\"a\"]\n";
    let said = "7:8: `live` asks the same as `check` (ask what a node that is not ready still \
                answers, or leave `live` out)";
    check(&format!("{same}{nodes}"), &[said]);
    let both = "[service.a]\ncheck = { http = \"/ready\" }\nlive = { http = \"/live\" }\n";
    let service = service(&format!("{both}{nodes}"));
    let address = &service.pools[0].nodes[0].addresses[0];
    assert_eq!((address.targets.len(), address.live.len(), service.targets().count()), (1, 1, 2));
}
