"""What one may type to find an emoji: names and keywords in Unicode's CLDR, of those that the page
offers.

    npm pack emojibase-data && tar xzf emojibase-data-*.tgz
    python tools/emoji_words.py package

Writes ``src/ui/conversation/emoji_words/{zh,en}.json``; run it again when ``emoji.ts`` has changed.
The data is Unicode's (Unicode License), in the form that emojibase (MIT) gives it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

_PLACE: Final = Path(__file__).resolve().parents[1] / "src/ui/conversation"
_LANGUAGES: Final = ("zh", "en")
_VARIATION: Final = "\ufe0f"


def offered() -> list[str]:
    """The emoji of ``emoji.ts``, each once."""
    source = (_PLACE / "emoji.ts").read_text("utf-8")
    shelves = re.findall(r"`([^`]+)`,\n  \)", source)
    return list(dict.fromkeys(one for shelf in shelves for one in shelf.split()))


def words_of(entry: dict[str, object]) -> str:
    """The name first, then the keywords that are not in it."""
    name = str(entry["label"]).lower()
    tags = entry.get("tags", [])
    assert isinstance(tags, list)
    more = [tag for tag in dict.fromkeys(str(one).lower() for one in tags) if tag not in name]
    return "|".join([name, *more])


def main(package: Path) -> None:
    """Write a file for each language."""
    emoji = offered()
    for language in _LANGUAGES:
        entries = json.loads((package / language / "compact.json").read_text("utf-8"))
        known = {one["unicode"].replace(_VARIATION, ""): words_of(one) for one in entries}
        words = {one: known[one.replace(_VARIATION, "")] for one in emoji}
        text = json.dumps(words, ensure_ascii=False, indent=0, separators=(",", ":"))
        (_PLACE / "emoji_words" / f"{language}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
