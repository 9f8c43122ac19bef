//! The two models that every tenant has from the beginning. They are built in: nobody edits them, but a copy can be edited.

use std::collections::BTreeMap;

use super::explain::default_reason;
use super::model::{CompletenessField, DayBand, Factor, Model, ModelVersion, Rule};
use super::points::Points;
use crate::ids::ScoringModelId;

/// Twelve and a half points.
const HALF_OF_25: Points = Points::of_parts(125_000);

/// The preset `standard`: where a contact came from, whether it can be reached, how near a sale is, and how soon it is to be called.
#[must_use]
pub fn standard() -> Model {
    let source = Rule::Source {
        table: table(&[("direct_website", 25), ("referral", 24), ("google_ads", 22), ("facebook_ads", 20), ("instagram_ads", 18), ("cold_call", 15)]),
        aliases: aliases(&[
            ("direct_website", &["website", "web", "web_site", "site_web", "direct", "direct_traffic"]),
            ("referral", REFERRALS),
            ("google_ads", &["google", "google_ad", "google_adwords", "adwords"]),
            ("facebook_ads", &["facebook", "facebook_ad", "fb", "fb_ads", "meta", "meta_ads"]),
            ("instagram_ads", &["instagram", "instagram_ad", "ig", "ig_ads"]),
            ("cold_call", &["cold_calling", "coldcall", "cold"]),
        ]),
        otherwise: Points::whole(10),
    };
    let engagement = Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Email, HALF_OF_25), (CompletenessField::Phone, HALF_OF_25)]) };
    let conversion = Rule::Conversion { converted: Points::whole(30), next_contact: Points::whole(20), otherwise: Points::whole(10) };
    let urgency = Rule::Urgency {
        overdue: Points::whole(20),
        bands: vec![DayBand { within_days: 7, points: Points::whole(20) }, DayBand { within_days: 30, points: Points::whole(15) }],
        later: Points::whole(10),
        none: Points::whole(10),
    };
    let factors = vec![factor("source", 25, source), factor("engagement", 25, engagement), factor("conversion", 30, conversion), factor("urgency", 20, urgency)];
    preset_model(ScoringModelId::STANDARD, "standard", factors)
}

/// The preset `pipeline`: where a contact came from, how far it has come, how long it has been there, and whether somebody has it.
#[must_use]
pub fn pipeline() -> Model {
    let source = Rule::Source {
        table: table(&[("referral", 25), ("organic", 20), ("campaign", 18), ("paid_ads", 15), ("import", 10), ("manual", 10)]),
        aliases: aliases(&[
            ("referral", REFERRALS),
            ("organic", &["organic_search", "organic_traffic", "seo"]),
            ("campaign", &["email_campaign", "mailing", "newsletter"]),
            ("paid_ads", &["ads", "adwords", "cpc", "facebook_ads", "google_ads", "google_adwords", "instagram_ads", "meta_ads", "paid_search", "paid_social", "ppc"]),
            ("import", &["imported", "csv", "file"]),
            ("manual", &["manual_entry", "manually"]),
        ]),
        otherwise: Points::whole(5),
    };
    let assignment = Rule::Assignment { assigned: Points::whole(25), unassigned: Points::ZERO };
    let factors = vec![
        factor("source", 25, source),
        factor("status", 25, Rule::Pipeline),
        factor("age", 25, Rule::Age { half_life_days: 30 }),
        factor("assignment", 25, assignment),
    ];
    preset_model(ScoringModelId::PIPELINE, "pipeline", factors)
}

/// The preset with this id; none when it is a tenant's own.
#[must_use]
pub fn preset(id: ScoringModelId) -> Option<Model> {
    if id == ScoringModelId::STANDARD {
        Some(standard())
    } else if id == ScoringModelId::PIPELINE {
        Some(pipeline())
    } else {
        None
    }
}

/// Other words for who was sent by somebody.
const REFERRALS: &[&str] = &["referred", "reference", "recommendation", "recommandation", "word_of_mouth", "bouche_a_oreille"];

fn preset_model(id: ScoringModelId, name: &str, factors: Vec<Factor>) -> Model {
    Model { version: ModelVersion { model: id, version: 1 }, name: name.to_owned(), factors }
}

fn factor(name: &str, maximum: u32, rule: Rule) -> Factor {
    Factor { name: name.to_owned(), maximum: Points::whole(maximum), reason: default_reason(&rule), rule }
}

fn table(entries: &[(&str, u32)]) -> BTreeMap<String, Points> {
    entries.iter().map(|(source, points)| ((*source).to_owned(), Points::whole(*points))).collect()
}

fn aliases(groups: &[(&str, &[&str])]) -> BTreeMap<String, String> {
    groups.iter().flat_map(|(source, aliases)| aliases.iter().map(|alias| ((*alias).to_owned(), (*source).to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{FactorInput, ModelInput, check_model};
    use super::*;

    #[test]
    fn no_other_model_is_a_preset() {
        assert_eq!(preset(ScoringModelId::new(Timestamp::UNIX_EPOCH, &[1; 10])), None);
        for model in [standard(), pipeline()] {
            assert_eq!(preset(model.version.model), Some(model));
        }
    }

    #[test]
    fn a_preset_keeps_the_rules_for_models_so_that_a_copy_of_it_is_the_same() {
        for model in [standard(), pipeline()] {
            let copy = ModelInput { name: format!("Our {}", model.name), factors: model.factors.iter().map(FactorInput::from).collect() };
            assert_eq!(check_model(&copy).unwrap(), (copy.name, model.factors));
        }
    }
}
