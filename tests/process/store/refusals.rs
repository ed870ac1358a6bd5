//! Stores that must not be opened: one line that names what is wrong, exit 1, and nothing is touched.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use mediator_tests::server::Server;
use serde_json::json;

use crate::api::desk::Desk;
use crate::life::check_refusal;
use crate::scene::{REDIRECT, Scene};

fn url(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// A scene with a store that holds a binding and was closed in order; gives the folder too.
fn closed(name: &str) -> Result<(Scene, PathBuf)> {
    let scene = Scene::new(name)?;
    let folder = scene.stage.path("data");
    let config = scene.config().store(&url(&folder));
    let desk = Desk::on(scene, &config)?;
    desk.lasting(REDIRECT, &json!({}))?;
    let Desk { scene, server, .. } = desk;
    server.stop()?;
    Ok((scene, folder))
}

/// The database: the largest file of the folder.
fn database(folder: &Path) -> Result<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    files.pop().map(|(_, path)| path).context("the folder is empty")
}

/// Starts with that folder, which must be refused in words that have `words`.
fn refused(scene: &Scene, folder: &Path, words: &[&str]) -> Result<()> {
    let config = scene.config().store(&url(folder)).text();
    let (status, said) = Server::start_refused(&scene.stage, &config)?;
    let mut all = vec![folder.to_str().context("a path in UTF-8")?];
    all.extend(words);
    check_refusal(status, &said, &all)
}

/// Changes the database's bytes; the start must be refused and leave them as they are.
fn damaged(name: &str, words: &[&str], damage: impl Fn(&mut Vec<u8>)) -> Result<()> {
    let (scene, folder) = closed(name)?;
    let path = database(&folder)?;
    let mut bytes = fs::read(&path)?;
    damage(&mut bytes);
    fs::write(&path, &bytes)?;
    refused(&scene, &folder, words)?;
    ensure!(fs::read(&path)? == bytes, "{name}: the refused database was written to");
    Ok(())
}

#[test]
fn refuses_a_store_that_another_process_has() -> Result<()> {
    let scene = Scene::new("store_locked")?;
    let folder = scene.stage.path("data");
    let config = scene.config().store(&url(&folder));
    let desk = Desk::on(scene, &config)?;
    // The second one is at another address: only the folder is shared.
    let second = Scene::new("store_locked_out")?;
    refused(&second, &folder, &["process"])?;
    desk.server.stop()
}

#[test]
fn refuses_a_folder_that_cannot_be_written() -> Result<()> {
    let scene = Scene::new("store_unwritable")?;
    // No folder can be made there, by root neither.
    refused(&scene, Path::new("/proc/mediator-tests"), &[])?;
    let file = scene.stage.write("a-file", "no folder")?;
    refused(&scene, &file, &[])?;
    ensure!(fs::read_to_string(&file)? == "no folder");
    refused(&scene, &file.join("below"), &[])
}

#[test]
fn refuses_a_damaged_database() -> Result<()> {
    damaged("store_garbage", &["backup"], |bytes| bytes.fill(0xA5))?;
    damaged("store_header", &["backup"], |bytes| {
        bytes.splice(..16, *b"not a database!!").for_each(drop);
    })?;
    damaged("store_cut", &["backup"], |bytes| bytes.truncate(bytes.len() / 2))
}

#[test]
fn refuses_a_database_of_a_newer_version() -> Result<()> {
    // The user version of SQLite's header: bytes 60 to 63.
    damaged("store_newer", &["newer"], |bytes| {
        bytes.splice(60..64, 9999_u32.to_be_bytes()).for_each(drop);
    })
}

#[test]
fn refuses_a_database_whose_key_is_gone() -> Result<()> {
    let (scene, folder) = closed("store_no_key")?;
    let keys: Vec<PathBuf> = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "key"))
        .collect();
    let key = keys.first().context("no key in the folder")?;
    ensure!(fs::metadata(key)?.len() >= 32, "a short key");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(key)?);
    ensure!(mode.trailing_zeros() >= 6, "others can read the key: {mode:o}");
    fs::rename(key, scene.stage.path("key-elsewhere"))?;
    refused(&scene, &folder, &["key"])?;
    fs::rename(scene.stage.path("key-elsewhere"), key)?;
    let config = scene.config().store(&url(&folder));
    let desk = Desk::on(scene, &config)?;
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 1);
    desk.close()
}

#[test]
fn keeps_no_secret_in_clear_in_the_folder() -> Result<()> {
    let (scene, folder) = closed("store_sealed")?;
    let config = scene.config().store(&url(&folder)).core("username", "\"ops\"");
    let desk = Desk::on(scene, &config.core("password", "\"hush-core\""))?;
    let made = json!({
        "type": "mediator", "properties": { "login": "shop", "password": "hush-mediator" },
    });
    desk.core.post("/endpoints", &made)?.ok()?;
    let gateway = json!({ "type": "system_gateway", "out_sip_username": "u",
        "out_sip_password": "hush-out", "addresses": [{ "ip": "192.0.2.9",
        "sip_username": "a", "sip_password": "hush-address" }] });
    desk.core.post("/endpoints", &gateway)?.ok()?;
    let me = desk.core.get("/oauth/whoami")?.ok()?;
    let me = format!("/partners/{}", me["partner_sid"].as_str().unwrap_or_default());
    let secret =
        desk.core.get(&me)?.ok()?["callbacks_secret"].as_str().unwrap_or_default().to_owned();
    let Desk { scene: _scene, server, .. } = desk;
    drop(server);
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        // Sounds are kept in a folder of their own, which is empty here.
        if path.is_dir() {
            ensure!(fs::read_dir(&path)?.next().is_none(), "{} is not empty", path.display());
            continue;
        }
        let bytes = fs::read(&path)?;
        for wanted in ["hush-", &secret, "process-tests"] {
            let found = bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes());
            ensure!(!found, "{wanted} stands in {}", path.display());
        }
    }
    Ok(())
}
