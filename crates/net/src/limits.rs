//! What the system lets the process have: open sockets and files, and the processor before others.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// As nice as a thread is that carries audio; an ordinary one is 0.
const AUDIO_NICENESS: i32 = -10;

/// Raises the soft limit of open files to the hard one: a call whose media comes through here has four sockets, and the
/// usual soft limit of 1024 is for programs that use `select`. Returns what holds now; `None`: there is no limit.
pub fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum)
}

/// Lets the calling thread have the processor before ordinary threads of this machine, where the system allows it (root,
/// `CAP_SYS_NICE`, or `LimitNICE=` of systemd): audio that waits behind a compiler is heard as gaps.
pub fn prefer_this_thread() -> io::Result<()> {
    // On Linux, who has no number is the calling thread, not its process.
    Ok(setpriority_process(None, AUDIO_NICENESS)?)
}
