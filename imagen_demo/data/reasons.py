"""Why a file is not used, and what was done to one that is: each reason once, with its sentences."""

from __future__ import annotations

from typing import Any

DROPPED: dict[str, str] = {  # for one file, in its line of the manifest
    "not_a_picture": "The file is not a picture of a known kind, such as JPEG, PNG or WebP.",
    "empty": "The file is empty.",
    "damaged": "The file ends early or is damaged.",
    "unreadable": "The file cannot be read.",
    "too_large": "The picture has {megapixels} million pixels; at most {limit} million are read.",
    "too_small": "The picture has only {width} x {height} pixels.",
    "exact_duplicate": "The picture is the same as {twin}.",
    "file_too_large": "The file is larger than {limit} MB.",
    "unsafe_path": "The name leads out of the archive.",
    "link": "The file is a link, not a picture.",
    "special": "The entry is not a plain file.",
    "nested_archive": "The file is an archive inside an archive.",
    "encrypted": "The entry is protected by a password.",
    "bad_archive": "{problem}",
    "archive_damaged": "The archive is damaged from here on; what came before was read.",
}
IGNORED: dict[str, str] = {
    "hidden": "A hidden or system file.",
    "metadata": "Read for labels and captions.",
}
GROUPS: dict[str, str] = {  # for all files with one reason, in the report
    "not_a_picture": "{count} left out: not a picture of a known kind, for example {example}.",
    "empty": "{count} left out: the file is empty, for example {example}.",
    "damaged": "{count} left out: the file ends early or is damaged, for example {example}.",
    "unreadable": "{count} left out: the file cannot be read, for example {example}.",
    "too_large": "{count} left out: too many pixels, for example {example}.",
    "too_small": "{count} left out: too small, for example {example}.",
    "exact_duplicate": "{count} left out: the same as another picture, for example {example}.",
    "file_too_large": "{count} left out: the file is too large, for example {example}.",
    "unsafe_path": "{count} left out: the name leads out of the archive, for example {example}.",
    "link": "{count} left out: a link instead of a picture, for example {example}.",
    "special": "{count} left out: not a plain file, for example {example}.",
    "nested_archive": "{count} left out: an archive inside an archive, for example {example}.",
    "encrypted": "{count} left out: protected by a password, for example {example}.",
    "bad_archive": "{count} left out: an archive that cannot be used, for example {example}.",
    "archive_damaged": "{count} read only in part: a damaged archive, for example {example}.",
}
NOTES: dict[str, str] = {  # what was done to pictures that are used
    "animated": "{count} with several frames: the first one is used, for example {example}.",
    "wrong_extension": "{count} of another kind than the name says: read anyway, for example {example}.",
    "rotated": "{count} turned upright as the camera noted, for example {example}.",
    "deep": "{count} with more than 8 bits per channel: scaled down to 8, for example {example}.",
    "cmyk": "{count} converted from printing colours (CMYK), for example {example}.",
    "colour_profile": "{count} converted from a colour profile to sRGB, for example {example}.",
    "enlarged": "{count} enlarged: smaller than the chosen resolution, for example {example}.",
    "near_duplicate": "{count} kept: almost like another picture, for example {example}.",
}


def sentence(code: str, values: dict[str, Any]) -> str:
    """Why one file was not used, in English."""
    return {**DROPPED, **IGNORED}[code].format(**values)
