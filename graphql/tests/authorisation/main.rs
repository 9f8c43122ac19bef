//! What every operation answers to everyone, about records of every kind: their own, a colleague's, somebody else's, another tenant's, and one that
//! doesn't exist. What is right stands in `authorisation.tsv` beside this directory, for people to read; whatever isn't in it is wrong.
//!
//! What isn't the viewer's must not be told from what doesn't exist: those answers are the same to the byte, but for the id of the request.
#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong fails")]

mod answer;
mod contract;
mod kinds;
mod probes;
mod stage;
mod tenancy;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Debug, Write};

use switchboard_domain::ids::TenantId;
use switchboard_domain::permission::{Grant, SEEDED_ROLES};
use switchboard_domain::person::ADMIN;
use switchboard_store::keys;
use switchboard_testkit::World;
use tokio::task::JoinSet;

use crate::contract::CONTRACT;
use crate::kinds::{Kind, Names, Whose};
use crate::probes::{Ask, Probe, probes};
use crate::stage::Stage;
use crate::tenancy::Tenancy;

/// What is right.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authorisation.tsv");

/// What the table begins with.
const LEGEND: &str = "\
# What every operation answers to each role of a new tenant. Anything else fails graphql/tests/authorisation. What an operation answers to a role that
# was made in the tenant follows from docs/permissions.md; that test tries one of the scope TEAM besides.
#
# Written by UPDATE_AUTHORISATION=1 cargo test -p switchboard-graphql --test authorisation: read every line that changes before it is committed.
#
# whose     own: the viewer's own; team: of somebody in the viewer's team; pool: in the pool of the viewer's team; other: of somebody in another team;
#           other pool: in the pool of another team; tenant: the tenant's as a whole; foreign: of another tenant; absent: there is no such record
# answers   ok: done, or shown; listed, hidden: it is in the list, it isn't; null: nothing; FORBIDDEN, NOT_FOUND: the code of the error;
#           refused: the viewer may, and the input was wrong on purpose, so that nothing is done (NOT_FOUND: for what the input names there is nothing);
#           allowed: the viewer may, and only the user pool or the queue, which the test has none of, was missing
#
# A record that is foreign is answered like one that is absent, to the byte; so is one that is hidden or not found.
";

/// What was answered: by the number of the probe, and whose the record was.
type Outcomes = BTreeMap<(usize, Whose), String>;

/// Asks everything as somebody with a role, which grants this when it isn't one of the seeded ones. What must hold for every answer is checked here.
async fn asked(role: &'static str, grants: &[&str], probes: &[Probe]) -> Outcomes {
    let world = World::new().await;
    let (ours, theirs) = (Tenancy::of(&world), Tenancy::beside(&world).await);
    if !grants.is_empty() {
        ours.grant(role, grants.iter().map(|grant| grant.parse::<Grant>().unwrap()).collect()).await;
    }
    let foreign = records_of_each_kind(&theirs, probes).await;
    let before = everything_of(&world, theirs.tenant.record.id).await;
    let mut outcomes = Outcomes::new();
    let mut wrong = Vec::new();
    let mut reader = Stage::of(&ours, role).await;
    for (number, probe) in probes.iter().enumerate() {
        // What changes something has people and records of its own.
        let mut writer;
        let stage = match probe.ask {
            Ask::Change(_) => {
                writer = Stage::of(&ours, role).await;
                &mut writer
            }
            Ask::Query(_) | Ask::List(_) => &mut reader,
        };
        let mut answers = Vec::new();
        for whose in probe.kind.whose() {
            let names = match whose {
                Whose::Foreign => foreign[&probe.kind].clone(),
                Whose::Absent => probe.kind.absent(),
                _ => stage.names(probe.kind, *whose).await,
            };
            let (outcome, text) = stage.answer(probe, &names).await;
            outcomes.insert((number, *whose), outcome.clone());
            answers.push((*whose, outcome, text));
        }
        wrong.extend(betrayals(probe, &answers).into_iter().map(|what| format!("{role}: {}: {what}", named(probe))));
    }
    assert!(before == everything_of(&world, theirs.tenant.record.id).await, "{role} changed something of another tenant");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    outcomes
}

/// A record of each kind that is asked for, which belongs to somebody of another tenant.
async fn records_of_each_kind(theirs: &Tenancy, probes: &[Probe]) -> HashMap<Kind, Names> {
    let staff = theirs.staff(ADMIN).await;
    let mut records = HashMap::new();
    for kind in probes.iter().map(|probe| probe.kind).collect::<BTreeSet<_>>() {
        records.insert(kind, theirs.make(kind, &staff.owner(kind, Whose::Foreign)).await);
    }
    records
}

/// Every item of a tenant, by its key.
async fn everything_of(world: &World, tenant: TenantId) -> BTreeMap<String, impl PartialEq + Debug> {
    let prefix = keys::tenant_prefix(tenant);
    let (mut items, mut next) = (BTreeMap::new(), None);
    loop {
        let page = world.database.client.execute_statement().statement("SELECT * FROM \"core\"").set_next_token(next).send().await.unwrap();
        for item in page.items.unwrap_or_default() {
            let key = format!("{} {}", item["PK"].as_s().unwrap(), item["SK"].as_s().unwrap());
            if key.starts_with(&prefix) {
                items.insert(key, item);
            }
        }
        next = page.next_token;
        if next.is_none() {
            assert!(items.len() > 20, "the other tenant has something that could be touched");
            return items;
        }
    }
}

/// Whether somebody is told by an answer that there is such a record for them.
fn is_reached(outcome: &str) -> bool {
    ["ok", "listed", "allowed", "partial"].contains(&outcome) || outcome.starts_with("refused:")
}

/// What tells records that aren't the viewer's from none.
fn betrayals(probe: &Probe, answers: &[(Whose, String, String)]) -> Vec<String> {
    let mut betrayals: Vec<String> = Vec::new();
    for (whose, outcome, text) in answers {
        if ["INTERNAL", "BAD_REQUEST", "no code"].contains(&outcome.as_str()) {
            betrayals.push(format!("{}: {text}", whose.as_str()));
        }
    }
    let Some((_, nothing, answer_of_nothing)) = answers.iter().find(|(whose, ..)| *whose == Whose::Absent) else {
        return betrayals;
    };
    // Who sees a record may be told that a field of it is beyond them.
    let is_field = probe.operation.contains('.');
    for (whose, outcome, text) in answers.iter().filter(|(whose, ..)| *whose != Whose::Absent) {
        let as_nothing = outcome == nothing && (text == answer_of_nothing || !probe.names_its_record());
        let is_right = match whose {
            // That there is what is their own is no news to anyone.
            Whose::Own => true,
            Whose::Foreign => as_nothing,
            _ if outcome == nothing => as_nothing || outcome == "ok",
            _ => is_reached(outcome) || (outcome == "FORBIDDEN" && is_field),
        };
        if !is_right {
            betrayals.push(format!("{} is told from absent:\n    {text}\n    {answer_of_nothing}", whose.as_str()));
        }
    }
    betrayals
}

fn named(probe: &Probe) -> String {
    format!("{}\t{}", probe.operation, probe.record())
}

/// The table: a line for each probe, and for those whose records that are answered alike.
fn table(probes: &[Probe], by_role: &[(&str, Outcomes)]) -> String {
    let roles: Vec<&str> = by_role.iter().map(|(role, _)| *role).collect();
    let mut table = format!("{LEGEND}operation\trecord\twhose\t{}\n", roles.join("\t"));
    for (number, probe) in probes.iter().enumerate() {
        let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
        for whose in probe.kind.whose().iter().copied().collect::<BTreeSet<_>>() {
            let answers = by_role.iter().map(|(_, outcomes)| outcomes[&(number, whose)].as_str()).collect::<Vec<_>>().join("\t");
            match lines.last_mut() {
                Some((together, alike)) if *alike == answers => together.push(whose.as_str()),
                _ => lines.push((vec![whose.as_str()], answers)),
            }
        }
        for (whose, answers) in lines {
            writeln!(table, "{}\t{}\t{answers}", named(probe), whose.join(", ")).unwrap();
        }
    }
    table
}

/// Run with `UPDATE_AUTHORISATION=1` to write the table anew.
#[test]
fn everyone_is_answered_what_the_table_says() {
    on_large_stacks(answers_compared_with_the_table());
}

async fn answers_compared_with_the_table() {
    let mut roles = JoinSet::new();
    for (place, role) in SEEDED_ROLES.iter().enumerate() {
        let code = role.code;
        roles.spawn(async move { (place, code, asked(code, &[], &probes()).await) });
    }
    let mut by_role = roles.join_all().await;
    by_role.sort_by_key(|(place, ..)| *place);
    let by_role: Vec<(&str, Outcomes)> = by_role.into_iter().map(|(_, role, outcomes)| (role, outcomes)).collect();
    let found = table(&probes(), &by_role);
    if std::env::var_os("UPDATE_AUTHORISATION").is_some() {
        std::fs::write(TABLE, &found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(TABLE).unwrap();
    let without = |one: &str, other: &str, mark: &str| {
        let others: BTreeSet<&str> = other.lines().collect();
        one.lines().filter(|line| !others.contains(line)).map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    assert!(expected == found, "graphql/tests/authorisation.tsv says otherwise:\n{}{}", without(&expected, &found, "-"), without(&found, &expected, "+"));
}

#[test]
fn every_operation_has_a_line_and_every_line_an_operation() {
    let table = std::fs::read_to_string(TABLE).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let listed: BTreeSet<String> = lines.map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    let probed: BTreeSet<String> = probes().iter().map(|probe| probe.operation.to_owned()).collect();
    for (where_to, known) in [("graphql/tests/authorisation.tsv", &listed), ("graphql/tests/authorisation/probes.rs", &probed)] {
        let missing: Vec<&String> = CONTRACT.operations.difference(known).collect();
        assert!(missing.is_empty(), "{where_to} doesn't say who may do {missing:?}");
        let unknown: Vec<&String> = known.difference(&CONTRACT.operations).collect();
        assert!(unknown.is_empty(), "{where_to} has {unknown:?}, which isn't there or needs no permission of its own");
    }
    let mut seen = BTreeSet::new();
    for probe in probes() {
        assert!(seen.insert(named(&probe)), "{} is asked twice", named(&probe));
    }
}

/// What somebody is granted who looks after their teams.
const OF_THEIR_TEAMS: [&str; 6] = ["contact:read:TEAM", "contact:update:TEAM", "agent:read:TEAM", "presence:update:TEAM", "schedule:update:TEAM", "team:read:TEAM"];

/// Runs a test on threads with room for the schema's futures, which are large when nothing is optimised.
fn on_large_stacks(test: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(32 * 1024 * 1024).build().unwrap();
    runtime.block_on(runtime.spawn(test)).unwrap();
}

#[test]
fn the_scope_of_ones_teams_reaches_colleagues_and_pools_and_nobody_else() {
    on_large_stacks(team_scope_tried());
}

async fn team_scope_tried() {
    // What is answered for what lies within the scope, and for everything else.
    let expected = [
        ("contact", Kind::Contact, "ok", "null"),
        ("contactByPhone", Kind::Contact, "ok", "null"),
        ("contacts", Kind::Contact, "listed", "hidden"),
        ("contacts", Kind::AgentWithContact, "listed", "hidden"),
        ("contactUpdate", Kind::Contact, "ok", "NOT_FOUND"),
        ("contactSetStatus", Kind::Contact, "FORBIDDEN", "FORBIDDEN"),
        ("contactAssign", Kind::Contact, "FORBIDDEN", "FORBIDDEN"),
        ("contactDuplicates", Kind::Contact, "FORBIDDEN", "FORBIDDEN"),
        ("Contact.auditEvents", Kind::Contact, "FORBIDDEN", "null"),
        ("agent", Kind::Agent, "ok", "null"),
        ("agents", Kind::Agent, "listed", "hidden"),
        ("agents", Kind::TeamAtWork, "listed", "hidden"),
        ("agentUpdate", Kind::Agent, "FORBIDDEN", "FORBIDDEN"),
        ("Agent.presence", Kind::Agent, "FORBIDDEN", "null"),
        ("presenceUpdate", Kind::Agent, "ok", "NOT_FOUND"),
        ("agentTimeline", Kind::Agent, "null", "null"),
        ("agentSchedule", Kind::Agent, "null", "null"),
        ("scheduleAddWindow", Kind::Agent, "ok", "NOT_FOUND"),
        ("scheduleUpdateWindow", Kind::Window, "ok", "NOT_FOUND"),
        ("scheduleRemoveWindow", Kind::Window, "ok", "NOT_FOUND"),
        ("scheduleAddException", Kind::Agent, "ok", "NOT_FOUND"),
        ("scheduleRemoveException", Kind::Exception, "ok", "NOT_FOUND"),
        ("team", Kind::Team, "ok", "null"),
        ("teams", Kind::Team, "listed", "hidden"),
        ("Team.members", Kind::Team, "ok", "null"),
        ("teamUpdate", Kind::Team, "FORBIDDEN", "FORBIDDEN"),
    ];
    let mut chosen = Vec::new();
    for (operation, kind, ..) in &expected {
        let found = probes().into_iter().find(|probe| (probe.operation, probe.kind) == (*operation, *kind));
        chosen.push(found.unwrap_or_else(|| panic!("{operation} isn't asked about a {}", kind.as_str())));
    }
    let outcomes = asked("team_lead", &OF_THEIR_TEAMS, &chosen).await;
    for ((number, whose), outcome) in &outcomes {
        let (.., within, beyond) = expected[*number];
        let right = if [Whose::Own, Whose::Team, Whose::Pool].contains(whose) { within } else { beyond };
        assert_eq!(outcome, right, "{} {}", named(&chosen[*number]), whose.as_str());
    }
}
