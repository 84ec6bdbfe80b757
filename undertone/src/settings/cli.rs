//! The command line, made from the declarations.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::declared::{CONFIG_VARIABLE, SETTINGS, Setting};
use super::error::SettingError;
use super::layers::Layers;
use super::value::Shape;

/// What to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Run the server.
    Serve(Layers),
    /// Check configurations: each of the files, or what there is without one.
    CheckConfig(Vec<PathBuf>),
}

/// Reads the command line and everything that it leads to. Ends the process where that is `--help` or nonsense.
pub(crate) fn read() -> Result<Order, SettingError> {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("check-config", matches)) => {
            let files = matches.get_many::<PathBuf>("file").into_iter().flatten();
            Ok(Order::CheckConfig(files.cloned().collect()))
        }
        Some((_, matches)) => serve(matches).map(Order::Serve),
        // The command demands one of its subcommands.
        None => Ok(Order::CheckConfig(Vec::new())),
    }
}

fn serve(matches: &ArgMatches) -> Result<Layers, SettingError> {
    let config = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    Layers::read(|setting| flag(matches, setting), std::env::vars_os(), config)
}

/// The words behind a flag; those of a repeated one with commas between.
fn flag(matches: &ArgMatches, setting: &Setting) -> Option<String> {
    let words: Vec<&str> = matches
        .get_many::<String>(setting.name)?
        .map(String::as_str)
        .collect();
    Some(words.join(","))
}

fn command() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(format!("A configuration file [env: {CONFIG_VARIABLE}]"));
    let serve = Command::new("serve")
        .about("Run the server: web page, signaling and media in one process")
        .after_help(
            "A flag counts before its variable, the variable before the file, the file before the default.",
        )
        .arg(config)
        .args(SETTINGS.iter().map(|setting| argument(setting)));
    let files = Arg::new("file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .num_args(0..)
        .help(format!(
            "The configuration files to check [default: {CONFIG_VARIABLE}, or none]"
        ));
    let check_config = Command::new("check-config")
        .about("Print the settings that would count, and say what is wrong with them")
        .arg(files);
    Command::new("undertone")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Private group calls on a server that cannot listen")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([serve, check_config])
}

fn argument(setting: &'static Setting) -> Arg {
    let default = match setting.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let action = match setting.shape {
        Shape::Addresses => ArgAction::Append,
        _ => ArgAction::Set,
    };
    Arg::new(setting.name)
        .long(setting.flag)
        .value_name(setting.shape.placeholder())
        .action(action)
        .help(format!("{} [env: {}]{default}", setting.help, setting.variable))
}

#[cfg(test)]
mod tests {
    use super::super::declared::MEDIA_ADDRESS;
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn media_addresses_can_be_repeated() {
        let words = [
            "undertone",
            "serve",
            "--media-address",
            "127.0.0.1",
            "--media-address",
            "::1",
        ];
        let matches = command().get_matches_from(words);
        let (_, serve) = matches.subcommand().expect("serve");
        assert_eq!(flag(serve, &MEDIA_ADDRESS).as_deref(), Some("127.0.0.1,::1"));
    }

    #[test]
    fn every_setting_has_a_flag() {
        let command = command();
        let serve = command.find_subcommand("serve").expect("serve");
        let flags: Vec<&str> = serve.get_arguments().filter_map(Arg::get_long).collect();
        assert!(SETTINGS.iter().all(|setting| flags.contains(&setting.flag)));
        assert_eq!(flags.len(), SETTINGS.len() + 1, "the others, and --config");
    }
}
