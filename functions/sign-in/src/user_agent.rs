//! What a browser calls itself, in words by which a person knows it.

/// Looked for in this order, for most browsers also call themselves by the names of others.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The browser and the system that it runs on, as far as they are known.
pub(crate) fn words(user_agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    (find(&BROWSERS), find(&SYSTEMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_browsers_are_known() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (text, wanted) in [
            (
                format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/150.0 Safari/537.36"),
                (Some("Chrome"), Some("Linux")),
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/150.0 Safari/537.36 \
                     Edg/150.0"
                ),
                (Some("Edge"), Some("Windows")),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
                    .to_owned(),
                (Some("Safari"), Some("iPhone")),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 15.0; rv:150.0) Firefox/150.0".to_owned(),
                (Some("Firefox"), Some("macOS")),
            ),
            ("curl/8".to_owned(), (None, None)),
        ] {
            assert_eq!(words(&text), wanted, "{text}");
        }
    }
}
