//! Events and statistics as plain objects.

use e2ee::app::App;
use e2ee::group::{Alarm, Event, Statistics};
use e2ee::identity::{Leaf, MemberId};
use e2ee::profile::Profile;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a new plain object does not fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn epoch(epoch: u64) -> JsValue {
    JsValue::from_f64(epoch as f64)
}

/// An event as the worker reads it.
pub(crate) fn to_js(event: &Event) -> JsValue {
    let kind = |kind: &str| ("type", JsValue::from_str(kind));
    let member = |member: &MemberId| ("member", bytes(member.as_bytes()));
    match event {
        Event::Entered { member: own } => object(&[kind("entered"), member(own)]),
        Event::Epoch {
            epoch: number,
            base_key,
            leaf,
            members,
        } => object(&[
            kind("epoch"),
            ("epoch", epoch(*number)),
            ("baseKey", bytes(base_key.as_bytes())),
            ("leaf", leaf.number().into()),
            ("members", members_to_js(members)),
        ]),
        Event::Send { epoch: number } => object(&[kind("send"), ("epoch", epoch(*number))]),
        Event::Stop => object(&[kind("stop")]),
        Event::Forget { epoch: number } => object(&[kind("forget"), ("epoch", epoch(*number))]),
        Event::ForgetLeaf { leaf, before } => object(&[
            kind("forget_leaf"),
            ("leaf", leaf.number().into()),
            ("before", epoch(*before)),
        ]),
        Event::Profile { profile, is_owner } => profile_to_js(profile, *is_owner),
        Event::Gone { member: gone, kicked } => {
            object(&[kind("gone"), member(gone), ("kicked", (*kicked).into())])
        }
        Event::Said { member: sender, app } => {
            object(&[kind("said"), member(sender), ("said", app_to_js(app))])
        }
        Event::Link { fragment, gate } => object(&[
            kind("link"),
            ("fragment", JsValue::from_str(fragment)),
            ("gate", bytes(gate.as_bytes())),
            ("gateHash", bytes(&gate.hash())),
        ]),
        Event::Locked { locked } => object(&[kind("locked"), ("locked", (*locked).into())]),
        Event::Removed => object(&[kind("removed")]),
        Event::NotAdmitted { reason } => object(&[
            kind("not_admitted"),
            ("reason", JsValue::from_str(reason.as_str())),
        ]),
        Event::OwnerSignature { bytes: signed } => {
            object(&[kind("owner_signature"), ("bytes", bytes(signed))])
        }
        Event::Alarm(alarm) => object(&[
            kind("alarm"),
            ("alarm", JsValue::from_str(alarm.as_str())),
            (
                "member",
                match alarm {
                    Alarm::Silent(member) | Alarm::Heard(member) => bytes(member.as_bytes()),
                    _ => JsValue::NULL,
                },
            ),
        ]),
    }
}

fn members_to_js(members: &[(Leaf, MemberId)]) -> JsValue {
    let list: Array = members
        .iter()
        .map(|(leaf, member)| {
            object(&[
                ("leaf", leaf.number().into()),
                ("member", bytes(member.as_bytes())),
            ])
        })
        .collect();
    list.into()
}

fn profile_to_js(profile: &Profile, is_owner: bool) -> JsValue {
    let tracks: Array = profile
        .tracks
        .iter()
        .map(|(number, kind)| object(&[("number", number.number().into()), ("kind", kind.code().into())]))
        .collect();
    object(&[
        ("type", JsValue::from_str("profile")),
        ("member", bytes(profile.member.as_bytes())),
        ("seat", profile.seat.into()),
        ("name", JsValue::from_str(&profile.name)),
        ("microphoneOn", profile.microphone_on.into()),
        ("cameraOn", profile.camera_on.into()),
        ("tracks", tracks.into()),
        ("isOwner", is_owner.into()),
    ])
}

fn app_to_js(app: &App) -> JsValue {
    match app {
        App::Chat(text) => object(&[("kind", "chat".into()), ("text", JsValue::from_str(text))]),
        App::Reaction(text) => object(&[("kind", "reaction".into()), ("text", JsValue::from_str(text))]),
        App::Hand { raised } => object(&[("kind", "hand".into()), ("raised", (*raised).into())]),
        // These are the member's own business.
        App::Presence | App::Profile(_) | App::Roster { .. } | App::Ask { .. } => JsValue::NULL,
    }
}

/// All counters by word.
pub(crate) fn statistics(statistics: &Statistics) -> JsValue {
    let number = |count: u64| JsValue::from_f64(count as f64);
    let object = Object::new();
    let put = |name: &str, count: u64| {
        // Setting a field of a new plain object does not fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &number(count));
    };
    put("merged", statistics.merged);
    put("beaten", statistics.beaten);
    put("resyncs", statistics.resyncs);
    put("unexpected", statistics.unexpected);
    put("unopened", statistics.unopened);
    put("bad_profiles", statistics.bad_profiles);
    for (reason, count) in statistics.refusals() {
        put(&format!("refused_{}", reason.as_str()), count);
    }
    for (word, count) in statistics.alarms() {
        put(&format!("alarm_{word}"), count);
    }
    object.into()
}
