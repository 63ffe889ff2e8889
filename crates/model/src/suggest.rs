//! "Did you mean …": the nearest known word to a mistyped one.

/// The known word nearest to `word`, or none when nothing is near enough to be a likely typing error.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            // A shared beginning makes a typo likelier: `coun` for `count_rows`.
            let distance = if lower.starts_with(&word) && word.len() >= 3 {
                1
            } else {
                strsim::damerau_levenshtein(&word, &lower)
            };
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown word: the nearest known one, or else the list of known ones, cut to a readable length.
pub fn nearest_hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(found) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{found}`?");
    }
    let shown: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
    match (shown.is_empty(), known.len() > shown.len()) {
        (true, _) => "there are none yet".to_owned(),
        (false, true) => format!("known are {}, … ({} in all)", shown.join(", "), known.len()),
        (false, false) => format!("known: {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let known = ["state.url", "data", "lake.endpoint", "log.level"];
        assert_eq!(nearest("dta", known), Some("data"));
        assert_eq!(nearest("lake.endpiont", known), Some("lake.endpoint"));
        assert_eq!(nearest("completely-else", known), None);
    }

    #[test]
    fn the_hint_lists_what_there_is_when_nothing_is_near() {
        assert_eq!(nearest_hint("xyz", ["orders", "products"]), "known: `orders`, `products`");
        assert_eq!(nearest_hint("xyz", []), "there are none yet");
    }
}
