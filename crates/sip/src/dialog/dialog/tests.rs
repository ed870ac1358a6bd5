mod in_dialog;
mod memory;
mod routing;
mod uas;
