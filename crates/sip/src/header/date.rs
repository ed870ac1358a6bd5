//! Date: RFC 3261 §20.17, the one form of RFC 1123 that SIP has: `Sat, 13 Nov 2010 23:29:00 GMT`.

use super::tokens::{Class, trim};

/// Whether the text is a date. Its weekday is not compared with its day.
pub(crate) fn is_date(value: &[u8]) -> bool {
    let [w0, w1, w2, b',', b' ', d0, d1, b' ', m0, m1, m2, b' ', year @ ..] = trim(value) else {
        return false;
    };
    let [y0, y1, y2, y3, b' ', h0, h1, b':', n0, n1, b':', s0, s1, b' ', b'G', b'M', b'T'] = year
    else {
        return false;
    };
    matches!(&[*w0, *w1, *w2], b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
        && is_month([*m0, *m1, *m2])
        && Class::DIGIT.holds(&[*y0, *y1, *y2, *y3])
        && matches!(number(*d0, *d1), Some(1..=31))
        && matches!(number(*h0, *h1), Some(0..=23))
        && matches!(number(*n0, *n1), Some(0..=59))
        && matches!(number(*s0, *s1), Some(0..=60))
}

fn is_month(month: [u8; 3]) -> bool {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    MONTHS.chunks(3).any(|known| *known == month)
}

fn number(tens: u8, ones: u8) -> Option<u8> {
    let digits = Class::DIGIT.holds(&[tens, ones]);
    digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
}
