//! The messages that a Barrow node serves.
//!
//! The folder `api` defines them in VPP's interface language: every message by the name, fields and
//! CRC of VPP 26.06, so that VPP's own clients find them. The build script turns each file into a
//! module here (`api/interface.api` is [`interface`]), with a struct for each message and type.
//! See [`barrow_wire`] for what those implement, and `barrow_api::rust` for how names map.
//!
//! ```
//! use barrow_messages::interface::SwInterfaceSetFlags;
//! use barrow_messages::interface_types::{IfStatusFlags, InterfaceIndex};
//! use barrow_wire::{Header, Message, decode_message, encode_message};
//!
//! let request = SwInterfaceSetFlags {
//!     sw_if_index: InterfaceIndex(1),
//!     flags: IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP,
//! };
//! assert_eq!(SwInterfaceSetFlags::NAME_CRC, "sw_interface_set_flags_f5aec1b8");
//! let mut bytes = Vec::new();
//! encode_message(Header { id: 29, client_index: 7, context: 1 }, &request, &mut bytes)?;
//! let (header, read): (_, SwInterfaceSetFlags) = decode_message(&bytes)?;
//! assert_eq!((header.context, read), (1, request));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Beside the generated modules there are
//!
//! - [`catalogue`]: what is known of each module at run time, for message tables and listings;
//! - [`errors`]: the numbers that a reply's `retval` holds, with their names;
//! - `addresses`: conversions between the address types here and those of [`std::net`], and their
//!   text forms;
//! - [`dynamic`]: messages known at run time only, to bytes, to JSON and back.
//!
//! # Definitions of your own
//!
//! An `.api` file of yours may import from this folder, with VPP's paths:
//! `import "vnet/ip/ip_types.api";`. Depend on this crate; its build script hands the folder to
//! yours as `DEP_BARROW_MESSAGES_API_DIR`:
//!
//! ```ignore
//! // build.rs
//! let messages = std::env::var("DEP_BARROW_MESSAGES_API_DIR").unwrap();
//! barrow_api::build::Builder::new().api_dir("api").import_crate(messages, "::barrow_messages").run();
//! ```
//!
//! What comes out has a [`ModuleInfo`] of the same type as those of the [`catalogue`], and is served
//! beside them once a feature registers it.
//!
//! # Cargo features
//!
//! One a module, each of which enables those it imports, and `all` of them; `dynamic` for the codec
//! of that name. The default is everything.
#![forbid(unsafe_code)]

#[cfg(feature = "ip_types")]
mod addresses;
mod catalogue;
#[cfg(feature = "dynamic")]
pub mod dynamic;
pub mod errors;
#[cfg(feature = "ethernet_types")]
mod mac;

barrow_wire::include_bindings!();

#[cfg(feature = "ip_types")]
pub use addresses::{AddressError, ParseAddressError};
pub use barrow_wire::ModuleInfo;
pub use catalogue::catalogue;
#[cfg(feature = "ethernet_types")]
pub use mac::ParseMacAddressError;
