//! The beginning of a name, for messages.

use core::fmt;

/// The first bytes of a name, kept inside an error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    bytes: [u8; Excerpt::LENGTH],
    length: u8,
    cut: bool,
}

impl Excerpt {
    const LENGTH: usize = 48;

    /// The beginning of a name.
    pub fn new(name: &[u8]) -> Excerpt {
        let mut bytes = [0; Excerpt::LENGTH];
        let mut length = 0u8;
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = *from;
            length = length.saturating_add(1);
        }
        Excerpt { bytes, length, cut: name.len() > Excerpt::LENGTH }
    }
}

impl fmt::Display for Excerpt {
    /// Printable characters as they are, every other byte as `\xNN`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(formatter, "\\x{:02x}", u32::from(character))?;
                } else {
                    write!(formatter, "{character}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(formatter, "\\x{byte:02x}")?;
            }
        }
        if self.cut { formatter.write_str("…") } else { Ok(()) }
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{self}\"")
    }
}
