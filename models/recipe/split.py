"""Which groups train, which tune and which check. A group (patient, or near-duplicates) is never on both sides.

The part hangs on the group's name alone: it is the same for every seed, every subset and every later table, so that a
film that was once held out can never slip into training.
"""
import hashlib

SALT = "cxr-gateway recipe 1"
TUNE_PERCENT = 8
CHECK_PERCENT = 12


def part_of(group: str) -> str:
    """`train`; `tune`: calibration, operating point, choices; `check`: looked at to report, never to choose."""
    place = int.from_bytes(digest_of(group)[:8]) % 100
    if place < CHECK_PERCENT:
        return "check"
    return "tune" if place < CHECK_PERCENT + TUNE_PERCENT else "train"


def digest_of(group: str) -> bytes:
    return hashlib.sha256(f"{SALT}:{group}".encode()).digest()
