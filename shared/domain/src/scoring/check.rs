//! From a model as somebody gives it to one that can score: every number, word and table checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::calculate::normalised;
use super::explain::{Piece, default_reason, pieces};
use super::model::{CompletenessField, DayBand, Factor, MOST_BANDS, MOST_ENTRIES, MOST_FACTORS, NAME_LENGTH, NumberBand, REASON_LENGTH, Rule};
use super::points::Points;
use crate::contact::{is_sealed, validate_name};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Most bytes of a model written as JSON: a change of one into another, as the audit keeps it, must fit one item of 400 KB with room to spare.
const MOST_BYTES: usize = 60 * 1_024;

/// Most days of a band or a half-life.
const MOST_DAYS: u32 = 3_650;

/// A model as somebody gives it. Serialised, a reason that isn't given leaves no trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInput {
    /// What people are to call it.
    pub name: String,
    /// Its factors.
    pub factors: Vec<FactorInput>,
}

/// A factor as somebody gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactorInput {
    /// What people are to call it.
    pub name: String,
    /// The most points it gives.
    pub maximum: f64,
    /// The words of its reason, with `{value}` in them; made of the rule when none are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many it gives whom.
    pub rule: RuleInput,
}

/// A rule as somebody gives it: the kinds and fields of [`Rule`], with points as numbers, which are kept to four decimals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum RuleInput {
    /// By where the contact came from.
    Source {
        /// Points by source.
        table: Vec<(String, f64)>,
        /// Other words, each with the source of the table that it stands for.
        aliases: Vec<(String, String)>,
        /// For any other source, and for none.
        otherwise: f64,
    },
    /// By which fields are filled.
    Completeness {
        /// Points by field.
        fields: Vec<(CompletenessField, f64)>,
    },
    /// By how near a sale is.
    Conversion {
        /// For who is converted.
        converted: f64,
        /// For who has a next contact date.
        next_contact: f64,
        /// For anybody else.
        otherwise: f64,
    },
    /// By the place of the status.
    Pipeline,
    /// By when the next contact is.
    Urgency {
        /// For a next contact whose time has come.
        overdue: f64,
        /// Days within which it is, from 1 to 3,650, with their points; the nearest first.
        bands: Vec<(i64, f64)>,
        /// For a later one.
        later: f64,
        /// For none.
        none: f64,
    },
    /// By how long ago the contact was created.
    Age {
        /// Days after which half of the points are left, from 1 to 3,650.
        half_life_days: i64,
    },
    /// By when the contact was last changed.
    Activity {
        /// Days within which it was, from 1 to 3,650, with their points; the latest first.
        bands: Vec<(i64, f64)>,
        /// For longer ago.
        otherwise: f64,
    },
    /// By whether somebody has the contact.
    Assignment {
        /// For who is assigned.
        assigned: f64,
        /// For who isn't.
        unassigned: f64,
    },
    /// By the text of an attribute.
    AttributeTable {
        /// The attribute.
        attribute: String,
        /// Points by value.
        table: Vec<(String, f64)>,
        /// For any other value.
        otherwise: f64,
        /// For none.
        missing: f64,
    },
    /// By the number in an attribute.
    AttributeBands {
        /// The attribute.
        attribute: String,
        /// The least number of each band with its points; the lowest first.
        bands: Vec<(f64, f64)>,
        /// For a number below the first.
        below: f64,
        /// For none, and for what is no number.
        missing: f64,
    },
}

impl From<&Factor> for FactorInput {
    fn from(factor: &Factor) -> Self {
        Self { name: factor.name.clone(), maximum: factor.maximum.number(), reason: Some(factor.reason.clone()), rule: RuleInput::from(&factor.rule) }
    }
}

impl From<&Rule> for RuleInput {
    fn from(rule: &Rule) -> Self {
        let entries = |table: &BTreeMap<String, Points>| table.iter().map(|(entry, points)| (entry.clone(), points.number())).collect();
        let days = |bands: &[DayBand]| bands.iter().map(|band| (i64::from(band.within_days), band.points.number())).collect();
        match rule {
            Rule::Source { table, aliases, otherwise } => Self::Source {
                table: entries(table),
                aliases: aliases.iter().map(|(alias, source)| (alias.clone(), source.clone())).collect(),
                otherwise: otherwise.number(),
            },
            Rule::Completeness { fields } => Self::Completeness { fields: fields.iter().map(|(field, points)| (*field, points.number())).collect() },
            Rule::Conversion { converted, next_contact, otherwise } => {
                Self::Conversion { converted: converted.number(), next_contact: next_contact.number(), otherwise: otherwise.number() }
            }
            Rule::Pipeline => Self::Pipeline,
            Rule::Urgency { overdue, bands, later, none } => Self::Urgency { overdue: overdue.number(), bands: days(bands), later: later.number(), none: none.number() },
            Rule::Age { half_life_days } => Self::Age { half_life_days: i64::from(*half_life_days) },
            Rule::Activity { bands, otherwise } => Self::Activity { bands: days(bands), otherwise: otherwise.number() },
            Rule::Assignment { assigned, unassigned } => Self::Assignment { assigned: assigned.number(), unassigned: unassigned.number() },
            Rule::AttributeTable { attribute, table, otherwise, missing } => {
                Self::AttributeTable { attribute: attribute.clone(), table: entries(table), otherwise: otherwise.number(), missing: missing.number() }
            }
            Rule::AttributeBands { attribute, bands, below, missing } => Self::AttributeBands {
                attribute: attribute.clone(),
                bands: bands.iter().map(|band| (band.at_least, band.points.number())).collect(),
                below: below.number(),
                missing: missing.number(),
            },
        }
    }
}

/// The name and the factors of a model that can score, with the entries of tables in the form in which they are compared, and reasons for factors that
/// came without.
///
/// # Errors
/// All that is wrong, each with its field, such as `factors.2.maximum` or `factors.0.source.table.1`: `BLANK`, `TOO_LONG`, `INVALID`; `CONFLICT` for
/// what is there twice or is both an alias and a source; `NOT_FOUND` for an alias of a source that isn't in the table; `NOT_ALLOWED` for an attribute
/// that is sensitive; `LIMIT_EXCEEDED` for too many factors (which then aren't looked at), entries or bands, and for a model of more than 60 KB.
pub fn check_model(input: &ModelInput) -> Result<(String, Vec<Factor>), Vec<FieldError>> {
    let mut findings = Findings::default();
    let name = findings.name("name", &input.name);
    if findings.count("factors", input.factors.len(), MOST_FACTORS).is_none() {
        return Err(findings.errors);
    }
    let mut names = BTreeSet::new();
    let mut factors = Vec::with_capacity(input.factors.len());
    for (index, given) in input.factors.iter().enumerate() {
        let at = format!("factors.{index}");
        let factor = findings.factor(&at, given);
        if let Some(factor) = &factor
            && !names.insert(text::fold(&factor.name))
        {
            let message = format!("{at}.name is the name of a factor before it. Choose another.");
            findings.add(format!("{at}.name"), FieldErrorCode::Conflict, message);
        }
        factors.extend(factor);
    }
    if factors.len() == input.factors.len() {
        findings.whole(&factors);
    }
    match name {
        Some(name) if findings.errors.is_empty() => Ok((name, factors)),
        _ => Err(findings.errors),
    }
}

/// What was found wrong so far. What a method returns none for, it has noted.
#[derive(Default)]
struct Findings {
    errors: Vec<FieldError>,
}

impl Findings {
    fn add(&mut self, field: impl Into<String>, code: FieldErrorCode, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, code, message));
    }

    fn keep<T>(&mut self, checked: Result<T, FieldError>) -> Option<T> {
        checked.map_err(|error| self.errors.push(error)).ok()
    }

    /// That there is something, and not too much of it.
    fn count(&mut self, field: &str, count: usize, most: usize) -> Option<()> {
        if count == 0 {
            self.add(field, FieldErrorCode::Blank, format!("{field} is empty. Add at least one."));
            return None;
        }
        if count > most {
            self.add(field, FieldErrorCode::LimitExceeded, format!("{field} has more than {most} entries. Remove some."));
            return None;
        }
        Some(())
    }

    fn name(&mut self, field: &str, name: &str) -> Option<String> {
        let line = self.keep(text::line(field, name, NAME_LENGTH))?;
        if line.is_none() {
            self.add(field, FieldErrorCode::Blank, format!("{field} is empty. Give a name of at most {NAME_LENGTH} characters."));
        }
        line
    }

    fn factor(&mut self, at: &str, input: &FactorInput) -> Option<Factor> {
        let before = self.errors.len();
        let name = self.name(&format!("{at}.name"), &input.name);
        let maximum = self.maximum(&format!("{at}.maximum"), input.maximum);
        let rule = self.rule(at, maximum.unwrap_or(Points::WHOLE), &input.rule);
        let reason = self.reason(&format!("{at}.reason"), input.reason.as_deref(), rule.as_ref());
        let (name, maximum, rule, reason) = (name?, maximum?, rule?, reason?);
        if self.errors.len() > before {
            return None;
        }
        let greatest = greatest(&rule, maximum);
        if greatest != maximum {
            let message = format!("{at}.maximum is {maximum}, but the most that its rule can give is {greatest}. Make them the same.");
            self.add(format!("{at}.maximum"), FieldErrorCode::Invalid, message);
            return None;
        }
        Some(Factor { name, maximum, reason, rule })
    }

    /// What holds over all factors together.
    fn whole(&mut self, factors: &[Factor]) {
        let sum: Points = factors.iter().map(|factor| factor.maximum).sum();
        if sum != Points::WHOLE {
            let message = format!("The maxima of the factors add up to {sum}. Change them so that they add up to {}.", Points::WHOLE);
            self.add("factors", FieldErrorCode::Invalid, message);
        }
        if serde_json::to_vec(factors).map_or(usize::MAX, |json| json.len()) > MOST_BYTES {
            let message = format!("The factors have more than {MOST_BYTES} bytes together. Shorten their tables.");
            self.add("factors", FieldErrorCode::LimitExceeded, message);
        }
    }

    fn maximum(&mut self, field: &str, number: f64) -> Option<Points> {
        let maximum = Points::from_number(number).filter(|maximum| *maximum > Points::ZERO);
        if maximum.is_none() {
            self.add(field, FieldErrorCode::Invalid, format!("{field} is not a number above 0 and up to 100. Give the most points that the factor gives."));
        }
        maximum
    }

    fn points(&mut self, field: &str, number: f64, maximum: Points) -> Option<Points> {
        let Some(points) = Points::from_number(number) else {
            self.add(field, FieldErrorCode::Invalid, format!("The points of {field} are not a number from 0 to 100. Give one."));
            return None;
        };
        if points > maximum {
            let message = format!("The points of {field} are more than the factor's maximum, which is {maximum}. Lower them, or raise the maximum.");
            self.add(field, FieldErrorCode::Invalid, message);
            return None;
        }
        Some(points)
    }

    fn rule(&mut self, at: &str, maximum: Points, input: &RuleInput) -> Option<Rule> {
        match input {
            RuleInput::Source { table, aliases, otherwise } => {
                let at = format!("{at}.source");
                let otherwise = self.points(&format!("{at}.otherwise"), *otherwise, maximum);
                let table = self.table(&format!("{at}.table"), table, text::PLACE_LENGTH, maximum)?;
                let aliases = self.aliases(&format!("{at}.aliases"), aliases, &table)?;
                Some(Rule::Source { table, aliases, otherwise: otherwise? })
            }
            RuleInput::Completeness { fields } => self.completeness(&format!("{at}.completeness.fields"), fields, maximum),
            RuleInput::Conversion { converted, next_contact, otherwise } => {
                let converted = self.points(&format!("{at}.conversion.converted"), *converted, maximum);
                let next_contact = self.points(&format!("{at}.conversion.nextContact"), *next_contact, maximum);
                let otherwise = self.points(&format!("{at}.conversion.otherwise"), *otherwise, maximum);
                Some(Rule::Conversion { converted: converted?, next_contact: next_contact?, otherwise: otherwise? })
            }
            RuleInput::Pipeline => Some(Rule::Pipeline),
            RuleInput::Urgency { overdue, bands, later, none } => {
                let overdue = self.points(&format!("{at}.urgency.overdue"), *overdue, maximum);
                let bands = self.day_bands(&format!("{at}.urgency.bands"), bands, maximum);
                let later = self.points(&format!("{at}.urgency.later"), *later, maximum);
                let none = self.points(&format!("{at}.urgency.none"), *none, maximum);
                Some(Rule::Urgency { overdue: overdue?, bands: bands?, later: later?, none: none? })
            }
            RuleInput::Age { half_life_days } => Some(Rule::Age { half_life_days: self.days(&format!("{at}.age.halfLifeDays"), *half_life_days)? }),
            RuleInput::Activity { bands, otherwise } => {
                let bands = self.day_bands(&format!("{at}.activity.bands"), bands, maximum);
                let otherwise = self.points(&format!("{at}.activity.otherwise"), *otherwise, maximum);
                Some(Rule::Activity { bands: bands?, otherwise: otherwise? })
            }
            RuleInput::Assignment { assigned, unassigned } => {
                let assigned = self.points(&format!("{at}.assignment.assigned"), *assigned, maximum);
                let unassigned = self.points(&format!("{at}.assignment.unassigned"), *unassigned, maximum);
                Some(Rule::Assignment { assigned: assigned?, unassigned: unassigned? })
            }
            RuleInput::AttributeTable { attribute, table, otherwise, missing } => {
                let at = format!("{at}.attributeTable");
                let attribute = self.attribute(&format!("{at}.attribute"), attribute);
                let table = self.table(&format!("{at}.table"), table, text::ATTRIBUTE_VALUE_LENGTH, maximum);
                let otherwise = self.points(&format!("{at}.otherwise"), *otherwise, maximum);
                let missing = self.points(&format!("{at}.missing"), *missing, maximum);
                Some(Rule::AttributeTable { attribute: attribute?, table: table?, otherwise: otherwise?, missing: missing? })
            }
            RuleInput::AttributeBands { attribute, bands, below, missing } => {
                let at = format!("{at}.attributeBands");
                let attribute = self.attribute(&format!("{at}.attribute"), attribute);
                let bands = self.number_bands(&format!("{at}.bands"), bands, maximum);
                let below = self.points(&format!("{at}.below"), *below, maximum);
                let missing = self.points(&format!("{at}.missing"), *missing, maximum);
                Some(Rule::AttributeBands { attribute: attribute?, bands: bands?, below: below?, missing: missing? })
            }
        }
    }

    fn completeness(&mut self, field: &str, given: &[(CompletenessField, f64)], maximum: Points) -> Option<Rule> {
        self.count(field, given.len(), MOST_ENTRIES)?;
        let mut fields = BTreeMap::new();
        for (index, (name, points)) in given.iter().enumerate() {
            let field = format!("{field}.{index}");
            let points = self.points(&field, *points, maximum)?;
            if fields.insert(*name, points).is_some() {
                self.add(&field, FieldErrorCode::Conflict, format!("{field} is the same as one before it. Remove one of them."));
                return None;
            }
        }
        Some(Rule::Completeness { fields })
    }

    /// A table by the compare form of its entries.
    fn table(&mut self, field: &str, given: &[(String, f64)], longest: usize, maximum: Points) -> Option<BTreeMap<String, Points>> {
        self.count(field, given.len(), MOST_ENTRIES)?;
        let mut table = BTreeMap::new();
        for (index, (entry, points)) in given.iter().enumerate() {
            let field = format!("{field}.{index}");
            let entry = self.entry(&field, entry, longest);
            let points = self.points(&field, *points, maximum);
            if let (Some(entry), Some(points)) = (entry, points)
                && table.insert(entry, points).is_some()
            {
                let message = format!("{field} is the same as an entry before it: capitals, accents, spaces and hyphens make no difference. Remove one of them.");
                self.add(&field, FieldErrorCode::Conflict, message);
            }
        }
        Some(table)
    }

    /// Other words by their compare form, with the compare form of what they stand for.
    fn aliases(&mut self, field: &str, given: &[(String, String)], table: &BTreeMap<String, Points>) -> Option<BTreeMap<String, String>> {
        if given.is_empty() {
            return Some(BTreeMap::new());
        }
        self.count(field, given.len(), MOST_ENTRIES)?;
        let mut aliases = BTreeMap::new();
        for (index, (alias, source)) in given.iter().enumerate() {
            let field = format!("{field}.{index}");
            let alias = self.entry(&field, alias, text::PLACE_LENGTH);
            let source = normalised(source).into_owned();
            if !table.contains_key(&source) {
                let message = format!("{field} stands for a source that isn't in the table. Add it to the table, or name one of its sources.");
                self.add(&field, FieldErrorCode::NotFound, message);
                continue;
            }
            let Some(alias) = alias else { continue };
            if table.contains_key(&alias) {
                self.add(&field, FieldErrorCode::Conflict, format!("{field} is itself a source of the table. Remove the alias or the source."));
            } else if aliases.insert(alias, source).is_some() {
                self.add(&field, FieldErrorCode::Conflict, format!("{field} is the same as an alias before it. Remove one of them."));
            }
        }
        Some(aliases)
    }

    fn entry(&mut self, field: &str, entry: &str, longest: usize) -> Option<String> {
        let line = self.keep(text::line(field, entry, longest))?;
        let form = normalised(line.as_deref().unwrap_or_default()).into_owned();
        if form.is_empty() {
            self.add(field, FieldErrorCode::Blank, format!("{field} is empty. Write what it is about, or remove it."));
            return None;
        }
        // A character can stand for a word of many, and would be too long when the model is copied.
        if form.chars().count() > longest {
            self.add(field, FieldErrorCode::TooLong, format!("{field} is longer than {longest} characters when it is spelt out. Shorten it."));
            return None;
        }
        Some(form)
    }

    fn days(&mut self, field: &str, days: i64) -> Option<u32> {
        let within = u32::try_from(days).ok().filter(|days| (1..=MOST_DAYS).contains(days));
        if within.is_none() {
            self.add(field, FieldErrorCode::Invalid, format!("The days of {field} are not from 1 to {MOST_DAYS}. Give a whole number of days."));
        }
        within
    }

    fn day_bands(&mut self, field: &str, given: &[(i64, f64)], maximum: Points) -> Option<Vec<DayBand>> {
        self.count(field, given.len(), MOST_BANDS)?;
        let mut bands: Vec<DayBand> = Vec::with_capacity(given.len());
        for (index, (days, points)) in given.iter().enumerate() {
            let field = format!("{field}.{index}");
            let within_days = self.days(&field, *days);
            let points = self.points(&field, *points, maximum);
            let (Some(within_days), Some(points)) = (within_days, points) else { continue };
            if bands.last().is_some_and(|last| last.within_days >= within_days) {
                let message = format!("{field} has no more days than the band before it. Order the bands by their days, from the fewest on.");
                self.add(&field, FieldErrorCode::Invalid, message);
            }
            bands.push(DayBand { within_days, points });
        }
        Some(bands)
    }

    fn number_bands(&mut self, field: &str, given: &[(f64, f64)], maximum: Points) -> Option<Vec<NumberBand>> {
        self.count(field, given.len(), MOST_BANDS)?;
        let mut bands: Vec<NumberBand> = Vec::with_capacity(given.len());
        for (index, (at_least, points)) in given.iter().enumerate() {
            let field = format!("{field}.{index}");
            let points = self.points(&field, *points, maximum);
            if !at_least.is_finite() {
                self.add(&field, FieldErrorCode::Invalid, format!("The least number of {field} is not finite. Give a number."));
                continue;
            }
            let Some(points) = points else { continue };
            if bands.last().is_some_and(|last| last.at_least >= *at_least) {
                let message = format!("{field} begins no higher than the band before it. Order the bands by their least numbers, from the lowest on.");
                self.add(&field, FieldErrorCode::Invalid, message);
            }
            bands.push(NumberBand { at_least: *at_least, points });
        }
        Some(bands)
    }

    fn attribute(&mut self, field: &str, name: &str) -> Option<String> {
        let name = self.keep(validate_name(name).map_err(|error| FieldError::new(field, error.code, error.message)))?;
        if is_sealed(&name) {
            let message = format!("{field} names an attribute that is sensitive, and those are never scored. Choose another attribute.");
            self.add(field, FieldErrorCode::NotAllowed, message);
            return None;
        }
        Some(name)
    }

    /// The words of a reason; those of the rule when there are none. Of a rule that is wrong nothing is said here.
    fn reason(&mut self, field: &str, given: Option<&str>, rule: Option<&Rule>) -> Option<String> {
        let Some(reason) = self.keep(text::line(field, given.unwrap_or_default(), REASON_LENGTH))? else {
            return rule.map(default_reason);
        };
        let parts = pieces(&reason);
        let is_strange = |part: &Piece<'_>| match part {
            Piece::Text(text) => text.contains(['{', '}']),
            Piece::Placeholder(name) => !["value", "points", "maximum"].contains(name),
        };
        if parts.iter().any(is_strange) {
            let message = format!("{field} has a brace that belongs to no placeholder it may have. Use {{value}}, {{points}} and {{maximum}}, and no other braces.");
            self.add(field, FieldErrorCode::Invalid, message);
            return None;
        }
        if !parts.contains(&Piece::Placeholder("value")) {
            self.add(field, FieldErrorCode::Invalid, format!("{field} doesn't say what was found. Put {{value}} where it is to stand."));
            return None;
        }
        Some(reason)
    }
}

/// The most points that a rule can give.
fn greatest(rule: &Rule, maximum: Points) -> Points {
    match rule {
        Rule::Source { table, otherwise, .. } => most(table.values().copied(), &[*otherwise]),
        Rule::Completeness { fields } => fields.values().copied().sum(),
        Rule::Conversion { converted, next_contact, otherwise } => most([], &[*converted, *next_contact, *otherwise]),
        Rule::Pipeline | Rule::Age { .. } => maximum,
        Rule::Urgency { overdue, bands, later, none } => most(bands.iter().map(|band| band.points), &[*overdue, *later, *none]),
        Rule::Activity { bands, otherwise } => most(bands.iter().map(|band| band.points), &[*otherwise]),
        Rule::Assignment { assigned, unassigned } => most([], &[*assigned, *unassigned]),
        Rule::AttributeTable { table, otherwise, missing, .. } => most(table.values().copied(), &[*otherwise, *missing]),
        Rule::AttributeBands { bands, below, missing, .. } => most(bands.iter().map(|band| band.points), &[*below, *missing]),
    }
}

fn most(some: impl IntoIterator<Item = Points>, others: &[Points]) -> Points {
    some.into_iter().chain(others.iter().copied()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
