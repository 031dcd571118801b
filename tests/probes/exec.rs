//! What programs say of nodes, and what becomes of the programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rota::health::ask::Variable;
use rota::health::{Ask, ExecAsk, Outcome, Reason, Stage};

use super::{MEDIUM, PATIENT, fail};

/// A shell with a script.
fn sh(script: &str, words: &[&str]) -> ExecAsk {
    let arguments = ["-c", script, "sh"].into_iter().chain(words.iter().copied());
    ExecAsk {
        program: "/bin/sh".into(),
        arguments: arguments.map(str::to_owned).collect(),
        environment: vec![Variable { name: "WORD".into(), value: "s3cr3t".into() }],
        node: "app.test/@/n1".into(),
    }
}

async fn outcome(ask: ExecAsk, patience: Duration) -> Outcome {
    super::probe(super::check(Ask::Exec(ask), patience)).await.outcome
}

async fn check(script: &str, expected: Outcome) {
    assert_eq!(outcome(sh(script, &[]), PATIENT).await, expected, "{script}");
}

/// A file of numbers of processes, which is gone when the test ends.
struct Numbers(PathBuf);

impl Numbers {
    fn new(name: &str) -> Self {
        let file = format!("rota-exec-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    /// A script that writes its numbers there, which is `$1`.
    fn ask(&self, script: &str) -> ExecAsk {
        sh(script, &[self.0.to_str().unwrap()])
    }

    /// Waits until none of them runs any more. What was left behind is somebody else's to wait
    /// for; the program itself, which comes first, is the prober's, and no zombie stays of it.
    async fn are_gone(&self, count: usize) {
        let text = fs::read_to_string(&self.0).unwrap();
        let all: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(all.len(), count, "{text}");
        let state = |number: &str| {
            let stat = fs::read_to_string(Path::new("/proc").join(number).join("stat")).ok()?;
            stat.rsplit_once(") ")?.1.chars().next()
        };
        while state(all[0]).is_some() || all.iter().any(|it| state(it).is_some_and(|s| s != 'Z')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_code_decides_and_the_first_line_tells() {
    let exit = |code, line: &str| fail(Reason::Exit(code, line.into()));
    check("exit 0", Outcome::Pass).await;
    check("echo all is well; echo more", Outcome::Pass).await;
    check("exit 3", exit(3, "")).await;
    check("echo CRITICAL: no disk; echo more; exit 2", exit(2, "CRITICAL: no disk")).await;
    check("echo lost >&2; exit 1", exit(1, "lost")).await;
    check("echo bye; kill -TERM $$", fail(Reason::Killed(15, "bye".into()))).await;
    let missing = ExecAsk { program: "/no/such/program".into(), ..sh("", &[]) };
    let told = outcome(missing, PATIENT).await;
    assert!(matches!(told, Outcome::NoVerdict(Reason::Local(_))), "{told:?}");
}

#[tokio::test]
async fn a_program_is_given_the_node_and_what_is_named() {
    let exit = |line: &str| fail(Reason::Exit(1, line.into()));
    let all = "echo $ROTA_ADDRESS $ROTA_NODE $WORD $HOME $USER $CARGO_MANIFEST_DIR .; exit 1";
    check(all, exit("127.0.0.1 app.test/@/n1 s3cr3t .")).await;
    let words = ["-H", "{address}", "[{node}]", "$(id)", "a b"];
    let told = outcome(sh("echo $# $*; exit 1", &words), PATIENT).await;
    assert_eq!(told, exit("5 -H 127.0.0.1 [app.test/@/n1] $(id) a b"));
    check("pwd; read line || exit 1", exit("/")).await;
    assert!(!format!("{:?}", sh("", &[])).contains("s3cr3t"));
}

#[tokio::test]
async fn a_program_that_never_ends_is_killed_with_all_that_it_started() {
    let numbers = Numbers::new("endless");
    let script = "trap '' TERM HUP INT; sleep 1000 & echo $$ $! >$1; sleep 1000; sleep 1000";
    let told = outcome(numbers.ask(script), MEDIUM).await;
    assert_eq!(told, fail(Reason::Timeout(Stage::Run)));
    numbers.are_gone(2).await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_does_not_outlive_the_probe() {
    let numbers = Numbers::new("leaves");
    let told = outcome(numbers.ask("sleep 1000 & echo $$ $! >$1"), PATIENT).await;
    assert_eq!(told, Outcome::Pass);
    numbers.are_gone(2).await;
}

#[tokio::test]
async fn a_program_that_floods_is_cut_off() {
    let numbers = Numbers::new("floods");
    let told = outcome(numbers.ask("echo $$ >$1; while :; do echo flood; done"), PATIENT).await;
    assert_eq!(told, fail(Reason::Other("says too much".into())));
    numbers.are_gone(1).await;
}
