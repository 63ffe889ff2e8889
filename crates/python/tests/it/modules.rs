//! What scripts may import: getResolvedOptions, folders, wheels on top of an environment.

use crate::{Bench, of};
use python::{Module, Script, Stream};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn resolved_options() {
    let bench = Bench::new();
    let text = "import sys\nfrom awsglue.utils import getResolvedOptions, GlueArgumentError\n\
                print(getResolvedOptions(sys.argv, ['input_loc', 'n']))\n\
                try:\n    getResolvedOptions(sys.argv, ['absent'])\nexcept GlueArgumentError as e:\n    print(e)\n";
    let arguments = ["--n=-1=2", "--other", "--input_loc", "s3://in/", "--last"];
    let (lines, ended) = bench.run(text, &arguments).await;
    ended.unwrap();
    assert_eq!(
        of(&lines, Stream::Output),
        ["{'input_loc': 's3://in/', 'n': '-1=2'}", "the argument --absent is required"]
    );
}

/// A wheel with one module, made without any tool: a zip archive whose parts are stored as they are.
fn wheel(name: &str, text: &str) -> Vec<u8> {
    let info = format!("{name}-1.0.dist-info");
    let files = [
        (format!("{name}.py"), text.to_owned()),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n".into(),
        ),
        (
            format!("{info}/RECORD"),
            format!("{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"),
        ),
    ];
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, body) in &files {
        let at = u32::try_from(archive.len()).unwrap();
        let (sum, size) = (crc32(body.as_bytes()), u32::try_from(body.len()).unwrap());
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0];
        for number in [sum, size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(u16::try_from(path.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(path.as_bytes());
        archive.extend(body.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let (at, size) = (u32::try_from(archive.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0\x04\0\x04\0");
    archive.extend(size.to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[tokio::test]
async fn wheels_and_folders_on_top() {
    let mut bench = Bench::new();
    let file = bench.write("sums-1.0-py3-none-any.whl", wheel("sums", "def two():\n    return 2\n"));
    bench.write("lib/beside.py", "word = 'beside'\n");
    let (lines, mut coming) = tokio::sync::mpsc::channel(16);
    let stop = CancellationToken::new();
    let base = bench.environment.clone();
    let modules = [Module::WheelAlone(file.clone())];
    let more = bench.python.extended(&base, &modules, &[], &stop, &lines).await.unwrap();
    assert_eq!(coming.recv().await.unwrap().text, "installing sums-1.0-py3-none-any.whl");
    // The same modules are the same environment, which is not made again.
    assert_eq!(bench.python.extended(&base, &modules, &[], &stop, &lines).await.unwrap(), more);
    assert!(coming.try_recv().is_err());
    let broken = [Module::WheelAlone(bench.write("broken-1.0-py3-none-any.whl", "no archive"))];
    let error = bench.python.extended(&base, &broken, &[], &stop, &lines).await.unwrap_err();
    assert!(error.diagnosis().to_string().contains("broken-1.0"), "{error:?}");

    bench.environment = more;
    let script = Script {
        file: bench.write("script.py", "import sums, beside\nprint(sums.two(), beside.word)\n"),
        folder: bench.path().to_owned(),
        modules: vec![bench.path().join("lib")],
        ..Script::default()
    };
    let (lines, ended) = bench.run_script(&script, &stop).await;
    ended.unwrap();
    assert_eq!(of(&lines, Stream::Output), ["2 beside"]);
}
