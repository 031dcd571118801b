//! What keeps checks from doing harm: their pace, `live`, and the guards of a service.

use std::collections::HashSet;
use std::time::Duration;

use super::{check, service};
use crate::health::{Ask, Check, HoldDown, LoadAt, LoadFrom, LoadSays, Share};
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
    assert_eq!(
        (address.check.targets().len(), address.live.targets().len(), service.targets().count()),
        (1, 1, 2)
    );
}

#[test]
fn a_report_of_load_is_judged_with_its_check() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (written, expected) in [
        (
            "tcp = \":80\", load = \"header\"",
            "4:24: only an answer over HTTP has a load (ask over \
            `http` or `https`, or leave `load` out)",
        ),
        (
            "http = { method = \"HEAD\" }, load = { metric = \"load\" }",
            "4:39: an answer to HEAD has no \
            body (use method = \"GET\", or load = \"header\")",
        ),
        (
            "http = \"/\", load = { json = \"load\" }",
            "4:39: a JSON pointer begins with a slash (write \
            where it stands, from the slash on: \"/load\")",
        ),
        (
            "http = \"/\", load = { json = \"/a\", metric = \"b\" }",
            "4:45: `json` and `metric` in one \
            report (keep one of the two: a node says its load in one place)",
        ),
        (
            "http = \"/\", load = \"haeder\"",
            "4:30: `load` knows no \"haeder\" (did you mean \
            \"header\"?)",
        ),
    ] {
        check(&format!("[service.a]\ncheck = {{ {written} }}\n{nodes}"), &[expected]);
    }
}

#[test]
fn weights_cannot_follow_what_nobody_says() {
    let said = "5:10: no check of the service says where nodes tell their load (write load = \
                \"header\" (or json, or metric) in its check, or add an agent check)";
    check("[service.a]\nnodes = [\"192.0.2.1\"]\npolicy = \"least-loaded\"", &[said]);
}

#[test]
fn a_report_of_load_is_what_was_written() {
    let load = |written: &str| {
        let text = "[service.a]\nnodes = [\"192.0.2.1\"]\npolicy = \"least-loaded\"";
        let service = service(&format!("{text}\ncheck = {{ http = \"/\"{written} }}"));
        let Ask::Http(ask) = &service.targets().next().unwrap().check.ask else { panic!() };
        ask.load.clone()
    };
    assert_eq!(load(""), None);
    let from = |at, full| Some(LoadFrom { at, full, says: LoadSays::Load });
    assert_eq!(load(", load = \"header\""), from(LoadAt::Header, 1));
    assert_eq!(load(", load = { full = 100 }"), from(LoadAt::Header, 100));
    let weight = LoadFrom { at: LoadAt::Json("/weight".into()), full: 100, says: LoadSays::Weight };
    let written = ", load = { json = \"/weight\", full = 100, says = \"weight\" }";
    assert_eq!(load(written), Some(weight));
    assert_eq!(load(", load = { json = \"/load\" }"), from(LoadAt::Json("/load".into()), 1));
    let metric = ", load = { metric = \"conns\", full = 200 }";
    assert_eq!(load(metric), from(LoadAt::Metric("conns".into()), 200));
}

#[test]
fn needs_are_services_of_the_zone_and_go_in_no_circle() {
    let service = |name: &str, needs: &str| {
        format!("[service.{name}]\nnodes = [\"192.0.2.1\"]\nneeds = {needs}\n")
    };
    let db = "[service.database]\nnodes = [\"192.0.2.9\"]\n";
    let told = "5:10: there is no service \"databse\" (did you mean \"database\"?)";
    check(&format!("{}{db}", service("a", "\"databse\"")), &[told]);
    check(
        &service("a", "[\"a\"]"),
        &["5:11: services need each other in a circle: app.test/a (take \
        one of these needs away)"],
    );
    let circle =
        format!("{}{}{}", service("a", "\"b\""), service("b", "\"c\""), service("c", "\"b\""));
    check(
        &circle,
        &["8:10: services need each other in a circle: app.test/b, app.test/c (take one \
        of these needs away)"],
    );
    let chain: String =
        (0..6).map(|at| service(&format!("s{at}"), &format!("\"s{}\"", at + 1))).collect();
    let end = "[service.s6]\nnodes = [\"192.0.2.9\"]\n";
    let said = "a chain of more than 4 needs ends here (let it need the last of them itself)";
    check(&format!("{chain}{end}"), &[&format!("5:10: {said}"), &format!("8:10: {said}")]);
}

#[test]
fn who_needs_stands_on_the_targets_of_what_it_needs() {
    let text = "[service.app]\nneeds = [\"db\"]\ncheck = { http = \":80/ready\" }\n\
                [service.app.pool.eu]\nnodes = [\"192.0.2.1\"]\n\
                [service.app.pool.us]\nneeds = \"queue\"\nnodes = [\"192.0.2.2\"]\n\
                [service.db]\nnodes = [\"192.0.2.9\"]\ncheck = { tcp = \":5432\" }\n\
                [service.queue]\nnodes = [\"192.0.2.8\"]\ncheck = { tcp = \":5672\" }\n";
    let service = service(text);
    let needs = |pool: usize| -> Vec<&str> {
        service.pools[pool].needs.iter().map(|needed| needed.id.as_str()).collect()
    };
    assert_eq!(needs(0), ["app.test/db"]);
    assert_eq!(needs(1), ["app.test/db", "app.test/queue"]);
    let places: HashSet<String> =
        service.targets().map(|target| target.place().to_string()).collect();
    assert_eq!(places.len(), 4, "{places:?}");
    assert!(["5432", "5672"].iter().all(|port| places.iter().any(|it| it.contains(port))));
}
