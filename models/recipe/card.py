"""The CARD.md that an export leaves: what the network is, and that nobody has measured it yet.

`npm run card -- --model FOLDER --data DATA --write` puts the whole card in its place, out of `log.json`, `export.json`, the figures
that it measures through the reader of the gateway, and what a person wrote into `card-notes.md`.
"""


def card(manifest: dict) -> str:
    return f"""# {manifest["name"]}

**Research use only. Not a medical device. AI output, not reviewed.**

**Not measured yet**: this folder comes from `models/recipe/export.py`, and no figure of it is known.

| | |
|---|---|
| Id | `{manifest["id"]}` |
| Version | {manifest["version"]} |
| Weights | sha256 `{manifest["weights"]["sha256"]}` |

{manifest["intendedUse"]}

`npm run card -- --model models/{manifest["id"]} --data ../shared/data --write` measures the model and writes this page anew.
"""
