//! The encodings that may cross: names of IANA's RTP payload format registry and a few that every
//! softphone has, each with its clock rates and the `a=fmtp` parameters that its format defines.
//!
//! One row an encoding. Left out on purpose, with their formats: parameters that carry a string or
//! binary data of the sender's choice (`sprop-parameter-sets`, `config`, `emphasis`), since they could
//! carry a number, and so also the encodings that need one (`mpeg4-generic`, `MP4A-LATM`, `MP4V-ES`).

use super::MediaKind;
use super::codec::Encoding;
use super::fmtp::{Fmtp, Param, Shape};

const KHZ_8: &[u32] = &[8000];
const KHZ_16: &[u32] = &[16_000];
const KHZ_90: &[u32] = &[90_000];
const SPEECH: &[u32] = &[8000, 12_000, 16_000, 24_000, 32_000, 48_000];
const ANY_AUDIO: &[u32] = &[
    8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
];

const FLAG: Shape = Shape::Integer { min: 0, max: 1 };

const fn param(name: &'static str, shape: Shape) -> Param {
    Param { name, shape }
}

const fn integer(name: &'static str, max: u32) -> Param {
    Param { name, shape: Shape::Integer { min: 0, max } }
}

const fn flag(name: &'static str) -> Param {
    Param { name, shape: FLAG }
}

const YES_NO: Shape = Shape::OneOf(&["yes", "no"]);
const ON_OFF: Shape = Shape::OneOf(&["on", "off"]);

/// RFC 4867 §8.1.
const AMR: Fmtp = Fmtp::Params(&[
    flag("octet-align"),
    param("mode-set", Shape::Set { max: 8 }),
    param("mode-change-period", Shape::Integer { min: 1, max: 2 }),
    param("mode-change-capability", Shape::Integer { min: 1, max: 2 }),
    flag("mode-change-neighbor"),
    integer("max-red", 65_535),
    integer("channels", 6),
    flag("crc"),
    flag("robust-sorting"),
    integer("interleaving", 255),
]);

/// 3GPP TS 26.445 §A.3.
const EVS: Fmtp = Fmtp::Params(&[
    param("br", EVS_RATES),
    param("br-send", EVS_RATES),
    param("br-recv", EVS_RATES),
    param("bw", EVS_BANDS),
    param("bw-send", EVS_BANDS),
    param("bw-recv", EVS_BANDS),
    flag("evs-mode-switch"),
    flag("hf-only"),
    flag("dtx"),
    flag("dtx-recv"),
    integer("max-red", 65_535),
    integer("channels", 6),
    param("cmr", Shape::OneOf(&["-1", "0", "1"])),
    param("ch-aw-recv", Shape::OneOf(&["-1", "0", "2", "3", "5", "7"])),
    param("mode-set", Shape::Set { max: 8 }),
    param("mode-change-period", Shape::Integer { min: 1, max: 2 }),
    param("mode-change-capability", Shape::Integer { min: 1, max: 2 }),
    flag("mode-change-neighbor"),
]);
const EVS_RATES: Shape = Shape::Span(&[
    "5.9", "7.2", "8", "8.0", "9.6", "13.2", "16.4", "24.4", "32", "48", "64", "96", "128",
]);
const EVS_BANDS: Shape = Shape::Span(&["nb", "wb", "swb", "fb"]);

/// RFC 7587 §6.1.
const OPUS: Fmtp = Fmtp::Params(&[
    param("maxplaybackrate", Shape::Integer { min: 8000, max: 48_000 }),
    param("sprop-maxcapturerate", Shape::Integer { min: 8000, max: 48_000 }),
    param("maxaveragebitrate", Shape::Integer { min: 6000, max: 510_000 }),
    flag("stereo"),
    flag("sprop-stereo"),
    flag("cbr"),
    flag("useinbandfec"),
    flag("usedtx"),
    integer("minptime", 120),
    integer("ptime", 120),
    integer("maxptime", 120),
]);

const SILK: Fmtp = Fmtp::Params(&[
    flag("useinbandfec"),
    flag("usedtx"),
    param("maxaveragebitrate", Shape::Integer { min: 5000, max: 510_000 }),
]);

/// RFC 5574 §3.3.
const SPEEX: Fmtp = Fmtp::Params(&[
    param("vbr", Shape::OneOf(&["on", "off", "vad"])),
    param("cng", ON_OFF),
    param("mode", Shape::OneOf(&["any", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])),
    param("penh", FLAG),
]);

/// RFC 4788 §11, RFC 5188 §8.
const EVRC: Fmtp = Fmtp::Params(&[
    flag("silencesupp"),
    integer("dtxmax", 9999),
    integer("dtxmin", 9999),
    flag("hangover"),
    integer("maxinterleave", 255),
    integer("mode-set-recv", 7),
    integer("sendmode", 7),
]);

/// RFC 6184 §8.1, without the parameter sets.
const H264: Fmtp = Fmtp::Params(&[
    param("profile-level-id", Shape::Hex { digits: 6 }),
    param("packetization-mode", Shape::Integer { min: 0, max: 2 }),
    flag("level-asymmetry-allowed"),
    integer("max-mbps", 999_999),
    integer("max-smbps", 999_999),
    integer("max-fs", 999_999),
    integer("max-cpb", 999_999),
    integer("max-dpb", 999_999),
    integer("max-br", 999_999),
    integer("max-fps", 99_999),
    integer("max-rcmd-nalu-size", 999_999),
    flag("redundant-pic-cap"),
    flag("sar-understood"),
    integer("sprop-interleaving-depth", 32_767),
]);

/// RFC 7798 §7.1, without the parameter sets.
const H265: Fmtp = Fmtp::Params(&[
    integer("profile-space", 3),
    integer("profile-id", 31),
    flag("tier-flag"),
    integer("level-id", 255),
    param("tx-mode", Shape::OneOf(&["SRST", "MRST", "MRMT"])),
    integer("max-recv-level-id", 255),
    integer("max-lps", 999_999),
    integer("max-br", 999_999),
    integer("max-fps", 99_999),
]);

/// RFC 4629 §8.1.
const H263: Fmtp = Fmtp::Params(&[
    integer("SQCIF", 32),
    integer("QCIF", 32),
    integer("CIF", 32),
    integer("CIF4", 32),
    integer("CIF16", 32),
    integer("MaxBR", 99_999),
    integer("profile", 10),
    integer("level", 100),
    flag("F"),
    flag("I"),
    flag("J"),
    flag("T"),
    param("K", Shape::Integer { min: 1, max: 4 }),
    param("N", Shape::Integer { min: 1, max: 4 }),
]);

/// RFC 7741 §6.1, RFC 9628 §7.
const VP: Fmtp =
    Fmtp::Params(&[integer("max-fr", 999), integer("max-fs", 999_999), integer("profile-id", 3)]);

/// The AV1 RTP payload format, §7.2.
const AV1: Fmtp =
    Fmtp::Params(&[integer("profile", 2), integer("level-idx", 31), integer("tier", 1)]);

const G729: Fmtp = Fmtp::Params(&[param("annexb", YES_NO)]);
const G723: Fmtp =
    Fmtp::Params(&[param("annexa", YES_NO), param("bitrate", Shape::OneOf(&["5.3", "6.3"]))]);
const ILBC: Fmtp = Fmtp::Params(&[param("mode", Shape::OneOf(&["20", "30"]))]);
const G7221: Fmtp =
    Fmtp::Params(&[param("bitrate", Shape::OneOf(&["16000", "24000", "32000", "48000"]))]);
const G7291: Fmtp = Fmtp::Params(&[
    integer("maxbitrate", 32_000),
    flag("dtx"),
    param("mbs", Shape::Integer { min: 8000, max: 32_000 }),
]);
const G711_1: Fmtp = Fmtp::Params(&[param("mode-set", Shape::Set { max: 4 })]);
const RTX: Fmtp = Fmtp::Params(&[param("apt", Shape::Format), integer("rtx-time", 99_999)]);

const fn audio(name: &'static str, rates: &'static [u32], fmtp: Fmtp) -> Encoding {
    Encoding { name, kind: MediaKind::Audio, rates, fmtp }
}

const fn video(name: &'static str, fmtp: Fmtp) -> Encoding {
    Encoding { name, kind: MediaKind::Video, rates: KHZ_90, fmtp }
}

/// Every encoding that may cross; the commonest first, since the table is searched in order.
pub(super) static ENCODINGS: [Encoding; 72] = [
    audio("PCMU", &[8000, 16_000], Fmtp::None),
    audio("PCMA", &[8000, 16_000], Fmtp::None),
    audio("telephone-event", ANY_AUDIO, Fmtp::Events),
    audio("opus", &[48_000], OPUS),
    // RFC 3551 §4.5.2 fixes 8000 by an old error; some peers write the true rate.
    audio("G722", &[8000, 16_000], Fmtp::None),
    audio("G729", KHZ_8, G729),
    audio("AMR", KHZ_8, AMR),
    audio("AMR-WB", KHZ_16, AMR),
    audio("EVS", KHZ_16, EVS),
    audio("GSM", KHZ_8, Fmtp::None),
    audio("iLBC", KHZ_8, ILBC),
    audio("speex", SPEECH, SPEEX),
    audio("CN", SPEECH, Fmtp::None),
    audio("red", ANY_AUDIO, Fmtp::Redundant),
    audio("L16", ANY_AUDIO, Fmtp::None),
    audio("AAL2-G726-16", KHZ_8, Fmtp::None),
    audio("AAL2-G726-24", KHZ_8, Fmtp::None),
    audio("AAL2-G726-32", KHZ_8, Fmtp::None),
    audio("AAL2-G726-40", KHZ_8, Fmtp::None),
    audio("BV16", KHZ_8, Fmtp::None),
    audio("BV32", KHZ_16, Fmtp::None),
    audio("clearmode", KHZ_8, Fmtp::None),
    audio("DVI4", &[8000, 11_025, 16_000, 22_050], Fmtp::None),
    audio("EVRC", KHZ_8, EVRC),
    audio("EVRC0", KHZ_8, EVRC),
    audio("EVRC1", KHZ_8, EVRC),
    audio("EVRCB", KHZ_8, EVRC),
    audio("EVRCB0", KHZ_8, EVRC),
    audio("EVRCB1", KHZ_8, EVRC),
    audio("EVRCNW", KHZ_16, EVRC),
    audio("EVRCNW0", KHZ_16, EVRC),
    audio("EVRCNW1", KHZ_16, EVRC),
    audio("EVRCWB", KHZ_16, EVRC),
    audio("EVRCWB0", KHZ_16, EVRC),
    audio("EVRCWB1", KHZ_16, EVRC),
    audio("G719", &[48_000], Fmtp::None),
    audio("G7221", &[16_000, 32_000], G7221),
    audio("G723", KHZ_8, G723),
    audio("G726-16", KHZ_8, Fmtp::None),
    audio("G726-24", KHZ_8, Fmtp::None),
    audio("G726-32", KHZ_8, Fmtp::None),
    audio("G726-40", KHZ_8, Fmtp::None),
    audio("G728", KHZ_8, Fmtp::None),
    audio("G7291", KHZ_16, G7291),
    audio("G729D", KHZ_8, Fmtp::None),
    audio("G729E", KHZ_8, Fmtp::None),
    audio("GSM-EFR", KHZ_8, Fmtp::None),
    audio("GSM-HR-08", KHZ_8, Fmtp::None),
    audio("iSAC", &[16_000, 32_000], Fmtp::None),
    audio("L8", ANY_AUDIO, Fmtp::None),
    audio("L24", ANY_AUDIO, Fmtp::None),
    audio("LPC", KHZ_8, Fmtp::None),
    audio("MPA", KHZ_90, Fmtp::None),
    audio("PCMA-WB", KHZ_16, G711_1),
    audio("PCMU-WB", KHZ_16, G711_1),
    audio("QCELP", KHZ_8, Fmtp::None),
    audio("SILK", SPEECH, SILK),
    audio("SMV", KHZ_8, EVRC),
    audio("tone", KHZ_8, Fmtp::None),
    audio("VDVI", ANY_AUDIO, Fmtp::None),
    video("H264", H264),
    video("VP8", VP),
    video("VP9", VP),
    video("AV1", AV1),
    video("H265", H265),
    video("H263-1998", H263),
    video("H263-2000", H263),
    video("H263", H263),
    video("rtx", RTX),
    video("red", Fmtp::Redundant),
    video("ulpfec", Fmtp::None),
    video("H261", Fmtp::Params(&[integer("QCIF", 4), integer("CIF", 4)])),
];

/// A payload type that RFC 3551 §6 assigns, so that it needs no `a=rtpmap`.
pub(super) struct Static {
    pub(super) payload_type: u8,
    pub(super) name: &'static str,
    pub(super) clock_rate: u32,
    pub(super) channels: u8,
}

const fn assigned(payload_type: u8, name: &'static str, clock_rate: u32, channels: u8) -> Static {
    Static { payload_type, name, clock_rate, channels }
}

/// RFC 3551 tables 4 and 5. JPEG, `CelB`, nv, MPV and MP2T are no encodings of calls.
pub(super) static STATIC: [Static; 21] = [
    assigned(0, "PCMU", 8000, 1),
    assigned(3, "GSM", 8000, 1),
    assigned(4, "G723", 8000, 1),
    assigned(5, "DVI4", 8000, 1),
    assigned(6, "DVI4", 16_000, 1),
    assigned(7, "LPC", 8000, 1),
    assigned(8, "PCMA", 8000, 1),
    assigned(9, "G722", 8000, 1),
    assigned(10, "L16", 44_100, 2),
    assigned(11, "L16", 44_100, 1),
    assigned(12, "QCELP", 8000, 1),
    assigned(13, "CN", 8000, 1),
    assigned(14, "MPA", 90_000, 1),
    assigned(15, "G728", 8000, 1),
    assigned(16, "DVI4", 11_025, 1),
    assigned(17, "DVI4", 22_050, 1),
    assigned(18, "G729", 8000, 1),
    // What Cisco's older gateways still use for comfort noise.
    assigned(19, "CN", 8000, 1),
    assigned(31, "H261", 90_000, 1),
    assigned(34, "H263", 90_000, 1),
    // RFC 1890's G.721, which RFC 3551 reserved; gateways still mean G.726 at 32 kbit/s.
    assigned(2, "G726-32", 8000, 1),
];
