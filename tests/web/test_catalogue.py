"""Every text on screen has a German translation."""

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
GERMAN = ROOT / "ptdash/translations/de/LC_MESSAGES/messages.po"
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd%]")


def marked() -> set[str | tuple[str, ...]]:
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(ROOT / "ptdash", methods_from(methods), options_from(options))
    return {text for _, _, text, _, _ in found}


def methods_from(methods):  # type: ignore[no-untyped-def]
    """The mapping names paths from the project's root; here the search begins inside it."""
    return [(pattern.removeprefix("ptdash/"), method) for pattern, method in methods]


def options_from(options):  # type: ignore[no-untyped-def]
    return {pattern.removeprefix("ptdash/"): values for pattern, values in options.items()}


def german() -> Catalog:
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de")


def test_the_search_finds_pages_forms_and_refusals() -> None:
    texts = marked()
    assert "Overview" in texts
    assert "Enter your password" in texts
    assert "Your role does not allow this." in texts
    assert "It stands on the next invoice." in texts, "inside an f-string"
    assert ("One entry does not fit yet", "%(num)s entries do not fit yet") in texts


def test_every_text_has_a_german_one() -> None:
    catalog = german()
    missing = []
    for text in marked():
        message = catalog.get(text[0] if isinstance(text, tuple) else text)
        strings = (
            message.string if message and isinstance(message.string, tuple) else (message and message.string,)
        )
        if message is None or message.fuzzy or not all(strings):
            missing.append(text)
    assert not missing, "run `make messages` and translate ptdash/translations/de"


def test_no_translation_is_left_over() -> None:
    texts = {text[0] if isinstance(text, tuple) else text for text in marked()}
    kept = {message.id[0] if isinstance(message.id, tuple) else message.id for message in german() if message.id}
    assert not kept - texts


def test_translations_keep_the_names_of_the_facts() -> None:
    for message in german():
        if not message.id:
            continue
        wanted = names(message.id[-1] if isinstance(message.id, tuple) else message.id)
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            assert names(string) <= wanted, string


def names(text: str) -> set[str]:
    return {name for name in PLACEHOLDER.findall(text) if name}


def test_the_catalog_can_be_compiled(tmp_path: Path) -> None:
    with (tmp_path / "messages.mo").open("wb") as file:
        write_mo(file, german())
    with (tmp_path / "messages.mo").open("rb") as file:
        assert read_mo(file).get("Overview").string == "Übersicht"
