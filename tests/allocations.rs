//! An answer allocates nothing: counted by the allocator itself.

#![allow(unsafe_code, reason = "an allocator that counts is the only way to know")]

#[path = "common/engine.rs"]
mod engine;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use engine::{Engine, NAMES, everything, query, query_with_options};
use rota::respond::Transport;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it is; the count is a plain thread-local
// number that needs no allocation itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sends every message ten times over both transports, and counts.
fn check(engine: &mut Engine, messages: &[Vec<u8>]) {
    let mut out = vec![0; 65_535];
    // The first load of a snapshot on a thread registers the thread, once.
    engine.respond(&messages[0], Transport::Udp, &mut out);
    for transport in Transport::ALL {
        for message in messages {
            let before = CALLS.with(Cell::get);
            for _ in 0..10 {
                std::hint::black_box(engine.respond(message, transport, &mut out));
            }
            let calls = CALLS.with(Cell::get) - before;
            assert_eq!(calls, 0, "{message:02x?} over {transport:?}");
        }
    }
    let before = CALLS.with(Cell::get);
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(CALLS.with(Cell::get) - before, 2, "the count counts");
}

#[test]
fn no_answer_allocates_or_frees() {
    let types = [1, 28, 2, 5, 6, 15, 16, 33, 43, 65, 255, 252, 65_280];
    let messages: Vec<Vec<u8>> = NAMES
        .iter()
        .flat_map(|name| types.map(|qtype| [None, Some(1232)].map(|opt| (name, qtype, opt))))
        .flatten()
        .map(|(name, qtype, opt)| query(1, name, qtype, opt))
        .chain([b"runt".to_vec(), vec![255; 100], vec![0; 12]])
        .collect();
    check(&mut Engine::new(1), &messages);
}

#[test]
fn no_option_and_no_limit_allocates_or_frees() {
    let options = [
        &b"\x00\x03\x00\x00"[..],
        b"\x00\x0a\x00\x08ABCDEFGH",
        b"\x00\x0a\x00\x18ABCDEFGH\x01\0\0\0\0\0\0\x01ABCDEFGH",
        b"\x00\x0b\x00\x00\x00\x0c\x00\x02\0\0\x00\x03\x00\x00\x00\x0a\x00\x08ABCDEFGH",
        b"\x00\x63\x00\x01x",
        b"\x00\x0a\x00\x01x",
        b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02",
        b"\x00\x08\x00\x0b\x00\x02\x38\x00\x20\x01\x0d\xb8\x00\x00\x01",
        b"\x00\x08\x00\x04\x00\x00\x00\x00",
        b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02\x00\x0a\x00\x08ABCDEFGH",
        b"\x00\x08\x00\x04\x00\x01\x18\x00",
    ];
    let mut messages: Vec<Vec<u8>> = NAMES
        .iter()
        .flat_map(|name| options.map(|options| query_with_options(name, 1, options)))
        .collect();
    let mut chaos = query(1, "version.bind", 16, Some(1232));
    let class_at = chaos.len() - 12;
    chaos[class_at] = 3;
    messages.push(chaos);
    for per_second in [1, 1_000_000] {
        check(&mut Engine::with_settings(1, everything(per_second)), &messages);
    }
}
