"""The commands as an operator runs them: real processes on a home of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ptdash.cli import main
from tests.conftest import DATA
from tests.homes import temporary_home

Run = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


def environment(home: Path, more: dict[str, str]) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    return env | {"PTDASH_HOME": str(home), "PTDASH_TODAY": "2026-10-05"} | more


def process(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess:
    """`ptdash …` as a process of its own."""
    command = [sys.executable, "-m", "ptdash.cli", *arguments]
    env = environment(home, more)
    return subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=120)


def here(home: Path, *arguments: str, stdin: str = "", **more: str) -> Outcome:
    """The same entry point without the second that a process needs to load everything."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "environ", environment(home, more))
        patched.setattr(sys, "argv", ["ptdash", *arguments])
        patched.setattr(sys, "stdin", StringIO(stdin))
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
            sys.exit(0)
    return Outcome(ended.value.code or 0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def own_database(database_url: str) -> str:
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE commands"))
    return engine.url.set(database="commands").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def ptdash(tmp_path_factory: pytest.TempPathFactory, own_database: str) -> Run:
    """`ptdash …` on an empty database of its own, which the first command migrates."""
    home = tmp_path_factory.mktemp("home")
    return lambda *arguments, **more: here(home, *arguments, **({"DATABASE_URL": own_database} | more))


@pytest.fixture(scope="module")
def september(tmp_path_factory: pytest.TempPathFactory, own_database: str) -> dict:
    """The sample imported and 2026-09 closed, each by a process."""
    home = tmp_path_factory.mktemp("home")
    imported = process(home, "import", str(DATA / "sample"), "--json", DATABASE_URL=own_database)
    assert imported.returncode == 0, imported.stdout + imported.stderr
    closed = process(home, "close", "2026-09", "--json", DATABASE_URL=own_database)
    assert closed.returncode == 0, closed.stderr
    return json.loads(closed.stdout)


def test_the_sample_month_closes_to_the_cent(september: dict):
    expected = json.loads((DATA / "expected-2026-09.json").read_text(encoding="utf-8"))
    assert september["settlements"] == expected["settlements"]
    assert september["totals"] == expected["totals"]
    invoices = []
    for invoice in september["invoices"]:
        by_kind: dict[str, int] = {}
        for line in invoice["lines"]:
            by_kind[line["kind"]] = by_kind.get(line["kind"], 0) + line["net_cents"]
        invoices.append({k: invoice[k] for k in ("customer", "net_cents", "vat_cents", "gross_cents")})
        invoices[-1]["by_kind"] = by_kind
    assert invoices == expected["invoices"]


def test_importing_again_changes_nothing(ptdash: Run, september: dict):
    again = json.loads(ptdash("import", str(DATA / "sample"), "--json").stdout)
    assert again["ok"]
    assert set(again["created"].values()) == set(again["updated"].values()) == {0}


def test_an_import_computes_the_deadlines_of_what_it_brought(own_database: str, september: dict):
    with create_engine(own_database).connect() as connection:
        unknown = "SELECT count(*) FILTER (WHERE NOT deadline_known), count(*) FROM tickets"
        assert connection.execute(text(unknown)).one() == (0, 149)


def test_closing_again_answers_with_what_was_posted(ptdash: Run, september: dict):
    again = ptdash("close", "2026-09", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, september)
    assert json.loads(ptdash("settlements", "2026-09", "--json").stdout) == september


def test_a_month_that_is_not_over_is_refused_with_its_whole_document(ptdash: Run, september: dict):
    refused = ptdash("close", "2026-10", "--json")
    document = json.loads(refused.stdout)
    assert refused.returncode == 1
    assert [(b["code"], b["subject"]) for b in document["blockers"]] == [("month_not_over", "2026-10")]
    assert (document["state"], len(document["invoices"])) == ("open", 23)


def test_invoices_are_written_as_files(ptdash: Run, september: dict, tmp_path: Path):
    done = ptdash("export", "2026-09", "--format", "json", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "out").iterdir())
    assert [file.stem for file in files] == [f"RE-2026-{n:05d}" for n in range(1, 25)]
    first = json.loads(files[0].read_text(encoding="utf-8"))
    assert (first["buyer"]["name"], first["issued_on"], first["due_on"]) == (
        ("Bäckerei Große", "2026-10-05", "2026-10-19")
    )


def test_the_books_are_clean(ptdash: Run, september: dict):
    checked = ptdash("check", "--json")
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["ok"]) == (0, True)
    assert {check["name"] for check in report["checks"]} >= {
        "minutes_conserved",
        "settlement_sums",
        "invoice_numbers",
        "invoice_sums",
        "nothing_unapproved_installed",
        "only_accepted_devices_in_contracts",
        "contract_ends",
        "audit_chain",
        "documents_match",
    }


def test_renewals_and_window(ptdash: Run, september: dict):
    rows = {row["contract"]: row for row in json.loads(ptdash("renewals", "--on", "2026-10-12", "--json").stdout)}
    assert len(rows) == 41
    assert (rows["SV-1001"]["term_ends_on"], rows["SV-1001"]["notice_deadline"]) == ("2026-11-30", "2026-10-31")
    assert (rows["SV-1008"]["state"], rows["SV-1008"]["ends_on"]) == ("ended", "2026-09-30")
    window = json.loads(ptdash("window", "2026-12", "--json").stdout)
    assert window["days"] == ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24"]
    assert [left["day"] for left in window["left_out"]] == ["2026-12-25"]


def test_answers_in_words_name_what_a_person_looks_for(ptdash: Run, september: dict):
    assert "RE-2026-00001" in ptdash("settlements", "2026-09").stdout
    assert "SV-1001" in ptdash("renewals").stdout
    assert "minutes_conserved" in ptdash("check").stdout
    assert "2026-12-21" in ptdash("window", "2026-12").stdout
    assert "company.iban = DE02120300000000202051" in ptdash("settings", "get").stdout


def test_a_wrong_import_says_everything_and_writes_nothing(ptdash: Run, september: dict, tmp_path: Path):
    (tmp_path / "customers.csv").write_text(
        "number;name;country\n20001;Neu;Deutschland\n;Ohne;DE\n", encoding="utf-8"
    )
    refused = ptdash("import", str(tmp_path), "--json")
    answer = json.loads(refused.stdout)
    assert (refused.returncode, answer["ok"]) == (1, False)
    assert {(e["file"], e["row"], e["field"]) for e in answer["errors"]} == {
        ("customers.csv", 2, "country"),
        ("customers.csv", 3, "number"),
    }
    assert json.loads(ptdash("import", str(tmp_path), "--dry-run", "--json").stdout)["errors"] == answer["errors"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("close", "2026-13"),
        ("close", "September"),
        ("renewals", "--on", "31.12.2026"),
        ("export", "2026-09", "--format", "pdf", "--out", "x"),
        ("unknown",),
        ("user", "add", "a@pt.example", "--name", "A", "--role", "boss"),
        ("worker",),
        ("import",),
        ("close", "2026-10", "--unknown"),
        ("close", "9999-12"),
        ("close", "0001-01", "--preview", "--json"),
        ("settlements", "1899-12"),
        ("window", "2201-01"),
        ("renewals", "--on", "9999-12-31"),
        ("export", "0001", "--format", "json", "--out", "x"),
        ("check", "2026-09"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(ptdash: Run, arguments: tuple[str, ...]):
    wrong = ptdash(*arguments)
    assert wrong.returncode == 2
    assert "Error:" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_every_command_explains_itself(ptdash: Run):
    listed = ptdash("--help").stdout
    for command in (
        "import",
        "close",
        "settlements",
        "export",
        "renewals",
        "window",
        "check",
        "backup",
        "restore",
    ):
        told = ptdash(command, "--help")
        assert command in listed
        assert (told.returncode, "Usage: ptdash" in told.stdout) == (0, True)


def test_a_directory_that_cannot_be_written_is_one_sentence(ptdash: Run):
    refused = ptdash("export", "2026-09", "--format", "json", "--out", "/proc/no/where")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == ["Error: /proc/no cannot be used: No such file or directory."]


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    refused = here(tmp_path / "file" / "home", "check")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "unforeseen" not in refused.stderr


def test_an_import_of_what_is_no_directory_is_an_error_with_the_whole_answer(ptdash: Run, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for missing in (tmp_path / "nowhere", tmp_path / "file", tmp_path):
        refused = ptdash("import", str(missing), "--json")
        answer = json.loads(refused.stdout)
        assert (refused.returncode, answer["ok"], len(answer["errors"])) == (1, False, 1)
        assert {"ok", "dry_run", "created", "unchanged", "updated", "errors"} <= set(answer)


def test_a_wrong_day_in_the_environment_is_wrong_usage(ptdash: Run):
    assert ptdash("check", PTDASH_TODAY="gestern").returncode == 2


def test_a_database_that_does_not_answer_is_one_sentence(ptdash: Run):
    away = ptdash("check", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert away.returncode == 1
    assert "database does not answer" in away.stderr
    assert "Traceback" not in away.stderr


def test_people_are_added_get_passwords_and_lose_access(ptdash: Run):
    added = ptdash(
        "user", "add", "neu@pt.example", "--name", "Neu", "--role", "manager", stdin="ein langes Kennwort\n"
    )
    assert added.returncode == 0, added.stderr
    assert ptdash("user", "password", "neu@pt.example", stdin="noch ein langes\n").returncode == 0
    assert ptdash("user", "disable", "neu@pt.example").returncode == 0
    twice = ptdash(
        "user", "add", "neu@pt.example", "--name", "Neu", "--role", "manager", stdin="ein langes Kennwort\n"
    )
    unknown = ptdash("user", "disable", "niemand@pt.example")
    assert (twice.returncode, unknown.returncode) == (1, 1)


def test_settings_say_what_they_accept(ptdash: Run):
    assert ptdash("settings", "set", "company.payment_days", "30").returncode == 0
    assert ptdash("settings", "get", "company.payment_days").stdout == "30\n"
    wrong = ptdash("settings", "set", "company.iban", "DE00 1203 0000 0000 2020 51")
    assert (wrong.returncode, "check digits" in wrong.stderr) == (1, True)
    assert ptdash("settings", "get", "company.unknown").returncode == 1


def test_a_command_starts_the_database_for_itself_and_keeps_what_it_wrote():
    with temporary_home() as home:
        home.mkdir(mode=0o711)
        assert process(home, "settings", "set", "company.city", "Münster").returncode == 0
        assert process(home, "settings", "get", "company.city").stdout == "Münster\n"
