//! Alone in its process, because it lowers what all of a process's threads may open.

use std::io;
use std::net::UdpSocket;

use mediator_net::raise_descriptor_limit;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn more_files_can_be_open_than_the_soft_limit_allowed() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    let open = || -> io::Result<Vec<UdpSocket>> {
        (0..100).map(|_| UdpSocket::bind("127.0.0.1:0")).collect()
    };
    assert!(open().is_err());
    assert_eq!(raise_descriptor_limit().unwrap(), maximum);
    assert_eq!(open().unwrap().len(), 100);
}
