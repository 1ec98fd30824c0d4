//! The storage of a ledger: a file or memory.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Result, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use fs4::fs_std::FileExt as _;

pub(super) enum Store {
    File(PathBuf),
    Memory(Mutex<Vec<u8>>),
}

impl Default for Store {
    fn default() -> Self {
        Self::Memory(Mutex::default())
    }
}

impl Store {
    pub(super) fn file(path: &Path) -> Result<Self> {
        open(path)?;
        Ok(Self::File(path.to_owned()))
    }

    pub(super) fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => std::fs::read(path),
            Self::Memory(lines) => Ok(lines.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    /// Appends a line in one write. The lock is released when the file is closed.
    pub(super) fn append(&self, mut line: Vec<u8>) -> Result<()> {
        line.push(b'\n');
        match self {
            Self::Memory(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.append(&mut line);
                Ok(())
            }
            Self::File(path) => {
                let mut file = open(path)?;
                file.lock_exclusive()?;
                if ends_within_a_line(&mut file)? {
                    line.insert(0, b'\n');
                }
                file.write_all(&line)?;
                file.sync_data()
            }
        }
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).read(true).append(true).open(path)
}

/// Whether the last line was truncated. The next one must not be appended to it.
fn ends_within_a_line(file: &mut File) -> Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
