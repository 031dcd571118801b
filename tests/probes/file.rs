//! What files say of nodes, as they come, change and go.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rota::health::{Ask, FileAsk, Outcome, ProbeOrder, Reason, Target, TargetId};
use rota::probe::{Prober, Reports};

use super::{PATIENT, fail};

/// A file that is gone when the test ends, and a prober that looks at it again and again.
struct Watched {
    file: PathBuf,
    prober: Prober,
    reports: Reports,
}

impl Watched {
    fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("rota-file-{}-{name}", std::process::id()));
        let (prober, reports) = Prober::new();
        Self { file, prober, reports }
    }

    async fn outcome(&mut self) -> Outcome {
        let ask = FileAsk { path: self.file.clone(), node: "app.test/@/n1".into() };
        let check = super::check(Ask::File(ask), PATIENT);
        let target = Arc::new(Target { address: [127, 0, 0, 1].into(), check });
        self.prober.start(ProbeOrder { id: TargetId::FIRST, target, late_by: Duration::ZERO });
        self.reports.recv().await.unwrap().verdict.outcome
    }

    async fn says_nothing(&mut self, because: &str) {
        let told = self.outcome().await;
        let Outcome::NoVerdict(Reason::Local(why)) = &told else { panic!("{told:?}") };
        assert!(why.contains(because), "{why}");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes() {
    let mut watched = Watched::new("changes");
    watched.says_nothing("No such file").await;
    let down = fail(Reason::SaysDown("no disk".into()));
    for (text, expected) in [
        ("n1 up\n", Outcome::Pass),
        ("n1 down no disk\n", down.clone()),
        ("127.0.0.1 drain\n", fail(Reason::Draining)),
    ] {
        fs::write(&watched.file, text).unwrap();
        assert_eq!(watched.outcome().await, expected);
        assert_eq!(watched.outcome().await, expected);
    }
    // A rename is seen whatever the length and the time.
    let beside = watched.file.with_extension("new");
    fs::write(&beside, "n1 down no disk\n").unwrap();
    fs::rename(&beside, &watched.file).unwrap();
    assert_eq!(watched.outcome().await, down);
    fs::write(&watched.file, "n2 up\n").unwrap();
    watched.says_nothing("no line for n1 or 127.0.0.1").await;
    fs::remove_file(&watched.file).unwrap();
    watched.says_nothing("No such file").await;
}

#[tokio::test]
async fn what_is_no_file_of_states_says_nothing() {
    let mut watched = Watched::new("odd");
    fs::write(&watched.file, vec![b'x'; (1 << 20) + 1]).unwrap();
    watched.says_nothing("more than 1048576 octets").await;
    fs::write(&watched.file, b"n1 \xff\n").unwrap();
    watched.says_nothing("line 1 of the file has no state").await;
    let file = std::mem::replace(&mut watched.file, "/dev/zero".into());
    watched.says_nothing("it is not a file").await;
    watched.file = file;
}
