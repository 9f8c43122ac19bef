use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;

use super::super::{Model, Rescored, ScoreCategory, pipeline, standard};
use super::samples::{any_contact, any_model, at, contact, now, some, status, statuses};
use super::*;
use crate::ids::AgentId;
use crate::status::ContactStatus;

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// What a factor of a model gives a contact.
fn given(model: &Model, name: &str, contact: &Contact, now: Timestamp) -> f64 {
    let place = model.factors.iter().position(|factor| factor.name == name).unwrap();
    Scorer::new(model.clone(), &statuses()).score(contact, now).components[place].points.number()
}

fn value(model: &Model, contact: &Contact, now: Timestamp) -> (u8, ScoreCategory) {
    let score = Scorer::new(model.clone(), &statuses()).score(contact, now);
    (score.value, score.category())
}

fn with_source(source: Option<&str>) -> Contact {
    let mut contact = contact(now());
    contact.details.source = source.map(str::to_owned);
    contact
}

fn with_next_contact(next: Timestamp) -> Contact {
    let mut contact = contact(now());
    contact.details.next_contact_at = Some(next);
    contact
}

/// The case of the one factor of a model.
fn case_of(rule: Rule, contact: &Contact) -> (f64, u16) {
    let factor = Factor { name: "one".to_owned(), maximum: Points::WHOLE, reason: "{value}".to_owned(), rule };
    let scorer = Scorer::new(Model { factors: vec![factor], ..standard() }, &statuses());
    let component = scorer.score(contact, now()).components[0];
    (component.points.number(), component.case.number)
}

#[test]
fn a_source_that_is_unknown_or_none_gives_least() {
    for (model, least) in [(standard(), 10.0), (pipeline(), 5.0)] {
        for source in [None, Some("a fair"), Some("\u{301}"), Some("Google Ads Inc.")] {
            assert_eq!(given(&model, "source", &with_source(source), now()), least, "{source:?}");
        }
    }
}

#[test]
fn each_source_gives_what_the_page_on_scoring_says_however_it_is_written() {
    for (source, points) in [
        ("direct_website", 25.0),
        ("referral", 24.0),
        ("google_ads", 22.0),
        ("facebook_ads", 20.0),
        ("instagram_ads", 18.0),
        ("cold_call", 15.0),
        ("Direct Website", 25.0),
        ("Cold-Call", 15.0),
        (" RÉFERRAL ", 24.0),
        ("Google\u{a0}Ads", 22.0),
    ] {
        assert_eq!(given(&standard(), "source", &with_source(Some(source)), now()), points, "{source}");
    }
    for (source, points) in
        [("referral", 25.0), ("organic", 20.0), ("campaign", 18.0), ("paid_ads", 15.0), ("import", 10.0), ("manual", 10.0), ("Paid ads", 15.0), ("ORGANIC", 20.0)]
    {
        assert_eq!(given(&pipeline(), "source", &with_source(Some(source)), now()), points, "{source}");
    }
}

#[test]
fn each_alias_gives_as_much_as_its_source() {
    for model in [standard(), pipeline()] {
        let Rule::Source { table, aliases, .. } = &model.factors[0].rule else { panic!("the first factor is the source") };
        assert!(!aliases.is_empty());
        for (alias, source) in aliases {
            assert_eq!(given(&model, "source", &with_source(Some(alias.as_str())), now()), table[source].number(), "{alias}");
        }
    }
    assert_eq!(given(&standard(), "source", &with_source(Some("Bouche à oreille")), now()), 24.0);
}

#[test]
fn half_of_engagement_is_the_email_and_half_the_phone() {
    let mut contact = contact(now());
    assert_eq!(given(&standard(), "engagement", &contact, now()), 12.5);
    contact.details.email = some("zoe@example.com");
    assert_eq!(given(&standard(), "engagement", &contact, now()), 25.0);
}

#[test]
fn conversion_is_most_for_the_converted_then_for_who_has_a_next_contact() {
    let mut contact = with_next_contact(now());
    for place in 0..8 {
        contact.details.status = status(place);
        let converted = place == 6;
        contact.details.next_contact_at = Some(now());
        assert_eq!(given(&standard(), "conversion", &contact, now()), if converted { 30.0 } else { 20.0 });
        contact.details.next_contact_at = None;
        assert_eq!(given(&standard(), "conversion", &contact, now()), if converted { 30.0 } else { 10.0 });
    }
}

#[test]
fn urgency_changes_at_the_millisecond_at_which_a_band_begins() {
    assert_eq!(given(&standard(), "urgency", &contact(now()), now()), 10.0, "without a next contact");
    let (week, month) = (SignedDuration::from_hours(7 * 24), SignedDuration::from_hours(30 * 24));
    for (next, points, case) in [
        (now() - month, 20.0, 0),
        (now(), 20.0, 0),
        (now() + MILLISECOND, 20.0, 1),
        (now() + week - MILLISECOND, 20.0, 1),
        (now() + week, 20.0, 1),
        (now() + week + MILLISECOND, 15.0, 2),
        (now() + month - MILLISECOND, 15.0, 2),
        (now() + month, 15.0, 2),
        (now() + month + MILLISECOND, 10.0, 3),
        (now() + month + month, 10.0, 3),
    ] {
        let contact = with_next_contact(next);
        assert_eq!(given(&standard(), "urgency", &contact, now()), points, "{next}");
        assert_eq!(Scorer::new(standard(), &statuses()).score(&contact, now()).components[3].case.number, case, "{next}");
    }
}

#[test]
fn a_day_of_a_band_has_24_hours_also_when_the_clocks_change() {
    // Clocks in Toronto go forward on 8 March 2026 and back on 1 November 2026. In between lie seven days by the calendar, but 167 or 169 hours.
    for (now, same_hour, week_later) in [
        ("2026-03-05T12:00:00-05:00", "2026-03-12T12:00:00-04:00", "2026-03-12T13:00:00-04:00"),
        ("2026-10-28T12:00:00-04:00", "2026-11-04T12:00:00-05:00", "2026-11-04T11:00:00-05:00"),
    ] {
        let now = at(now);
        assert_eq!(at(week_later).duration_since(now), SignedDuration::from_hours(7 * 24));
        assert_eq!(given(&standard(), "urgency", &with_next_contact(at(week_later)), now), 20.0);
        assert_eq!(given(&standard(), "urgency", &with_next_contact(at(week_later) + MILLISECOND), now), 15.0);
        let points = if at(same_hour) <= at(week_later) { 20.0 } else { 15.0 };
        assert_eq!(given(&standard(), "urgency", &with_next_contact(at(same_hour)), now), points);
    }
}

#[test]
fn a_case_has_the_day_of_the_contacts_own_calendar() {
    let mut contact = with_next_contact(at("2026-12-03T03:30:00Z"));
    let scorer = Scorer::new(standard(), &statuses());
    for (zone, day) in [
        ("America/Toronto", date(2026, 12, 2)),
        ("Pacific/Kiritimati", date(2026, 12, 3)),
        // What isn't known counts as UTC.
        ("Mars/Olympus", date(2026, 12, 3)),
    ] {
        contact.details.time_zone.name = zone.to_owned();
        let score = scorer.score(&contact, now());
        assert_eq!(score.components[3].case, Case::on(1, day), "{zone}");
        assert_eq!(score.components[0].case.day, None);
    }
}

#[test]
fn the_pipeline_gives_by_the_place_among_the_statuses_that_are_called() {
    let mut contact = contact(now());
    for (place, points) in [(0, 0.0), (1, 6.25), (2, 12.5), (3, 18.75), (4, 25.0), (5, 0.0), (6, 25.0), (7, 0.0), (200, 0.0)] {
        contact.details.status = status(place);
        assert_eq!(given(&pipeline(), "status", &contact, now()), points, "{place}");
    }
}

#[test]
fn age_halves_every_thirty_days() {
    let contact = contact(now());
    for (days, points) in [(-1, 25.0), (0, 25.0), (15, 17.6777), (30, 12.5), (60, 6.25), (90, 3.125), (3_000, 0.0)] {
        assert_eq!(given(&pipeline(), "age", &contact, now() + SignedDuration::from_hours(24 * days)), points, "{days}");
    }
}

#[test]
fn assignment_gives_all_or_nothing() {
    let mut contact = contact(now());
    assert_eq!(given(&pipeline(), "assignment", &contact, now()), 0.0);
    contact.details.assignee = Some(AgentId::new(now(), &[1; 10]));
    assert_eq!(given(&pipeline(), "assignment", &contact, now()), 25.0);
}

#[test]
fn activity_is_within_a_band_until_a_millisecond_after_it() {
    let band = |within_days, points| DayBand { within_days, points: Points::whole(points) };
    let rule = || Rule::Activity { bands: vec![band(7, 100), band(30, 40)], otherwise: Points::whole(5) };
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    for (ago, points, case) in
        [(-days(1), 100.0, 0), (days(0), 100.0, 0), (days(7), 100.0, 0), (days(7) + MILLISECOND, 40.0, 1), (days(30), 40.0, 1), (days(30) + MILLISECOND, 5.0, 2)]
    {
        assert_eq!(case_of(rule(), &contact(now() - ago)), (points, case), "{ago}");
    }
}

#[test]
fn an_attribute_is_looked_up_by_its_compare_form() {
    let table = BTreeMap::from([("5".to_owned(), Points::whole(40)), ("true".to_owned(), Points::whole(60)), ("very_good".to_owned(), Points::WHOLE)]);
    let rule = Rule::AttributeTable { attribute: "plan".to_owned(), table, otherwise: Points::whole(3), missing: Points::whole(1) };
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let mut contact = contact(now());
    assert_eq!(case_of(rule.clone(), &contact), (1.0, 4));
    for (value, found) in [
        (text("\u{301}"), (1.0, 4)),
        (text("bad"), (3.0, 3)),
        (AttributeValue::Boolean(false), (3.0, 3)),
        (AttributeValue::Number(5.5), (3.0, 3)),
        (AttributeValue::Number(f64::NAN), (3.0, 3)),
        (AttributeValue::Number(5.0), (40.0, 0)),
        (text(" 5 "), (40.0, 0)),
        (AttributeValue::Boolean(true), (60.0, 1)),
        (text("TRUE"), (60.0, 1)),
        (text("Very-Good"), (100.0, 2)),
    ] {
        contact.details.attributes.insert("plan".to_owned(), value.clone());
        assert_eq!(case_of(rule.clone(), &contact), found, "{value:?}");
    }
    assert_eq!(text_of(&AttributeValue::Number(-0.0)).as_deref(), Some("0"));
}

#[test]
fn a_number_is_in_the_last_band_that_it_reaches() {
    let band = |at_least, points| NumberBand { at_least, points: Points::whole(points) };
    let bands = vec![band(1.0, 20), band(5.0, 50), band(10.0, 100)];
    let rule = Rule::AttributeBands { attribute: "visits".to_owned(), bands, below: Points::whole(2), missing: Points::whole(1) };
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let mut contact = contact(now());
    assert_eq!(case_of(rule.clone(), &contact), (1.0, 4));
    for (value, found) in [
        (text("seven"), (1.0, 4)),
        (text("inf"), (1.0, 4)),
        (text(""), (1.0, 4)),
        (AttributeValue::Boolean(true), (1.0, 4)),
        (AttributeValue::Number(f64::NAN), (1.0, 4)),
        (AttributeValue::Number(0.999), (2.0, 3)),
        (AttributeValue::Number(1.0), (20.0, 0)),
        (AttributeValue::Number(4.999), (20.0, 0)),
        (AttributeValue::Number(5.0), (50.0, 1)),
        (text(" 7.5 "), (50.0, 1)),
        (AttributeValue::Number(1e9), (100.0, 2)),
    ] {
        contact.details.attributes.insert("visits".to_owned(), value.clone());
        assert_eq!(case_of(rule.clone(), &contact), found, "{value:?}");
    }
}

#[test]
fn the_case_of_completeness_says_which_fields_are_filled() {
    use CompletenessField::{Address, City, Email, Name, Phone, PostalCode, Region, Source};
    let all = [Phone, Email, Name, Address, City, Region, PostalCode, Source];
    let rule = || Rule::Completeness { fields: all.map(|field| (field, Points::of_parts(125_000))).into() };
    let mut contact = contact(now());
    assert_eq!(case_of(rule(), &contact), (12.5, 1));
    assert_eq!(filled(&contact).collect::<Vec<_>>(), [Phone]);
    contact.details.city = some("Toronto");
    assert_eq!(case_of(rule(), &contact), (25.0, 0b1_0001));
    let details = &mut contact.details;
    (details.email, details.name, details.address) = (some("zoe@example.com"), some("Zoé"), some("1 Main Street"));
    (details.region, details.postal_code, details.source) = (some("ON"), some("M5V 1A1"), some("a fair"));
    assert_eq!(case_of(rule(), &contact), (100.0, 0b1111_1111));
    assert_eq!(filled(&contact).collect::<Vec<_>>(), all);
}

#[test]
fn a_category_begins_exactly_at_75_50_and_25() {
    use ScoreCategory::{Cold, Hot, Nurture, Warm};
    let mut contact = with_source(Some("a fair"));
    contact.record.created_at = now() - SignedDuration::from_hours(24 * 365);
    // 10 of another source, 12.5 of the phone, 10 without a next contact, 10 for no hurry.
    assert_eq!(value(&standard(), &contact, now()), (43, Cold));
    contact.details.email = some("zoe@example.com");
    assert_eq!(value(&standard(), &contact, now()), (55, Warm));
    contact.details.next_contact_at = Some(now());
    assert_eq!(value(&standard(), &contact, now()), (75, Hot));
    contact.details.email = None;
    assert_eq!(value(&standard(), &contact, now()), (63, Warm));
    // Long after it came 25 for the referral alone, and 25 more for each of the rest.
    contact.details.source = some("referral");
    assert_eq!(value(&pipeline(), &contact, now()), (25, Cold));
    contact.details.assignee = Some(AgentId::new(now(), &[1; 10]));
    assert_eq!(value(&pipeline(), &contact, now()), (50, Warm));
    contact.details.status = status(4);
    assert_eq!(value(&pipeline(), &contact, now()), (75, Hot));
    contact.record.created_at = now();
    assert_eq!(value(&pipeline(), &contact, now()), (100, Hot));
    // The points of age of a year ago are few, but there are some.
    let mut contact = with_source(Some("organic"));
    contact.record.created_at = now() - SignedDuration::from_hours(24 * 365);
    assert_eq!(value(&pipeline(), &contact, now()), (20, Nurture));
}

#[test]
fn half_a_point_is_rounded_up() {
    // 5 of another source, and of 25 points of age so many that 24.5 are left, or a little less.
    let contact = contact(now());
    let mut low = 0_i64;
    let mut high = 30 * DAY;
    let after = |milliseconds: i64| now() + SignedDuration::from_millis(milliseconds);
    while high - low > 1 {
        let middle = i64::midpoint(low, high);
        if given(&pipeline(), "age", &contact, after(middle)) >= 24.5 { low = middle } else { high = middle }
    }
    assert_eq!(value(&pipeline(), &contact, after(low)).0, 30);
    assert_eq!(value(&pipeline(), &contact, after(high)).0, 29);
}

#[test]
fn what_says_the_same_is_not_written_again() {
    let scorer = Scorer::new(pipeline(), &statuses());
    let mut contact = contact(now());
    let first = scorer.score(&contact, now());
    assert_eq!(scorer.rescore(&contact, now()), Rescored::Changed(first.clone()));
    contact.score = Some(first.clone());
    let next = first.next_change_at.unwrap();
    assert_eq!(scorer.rescore(&contact, next - MILLISECOND), Rescored::Same);
    let Rescored::Changed(second) = scorer.rescore(&contact, next) else { panic!("it changes next then") };
    assert_eq!((second.previous, second.value), (Some(first.value), first.value - 1));
    contact.score = Some(crate::scoring::Score { next_change_at: None, ..first });
    assert_eq!(scorer.rescore(&contact, now()), Rescored::Later(Some(next)));
}

#[test]
fn a_text_in_the_compare_form_is_not_copied() {
    for text in ["google_ads", "5.5", "", "a+b"] {
        assert!(matches!(normalised(text), Cow::Borrowed(same) if same == text), "{text}");
    }
    for (text, form) in [("Google Ads", "google_ads"), ("  e-mail\t", "e_mail"), ("Noël", "noel"), ("İ", "i"), ("a\u{a0}b\u{2013}c", "a_b_c"), ("-5", "_5")] {
        assert_eq!(normalised(text), form);
    }
}

proptest! {
    #[test]
    fn the_form_of_a_form_is_itself(text in "[A-Za-zÀ-ÿİßﬁ \u{a0}\t_–-]{0,12}") {
        let form = normalised(&text).into_owned();
        prop_assert_eq!(normalised(&form), form.as_str());
    }

    #[test]
    fn other_statuses_score_alike_exactly_when_they_change_no_score(
        place in 0_usize..8,
        order in prop_oneof![0_u16..60, any::<u16>()],
        (excluded, is_deleted, is_new) in any::<(bool, bool, bool)>(),
    ) {
        let before = statuses();
        let mut after = before.clone();
        let changed = ContactStatus { order, exclude_from_call_list: excluded, deleted_at: is_deleted.then(now), ..before[place].clone() };
        if is_new {
            after.push(ContactStatus { id: status(50), code: "added".to_owned(), ..changed });
        } else {
            after[place] = changed;
        }
        let scorers = [&before, &after].map(|all| Scorer::new(pipeline(), all));
        let changes_nothing = before.iter().all(|each| {
            let mut contact = contact(now());
            contact.details.status = each.id;
            scorers[0].score(&contact, now()).components == scorers[1].score(&contact, now()).components
        });
        prop_assert_eq!(scorers[0].scores_alike_with(&after), changes_nothing);
        prop_assert!(Scorer::new(standard(), &before).scores_alike_with(&after));
    }

    #[test]
    fn components_stay_within_their_maxima_and_add_up_to_the_value(
        model in prop_oneof![1 => Just(standard()), 1 => Just(pipeline()), 3 => any_model()],
        contact in any_contact(),
        hours in -20_000_i64..20_000,
    ) {
        let scorer = Scorer::new(model, &statuses());
        let score = scorer.score(&contact, now() + SignedDuration::from_hours(hours));
        prop_assert_eq!(score.components.len(), scorer.model.factors.len());
        for (component, factor) in score.components.iter().zip(&scorer.model.factors) {
            prop_assert!(component.points <= factor.maximum, "{component:?} of {factor:?}");
        }
        let sum: Points = score.components.iter().map(|component| component.points).sum();
        prop_assert!(sum <= Points::WHOLE);
        prop_assert_eq!(score.value, sum.rounded());
        prop_assert!((f64::from(score.value) - sum.number()).abs() <= 0.5);
    }
}
