//! The arrows between the rooms: who may depend on whom.

use cargo_metadata::{DependencyKind, Metadata};

/// A room and the rooms that its code may depend on. Tests of a room may use [`SIM`],
/// [`TABLE`] and the room itself beside these.
struct Room {
    package: &'static str,
    may_use: &'static [&'static str],
}

/// The virtual network, for tests only.
const SIM: &str = "mediator-sim";
/// The real tables: tests of what reads them through a trait may hold them instead of a stand-in.
const TABLE: &str = "mediator-table";

/// All rooms. A new room, or a new arrow, is its own change with its reason.
const ROOMS: &[Room] = &[
    Room { package: "mediator-model", may_use: &[] },
    Room { package: "mediator-sip", may_use: &["mediator-model"] },
    Room { package: "mediator-media", may_use: &["mediator-model"] },
    Room {
        package: "mediator-call",
        may_use: &["mediator-model", "mediator-sip", "mediator-media"],
    },
    Room { package: "mediator-table", may_use: &["mediator-model"] },
    Room { package: "mediator-store", may_use: &["mediator-model"] },
    Room { package: "mediator-net", may_use: &["mediator-model"] },
    // The API reads pages and writes with revisions through the store's traits.
    Room { package: "mediator-api", may_use: &["mediator-model", "mediator-store"] },
    Room { package: "mediator-sound", may_use: &["mediator-model", "mediator-media"] },
    Room {
        package: "mediator",
        may_use: &[
            "mediator-sound",
            "mediator-model",
            "mediator-sip",
            "mediator-media",
            "mediator-call",
            "mediator-table",
            "mediator-store",
            "mediator-net",
            "mediator-api",
        ],
    },
    Room {
        package: SIM,
        // The real tables: what shards share in the server, simulated nodes share too.
        may_use: &[
            "mediator-model",
            "mediator-sip",
            "mediator-media",
            "mediator-call",
            "mediator-table",
        ],
    },
    Room { package: "xtask", may_use: &[] },
    Room {
        package: "mediator-tests",
        // Sounds as they are on the wire, and what hears them: simulated peers speak in codecs of which `sim` knows nothing.
        may_use: &[
            "mediator-sound",
            "mediator-model",
            "mediator-sip",
            "mediator-media",
            "mediator-call",
            "mediator-table",
            "mediator-store",
            "mediator-net",
            "mediator-api",
            "mediator",
            SIM,
        ],
    },
    Room {
        package: "mediator-benches",
        may_use: &[
            "mediator-model",
            "mediator-sip",
            "mediator-media",
            "mediator-call",
            "mediator-table",
            "mediator-store",
            "mediator-net",
            "mediator-api",
            "mediator",
            SIM,
            "mediator-tests",
        ],
    },
];

/// One dependency of a package of the workspace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrow<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) for_tests: bool,
}

/// Checks every package of the workspace.
pub(super) fn check(packages: &Metadata) -> Vec<String> {
    let members = packages.workspace_packages();
    let mut findings = Vec::new();
    for member in &members {
        let from = member.name.as_str();
        if !ROOMS.iter().any(|room| room.package == from) {
            findings.push(format!("{from} is a room that tidy's arrows do not know"));
        }
        for dependency in &member.dependencies {
            let to = dependency.name.as_str();
            if members.iter().any(|member| member.name.as_str() == to) {
                let for_tests = dependency.kind == DependencyKind::Development;
                findings.extend(refusal(Arrow { from, to, for_tests }));
            }
        }
    }
    findings
}

/// Why an arrow is not drawn, where it is not.
pub(super) fn refusal(arrow: Arrow<'_>) -> Option<String> {
    let Arrow { from, to, for_tests } = arrow;
    let room = ROOMS.iter().find(|room| room.package == from)?;
    // A package names itself to turn on features of its own for its benches.
    let drawn =
        room.may_use.contains(&to) || (for_tests && (to == SIM || to == TABLE || to == from));
    (!drawn).then(|| format!("{from} -> {to} is no arrow of the architecture"))
}
