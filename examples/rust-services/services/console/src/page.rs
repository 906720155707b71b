//! The page: who is there, and how jobs stand.

use std::fmt::Write;

use meadow::Instance;
use serde_json::{Map, Value};

const HEAD: &str = "<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content='width=device-width'>
<meta http-equiv=refresh content=5>
<title>Meadow</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .8rem .3rem 0; text-align: left }
td.n, th.n { text-align: right }
.error { color: #a40000 }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #eee } .error { color: #ff8a80 } }
</style>
<h1>Meadow</h1>
";

/// Return the page; what could not be asked is said in its place.
pub fn page(
    known: &Result<Vec<Instance>, String>,
    jobs: &Result<Map<String, Value>, String>,
) -> String {
    let mut text = HEAD.to_owned();
    match known {
        Ok(known) => instances(&mut text, known),
        Err(why) => error(&mut text, "Discovery does not answer", why),
    }
    match jobs {
        Ok(jobs) => counts(&mut text, jobs),
        Err(why) => error(&mut text, "Nobody takes jobs", why),
    }
    text
}

// Writing to a string does not fail.
fn instances(text: &mut String, known: &[Instance]) {
    text.push_str(
        "<table>\n<tr><th>service<th>can do<th>at<th>version<th class=n>there for<th class=n>heard of\n",
    );
    for each in known {
        let told = &each.told;
        let _ = writeln!(
            text,
            "<tr><td>{}<td>{}<td>{}<td>{}<td class=n>{} s<td class=n>{} s ago",
            escaped(&told.service),
            escaped(&told.capabilities.join(", ")),
            escaped(&told.address),
            escaped(&told.version),
            each.up_s,
            each.heard_s,
        );
    }
    text.push_str("</table>\n");
}

fn counts(text: &mut String, jobs: &Map<String, Value>) {
    text.push_str("<h2>Jobs</h2>\n<table>\n");
    for (state, count) in jobs {
        let _ = writeln!(text, "<tr><td>{}<td class=n>{count}", escaped(state));
    }
    text.push_str("</table>\n");
}

fn error(text: &mut String, what: &str, why: &str) {
    let _ = writeln!(text, "<p class=error>{what}: {}", escaped(why));
}

fn escaped(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use meadow::Announcement;

    use super::*;

    #[test]
    fn what_is_there_is_shown_as_text() {
        let one = Instance {
            id: "a".to_owned(),
            told: Announcement {
                service: "<script>".to_owned(),
                address: "a:1".to_owned(),
                version: "1".to_owned(),
                capabilities: vec!["gpu".to_owned(), "rtk".to_owned()],
            },
            up_s: 7,
            heard_s: 1,
        };
        let told = page(&Ok(vec![one]), &Err("a & b".to_owned()));
        assert!(told.contains("<td>&lt;script&gt;<td>gpu, rtk<td>a:1<td>1<td class=n>7 s"));
        assert!(told.contains("Nobody takes jobs: a &amp; b"));
        assert!(!told.contains("<script>"));
    }
}
