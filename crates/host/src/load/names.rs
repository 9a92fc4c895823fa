//! The given paths and the names of what they hold: the same case has the same names wherever it lies.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::map::special;
use super::{LoadError, Loaded};

/// One of the given paths.
pub(super) struct Root {
    pub(super) source: Source,
    /// The names in the path, last first; never empty.
    parts: Vec<String>,
    given: PathBuf,
    /// Where it really is, to find out whether two paths give the same file.
    real: Option<PathBuf>,
}

/// What a given path leads to.
pub(super) enum Source {
    Stdin,
    File(PathBuf),
    Folder(PathBuf),
    /// Part of another given path, called `by`.
    Covered {
        by: String,
    },
    Special(PathBuf, &'static str),
}

impl Root {
    fn new(given: &Path) -> Result<Self, LoadError> {
        if given.as_os_str() == "-" {
            let parts = vec!["stdin".to_owned()];
            return Ok(Self { source: Source::Stdin, parts, given: given.to_owned(), real: None });
        }
        let real = fs::canonicalize(given).ok();
        let source = match fs::metadata(given) {
            Ok(meta) if meta.is_dir() => Source::Folder(given.to_owned()),
            Ok(meta) if meta.is_file() => Source::File(given.to_owned()),
            Ok(meta) => Source::Special(given.to_owned(), special(meta.file_type())),
            // It is there, and reading it will say what is wrong with it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Source::File(given.to_owned()),
            Err(source) => return Err(LoadError::Read { path: given.to_owned(), source }),
        };
        let mut parts = names(given);
        if parts.is_empty() {
            parts = real.as_deref().map(names).unwrap_or_default();
        }
        if parts.is_empty() {
            parts.push("root".to_owned());
        }
        Ok(Self { source, parts, given: given.to_owned(), real })
    }

    /// The last name of the path.
    pub(super) fn label(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }

    /// The last `count` names of the path.
    fn long_label(&self, count: usize) -> String {
        let parts: Vec<_> = self.parts.iter().take(count).rev().map(String::as_str).collect();
        parts.join("/")
    }

    fn is_file(&self) -> bool {
        !matches!(self.source, Source::Folder(_))
    }

    /// Whether loading this one loads `other` as well.
    fn covers(&self, other: &Self) -> bool {
        match (&self.source, &other.source, &self.real, &other.real) {
            (Source::Stdin, Source::Stdin, ..) => true,
            (Source::Folder(_), _, Some(own), Some(other)) => other.starts_with(own),
            (Source::File(_), Source::File(_), Some(own), Some(other)) => own == other,
            _ => false,
        }
    }
}

/// The names in a path, last first.
fn names(path: &Path) -> Vec<String> {
    let name = |component| match component {
        Component::Normal(name) => Some(OsStr::to_string_lossy(name).into_owned()),
        _ => None,
    };
    // What lies before a `..` is not where the file is.
    path.components().rev().take_while(|part| *part != Component::ParentDir).filter_map(name).collect()
}

/// The given paths in the order of their names, each file in one of them only.
pub(super) fn roots(paths: &[PathBuf]) -> Result<Vec<Root>, LoadError> {
    let mut roots = paths.iter().map(|path| Root::new(path)).collect::<Result<Vec<_>, _>>()?;
    roots.sort_by(|a, b| (a.label(), &a.given).cmp(&(b.label(), &b.given)));
    let covered: Vec<Option<String>> = roots
        .iter()
        .enumerate()
        .map(|(i, root)| {
            // Of two that cover each other, the first one stays.
            let by = roots
                .iter()
                .enumerate()
                .find(|(j, r)| *j != i && r.covers(root) && (*j < i || !root.covers(r)));
            by.map(|(_, by)| by.label().to_owned())
        })
        .collect();
    for (root, by) in roots.iter_mut().zip(covered) {
        if let Some(by) = by {
            root.source = Source::Covered { by };
        }
    }
    Ok(roots)
}

/// Puts together what the roots hold, with names that differ.
pub(super) fn merge(roots: &[Root], parts: Vec<Loaded>) -> Loaded {
    let labels = collide(&parts).then(|| distinct_labels(roots));
    let mut merged = Loaded::default();
    for (i, (root, mut part)) in roots.iter().zip(parts).enumerate() {
        if let Some(label) = labels.as_ref().and_then(|labels| labels.get(i)) {
            let prefix = |path: &mut String| {
                *path = if path == root.label() && root.is_file() {
                    label.clone()
                } else {
                    format!("{label}/{path}")
                };
            };
            part.inputs.iter_mut().for_each(|input| prefix(&mut input.path));
            part.skipped.iter_mut().for_each(|skipped| prefix(&mut skipped.path));
        }
        merged.inputs.append(&mut part.inputs);
        merged.skipped.append(&mut part.skipped);
    }
    merged.inputs.sort_by(|a, b| a.path.cmp(&b.path));
    merged.skipped.sort();
    number_duplicates(&mut merged);
    merged
}

/// Whether two roots hold inputs of the same name.
fn collide(parts: &[Loaded]) -> bool {
    let mut seen = HashMap::new();
    let named = parts.iter().enumerate().flat_map(|(i, p)| p.inputs.iter().map(move |input| (i, input)));
    named.into_iter().any(|(i, input)| *seen.entry(input.path.as_str()).or_insert(i) != i)
}

/// A label for each root: as few of its last names as tell it from the others.
fn distinct_labels(roots: &[Root]) -> Vec<String> {
    let mut counts = vec![1_usize; roots.len()];
    loop {
        let labels: Vec<_> = roots.iter().zip(&counts).map(|(root, &n)| root.long_label(n)).collect();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for label in &labels {
            *uses.entry(label).or_default() += 1;
        }
        let mut grown = false;
        for ((root, label), count) in roots.iter().zip(&labels).zip(&mut counts) {
            if uses.get(label.as_str()).is_some_and(|&n| n > 1) && *count < root.parts.len() {
                *count += 1;
                grown = true;
            }
        }
        if !grown {
            let mut taken = HashSet::new();
            let free = |label: String, taken: &mut HashSet<_>| {
                if taken.insert(label.clone()) { label } else { free_name(&label, 1, taken).0 }
            };
            return labels.into_iter().map(|label| free(label, &mut taken)).collect();
        }
    }
}

/// Names can still be equal: an archive may hold a name twice, and replaced bytes may make two names one.
fn number_duplicates(loaded: &mut Loaded) {
    let mut taken: HashSet<String> = loaded.inputs.iter().map(|input| input.path.clone()).collect();
    let mut before = (String::new(), 1);
    let mut renamed = false;
    for input in &mut loaded.inputs {
        if input.path == before.0 {
            (input.path, before.1) = free_name(&before.0, before.1, &mut taken);
            renamed = true;
        } else {
            before = (input.path.clone(), 1);
        }
    }
    if renamed {
        loaded.inputs.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// `name~2`, or `name~3` and so on: the first one after `number` that is not taken.
fn free_name(name: &str, number: u64, taken: &mut HashSet<String>) -> (String, u64) {
    let mut number = number;
    loop {
        number = number.saturating_add(1);
        let free = format!("{name}~{number}");
        if taken.insert(free.clone()) {
            return (free, number);
        }
    }
}
