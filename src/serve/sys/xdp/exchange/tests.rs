//! Exchanges with a kernel that drops, fails and stops whenever it likes.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::wire::frame::made::Made;

const FRAMES: u32 = 24;
const FILL_LEN: usize = 16;
const SEND_LEN: usize = 8;
/// Where a kernel puts a frame into its place.
const HEADROOM: u64 = 256;

/// A kernel with small rings. It knows what it has, and nothing may reach it twice.
struct Kernel {
    memory: Vec<u8>,
    filling: VecDeque<u64>,
    arrived: VecDeque<Piece>,
    leaving: VecDeque<Piece>,
    gone: VecDeque<u64>,
    /// It sends nothing while this holds, as when the link is down.
    stuck: bool,
    /// What it has sent.
    wire: Vec<Vec<u8>>,
}

impl Kernel {
    fn new() -> Self {
        Self {
            memory: vec![0; FRAMES as usize * FRAME_LEN],
            filling: VecDeque::new(),
            arrived: VecDeque::new(),
            leaving: VecDeque::new(),
            gone: VecDeque::new(),
            stuck: false,
            wire: Vec::new(),
        }
    }

    /// A frame comes by the wire; false where there is nowhere to put it.
    fn deliver(&mut self, frame: &[u8]) -> bool {
        let Some(at) = self.filling.pop_front() else { return false };
        let address = at + HEADROOM;
        let place = &mut self.memory[address as usize..][..frame.len()];
        place.copy_from_slice(frame);
        self.arrived.push_back(Piece { address, len: frame.len() as u32 });
        true
    }

    fn transmit(&mut self, how_many: usize) {
        let some = self.leaving.len().min(how_many);
        for Piece { address, len } in self.leaving.drain(..some) {
            self.wire.push(self.memory[address as usize..][..len as usize].to_vec());
            self.gone.push_back(address);
        }
    }

    /// Every place that it has, by the number of the frame.
    fn has(&self) -> Vec<u64> {
        let pieces = self.arrived.iter().chain(&self.leaving).map(|piece| piece.address);
        let all = pieces.chain(self.filling.iter().copied()).chain(self.gone.iter().copied());
        all.map(|address| address / FRAME_LEN as u64).collect()
    }
}

impl Rings for Kernel {
    fn arrived(&mut self) -> Option<Piece> {
        self.arrived.pop_front()
    }

    fn gone(&mut self) -> Option<u64> {
        self.gone.pop_front()
    }

    fn fill(&mut self, address: u64) -> bool {
        assert!(!self.has().contains(&(address / FRAME_LEN as u64)), "lent twice: {address}");
        let room = self.filling.len() < FILL_LEN;
        if room {
            self.filling.push_back(address);
        }
        room
    }

    fn leave(&mut self, piece: Piece) -> bool {
        let number = piece.address / FRAME_LEN as u64;
        assert!(!self.has().contains(&number), "lent twice: {piece:?}");
        let room = self.leaving.len() < SEND_LEN;
        if room {
            self.leaving.push_back(piece);
        }
        room
    }

    fn publish(&mut self) {}

    fn flush(&mut self) {
        if !self.stuck {
            self.transmit(usize::MAX);
        }
    }

    fn octets(&mut self, frame: &Frame) -> &mut [u8] {
        &mut self.memory[frame.at()..][..FRAME_LEN]
    }
}

/// Answers with the query and an octet more; silence to what begins with `s`.
fn echo(query: &[u8], _: SocketAddr, out: &mut [u8]) -> Option<usize> {
    if query.starts_with(b"s") {
        return None;
    }
    let len = (query.len() + 1).min(out.len());
    out[..len - 1].copy_from_slice(&query[..len - 1]);
    out[len - 1] = b'!';
    Some(len)
}

fn question(payload: &[u8]) -> Made {
    Made::new("192.0.2.7:4000", "198.51.100.1:53", payload)
}

fn exchange() -> Exchange<Kernel> {
    Exchange::new(Kernel::new(), FRAMES, 1500, 1)
}

#[test]
fn a_frame_comes_back_as_its_answer() {
    let mut exchange = exchange();
    assert_eq!(exchange.receive(), 0);
    for payload in [&b"what"[..], b"silence", b"where"] {
        assert!(exchange.rings.deliver(&question(payload).octets()));
    }
    let mut foreign = question(b"what").octets();
    foreign[30] ^= 1;
    assert!(exchange.rings.deliver(&foreign));
    assert_eq!(exchange.receive(), 4);
    assert_eq!(exchange.answer(echo), 2, "one of them, and what is no query");
    assert_eq!(exchange.send(), Sent { sent: 2, failed: 0 });
    let answers = exchange.rings.wire.iter().map(|frame| {
        let found = Datagram::parse(frame).unwrap();
        assert_eq!(found.source, "198.51.100.1:53".parse().unwrap());
        frame[found.payload].to_vec()
    });
    assert_eq!(answers.collect::<Vec<_>>(), [&b"what!"[..], b"where!"]);
    exchange.recover();
    let census = exchange.census();
    assert_eq!((census.filling, census.here, census.leaving), (FILL_LEN, 0, 0));
}

#[test]
fn an_answer_is_no_longer_than_the_link_takes() {
    for (mtu, expected) in [(576, 576 - 28), (1500, 1500 - 28), (9000, FRAME_LEN - 256 - 42)] {
        let mut exchange = Exchange::new(Kernel::new(), FRAMES, mtu, 1);
        exchange.receive();
        exchange.rings.deliver(&question(b"what").octets());
        exchange.receive();
        let mut room = 0;
        exchange.answer(|_, _, out| {
            room = out.len();
            Some(out.len())
        });
        assert_eq!(room, expected, "{mtu}");
        assert_eq!(exchange.send().sent, 1);
        assert_eq!(exchange.rings.wire[0].len(), expected + 42);
    }
}

#[test]
fn where_nothing_leaves_answers_are_given_up_and_frames_are_not() {
    let mut exchange = exchange();
    exchange.receive();
    exchange.rings.stuck = true;
    let mut failed = 0;
    for _ in 0..100 {
        exchange.rings.deliver(&question(b"what").octets());
        exchange.receive();
        exchange.answer(echo);
        failed += exchange.send().failed;
    }
    assert_eq!(failed, 100 - SEND_LEN);
    let census = exchange.census();
    assert_eq!((census.leaving, census.here), (SEND_LEN, 0));
    exchange.rings.stuck = false;
    exchange.rings.flush();
    exchange.recover();
    let census = exchange.census();
    assert_eq!(census.filling + census.spare, FRAMES as usize);
}

#[test]
fn a_kernel_that_names_what_it_does_not_have_is_not_believed() {
    let mut exchange = exchange();
    exchange.receive();
    exchange.rings.deliver(&question(b"what").octets());
    let twice = exchange.rings.arrived[0];
    exchange.rings.arrived.push_back(twice);
    exchange.rings.arrived.push_back(Piece { address: u64::MAX, len: 60 });
    let beyond = Piece { address: exchange.rings.filling.pop_front().unwrap() + 2047, len: 60 };
    exchange.rings.arrived.push_back(beyond);
    assert_eq!(exchange.receive(), 2);
    assert_eq!(exchange.answer(echo), 1, "it ends beyond its place");
    assert_eq!(exchange.send().sent, 1);
    exchange.rings.gone.push_back(17);
    exchange.recover();
    assert_eq!(exchange.census().filling + exchange.census().spare, FRAMES as usize);
}

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    Arrive(Made),
    Turn,
    Transmit(usize),
    Stick(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..30).prop_map(|payload| Event::Arrive(question(&payload))),
        1 => Just(Event::Arrive(Made { fragment: 1, ..question(b"part") })),
        3 => Just(Event::Turn),
        2 => (0..9_usize).prop_map(Event::Transmit),
        1 => any::<bool>().prop_map(Event::Stick),
    ]
}

proptest! {
    /// Whatever is dropped, fails or stops: each frame is in one place, the kernel has those that
    /// the ledger says it has, every frame that came is counted once, and at the end all come back.
    #[test]
    fn no_frame_is_ever_lost(events in vec(event(), 0..300)) {
        let mut exchange = exchange();
        let (mut came, mut counted) = (0, 0);
        exchange.receive();
        for event in events {
            match event {
                Event::Arrive(made) => came += usize::from(exchange.rings.deliver(&made.octets())),
                Event::Turn => {
                    let received = exchange.receive();
                    let silent = exchange.answer(echo);
                    let sent = exchange.send();
                    prop_assert_eq!(received, silent + sent.sent + sent.failed);
                    counted += received;
                }
                Event::Transmit(some) => exchange.rings.transmit(some),
                Event::Stick(stuck) => exchange.rings.stuck = stuck,
            }
            let census = exchange.census();
            let kernel = exchange.rings.has().len();
            prop_assert_eq!(census.filling + census.leaving, kernel);
            prop_assert_eq!(census.here, 0);
            prop_assert_eq!(census.spare + kernel, FRAMES as usize);
        }
        counted += exchange.receive();
        exchange.answer(echo);
        exchange.send();
        prop_assert_eq!(came, counted);
        exchange.rings.transmit(usize::MAX);
        exchange.recover();
        let census = exchange.census();
        prop_assert_eq!((census.leaving, census.here), (0, 0));
    }
}
