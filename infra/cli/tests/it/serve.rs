//! A transmitter as a process.

use crate::program::Running;

#[test]
fn it_says_where_it_listens_and_ends_when_asked() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let (serve, url) = Running::serve(data.path(), &[]);
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        serve.signal(signal);
        let (code, _) = serve.end();
        assert_eq!(code, Some(0));
    }
}
