//! Lines cut out of pieces, whatever their seams.

use super::*;

fn all(pieces: &[&[u8]]) -> Vec<(u64, Option<String>)> {
    let mut lines = Lines::default();
    let mut found: Vec<Line> = pieces.iter().flat_map(|piece| lines.push(piece)).collect();
    found.extend(lines.finish());
    found
        .into_iter()
        .map(|line| (line.number, line.text.map(|text| String::from_utf8(text.to_vec()).unwrap())))
        .collect()
}

fn line(number: u64, text: &str) -> (u64, Option<String>) {
    (number, Some(text.to_owned()))
}

#[test]
fn lines_are_whole_wherever_the_body_is_cut() {
    let text = b"{\"a\":1}\n\n{\"b\":2}\r\n  \n{\"c\":3}";
    let whole = [line(1, "{\"a\":1}"), line(3, "{\"b\":2}\r"), line(5, "{\"c\":3}")];
    assert_eq!(all(&[text]), whole);
    for cut in 0..text.len() {
        let (one, other) = text.split_at(cut);
        assert_eq!(all(&[one, other]), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(all(&bytes), whole);
}

#[test]
fn an_empty_body_has_no_line() {
    assert_eq!(all(&[]), []);
    assert_eq!(all(&[b"\n"]), []);
    assert_eq!(all(&[b"x\n"]), [line(1, "x")]);
}

#[test]
fn a_line_without_end_is_not_kept() {
    let piece = vec![b'x'; 1 << 18];
    let mut lines = Lines::default();
    for _ in 0..64 {
        assert_eq!(lines.push(&piece), []);
        assert!(lines.rest.len() <= MAX_BYTES + piece.len());
    }
    assert_eq!(lines.push(b"\n{}\n").len(), 2);
    let mut pieces: Vec<&[u8]> = vec![&piece; 64];
    pieces.push(b"\n{}\n");
    assert_eq!(all(&pieces), [(1, None), line(2, "{}")]);
    // Just as long as may be, and one byte more, in one piece with the next.
    let mut text = vec![b'x'; MAX_BYTES];
    text.extend_from_slice(b"\nb\n");
    assert_eq!(all(&[&text]).len(), 2);
    assert!(all(&[&text])[0].1.is_some());
    text.insert(0, b'x');
    assert_eq!(all(&[&text]), [(1, None), line(2, "b")]);
}
