//! The addresses and names of a running stack, as `KEY=value` lines.

use crate::deployment::Outputs;
use anyhow::{Context, Result};
use std::fmt;
use std::process::Command;

/// The stack's name, on AWS a matter of choice.
pub(crate) const STACK_NAME: &str = "switchboard";
/// The region the emulator plays.
pub(crate) const REGION: &str = "ca-central-1";
/// What the emulator takes for the account's own key; it is worth nothing elsewhere.
const KEY: &str = "test";
/// The password of every demo user.
pub(crate) const DEMO_PASSWORD: &str = "Switchboard-demo-1";

/// Keys and values in the order they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment(Vec<(String, String)>);

impl Environment {
    /// Of a stack whose emulator listens there and whose deployment answered so.
    pub(crate) fn of(port: u16, outputs: &Outputs) -> Result<Self> {
        let endpoint = endpoint(port);
        let graphql = format!("{endpoint}{}", stage_path(outputs.get("ApiId")?, "/graphql"));
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut add = |key: &str, value: &str| pairs.push((key.to_owned(), value.to_owned()));
        add("AWS_ENDPOINT_URL", &endpoint);
        add("AWS_REGION", REGION);
        add("AWS_ACCESS_KEY_ID", KEY);
        add("AWS_SECRET_ACCESS_KEY", KEY);
        add("GRAPHQL_URL", &graphql);
        for output in ["UploadsBucket", "CoreTable", "AuditTable", "UserPoolId", "UserPoolClientId"] {
            add(&upper_snake(output), outputs.get(output)?);
        }
        add("STACK_NAME", STACK_NAME);
        for (output, value) in outputs.iter() {
            let key = upper_snake(output);
            if !pairs.iter().any(|(known, _)| *known == key) {
                pairs.push((key, value.to_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// Where the API says that it is well.
    pub(crate) fn health_path(&self) -> Result<String> {
        Ok(stage_path(self.get("API_ID")?, "/health"))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Result<&str> {
        let pair = self.0.iter().find(|(known, _)| known == key);
        pair.map(|(_, value)| value.as_str()).with_context(|| format!("the environment has no {key}"))
    }

    /// Every pair.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Reads back what was printed.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let pair = |line: &str| {
            let (key, value) = line.split_once('=').with_context(|| format!("no KEY=value line: {line:?}"))?;
            Ok((key.to_owned(), value.to_owned()))
        };
        text.lines().filter(|line| !line.is_empty()).map(pair).collect::<Result<_>>().map(Self)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(key, value)| writeln!(f, "{key}={value}"))
    }
}

/// The emulator's address.
pub(crate) fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The path under which the emulator's gateway serves a route of the stage `$default`, whose dollar sign is written so that
/// a shell that reads the lines as its own leaves it alone.
fn stage_path(api: &str, route: &str) -> String {
    format!("/_aws/execute-api/{api}/%24default{route}")
}

/// Points every AWS program at the emulator. Whatever the developer's shell says about AWS is taken away first: neither
/// a profile nor an endpoint of a single service may lead a command of ours to a real account.
pub(crate) fn point_at_emulator(command: &mut Command, port: u16) -> &mut Command {
    without_aws(command)
        .env("AWS_ENDPOINT_URL", endpoint(port))
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost")
}

/// Adds the lines of a running stack, and the demo users' password.
pub(crate) fn point_at_stack<'a>(command: &'a mut Command, environment: &Environment) -> &'a mut Command {
    without_aws(command)
        .envs(environment.iter())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost")
        .env("DEMO_PASSWORD", DEMO_PASSWORD)
}

fn without_aws(command: &mut Command) -> &mut Command {
    for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(key);
    }
    command
}

/// `UserPoolClientId` to `USER_POOL_CLIENT_ID`.
fn upper_snake(name: &str) -> String {
    let mut text = String::new();
    for (position, letter) in name.chars().enumerate() {
        if position > 0 && letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs() -> Outputs {
        Outputs::from_pairs(
            ["AuditTable", "CoreTable", "ResultsBucket", "TenantKeyArn", "UploadsBucket", "UserPoolClientId", "UserPoolId"]
                .map(|name| (name.to_owned(), format!("the-{name}")))
                .into_iter()
                .chain([("ApiId".to_owned(), "abc".to_owned())]),
        )
    }

    #[test]
    fn the_fixed_lines_come_first_and_in_order() {
        let environment = Environment::of(4570, &outputs()).unwrap();
        let keys: Vec<&str> = environment.iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "AWS_ENDPOINT_URL",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "GRAPHQL_URL",
                "UPLOADS_BUCKET",
                "CORE_TABLE",
                "AUDIT_TABLE",
                "USER_POOL_ID",
                "USER_POOL_CLIENT_ID",
                "STACK_NAME",
                "API_ID",
                "RESULTS_BUCKET",
                "TENANT_KEY_ARN",
            ]
        );
        assert_eq!(environment.get("GRAPHQL_URL").unwrap(), "http://127.0.0.1:4570/_aws/execute-api/abc/%24default/graphql");
        assert_eq!(environment.get("CORE_TABLE").unwrap(), "the-CoreTable");
    }

    #[test]
    fn a_missing_output_is_named() {
        let error = Environment::of(4570, &Outputs::from_pairs([])).unwrap_err().to_string();
        assert!(error.contains("ApiId"), "{error}");
    }

    #[test]
    fn what_was_printed_can_be_read_back() {
        let environment = Environment::of(4570, &outputs()).unwrap();
        assert_eq!(Environment::parse(&environment.to_string()).unwrap(), environment);
        assert_eq!(Environment::parse("A=b=c\n").unwrap().get("A").unwrap(), "b=c");
        assert!(Environment::parse("no equals sign").is_err());
    }
}
