use serde_json::{Value, json};

use super::*;
use crate::report::tests::{busy, full};

fn parsed(snapshot: &Snapshot) -> Value {
    serde_json::from_str(&document(snapshot).to_string()).unwrap()
}

#[test]
fn the_document_has_everything() {
    let settings = json!({
        "jobs": 12, "min_jobs": 1, "per_process_limit": 0, "load_average": null,
        "load_recheck_timeout": 0.5, "min_memory_avail": null, "job_memory": 0,
        "max_cpu_pressure": null, "max_memory_pressure": null, "max_io_pressure": null,
    });
    let effective = json!({
        "jobs": 4, "min_jobs": 1, "per_process_limit": 2, "load_average": 13.2,
        "load_recheck_timeout": 0.5, "min_memory_avail": 2048, "job_memory": 1536,
        "max_cpu_pressure": 30, "max_memory_pressure": 10, "max_io_pressure": 20,
    });
    let load = json!({"reason": "load_average", "seen": 14.25, "expected": 15, "limit": 13.2});
    let expected = json!({
        "version": 1,
        "uptime": 3600,
        "settings": settings,
        "effective": effective,
        "tokens": {"available": 1, "held": 2, "reserved": 1},
        "readings": {
            "load_average": 14.25, "load_average_expected": 15,
            "memory_available": 3000, "memory_available_expected": -72,
            "cpu_pressure": 30.5, "memory_pressure": 0, "io_pressure": null,
        },
        "stops": [
            load,
            {"reason": "memory", "seen": 3000, "expected": -72, "limit": 2048},
            {"reason": "cpu_pressure", "seen": 30.5, "limit": 30},
        ],
        "builds": [
            {"build": 0, "origin": "session", "pid": 221600, "weight": 1, "limit": null,
             "tokens": 3, "clients": 1},
            {"build": 1, "origin": "root", "pid": 194260, "weight": 3, "limit": 4,
             "tokens": 1, "clients": 1},
            {"build": 2, "origin": "unknown", "pid": null, "weight": 1, "limit": null,
             "tokens": 0, "clients": 1},
        ],
        "clients": [
            {"pid": 221613, "file": null, "uid": 1000, "command": "make -j all", "build": 0,
             "tokens": [
                {"byte": 43, "age": 0.0084036},
                {"byte": 44, "age": 0.0536742},
                {"byte": 45, "age": 0.163137},
             ],
             "reserved": false, "waiting": null, "missed": null, "refused": null},
            {"pid": 194264, "file": null, "uid": 1000, "command": "make -C gcc", "build": 1,
             "tokens": [], "reserved": false, "waiting": 1.5, "missed": null,
             "refused": {"reason": "no_tokens_left"}},
            {"pid": null, "file": u64::MAX, "uid": null, "command": "", "build": 2,
             "tokens": [], "reserved": true, "waiting": null, "missed": 61,
             "refused": {"reason": "io_pressure"}},
        ],
        "leases": [{"pid": null, "file": u64::MAX, "jobs": 4, "min_memory_avail": 2048}],
        "totals": {
            "grants": 1_u64 << 40, "reclaims": 5,
            "refusals": {
                "no_tokens_left": 1, "per_process_limit": 2, "build_limit": 3, "load_average": 4,
                "memory": 5, "cpu_pressure": 6, "memory_pressure": 7, "io_pressure": 8,
            },
            "wakeups": 9, "lapsed": 10,
        },
    });
    // Numbers compare as they are written: 15 is not 15.0, and neither is wrong.
    assert_eq!(parsed(&full()), expected);
}

#[test]
fn settings_have_the_names_of_their_options() {
    for (name, setting) in SETTINGS.into_iter().zip(Setting::ALL) {
        assert_eq!(name, setting.name().replace('-', "_"));
    }
}

/// A reader can rely on every name being there, whatever happens in the pool.
#[test]
fn the_names_do_not_depend_on_the_moment() {
    let names = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let (busy, full) = (parsed(&busy()), parsed(&full()));
    assert_eq!(names(&busy), names(&full));
    for part in ["settings", "effective", "tokens", "readings", "totals"] {
        assert_eq!(names(&busy[part]), names(&full[part]), "{part}");
    }
    for part in ["builds", "clients"] {
        for value in full[part].as_array().unwrap() {
            assert_eq!(names(value), names(&busy[part][0]), "{part}");
        }
    }
}

/// Every name in `value`, at any depth.
fn all_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                names.push(name.clone());
                all_names(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_names(item, names)),
        _ => {}
    }
}

#[test]
fn the_manual_page_has_every_name() {
    let page = include_str!("../../man/stevie.1");
    let (_, section) = page.split_once(".Sh THE STATUS AS JSON\n").unwrap();
    let (section, _) = section.split_once("\n.Sh ").unwrap();
    let words: Vec<_> = section.split_ascii_whitespace().collect();
    let mut names = Refusal::ALL
        .map(|refusal| refusal.name().to_string())
        .to_vec();
    all_names(&parsed(&full()), &mut names);
    for name in names {
        assert!(words.contains(&name.as_str()), "{name} is not in the page");
    }
}
