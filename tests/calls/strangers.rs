//! Who is who by source, and what strangers may cost. Contract section 1 and the rows of section 2 on strangers.

use std::sync::Arc;

use mediator_sim::{CALLER, Party, REDIRECT, Stage, Wire};

use crate::support::{ALICE, BOB, millis, seconds, world};
