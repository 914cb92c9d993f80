//! Files that only their owner can read.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Makes a folder for such files, if it is not there: only its owner can look into it.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes `text` to a new file, and waits until it is on the disk: nothing must ever be kept that
/// needs a key which a power cut took.
pub(super) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

/// Writes `text` to a new file in one go: who finds the file finds all of it. If there is one
/// already, it stays as it is.
pub(super) fn write_once(path: &Path, text: &str, unique: &str) -> io::Result<()> {
    let new = path.with_extension(unique);
    write_new(&new, text)?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => sync_folder(path),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
