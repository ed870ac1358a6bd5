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
    ] {
        assert_eq!(Cli::try_parse_from(arguments).unwrap_err().exit_code(), 2);
    }
}

#[test]
fn every_command_has_its_help() {
    let mut cli = Cli::command();
    cli.clone().debug_assert();
    cli.build();
    for command in cli.get_subcommands() {
        assert!(command.get_about().is_some(), "{}", command.get_name());
    }
}
