//! Prints what the other benchmarks found, one line a case, and names the missed goals.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use support::results;

fn main() {
    if !support::measuring() {
        return;
    }
    let (records, checks) = results::read();
    for record in &records {
        println!("{}", record.line());
    }

    let (compared, differing) =
        checks.iter().fold((0, 0), |(of, differing), c| (of + c.of, differing + c.differing));
    println!(
        "codes and values compared with the definition: {compared} in {} cases; differing: \
         {differing}",
        checks.len()
    );
    for check in checks.iter().filter(|check| check.differing != 0) {
        println!("wrong: {} differing={} of={}", check.case, check.differing, check.of);
    }

    let missed: Vec<_> = records.iter().filter(|record| record.misses()).collect();
    for record in &missed {
        let goal = record.goal.unwrap_or_default();
        let ratio = results::significant(record.ratio);
        println!("missed: {} ratio={ratio} goal={goal}", record.case);
    }
    // A goal without a case is a machine without that instruction set, a run of a part of the
    // benchmarks or a slip of the pen; none of them should look like a goal reached.
    let mut goals = results::goals();
    for record in &records {
        goals.remove(&record.case);
    }
    for case in goals.keys() {
        println!("not measured: {case}");
    }
    let with_goal = records.iter().filter(|record| record.goal.is_some()).count();
    println!(
        "{} cases, {with_goal} with a goal, {} missed, {} goals not measured",
        records.len(),
        missed.len(),
        goals.len()
    );
}
