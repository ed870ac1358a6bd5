//! Cuts a stream of bytes into lines, in constant memory.

use bytes::{Bytes, BytesMut};

/// The longest line that is kept whole, in bytes: longer than any object of the API. What is beyond is dropped.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that came, up to a line's end that did not.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: BytesMut,
}

impl Lines {
    /// Takes bytes in and gives the lines that they end, without line ends and without empty ones.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, after) = bytes.split_at(end);
            bytes = after.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                tell(line, &mut each);
            } else {
                self.keep(line);
                tell(&self.rest.split(), &mut each);
            }
        }
        self.keep(bytes);
    }

    /// The last line, where it has no line end.
    pub(super) fn end(self) -> Option<Bytes> {
        let rest = self.rest.freeze();
        (!rest.trim_ascii().is_empty()).then_some(rest)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
}

fn tell(line: &[u8], each: &mut impl FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        each(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        let text = b"{\"a\":1}\r\n\n{\"b\":2}\n  \n{\"c\":3}";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut got = Vec::new();
            for chunk in text.chunks(size) {
                lines.push(chunk, |line| got.push(line.to_vec()));
            }
            got.extend(lines.end().map(|last| last.to_vec()));
            assert_eq!(got, [&b"{\"a\":1}"[..], b"{\"b\":2}", b"{\"c\":3}"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.push("x".repeat(100_000).as_bytes(), |_| panic!("no line ended"));
        }
        assert_eq!(lines.rest.len(), MAX_LINE_BYTES);
    }
}
