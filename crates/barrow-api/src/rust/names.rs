//! Names of the language as Rust writes them.

use quote::format_ident;
use syn::Ident;

/// Names that generated code uses without a path; a type that would take one of them away gets an underscore.
const PRELUDE: [&str; 22] = [
    "Self",
    "Vec",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Into",
    "From",
    "Default",
    "Clone",
    "Copy",
    "Debug",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "AsRef",
    "Send",
    "String",
];

/// `sw_interface_dump` as `SwInterfaceDump`.
pub(super) fn type_name(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut chars = word.chars();
        let Some(first) = chars.next() else { continue };
        camel.push(first.to_ascii_uppercase());
        let rest = chars.as_str();
        if rest.chars().any(|c| c.is_ascii_lowercase()) {
            camel.push_str(rest);
        } else {
            camel.push_str(&rest.to_ascii_lowercase());
        }
    }
    if camel.is_empty() || camel.starts_with(|c: char| c.is_ascii_digit()) {
        camel.insert(0, 'N');
    }
    if PRELUDE.contains(&camel.as_str()) {
        camel.push('_');
    }
    camel
}

pub(super) fn type_ident(name: &str) -> Ident {
    format_ident!("{}", type_name(name))
}

/// `T1` as `t1`, `sampling_N` as `sampling_n`, `camelCase` as `camel_case`; keywords stay themselves, see
/// [`field_ident`].
pub(super) fn field_name(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    let mut previous_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && previous_small {
            snake.push('_');
        }
        previous_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

pub(super) fn field_ident(name: &str) -> Ident {
    ident(&field_name(name))
}

/// An identifier; keywords in raw form (`r#type`), and where that is not allowed with an underscore (`self_`).
pub(super) fn ident(name: &str) -> Ident {
    if let Ok(ident) = syn::parse_str(name) {
        return ident;
    }
    match name {
        "self" | "super" | "crate" | "Self" | "_" => format_ident!("{name}_"),
        _ => Ident::new_raw(name, proc_macro2::Span::call_site()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust() {
        assert_eq!(type_name("sw_interface_dump"), "SwInterfaceDump");
        assert_eq!(type_name("ip4_address"), "Ip4Address");
        assert_eq!(type_name("L2_FLAGS"), "L2Flags");
        assert_eq!(type_name("option"), "Option_");
        assert_eq!(field_name("T1"), "t1");
        assert_eq!(field_name("sampling_N"), "sampling_n");
        assert_eq!(field_ident("type").to_string(), "r#type");
        assert_eq!(field_ident("self").to_string(), "self_");
    }
}
