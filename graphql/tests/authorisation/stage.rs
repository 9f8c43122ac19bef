//! A viewer with everything around them that is asked for, and the asking.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::contract::CONTRACT;
use crate::kinds::{Kind, Names, Whose};
use crate::probes::{Ask, Probe};
use crate::tenancy::{Staff, State, Tenancy, global, number, phone};

/// A viewer, and the records of their tenant that were made for them.
pub(crate) struct Stage<'a> {
    ours: &'a Tenancy,
    staff: Staff,
    made: HashMap<(Kind, Whose), Names>,
}

impl<'a> Stage<'a> {
    /// A new viewer with this role, with people around them.
    pub(crate) async fn of(ours: &'a Tenancy, role: &str) -> Self {
        Self { ours, staff: ours.staff(role).await, made: HashMap::new() }
    }

    /// What names the record of the viewer's tenant that is so called; made when it isn't there yet.
    pub(crate) async fn names(&mut self, kind: Kind, whose: Whose) -> Names {
        if let Some(names) = self.made.get(&(kind, whose)) {
            return names.clone();
        }
        // Who asks has signed in.
        let what = if (kind, whose) == (Kind::InvitedUser, Whose::Own) { Kind::User } else { kind };
        let names = self.ours.make(what, &self.staff.owner(kind, whose)).await;
        self.made.insert((kind, whose), names.clone());
        names
    }

    /// What the viewer is answered when they ask so about the record with these names: in one word, and whole.
    pub(crate) async fn answer(&self, probe: &Probe, names: &Names) -> (String, String) {
        let (root, nested) = probe.fields();
        let viewer = &self.staff.viewer;
        match &probe.ask {
            Ask::Query(text) => {
                let answer = self.ours.ask(viewer, &format!("{{ {} }}", self.filled(text, names).await), json!({})).await;
                (answer.outcome(&root, nested), answer.text)
            }
            Ask::Change(input) => {
                let input: Value = serde_json::from_str(&self.filled(&input.to_string(), names).await).unwrap();
                let answer = self.ours.ask(viewer, &CONTRACT.mutations[&root], json!({ "input": input })).await;
                (answer.outcome(&root, nested), answer.text)
            }
            Ask::List(text) => {
                let arguments = if text.contains("$after") { "query($after: String)" } else { "query" };
                let document = format!("{arguments} {{ {} }}", self.filled(text, names).await);
                let mut after = Value::Null;
                loop {
                    let answer = self.ours.ask(viewer, &document, json!({ "after": after })).await;
                    let outcome = answer.outcome(&root, nested);
                    if outcome != "ok" {
                        return (outcome, answer.text);
                    }
                    if answer.mentions(&names["listed"]) {
                        return ("listed".to_owned(), answer.text);
                    }
                    match answer.next_page(&root) {
                        Some(next) => after = next,
                        None => return ("hidden".to_owned(), answer.text),
                    }
                }
            }
        }
    }

    /// What is asked, with everything for the words in angle brackets.
    async fn filled(&self, template: &str, names: &Names) -> String {
        let mut text = template.to_owned();
        while let Some((_, rest)) = text.split_once('<') {
            let (word, _) = rest.split_once('>').unwrap();
            let value = match names.get(word) {
                Some(value) => value.to_string(),
                None => self.around(word).await.to_string(),
            };
            let bare = format!("<{word}>");
            text = text.replace(&format!("\"{bare}\""), &value).replace(&bare, &value);
        }
        text
    }

    /// What stands for a word that doesn't name the record.
    async fn around(&self, word: &str) -> Value {
        let staff = &self.staff;
        match word {
            "own agent" => staff.viewer.agent(),
            "own team" => staff.team(),
            "own contact" => self.ours.make(Kind::Contact, &staff.owner(Kind::Contact, Whose::Own)).await["id"].clone(),
            "colleague" => staff.colleague.agent(),
            "outsider" => staff.outsider.agent(),
            "loner" => staff.loner.agent(),
            "new user" => self.ours.hired(State::Active).await.user(),
            "new agent" => self.ours.hired(State::Active).await.agent(),
            "user without agent" => self.ours.hired(State::WithoutAgent).await.user(),
            "telephonist" => global("role", self.ours.role("telephonist").await),
            "attempted" => self.ours.status("attempted").await,
            "new name" => json!(format!("Name {}", number())),
            "new address" => json!(format!("new{}@demo.test", number())),
            "new phone" => json!(phone()),
            other => panic!("nothing stands for <{other}>"),
        }
    }
}
