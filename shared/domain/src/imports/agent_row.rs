//! A row of an import of agents: what its cells say, and what that does to the agent there is.

use jiff::Timestamp;

use super::contact_row::{value_of, whole_name};
use super::mapping::{ColumnMapping, Target};
use super::options::{BlankCells, ImportOptions, OnDeleted, OnExisting};
use super::record::Import;
use super::rows::{Row, RowProblem};
use crate::actor::Actor;
use crate::clock::to_millisecond;
use crate::contact::RowWrite;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::TeamId;
use crate::person::{Agent, AgentTeam, MAX_TEAMS, MembershipRole};
use crate::text;

/// What a row says of an agent, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentRow {
    /// What people call them.
    pub name: Option<String>,
    /// The address they sign in with.
    pub email: Option<String>,
    /// The employer's own number for them.
    pub employee_id: Option<String>,
    /// Whether that is emptied: its cell is blank, and blank cells clear.
    pub empties_employee_id: bool,
    /// The name of a team they are in.
    pub team: Option<String>,
    /// What they are in that team.
    pub role: Option<String>,
}

/// The checked values of a row, but for the address, which says whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentValues {
    /// What people call them.
    pub name: String,
    /// The employer's own number for them: a value, nothing, or no word of it.
    pub employee_id: Option<Option<String>>,
    /// What they are in the team that the row names; none when it doesn't say so.
    pub role: Option<MembershipRole>,
}

/// What is to be done with an agent there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentDecision {
    /// They get these values.
    Change(AgentChange),
    /// They say that already.
    Unchanged,
    /// They are to stay as they are.
    Skipped,
    /// The row can't be used.
    Refused(FieldError),
    /// This very row was written before, with this outcome; only count it.
    Done(RowWrite),
}

/// What changes of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentChange {
    /// Their name, the one they have or another.
    pub name: String,
    /// The employer's number for them, likewise.
    pub employee_id: Option<String>,
    /// Their place in the team that the row names, when they have another one there or none.
    pub place: Option<AgentTeam>,
}

/// What a row says of an agent. A blank cell, which one that a short row doesn't have is too, takes its column's default; without one it says nothing, and empties the
/// employee number when `options` say so. It takes nobody out of a team.
///
/// # Errors
/// What is wrong with the row as it is written.
pub fn to_agent(row: &Row, mapping: &[ColumnMapping], options: &ImportOptions) -> Result<AgentRow, RowProblem> {
    if let Some(problem) = row.problem {
        return Err(problem);
    }
    let mut said = AgentRow::default();
    let (mut first_name, mut last_name) = (None, None);
    for (index, column) in mapping.iter().enumerate() {
        let Some(target) = &column.field else { continue };
        let value = value_of(column, target, row.cells.get(index).map(String::as_str));
        if *target == Target::EmployeeId {
            said.empties_employee_id = value.is_none() && options.blank_cells == BlankCells::Clear;
        }
        let Some(value) = value else { continue };
        match target {
            Target::FirstName => first_name = Some(value),
            Target::LastName => last_name = Some(value),
            Target::Name => said.name = Some(value.to_owned()),
            Target::Email => said.email = Some(value.to_owned()),
            Target::EmployeeId => said.employee_id = Some(value.to_owned()),
            Target::Team => said.team = Some(value.to_owned()),
            Target::Role => said.role = Some(value.to_owned()),
            // Those of other kinds of import, which a mapping of agents doesn't have.
            _ => {}
        }
    }
    said.name = whole_name(first_name, last_name, said.name.take(), mapping);
    Ok(said)
}

impl AgentRow {
    /// What the row says in the field that an error names, as it came.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&str> {
        match field {
            "name" => self.name.as_deref(),
            "email" => self.email.as_deref(),
            "employeeId" => self.employee_id.as_deref(),
            "team" => self.team.as_deref(),
            "role" => self.role.as_deref(),
            _ => None,
        }
    }

    /// What they are in the team that the row names. Words are English or French; case, accents, spaces and punctuation don't matter.
    ///
    /// # Errors
    /// `INVALID` for another word, and for a role without a team.
    pub fn checked_role(&self) -> Result<Option<MembershipRole>, FieldError> {
        let Some(word) = &self.role else {
            return Ok(None);
        };
        let refused = |message: &str| Err(FieldError::new("role", FieldErrorCode::Invalid, message));
        match membership_role(word) {
            None => refused("role is not one of a team. Write member, team lead or supervisor."),
            Some(_) if self.team.is_none() => refused("role is what somebody is in a team, and the row names none. Give the team too."),
            role => Ok(role),
        }
    }
}

fn membership_role(word: &str) -> Option<MembershipRole> {
    Some(match text::fold_alphanumeric(word).as_str() {
        "agent" | "member" | "teammember" | "telephonist" | "membre" | "membredelequipe" | "telephoniste" => MembershipRole::Agent,
        "lead" | "leader" | "teamlead" | "teamleader" | "chef" | "cheffe" | "chefdequipe" | "cheffedequipe" => MembershipRole::TeamLead,
        "supervisor" | "superviseur" | "superviseure" | "superviseuse" => MembershipRole::Supervisor,
        _ => return None,
    })
}

/// Decides what the row about an agent there is does. `team` is the one that it names.
///
/// A row leaves no mark. Of an import only one row is about an agent, so whom this import made, that row made, whatever became of them since; and whom it changed
/// last, that row changed. `redelivered` says that the row may have been handled before without either: what somebody changed since the writing began is newer
/// then, and stays.
#[must_use]
pub fn decide_agent(import: &Import, values: &AgentValues, team: Option<TeamId>, agent: &Agent, redelivered: bool, now: Timestamp) -> AgentDecision {
    let import_itself = Actor::import(import.id, &import.file_name);
    if agent.record.created_by == import_itself {
        return AgentDecision::Done(RowWrite::Created);
    }
    if agent.record.last_change.origin.actor == import_itself && agent.deleted_at.is_none() {
        return AgentDecision::Done(RowWrite::Updated);
    }
    if agent.deleted_at.is_some() {
        return match import.options.on_deleted {
            OnDeleted::Skip => AgentDecision::Skipped,
            OnDeleted::Restore => {
                let message = "The agent with this address was deleted, and no import lets somebody sign in again. Restore them first, or leave the row out.";
                AgentDecision::Refused(FieldError::new("email", FieldErrorCode::Conflict, message))
            }
        };
    }
    match import.options.on_existing {
        OnExisting::Update => {}
        OnExisting::Skip => return AgentDecision::Skipped,
        OnExisting::Fail => {
            let message = "There is an agent with this address. Leave the row out, or let the import change those there are.";
            return AgentDecision::Refused(FieldError::new("email", FieldErrorCode::Conflict, message));
        }
    }
    let place = match team.map(|team| placed(agent, team, values.role, now)).transpose() {
        Ok(place) => place.flatten(),
        Err(error) => return AgentDecision::Refused(error),
    };
    let employee_id = values.employee_id.clone().unwrap_or_else(|| agent.employee_id.clone());
    if place.is_none() && values.name == agent.name && employee_id == agent.employee_id {
        return AgentDecision::Unchanged;
    }
    if redelivered && import.writing_since.is_some_and(|since| agent.record.updated_at() > since) {
        return AgentDecision::Unchanged;
    }
    AgentDecision::Change(AgentChange { name: values.name.clone(), employee_id, place })
}

/// The place in a team that an agent is to have; none when they have it. Who is in the team stays what they are there, unless the row says what they are.
fn placed(agent: &Agent, team: TeamId, role: Option<MembershipRole>, now: Timestamp) -> Result<Option<AgentTeam>, FieldError> {
    match (agent.teams.iter().find(|place| place.team == team), role) {
        (Some(_), None) => Ok(None),
        (Some(before), Some(role)) => Ok((before.role != role).then(|| AgentTeam { role, ..before.clone() })),
        (None, _) if agent.teams.len() >= MAX_TEAMS => {
            let message = format!("This agent is in {MAX_TEAMS} teams already, and no more are allowed. Take them out of another one first.");
            Err(FieldError::new("team", FieldErrorCode::LimitExceeded, message))
        }
        (None, role) => Ok(Some(new_place(team, role, now))),
    }
}

/// The place in a team of who comes into it now: a member's, unless the row says what they are.
#[must_use]
pub fn new_place(team: TeamId, role: Option<MembershipRole>, now: Timestamp) -> AgentTeam {
    AgentTeam { team, role: role.unwrap_or(MembershipRole::Agent), assigned_at: to_millisecond(now) }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::option;
    use proptest::prelude::*;

    use super::super::record::{ImportKind, ImportSourceType, NewImport};
    use super::super::{map_columns, read_rows, sniff};
    use super::*;
    use crate::change::{Change, Origin, Revisioned};
    use crate::ids::{AgentId, ImportId};

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn import(options: ImportOptions) -> Import {
        let new = NewImport {
            id: ImportId::new(at(0), &[1; 10]),
            kind: ImportKind::Agents,
            source_type: ImportSourceType::Csv,
            source_platform: "n/a".to_owned(),
            file_name: "staff.csv".to_owned(),
            file_bytes: 1,
            file_key: "drop/demo/staff.csv".to_owned(),
            file_tag: "tag".to_owned(),
            change: Change::new("import.created", at(0), Origin::system()),
        };
        Import { options, writing_since: Some(at(100)), ..Import::new(new) }
    }

    fn team(seed: u8) -> TeamId {
        TeamId::new(at(0), &[seed; 10])
    }

    /// An agent whom somebody made before the import, who is a member of a team.
    fn agent() -> Agent {
        Agent {
            id: AgentId::new(at(0), &[1; 10]),
            record: Revisioned::created(Change::new("agent.created", at(0), Origin::system())),
            name: "Zoe Roy".to_owned(),
            sealed_email: Vec::new(),
            employee_id: Some("7".to_owned()),
            time_zone: None,
            teams: vec![AgentTeam { team: team(1), role: MembershipRole::TeamLead, assigned_at: at(0) }],
            deleted_at: None,
        }
    }

    fn values() -> AgentValues {
        AgentValues { name: "Zoe Roy".to_owned(), employee_id: None, role: None }
    }

    fn decided(values: &AgentValues, to: Option<TeamId>, agent: &Agent) -> AgentDecision {
        decide_agent(&import(ImportOptions::default()), values, to, agent, false, at(200))
    }

    /// What the rows of a file say, its columns mapped by their names.
    fn said(text: &str, options: &ImportOptions) -> Vec<AgentRow> {
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        let mapping = map_columns(&beginning.columns, ImportKind::Agents);
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &beginning.dialect, 1).map(|row| to_agent(&row, &mapping, options).unwrap()).collect()
    }

    #[test]
    fn a_role_that_is_none_and_one_without_a_team_are_refused() {
        for (cells, remedy) in [("a@b.ca,Est,boss", "Write member"), ("a@b.ca,,lead", "Give the team too"), ("a@b.ca,Est,admin", "Write member")] {
            let row = said(&format!("email,team,role\n{cells}\n"), &ImportOptions::default()).remove(0);
            let error = row.checked_role().unwrap_err();
            assert!((error.field.as_str(), error.code) == ("role", FieldErrorCode::Invalid) && error.message.contains(remedy), "{error:?}");
        }
        assert_eq!(said("email,team,role\na@b.ca,Est,-\n", &ImportOptions::default())[0].checked_role(), Ok(None));
    }

    #[test]
    fn roles_are_known_in_both_languages() {
        for (role, words) in [
            (MembershipRole::Agent, ["Member", "AGENT", "membre", "Téléphoniste"]),
            (MembershipRole::TeamLead, ["Team lead", "TEAM_LEAD", "chef d'équipe", "Cheffe"]),
            (MembershipRole::Supervisor, ["supervisor", "SUPERVISOR", "Superviseur", "superviseure"]),
        ] {
            for word in words {
                assert_eq!(membership_role(word), Some(role), "{word}");
            }
        }
    }

    #[test]
    fn rows_are_read_in_either_language_and_blank_cells_say_nothing() {
        let text = "Prénom;Nom;Courriel;Matricule;Équipe;Rôle\nZoé;Roy;zoe@example.test;7;Est;chef d'équipe\n;Roy;liam@example.test;N/A\n";
        let rows = said(text, &ImportOptions::default());
        let full = AgentRow {
            name: Some("Zoé Roy".to_owned()),
            email: Some("zoe@example.test".to_owned()),
            employee_id: Some("7".to_owned()),
            empties_employee_id: false,
            team: Some("Est".to_owned()),
            role: Some("chef d'équipe".to_owned()),
        };
        assert_eq!(rows[0], full);
        assert_eq!((rows[0].text_of("role"), rows[0].text_of("phone")), (Some("chef d'équipe"), None));
        let short = AgentRow { name: Some("Roy".to_owned()), email: Some("liam@example.test".to_owned()), ..AgentRow::default() };
        assert_eq!(rows[1], short);
    }

    #[test]
    fn a_blank_employee_number_is_emptied_only_when_blank_cells_clear() {
        let clearing = ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() };
        let text = "name,email,employee id\nZoe,a@b.ca,\nZoe,a@b.ca,7\nZoe,a@b.ca\n";
        let empties: Vec<bool> = said(text, &clearing).iter().map(|row| row.empties_employee_id).collect();
        assert_eq!(empties, [true, false, true]);
        assert!(said(text, &ImportOptions::default()).iter().all(|row| !row.empties_employee_id));
        assert!(!said("name,email\nZoe,a@b.ca\n", &clearing)[0].empties_employee_id);
    }

    #[test]
    fn a_deleted_agent_costs_the_row_or_is_left_out_and_never_comes_back() {
        let deleted = Agent { deleted_at: Some(at(1)), ..agent() };
        let AgentDecision::Refused(error) = decided(&values(), None, &deleted) else { panic!("not refused") };
        assert_eq!((error.field.as_str(), error.code), ("email", FieldErrorCode::Conflict));
        let skipping = import(ImportOptions { on_deleted: OnDeleted::Skip, ..ImportOptions::default() });
        assert_eq!(decide_agent(&skipping, &values(), None, &deleted, false, at(200)), AgentDecision::Skipped);
    }

    #[test]
    fn an_agent_there_is_stays_or_costs_the_row_when_the_options_say_so() {
        let with = |on_existing| import(ImportOptions { on_existing, ..ImportOptions::default() });
        assert_eq!(decide_agent(&with(OnExisting::Skip), &values(), None, &agent(), false, at(200)), AgentDecision::Skipped);
        let AgentDecision::Refused(error) = decide_agent(&with(OnExisting::Fail), &values(), None, &agent(), false, at(200)) else { panic!("not refused") };
        assert_eq!((error.field.as_str(), error.code), ("email", FieldErrorCode::Conflict));
    }

    #[test]
    fn who_is_in_as_many_teams_as_there_may_be_comes_into_no_other() {
        let place = |seed: usize| AgentTeam { team: team(u8::try_from(seed).unwrap()), role: MembershipRole::Agent, assigned_at: at(0) };
        let busy = Agent { teams: (0..MAX_TEAMS).map(place).collect(), ..agent() };
        let AgentDecision::Refused(error) = decided(&values(), Some(team(99)), &busy) else { panic!("not refused") };
        assert_eq!((error.field.as_str(), error.code), ("team", FieldErrorCode::LimitExceeded));
        assert_eq!(decided(&values(), Some(team(3)), &busy), AgentDecision::Unchanged);
    }

    #[test]
    fn what_is_said_already_changes_nothing() {
        let same = AgentValues { employee_id: Some(Some("7".to_owned())), role: Some(MembershipRole::TeamLead), ..values() };
        assert_eq!(decided(&same, Some(team(1)), &agent()), AgentDecision::Unchanged);
        assert_eq!(decided(&values(), Some(team(1)), &agent()), AgentDecision::Unchanged, "without a role they stay what they are in the team");
    }

    #[test]
    fn name_number_and_place_change_together() {
        let other = AgentValues { name: "Zoe Gelinas".to_owned(), employee_id: Some(None), role: Some(MembershipRole::Agent) };
        let AgentDecision::Change(change) = decided(&other, Some(team(1)), &agent()) else { panic!("not changed") };
        let place = AgentTeam { team: team(1), role: MembershipRole::Agent, assigned_at: at(0) };
        assert_eq!(change, AgentChange { name: "Zoe Gelinas".to_owned(), employee_id: None, place: Some(place) });
        let AgentDecision::Change(joined) = decided(&values(), Some(team(2)), &agent()) else { panic!("not changed") };
        assert_eq!((joined.name.as_str(), joined.place), ("Zoe Roy", Some(new_place(team(2), None, at(200)))));
    }

    #[test]
    fn a_row_that_comes_again_overwrites_nothing_newer() {
        let import = import(ImportOptions::default());
        let other = AgentValues { name: "Zoe Gelinas".to_owned(), ..values() };
        let before = agent();
        let since = Agent { record: before.record.changed(Change::new("agent.updated", at(150), Origin::system())), ..before.clone() };
        assert_eq!(decide_agent(&import, &other, None, &since, true, at(200)), AgentDecision::Unchanged);
        assert!(matches!(decide_agent(&import, &other, None, &since, false, at(200)), AgentDecision::Change(_)));
        assert!(matches!(decide_agent(&import, &other, None, &before, true, at(200)), AgentDecision::Change(_)));
    }

    proptest! {
        #[test]
        fn a_row_that_was_written_is_counted_as_before_whatever_it_says(name in "[A-Z][a-z]{1,9}", number in option::of(option::of("[0-9]{3}")), seed in 1_u8..4, redelivered in any::<bool>()) {
            let import = import(ImportOptions { on_existing: OnExisting::Fail, ..ImportOptions::default() });
            let ours = |action: &str| Change::new(action, at(150), Origin::import(import.id, &import.file_name));
            let values = AgentValues { name, employee_id: number, role: None };
            let created = Agent { record: Revisioned::created(ours("agent.created")), ..agent() };
            let since = Agent { record: created.record.changed(Change::new("agent.updated", at(160), Origin::system())), deleted_at: Some(at(160)), ..created.clone() };
            for made in [created, since] {
                prop_assert_eq!(decide_agent(&import, &values, Some(team(seed)), &made, redelivered, at(200)), AgentDecision::Done(RowWrite::Created));
            }
            let updated = Agent { record: agent().record.changed(ours("agent.updated")), ..agent() };
            prop_assert_eq!(decide_agent(&import, &values, Some(team(seed)), &updated, redelivered, at(200)), AgentDecision::Done(RowWrite::Updated));
        }

        #[test]
        fn what_was_decided_leaves_nothing_to_do(name in "Zoe Roy|[A-Z][a-z]{1,9}", number in option::of(option::of("[0-9]")), role in 0_usize..4, seed in option::of(1_u8..4)) {
            let role = [None, Some(MembershipRole::Agent), Some(MembershipRole::TeamLead), Some(MembershipRole::Supervisor)][role];
            let (values, to) = (AgentValues { name, employee_id: number, role }, seed.map(team));
            if let AgentDecision::Change(change) = decided(&values, to, &agent()) {
                let mut after = Agent { name: change.name, employee_id: change.employee_id, ..agent() };
                if let Some(place) = change.place {
                    after.teams.retain(|before| before.team != place.team);
                    after.teams.push(place);
                }
                prop_assert!(after != agent());
                prop_assert_eq!(decided(&values, to, &after), AgentDecision::Unchanged);
            }
        }
    }
}
