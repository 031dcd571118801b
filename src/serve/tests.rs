//! What cannot be brought about from outside: a thread that ends without being told to.

use super::*;

fn idle_running() -> (Running, mpsc::UnboundedSender<Ended>) {
    let (report, ended) = mpsc::unbounded_channel();
    let counters = Counters::new(|_| 1);
    let (gates, threads) = (Vec::new(), Vec::new());
    let (tallies, stop, keyring) = (Vec::new(), Stop::new(), Arc::default());
    let below = Arc::default();
    (Running { gates, counters, keyring, tallies, below, stop, threads, ended }, report)
}

/// A thread with this body ends; `expected` is what is told of it.
#[track_caller]
fn check_end(body: impl FnOnce() -> io::Result<()> + Send + 'static, expected: Option<&str>) {
    let (mut running, report) = idle_running();
    running.spawn("udp-7".to_owned(), None, &report, body).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = runtime.block_on(running.ended());
    assert_eq!(ended.thread, "udp-7");
    assert_eq!(ended.error.map(|error| error.to_string()).as_deref(), expected);
    running.stop();
}

#[test]
fn the_end_of_a_thread_is_told_however_it_comes() {
    check_end(|| Ok(()), None);
    check_end(|| Err(io::Error::other("no runtime")), Some("no runtime"));
    check_end(|| panic!("a bug, made for this test"), None);
}

#[test]
fn nothing_is_told_while_all_threads_live() {
    let (mut running, report) = idle_running();
    let flag = Arc::clone(&running.stop.flag);
    let body = move || {
        while !flag.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        Ok(())
    };
    running.spawn("udp-0".to_owned(), None, &report, body).unwrap();
    assert!(running.ended.try_recv().is_err());
    running.stop();
}
