//! Instructions for the kernel's machine, eBPF, made without a compiler.
//!
//! ```text
//!  | operation:8 | target:4 | source:4 | offset:16 | number:32 |      one instruction, RFC 9669 §3
//! ```
//!
//! Only what the one program here needs: loads from a frame, comparisons that jump forwards, a call
//! and the end. A jump names a [`Label`], which is placed once and later: so a program without
//! loops is the only one that can be written, and the kernel accepts no other from most.

/// One instruction, as the kernel reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Instruction {
    pub(super) operation: u8,
    /// Source in the upper half, target in the lower, on machines of either order of octets.
    pub(super) registers: u8,
    pub(super) offset: i16,
    pub(super) number: i32,
}

/// A register: 0 is the result, 1 to 5 are arguments, 6 to 9 survive calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register(pub(super) u8);

/// How much a load takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Octet,
    Half,
    Word,
}

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A condition of a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum If {
    Equal,
    NotEqual,
}

// RFC 9669 §4 and §5: classes, and what they do.
pub(super) const LOAD: u8 = 0x61;
pub(super) const LOAD_HALF: u8 = 0x69;
pub(super) const LOAD_OCTET: u8 = 0x71;
pub(super) const LOAD_WIDE: u8 = 0x18;
pub(super) const MOVE: u8 = 0xbf;
pub(super) const MOVE_NUMBER: u8 = 0xb7;
pub(super) const ADD_NUMBER: u8 = 0x07;
pub(super) const AND_NUMBER: u8 = 0x57;
pub(super) const JUMP: u8 = 0x05;
/// In 32 bits, so that a number is not stretched by its sign.
pub(super) const JUMP_EQUAL: u8 = 0x16;
pub(super) const JUMP_NOT_EQUAL: u8 = 0x56;
/// Of registers, in 64 bits: these hold addresses.
pub(super) const JUMP_GREATER: u8 = 0x2d;
pub(super) const CALL: u8 = 0x85;
pub(super) const EXIT: u8 = 0x95;
/// The source of a wide load whose number is the descriptor of a map.
pub(super) const IS_MAP: u8 = 1;

/// A program under way.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    code: Vec<Instruction>,
    /// Where labels were placed.
    places: Vec<Option<usize>>,
    /// Jumps, and where they go.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    /// A place to be named by jumps and placed later.
    pub(super) fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// The next instruction is where these jumps go.
    pub(super) fn place(&mut self, label: Label) {
        self.places[label.0] = Some(self.code.len());
    }

    /// `target` = what stands at the address in `base`, so many octets further.
    pub(super) fn load(&mut self, size: Size, target: Register, base: Register, offset: i16) {
        let operation = match size {
            Size::Octet => LOAD_OCTET,
            Size::Half => LOAD_HALF,
            Size::Word => LOAD,
        };
        self.push(operation, target, base, offset, 0);
    }

    /// `target` = `source`.
    pub(super) fn copy(&mut self, target: Register, source: Register) {
        self.push(MOVE, target, source, 0, 0);
    }

    /// `target` = a number.
    pub(super) fn set(&mut self, target: Register, number: i32) {
        self.push(MOVE_NUMBER, target, Register(0), 0, number);
    }

    /// `target` += a number.
    pub(super) fn add(&mut self, target: Register, number: i32) {
        self.push(ADD_NUMBER, target, Register(0), 0, number);
    }

    /// `target` &= a number.
    pub(super) fn and(&mut self, target: Register, number: i32) {
        self.push(AND_NUMBER, target, Register(0), 0, number);
    }

    /// `target` = the map that this process has under a descriptor.
    pub(super) fn map(&mut self, target: Register, descriptor: i32) {
        self.push(LOAD_WIDE, target, Register(IS_MAP), 0, descriptor);
        // A wide load is two instructions long.
        self.push(0, Register(0), Register(0), 0, 0);
    }

    /// Jumps where the lower half of `left` compares so with a number.
    pub(super) fn jump_if(&mut self, left: Register, how: If, number: u32, to: Label) {
        let operation = match how {
            If::Equal => JUMP_EQUAL,
            If::NotEqual => JUMP_NOT_EQUAL,
        };
        self.jumps.push((self.code.len(), to));
        self.push(operation, left, Register(0), 0, number as i32);
    }

    /// Jumps where one address is beyond another.
    pub(super) fn jump_if_beyond(&mut self, left: Register, right: Register, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(JUMP_GREATER, left, right, 0, 0);
    }

    /// Jumps.
    pub(super) fn jump(&mut self, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(JUMP, Register(0), Register(0), 0, 0);
    }

    /// Calls a function of the kernel.
    pub(super) fn call(&mut self, function: i32) {
        self.push(CALL, Register(0), Register(0), 0, function);
    }

    /// Ends, with what is in register 0.
    pub(super) fn exit(&mut self) {
        self.push(EXIT, Register(0), Register(0), 0, 0);
    }

    /// The program; none where a label was not placed after its jumps, or too far from them.
    pub(super) fn finish(mut self) -> Option<Vec<Instruction>> {
        for (at, label) in self.jumps {
            let skipped = self.places[label.0]?.checked_sub(at + 1)?;
            self.code[at].offset = i16::try_from(skipped).ok()?;
        }
        Some(self.code)
    }

    fn push(&mut self, operation: u8, to: Register, from: Register, offset: i16, number: i32) {
        let (low, high) = if cfg!(target_endian = "big") { (from, to) } else { (to, from) };
        let registers = high.0 << 4 | low.0;
        self.code.push(Instruction { operation, registers, offset, number });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_laid_out_as_the_kernel_reads_them() {
        assert_eq!(size_of::<Instruction>(), 8);
        let mut code = Assembler::default();
        let end = code.label();
        code.load(Size::Half, Register(5), Register(2), 12);
        code.jump_if(Register(5), If::NotEqual, 8, end);
        code.map(Register(1), 9);
        code.place(end);
        code.exit();
        let code = code.finish().unwrap();
        let fields: Vec<_> = code.iter().map(|it| (it.operation, it.offset, it.number)).collect();
        assert_eq!(fields, [(0x69, 12, 0), (0x56, 2, 8), (0x18, 0, 9), (0, 0, 0), (0x95, 0, 0)]);
        #[cfg(target_endian = "little")]
        assert_eq!([code[0].registers, code[2].registers], [0x25, 0x11]);
    }

    #[test]
    fn jumps_go_forwards_to_places_that_are_there() {
        let mut code = Assembler::default();
        let back = code.label();
        code.place(back);
        code.jump(back);
        assert_eq!(code.finish(), None);
        let mut code = Assembler::default();
        let nowhere = code.label();
        code.jump(nowhere);
        assert_eq!(code.finish(), None);
    }
}
