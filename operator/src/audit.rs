//! What an operator does with the audit trail: verifying an export of it, telling the key that its days are sealed with, sealing them at once, and recording what
//! was set aside.

use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use switchboard_app::audit::{Recorder, Sealer, redrive as redrive_letters};
use switchboard_domain::audit::{ClaimedFilter, Claims, Verified, Verifier};
use switchboard_lambda::{Aws, audit_lock};
use switchboard_platform::{public_key_from_pem, public_key_pem, signature_checker};
use switchboard_store::tenants;

/// The setting that names the key.
const KEY: &str = "AUDIT_SEAL_KEY";
/// How long sealing may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What `audit seal` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seal {
    day: Option<Date>,
    tenant: Option<String>,
}

impl Seal {
    /// Reads what follows `audit seal`. Nothing when it isn't that.
    pub(crate) fn parse(words: &[&str]) -> Option<Self> {
        let mut seal = Self::default();
        for option in words.chunks(2) {
            match option {
                ["--day", day] => seal.day = Some(day.parse().ok()?),
                ["--tenant", slug] => seal.tenant = Some((*slug).to_owned()),
                _ => return None,
            }
        }
        Some(seal)
    }
}

/// Verifies an export with a public key, both files. Needs no deployment, and no network.
pub(crate) fn verify(export: &str, key: &str) -> Result<()> {
    let pem = read_to_string(key).with_context(|| format!("reading {key}"))?;
    check(export, &public_key_from_pem(&pem).with_context(|| key.to_owned())?)
}

/// The same with the key of the deployment: what it says of itself.
pub(crate) async fn verify_with_own_key(aws: &Aws, export: &str) -> Result<()> {
    check(export, &aws.signer(KEY)?.public_key().await?)
}

fn check(export: &str, public_key: &[u8]) -> Result<()> {
    let mut verifier = Verifier::new(signature_checker(public_key)?);
    let file = File::open(export).with_context(|| format!("reading {export}"))?;
    for line in BufReader::with_capacity(1 << 20, file).lines() {
        verifier.line(&line.with_context(|| format!("reading {export}"))?);
    }
    say(&verifier.finish())
}

/// Prints what was found; an error when something is wrong.
fn say(verified: &Verified) -> Result<()> {
    println!("{}", found(verified));
    match verified.problem_count {
        0 => Ok(()),
        1 => bail!("1 problem"),
        count => bail!("{count} problems"),
    }
}

/// What was found. What the file claims comes first: nobody signed it, and what it says was left out is missed by nobody else than who reads this.
fn found(verified: &Verified) -> String {
    let mut lines: Vec<String> = verified.claims.iter().map(claimed).collect();
    if let Some((first, last)) = verified.sealed {
        lines.push(format!("sealed: {first} to {last}; later days that were cut off together with their seals are missed by nobody"));
    }
    lines.push(format!("{} events; {} days sealed, {} not sealed yet", verified.events, verified.days_sealed, verified.days_unsealed));
    lines.extend(verified.problems.iter().map(|problem| match problem.line {
        0 => problem.what.clone(),
        line => format!("line {line}: {}", problem.what),
    }));
    lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}

/// What an export says of itself.
fn claimed(claims: &Claims) -> String {
    let given = claims.left_out().map(ClaimedFilter::given).unwrap_or_default();
    let left_out = match given.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" and ") {
        given if given.is_empty() => "nothing left out".to_owned(),
        given => format!("all left out but {given}"),
    };
    let from = claims.from.map_or_else(|| "the beginning".to_owned(), |from| from.to_string());
    let (tenant, to, made_at) = (&claims.tenant, claims.to.unwrap_or(claims.made_at), claims.made_at);
    format!("claimed, and not signed: events of tenant {tenant} recorded from {from} until {to}, {left_out}; made at {made_at}")
}

/// A line with nothing in it that a terminal obeys: it may quote the file.
fn printable(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Prints the public half of the key that seals, as other tools read it.
pub(crate) async fn key(aws: &Aws) -> Result<()> {
    print!("{}", public_key_pem(&aws.signer(KEY)?.public_key().await?));
    Ok(())
}

/// Seals what is due, or one day as far as it was archived.
pub(crate) async fn seal(aws: &Aws, asked: Seal) -> Result<()> {
    let services = aws.services()?;
    let sealer = Sealer { archive: aws.files("AUDIT_ARCHIVE_BUCKET")?, signer: aws.signer(KEY)?, clock: services.clock, lock: audit_lock()? };
    let deadline = Instant::now() + PATIENCE;
    let report = match (&asked.tenant, asked.day) {
        (Some(slug), day) => {
            let tenant = tenants::by_slug(&services.core, slug).await?.with_context(|| format!("there is no tenant {slug}"))?;
            Box::pin(sealer.seal_tenant(tenant, day, deadline)).await?
        }
        (None, Some(day)) => Box::pin(sealer.seal_day(day, deadline)).await?,
        (None, None) => Box::pin(sealer.seal(deadline)).await?,
    };
    println!("{} tenants, {} seals made", report.tenants, report.sealed);
    for (tenant, day) in &report.damaged_days {
        eprintln!("tenant {tenant}: {day} can not be sealed, because what was archived of it is not as it was recorded");
    }
    if report.damaged > 0 {
        bail!("{} days could not be sealed", report.damaged);
    }
    if report.unfinished {
        bail!("there was no time for all of it: run it again; a day whose events take longer than ten minutes to be read needs a faster machine or a nearer one");
    }
    Ok(())
}

/// Records what was set aside, now that it can be.
pub(crate) async fn redrive(aws: &Aws) -> Result<()> {
    let services = aws.services()?;
    let recorder = Recorder {
        tenants: services.tenants,
        core: services.core,
        events: services.audit,
        dead_letters: aws.files("AUDIT_DEAD_LETTER_BUCKET")?,
        results: aws.files("RESULTS_BUCKET")?,
        archive: aws.files("AUDIT_ARCHIVE_BUCKET")?,
        clock: services.clock,
        entropy: services.entropy,
    };
    let report = Box::pin(redrive_letters(&recorder)).await?;
    println!("{} changes recorded, {} were on record already, {} need no event, {} stay", report.recorded, report.repeated, report.technical, report.left.len());
    for (letter, reason) in &report.left {
        eprintln!("{letter}: {reason}");
    }
    if report.left.is_empty() { Ok(()) } else { bail!("{} changes could not be recorded", report.left.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;
    use switchboard_domain::audit::Problem;

    fn of(line: &str) -> Option<Seal> {
        Seal::parse(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn a_seal_is_of_what_is_due_or_of_a_day_of_all_tenants_or_of_one() {
        assert_eq!(of(""), Some(Seal::default()));
        assert_eq!(of("--tenant acme --day 2026-11-30"), Some(Seal { day: Some(date(2026, 11, 30)), tenant: Some("acme".to_owned()) }));
        for wrong in ["--day", "--day today", "--day 2026-11-31", "2026-11-30", "--tenant"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_export_without_problems_succeeds_and_one_with_a_problem_fails() {
        let whole = Verified { events: 3, days_sealed: 1, ..Verified::default() };
        assert!(say(&whole).is_ok());
        let problem = Problem { line: 2, what: "it was edited".to_owned() };
        assert_eq!(say(&Verified { problems: vec![problem], problem_count: 1, ..whole }).unwrap_err().to_string(), "1 problem");
    }

    #[test]
    fn what_a_file_claims_is_said_before_what_was_found() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let claims = Claims { filter: None, from: None, made_at: at(90_000), tenant: "t".to_owned(), to: None };
        let claimed = |claims: Claims| found(&Verified { claims: Some(claims), ..Verified::default() });
        let whole = "claimed, and not signed: events of tenant t recorded from the beginning until 1970-01-02T01:00:00Z, nothing left out; made at 1970-01-02T01:00:00Z";
        let counts = "0 events; 0 days sealed, 0 not sealed yet";
        assert_eq!(claimed(claims.clone()), format!("{whole}\n{counts}"));
        let filter = ClaimedFilter { entity_type: Some("team".to_owned()), action: Some("team.updated".to_owned()), ..ClaimedFilter::default() };
        let part = claimed(Claims { filter: Some(filter), from: Some(at(0)), to: Some(at(5)), ..claims.clone() });
        let expected = "from 1970-01-01T00:00:00Z until 1970-01-01T00:00:05Z, all left out but entityType team and action team.updated; made at 1970-01-02T01:00:00Z";
        assert!(part.contains(expected), "{part}");
        assert_eq!(claimed(Claims { filter: Some(ClaimedFilter::default()), ..claims.clone() }), format!("{whole}\n{counts}"));
        let forged = claimed(Claims { tenant: "t\n3 events\u{1b}[2J".to_owned(), ..claims });
        assert_eq!(forged.lines().count(), 2, "{forged}");
        assert!(!forged.contains('\u{1b}'));
        let sealed = found(&Verified { sealed: Some((date(2026, 11, 21), date(2026, 11, 30))), ..Verified::default() });
        assert!(sealed.starts_with("sealed: 2026-11-21 to 2026-11-30;") && sealed.ends_with(counts), "{sealed}");
    }

    #[test]
    fn what_is_no_export_or_no_key_is_said_so() {
        let folder = std::env::temp_dir();
        let none = folder.join("switchboard-no-such-file");
        let error = verify(none.to_str().unwrap(), none.to_str().unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains("switchboard-no-such-file"));
    }
}
