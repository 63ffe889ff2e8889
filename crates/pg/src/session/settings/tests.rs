//! What is set, for how long, and what is refused.

use super::*;

#[test]
fn what_would_not_hold_is_refused() {
    let mut settings = Settings::new("1.0", "me");
    for (name, value, code) in [
        ("client_encoding", "latin1", Some("22023")),
        ("client_encoding", "utf-8", None),
        ("TimeZone", "Mars/Base", Some("22023")),
        ("TimeZone", "Europe/Berlin", None),
        ("transaction_isolation", "none", Some("22023")),
        ("default_transaction_isolation", "serializable", None),
        ("TimeZone", "UTC", None),
        ("datestyle", "German", Some("22023")),
        ("statement_timeout", "5s", None),
        ("statement_timeout", "soon", Some("22023")),
        ("statement_timeout", "100000000000d", Some("22023")),
        ("statement_timeout", "2147483648", Some("22023")),
        ("default_transaction_read_only", "perhaps", Some("22023")),
        ("server_version", "9", Some("55P02")),
        ("session_authorization", "boss", Some("55P02")),
        ("no_such", "1", Some("42704")),
        ("my.own", "1", None),
    ] {
        let set = settings.set(name, Some(value));
        assert_eq!(set.as_ref().err().map(|fault| fault.code), code, "{name}");
    }
    assert_eq!(settings.timeout(), Some(5000));
    assert_eq!(settings.get("MY.own"), Some("1"));
    settings.reset();
    assert_eq!((settings.get("my.own"), settings.timeout()), (None, None));
}

fn read_only(read_only: Option<bool>) -> Modes {
    Modes { read_only, isolation: None }
}

#[test]
fn a_block_keeps_its_level() {
    let mut settings = Settings::new("1.0", "me");
    settings.set("default_transaction_isolation", Some("serializable")).unwrap();
    assert_eq!(settings.get("transaction_isolation"), Some("serializable"));
    settings.begin_block(Modes { read_only: None, isolation: Some("repeatable read") });
    settings.reset();
    assert_eq!(settings.get("transaction_isolation"), Some("repeatable read"));
    assert_eq!(settings.modes(), Modes { read_only: Some(false), isolation: Some("repeatable read") });
    settings.end_block();
    assert_eq!(settings.get("transaction_isolation"), Some("read committed"));
}

#[test]
fn what_is_set_at_the_beginning_is_the_default() {
    let mut settings = Settings::new("1.0", "me");
    settings.set("timezone", Some("asia/tokyo")).unwrap();
    settings.settle();
    settings.set("timezone", Some("-3")).unwrap();
    assert_eq!((settings.get("TimeZone"), settings.zone()), (Some("<-03>+03"), Zone::Fixed(-10_800)));
    settings.set_local("timezone", Some("UTC")).unwrap();
    assert_eq!(settings.zone(), Zone::UTC);
    settings.end_block();
    settings.reset();
    assert_eq!(settings.get("TimeZone"), Some("Asia/Tokyo"));
    let copy = settings.clone();
    assert!(settings.is_shared_with(&copy));
    settings.set("jit", Some("on")).unwrap();
    assert!(!settings.is_shared_with(&copy) && copy.get("jit") == Some("off"));
}

#[test]
fn a_block_s_settings_end_with_it() {
    let mut settings = Settings::new("1.0", "me");
    assert!(!settings.is_read_only());
    settings.begin_block(read_only(Some(true)));
    settings.set_local("work_mem", Some("1GB")).unwrap();
    settings.set("lock_timeout", Some("5")).unwrap();
    assert!(settings.is_read_only());
    assert_eq!((settings.get("work_mem"), settings.get("transaction_read_only")), (Some("1GB"), Some("on")));
    settings.end_block();
    assert!(!settings.is_read_only());
    assert_eq!((settings.get("work_mem"), settings.get("lock_timeout")), (Some("4MB"), Some("5")));
    settings.set("default_transaction_read_only", Some("true")).unwrap();
    assert!(settings.is_read_only());
    settings.begin_block(read_only(Some(false)));
    assert!(!settings.is_read_only());
    settings.end_block();
    settings.begin_block(read_only(None));
    settings.reset();
    assert!(settings.is_read_only());
    settings.end_block();
    assert!(!settings.is_read_only());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut settings = Settings::new("1.0", "me");
    let long = "x".repeat(MAX_VALUE + 1);
    assert_eq!(settings.set("application_name", Some(&long)).unwrap_err().code, "53400");
    (0..MAX_NAMES).for_each(|n| settings.set(&format!("my.n{n}"), Some("1")).unwrap());
    assert_eq!(settings.set("my.more", Some("1")).unwrap_err().code, "53400");
    settings.set("my.n7", Some("2")).unwrap();
}

#[test]
fn options_of_the_startup_message() {
    let pairs = options(r" -c search_path=a,\ b  --work-mem=1GB -cjit=off ").unwrap();
    let shown: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(shown, ["search_path=a, b", "work_mem=1GB", "jit=off"]);
    for bad in ["-c", "-c x", "-E", "x=1"] {
        assert_eq!(options(bad).unwrap_err().code, "42601", "{bad}");
    }
}
