//! Writes a response into a buffer of somebody else's.
//!
//! Records go in by whole RRsets: [`Writer::mark`] before, and [`Writer::rewind`] when one did not
//! fit, so that a response never shows half a set. Names are compressed against what is written
//! already; a pointer always points backwards and never beyond the 14 bits it has.
//!
//! ```text
//!   | header 12 | question | answer … | authority … | additional … | OPT |
//!                                                                  ^ room is kept from the start
//! ```

mod names;

use super::codes::{Class, Rcode, RecordType};
use super::edns::Opt;
use super::header::{AA, HEADER_LEN, Header, OPCODE, QR, RD, TC};
use super::options::ExtendedError;
use names::{Places, pointer};

/// Octets of a record before its RDATA, the owner being a pointer. RFC 1035 §3.2.1.
const HEAD_LEN: usize = 12;
/// Octets of a question behind its name: type and class.
const QUESTION_TAIL_LEN: usize = 4;
/// The longest message. RFC 1035 §4.2.2: two octets of length on a stream.
pub const MESSAGE_LEN_MAX: usize = 65_535;

/// A section that records go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What was asked.
    Answer,
    /// The SOA of a negative answer, the NS of a referral.
    Authority,
    /// Addresses of names in the other sections.
    Additional,
}

/// A record's owner, type, class, TTL and room for a length: the same for all of an RRset.
#[derive(Clone, Copy, Debug)]
pub struct Head([u8; HEAD_LEN]);

/// The response does not hold any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// An owner name: written before, or to be written.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'n> {
    /// The name that was written at this octet of the message; the question's is at 12.
    At(usize),
    /// A complete name in wire form, to be compressed.
    Wire(&'n [u8]),
}

/// Where a response stood, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    counts: [u16; 3],
    places: usize,
}

/// A response being written.
pub struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
    /// What records may fill.
    limit: usize,
    /// What records and the OPT record may fill together.
    limit_whole: usize,
    /// Behind the question.
    start: Mark,
    counts: [u16; 3],
    places: Places,
    class: Class,
    id: u16,
    flags: u8,
    rcode: Rcode,
    has_question: bool,
    opt: Option<&'o mut Opt>,
    why: Option<ExtendedError>,
}

impl<'o> Writer<'o> {
    /// Begins the response to a query: its id, opcode and RD, and its question.
    ///
    /// `limit` is the most octets that may be sent; `opt` is there where the query had an OPT
    /// record. None where even that much does not fit.
    ///
    /// RFC 4035 §3.1.6, RFC 6895 §2.1: AD, CD and Z are ignored in queries and clear in responses.
    #[inline]
    pub fn begin(
        out: &'o mut [u8],
        limit: usize,
        header: Header,
        question: &[u8],
        opt: Option<&'o mut Opt>,
    ) -> Option<Self> {
        let limit_whole = limit.min(out.len()).min(MESSAGE_LEN_MAX);
        let limit = limit_whole.checked_sub(opt.as_ref().map_or(0, |opt| opt.reserved()))?;
        let len = HEADER_LEN + question.len();
        if len > limit {
            return None;
        }
        out[HEADER_LEN..len].copy_from_slice(question);
        Some(Self {
            out,
            len,
            limit,
            limit_whole,
            start: Mark { len, counts: [0; 3], places: 0 },
            counts: [0; 3],
            places: Places::none(),
            class: Class::IN,
            id: header.id,
            flags: QR | (header.flags & (OPCODE | RD)),
            rcode: Rcode::NoError,
            has_question: !question.is_empty(),
            opt,
            why: None,
        })
    }

    /// Goes back to where it began: a question without an answer.
    pub fn clear(&mut self) {
        self.rewind(self.start);
        self.flags &= !(AA | TC);
        self.rcode = Rcode::NoError;
        self.why = None;
        self.unscoped();
    }

    /// Says that the answer is authoritative.
    pub fn authoritative(&mut self) {
        self.flags |= AA;
    }

    /// Says that the answer is not authoritative, whatever was said before.
    pub fn not_authoritative(&mut self) {
        self.flags &= !AA;
    }

    /// Records that begin from now on are of this class rather than IN.
    pub fn class(&mut self, class: Class) {
        self.class = class;
    }

    /// Says why, to a client that speaks EDNS and where there is room.
    pub fn explain(&mut self, why: ExtendedError) {
        self.why = Some(why);
    }

    /// Says how many leading bits of the client's address the answer depends on, where the query
    /// had a client subnet.
    ///
    /// RFC 7871 §7.2.1: of what the answer is made of, aliases too, the longest counts.
    pub fn scope(&mut self, bits: u8) {
        if let Some(scope) = self.opt.as_mut().and_then(|opt| opt.scope()) {
            *scope = bits.max(*scope);
        }
    }

    /// Says that the answer is the same for all clients, whatever was said before.
    pub fn unscoped(&mut self) {
        if let Some(scope) = self.opt.as_mut().and_then(|opt| opt.scope()) {
            *scope = 0;
        }
    }

    /// Says that something was left out, so that the client comes again over a stream.
    pub fn truncated(&mut self) {
        self.flags |= TC;
    }

    /// True where something was left out.
    pub fn is_truncated(&self) -> bool {
        self.flags & TC != 0
    }

    /// Sets the response code.
    pub fn rcode(&mut self, rcode: Rcode) {
        self.rcode = rcode;
    }

    /// Where the response stands now.
    pub fn mark(&self) -> Mark {
        Mark { len: self.len, counts: self.counts, places: self.places.count }
    }

    /// Forgets everything that was written since `mark`.
    pub fn rewind(&mut self, mark: Mark) {
        self.len = mark.len;
        self.counts = mark.counts;
        self.places.count = mark.places;
    }

    /// Begins a record; its RDATA follows by [`Self::bytes`] and [`Self::name`], then
    /// [`Self::end_record`] with what this gives back.
    pub fn begin_record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: RecordType,
        ttl: u32,
    ) -> Result<RdataStart, Full> {
        match owner {
            Owner::At(place) => self.bytes(&pointer(place))?,
            Owner::Wire(name) => self.name(name)?,
        }
        self.bytes(&self.fixed(rtype, ttl))?;
        self.counts[section as usize] += 1;
        Ok(RdataStart(self.len))
    }

    /// Ends a record: its RDATA's length is known now.
    pub fn end_record(&mut self, start: RdataStart) {
        let length = (self.len - start.0) as u16;
        self.out[start.0 - 2..start.0].copy_from_slice(&length.to_be_bytes());
    }

    /// Appends a whole record whose RDATA is copied as it is; its owner was written before.
    pub fn record(&mut self, section: Section, head: &Head, rdata: &[u8]) -> Result<(), Full> {
        let end = self.len + HEAD_LEN + rdata.len();
        if end > self.limit {
            return Err(Full);
        }
        let (fixed, rest) = self.out[self.len..end].split_at_mut(HEAD_LEN);
        fixed.copy_from_slice(&head.0);
        // No message is longer than 65,535 octets.
        fixed[HEAD_LEN - 2..].copy_from_slice(&(rdata.len() as u16).to_be_bytes());
        rest.copy_from_slice(rdata);
        self.len = end;
        self.counts[section as usize] += 1;
        Ok(())
    }

    /// What the records of an RRset begin with, whose owner was written at this octet.
    pub fn head(&self, owner: usize, rtype: RecordType, ttl: u32) -> Head {
        let mut head = [0; HEAD_LEN];
        head[..2].copy_from_slice(&pointer(owner));
        head[2..].copy_from_slice(&self.fixed(rtype, ttl));
        Head(head)
    }

    /// What stands between a record's owner and its RDATA, the length still 0. RFC 1035 §3.2.1.
    fn fixed(&self, rtype: RecordType, ttl: u32) -> [u8; HEAD_LEN - 2] {
        let mut fixed = [0; HEAD_LEN - 2];
        fixed[..2].copy_from_slice(&rtype.0.to_be_bytes());
        fixed[2..4].copy_from_slice(&self.class.0.to_be_bytes());
        fixed[4..8].copy_from_slice(&ttl.to_be_bytes());
        fixed
    }

    /// Appends `count` whole records of one length that were made before, owned by a pointer to the
    /// question's name; where `owner` is another place, the pointers go there instead.
    pub fn records(
        &mut self,
        section: Section,
        owner: usize,
        count: usize,
        wire: &[u8],
    ) -> Result<(), Full> {
        let start = self.len;
        self.bytes(wire)?;
        self.counts[section as usize] += count as u16;
        if owner != HEADER_LEN {
            for record in self.out[start..self.len].chunks_exact_mut(wire.len() / count) {
                record[..2].copy_from_slice(&pointer(owner));
            }
        }
        Ok(())
    }

    /// Appends octets.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.len + bytes.len();
        if end > self.limit {
            return Err(Full);
        }
        self.out[self.len..end].copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    /// The octet where the next thing goes.
    pub fn position(&self) -> usize {
        self.len
    }

    /// Ends the response: counts, flags, OPT. Gives its length in octets.
    pub fn finish(self) -> usize {
        let mut len = self.len;
        let mut additional = self.counts[2];
        if let Some(opt) = &self.opt {
            len = opt.write(&mut self.out[..self.limit_whole], len, self.rcode, self.why);
            additional += 1;
        }
        let [questions, answers, authorities, additionals] =
            [u16::from(self.has_question), self.counts[0], self.counts[1], additional]
                .map(u16::to_be_bytes);
        let [id_high, id_low] = self.id.to_be_bytes();
        let head = [[id_high, id_low], [self.flags, self.rcode.low()]];
        let head = [head[0], head[1], questions, answers, authorities, additionals];
        self.out[..HEADER_LEN].copy_from_slice(head.as_flattened());
        len
    }
}

/// Where the RDATA of a record that was begun starts.
#[derive(Debug)]
#[must_use = "a record that was begun must be ended"]
pub struct RdataStart(usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::edns::OPT_LEN;
    use crate::wire::{Name, OptionCode, Subnet};

    const HEADER: Header = Header { id: 7, flags: 0x01, counts: [1, 0, 0, 0] };
    const QUESTION: &[u8] = b"\x03www\x07example\x00\x00\x01\x00\x01";

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    #[test]
    fn compresses_against_the_question_and_earlier_names() {
        let mut out = [0; 512];
        let mut writer = Writer::begin(&mut out, 512, HEADER, QUESTION, None).unwrap();
        for (owner, target) in [("www.example", "a.b.example"), ("B.example", "x.a.b.example")] {
            let owner = name(owner);
            let start = writer
                .begin_record(Section::Answer, Owner::Wire(owner.as_wire()), RecordType::CNAME, 60)
                .unwrap();
            writer.name(name(target).as_wire()).unwrap();
            writer.end_record(start);
        }
        let len = writer.finish();
        assert_eq!(
            &out[12 + QUESTION.len()..len],
            b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x01a\x01b\xc0\x10\
              \xc0\x2b\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x29"
        );
        assert_eq!(&out[..12], b"\x00\x07\x81\x00\x00\x01\x00\x02\x00\x00\x00\x00");
    }

    #[test]
    fn finds_names_in_any_case_and_behind_pointers() {
        let mut out = [0; 512];
        let mut writer = Writer::begin(&mut out, 512, HEADER, QUESTION, None).unwrap();
        let start = writer.position();
        writer.name(name("A.www.EXAMPLE").as_wire()).unwrap();
        assert_eq!(writer.position(), start + 4);
        for (at, reads) in [(12, "WWW.example"), (16, "eXample"), (start, "a.WWW.example")] {
            assert!(writer.reads(at, name(reads).as_wire()), "{reads}");
            assert!(!writer.reads(at, name("www.example.org").as_wire()), "{reads}");
        }
        let before = writer.position();
        writer.name(name("a.www.example").as_wire()).unwrap();
        assert_eq!(writer.position(), before + 2, "one pointer to the name before");
    }

    #[test]
    fn whole_records_have_one_head_and_lengths_of_their_own() {
        let mut out = [0; 512];
        let limit = 12 + QUESTION.len() + 2 * HEAD_LEN + 3;
        let mut writer = Writer::begin(&mut out, limit, HEADER, QUESTION, None).unwrap();
        let head = writer.head(12, RecordType::TXT, 60);
        assert_eq!(writer.record(Section::Answer, &head, b"\x01a"), Ok(()));
        let mark = writer.mark();
        assert_eq!(writer.record(Section::Answer, &head, b"\x01b"), Err(Full));
        assert_eq!(writer.mark().len, mark.len, "what does not fit leaves nothing");
        assert_eq!(writer.record(Section::Answer, &head, b"\x00"), Ok(()));
        let len = writer.finish();
        assert_eq!(
            &out[12 + QUESTION.len()..len],
            b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x02\x01a\
              \xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x01\x00"
        );
        assert_eq!(out[7], 2);
    }

    #[test]
    fn names_that_were_taken_back_are_not_pointed_to() {
        let mut out = [0; 512];
        let mut writer = Writer::begin(&mut out, 512, HEADER, QUESTION, None).unwrap();
        let mark = writer.mark();
        let other = name("ns.elsewhere");
        writer.name(other.as_wire()).unwrap();
        writer.rewind(mark);
        writer.bytes(b"\x02ns\x09elsewhere\x00").unwrap();
        let start = writer.position();
        writer.name(other.as_wire()).unwrap();
        assert_eq!(writer.position(), start + other.as_wire().len(), "nothing to point to");
        writer.name(name("www.example").as_wire()).unwrap();
        assert_eq!(writer.position(), start + other.as_wire().len() + 2, "the question is");
    }

    #[test]
    fn whole_records_leave_room_for_opt() {
        let mut out = [0; 512];
        let limit = 12 + QUESTION.len() + OPT_LEN + HEAD_LEN + 4;
        let mut opt = Opt::new(1232, false);
        let mut writer = Writer::begin(&mut out, limit, HEADER, QUESTION, Some(&mut opt)).unwrap();
        let head = writer.head(12, RecordType::A, 60);
        assert_eq!(writer.record(Section::Answer, &head, &[0; 5]), Err(Full));
        assert_eq!(writer.record(Section::Answer, &head, &[0; 4]), Ok(()));
        assert_eq!(writer.finish(), limit);
    }

    #[test]
    fn keeps_room_for_opt_and_rewinds_what_does_not_fit() {
        let mut out = [0; 512];
        let limit = 12 + QUESTION.len() + OPT_LEN + 16;
        let mut opt = Opt::new(1232, true);
        let opt = Some(&mut opt);
        let mut writer = Writer::begin(&mut out, limit, HEADER, QUESTION, opt).unwrap();
        let mark = writer.mark();
        assert_eq!(writer.records(Section::Answer, 12, 2, &[0; 32]), Err(Full));
        writer.rewind(mark);
        writer.truncated();
        assert_eq!(writer.records(Section::Answer, 12, 1, &[0; 16]), Ok(()));
        let len = writer.finish();
        assert_eq!(len, limit);
        assert_eq!(&out[len - OPT_LEN..len], b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00");
        assert_eq!(out[2] & TC, TC);
        assert!(Writer::begin(&mut out, 20, HEADER, QUESTION, None).is_none());
    }
    #[test]
    fn room_for_options_is_kept_and_an_explanation_takes_none() {
        let mut out = [0; 512];
        let mut opt = Opt::new(1232, false);
        opt.option(OptionCode::NSID, b"name");
        let limit = 12 + QUESTION.len() + OPT_LEN + 8 + 16;
        let mut writer = Writer::begin(&mut out, limit, HEADER, QUESTION, Some(&mut opt)).unwrap();
        assert_eq!(writer.records(Section::Answer, 12, 2, &[0; 32]), Err(Full));
        assert_eq!(writer.records(Section::Answer, 12, 1, &[0; 16]), Ok(()));
        writer.explain(ExtendedError { code: 0, text: "why" });
        let len = writer.finish();
        assert_eq!(len, limit);
        assert_eq!(&out[len - 10..len], b"\x00\x08\x00\x03\x00\x04name");
    }

    #[test]
    fn of_several_scopes_the_longest_goes_out() {
        let check = |scopes: &[u8], clear: bool, expected: u8| {
            let mut out = [0; 512];
            let mut opt = Opt::new(1232, false);
            opt.subnet(&Subnet::parse(b"\x00\x01\x08\x00\x0a").unwrap());
            let mut writer =
                Writer::begin(&mut out, 512, HEADER, QUESTION, Some(&mut opt)).unwrap();
            scopes.iter().for_each(|&bits| writer.scope(bits));
            if clear {
                writer.clear();
            }
            let len = writer.finish();
            assert_eq!(&out[len - 5..len], [0, 1, 8, expected, 10], "{scopes:?} {clear}");
        };
        check(&[], false, 0);
        check(&[16, 24, 20], false, 24);
        check(&[0], false, 0);
        check(&[24], true, 0);
    }

    #[test]
    fn a_cleared_response_is_its_question_alone() {
        let write = |clear: bool| {
            let (mut out, mut opt) = ([0; 512], Opt::new(512, false));
            let mut writer =
                Writer::begin(&mut out, 512, HEADER, QUESTION, Some(&mut opt)).unwrap();
            if clear {
                writer.authoritative();
                writer.truncated();
                writer.rcode(Rcode::NxDomain);
                writer.explain(ExtendedError { code: 0, text: "why" });
                let owner = name("x.www.example");
                let owner = Owner::Wire(owner.as_wire());
                let start = writer.begin_record(Section::Authority, owner, RecordType::A, 0);
                writer.end_record(start.unwrap());
                writer.clear();
            }
            let len = writer.finish();
            out[..len].to_vec()
        };
        assert_eq!(write(true), write(false));
    }
}
