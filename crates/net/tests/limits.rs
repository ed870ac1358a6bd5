//! Alone in its process, because it lowers what all of a process's threads may open.

use std::io;
use std::net::UdpSocket;

use mediator_net::{prefer_this_thread, raise_descriptor_limit};
use rustix::process::{Resource, Rlimit, getpriority_process, getrlimit, setrlimit};

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

#[test]
fn one_thread_is_preferred_and_no_other() {
    let other = std::thread::spawn(|| {
        let allowed = prefer_this_thread().is_ok();
        (allowed, getpriority_process(None).unwrap())
    });
    let (allowed, niceness) = other.join().unwrap();
    let here = getpriority_process(None).unwrap();
    assert!(if allowed { niceness == -10 && here > niceness } else { niceness == here });
}
