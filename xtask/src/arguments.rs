//! What was asked for on the command line.

use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;

/// What `./dev help` prints.
pub(crate) const USAGE: &str = "\
Usage: ./dev COMMAND

  up [--detach] [--port N]   start everything here: emulator, functions, demo data
  down                       stop it
  reset                      forget all data, and load the demo data again
  logs [FUNCTION]            follow what the functions and the emulator write
  doctor                     say what this machine lacks, and the fix
  env                        addresses and names, as KEY=value lines
  token EMAIL                an ID token of a demo user, for `Authorization: Bearer …`
  import FILE [--tenant demo] [--profile NAME]
                             drop a file and follow its import
  tenant create SLUG --name NAME --admin EMAIL [--admin-name NAME] [--country CA] [--time-zone America/Toronto]
                             a tenant with its first administrator; again, what is missing of it
  keys rotate|rewrap TENANT  a new wrapping key for a tenant's contacts; its keyring wrapped anew by the key service
  reindex TENANT             have a tenant's contacts indexed for searching again
  audit verify EXPORT [--key FILE]
                             verify an export of the audit trail: with a key offline, else with that of the running stack
  audit key                  the public key that the trail's days are sealed with
  audit seal [--day YYYY-MM-DD] [--tenant SLUG]
                             seal the days that are due, or one as far as it is
  audit redrive              record the changes that were set aside
  watch                      run the functions from source, built again on save
  bench [NAME]               the benchmarks
  bench import [--rows N] [--peer] [--plan-gigabyte] [--callgrind]
                             an import of many rows; a Python program's beside it; a gigabyte planned; instructions a row
  test [unit|it|e2e]         all tests, or one level
  tools                      only install the tools of .local, as `up` and `test` do by themselves
";

/// One invocation of `./dev`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Up(Up),
    Down,
    Reset,
    Logs {
        function: Option<String>,
    },
    Doctor,
    Env,
    Bench(Bench),
    /// `token`, `import`, `tenant`, `keys`, `reindex` and `audit`, with their arguments: the operator program's own commands.
    Operator {
        arguments: Vec<OsString>,
    },
    Watch,
    Test {
        level: Option<Level>,
    },
    Tools,
    Help,
}

/// How `up` should start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Up {
    /// Return once healthy, and leave the rest to a process of its own.
    pub(crate) detach: bool,
    /// This is that process.
    pub(crate) background: bool,
    /// The port asked for; another is never taken in its stead.
    pub(crate) port: Option<u16>,
}

/// Which benchmarks, and for that of imports how.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Bench {
    /// The name of one; all of those that take no minutes otherwise.
    pub(crate) name: Option<String>,
    /// How many rows are imported.
    pub(crate) rows: Option<u64>,
    /// Whether a Python program imports them too.
    pub(crate) peer: bool,
    /// Whether a file of a gigabyte is planned too.
    pub(crate) plan_gigabyte: bool,
    /// Count the instructions a row takes, and nothing else.
    pub(crate) callgrind: bool,
}

/// The benchmark that takes options.
pub(crate) const IMPORT: &str = "import";

/// A level of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Unit,
    Integration,
    EndToEnd,
}

impl Level {
    /// In the order in which they run: the quickest to fail first.
    pub(crate) const ALL: [Self; 3] = [Self::Unit, Self::Integration, Self::EndToEnd];

    /// The word for it on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Integration => "it",
            Self::EndToEnd => "e2e",
        }
    }
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let Some(first) = parser.next()? else {
        return Ok(Command::Help);
    };
    let name = match first {
        Long("help") | Short('h') => return Ok(Command::Help),
        Value(name) => name.string()?,
        other => return Err(other.unexpected().into()),
    };
    let command = match name.as_str() {
        "up" => return up(&mut parser),
        "bench" => return bench(&mut parser),
        "token" | "import" | "tenant" | "keys" | "reindex" | "audit" => return operator(name, &mut parser),
        "logs" => Command::Logs { function: one_word(&mut parser)? },
        "test" => Command::Test { level: one_word(&mut parser)?.as_deref().map(level).transpose()? },
        "down" => Command::Down,
        "reset" => Command::Reset,
        "doctor" => Command::Doctor,
        "env" => Command::Env,
        "watch" => Command::Watch,
        "tools" => Command::Tools,
        "help" => Command::Help,
        _ => bail!("there is no command {name:?}\n\n{USAGE}"),
    };
    match parser.next()? {
        None => Ok(command),
        Some(Long("help") | Short('h')) => Ok(Command::Help),
        Some(extra) => Err(extra.unexpected().into()),
    }
}

fn up(parser: &mut lexopt::Parser) -> Result<Command> {
    let mut up = Up::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("detach") | Short('d') => up.detach = true,
            Long("background") => up.background = true,
            Long("port") | Short('p') => {
                let word = parser.value()?.string()?;
                match word.parse() {
                    Ok(port) if port != 0 => up.port = Some(port),
                    _ => bail!("--port takes a number from 1 to 65535, not {word:?}"),
                }
            }
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Up(up))
}

fn bench(parser: &mut lexopt::Parser) -> Result<Command> {
    let name = one_word(parser)?;
    let plain = Bench { name, ..Bench::default() };
    let mut bench = plain.clone();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rows") => {
                let word = parser.value()?.string()?;
                match word.parse() {
                    Ok(rows) => bench.rows = Some(rows),
                    Err(_) => bail!("--rows takes a number, not {word:?}"),
                }
            }
            Long("peer") => bench.peer = true,
            Long("plan-gigabyte") => bench.plan_gigabyte = true,
            Long("callgrind") => bench.callgrind = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    if bench != plain && bench.name.as_deref() != Some(IMPORT) {
        bail!("only the benchmark {IMPORT} takes options");
    }
    Ok(Command::Bench(bench))
}

fn operator(name: String, parser: &mut lexopt::Parser) -> Result<Command> {
    let mut arguments = vec![OsString::from(name)];
    arguments.extend(parser.raw_args()?);
    match (arguments[0].to_str(), arguments.len()) {
        (Some("token"), 1) => bail!("whose token? For example: ./dev token admin@demo.test"),
        (Some("import"), 1) => bail!("which file? For example: ./dev import contacts.csv"),
        (Some("audit"), 1) => bail!("what of the audit trail? For example: ./dev audit verify export.jsonl --key key.pem"),
        (Some("tenant"), 1) => bail!("which tenant? For example: ./dev tenant create acme --name Acme --admin ada@acme.test"),
        _ => Ok(Command::Operator { arguments }),
    }
}

fn one_word(parser: &mut lexopt::Parser) -> Result<Option<String>> {
    match parser.try_raw_args().and_then(|mut rest| rest.next_if(|word| !word.to_string_lossy().starts_with('-'))) {
        Some(word) => Ok(Some(word.string()?)),
        None => Ok(None),
    }
}

fn level(word: &str) -> Result<Level> {
    match Level::ALL.into_iter().find(|level| level.word() == word) {
        Some(level) => Ok(level),
        None => bail!("test takes unit, it or e2e, not {word:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn up_takes_its_port_and_its_switches_in_any_order() {
        let up = Up { detach: true, background: false, port: Some(4600) };
        assert_eq!(of("up --port 4600 --detach").unwrap(), Command::Up(up));
        assert_eq!(of("up --detach --port=4600").unwrap(), Command::Up(up));
        assert!(of("up --port 0").unwrap_err().to_string().contains("1 to 65535"));
        assert!(of("up --port 70000").is_err());
        assert!(of("up now").is_err());
    }

    #[test]
    fn the_operator_gets_its_arguments_untouched() {
        let Command::Operator { arguments } = of("import a.csv --tenant demo --profile x").unwrap() else { panic!() };
        assert_eq!(arguments, ["import", "a.csv", "--tenant", "demo", "--profile", "x"]);
        assert!(of("token").unwrap_err().to_string().contains("whose"));
        let Command::Operator { arguments } = of("tenant create acme --name Acme --admin a@acme.test --help").unwrap() else { panic!() };
        assert_eq!(arguments, ["tenant", "create", "acme", "--name", "Acme", "--admin", "a@acme.test", "--help"]);
        assert!(of("tenant").unwrap_err().to_string().contains("which tenant"));
        let Command::Operator { arguments } = of("audit verify export.jsonl --key key.pem").unwrap() else { panic!() };
        assert_eq!(arguments, ["audit", "verify", "export.jsonl", "--key", "key.pem"]);
        assert!(of("audit").unwrap_err().to_string().contains("audit verify"));
    }

    #[test]
    fn a_level_or_a_function_may_follow() {
        assert_eq!(of("test").unwrap(), Command::Test { level: None });
        assert_eq!(of("test it").unwrap(), Command::Test { level: Some(Level::Integration) });
        assert!(of("test all").unwrap_err().to_string().contains("unit, it or e2e"));
        assert_eq!(of("logs graphql").unwrap(), Command::Logs { function: Some("graphql".into()) });
        assert_eq!(of("bench rows").unwrap(), Command::Bench(Bench { name: Some("rows".into()), ..Bench::default() }));
        assert!(of("logs a b").is_err());
    }

    #[test]
    fn the_benchmark_of_imports_takes_options_and_no_other_does() {
        let bench = Bench { name: Some("import".into()), rows: Some(1_000_000), peer: true, plan_gigabyte: true, callgrind: false };
        assert_eq!(of("bench import --peer --rows 1000000 --plan-gigabyte").unwrap(), Command::Bench(bench));
        assert_eq!(of("bench").unwrap(), Command::Bench(Bench::default()));
        assert!(of("bench rows --callgrind").unwrap_err().to_string().contains("import"));
        assert!(of("bench import --rows many").unwrap_err().to_string().contains("number"));
        assert!(of("bench import --fast").is_err());
        assert!(of("bench import rows").is_err());
        assert_eq!(of("bench import --help").unwrap(), Command::Help);
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_list() {
        assert!(of("upp").unwrap_err().to_string().contains("Usage"));
        assert_eq!(of("").unwrap(), Command::Help);
        assert_eq!(of("down --help").unwrap(), Command::Help);
    }
}
