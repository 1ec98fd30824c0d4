//! Writes files completely or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

/// Replaces a regular file or creates a new one, by writing a temporary file with an unguessable name next to it and
/// renaming that file.
///
/// Refuses anything that is not a regular file: a symbolic link could lead elsewhere, and a device would be replaced by
/// a file. On an error, the file is unchanged.
pub(crate) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let permissions = match fs::symlink_metadata(file) {
        Ok(found) if found.is_file() => Some(found.permissions()),
        Ok(found) => return Err(not_regular(found.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_file(),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lab-").suffix(".draft");
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let mut draft = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    draft.write_all(text)?;
    draft.as_file().sync_all()?;
    draft.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Returns why a path cannot be written to. `None` if [`replace`] would try.
pub(crate) fn refusal(file: &Path) -> Option<io::Error> {
    match fs::symlink_metadata(file) {
        Ok(found) if !found.is_file() => Some(not_regular(found.file_type())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some(error),
        _ => None,
    }
}

fn not_regular(kind: fs::FileType) -> io::Error {
    let what = match kind {
        _ if kind.is_symlink() => "a symbolic link: name the file that it points to",
        _ if kind.is_dir() => "a folder: name a file in it",
        _ => "not a regular file: name one",
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}"))
}

/// The permissions of an ordinary new file: `rw-rw-rw-` without the bits in the umask.
#[cfg(unix)]
fn new_file() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn new_file() -> Option<fs::Permissions> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn a_file_is_replaced_completely_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_devices_sockets_and_folders_are_refused_and_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "theirs").unwrap();
        symlink(&target, &link).unwrap();
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for (file, words) in [
            (link.as_path(), "a symbolic link"),
            (&dangling, "a symbolic link"),
            (&socket, "not a regular file"),
            (folder.path(), "a folder"),
            (Path::new("/dev/null"), "not a regular file"),
        ] {
            let kind = fs::symlink_metadata(file).unwrap().file_type();
            let error = replace(file, b"ours").unwrap_err().to_string();
            assert!(error.contains(words), "{}: {error}", file.display());
            assert_eq!(refusal(file).unwrap().to_string(), error);
            assert_eq!(fs::symlink_metadata(file).unwrap().file_type(), kind);
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
    }

    #[test]
    fn what_somebody_laid_down_under_the_name_of_a_draft_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, theirs) = (folder.path().join("page.html"), folder.path().join("theirs"));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, file.with_extension("draft")).unwrap();
        replace(&file, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    }
}
