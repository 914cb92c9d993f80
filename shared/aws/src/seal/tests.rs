//! What KMS may answer, and what the seal makes of it.

use aws_sdk_kms::operation::{
    decrypt::DecryptOutput,
    generate_data_key::{GenerateDataKeyInput, GenerateDataKeyOutput},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/secrets";

/// Gives the data key of this number, wrapped as that number.
fn generates(number: u8) -> Rule {
    let asked_well = |input: &GenerateDataKeyInput| {
        let context = input.encryption_context().and_then(|context| context.get(STREAM));
        input.key_id() == Some(KEY)
            && input.key_spec() == Some(&DataKeySpec::Aes256)
            && context.is_some_and(|stream| stream == "stream")
    };
    mock!(Client::generate_data_key).match_requests(asked_well).then_output(move || {
        let output = GenerateDataKeyOutput::builder().ciphertext_blob(Blob::new([number]));
        output.plaintext(Blob::new([number; 32])).build()
    })
}

/// As KMS does it, but trusting as the emulator: whatever the context and the key, and also what
/// was altered.
fn unwraps() -> Rule {
    mock!(Client::decrypt).match_requests(|input| input.key_id() == Some(KEY)).then_compute_output(
        |input| {
            let wrapped = input.ciphertext_blob().unwrap().as_ref()[0];
            DecryptOutput::builder().plaintext(Blob::new([wrapped; 32])).build()
        },
    )
}

fn of(rules: &[&Rule]) -> KmsSeal {
    KmsSeal::new(mock_client!(aws_sdk_kms, RuleMode::MatchAny, rules), KEY)
}

async fn sealed(text: &str) -> Sealed {
    of(&[&generates(1)]).seal(&Secret::new(text), "stream").await.unwrap()
}

#[tokio::test]
async fn a_secret_is_opened_and_its_key_is_asked_for_once() {
    let sealed = sealed("Bearer secret").await;
    assert!(sealed.as_str().starts_with("kms1.AQ."));
    assert!(!sealed.as_str().contains("secret"));
    let unwraps = unwraps();
    let seal = of(&[&unwraps]);
    let open = || seal.open(&sealed, "stream");
    let all = futures_util::future::join_all((0..20).map(|_| open())).await;
    for opened in all {
        assert_eq!(opened.unwrap().expose(), "Bearer secret");
    }
    assert_eq!(open().await.unwrap().expose(), "Bearer secret");
    assert_eq!(unwraps.num_calls(), 1);
    assert!(!format!("{seal:?} {sealed:?}").contains("kms1"));
}

#[tokio::test]
async fn what_was_altered_or_moved_to_another_stream_is_refused_even_if_kms_lets_it_pass() {
    let sealed = sealed("Bearer secret").await;
    let seal = of(&[&unwraps()]);
    let text = sealed.as_str();
    let flipped = |at: usize| {
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    for altered in [flipped(5), flipped(8), flipped(30), flipped(text.len() - 4)] {
        let error = seal.open(&Sealed::new(&*altered), "stream").await.unwrap_err();
        assert!(matches!(error, SealError::Unusable(_)), "{altered}: {error:?}");
    }
    // Its data key unwrapped already, and not.
    assert!(seal.open(&sealed, "stream").await.is_ok());
    for seal in [seal, of(&[&unwraps()])] {
        let error = seal.open(&sealed, "another stream").await.unwrap_err();
        assert!(matches!(error, SealError::Unusable(_)), "{error:?}");
    }
    for text in ["", "Bearer secret", "kms1.", "kms1.AQ", "kms1.!.AQ", "kms1.AQ.!", "local1.AQ"] {
        let error = of(&[&unwraps()]).open(&Sealed::new(text), "stream").await.unwrap_err();
        assert!(matches!(error, SealError::Unusable(_)), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn what_an_operator_must_mend_is_told_from_what_passes_and_neither_is_kept() {
    let sealed = sealed("Bearer secret").await;
    for (status, code, unusable) in [
        (400, "InvalidCiphertextException", true),
        (400, "IncorrectKeyException", true),
        (400, "DisabledException", true),
        (400, "AccessDeniedException", true),
        (400, "LimitExceededException", false),
        (400, "ThrottlingException", false),
    ] {
        let body = Some(format!(r#"{{"__type":"{code}"}}"#));
        // As often as the SDK tries.
        let tries = if unusable { 1 } else { 3 };
        let rule = mock!(Client::decrypt).sequence().http_status(status, body).times(tries);
        let plaintext = || DecryptOutput::builder().plaintext(Blob::new([1; 32])).build();
        let seal = of(&[&rule.output(plaintext).build()]);
        match seal.open(&sealed, "stream").await.unwrap_err() {
            SealError::Unusable(_) => assert!(unusable, "{code}"),
            SealError::Unavailable(_) => assert!(!unusable, "{code}"),
        }
        assert!(seal.open(&sealed, "stream").await.is_ok(), "{code}");
    }
}

#[tokio::test]
async fn a_bounded_number_of_keys_is_kept() {
    let seal = of(&[]);
    for number in 0..KEPT + 10 {
        seal.place(&number.to_string());
    }
    assert_eq!(seal.kept.lock().unwrap().len(), KEPT);
}
