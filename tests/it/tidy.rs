//! Holds the house together: what every file and every folder must be like.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file longer than this has more than one topic.
const MAX_LINES: usize = 500;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below the top-level folders whose names end with `ending`.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = FOLDERS.iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no file ends with {ending}");
    found
}

const FOLDERS: [&str; 4] = ["functions", "infra", "shared", "tests"];

#[test]
fn the_top_level_is_as_agreed() {
    let files = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "template.yaml",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = FOLDERS.contains(&name.as_str())
            || files.contains(&name.as_str())
            || name.starts_with('.')
            || name == "target";
        assert!(known, "{name} has no place at the top level");
    }
}

#[test]
fn each_folder_has_a_readme_that_maps_it() {
    for folder in FOLDERS {
        let readme = fs::read_to_string(root().join(folder).join("README.md")).unwrap();
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                assert!(readme.contains(&format!("`{name}/`")), "{folder}/README.md omits {name}/");
            }
        }
    }
}

#[test]
fn each_file_says_what_it_is_and_stays_short() {
    for path in files(".rs") {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display();
        assert!(text.starts_with("//! "), "{name} does not begin by saying what it is");
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines; it may have {MAX_LINES}");
    }
}

/// No source holds any of `words`, each in two parts, so that this file does not hold them.
fn forbid(words: &[[&str; 2]], advice: &str) {
    for path in files(".rs") {
        let text = fs::read_to_string(&path).unwrap();
        for word in words {
            let word = word.concat();
            assert!(!text.contains(&word), "{} holds {word}: {advice}", path.display());
        }
    }
}

#[test]
fn nothing_is_left_open() {
    let words = [["#[ign", "ore"], ["TO", "DO"], ["FIX", "ME"], ["unimple", "mented!"]];
    forbid(&words, "finish it, or leave it out");
}

/// Whatever formats the log, the causes of an error are in it.
#[test]
fn an_error_is_logged_with_its_causes() {
    let words =
        [["%er", "ror,"], ["?er", "ror,"], ["as &dyn Er", "ror"], ["as &dyn std::er", "ror"]];
    forbid(&words, "log its `chain`");
}

#[test]
fn dependencies_point_one_way() {
    let manifest = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let domain = manifest("shared/Cargo.toml");
    for not_for_the_domain in ["aws-sdk", "aws-config", "lambda", "tocsin"] {
        assert!(!domain.contains(not_for_the_domain), "the domain needs {not_for_the_domain}");
    }
    let functions: Vec<String> = fs::read_dir(root().join("functions"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for function in &functions {
        let text = manifest(&format!("functions/{function}/Cargo.toml"));
        for other in functions.iter().map(String::as_str).chain(["tocsin", "tests"]) {
            let needs = format!("\n{other}.workspace");
            assert!(!text.contains(&needs), "{function} needs {other}");
        }
        assert!(
            manifest("infra/cli/Cargo.toml").contains(&format!("\n{function}.workspace")),
            "`tocsin serve` does not run {function}"
        );
    }
}

/// What a package needs to run, with the features that it has when nobody asks for any.
fn needs(package: &str) -> Vec<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--package", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let tree = String::from_utf8(cargo.stdout).unwrap();
    let needs = tree.lines().filter_map(|line| line.split_whitespace().next());
    needs.map(str::to_owned).collect()
}

#[test]
fn neither_the_domain_nor_the_tool_on_a_laptop_needs_aws() {
    for package in ["ssf", "tocsin"] {
        let needs = needs(package);
        assert!(needs.iter().any(|name| name == "tokio"), "{package}: the tree is read");
        // aws-lc is AWS's cryptography, and speaks to nobody.
        let of_aws = |name: &&String| {
            let crypto = name.starts_with("aws-lc-");
            (name.starts_with("aws-") && !crypto) || name.contains("lambda") || *name == "ssf-aws"
        };
        assert_eq!(needs.iter().find(of_aws), None, "{package}");
    }
}

#[test]
fn only_the_seams_take_the_time_an_id_or_the_environment() {
    // Clippy forbids it; each exception says so where it is, and there are only these.
    let allowed = ["shared/src/clock.rs", "shared/src/ids.rs", "shared/aws/src/lambda/start.rs"];
    for path in files(".rs") {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let exception = ["clippy::disallowed", "_methods"].concat();
        assert!(
            !text.contains(&exception) || allowed.contains(&name.as_str()),
            "{name} goes around the seams"
        );
    }
}
