//! Text to entries to tokens: the outer grammar of a master file. RFC 1035 §5.1.
//!
//! An entry is a line, or several lines held together by parentheses. What is inside is tokens:
//! words, and strings in quotes. A semicolon outside of quotes starts a comment. Tokens are slices
//! of the text, escapes and all, so that each knows the place it came from. The list of them is
//! lent, and filled anew for the next entry: a file may have a million.
//!
//! After a mistake the next line is read as if nothing had happened. Two mistakes could otherwise
//! swallow the rest of the file:
//!
//! * A quote that is never closed ends with its line. No string goes over a line's end, as in BIND.
//! * A parenthesis that is never closed is only known at the end of the text. The entry is then
//!   read again, and from there on every entry ends where a line begins with a word in its first
//!   column, which a line that continues an entry hardly ever does.

use std::ops::Range;

/// A word or a quoted string.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// What was written, escapes included, quotes left out.
    pub(super) text: &'a str,
    /// Where, quotes included.
    pub(super) span: Range<usize>,
    /// True for a string in quotes.
    pub(super) quoted: bool,
    /// True where nothing stands between this token and the one before: `alpn="h2"` is two.
    pub(super) glued: bool,
}

/// The tokens of one record or directive; at least one.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// True where the line starts with a blank: the record belongs to the owner before.
    pub(super) indented: bool,
    /// All tokens in order.
    pub(super) tokens: Vec<Token<'a>>,
}

impl<'a> Entry<'a> {
    fn none() -> Self {
        Self { indented: false, tokens: Vec::new() }
    }

    /// Ready to be read, or read again, from the start.
    fn clear(&mut self, indented: bool) {
        self.indented = indented;
        self.tokens.clear();
    }

    /// From the first token to the end of the last.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.tokens.first().map_or(0, |token| token.span.start);
        start..self.tokens.last().map_or(start, |token| token.span.end)
    }
}

/// A stretch of text that is no entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garble {
    /// What to point at.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) what: &'static str,
    /// What to do.
    pub(super) help: &'static str,
}

/// The entries of a text, one after the other.
pub(super) struct Entries<'a> {
    text: &'a str,
    at: usize,
    /// Set once a parenthesis was found open at the end of the text.
    column_ends_entry: bool,
    /// The one read last.
    entry: Entry<'a>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // A byte order mark, as some editors leave it, is no part of the first owner.
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, column_ends_entry: false, entry: Entry::none() }
    }

    /// The next entry; none at the end of the text.
    pub(super) fn advance(&mut self) -> Option<Result<&mut Entry<'a>, Garble>> {
        while self.at < self.text.len() {
            match self.read() {
                Ok(()) if self.entry.tokens.is_empty() => {}
                Ok(()) => return Some(Ok(&mut self.entry)),
                Err(garble) => return Some(Err(garble)),
            }
        }
        None
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_to_line_end(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// The end of the line, which is where an entry that went wrong is left.
    fn garble(&mut self, span: Range<usize>, what: &'static str, help: &'static str) -> Garble {
        self.skip_to_line_end();
        Garble { span, what, help }
    }

    /// Reads up to the end of one entry, which may turn out to be an empty line.
    fn read(&mut self) -> Result<(), Garble> {
        let start = self.at;
        self.entry.clear(matches!(self.peek(), Some(b' ' | b'\t')));
        let mut open: Vec<usize> = Vec::new();
        while let Some(octet) = self.peek() {
            match octet {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b';' => self.skip_to_line_end(),
                b'\n' => {
                    self.at += 1;
                    if open.is_empty() {
                        return Ok(());
                    }
                    let next_is_word =
                        self.peek().is_some_and(|octet| !b" \t\r\n;()".contains(&octet));
                    if self.column_ends_entry && next_is_word {
                        break;
                    }
                }
                b'(' => {
                    open.push(self.at);
                    self.at += 1;
                }
                b')' => {
                    if open.pop().is_none() {
                        let span = self.at..self.at + 1;
                        let help = "remove it, or open it with `(` where the entry starts";
                        return Err(self.garble(span, "a parenthesis closes nothing", help));
                    }
                    self.at += 1;
                }
                0..0x20 | 0x7f => {
                    let span = self.at..self.at + 1;
                    let help = "remove it; inside a string write it as \\ and three digits";
                    return Err(self.garble(span, "a control character", help));
                }
                _ => {
                    let last = self.entry.tokens.last();
                    let glued = last.is_some_and(|token| token.span.end == self.at);
                    let token = if octet == b'"' { self.string(glued)? } else { self.word(glued) };
                    self.entry.tokens.push(token);
                }
            }
        }
        let Some(&opened) = open.first() else { return Ok(()) };
        if !self.column_ends_entry {
            self.column_ends_entry = true;
            self.at = start;
            return self.read();
        }
        Err(Garble {
            span: opened..opened + 1,
            what: "a parenthesis is never closed",
            help: "close it with `)` where the record ends",
        })
    }

    /// A token that ends at a blank, a quote, a parenthesis, a comment or a control character.
    fn word(&mut self, glued: bool) -> Token<'a> {
        let start = self.at;
        while let Some(octet) = self.peek() {
            match octet {
                0..=0x20 | 0x7f | b'"' | b'(' | b')' | b';' => break,
                b'\\' => self.skip_escaped(),
                _ => self.at += 1,
            }
        }
        Token { text: &self.text[start..self.at], span: start..self.at, quoted: false, glued }
    }

    /// A token in quotes, which end on the same line.
    fn string(&mut self, glued: bool) -> Result<Token<'a>, Garble> {
        let start = self.at;
        self.at += 1;
        while let Some(octet) = self.peek() {
            match octet {
                b'"' => {
                    self.at += 1;
                    let text = &self.text[start + 1..self.at - 1];
                    return Ok(Token { text, span: start..self.at, quoted: true, glued });
                }
                b'\r' | b'\n' => break,
                b'\\' => self.skip_escaped(),
                _ => self.at += 1,
            }
        }
        let help = "close it with `\"`; text over several lines is several strings";
        Err(self.garble(start..self.at, "a string has no end on its line", help))
    }

    /// The backslash and, unless it ends the line, the character that it takes its meaning from.
    fn skip_escaped(&mut self) {
        self.at += 1;
        let next = self.text[self.at..].chars().next();
        self.at += next.filter(|next| !matches!(next, '\r' | '\n')).map_or(0, char::len_utf8);
    }
}
