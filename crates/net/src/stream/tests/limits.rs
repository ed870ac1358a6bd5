//! What ends a connection, or keeps it out: time, numbers, bytes.

use tokio::net::TcpSocket;

use super::*;

#[tokio::test]
async fn who_reads_too_slowly_is_closed_and_the_rest_reported() {
    let settings = StreamSettings { max_queued_bytes: 200_000, ..StreamSettings::default() };
    let mut stage = Setup { settings, shards: 2, ..Setup::default() }.start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    let big = Bytes::from(vec![b'x'; 60_000]);
    let mut tag = 0;
    let error = loop {
        tag += 1;
        if let Err(error) = stage.streams.send(1, &flow, &big, tag) {
            break error;
        }
        assert!(tag < 10_000, "the kernel's buffers end somewhere");
    };
    assert!(matches!(error, SendError::QueueFull { .. }), "{error}");
    // The last three wait in the queue; the fourth from the end may be half in the kernel.
    let mut lost = Vec::new();
    loop {
        match stage.event_of(1).await {
            NetEvent::SendFailed { tag, .. } => lost.push(tag),
            NetEvent::ConnectionClosed(id) => break assert_eq!(Some(id), flow.connection),
            other @ NetEvent::Message { .. } => panic!("{other:?}"),
        }
    }
    assert!(lost.ends_with(&[tag - 3, tag - 2, tag - 1]), "{lost:?} before {tag}");
    assert_eq!(stage.event().await, NetEvent::ConnectionClosed(flow.connection.unwrap()));
    assert_eq!(stage.streams.counts().closed_slow, 1);
}

#[tokio::test]
async fn bytes_that_do_not_move_close_the_connection() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    let big = Bytes::from(vec![b'x'; 60_000]);
    // Fill the kernel's buffers until something waits.
    let connection = stage.streams.table.find(flow.connection.unwrap()).unwrap();
    while !connection.moved_at().1 {
        stage.streams.send(0, &flow, &big, 1).unwrap();
    }
    pass(19).await;
    assert!(!connection.is_closed());
    pass(2).await;
    assert!(matches!(stage.event().await, NetEvent::SendFailed { tag: 1, .. }));
    assert_eq!(stage.streams.counts().closed_slow, 1);
}

#[tokio::test]
async fn silence_closes_after_the_idle_timeout_and_traffic_defers_it() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    phone.write_all(b"0 request\r\n\r\n").await.unwrap();
    let (flow, _) = stage.message().await;
    pass(400).await;
    stage.send(&flow, "notify", 1).unwrap();
    assert_eq!(read_text(&mut phone, 10).await, "notify\r\n\r\n");
    pass(400).await;
    phone.write_all(b"0 again\r\n\r\n").await.unwrap();
    stage.message().await;
    pass(595).await;
    assert_eq!(stage.streams.counts().closed_idle, 0);
    pass(10).await;
    assert_eq!(stage.event().await, NetEvent::ConnectionClosed(flow.connection.unwrap()));
    assert_eq!(read_to_end(&mut phone).await, "");
    assert_eq!(stage.streams.counts().closed_idle, 1);
}

#[tokio::test]
async fn a_stranger_has_to_say_what_it_came_for() {
    async fn check(known: bool, said: &str, closed_after: u64) {
        let mut stage = Setup { known, ..Setup::default() }.start();
        let mut phone = stage.connect().await;
        phone.write_all(said.as_bytes()).await.unwrap();
        stage.has_accepted(1).await;
        stage.has_read(said.len()).await;
        pass(closed_after - 1).await;
        assert_eq!(stage.streams.counts().connections, 1, "{said:?} after {closed_after} s");
        pass(2).await;
        let mut event = stage.event().await;
        if let NetEvent::Message { .. } = event {
            event = stage.event().await;
        }
        assert!(matches!(event, NetEvent::ConnectionClosed(_)), "{event:?}");
    }
    check(false, "", 30).await;
    check(false, "0 hello\r\n\r\n", 600).await;
    check(false, "\r\n\r\n", 600).await;
    check(true, "", 600).await;
    // A message that begins and does not end is no greeting.
    check(false, "0 hel", 10).await;
    check(true, "0 hel", 10).await;
}

#[tokio::test]
async fn drops_of_a_message_do_not_extend_its_time() {
    let mut stage = Setup::default().start();
    let mut phone = stage.connect().await;
    for drop in 1..=9 {
        phone.write_all(b"0").await.unwrap();
        stage.has_read(drop).await;
        pass(1).await;
    }
    assert_eq!(stage.streams.counts().connections, 1);
    pass(2).await;
    assert!(matches!(stage.event().await, NetEvent::ConnectionClosed(_)));
    assert_eq!(stage.streams.counts().closed_slow, 1);
}

#[tokio::test]
async fn connections_of_one_peer_are_limited_unless_it_is_known() {
    async fn check(known: bool, refused: u64) {
        let settings = StreamSettings { max_connections_per_peer: 2, ..StreamSettings::default() };
        let mut stage = Setup { settings, known, ..Setup::default() }.start();
        let mut phones = Vec::new();
        for _ in 0..3 {
            phones.push(stage.connect().await);
        }
        let third = &mut phones[2];
        let _ = third.write_all(b"0 request\r\n\r\n").await;
        if refused > 0 {
            assert_eq!(read_to_end(third).await, "");
            // Another one may come when one is gone.
            drop(phones.remove(0));
            while stage.streams.counts().connections > 1 {
                stage.event().await;
            }
            phones.push(stage.connect().await);
            phones[2].write_all(b"0 request\r\n\r\n").await.unwrap();
        }
        assert_eq!(stage.message().await.1, "0 request");
        assert_eq!(stage.streams.counts().refused_peer_limit, refused);
    }
    check(false, 1).await;
    check(true, 0).await;
}

#[tokio::test]
async fn connections_are_limited_in_all_but_ours_are_not_shut_out() {
    let settings = StreamSettings { max_connections: 1, ..StreamSettings::default() };
    let mut stage = Setup { settings, ..Setup::default() }.start();
    let mut first = stage.connect().await;
    first.write_all(b"0 request\r\n\r\n").await.unwrap();
    stage.message().await;
    let mut second = stage.connect().await;
    assert_eq!(read_to_end(&mut second).await, "");
    assert_eq!(stage.streams.counts().refused_total_limit, 1);
    let carrier = peer().await;
    let flow = towards(carrier.local_addr().unwrap());
    stage.send(&flow, "one", 1).unwrap();
    let (mut trunk, _) = carrier.accept().await.unwrap();
    assert_eq!(read_text(&mut trunk, 7).await, "one\r\n\r\n");
    let error = stage.send(&towards(nobody().await), "two", 2).unwrap_err();
    assert!(matches!(error, SendError::TooManyConnections { .. }), "{error}");
}

#[tokio::test]
async fn what_waits_for_a_connection_is_bounded() {
    let settings = StreamSettings { max_queued_bytes: 10, ..StreamSettings::default() };
    let stage = Setup { settings, ..Setup::default() }.start();
    let carrier = peer().await;
    let flow = towards(carrier.local_addr().unwrap());
    stage.send(&flow, "one", 1).unwrap();
    let error = stage.send(&flow, "two", 2).unwrap_err();
    assert!(matches!(error, SendError::QueueFull { .. }), "{error}");
    let (mut trunk, _) = carrier.accept().await.unwrap();
    assert_eq!(read_text(&mut trunk, 7).await, "one\r\n\r\n");
}

#[tokio::test]
async fn a_connection_that_does_not_come_up_in_time_fails() {
    let mut stage = Setup::default().start();
    // A listener whose queue is full lets the SYN go unanswered.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, 3), 0).into()).unwrap();
    let full = socket.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let _queued = TcpStream::connect(address).await.unwrap();
    stage.send(&towards(address), "one", 5).unwrap();
    pass(2).await;
    assert_eq!(stage.streams.counts().connect_failed, 0);
    pass(2).await;
    let failed = NetEvent::SendFailed { flow: towards(address), tag: 5 };
    assert_eq!(stage.event().await, failed);
}

#[test]
fn a_peer_is_an_address_or_a_network_of_64_bits() {
    fn check(one: &str, other: &str, same: bool) {
        let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(table::peer_key(one) == table::peer_key(other), same, "{one} {other}");
    }
    check("192.0.2.1", "192.0.2.1", true);
    check("192.0.2.1", "192.0.2.2", false);
    check("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true);
    check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
}
