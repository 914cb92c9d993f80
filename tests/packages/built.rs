//! The functions as `sam build` builds them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folders of the functions.
pub(crate) fn functions() -> [&'static str; tests::Function::ALL.len()] {
    tests::Function::ALL.map(tests::Function::name)
}

/// What was built.
pub(crate) struct Built {
    packages: PathBuf,
    /// A function that does nothing.
    pub(crate) empty: PathBuf,
    /// A function that makes calls, and does nothing else.
    pub(crate) calls: PathBuf,
}

impl Built {
    /// Builds everything that has changed; all of it takes some ten minutes on two cores.
    pub(crate) fn now() -> Self {
        let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let packages = tests::emulator::target().join("packages/build");
        let builder = tests::emulator::builder();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [builder.clone()].into_iter().chain(env::split_paths(&path));
        let path = env::join_paths(path).expect("it was a path before");
        done(
            Command::new(tests::emulator::tools().join("sam"))
                .args(["build", "--parameter-overrides", "Architecture=x86_64", "--build-dir"])
                .arg(&packages)
                .env("AWS_DEFAULT_REGION", "us-east-1")
                .env("SAM_CLI_TELEMETRY", "0")
                .env("PATH", &path)
                .current_dir(&house),
        );
        done(
            Command::new(builder.join("cargo-lambda"))
                .args(["lambda", "build", "--release", "--quiet", "--package", "ssf-aws"])
                .args(["--features", "lambda", "--example", "empty", "--example", "calls"])
                .env("PATH", path)
                .current_dir(&house),
        );
        let example = |name: &str| house.join("target/lambda").join(name).join("bootstrap");
        Self { packages, empty: example("empty"), calls: example("calls") }
    }

    /// The binary of a function.
    pub(crate) fn program(&self, function: &str) -> PathBuf {
        // SAM names its folders after the template's resources.
        let word = |word: &str| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_uppercase())
        };
        let name: String = function.split('-').map(word).collect();
        self.packages.join(format!("{name}Function")).join("bootstrap")
    }

    /// The size of a function's package, in bytes, made as SAM makes it.
    pub(crate) fn zipped(&self, function: &str) -> u64 {
        let package = self.packages.join(format!("{function}.zip"));
        let script = "import sys, zipfile\n\
                      with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as package:\n\
                      \x20   package.write(sys.argv[2], 'bootstrap')";
        let mut python = Command::new(tests::emulator::python());
        done(python.args(["-c", script]).arg(&package).arg(self.program(function)));
        fs::metadata(package).expect("it was written").len()
    }
}

fn done(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
