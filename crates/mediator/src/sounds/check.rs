//! What `mediator check` says of configured sounds.

use mediator_sound::length_of_file;

use super::{Place, folder};
use crate::config::MediaSettings;

/// The configured files that cannot be played, a line each. URLs are not asked: the machine that checks need not reach them.
pub fn unplayable(media: &MediaSettings) -> Vec<String> {
    let sounds = &media.sounds;
    let configured = [
        ("hold_music", &sounds.hold_music),
        ("confirmation_prompt", &sounds.confirmation_prompt),
        ("announcement", &sounds.announcement),
    ];
    let told = configured.into_iter().filter_map(|(key, place)| {
        let Some(Place::File(path)) = place else { return None };
        let found = folder::find(&media.folder, path).and_then(|found| folder::read(&found));
        let cause = match found {
            Ok(file) => length_of_file(file).err()?.to_string(),
            Err(cause) => cause.to_string(),
        };
        let (folder, path) = (media.folder.display(), path.display());
        Some(format!("media.{key}: {folder}/{path} cannot be played: {cause}; the built-in one is"))
    });
    told.collect()
}
