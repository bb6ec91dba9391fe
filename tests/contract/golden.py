"""What every built-in text says with its example, written down in golden/ to be read by people.

`python -m tests.contract.golden` writes the files anew; look at what changed before it is committed.
"""

from pathlib import Path

from common.catalogue.examples import example_context
from common.catalogue.texts import builtin_texts
from common.contracts.vocabulary import NotificationType
from common.rendering.messages import render_notification, rendering_context
from common.rendering.template import render

FOLDER = Path(__file__).parent / "golden"
VALIDITY_SECONDS = 300.0


def rendered_texts() -> dict[str, str]:
    """Each file's name and its text; an e-mail has its subject first."""
    texts = {}
    for kind in NotificationType:
        builtin = builtin_texts(kind)
        if builtin is None:
            continue
        data = example_context(kind)
        texts[f"{kind}.whatsapp.txt"] = render_notification(
            kind, message=None, data=data, validity_seconds=VALIDITY_SECONDS
        )
        if builtin.email_subject is not None and builtin.email_text is not None:
            context = rendering_context(kind, data, VALIDITY_SECONDS)
            subject, text = (render(source, context) for source in (builtin.email_subject, builtin.email_text))
            texts[f"{kind}.email.txt"] = f"Subject: {subject}\n\n{text}"
    return texts


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    texts = rendered_texts()
    for stale in FOLDER.glob("*.txt"):
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    write()
