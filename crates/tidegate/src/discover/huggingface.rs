//! Where `huggingface_hub` and what is built on it get their models.

use tidegate_model::Secret;

use super::{Search, Source, SourceKind, Surroundings};

/// What asks the client for its own default: nothing of the environment or of a project steers it.
const QUESTION: &str = "import huggingface_hub.constants as c; print(c.ENDPOINT)";

/// Looks at the one variable that the client reads, then asks the client.
pub(crate) fn search(search: &mut Search<'_>) {
    let around = search.around;
    if let Some(value) = around.var("HF_ENDPOINT") {
        search.offer(value, Source::new(SourceKind::Environment, "HF_ENDPOINT"));
    }
    if !search.is_over() {
        ask(search);
    }
    search.main_credentials(token(around));
}

fn ask(search: &mut Search<'_>) {
    // Nothing is to be fetched or told in order to answer.
    let quiet = [("HF_HUB_OFFLINE", "1"), ("HF_HUB_DISABLE_TELEMETRY", "1")];
    for program in ["python3", "python"] {
        let Some(answer) = search.around.ask(program, &["-I", "-c", QUESTION], &quiet) else { continue };
        let place = format!("`{program} -I -c \"{QUESTION}\"`");
        search.offer(answer.trim(), Source::new(SourceKind::ClientDefault, place));
        return;
    }
    search.missed(
        "`HF_ENDPOINT` is not set, and no Python on `PATH` outside this project has `huggingface_hub`",
    );
}

/// The token that the client sends, from where it looks for one.
fn token(around: &Surroundings) -> Option<Secret<String>> {
    let set =
        ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].iter().find_map(|name| around.var(name)).map(str::to_owned);
    let kept = || {
        let home = || {
            Some(
                around
                    .file_from_var("XDG_CACHE_HOME")
                    .or_else(|| around.in_home(".cache"))?
                    .join("huggingface"),
            )
        };
        let folder = || around.file_from_var("HF_HOME").or_else(home).map(|folder| folder.join("token"));
        around.read(&around.file_from_var("HF_TOKEN_PATH").or_else(folder)?)
    };
    let token = set.or_else(kept)?.trim().to_owned();
    (!token.is_empty()).then(|| Secret::new(format!("Bearer {token}")))
}
