//! Patterns of names: `*` for any bytes, `?` for any one, anything else for itself.

use crate::failure::{Failure, Result};
use qtensor_cli::input::{Item, shown};
use std::ffi::OsString;

/// Which tensors of a file are meant.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Selection {
    /// Only tensors whose name matches; `*` and `?` match any bytes and any one. Repeatable
    #[arg(long, value_name = "PATTERN")]
    only: Vec<OsString>,
    /// No tensor whose name matches. Repeatable
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<OsString>,
}

impl Selection {
    /// Whether a tensor of this name is meant.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        let any = |patterns: &[OsString]| {
            patterns.iter().any(|pattern| matches(pattern.as_encoded_bytes(), name))
        };
        (self.only.is_empty() || any(&self.only)) && !any(&self.skip)
    }

    /// Refuses a pattern of `--only` or `--skip` that no tensor has a name for: a misspelled one
    /// would do nothing, unseen.
    pub(crate) fn check(&self, items: &[Item]) -> Result<()> {
        let only = self.only.iter().map(|pattern| ("--only", pattern));
        for (option, pattern) in only.chain(self.skip.iter().map(|pattern| ("--skip", pattern))) {
            let pattern = pattern.as_encoded_bytes();
            if !items.iter().any(|item| matches(pattern, &item.name)) {
                let pattern = shown(pattern);
                return Err(Failure::new(format!(
                    "No tensor has a name that matches '{pattern}' of {option}."
                )));
            }
        }
        Ok(())
    }
}

/// Whether a name matches a pattern: in time of at most their lengths' product.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0usize, 0usize);
    // Where the last star is, and from where on it has swallowed nothing yet.
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, here));
                at = at.saturating_add(1);
            }
            Some(byte) if *byte == b'?' || Some(byte) == name.get(here) => {
                at = at.saturating_add(1);
                here = here.saturating_add(1);
            }
            _ => match star {
                None => return false,
                Some((place, swallowed)) => {
                    let swallowed = swallowed.saturating_add(1);
                    star = Some((place, swallowed));
                    at = place.saturating_add(1);
                    here = swallowed;
                }
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_a_shell_has_them() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("fc?_w", "fc1_w", true),
            ("fc?_w", "fc_w", false),
            ("*_w", "fc1_w", true),
            ("*_w", "fc1_w_", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("**", "x", true),
            ("*?", "", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
