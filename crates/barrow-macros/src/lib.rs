//! Derive and attribute macros of Barrow.
//!
//! Use them through `barrow-core` or any crate that re-exports it as `__core`; they find out which
//! of these their user depends on. Misuse is a compile error at the offending token.
#![forbid(unsafe_code)]

mod attributes;
mod error_counters;
mod machine;
mod names;
mod next_nodes;
mod process_node;
mod root;
mod slots;

use proc_macro::TokenStream;

/// Derives `NextNodes` for an enum of unit variants: each names a node with
/// `#[next_node = "name"]`; a variant's slot is its position.
///
/// ```
/// use barrow_core::NextNodes;
///
/// #[derive(Clone, Copy, NextNodes)]
/// enum Next {
///     #[next_node = "ip4-lookup"]
///     Lookup,
///     #[next_node = "error-drop"]
///     Drop,
/// }
/// ```
#[proc_macro_derive(NextNodes, attributes(next_node))]
pub fn derive_next_nodes(item: TokenStream) -> TokenStream {
    expand(syn::parse(item).and_then(|input| next_nodes::expand(&input)))
}

/// Derives `ErrorCounters` for an enum of unit variants, each with
/// `#[error_counter(name = "...", description = "...", severity = INFO)]`.
///
/// `name` defaults to the variant in snake case; `severity` is one of `INFO`, `WARNING`, `ERROR`
/// (the default) and `CRITICAL`. Names are unique within the enum.
///
/// ```
/// use barrow_core::ErrorCounters;
///
/// #[derive(Clone, Copy, ErrorCounters)]
/// enum Errors {
///     #[error_counter(description = "packets shorter than their header says")]
///     BadLength,
/// }
/// ```
#[proc_macro_derive(ErrorCounters, attributes(error_counter))]
pub fn derive_error_counters(item: TokenStream) -> TokenStream {
    expand(syn::parse(item).and_then(|input| error_counters::expand(&input)))
}

/// Derives `Machine` for an enum whose variants hold one machine each: kinds that share the type of
/// their inputs and outputs, in one group or behind one driver.
///
/// ```
/// use barrow_core::{Instant, Machine};
///
/// struct Echo(Option<u8>);
/// impl Machine for Echo {
///     type Input<'a> = u8;
///     type Output = u8;
///     fn handle_input(&mut self, _: Instant, byte: u8) {
///         self.0 = Some(byte);
///     }
///     fn handle_timeout(&mut self, _: Instant) {}
///     fn poll_output(&mut self, _: Instant) -> Option<u8> {
///         self.0.take()
///     }
///     fn poll_timeout(&self) -> Option<Instant> {
///         None
///     }
/// }
///
/// #[derive(Machine)]
/// enum Service {
///     Echo(Echo),
///     Mirror(Box<Echo>),
/// }
///
/// let mut service = Service::Mirror(Box::new(Echo(None)));
/// service.handle_input(Instant::ZERO, 7);
/// assert_eq!(service.poll_output(Instant::ZERO), Some(7));
/// # let _ = Service::Echo(Echo(None));
/// ```
#[proc_macro_derive(Machine)]
pub fn derive_machine(item: TokenStream) -> TokenStream {
    expand(syn::parse(item).and_then(|input| machine::expand(&input)))
}

/// Makes an `async fn` a process node.
///
/// The attribute turns the function into a struct of the same visibility, named as the function in
/// camel case, whose fields are the function's parameters after the context, and implements
/// `ProcessNode` for it. `name` is what listings show; `errors` and `next_nodes` name the enums
/// (neither by default); `node` names the struct otherwise.
///
/// ```
/// use barrow_core::{
///     ErrorCounters, ProcessContext, ProcessError, Scheduler, channel::{Receiver, bounded},
///     process_node,
/// };
///
/// #[derive(Clone, Copy, ErrorCounters)]
/// pub enum Errors {
///     #[error_counter(description = "neighbours forgotten", severity = INFO)]
///     Forgotten,
/// }
///
/// /// Forgets neighbours that it is told of.
/// #[process_node(name = "neighbor-ageing", errors = Errors)]
/// pub async fn neighbor_ageing(
///     cx: ProcessContext<NeighborAgeing>,
///     mut old: Receiver<u32>,
/// ) -> Result<(), ProcessError> {
///     while let Some(_neighbour) = old.recv().await {
///         cx.count(Errors::Forgotten, 1);
///     }
///     Ok(())
/// }
///
/// let scheduler = Scheduler::new((), Default::default());
/// let (sender, old) = bounded(16);
/// let (_id, status) = scheduler.start_process(NeighborAgeing { old });
/// # drop(sender);
/// assert_eq!(status.name(), c"neighbor-ageing");
/// ```
#[proc_macro_attribute]
pub fn process_node(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse(arguments).and_then(|arguments| Ok((arguments, syn::parse(item)?)));
    expand(parsed.and_then(|(arguments, function)| process_node::expand(arguments, function)))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
