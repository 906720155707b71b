//! Figures in the text form that Prometheus reads.

use std::fmt::Write;

/// How a figure moves.
#[derive(Clone, Copy)]
pub enum Kind {
    Counter,
    Gauge,
}

/// One figure with its values, each by what stands in its braces.
pub struct Figure {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub values: Vec<(String, f64)>,
}

impl Figure {
    /// Return a figure whose values differ in one label.
    pub fn by<L: AsRef<str>>(
        name: &'static str,
        help: &'static str,
        kind: Kind,
        label: &str,
        values: impl IntoIterator<Item = (L, f64)>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|(value, number)| (format!("{{{label}=\"{}\"}}", plain(value.as_ref())), number))
            .collect();
        Self {
            name,
            help,
            kind,
            values,
        }
    }
}

/// Return the text of figures.
pub(crate) fn text(figures: &[Figure]) -> String {
    let mut text = String::new();
    for figure in figures {
        let kind = match figure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let name = figure.name;
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", figure.help);
        for (labels, number) in &figure.values {
            let _ = writeln!(text, "{name}{labels} {number}");
        }
    }
    text
}

fn plain(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_line() {
        let told = Figure::by("jobs", "Jobs.", Kind::Gauge, "state", [("a\"b\n", 2.0)]);
        assert_eq!(
            text(&[told]),
            "# HELP jobs Jobs.\n# TYPE jobs gauge\njobs{state=\"a\\\"b\\n\"} 2\n"
        );
    }
}
