//! Keys as tones in audio: ITU-T Q.23, heard as ITU-T Q.24 asks, with Goertzel filters over 8 kHz samples.
//!
//! Audio is cut into blocks of [`BLOCK`] samples, 12.75 ms. A block has a key where one row and one column stand out
//! among their like, are loud enough, about as loud as each other (twist), hold nearly all of the block's energy, and
//! do not have the second harmonics of a voice. Two blocks running make a press, so that 40 ms are always enough and a
//! vowel's passing likeness is not; three blocks without the key end it.

/// Samples a block. Any 40 ms have two whole blocks.
pub const BLOCK: u16 = 102;

/// Blocks with the same key that make a press.
const PRESSED: u8 = 2;
/// Blocks without it that end it.
const RELEASED: u8 = 3;

/// 2 cos(2 pi f / 8000) of the rows: 697, 770, 852 and 941 Hz.
const ROWS: [f32; 4] = [1.707_737_8, 1.645_281, 1.568_687, 1.478_204_5];
/// Of the columns: 1209, 1336, 1477 and 1633 Hz.
const COLUMNS: [f32; 4] = [1.164_104, 0.996_370_2, 0.798_618_4, 0.568_532_7];
/// Of the rows' second harmonics, which tones do not have and voices do.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Power of a filter for a sine of amplitude 1.
const UNIT: f32 = (BLOCK as f32 / 2.0) * (BLOCK as f32 / 2.0);
/// The quietest tone: -36 dBm0, an amplitude of 360.
const QUIETEST: f32 = 360.0 * 360.0 * UNIT;
/// How much louder a column may be than its row, and a row than its column: 6 and 8 dB. The way takes more of the
/// higher one.
const COLUMN_OVER_ROW: f32 = 4.0;
const ROW_OVER_COLUMN: f32 = 6.3;
/// How much stronger than its like a row or column is: 8 dB.
const STANDS_OUT: f32 = 6.3;
/// The share of the block's energy that both hold. Tones 1.5 % off still have it.
const SHARE: f32 = 0.78;
/// How much the power of a row or column may change between two blocks of a press: 2 dB. A voice does not stand still.
const STEADY: f32 = 1.6;

/// A second-order resonator (Goertzel): the power at one frequency.
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    last: f32,
    before: f32,
}

impl Filter {
    fn feed(&mut self, sample: f32, coefficient: f32) {
        let next = sample + coefficient * self.last - self.before;
        self.before = self.last;
        self.last = next;
    }

    fn power(self, coefficient: f32) -> f32 {
        self.last * self.last + self.before * self.before - coefficient * self.last * self.before
    }
}

/// A block that has a key.
#[derive(Clone, Copy, Debug)]
struct Block {
    key: char,
    row: f32,
    column: f32,
}

impl Block {
    /// Whether two blocks may be of one press.
    fn goes_on_as(&self, next: &Self) -> bool {
        let is_steady = |one: f32, other: f32| one <= other * STEADY && other <= one * STEADY;
        self.key == next.key && is_steady(self.row, next.row) && is_steady(self.column, next.column)
    }
}

/// Tells keys from audio.
#[derive(Clone, Debug, Default)]
pub struct ToneDetector {
    rows: [Filter; 4],
    columns: [Filter; 4],
    energy: f32,
    samples: u16,
    /// What is being pressed, and for how many blocks it has not been heard.
    pressed: Option<(char, u8)>,
    /// What may become a press, and for how many blocks it has been heard.
    candidate: Option<(Block, u8)>,
}

impl ToneDetector {
    /// Nothing was heard.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hears samples at 8 kHz and tells each press once.
    pub fn hear(&mut self, samples: impl IntoIterator<Item = i16>, mut tell: impl FnMut(char)) {
        for sample in samples {
            let sample = f32::from(sample);
            self.energy += sample * sample;
            for (filter, coefficient) in self.rows.iter_mut().zip(ROWS) {
                filter.feed(sample, coefficient);
            }
            for (filter, coefficient) in self.columns.iter_mut().zip(COLUMNS) {
                filter.feed(sample, coefficient);
            }
            self.samples += 1;
            if self.samples == BLOCK {
                let block = self.block();
                self.clear();
                if let Some(key) = self.follow(block) {
                    tell(key);
                }
            }
        }
    }

    fn clear(&mut self) {
        self.rows = Default::default();
        self.columns = Default::default();
        self.energy = 0.0;
        self.samples = 0;
    }

    /// The block that is full, if it has a key.
    fn block(&self) -> Option<Block> {
        let (row, row_power) = strongest(&self.rows, ROWS)?;
        let (column, column_power) = strongest(&self.columns, COLUMNS)?;
        let is_loud = row_power >= QUIETEST && column_power >= QUIETEST;
        let is_level = column_power <= row_power * COLUMN_OVER_ROW
            && row_power <= column_power * ROW_OVER_COLUMN;
        let whole = self.energy * f32::from(BLOCK) / 2.0;
        let is_pure = row_power + column_power >= whole * SHARE;
        if !(is_loud && is_level && is_pure) {
            return None;
        }
        let key = *KEYS.get(row)?.get(column)?;
        Some(Block { key, row: row_power, column: column_power })
    }

    /// Takes a block into account; gives the key that has become a press.
    fn follow(&mut self, block: Option<Block>) -> Option<char> {
        let key = block.map(|block| block.key);
        self.pressed = match self.pressed {
            Some((pressed, _)) if key == Some(pressed) => Some((pressed, 0)),
            Some((pressed, missed)) if missed + 1 < RELEASED => Some((pressed, missed + 1)),
            Some(_) | None => None,
        };
        let is_new = |block: &Block| self.pressed.is_none_or(|(pressed, _)| pressed != block.key);
        let block = block.filter(is_new);
        self.candidate = match (self.candidate, block) {
            (Some((before, blocks)), Some(block)) if before.goes_on_as(&block) => {
                Some((block, blocks + 1))
            }
            (_, Some(block)) => Some((block, 1)),
            (_, None) => None,
        };
        let (block, _) = self.candidate.filter(|(_, blocks)| *blocks >= PRESSED)?;
        self.candidate = None;
        self.pressed = Some((block.key, 0));
        Some(block.key)
    }
}

/// The strongest of four, where it stands out among them.
fn strongest(filters: &[Filter; 4], coefficients: [f32; 4]) -> Option<(usize, f32)> {
    let mut best = (0, 0.0_f32);
    let mut second = 0.0_f32;
    for (at, (filter, coefficient)) in filters.iter().zip(coefficients).enumerate() {
        let power = filter.power(coefficient);
        if power > best.1 {
            second = best.1;
            best = (at, power);
        } else if power > second {
            second = power;
        }
    }
    (best.1 > second * STANDS_OUT).then_some(best)
}

#[cfg(test)]
mod tests;
