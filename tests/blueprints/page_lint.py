"""What every HTML answer must keep, whatever page it is."""

from bs4 import BeautifulSoup, Tag

NOT_ENTERED = {"hidden", "submit", "button", "reset", "image"}
REFERRING = ("for", "aria-labelledby", "aria-describedby", "popovertarget")


def problems(html: str, *, whole: bool) -> list[str]:
    """Every breach in a page, or in a fragment (`whole` False), as sentences."""
    soup = BeautifulSoup(html, "html.parser")
    ids = [str(tag["id"]) for tag in soup.find_all(id=True)]
    found = [f"id {name} stands {ids.count(name)} times" for name in sorted(set(ids)) if ids.count(name) > 1]
    for tag in soup.find_all(True):
        found += _forbidden(tag)
        if whole:
            found += _lost_references(tag, set(ids))
    found += [
        f"not labelled: {tag}" for tag in soup.find_all(["input", "select", "textarea"]) if not _named(tag, soup)
    ]
    found += [f"no CSRF token: {form.get('action')}" for form in soup.find_all("form") if not _protected(form)]
    if whole:
        found += _document(soup)
    return found


def _forbidden(tag: Tag) -> list[str]:
    """The content security policy would ignore them; the page must not count on them."""
    found = [f"{name} on {tag.name}" for name in tag.attrs if name == "style" or name.startswith("on")]
    if tag.name == "style" or (tag.name == "script" and not tag.get("src")):
        found.append(f"inline {tag.name}")
    return found


def _lost_references(tag: Tag, ids: set[str]) -> list[str]:
    if tag.name == "use" and str(tag.get("href", "")).removeprefix("#") not in ids:
        return [f"no symbol {tag.get('href')}"]
    return [
        f"{name} of {tag.name} names {target}, which is not there"
        for name in REFERRING
        for target in str(tag.get(name) or "").split()
        if target not in ids
    ]


def _named(tag: Tag, soup: BeautifulSoup) -> bool:
    if tag.get("type") in NOT_ENTERED or tag.get("aria-label") or tag.get("aria-labelledby"):
        return True
    return bool(tag.find_parent("label")) or bool(tag.get("id") and soup.find("label", attrs={"for": tag["id"]}))


def _protected(form: Tag) -> bool:
    return str(form.get("method", "get")).lower() != "post" or bool(
        form.find("input", attrs={"name": "csrf_token"})
    )


def _document(soup: BeautifulSoup) -> list[str]:
    found = []
    if not soup.title or not soup.title.get_text(strip=True).removesuffix("– ptdash").strip():
        found.append("no title")
    if len(soup.find_all("h1")) != 1:
        found.append(f"{len(soup.find_all('h1'))} h1")
    if not soup.html or soup.html.get("lang") not in ("de", "en"):
        found.append("no language")
    return found
