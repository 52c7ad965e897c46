//! archonctl as a library.
