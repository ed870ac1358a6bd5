//! The programs of others that tests and benches need, installed from Debian where they are missing.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{is_here, step};

/// A program and the Debian package that brings it.
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
}

/// What the process tests play with.
pub(crate) const FOR_TESTS: &[Tool] = &[
    Tool { program: "sipp", package: "sip-tester" },
    Tool { program: "linphonec", package: "linphone-cli" },
    Tool { program: "baresip", package: "baresip-core" },
];

/// What the load bench needs.
pub(crate) const FOR_LOAD: &[Tool] = &[
    Tool { program: "sipp", package: "sip-tester" },
    Tool { program: "kamailio", package: "kamailio" },
];

/// What the built-in sounds are made with.
pub(crate) const FOR_SOUNDS: &[Tool] =
    &[Tool { program: "flite", package: "flite" }, Tool { program: "lame", package: "lame" }];

/// What the media bench needs.
pub(crate) const FOR_MEDIA: &[Tool] = &[Tool { program: "rtpengine", package: "rtpengine-daemon" }];

/// Installs what is missing of `tools`; does nothing where nothing is.
pub(crate) fn ensure_installed(tools: &[Tool]) -> Result<()> {
    let mut missing: Vec<&Tool> = Vec::new();
    for tool in tools {
        if !is_here(tool.program)? {
            missing.push(tool);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let wanted = packages.join(" ");
    let install = apt(&packages);
    install
        .with_context(|| format!("missing here; install Debian's packages by hand: {wanted}"))?;
    for tool in missing {
        let Tool { program, package } = tool;
        ensure!(is_here(program)?, "{package} is installed, but there is no {program}");
    }
    Ok(())
}

fn apt(packages: &[&str]) -> Result<()> {
    ensure!(is_here("apt-get")?, "no apt-get on this system");
    step("apt-get update", apt_get()?.arg("update"))?;
    let mut install = apt_get()?;
    install.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    step(&format!("apt-get install {}", packages.join(" ")), &mut install)
}

/// apt-get as root: directly, or through sudo where that asks for no password.
fn apt_get() -> Result<Command> {
    // Another apt-get may be at work; its lock is waited for.
    let arguments = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"];
    let lock = ["-o", "DPkg::Lock::Timeout=600"];
    let mut command = if is_root()? {
        Command::new("env")
    } else {
        let sudo = Command::new("sudo").args(["-n", "true"]).output();
        if !sudo.is_ok_and(|output| output.status.success()) {
            bail!("not root, and sudo wants a password");
        }
        let mut command = Command::new("sudo");
        command.args(["-n", "env"]);
        command
    };
    command.args(arguments).args(lock);
    Ok(command)
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output().context("run id")?;
    Ok(output.stdout.trim_ascii() == b"0")
}
