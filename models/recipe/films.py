"""Training films: the rows of a label table that a shipped model may learn from, packed small, and read back.

    python films.py pack ../../../shared/data films --side 256 --quality 70
    python films.py pack ../../../shared/data few --side 256 --limit 200

A pack is two files: NAME.csv (the rows in order) and NAME.bin (JPEGs one after another). The column `bytes` tells their lengths,
`sha256` the digest of the file that each was made from: the model folder names by it what the model has seen.
"""
import argparse
import csv
import hashlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

# Folders whose licence lets a model trained on them be given away. A list of what may be used, not of what may not:
# a folder that somebody adds later is left out until somebody has read its licence.
SHIPPABLE = ("nih", "nih-more", "kermany")
LABELS = ("none", "opacity", "other")
FINDINGS_SOURCE = "ChestX-ray14"
FINDINGS = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia",
            "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax")
COLUMNS = ("file", "label", "source", "group", "view", "nih_labels", "google_airspace_opacity", "rsna_class")
MOST_BYTES = 60 * 1000 * 1000


def rows_of(table: Path) -> list[dict]:
    """Rows that may be trained on, with the columns of COLUMNS. Raises ValueError for a table that is not one of labels."""
    with open(table, newline="") as f:
        reader = csv.DictReader(f)
        missing = [name for name in COLUMNS[:6] if name not in (reader.fieldnames or [])]
        if missing:
            raise ValueError(f"{table}: no column {', '.join(missing)}")
        rows = [{name: row.get(name) or "" for name in COLUMNS} for row in reader if folder_of(row["file"]) in SHIPPABLE]
    for row in rows:
        if row["label"] not in LABELS:
            raise ValueError(f"{row['file']}: label {row['label']!r} is not one of {', '.join(LABELS)}")
        if row["label"] == "other" and row["source"] != FINDINGS_SOURCE:
            raise ValueError(f"{row['file']}: label other, but no findings to learn from it")
        if not row["group"]:
            raise ValueError(f"{row['file']}: no group, so its patient could be on both sides of the split")
    return rows


def folder_of(file: str) -> str:
    """`nih` of `radiographs/nih/Pneumonia/x.jpg`; empty for a path that is not of that form."""
    parts = Path(file).parts
    return parts[1] if len(parts) > 2 and parts[0] == "radiographs" else ""


def findings_of(row: dict) -> np.ndarray:
    """The 14 findings as 0/1, or NaN where the source does not tell them."""
    if row["source"] != FINDINGS_SOURCE:
        return np.full(len(FINDINGS), np.nan, np.float32)
    named = set(row["nih_labels"].split("|"))
    return np.array([finding in named for finding in FINDINGS], np.float32)


def some_of(rows: list[dict], limit: int) -> list[dict]:
    """About `limit` rows spread over the whole table, always the same ones: for trying things out."""
    return rows if limit <= 0 or limit >= len(rows) else [rows[i * len(rows) // limit] for i in range(limit)]


def pack(data: Path, name: Path, side: int, quality: int, limit: int = 0) -> dict[str, int]:
    """Writes NAME.csv and NAME.bin with every film squashed to side × side grey JPEG. Gives how many of which folder."""
    rows = some_of(rows_of(data / "radiographs.csv"), limit)
    with open(name.with_suffix(".bin"), "wb") as blob:
        for row in rows:
            original = (data / row["file"]).read_bytes()
            row["sha256"] = hashlib.sha256(original).hexdigest()
            with Image.open(io.BytesIO(original)) as image:
                film = image.convert("L").resize((side, side), Image.Resampling.LANCZOS)
            jpeg = io.BytesIO()
            film.save(jpeg, "JPEG", quality=quality)
            row["bytes"] = blob.write(jpeg.getvalue())
    with open(name.with_suffix(".csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, [*COLUMNS, "bytes", "sha256"])
        writer.writeheader()
        writer.writerows(rows)
    if (size := name.with_suffix(".bin").stat().st_size) > MOST_BYTES:
        name.with_suffix(".bin").unlink()
        raise ValueError(f"{name}.bin would have {size} bytes, more than {MOST_BYTES}: take a smaller --side or --quality")
    return dict(Counter(folder_of(row["file"]) for row in rows))


def load(name: Path, side: int) -> tuple[list[dict], np.ndarray]:
    """Rows and films of a pack: uint8 (n, side, side)."""
    rows = load_rows(name)
    films = np.empty((len(rows), side, side), np.uint8)
    with open(name.with_suffix(".bin"), "rb") as blob:
        for film, row in zip(films, rows):
            with Image.open(io.BytesIO(blob.read(int(row["bytes"])))) as image:
                film[:] = np.asarray(image if image.size == (side, side) else image.resize((side, side), Image.Resampling.BICUBIC))
    return rows, films


def load_rows(name: Path) -> list[dict]:
    with open(name.with_suffix(".csv"), newline="") as f:
        return list(csv.DictReader(f))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    command = commands.add_parser("pack")
    command.add_argument("data", type=Path, help="folder with radiographs.csv")
    command.add_argument("name", type=Path, help="the pack, without ending")
    command.add_argument("--side", type=int, default=256)
    command.add_argument("--quality", type=int, default=70)
    command.add_argument("--limit", type=int, default=0, help="only about so many films")
    a = parser.parse_args()
    counts = pack(a.data, a.name, a.side, a.quality, a.limit)
    print(f"{a.name}.bin: {sum(counts.values())} films {counts}, {a.name.with_suffix('.bin').stat().st_size} bytes")


if __name__ == "__main__":
    main()
