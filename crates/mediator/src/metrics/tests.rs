//! What the page says.

use std::sync::Arc;
use std::time::Duration;

use mediator_call::FlowKind;
use mediator_model::Transport;
use mediator_table::{BindingTable, ContactTable, Gate, GateSettings};

use super::process::{cpu_seconds, status_value};
use super::*;

fn page(shards: &AllShards) -> String {
    let metrics = Metrics::default();
    metrics.add(shards.clone());
    metrics.render()
}

#[track_caller]
fn check(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|own| own == *line), "no {line:?} in:\n{page}");
    }
}

fn two_shards() -> AllShards {
    AllShards(vec![Arc::default(), Arc::default()])
}

#[test]
fn counts_messages_by_direction_transport_and_kind_over_shards() {
    let shards = two_shards();
    for (shard, transport, bytes) in [
        (0, Transport::Udp, &b"INVITE sip:1@x SIP/2.0\r\n"[..]),
        (1, Transport::Udp, b"INVITE sip:1@x SIP/2.0\r\n"),
        (0, Transport::Udp, b"INVITEX sip:1@x SIP/2.0\r\n"),
        (0, Transport::Tcp, b"SIP/2.0 200 OK\r\n"),
        (0, Transport::Tcp, b"SIP/2.0 699 No\r\n"),
        (0, Transport::Tcp, b"SIP/2.0 "),
        (0, Transport::Tcp, b""),
    ] {
        shards.0[shard].message(MessageDirection::In, transport, bytes);
    }
    shards.0[1].message(MessageDirection::Out, Transport::Udp, b"BYE sip:1@x SIP/2.0\r\n");
    let page = page(&shards);
    check(
        &page,
        &[
            "# TYPE mediator_sip_messages_total counter",
            r#"mediator_sip_messages_total{direction="in",transport="udp",kind="INVITE"} 2"#,
            r#"mediator_sip_messages_total{direction="in",transport="udp",kind="other"} 1"#,
            r#"mediator_sip_messages_total{direction="in",transport="tcp",kind="2xx"} 1"#,
            r#"mediator_sip_messages_total{direction="in",transport="tcp",kind="6xx"} 1"#,
            r#"mediator_sip_messages_total{direction="in",transport="tcp",kind="other"} 2"#,
            r#"mediator_sip_messages_total{direction="out",transport="udp",kind="BYE"} 1"#,
        ],
    );
    assert!(!page.contains("kind=\"ACK\""), "what never came is not listed");
}

#[test]
fn counts_calls_and_refusals_by_code() {
    let shards = two_shards();
    shards.0[0].call_ended(FlowKind::Binding, 200);
    shards.0[1].call_ended(FlowKind::Binding, 200);
    shards.0[1].call_ended(FlowKind::Inbound, 480);
    shards.0[0].refused(403);
    shards.0[0].refused(0);
    shards.0[0].refused(9999);
    check(
        &page(&shards),
        &[
            r#"mediator_calls_ended_total{flow="binding",code="200"} 2"#,
            r#"mediator_calls_ended_total{flow="inbound",code="480"} 1"#,
            r#"mediator_requests_refused_total{code="403"} 1"#,
            r#"mediator_requests_refused_total{code="0"} 1"#,
        ],
    );
}

#[test]
fn a_histogram_adds_up_to_infinity() {
    let shards = two_shards();
    for micros in [1, 100, 101, 5_000_000] {
        shards.0[0].added_delay.observe(Duration::from_micros(micros));
    }
    shards.0[1].added_delay.observe(Duration::from_micros(50));
    check(
        &page(&shards),
        &[
            "# TYPE mediator_added_delay_seconds histogram",
            r#"mediator_added_delay_seconds_bucket{le="0.0001"} 3"#,
            r#"mediator_added_delay_seconds_bucket{le="0.00025"} 4"#,
            r#"mediator_added_delay_seconds_bucket{le="1"} 4"#,
            r#"mediator_added_delay_seconds_bucket{le="+Inf"} 5"#,
            "mediator_added_delay_seconds_sum 5.000252",
            "mediator_added_delay_seconds_count 5",
            "mediator_call_setup_seconds_count 0",
        ],
    );
}

#[test]
fn sums_what_engines_count_and_shows_what_they_share() {
    let engines = EngineCounts(vec![Arc::default(), Arc::default()]);
    engines.0[0].calls_started.add_one();
    engines.0[1].calls_started.add_one();
    engines.0[1].calls_ended.add_one();
    engines.0[1].garbage.add_one();
    let metrics = Metrics::default();
    metrics.add(engines);
    metrics.add(SharedState {
        bindings: Arc::new(BindingTable::with_capacity(1)),
        contacts: Arc::new(ContactTable::new()),
        gate: Arc::new(Gate::new(GateSettings::default())),
    });
    check(
        &metrics.render(),
        &[
            "mediator_calls_started_total 2",
            "mediator_calls_active 1",
            r#"mediator_sip_rejected_total{reason="garbage"} 1"#,
            "mediator_bindings 0",
            "mediator_registered_contacts 0",
            r#"mediator_admission_refused_total{reason="rate"} 0"#,
        ],
    );
}

#[test]
fn escapes_labels() {
    struct Odd;
    impl Source for Odd {
        fn collect(&self, page: &mut Page) {
            page.family("odd", "Odd.", Kind::Gauge);
            page.sample(&[("name", "a\"b\\c\nd")], 1);
        }
    }
    let metrics = Metrics::default();
    metrics.add(Odd);
    check(&metrics.render(), &["# HELP odd Odd.", r#"odd{name="a\"b\\c\nd"} 1"#]);
}

#[test]
fn reads_what_the_kernel_says_of_the_process() {
    assert_eq!(status_value("Name:\tx\nVmRSS:\t   1234 kB\n", "VmRSS:"), Some(1234));
    assert_eq!(status_value("Name:\tx\n", "VmRSS:"), None);
    let stat = "42 (a) (b c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20";
    assert_eq!(cpu_seconds(stat), Some(2.0));
    let metrics = Metrics::default();
    metrics.add(ProcessMetrics::start());
    let page = metrics.render();
    for family in ["mediator_build_info", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(page.contains(&format!("\n{family}")) || page.starts_with(family), "{page}");
    }
}
