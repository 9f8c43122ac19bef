//! The same file imported by a plain Python program, which keeps no audit, into an engine of the same kind.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use switchboard_testkit::World;

use crate::{Taken, engine_of, list, print_step, runtime};

/// Runs it, and holds what it came to against what it must.
pub(crate) fn imported(python: &Path, file: &Path, rows: u64) -> Taken {
    let runtime = runtime();
    let engine = runtime.block_on(Box::pin(async {
        let world = World::new().await;
        engine_of(&world).await
    }));
    println!("\n{rows} rows, the peer: csv, phonenumbers and boto3's batch writer in Python");
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/import/peer/import.py")).arg(file).arg(engine).arg("core");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("the peer");
    assert!(output.status.success(), "the peer failed");
    let told: Value = serde_json::from_slice(&output.stdout).expect("what it took");
    let number = |name: &str| told[name].as_f64().expect("a number");
    let taken = Taken { processor: number("processor_seconds"), taken: number("seconds") };
    print_step("all of it", rows, taken.taken, taken.processor);
    println!("  most memory: {:.1} MB; {} contacts, {} rows failed, {} addresses set aside", number("most_memory"), told["contacts"], told["failed"], told["warned"]);
    let expected = list::expected(rows);
    let counts = ["contacts", "failed", "warned"].map(|name| told[name].as_u64());
    assert_eq!(counts, [expected.created, expected.failed, expected.warned].map(Some), "the counts");
    taken
}
