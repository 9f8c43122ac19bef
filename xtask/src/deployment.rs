//! The stack as `sam deploy` makes it from the template, and what it answers.

use crate::environment::{self, REGION, STACK_NAME};
use crate::functions;
use crate::place::Place;
use crate::process;
use crate::report::say;
use crate::state::{State, write};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The stack's outputs by name.
#[derive(Debug, Clone)]
pub(crate) struct Outputs(BTreeMap<String, String>);

impl Outputs {
    #[cfg(test)]
    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("the stack has no output {name}"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// From the list that `sam list stack-outputs` prints.
    fn parse(text: &str) -> Result<Self> {
        let list: Vec<Value> = serde_json::from_str(text).context("reading the stack's outputs")?;
        let pair = |output: &Value| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].as_str()?.to_owned()));
        list.iter().map(pair).collect::<Option<_>>().map(Self).context("an output of the stack has no key or no value")
    }
}

/// Deploys unless what is there is the same, and returns the outputs.
pub(crate) fn deploy(place: &Place, state: &State, port: u16) -> Result<Outputs> {
    let wanted = fingerprint(place, port)?;
    if fs::read_to_string(state.deployed()).is_ok_and(|deployed| deployed == wanted) {
        say("deployment: nothing has changed");
    } else {
        say("deployment: sam deploy of infra/template.yaml (about 15 s)");
        // Should it break off in the middle, the next start must repeat it.
        let _ = fs::remove_file(state.deployed());
        sam_deploy(place, port)?;
        write(&state.outputs(), &sam_outputs(place, port)?)?;
        write(&state.deployed(), &wanted)?;
    }
    Outputs::parse(&fs::read_to_string(state.outputs()).context("the deployment's outputs are gone; ./dev reset")?)
}

/// Everything a deployment depends on, as text that can be compared.
fn fingerprint(place: &Place, port: u16) -> Result<String> {
    let mut text = format!("{}\n", parameters(port).join("\n"));
    for name in functions::NAMES {
        text.push_str(&functions::identity(place, name)?);
        text.push('\n');
    }
    for file in ["infra/template.yaml", "infra/samconfig.toml"] {
        let path = place.root().join(file);
        text.push_str(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?);
    }
    Ok(text)
}

/// The template's parameters that differ on one machine.
fn parameters(port: u16) -> Vec<String> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    vec![format!("Architecture={architecture}"), "Graphiql=on".to_owned(), "RequireTls=false".to_owned(), format!("JwksOrigin={}", environment::endpoint(port))]
}

fn sam_deploy(place: &Place, port: u16) -> Result<()> {
    keep_sam_from_looking_for_updates(place)?;
    let mut command = sam(place, port);
    command
        .args(["deploy", "--config-env", "local", "--region", REGION, "--no-progressbar"])
        .arg("--config-file")
        .arg(place.root().join("infra/samconfig.toml"))
        .arg("--template-file")
        .arg(place.root().join("infra/template.yaml"))
        .arg("--parameter-overrides")
        .args(parameters(port));
    process::run_logged("sam deploy", &command, &place.step_log("deploy"))
        .context("the deployment failed; if the template changed in a way the emulator can't follow: ./dev reset")
}

fn sam_outputs(place: &Place, port: u16) -> Result<String> {
    let mut command = sam(place, port);
    command.args(["list", "stack-outputs", "--stack-name", STACK_NAME, "--region", REGION, "--output", "json"]);
    let mut text = String::new();
    let status = process::run_with_lines("sam list stack-outputs", &command, |line| {
        text.push_str(line);
        text.push('\n');
    })?;
    anyhow::ensure!(status.success(), "sam list stack-outputs failed ({status})");
    Ok(text)
}

/// It would ask the internet each week, and has no setting against it but the time it last did.
fn keep_sam_from_looking_for_updates(place: &Place) -> Result<()> {
    let year_2100 = 4_102_444_800.0;
    write(&sam_folder(place).join("metadata.json"), &json!({ "lastVersionCheck": year_2100 }).to_string())
}

/// What sam keeps for itself belongs in .local, not in the developer's home.
fn sam_folder(place: &Place) -> PathBuf {
    place.local().join("sam")
}

fn sam(place: &Place, port: u16) -> Command {
    let mut command = Command::new(place.venv_program("sam"));
    environment::point_at_emulator(&mut command, port).current_dir(place.root()).env("SAM_CLI_TELEMETRY", "0").env("__SAM_CLI_APP_DIR", sam_folder(place));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_by_name() {
        let text = r#"[{"OutputKey":"ApiId","OutputValue":"abc","Description":"The HTTP API"}]"#;
        assert_eq!(Outputs::parse(text).unwrap().get("ApiId").unwrap(), "abc");
        assert!(Outputs::parse("[{}]").is_err());
        assert!(Outputs::parse("").is_err());
    }

    #[test]
    fn the_port_is_part_of_what_is_deployed() {
        assert_ne!(parameters(4566), parameters(4567));
    }
}
