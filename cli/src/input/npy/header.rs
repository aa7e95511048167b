//! The text of a `.npy` header: a dictionary as Python writes it, read without any nesting but the
//! shape's.

use caffe2_qtensor::MAX_DIMS;

/// What a header says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) descr: Option<Vec<u8>>,
    pub(super) fortran: Option<bool>,
    pub(super) shape: Option<Vec<i64>>,
}

/// What is wrong with a header and at which of its bytes.
pub(super) type Wrong = (&'static str, usize);

impl Said {
    pub(super) fn parse(text: &[u8]) -> core::result::Result<Said, Wrong> {
        let (mut said, mut text) = (Said::default(), Text { text, at: 0 });
        text.expect(b'{', "its header is no dictionary")?;
        loop {
            if text.accept(b'}') {
                break;
            }
            let key = text.string()?;
            text.expect(b':', "its header has a key without a value")?;
            let again = match key {
                b"descr" => said.descr.replace(text.string()?.to_vec()).is_some(),
                b"fortran_order" => said.fortran.replace(text.truth()?).is_some(),
                b"shape" => said.shape.replace(text.tuple()?).is_some(),
                _ => return text.wrong("its header has a key that is not known"),
            };
            if again {
                return text.wrong("its header has a key twice");
            }
            if !text.accept(b',') {
                text.expect(b'}', "its header has no comma between two keys")?;
                break;
            }
        }
        text.skip_spaces();
        if text.at < text.text.len() {
            return text.wrong("its header goes on behind the dictionary");
        }
        Ok(said)
    }
}

/// A header that is being read.
struct Text<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    fn wrong<T>(&self, problem: &'static str) -> core::result::Result<T, Wrong> {
        Err((problem, self.at))
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        let spaces = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at = self.at.saturating_add(spaces);
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let there = self.rest().first() == Some(&byte);
        self.at = self.at.saturating_add(usize::from(there));
        there
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> core::result::Result<(), Wrong> {
        if self.accept(byte) { Ok(()) } else { self.wrong(problem) }
    }

    /// A string in either kind of quotes. Those of a header have nothing to escape.
    fn string(&mut self) -> core::result::Result<&'a [u8], Wrong> {
        self.skip_spaces();
        let quote = match self.rest().first() {
            Some(quote @ (b'\'' | b'"')) => *quote,
            Some(b'[') => return self.wrong("its elements have fields, which no tensor has"),
            _ => return self.wrong("its header has no string where one belongs"),
        };
        self.at = self.at.saturating_add(1);
        match self.rest().iter().position(|byte| *byte == quote) {
            Some(length) => {
                let string = self.rest().get(..length).unwrap_or_default();
                self.at = self.at.saturating_add(length).saturating_add(1);
                Ok(string)
            }
            None => self.wrong("its header ends within a string"),
        }
    }

    fn truth(&mut self) -> core::result::Result<bool, Wrong> {
        self.skip_spaces();
        for (word, truth) in [(&b"True"[..], true), (b"False", false)] {
            if self.rest().starts_with(word) {
                self.at = self.at.saturating_add(word.len());
                return Ok(truth);
            }
        }
        self.wrong("its fortran_order is neither True nor False")
    }

    fn tuple(&mut self) -> core::result::Result<Vec<i64>, Wrong> {
        self.expect(b'(', "its shape is no tuple")?;
        let mut dims = Vec::new();
        while !self.accept(b')') {
            if dims.len() >= MAX_DIMS {
                return self.wrong("its shape has more than 64 dimensions");
            }
            dims.push(self.number()?);
            if !self.accept(b',') {
                self.expect(b')', "its shape has no comma between two numbers")?;
                break;
            }
        }
        Ok(dims)
    }

    fn number(&mut self) -> core::result::Result<i64, Wrong> {
        self.skip_spaces();
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.rest().get(..length).unwrap_or_default();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        let Some(number) = number else {
            return self.wrong("its shape has a dimension that is no number of 63 bits");
        };
        self.at = self.at.saturating_add(length);
        // Python 2 wrote long numbers with a letter behind them.
        if self.rest().first() == Some(&b'L') {
            self.at = self.at.saturating_add(1);
        }
        Ok(number)
    }
}
