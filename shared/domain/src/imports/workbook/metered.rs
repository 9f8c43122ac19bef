//! A file that gives no more bytes than it may, so that what a library makes of a hostile one stays within the memory there is.

use std::cell::Cell;
use std::io::{Error, Read, Result, Seek, SeekFrom};
use std::rc::Rc;

/// How many bytes of a [`Metered`] file may still be read. All copies are the same one.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Rc<Account>);

#[derive(Debug)]
struct Account {
    left: Cell<u64>,
    is_overdrawn: Cell<bool>,
}

impl Allowance {
    /// One of so many bytes.
    pub(super) fn of(bytes: u64) -> Self {
        Self(Rc::new(Account { left: Cell::new(bytes), is_overdrawn: Cell::new(false) }))
    }

    /// Makes it so many bytes from now on.
    pub(super) fn renew(&self, bytes: u64) {
        self.0.left.set(bytes);
    }

    /// Whether more was ever asked for.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.0.is_overdrawn.get()
    }

    fn draw(&self, bytes: u64) -> Result<()> {
        let Some(left) = self.0.left.get().checked_sub(bytes) else {
            self.0.is_overdrawn.set(true);
            return Err(Error::other("more bytes are asked for than may be read"));
        };
        self.0.left.set(left);
        Ok(())
    }
}

/// A file that is read within an allowance.
#[derive(Debug)]
pub(super) struct Metered<R> {
    file: R,
    allowance: Allowance,
}

impl<R> Metered<R> {
    pub(super) fn new(file: R, allowance: Allowance) -> Self {
        Self { file, allowance }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.file.read(buffer)?;
        self.allowance.draw(read as u64)?;
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn no_more_is_read_than_is_allowed_until_more_is() {
        let allowance = Allowance::of(5);
        let mut file = Metered::new(Cursor::new(b"123456789".to_vec()), allowance.clone());
        let mut three = [0; 3];
        assert_eq!((file.read(&mut three).unwrap(), &three), (3, b"123"));
        assert!(file.read(&mut three).is_err() && allowance.is_overdrawn());
        allowance.renew(3);
        file.seek(SeekFrom::Start(6)).unwrap();
        assert_eq!((file.read(&mut three).unwrap(), &three), (3, b"789"));
        assert_eq!(file.read(&mut three).unwrap(), 0, "the end costs nothing");
        assert!(allowance.is_overdrawn(), "what was too much once stays known");
    }
}
