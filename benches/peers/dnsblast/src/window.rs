//! What is in flight on one socket.
//!
//! A window has so many slots, and each holds one question that waits for its answer. The id of a
//! message tells the slot and how often that slot was used before, so that an answer which comes
//! too late is not taken for that of the next question:
//!
//! ```text
//!  id   [ use | slot ]    8 bits each
//! ```
//!
//! An answer counts only if its id is in flight, it says that it is a response, and its question is
//! the one that was asked.

use crate::questions::{HEADER_LEN, Question};

/// The most slots that an id can tell apart.
pub(crate) const SLOTS_MAX: usize = 256;

/// Octet and bit of a header that say: a response (RFC 1035 §4.1.1).
const RESPONSE: (usize, u8) = (2, 0x80);

/// The questions in flight on one socket, and which comes next.
pub(crate) struct Window<'q> {
    questions: &'q [Question],
    next: usize,
    slots: Vec<Slot>,
    free: Vec<u8>,
}

#[derive(Clone, Default)]
struct Slot {
    asked_ns: u64,
    question: usize,
    uses: u8,
    in_flight: bool,
}

impl<'q> Window<'q> {
    /// An empty window of at most [`SLOTS_MAX`] slots; asks from question `next` on, round and
    /// round.
    pub(crate) fn new(slots: usize, questions: &'q [Question], next: usize) -> Self {
        let free = (0..=u8::MAX).take(slots).rev().collect();
        let next = next % questions.len();
        Self { questions, next, slots: vec![Slot::default(); slots], free }
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn free(&self) -> usize {
        self.free.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Puts the next question in flight; returns the id it is to be sent under. There must be a
    /// free slot.
    pub(crate) fn ask(&mut self, asked_ns: u64) -> (u16, &'q Question) {
        let at = self.free.pop().expect("callers ask no more than is free");
        let question = self.next;
        self.next = if question + 1 == self.questions.len() { 0 } else { question + 1 };
        let slot = &mut self.slots[usize::from(at)];
        let uses = slot.uses.wrapping_add(1);
        *slot = Slot { asked_ns, question, uses, in_flight: true };
        (u16::from_be_bytes([uses, at]), &self.questions[question])
    }

    /// Takes back what could not be sent.
    pub(crate) fn take_back(&mut self, id: u16) {
        let [_, at] = id.to_be_bytes();
        self.slots[usize::from(at)].in_flight = false;
        self.free.push(at);
    }

    /// The time at which was asked what this message answers, whose slot is free then; None where
    /// it answers nothing that is in flight.
    pub(crate) fn accept(&mut self, message: &[u8]) -> Option<u64> {
        let (octet, bit) = RESPONSE;
        let [uses, at] = *message.get(..HEADER_LEN)?.first_chunk()?;
        let slot = self.slots.get_mut(usize::from(at))?;
        let awaited = slot.in_flight && slot.uses == uses && message[octet] & bit != 0;
        if !awaited || !self.questions[slot.question].is_in(message) {
            return None;
        }
        slot.in_flight = false;
        self.free.push(at);
        Some(slot.asked_ns)
    }

    /// Gives up what was asked before then; returns how many questions that were.
    pub(crate) fn give_up_before(&mut self, then_ns: u64) -> u64 {
        self.give_up(|slot| slot.asked_ns < then_ns)
    }

    /// Gives up everything; returns how many questions that were.
    pub(crate) fn give_up_all(&mut self) -> u64 {
        self.give_up(|_| true)
    }

    fn give_up(&mut self, hopeless: impl Fn(&Slot) -> bool) -> u64 {
        let mut lost = 0;
        for (at, slot) in (0..=u8::MAX).zip(&mut self.slots) {
            if slot.in_flight && hopeless(slot) {
                slot.in_flight = false;
                self.free.push(at);
                lost += 1;
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questions::{Subnets, parse};

    fn questions() -> Vec<Question> {
        parse("a.test A\nb.test A\n", Subnets::Untold).unwrap()
    }

    fn answer((id, question): (u16, &Question)) -> Vec<u8> {
        let mut message = question.wire().to_vec();
        message[..2].copy_from_slice(&id.to_be_bytes());
        message[2] |= 0x80;
        message
    }

    #[test]
    fn an_answer_is_accepted_once() {
        let questions = questions();
        let mut window = Window::new(2, &questions, 0);
        let message = answer(window.ask(5));
        assert_eq!((window.in_flight(), window.free()), (1, 1));
        assert_eq!(window.accept(&message), Some(5));
        assert_eq!(window.accept(&message), None);
        assert_eq!((window.in_flight(), window.free()), (0, 2));
    }

    #[test]
    fn only_answers_to_what_is_in_flight_are_accepted() {
        let questions = questions();
        let mut window = Window::new(1, &questions, 0);
        let message = answer(window.ask(5));
        let other = answer((u16::from_be_bytes([message[0], message[1]]), &questions[1]));
        let changed = |octet: usize, mask: u8| {
            let mut changed = message.clone();
            changed[octet] ^= mask;
            changed
        };
        for wrong in [
            changed(0, 1),
            changed(1, 1),
            changed(2, 0x80),
            other,
            message[..message.len() - 1].to_vec(),
            message[..HEADER_LEN - 1].to_vec(),
            vec![],
        ] {
            assert_eq!(window.accept(&wrong), None, "{wrong:?}");
        }
        assert_eq!(window.accept(&message), Some(5));
    }

    #[test]
    fn an_answer_after_it_was_given_up_is_too_late() {
        let questions = questions();
        let mut window = Window::new(1, &questions, 0);
        let late = answer(window.ask(5));
        assert_eq!(window.give_up_before(5), 0);
        assert_eq!(window.give_up_before(6), 1);
        // The same question again, in the same slot.
        window.ask(7);
        window.give_up_all();
        let message = answer(window.ask(8));
        assert_eq!(window.accept(&late), None);
        assert_eq!(window.accept(&message), Some(8));
    }

    #[test]
    fn what_was_not_sent_leaves_its_slot() {
        let questions = questions();
        let mut window = Window::new(SLOTS_MAX, &questions, 1);
        let ids: Vec<u16> = (0..SLOTS_MAX).map(|_| window.ask(0).0).collect();
        assert_eq!(window.free(), 0);
        ids.into_iter().for_each(|id| window.take_back(id));
        assert_eq!((window.free(), window.give_up_all()), (SLOTS_MAX, 0));
    }
}
