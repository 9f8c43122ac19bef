//! Reads telephone numbers from a file of cases and says where the rules disagree with it: `region`, `input` and `e164` (or `-` for refused),
//! separated by tabs, under a header line.
//!
//! ```sh
//! cargo run -p switchboard-domain --example phone_cases -- FILE
//! ```

use std::process::ExitCode;

use switchboard_domain::phone;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("Name the file of cases: tab-separated, with the columns region, input and e164.");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{} can't be read: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let mut cases = 0_usize;
    let mut disagreements = Vec::new();
    // A line ends at a line feed and nowhere else; a case may hold any other character but a tab.
    for (number, line) in (1..).zip(text.split('\n')).skip(1).filter(|(_, line)| !line.is_empty()) {
        let [region, input, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            eprintln!("Line {number} doesn't have three columns.");
            return ExitCode::from(2);
        };
        cases += 1;
        let found = phone::parse("phone", input, region).map_or_else(|_| "-".to_owned(), |phone| phone.e164);
        if found != expected {
            disagreements.push(format!("line {number}: {region} {input:?}: expected {expected}, found {found}"));
        }
    }
    println!("{cases} cases, {} disagree", disagreements.len());
    for disagreement in &disagreements {
        println!("{disagreement}");
    }
    if disagreements.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
