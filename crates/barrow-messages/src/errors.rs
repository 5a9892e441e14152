//! What a `retval` says: the 143 error numbers of VPP 26.06, with their names.
//!
//! A reply's `retval` is 0 for success or one of these negative numbers. A few messages answer
//! with numbers of their own, so a [`Retval`] holds any `i32` and knows the names of some.
//! Numbers are only ever appended by VPP (`src/vnet/error.h`).

use std::fmt;
use std::str::FromStr;

/// Result of a request: 0, or a negative error number.
///
/// # Examples
///
/// ```
/// use barrow_messages::errors::Retval;
///
/// let retval = Retval(-2);
/// assert_eq!(retval, Retval::INVALID_SW_IF_INDEX);
/// assert_eq!(retval.name(), Some("INVALID_SW_IF_INDEX"));
/// assert_eq!(retval.to_string(), "INVALID_SW_IF_INDEX (-2): interface index unknown");
/// assert!(Retval(0).into_result().is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retval(pub i32);

/// One line of the table of error numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number: always negative.
    pub value: Retval,
    /// VPP's name without the prefix `VNET_API_ERROR_`.
    pub name: &'static str,
    /// What it means, in a few words.
    pub text: &'static str,
}

/// Declares the constants and the table from one list, ordered from -1 downwards.
macro_rules! retvals {
    ($($value:literal $name:ident $text:literal;)*) => {
        impl Retval {
            $(
                #[doc = concat!("`", stringify!($value), "`: ", $text, ".")]
                pub const $name: Self = Self($value);
            )*
        }

        /// Every named error number, from -1 downwards.
        pub const ENTRIES: &[Entry] = &[
            $(Entry { value: Retval($value), name: stringify!($name), text: $text },)*
        ];
    };
}

impl Retval {
    /// `0`: the request was done.
    pub const OK: Self = Self(0);

    /// Whether the request was done.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// `Ok` for 0, and the number itself as an error for everything else.
    ///
    /// # Errors
    ///
    /// Any number but 0.
    pub const fn into_result(self) -> Result<(), Self> {
        if self.is_ok() { Ok(()) } else { Err(self) }
    }

    /// The line of the table that describes this number, if there is one.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        let found = ENTRIES.binary_search_by(|entry| self.cmp(&entry.value));
        found.ok().map(|index| &ENTRIES[index])
    }

    /// VPP's name of this number without the prefix `VNET_API_ERROR_`; `OK` for 0.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        if self.is_ok() {
            Some("OK")
        } else {
            self.entry().map(|entry| entry.name)
        }
    }

    /// What this number means, if it has a name.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        if self.is_ok() {
            Some("success")
        } else {
            self.entry().map(|entry| entry.text)
        }
    }
}

impl fmt::Display for Retval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.text()) {
            (Some(name), Some(text)) => write!(f, "{name} ({}): {text}", self.0),
            _ => write!(f, "error {}", self.0),
        }
    }
}

impl std::error::Error for Retval {}

impl From<i32> for Retval {
    fn from(value: i32) -> Self {
        Self(value)
    }
}

impl From<Retval> for i32 {
    fn from(retval: Retval) -> Self {
        retval.0
    }
}

/// The text is neither a name of the table nor a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an error number of VPP")]
pub struct ParseRetvalError;

impl FromStr for Retval {
    type Err = ParseRetvalError;

    /// Reads a name, with or without VPP's prefix, or a number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix("VNET_API_ERROR_").unwrap_or(text);
        if name == "OK" {
            return Ok(Self::OK);
        }
        let named = ENTRIES.iter().find(|entry| entry.name == name);
        match named {
            Some(entry) => Ok(entry.value),
            None => text.parse().map(Self).map_err(|_| ParseRetvalError),
        }
    }
}

retvals! {
    -1 UNSPECIFIED "generic failure, no finer cause";
    -2 INVALID_SW_IF_INDEX "interface index unknown";
    -3 NO_SUCH_FIB "forwarding table / VRF unknown";
    -4 NO_SUCH_INNER_FIB "inner (tunnelled) table unknown";
    -5 NO_SUCH_LABEL "MPLS label unknown";
    -6 NO_SUCH_ENTRY "object to read, change or delete is absent";
    -7 INVALID_VALUE "a parameter is out of its domain";
    -8 INVALID_VALUE_2 "second parameter out of its domain";
    -9 UNIMPLEMENTED "not written for this case";
    -10 INVALID_SW_IF_INDEX_2 "second interface index unknown";
    -11 SYSCALL_ERROR_1 "system call failed, site 1";
    -12 SYSCALL_ERROR_2 "system call failed, site 2";
    -13 SYSCALL_ERROR_3 "system call failed, site 3";
    -14 SYSCALL_ERROR_4 "system call failed, site 4";
    -15 SYSCALL_ERROR_5 "system call failed, site 5";
    -16 SYSCALL_ERROR_6 "system call failed, site 6";
    -17 SYSCALL_ERROR_7 "system call failed, site 7";
    -18 SYSCALL_ERROR_8 "system call failed, site 8";
    -19 SYSCALL_ERROR_9 "system call failed, site 9";
    -20 SYSCALL_ERROR_10 "system call failed, site 10";
    -30 FEATURE_DISABLED "feature is switched off in the configuration";
    -31 INVALID_REGISTRATION "event subscription already there, or not there";
    -50 NEXT_HOP_NOT_IN_FIB "next hop not resolvable in the table";
    -51 UNKNOWN_DESTINATION "destination not known";
    -52 NO_PATHS_IN_ROUTE "route came with no path";
    -53 NEXT_HOP_NOT_FOUND_MP "path not part of the multipath set";
    -54 NO_MATCHING_INTERFACE "no interface fits the probe";
    -55 INVALID_VLAN "VLAN id not acceptable";
    -56 VLAN_ALREADY_EXISTS "VLAN sub-interface is there already";
    -57 INVALID_SRC_ADDRESS "source address not acceptable";
    -58 INVALID_DST_ADDRESS "destination address not acceptable";
    -59 ADDRESS_LENGTH_MISMATCH "prefix lengths disagree";
    -60 ADDRESS_NOT_FOUND_FOR_INTERFACE "interface has no such address";
    -61 ADDRESS_NOT_DELETABLE "address may not be removed";
    -62 IP6_NOT_ENABLED "IPv6 is off on the interface";
    -63 NO_SUCH_NODE "graph node unknown";
    -64 NO_SUCH_NODE2 "second graph node unknown";
    -65 NO_SUCH_TABLE "table unknown";
    -66 NO_SUCH_TABLE2 "second table unknown";
    -67 NO_SUCH_TABLE3 "third table unknown";
    -68 SUBIF_ALREADY_EXISTS "sub-interface is there already";
    -69 SUBIF_CREATE_FAILED "sub-interface could not be made";
    -70 INVALID_MEMORY_SIZE "memory size not acceptable";
    -71 INVALID_INTERFACE "interface of the wrong kind";
    -72 INVALID_VLAN_TAG_COUNT "tag count does not suit the operation";
    -73 INVALID_ARGUMENT "argument rejected";
    -74 UNEXPECTED_INTF_STATE "interface is in the wrong state";
    -75 TUNNEL_EXIST "tunnel is there already";
    -76 INVALID_DECAP_NEXT "decapsulation next node not acceptable";
    -77 RESPONSE_NOT_READY "answer not available yet";
    -78 NOT_CONNECTED "client-side: no connection to VPP";
    -79 IF_ALREADY_EXISTS "interface is there already";
    -80 BOND_SLAVE_NOT_ALLOWED "not permitted on a bond member";
    -81 VALUE_EXIST "value is set already";
    -82 SAME_SRC_DST "source equals destination";
    -83 IP6_MULTICAST_ADDRESS_NOT_PRESENT "an IPv6 multicast address is required";
    -84 SR_POLICY_NAME_NOT_PRESENT "segment-routing policy needs a name";
    -85 NOT_RUNNING_AS_ROOT "needs root";
    -86 ALREADY_CONNECTED "client-side: connected already";
    -87 UNSUPPORTED_JNI_VERSION "client-side: old Java binding problem";
    -88 IP_PREFIX_INVALID "host bits set in a prefix";
    -89 INVALID_WORKER "worker thread number unknown";
    -90 LISP_DISABLED "LISP is off";
    -91 CLASSIFY_TABLE_NOT_FOUND "classifier table unknown";
    -92 INVALID_EID_TYPE "LISP EID type not handled";
    -93 CANNOT_CREATE_PCAP_FILE "capture file could not be opened";
    -94 INCORRECT_ADJACENCY_TYPE "adjacency of the wrong kind";
    -95 EXCEEDED_NUMBER_OF_RANGES_CAPACITY "too many ranges";
    -96 EXCEEDED_NUMBER_OF_PORTS_CAPACITY "too many ports";
    -97 INVALID_ADDRESS_FAMILY "address family not acceptable";
    -98 INVALID_SUB_SW_IF_INDEX "sub-interface index unknown";
    -99 TABLE_TOO_BIG "result does not fit";
    -100 CANNOT_ENABLE_DISABLE_FEATURE "feature arc refused the change";
    -101 BFD_EEXIST "BFD object is there already";
    -102 BFD_ENOENT "BFD object absent";
    -103 BFD_EINUSE "BFD object in use";
    -104 BFD_NOTSUPP "BFD option not supported";
    -105 ADDRESS_IN_USE "address in use";
    -106 ADDRESS_NOT_IN_USE "address not in use";
    -107 QUEUE_FULL "queue full";
    -108 APP_UNSUPPORTED_CFG "application configuration not supported";
    -109 URI_FIFO_CREATE_FAILED "session FIFO segment could not be made";
    -110 LISP_RLOC_LOCAL "locator is a local address";
    -111 BFD_EAGAIN "BFD object busy, try later";
    -112 INVALID_GPE_MODE "LISP-GPE mode not acceptable";
    -113 LISP_GPE_ENTRIES_PRESENT "LISP-GPE entries still present";
    -114 ADDRESS_FOUND_FOR_INTERFACE "interface still has an address";
    -115 SESSION_CONNECT "session connect failed";
    -116 ENTRY_ALREADY_EXISTS "entry is there already";
    -117 SVM_SEGMENT_CREATE_FAIL "shared-memory segment could not be made";
    -118 APPLICATION_NOT_ATTACHED "application not attached";
    -119 BD_ALREADY_EXISTS "bridge domain is there already";
    -120 BD_IN_USE "bridge domain still has members";
    -121 BD_NOT_MODIFIABLE "bridge domain 0 is fixed";
    -122 BD_ID_EXCEED_MAX "bridge-domain id above 2^24 - 1";
    -123 SUBIF_DOESNT_EXIST "sub-interface absent";
    -124 L2_MACS_EVENT_CLINET_PRESENT "another client owns the MAC-event subscription";
    -125 INVALID_QUEUE "queue number not acceptable";
    -126 UNSUPPORTED "not supported";
    -127 DUPLICATE_IF_ADDRESS "address sits on another interface";
    -128 APP_INVALID_NS "application namespace unknown";
    -129 APP_WRONG_NS_SECRET "namespace secret wrong";
    -130 APP_CONNECT_SCOPE "connect scope problem";
    -131 APP_ALREADY_ATTACHED "application attached already";
    -132 SESSION_REDIRECT "session redirect failed";
    -133 ILLEGAL_NAME "name not acceptable";
    -134 NO_NAME_SERVERS "no DNS server configured";
    -135 NAME_SERVER_NOT_FOUND "DNS server unknown";
    -136 NAME_RESOLUTION_NOT_ENABLED "DNS resolver is off";
    -137 NAME_SERVER_FORMAT_ERROR "DNS: format error answer";
    -138 NAME_SERVER_NO_SUCH_NAME "DNS: name does not exist";
    -139 NAME_SERVER_NO_ADDRESSES "DNS: name has no address";
    -140 NAME_SERVER_NEXT_SERVER "DNS: try the next server";
    -141 APP_CONNECT_FILTERED "connect blocked by a rule";
    -142 ACL_IN_USE_INBOUND "ACL applied on input";
    -143 ACL_IN_USE_OUTBOUND "ACL applied on output";
    -144 INIT_FAILED "initialisation failed";
    -145 NETLINK_ERROR "kernel netlink call failed";
    -146 BIER_BSL_UNSUP "BIER bit-string length not handled";
    -147 INSTANCE_IN_USE "requested instance number taken";
    -148 INVALID_SESSION_ID "session id out of range";
    -149 ACL_IN_USE_BY_LOOKUP_CONTEXT "ACL used by a lookup context";
    -150 INVALID_VALUE_3 "third parameter out of its domain";
    -151 NON_ETHERNET "interface is not Ethernet";
    -152 BD_ALREADY_HAS_BVI "bridge domain has its BVI already";
    -153 INVALID_PROTOCOL "protocol not acceptable";
    -154 INVALID_ALGORITHM "algorithm not acceptable";
    -155 RSRC_IN_USE "resource in use";
    -156 KEY_LENGTH "key length wrong";
    -157 FIB_PATH_UNSUPPORTED_NH_PROTO "next-hop protocol of a path not handled";
    -159 API_ENDIAN_FAILED "f64 byte-order probe did not match";
    -160 NO_CHANGE "nothing to change";
    -161 MISSING_CERT_KEY "certificate or key missing";
    -162 LIMIT_EXCEEDED "limit passed";
    -163 IKE_NO_PORT "UDP port not run by IKE";
    -164 UDP_PORT_TAKEN "UDP port taken";
    -165 EAGAIN "cursor stream: call again with the returned cursor";
    -166 INVALID_VALUE_4 "fourth parameter out of its domain";
    -167 BUSY "busy";
    -168 BUG "internal error";
    -169 FEATURE_ALREADY_DISABLED "off already";
    -170 FEATURE_ALREADY_ENABLED "on already";
    -171 INVALID_PREFIX_LENGTH "prefix length not acceptable";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_found_by_number_and_by_name() {
        assert_eq!(ENTRIES.len(), 143);
        for entry in ENTRIES {
            assert_eq!(entry.value.entry(), Some(entry));
            assert_eq!(entry.name.parse(), Ok(entry.value));
            assert_eq!(
                format!("VNET_API_ERROR_{}", entry.name).parse(),
                Ok(entry.value)
            );
            assert!(entry.text.is_ascii() && !entry.text.is_empty());
        }
    }

    #[test]
    fn the_table_runs_downwards_without_repetition() {
        assert!(ENTRIES.windows(2).all(|pair| pair[0].value > pair[1].value));
    }

    #[test]
    fn numbers_without_a_name_are_kept_and_shown() {
        for value in [-21, -158, -172, 1, i32::MIN, i32::MAX] {
            assert_eq!(Retval(value).name(), None);
            assert_eq!(Retval(value).to_string(), format!("error {value}"));
            assert_eq!(value.to_string().parse(), Ok(Retval(value)));
            assert_eq!(Retval(value).into_result(), Err(Retval(value)));
        }
    }

    #[test]
    fn text_that_is_no_error_is_refused() {
        assert_eq!("NO_SUCH_THING".parse::<Retval>(), Err(ParseRetvalError));
        assert_eq!("".parse::<Retval>(), Err(ParseRetvalError));
    }
}
