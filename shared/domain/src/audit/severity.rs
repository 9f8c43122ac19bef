//! How much an event should worry who reads it: a rule over what was done and how it ended, kept nowhere.

use super::Outcome;

/// How much it matters, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Daily work.
    Info,
    /// Worth knowing: data left the system, somebody's rights or the rules changed.
    Notice,
    /// Something was refused, or went wrong.
    Warning,
    /// It can't be undone, or takes protection away.
    Critical,
}

/// Actions that take data or protection away for good.
const CRITICAL: [&str; 2] = ["contact.erased", "suppression.removed"];
/// What changes rights and rules, or lets data out: whole nouns, or single actions.
const NOTABLE_NOUNS: [&str; 3] = ["role", "user", "tenant"];
const NOTABLE: [&str; 6] = ["auth.signed_out", "data.exported", "data.downloaded", "agent.created", "agent.deleted", "agent.restored"];

/// The severity of an action that ended so.
#[must_use]
pub fn severity(action: &str, outcome: Outcome) -> Severity {
    if CRITICAL.contains(&action) {
        return Severity::Critical;
    }
    if outcome != Outcome::Success {
        return Severity::Warning;
    }
    let noun = action.split('.').next().unwrap_or_default();
    if NOTABLE.contains(&action) || NOTABLE_NOUNS.contains(&noun) || action.ends_with(".reverted") { Severity::Notice } else { Severity::Info }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_undone_comes_first_then_what_was_refused_then_what_changes_rights() {
        for (action, outcome, expected) in [
            ("contact.erased", Outcome::Success, Severity::Critical),
            ("permission.denied", Outcome::Denied, Severity::Warning),
            ("import.failed", Outcome::Failed, Severity::Warning),
            ("role.updated", Outcome::Success, Severity::Notice),
            ("data.exported", Outcome::Success, Severity::Notice),
            ("contact.reverted", Outcome::Success, Severity::Notice),
            ("contact.updated", Outcome::Success, Severity::Info),
            ("auth.signed_in", Outcome::Success, Severity::Info),
            ("", Outcome::Success, Severity::Info),
        ] {
            assert_eq!(severity(action, outcome), expected, "{action}");
        }
        assert!(Severity::Info < Severity::Critical);
    }
}
