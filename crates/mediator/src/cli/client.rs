//! The commands that are clients of the API, and how they find it.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use mediator_model::{Secret, Sid};

/// Commands that ask a server that runs.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum ClientCommand {
    /// Says where a call would go, and why; places no call, claims nothing.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Lists the calls that are up, or hangs one up.
    #[command(after_help = CALLS_EXAMPLES)]
    Calls(CallsArgs),
    /// Lists, makes, removes, imports and exports bindings.
    #[command(after_help = BINDINGS_EXAMPLES)]
    Bindings(BindingsArgs),
    /// Calls one number, then another, and joins them.
    #[command(after_help = DIALOUT_EXAMPLES)]
    Dialout(DialoutArgs),
}

impl ClientCommand {
    /// How it finds the API.
    pub const fn access(&self) -> &AccessArgs {
        match self {
            Self::Explain(ExplainArgs { access, .. })
            | Self::Calls(CallsArgs { access, .. })
            | Self::Bindings(BindingsArgs { access, .. })
            | Self::Dialout(DialoutArgs { access, .. }) => access,
        }
    }
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  mediator explain --from 15550001001 --to 15162065346
  mediator explain --to 15162065346                     # a caller without a number
  mediator explain --from 15550001001 --to 15162065346 --json | jq .sip_code

Exit codes: 0 answered (also where the call would be refused), 1 refused or not reached, 2 wrong arguments.";

const CALLS_EXAMPLES: &str = "\
Examples:
  mediator calls
  mediator calls --filter 'state eq \"answered\"' --order 'date_start desc'
  mediator calls --json | jq -r '.items[].call_sid'
  mediator calls hangup 05561bef-ce48-4823-a847-bf10f7837a42

Exit codes: 0 done, 1 refused or not reached, 2 wrong arguments.";

const BINDINGS_EXAMPLES: &str = "\
Examples:
  mediator bindings add --destination-did 15550001001 --attribute hide_origination_did=true
  mediator bindings list --filter 'name like \"week%\"'
  mediator bindings rm 05561bef-ce48-4823-a847-bf10f7837a42
  mediator bindings export bindings.ndjson
  mediator bindings import bindings.ndjson

Exit codes: 0 done, 1 refused or not reached, 2 wrong arguments.";

const LIST_EXAMPLES: &str = "\
Examples:
  mediator bindings list
  mediator bindings list --limit 0 --json > all.json
  mediator bindings list --filter 'redirect_did eq \"15162065346\" and maximum_ttl gt 0'
  mediator bindings list --filter 'attributes.ringback eq \"moh\"' --order 'date_created desc'

Filters compare fields with eq ne gt ge lt le like ilike in notin, joined by and, or and parentheses.";

const ADD_EXAMPLES: &str = "\
Examples:
  mediator bindings add --destination-did 15550001001
      a number of the account is assigned; its first caller within 300 s gets it for an hour
  mediator bindings add --destination-did 15550001001 --redirect-did 15162065346 \\
      --maximum-ttl -1 --wait-origination-did-ttl -1 --attribute hide_origination_did=true
      for every caller, for ever, and callees see 15162065346";

const IMPORT_EXAMPLES: &str = "\
Each line is a JSON object as POST /mediator/v1/bindings takes it:
  {\"redirect_did\": \"15162065346\", \"destination_did\": \"15550001001\", \"maximum_ttl\": -1}
A line that is refused holds up no other. What export wrote can be imported. With --json each line gets a JSON line on
standard output: {\"line\": 1, \"status\": 200, \"binding_sid\": \"...\"} or {\"line\": 2, \"status\": 409, \"errors\": [...]}.

Examples:
  mediator bindings import bindings.ndjson
  zcat bindings.ndjson.gz | mediator bindings import -

Exit codes: 0 all lines taken, 1 lines refused (standard error names the first ones) or not reached, 2 wrong arguments.";

const EXPORT_EXAMPLES: &str = "\
One JSON object a line. A file appears under its name when it is complete; until then it is FILE.partial.

Examples:
  mediator bindings export bindings.ndjson
  mediator bindings export | gzip > bindings.ndjson.gz";

const DIALOUT_EXAMPLES: &str = "\
Examples:
  mediator dialout 15550001001 15550001002
  mediator dialout 15550001001 15550001002 --redirect-did 15162065346 --delay 600
  mediator dialout 15550001001 15550001002 --attribute announce=welcome.wav --attribute ringback=moh
  mediator dialout 15550001001 15550001002 --wait && echo they talk

With --wait a line is printed for each state: waiting; calling, ringing and answered, with the number; joined. With --json
each line is an object: {\"dialout_sid\": \"...\", \"state\": \"ringing\", \"number\": \"...\"}; the first state is made, and a
dialout that failed ends with {\"state\": \"failed\", \"sip_cause\": 486, \"reason\": \"...\", ...}. Interrupting the command
leaves the dialout as it is.

Exit codes: 0 taken (the call is placed after the delay), with --wait: joined; 1 refused or not reached, with --wait: not
joined (standard error says why); 2 wrong arguments.";

/// How the API is found, and how answers look.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
#[command(next_help_heading = "Server")]
pub struct AccessArgs {
    /// Where the API is, as `http://host:port`. Default: `api.listen` of the config, else `http://127.0.0.1:8080`.
    #[arg(long, global = true, env = "MEDIATOR_API", value_name = "URL")]
    pub api: Option<String>,
    /// The login of a mediator endpoint. Default: that of the config.
    #[arg(long, global = true, env = "MEDIATOR_LOGIN", value_name = "LOGIN")]
    pub login: Option<String>,
    /// Its password. Other users of this machine can see arguments: better `MEDIATOR_PASSWORD` or --config.
    #[arg(
        long,
        global = true,
        env = "MEDIATOR_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        value_parser = StringValueParser::new().map(|text| Secret::new(text))
    )]
    pub password: Option<Secret>,
    /// The server's config, for what is not given: where the API is, login and password. Default: configs/mediator.toml
    /// where it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which mediator endpoint of the config. Default: the first that has a login.
    #[arg(long, global = true, value_name = "NAME")]
    pub endpoint: Option<String>,
    /// Certificates in PEM to trust instead of the system's: authorities, or the server's own. Default: `api.tls` of the
    /// config, where the address is the config's too.
    #[arg(long, global = true, env = "MEDIATOR_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Print the API's JSON instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
}

/// `mediator explain`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct ExplainArgs {
    /// The caller's number; left out: a caller without one.
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<String>,
    /// The number called.
    #[arg(long, value_name = "NUMBER")]
    pub to: String,
    /// How the API is found.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Which part of a list is shown, in which order.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct ListArgs {
    /// The most that is shown; 0 shows all.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: u64,
    /// What is shown, as in `name eq "front desk"`.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// In which order, as in `date_created desc`.
    #[arg(long, value_name = "ORDER")]
    pub order: Option<String>,
}

/// `mediator calls`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct CallsArgs {
    /// Without it, calls are listed.
    #[command(subcommand)]
    pub action: Option<CallAction>,
    /// Which.
    #[command(flatten)]
    pub list: ListArgs,
    /// How the API is found.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// What can be done with a call.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum CallAction {
    /// Hangs up both sides of a call.
    #[command(
        after_help = "Example:\n  mediator calls hangup 05561bef-ce48-4823-a847-bf10f7837a42"
    )]
    Hangup {
        /// The call's sid.
        #[arg(value_name = "SID", value_parser = sid)]
        sid: Sid,
    },
}

/// `mediator bindings`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct BindingsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: BindingAction,
    /// How the API is found.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// What can be done with bindings.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum BindingAction {
    /// Lists the account's bindings.
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Makes a binding.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// Removes bindings.
    #[command(after_help = "Example:\n  mediator bindings rm 05561bef-ce48-4823-a847-bf10f7837a42")]
    Rm {
        /// Their sids.
        #[arg(value_name = "SID", required = true, value_parser = sid)]
        sids: Vec<Sid>,
    },
    /// Makes a binding of every line of a file.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file; - is standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Writes all bindings of the account, one a line.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// The file; left out or -: standard output.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// `mediator bindings add`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct AddArgs {
    /// The number that is called.
    #[arg(long, value_name = "NUMBER")]
    pub destination_did: String,
    /// The number of ours that callers dial. Default: one is assigned.
    #[arg(long, value_name = "NUMBER")]
    pub redirect_did: Option<String>,
    /// The only caller it is for. Default: see --wait-origination-did-ttl.
    #[arg(long, value_name = "NUMBER")]
    pub origination_did: Option<String>,
    /// Seconds until it is deleted; -1: never. Default: 3600.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub maximum_ttl: Option<i64>,
    /// Seconds in which the first caller claims it, else it is deleted; -1: it is for every caller. Default: 300.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub wait_origination_did_ttl: Option<i64>,
    /// A name, for people.
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Keys for the callee after it answers: 0-9 * # A-D, a comma waits half a second.
    #[arg(long, value_name = "KEYS")]
    pub dtmf: Option<String>,
    /// An attribute, as in `hide_origination_did=true` or `sip_header_X-Order=4711`; may be given several times.
    #[arg(long = "attribute", value_name = "KEY=VALUE")]
    pub attributes: Vec<Attribute>,
    /// Take a binding that is there already with the same parameters, instead of making another.
    #[arg(long)]
    pub reuse: bool,
    /// The country of the number that is assigned, as in USA or US.
    #[arg(long, value_name = "COUNTRY")]
    pub fallback_country: Option<String>,
}

/// `mediator dialout`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct DialoutArgs {
    /// The number that is called first.
    #[arg(value_name = "A")]
    pub stage_one: String,
    /// The number that is called when the first has answered.
    #[arg(value_name = "B")]
    pub stage_two: String,
    /// The number of ours that both see. Default: one is assigned.
    #[arg(long, value_name = "NUMBER")]
    pub redirect_did: Option<String>,
    /// Seconds until the first is called. Default: 0.
    #[arg(long, value_name = "SECONDS")]
    pub delay: Option<u64>,
    /// An attribute, as in `use_call_confirmation=press-one.wav`; may be given several times.
    #[arg(long = "attribute", value_name = "KEY=VALUE")]
    pub attributes: Vec<Attribute>,
    /// Follow it until the two are joined, or it has failed.
    #[arg(long)]
    pub wait: bool,
    /// How the API is found.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// An attribute of a binding or dialout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl FromStr for Attribute {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected KEY=VALUE, as in hide_origination_did=true";
        let (key, value) = text.split_once('=').ok_or(expected)?;
        if key.is_empty() {
            return Err(expected);
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

fn sid(text: &str) -> Result<Sid, &'static str> {
    text.parse().map_err(|_| "expected a sid, as in 05561bef-ce48-4823-a847-bf10f7837a42")
}
