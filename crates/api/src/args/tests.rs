//! Rules of the query's arguments.
