//! A node without servers, threads or clock: for tests of nodes and features.
