//! What arguments mean.

use std::path::Path;

use clap::CommandFactory;

use super::*;

fn command(arguments: &[&str]) -> Command {
    let all = std::iter::once("mediator").chain(arguments.iter().copied());
    Cli::try_parse_from(all).unwrap().chosen()
}

fn serve(config: &str) -> Command {
    Command::Serve { config: Path::new(config).into() }
}

#[test]
fn no_argument_serves_the_default_config() {
    assert_eq!(command(&[]), serve("configs/mediator.toml"));
    assert_eq!(command(&["serve"]), serve("configs/mediator.toml"));
    assert_eq!(command(&["serve", "--config", "other.toml"]), serve("other.toml"));
    assert_eq!(command(&["check", "x.toml"]), Command::Check { file: "x.toml".into() });
}

#[test]
fn log_options_stand_before_or_after_the_command() {
    for arguments in [
        ["mediator", "--log-format", "json", "--log", "debug", "serve"],
        ["mediator", "serve", "--log-format", "json", "--log", "debug"],
    ] {
        let log = Cli::try_parse_from(arguments).unwrap().log;
        assert_eq!(log.log_format, LogFormat::Json);
        assert_eq!(log.log, "debug".parse().unwrap());
    }
}

#[test]
fn refuses_what_is_no_command_level_or_format() {
    for arguments in [
        vec!["mediator", "serv"],
        vec!["mediator", "check"],
        vec!["mediator", "--log", "mediator_net=loud"],
        vec!["mediator", "--log-format", "xml"],
        vec!["mediator", "explain", "--from", "1"],
        vec!["mediator", "calls", "hangup"],
        vec!["mediator", "calls", "hangup", "../bindings"],
        vec!["mediator", "bindings"],
        vec!["mediator", "bindings", "add"],
        vec!["mediator", "bindings", "add", "--destination-did", "1", "--attribute", "cnam"],
        vec!["mediator", "bindings", "add", "--destination-did", "1", "--attribute", "=x"],
        vec!["mediator", "bindings", "add", "--destination-did", "1", "--maximum-ttl", "soon"],
        vec!["mediator", "bindings", "rm"],
        vec!["mediator", "bindings", "import"],
        vec!["mediator", "dialout", "1"],
        vec!["mediator", "dialout", "1", "2", "--delay", "-1"],
        vec!["mediator", "completions", "dos"],
    ] {
        let error = Cli::try_parse_from(&arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn every_command_has_its_help() {
    let mut cli = Cli::command();
    cli.clone().debug_assert();
    cli.build();
    let mut commands: Vec<_> = cli.get_subcommands().collect();
    while let Some(command) = commands.pop() {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
        commands.extend(command.get_subcommands());
    }
}

fn client(arguments: &[&str]) -> ClientCommand {
    match command(arguments) {
        Command::Client(command) => *command,
        other => panic!("{other:?}"),
    }
}

fn added(arguments: &[&str]) -> AddArgs {
    match client(&[&["bindings", "add"], arguments].concat()) {
        ClientCommand::Bindings(BindingsArgs { action: BindingAction::Add(args), .. }) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_binding_has_what_was_given_and_nothing_else() {
    let args = added(&["--destination-did", "+1 516 206 5337"]);
    assert_eq!(args.destination_did, "+1 516 206 5337");
    assert_eq!((args.maximum_ttl, args.wait_origination_did_ttl, args.name), (None, None, None));
    assert!(args.attributes.is_empty() && !args.reuse);
    let args = added(&[
        "--destination-did=15162065337",
        "--maximum-ttl",
        "-1",
        "--wait-origination-did-ttl=-1",
        "--attribute",
        "sip_header_X-Query=a=b",
        "--attribute",
        "cnam=",
    ]);
    assert_eq!((args.maximum_ttl, args.wait_origination_did_ttl), (Some(-1), Some(-1)));
    let attributes: Vec<_> =
        args.attributes.iter().map(|given| (&*given.key, &*given.value)).collect();
    assert_eq!(attributes, [("sip_header_X-Query", "a=b"), ("cnam", "")]);
}

#[test]
fn how_the_server_is_found_stands_before_or_after_the_action() {
    let before = ["bindings", "--config", "x.toml", "--json", "list"];
    let after = ["bindings", "list", "--config", "x.toml", "--json"];
    for arguments in [&before, &after] {
        let command = client(arguments);
        let access = command.access();
        assert_eq!(access.config.as_deref(), Some(Path::new("x.toml")));
        assert!(access.json);
    }
    let sid = "05561bef-ce48-4823-a847-bf10f7837a42";
    let command = client(&["calls", "hangup", sid, "--json"]);
    assert!(command.access().json);
    let ClientCommand::Calls(CallsArgs { action: Some(CallAction::Hangup { sid: got }), .. }) =
        command
    else {
        panic!("{command:?}")
    };
    assert_eq!(got.to_string(), sid);
}
