//! Tools kept inside the checkout: a Python environment and the GraphiQL page, made again when what they come from changes.

use crate::place::Place;
use crate::process::{answer, run_logged};
use crate::report::say;
use crate::requirements;
use crate::state::{remove_folder, write};
use crate::{interrupt, running};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Installs whatever is missing or out of date.
pub(crate) fn install(place: &Place) -> Result<()> {
    let _only_one = wait_for_others(place)?;
    python(place)?;
    graphiql(place)
}

/// The page that the graphql function serves.
pub(crate) fn graphiql_page(place: &Place) -> PathBuf {
    place.local().join("graphiql/graphiql.html")
}

/// `up` and `test` may be started at the same moment in a fresh clone.
fn wait_for_others(place: &Place) -> Result<File> {
    fs::create_dir_all(place.local())?;
    let path = place.local().join("tools.lock");
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    if running::is_locked(&path)? {
        say("tools: another ./dev is installing them; waiting for it");
    }
    while file.try_lock().is_err() {
        interrupt::pause(Duration::from_millis(200))?;
    }
    Ok(file)
}

fn python(place: &Place) -> Result<()> {
    let list = place.root().join("localstack/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    let folder = place.local().join("venv");
    let mark = folder.join("installed.txt");
    let interpreter = place.venv_program("python");
    let works = answer(Command::new(&interpreter).args(["-c", "import pip"])).is_some();
    if works && is_marked(&mark, &wanted) {
        return Ok(());
    }
    let log = place.step_log("python");
    if !works {
        say("tools: making a Python environment in .local/venv");
        remove_folder(&folder)?;
        let python = requirements::python().context("python3 is missing; ./dev doctor says how to get it")?;
        run_logged("python -m venv", Command::new(python).args(["-m", "venv"]).arg(&folder), &log)?;
    }
    say("tools: installing ministack, aws-sam-cli and cargo-lambda into it (about a minute, 810 MB)");
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"]).arg(&list);
    run_logged("pip install", &pip, &log)?;
    write(&mark, &wanted)?;
    say("tools: the Python environment is ready");
    Ok(())
}

fn graphiql(place: &Place) -> Result<()> {
    let source = place.root().join("graphql/graphiql");
    let mut wanted = String::new();
    for name in ["package-lock.json", "build.mjs", "page.mjs"] {
        let path = source.join(name);
        wanted.push_str(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?);
    }
    let page = graphiql_page(place);
    let mark = place.local().join("graphiql/built-from.txt");
    if page.exists() && is_marked(&mark, &wanted) {
        return Ok(());
    }
    say("tools: installing GraphiQL's packages (about 20 s)");
    let log = place.step_log("graphiql");
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&source);
    run_logged("npm ci", &install, &log)?;
    let mut build = Command::new("node");
    build.arg("build.mjs").arg(&page).current_dir(&source);
    run_logged("bundling GraphiQL", &build, &log)?;
    write(&mark, &wanted)?;
    say("tools: GraphiQL is ready");
    Ok(())
}

fn is_marked(mark: &Path, wanted: &str) -> bool {
    fs::read_to_string(mark).is_ok_and(|found| found == wanted)
}
