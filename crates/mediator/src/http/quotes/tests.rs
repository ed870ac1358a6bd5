//! Request lines are put right, however they are cut into pieces, and nothing else is.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::{Encoder, Quotes};

/// What comes of pieces of `cut` bytes.
fn encoded(text: &str, cut: usize) -> String {
    let (mut encoder, mut out) = (Encoder::default(), Vec::new());
    for piece in text.as_bytes().chunks(cut) {
        encoder.encode(piece, &mut out);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn request_lines_and_nothing_else() {
    let rows = [
        // The next request of the connection too, and after empty lines.
        (
            "GET /a?f=n+eq+\"<A>\" HTTP/1.1\r\nX: \"v\"\r\n\r\n\r\nGET /\"b\" HTTP/1.1\nX: y\n\nGET /\"",
            "GET /a?f=n+eq+%22%3CA%3E%22 HTTP/1.1\r\nX: \"v\"\r\n\r\n\r\nGET /%22b%22 HTTP/1.1\nX: y\n\nGET /%22",
        ),
        // A body, and what comes after it, is as it was: it may look like a request.
        (
            "POST /\"a\" HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nGET /\" HTTP/1.1\r\n\r\nGET /\"",
            "POST /%22a%22 HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nGET /\" HTTP/1.1\r\n\r\nGET /\"",
        ),
        (
            "POST / HTTP/1.1\r\nA: b\r\nTransfer-Encoding: chunked\r\nB: c\r\n\r\n\"<\n\n\"",
            "POST / HTTP/1.1\r\nA: b\r\nTransfer-Encoding: chunked\r\nB: c\r\n\r\n\"<\n\n\"",
        ),
    ];
    for (text, expected) in rows {
        for cut in [1, 2, 3, 7, 1000] {
            assert_eq!(encoded(text, cut), expected, "in pieces of {cut}");
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_where_the_reader_takes_little() {
    let (mut client, server) = duplex(1 << 20);
    let text = format!("GET /?{} HTTP/1.1\r\nContent-Length: 1\r\n\r\n\"", "\"".repeat(20_000));
    client.write_all(text.as_bytes()).await.unwrap();
    drop(client);
    let (mut quotes, mut all) = (Quotes::new(server), Vec::new());
    let mut piece = [0; 13];
    loop {
        let count = quotes.read(&mut piece).await.unwrap();
        if count == 0 {
            break;
        }
        all.extend_from_slice(&piece[..count]);
    }
    let expected =
        format!("GET /?{} HTTP/1.1\r\nContent-Length: 1\r\n\r\n\"", "%22".repeat(20_000));
    assert_eq!(String::from_utf8(all).unwrap(), expected);
}
