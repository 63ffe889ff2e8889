//! Whatever comes in, an answer comes out.

use crate::checked;
use crate::examples::{ANPR, WINDOWED};

#[test]
fn cut_and_changed_definitions_do_not_panic() {
    for text in [WINDOWED, ANPR] {
        for (cut, _) in text.char_indices().step_by(31) {
            checked(&text[..cut]);
        }
        for word in ["Name", "Inputs", "[", "{", ":", "string", "s3://", "\n  ", "$", "year"] {
            for new in ["", "é", "{", "[", "'", "null", "\u{0}", "${", "- - -", "99999999999999999999999"] {
                checked(&text.replacen(word, new, 3));
            }
        }
    }
}

#[test]
fn long_chains_and_cycles_end() {
    let mut text = String::from("n0: {CatalogSource: {Name: n0, Database: shop, Table: orders}}\n");
    for at in 1..800 {
        text.push_str(&format!(
            "n{at}: {{SelectFields: {{Name: n{at}, Inputs: [n{}], Paths: [id]}}}}\n",
            at - 1
        ));
    }
    text.push_str("t: {S3DirectTarget: {Name: t, Inputs: [n799], Path: 's3://lake/t/', Format: json}}\n");
    let (_, good) = checked(&text);
    assert!(good.errors.is_empty());
    assert_eq!(good.nodes.len(), 801);
    let (_, cycle) = checked(&text.replace("Inputs: [n0]", "Inputs: [n799]"));
    assert!(cycle.errors.iter().any(|error| error.message().contains("cycle")));
    let many: String = (0..5_000)
        .map(|at| format!("n{at}: {{DropDuplicates: {{Name: n{at}, Inputs: [m{at}]}}}}\n"))
        .collect();
    let (_, many) = checked(&many);
    assert!(many.errors.iter().any(|error| error.message().contains("more than the 2000 allowed")));
    assert!(many.errors.len() <= 100);
    let (_, own) = checked("a: {DropDuplicates: {Name: a, Inputs: [a]}}");
    assert!(own.errors.iter().any(|error| error.message().contains("cycle: a -> a")), "{:?}", own.errors);
}
