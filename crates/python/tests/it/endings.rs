//! What a reader learns of a script that fails.

use crate::{Bench, of};
use python::{Checked, Stream};

#[tokio::test]
async fn what_it_writes_comes_line_by_line() {
    let bench = Bench::new();
    let text = "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint(sys.argv[1:], __name__)\n\
                print(repr(sys.stdin.read()))\nprint('no end', end='')";
    let (lines, ended) = bench.run(text, &["--a", "b c"]).await;
    ended.unwrap();
    assert_eq!(of(&lines, Stream::Output), ["one", "['--a', 'b c'] __main__", "''", "no end"]);
    assert_eq!(of(&lines, Stream::Error), ["two"]);
}

#[tokio::test]
async fn a_failure_shows_the_error_and_the_line() {
    let bench = Bench::new();
    for (text, what, place, excerpt, why) in [
        (
            "import json\n\ndef read():\n    return json.loads('{')\n\nread()\n",
            "json.decoder.JSONDecodeError: Expecting property name",
            "script.py:4:12",
            "    return json.loads('{')",
            "raised in decoder.py, line ",
        ),
        (
            "x = {}\nprint(x['timestamp'])\n",
            "KeyError: 'timestamp'",
            "script.py:2:7",
            "print(x['timestamp'])",
            "",
        ),
        ("def f(:\n", "SyntaxError: invalid syntax", "script.py:1:7", "def f(:", ""),
        (
            "import sys\nsys.exit(3)\n",
            "the script ended with exit code 3",
            "script.py:2:1",
            "sys.exit(3)",
            "",
        ),
        ("raise SystemExit('no input')\n", "the script ended: no input", "script.py:1:1", "", ""),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('bad') from e\n",
            "ValueError: bad",
            "script.py:4:5",
            "    raise ValueError('bad') from e",
            "it followed from ZeroDivisionError: division by zero",
        ),
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named", "script.py:1:1", "", ""),
        ("import os\nos._exit(7)\n", "the script ended with exit code 7", "", "", ""),
        ("import os\nos.kill(os.getpid(), 11)\n", "the script was ended by signal 11", "", "", "a library"),
    ] {
        let (_, ended) = bench.run(text, &[]).await;
        let diagnosis = ended.unwrap_err().diagnosis();
        assert!(diagnosis.what.starts_with(what), "{text}\n{diagnosis}");
        let shown = diagnosis.to_string();
        assert!(shown.contains(place) && shown.contains(excerpt), "{text}\n{diagnosis}");
        assert!(diagnosis.why.unwrap_or_default().starts_with(why), "{text}\n{shown}");
    }
}

#[tokio::test]
async fn memory_has_a_limit() {
    let bench = Bench::with_memory(256 << 20);
    let (_, ended) =
        bench.run("x = bytearray(100 << 20)\nprint('fits')\ny = bytearray(400 << 20)\n", &[]).await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::LimitExceeded, "{error:?}");
    let shown = error.diagnosis().to_string();
    assert!(
        shown.contains("MemoryError") && shown.contains("256 MB") && shown.contains("script.py:3:"),
        "{shown}"
    );
}

#[tokio::test]
async fn mistakes_are_found_before_the_run() {
    let bench = Bench::new();
    bench.write("beside.py", "");
    let check = async |text: &str| {
        let checked = Checked {
            name: "s.py".to_owned(),
            text: text.to_owned(),
            folders: vec![bench.path().to_owned()],
        };
        let own = tempfile::tempdir().unwrap();
        let errors = bench.python.check(&[checked], &["faker".to_owned()], own.path()).await.unwrap();
        errors.iter().map(|error| error.to_string()).collect::<Vec<_>>()
    };
    for good in [
        "import os, json, xml.dom, pandas as pd, beside, faker\nfrom awsglue.utils import getResolvedOptions\n",
        "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nowhere\n",
        "",
    ] {
        assert_eq!(check(good).await, Vec::<String>::new(), "{good}");
    }
    for (bad, expected) in [
        ("x = (1,\n", "SyntaxError: '(' was never closed (s.py:1:5)"),
        ("import os\nimport nowhere.deep\n", "the module `nowhere.deep` is not there (s.py:2:8)"),
        ("def f():\n    from gone import x\n", "the module `gone` is not there (s.py:2:10)"),
        (
            "from awsglue.context import GlueContext\n",
            "`awsglue.context` is not there for Python-shell scripts (s.py:1:6)",
        ),
        ("x = '\0'", "source code"),
    ] {
        let found = check(bad).await;
        assert!(found.len() == 1 && found[0].contains(expected), "{bad}: {found:?}");
    }
}
