"""Text files as programs write them: UTF-8, or the encoding that their byte-order mark names."""

from __future__ import annotations

import codecs
from pathlib import Path

from pinnlab.errors import UserError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # before UTF-16, whose mark these begin with
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The byte-order marks that editors, spreadsheets and shells put before a text, with the encodings they stand for."""


def read_text(path: Path) -> str:
    """The text of a file, in UTF-8 or in the encoding that its byte-order mark names.

    Raises:
        UserError: if there is no such file, it is a folder, or its bytes are no text in that encoding.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: give a file in it") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line}: a byte that is no {encoding.removesuffix('-sig').upper()}; "
            "save the file again as UTF-8"
        ) from None
