//! The functions: built by cargo, put together as they are uploaded.

use crate::place::Place;
use crate::process::{answer, run_with_lines};
use crate::report::say;
use crate::state::write;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

/// Their names, which are those of the folders in `functions/`.
pub(crate) const NAMES: [&str; 13] = [
    "graphql",
    "import-plan",
    "import-rows",
    "audit-record",
    "change-relay",
    "contact-index",
    "contact-bulk",
    "audit-archive",
    "audit-seal",
    "audit-export",
    "score",
    "score-sweep",
    "score-train",
];
const OPERATOR: &str = "operator";

/// The package and program of a function. The plain name `graphql` is the schema's crate.
pub(crate) const fn package(name: &str) -> &str {
    match name.as_bytes() {
        b"graphql" => "graphql-function",
        _ => name,
    }
}

/// What cargo built: programs by name.
#[derive(Debug)]
pub(crate) struct Built(BTreeMap<String, PathBuf>);

impl Built {
    /// The operator program.
    pub(crate) fn operator(&self) -> Result<&Path> {
        self.program(OPERATOR)
    }

    fn program(&self, name: &str) -> Result<&Path> {
        self.0.get(name).map(PathBuf::as_path).with_context(|| format!("cargo built no program {name}"))
    }
}

/// Cargo, as a developer would call it: not as a child of `cargo run`, whose variables would make it build anew.
pub(crate) fn cargo(place: &Place) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(place.root());
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "LD_LIBRARY_PATH" {
            command.env_remove(&key);
        }
    }
    command
}

/// Builds the functions and the operator. Of the workspace's default members, as `cargo lambda watch` and a developer's
/// own `cargo build` do: another selection of packages would mean other features of their dependencies, and a build more.
pub(crate) fn build(place: &Place) -> Result<Built> {
    let mut command = cargo(place);
    command.args(["build", "--profile", "dev", "--message-format", "json-render-diagnostics"]);
    for name in NAMES.map(package).into_iter().chain([OPERATOR]) {
        command.args(["--bin", name]);
    }
    say("functions: cargo build (some minutes the first time)");
    let mut programs = BTreeMap::new();
    let status = run_with_lines("cargo build", &command, |line| programs.extend(program_in(line)))?;
    if !status.success() {
        bail!("the functions do not build; cargo's messages are above");
    }
    say("functions: built");
    Ok(Built(programs))
}

/// The program that a line of cargo's messages announces.
fn program_in(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
}

/// Puts each function's folder together, if its program is another than before.
pub(crate) fn stage(place: &Place, built: &Built, graphiql: &Path) -> Result<()> {
    for name in NAMES {
        let program = built.program(package(name))?;
        let source = file_identity(program)?;
        let folder = place.staged(name);
        if fs::read_to_string(identity_file(place, name)).is_ok_and(|known| known == source) && folder.join("bootstrap").exists() {
            continue;
        }
        fs::create_dir_all(&folder)?;
        let bootstrap = folder.join("bootstrap");
        let partial = folder.with_extension("partial");
        strip(program, &partial)?;
        fs::rename(&partial, &bootstrap)?;
        write(&identity_file(place, name), &source)?;
        say(format_args!("function {name}: {:.1} MB", megabytes(&bootstrap)));
    }
    let page = place.staged("graphql").join("graphiql.html");
    if fs::read(graphiql).ok() != fs::read(&page).ok() {
        fs::copy(graphiql, &page).with_context(|| format!("copying {}", graphiql.display()))?;
    }
    Ok(())
}

/// Says which build of a function is staged.
pub(crate) fn identity(place: &Place, name: &str) -> Result<String> {
    let path = identity_file(place, name);
    let program = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let page = place.staged(name).join("graphiql.html");
    let page = if page.exists() { file_identity(&page)? } else { String::new() };
    Ok(format!("{name} {program} {page}"))
}

/// Beside the function's folder, not in it: it isn't uploaded.
fn identity_file(place: &Place, name: &str) -> PathBuf {
    place.staged(name).with_extension("built")
}

/// Size and time, which cargo leaves alone when it builds nothing.
fn file_identity(path: &Path) -> Result<String> {
    let about = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    let modified = about.modified()?.duration_since(UNIX_EPOCH)?;
    Ok(format!("{} {}", about.len(), modified.as_nanos()))
}

/// Without its symbols a program is a fifth of the size, and uploaded that much sooner.
fn strip(program: &Path, to: &Path) -> Result<()> {
    if answer(Command::new("strip").arg("-o").arg(to).arg(program)).is_none() {
        fs::copy(program, to).with_context(|| format!("copying {}", program.display()))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn megabytes(path: &Path) -> f64 {
    fs::metadata(path).map_or(0.0, |about| about.len() as f64 / 1e6)
}

/// The operator program as last built, if no source of it has changed since.
pub(crate) fn fresh_operator(place: &Place) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| place.root().join("target"), PathBuf::from);
    let program = target.join("debug").join(OPERATOR);
    let built = fs::metadata(&program).and_then(|about| about.modified()).ok()?;
    let sources = fs::read_to_string(program.with_extension("d")).ok()?;
    let unchanged = |path: PathBuf| fs::metadata(path).and_then(|about| about.modified()).is_ok_and(|changed| changed <= built);
    let lock = place.root().join("Cargo.lock");
    (unchanged(lock) && sources_in(&sources).into_iter().all(unchanged)).then_some(program)
}

/// The paths of cargo's dependency file, `program: source source …`, with spaces escaped.
fn sources_in(text: &str) -> Vec<PathBuf> {
    let list = text.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, list)| list);
    list.replace("\\ ", "\0").split(' ').filter(|path| !path.is_empty()).map(|path| path.replace('\0', " ").into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"operator"},"executable":"/t/debug/operator"}"#;
        assert_eq!(program_in(line), Some(("operator".to_owned(), "/t/debug/operator".into())));
        assert_eq!(program_in(r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#), None);
        assert_eq!(program_in("not JSON"), None);
    }

    #[test]
    fn sources_may_have_spaces_in_their_paths() {
        let text = "/t/debug/operator: /a/one.rs /a\\ b/two.rs\n";
        assert_eq!(sources_in(text), [PathBuf::from("/a/one.rs"), PathBuf::from("/a b/two.rs")]);
        assert!(sources_in("").is_empty());
    }

    #[test]
    fn only_graphql_is_built_under_another_name() {
        assert_eq!(package("graphql"), "graphql-function");
        assert!(NAMES.iter().filter(|name| **name != "graphql").all(|name| package(name) == *name));
    }
}
