//! Programs at a pseudo-terminal.

use rustix::fs::{OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A pseudo-terminal; a program at its other side sees a terminal.
#[derive(Debug)]
pub struct Pty {
    keyboard: File,
    /// What the program writes: read on a thread, since reading a terminal has no time limit.
    screen: Receiver<Vec<u8>>,
    pending: Vec<u8>,
    terminal: OwnedFd,
}

impl Pty {
    /// A pseudo-terminal of this size in columns and rows.
    ///
    /// # Panics
    /// When the system has none left.
    #[must_use]
    pub fn new((columns, rows): (u16, u16)) -> Self {
        let made = || -> rustix::io::Result<(OwnedFd, OwnedFd)> {
            let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
            grantpt(&keyboard)?;
            unlockpt(&keyboard)?;
            let name = ptsname(&keyboard, Vec::new())?;
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            let terminal = open(name, flags, rustix::fs::Mode::empty())?;
            Ok((keyboard, terminal))
        };
        let (keyboard, terminal) = made().expect("the system has pseudo-terminals");
        let keyboard = File::from(keyboard);
        let mut output = keyboard.try_clone().expect("descriptors are left");
        let (seen, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if seen.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let pty = Self {
            keyboard,
            screen,
            pending: Vec::new(),
            terminal,
        };
        pty.resize((columns, rows));
        pty
    }

    /// Gives the terminal another size. The program is told only if the terminal controls it.
    ///
    /// # Panics
    /// Never with a terminal that exists.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.terminal, size).expect("it is a terminal");
    }

    /// Starts a program whose input, output and errors are the terminal.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(&self, command: &mut Command, and_errors: bool) -> Child {
        let end = || Stdio::from(self.terminal.try_clone().expect("descriptors are left"));
        command.stdin(end()).stdout(end());
        if and_errors {
            command.stderr(end());
        }
        command.spawn().expect("the program starts")
    }

    /// How the terminal is set.
    ///
    /// # Panics
    /// Never with a terminal that exists.
    #[must_use]
    pub fn modes(&self) -> Termios {
        tcgetattr(&self.terminal).expect("it is a terminal")
    }
}

impl Read for Pty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            let next = self.screen.recv_timeout(crate::cli::PATIENCE);
            self.pending = next.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        }
        let length = buffer.len().min(self.pending.len());
        buffer[..length].copy_from_slice(&self.pending[..length]);
        self.pending.drain(..length);
        Ok(length)
    }
}

impl Write for Pty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keyboard.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
