//! Why a simulator could not start, and what the operator can do about it.
//!
//! Errors of single requests do not come here: they leave as S3 error answers.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// A simulator that could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// Another program listens on the port.
    #[error("port {port} is already in use")]
    PortTaken {
        /// The TCP port asked for.
        port: u16,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on `{host}` port {port}")]
    Listen {
        /// The address asked for.
        host: IpAddr,
        /// The TCP port asked for.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder of the buckets cannot be read or written.
    #[error("cannot use the folder `{}`", path.display())]
    Folder {
        /// The file or folder that failed.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another simulator holds the folder.
    #[error("the folder `{}` is in use by another simulator", path.display())]
    FolderInUse {
        /// The folder asked for.
        path: PathBuf,
    },
}

impl SimulatorError {
    /// The operator's way out, when there is one to name.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::PortTaken { .. } => {
                "stop what runs there (`esteira down` stops a simulator), or choose another port with `--port`"
            }
            Self::Listen { .. } => "choose an address of this machine; 127.0.0.1 always works",
            Self::Folder { .. } => "choose a folder that this user can write, with `--dir`",
            Self::FolderInUse { .. } => {
                "stop the other simulator (`esteira down`), or choose another folder with `--dir`"
            }
        })
    }

    pub(crate) fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Folder {
            path: path.to_owned(),
            source,
        }
    }
}
