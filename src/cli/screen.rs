//! A terminal that is drawn over again and again.

use std::io::Write;

use terminal_size::{Height, Width};

/// Columns and lines where the terminal does not tell.
const SIZE_DEFAULT: (usize, usize) = (100, 24);

/// What was drawn. It hides the cursor; whatever ends the drawing, dropping this brings it back.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: usize,
}

/// Columns and lines.
pub(super) fn size() -> (usize, usize) {
    terminal_size::terminal_size()
        .map_or(SIZE_DEFAULT, |(Width(width), Height(height))| (width.into(), height.into()))
}

/// True where the operator has not asked for no colours.
pub(super) fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none()
}

impl Screen {
    /// Draws over what was drawn before.
    pub(super) fn draw(&mut self, text: &str) {
        // What is higher than the terminal would scroll, and could not be drawn over.
        let lines = text.lines().count().min(size().1.saturating_sub(1));
        // Hide the cursor; go up over the old text; clear the rest of each line as it is written
        // (clearing first would flicker), and whatever is below the last one.
        let mut out = String::from("\x1b[?25l");
        if self.lines > 0 {
            out += &format!("\x1b[{}A\r", self.lines);
        }
        for line in text.lines().take(lines) {
            out += line;
            out += "\x1b[K\n";
        }
        out += "\x1b[J";
        print_raw(&out);
        self.lines = lines;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print_raw("\x1b[?25h\n");
    }
}

fn print_raw(text: &str) {
    let mut out = std::io::stdout().lock();
    // A terminal that went away is noticed by the signal that comes with it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
