//! The table that a run ends with.

use std::fmt;

/// Rows of it, in the order they were measured.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    ours: String,
    theirs: String,
    ratio: String,
    target: String,
}

impl Table {
    /// Adds what was measured on both sides in turns: the medians, and the ratio of each round's pair
    /// as its median and its extremes.
    pub fn compare(&mut self, what: &str, ours: &[f64], theirs: &[f64], unit: &str, target: &str) {
        let ratios: Vec<f64> =
            ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let (low, high) = extremes(&ratios);
        self.add(
            what,
            &format!("{} {unit}", figure(median(ours))),
            &format!("{} {unit}", figure(median(theirs))),
            &format!("{:.2} ({low:.2}-{high:.2})", median(&ratios)),
            target,
        );
    }

    /// Adds what has nothing to be compared with but its target.
    pub fn state(&mut self, what: &str, values: &[f64], unit: &str, target: &str) {
        let (low, high) = extremes(values);
        let range = format!("({}-{})", figure(low), figure(high));
        self.add(what, &format!("{} {unit}", figure(median(values))), "", &range, target);
    }

    fn add(&mut self, what: &str, ours: &str, theirs: &str, ratio: &str, target: &str) {
        let [what, ours, theirs] = [what, ours, theirs].map(str::to_owned);
        let [ratio, target] = [ratio, target].map(str::to_owned);
        println!("{what}: {ours} {theirs} {ratio}");
        self.rows.push(Row { what, ours, theirs, ratio, target });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, ours: &str, theirs: &str, ratio: &str, target: &str| {
            writeln!(f, "| {what:<44} | {ours:>14} | {theirs:>14} | {ratio:<22} | {target:<9} |")
        };
        line("", "keyward", "against", "ratio (min-max)", "target")?;
        for row in &self.rows {
            line(&row.what, &row.ours, &row.theirs, &row.ratio, &row.target)?;
        }
        Ok(())
    }
}

/// The middle value; of an even number, the upper one of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    })
}

fn figure(value: f64) -> String {
    if value >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
