//! Learns a model from a file of leads and what became of them, and says how well it foretells the newest fifth, beside both presets. It fails when the
//! area under the curve is below 0.81, or not above that of both presets.
//!
//! The file is CSV, the newest lead first, with the columns `Lead Origin`, `Lead Source`, `TotalVisits`, `Total Time Spent on Website` and, 0 or 1,
//! `ToBeConverted`. It is learned from these alone. The columns become contacts as an import would make them, each with a number that is made up.
//!
//! ```sh
//! cargo run --release -p switchboard-domain --example learned_model -- FILE
//! ```

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::{AttributeValue, Contact, ContactDraft, ContactInput, Defaults, ImportMark, OnInvalid, RowWrite};
use switchboard_domain::field_error::FieldError;
use switchboard_domain::ids::{ContactId, ImportId, ScoringModelId, StatusId};
use switchboard_domain::scoring::training::{Example, Outcome, TrainingChoice, area_under_curve, check_choice, train};
use switchboard_domain::scoring::{Model, ModelVersion, Points, Scorer, explain, pipeline, standard};

const OUTCOME: &str = "ToBeConverted";
const SOURCE: &str = "Lead Source";
const ATTRIBUTES: [&str; 3] = ["Lead Origin", "TotalVisits", "Total Time Spent on Website"];

/// The area under the curve that the model must have.
const LEAST_AREA: f64 = 0.81;

/// Area codes of the numbers that are made up.
const AREA_CODES: [&str; 8] = ["204", "403", "416", "506", "514", "604", "613", "902"];

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("Name the file of leads: CSV with the columns {SOURCE}, {}, {OUTCOME}, the newest first.", ATTRIBUTES.join(", "));
        return ExitCode::from(2);
    };
    match compare(Path::new(&path)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}

/// Learns, prints, and tells whether the model is good enough.
fn compare(path: &Path) -> Result<bool, Box<dyn Error>> {
    let contacts = contacts(path)?;
    let choice = TrainingChoice { name: "learned".to_owned(), outcome: Outcome::Attribute(OUTCOME.to_owned()), attributes: Some(ATTRIBUTES.map(str::to_owned).to_vec()) };
    check_choice(&choice).map_err(said)?;
    let scorer = Scorer::default();
    let known: Vec<(&Contact, Example)> = contacts.iter().filter_map(|contact| Some((contact, Example::of(contact, &choice.outcome, &scorer)?))).collect();
    let trained = train(known.iter().map(|(_, example)| example.clone()).collect(), &choice)?;
    let report = &trained.report;
    let held_out: Vec<(&Contact, bool)> = known[known.len() * 4 / 5..].iter().map(|(contact, example)| (*contact, example.converted)).collect();

    let version = ModelVersion { model: ScoringModelId::new(Timestamp::UNIX_EPOCH, &[1; 10]), version: 1 };
    let learned = Model { version, name: choice.name.clone(), factors: trained.factors.clone() };
    let areas = [&learned, &standard(), &pipeline()].map(|model| {
        let area = area_of(model, &held_out);
        println!("{:<10} area under the curve {area:.4}", model.name);
        area
    });
    println!(
        "{} leads, {} converted, {} held out; lift at 10% {:.2}; penalty {}",
        report.examples, report.converted, report.held_out, report.lift_at_tenth, report.regularisation
    );
    for band in &report.calibration {
        println!("  foretold {:.3}, came true {:.3}", band.predicted, band.observed);
    }
    for factor in &learned.factors {
        println!("{:>8} points: {}", factor.maximum.number(), factor.name);
    }
    for line in &report.left_out {
        println!("left out: {line}");
    }
    if let Some((contact, _)) = held_out.last() {
        let score = Scorer::new(learned.clone(), &[]).score(contact, Timestamp::UNIX_EPOCH);
        let explanation = explain(&learned, &score);
        println!("The newest lead has {}: {}", score.value, explanation.reason);
        for component in explanation.components {
            println!("  {} of {}: {}", component.points, component.maximum, component.reason);
        }
    }

    let [learned, standard, pipeline] = areas;
    let is_as_reported = (learned - report.area_under_curve).abs() < 1e-9;
    if !is_as_reported {
        println!("The report says {:.4}, which is not what scoring gives.", report.area_under_curve);
    }
    Ok(is_as_reported && learned >= LEAST_AREA && learned > standard && learned > pipeline)
}

/// How well a model ranks contacts, by its points before they are rounded.
fn area_of(model: &Model, contacts: &[(&Contact, bool)]) -> f64 {
    let scorer = Scorer::new(model.clone(), &[]);
    let scored = contacts.iter().map(|(contact, converted)| {
        let score = scorer.score(contact, Timestamp::UNIX_EPOCH);
        let points: Points = score.components.iter().map(|component| component.points).sum();
        (points.number(), *converted)
    });
    area_under_curve(&scored.collect::<Vec<_>>())
}

/// The leads of a file as contacts, the oldest first.
fn contacts(path: &Path) -> Result<Vec<Contact>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let headers = reader.headers()?.clone();
    let mut records = reader.records().collect::<Result<Vec<_>, _>>()?;
    if records.len() > AREA_CODES.len() * 10_000 {
        return Err(format!("More than {} leads are more than there are numbers for. Shorten the file.", AREA_CODES.len() * 10_000).into());
    }
    records.reverse();
    records.iter().zip(0..).map(|(record, row)| contact(&headers, record, row)).collect()
}

fn contact(headers: &csv::StringRecord, record: &csv::StringRecord, row: u32) -> Result<Contact, Box<dyn Error>> {
    let area_code = AREA_CODES[usize::try_from(row / 10_000)?];
    let mut input = ContactInput { phone: format!("+1{area_code}234{:04}", row % 10_000), ..ContactInput::default() };
    for (header, cell) in headers.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty()) {
        if header == SOURCE {
            input.source = Some(cell.to_owned());
        } else {
            input.attributes.push((header.to_owned(), AttributeValue::String(cell.to_owned())));
        }
    }
    let defaults = Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() };
    let validated = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).map_err(said)?;
    let details = validated.draft.into_details(&defaults, StatusId::new(Timestamp::UNIX_EPOCH, &[0; 10]), None, None);
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&row.to_be_bytes());
    let change = Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system());
    let mut contact = Contact::created(ContactId::from_hash(&hash), details, change);
    let import = ImportId::new(Timestamp::UNIX_EPOCH, &[0; 10]);
    contact.import_marks.push(ImportMark { import, row: u64::from(row) + 1, written: RowWrite::Created, version: None });
    Ok(contact)
}

/// What is wrong, in one line.
fn said(errors: Vec<FieldError>) -> String {
    errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" ")
}
