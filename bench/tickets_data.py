"""Tickets by the million, made by the database itself."""

from sqlalchemy import text

from ptdash.db import db

HOUSE = """
INSERT INTO settings VALUES ('company.name', 'Bench'), ('company.federal_state', 'NW');
INSERT INTO prices VALUES ('overage_minute', '2024-01-01', 1.5), ('separate_minute', '2024-01-01', 1.5);
INSERT INTO users (email, name, role) VALUES ('d@pt.example', 'Jana Petersen', 'dispatcher');
INSERT INTO users (email, name, role)
    SELECT 't' || n || '@pt.example', 'Technik ' || n, 'technician' FROM generate_series(1, 12) n;
INSERT INTO customers (number, name, sort_key, street, postal_code, city)
    SELECT (10000 + n)::text, 'Kunde ' || n || ' GmbH', 'kunde ' || lpad(n::text, 6, '0'), 's', '48143', 'Münster'
    FROM generate_series(1, {customers}) n;
INSERT INTO customer_books SELECT id FROM customers;
INSERT INTO contacts (customer_id, name, phone) SELECT id, 'Person ' || id, '0251 ' || id FROM customers;
INSERT INTO contracts (number, customer_id, kind, package, starts_on, term_months, notice_months, renewal_months)
    SELECT 'SV-' || id, id, 'support', (ARRAY['S', 'M', 'L'])[1 + id % 3], '2024-01-01', 6, 1, 6
    FROM customers WHERE id % 8 <> 0;
INSERT INTO minute_alerts (contract_id, month, level, customer_id, used_minutes, included_minutes, crossed_at)
    SELECT id, date_trunc('month', now())::date, 80, customer_id, 9, 10, now() FROM contracts WHERE id % 7 = 0;
"""

TICKETS = """
INSERT INTO tickets (number, customer_id, contact_id, channel, category, concern, product, subject, body, status,
                     priority, created_at, updated_at, assignee_id, responded_at, resolved_at, response_due_at,
                     resolution_due_at, due_at, deadline_known)
SELECT (100000 + n)::text, customer, customer, (ARRAY['phone', 'email', 'portal'])[1 + n % 3],
       (ARRAY['software', 'hardware'])[1 + n % 2], (ARRAY['question', 'defect', 'swap', NULL])[1 + n % 4],
       (ARRAY['Outlook', 'Windows 11', 'VPN', 'Lexware', 'DATEV', 'Brother', 'Teams', 'NAS'])[1 + r % 8],
       (ARRAY['Drucker druckt leere Seiten', 'Kein Zugriff auf den Dateiserver', 'Postfach voll', 'VPN bricht ab',
              'Neuer Arbeitsplatz', 'Bildschirm flackert', 'Etikettendrucker Halle 2', 'Sicherung mit Warnungen',
              'Telefon rauscht', 'Kennwort vergessen', 'Berechtigung fehlt', 'Anmeldung dauert'])[1 + r % 12]
           || ', Platz ' || r % 97,
       'Seit heute Morgen, an allen Plätzen.', status,
       (ARRAY['normal', 'normal', 'normal', 'low', 'high', 'urgent'])[1 + r % 6],
       created, created + interval '1 hour', CASE WHEN status <> 'new' THEN 2 + r % 12 END,
       CASE WHEN status NOT IN ('new', 'open') THEN created + interval '20 minutes' END,
       CASE WHEN NOT opened THEN created + interval '5 hours' END, created + interval '4 hours',
       created + interval '3 days', CASE WHEN opened AND status <> 'waiting_customer' THEN due END, true
FROM (SELECT n, opened, 1 + n % {customers} AS customer, (n::bigint * 7919 % 100003)::int AS r,
             now() + make_interval(mins => (n::bigint * 104729 % 14400)::int - 1500) AS due,
             CASE WHEN opened THEN now() - make_interval(mins => (n::bigint * 31 % 20000)::int)
                  ELSE now() - make_interval(mins => 20000 + ({tickets} - n) * 3) END AS created,
             CASE WHEN NOT opened THEN CASE WHEN n % 50 = 0 THEN 'resolved' ELSE 'closed' END
                  ELSE (ARRAY['in_progress', 'in_progress', 'in_progress', 'new', 'open', 'scheduled',
                              'waiting_customer', 'waiting_vendor'])[1 + n % 8] END AS status
      FROM (SELECT n, n > {tickets} - {opened} AS opened FROM generate_series(1, {tickets}) n) AS numbers) AS made;
"""

AROUND = """
INSERT INTO ticket_messages (ticket_id, kind, channel, author_id, sender, body, at)
    SELECT id, kind, 'email', 2, 'Person', 'Wir melden uns.', created_at + interval '15 minutes'
    FROM tickets CROSS JOIN (VALUES ('inbound'), ('reply'), ('note'), ('reply')) AS kinds (kind)
    WHERE id > {tickets} - {opened} OR (id % 10 = 0 AND kind = 'reply');
INSERT INTO time_entries (ticket_id, customer_id, technician_id, started_at, ended_at, treatment, note, posting_n)
    SELECT id, customer_id, 2 + id % 12, created_at, created_at + interval '7 minutes', 'package', 'n', 1
    FROM tickets WHERE id % 4 = 0;
INSERT INTO audit_events (at, action, subject, subject_id, actor_id, after)
    SELECT created_at, 'create', 'ticket', number, 2, '{{"subject": "x"}}'::jsonb FROM tickets;
SELECT setval('ticket_numbers', 100000 + {tickets});
"""

# The texts above have fifty words. A house of that size has many more, which a misspelt one is compared with: so
# many invented ones stand beside them.
WORDS = """
INSERT INTO search_words (word) SELECT DISTINCT found.word
    FROM (SELECT search FROM tickets UNION ALL SELECT search FROM customers) AS texts,
         words_of(search) AS found (word);
INSERT INTO search_words (word) SELECT DISTINCT replace(string_agg(
    substr('bcdfghklmnprstwz', 1 + (hashint4(n * 31 + k) & 15), 1)
        || substr('aeiouaeie', 1 + (hashint4(n * 17 + k + 1000000) & 2147483647) % 9, 1)
        || substr('nrstl     ', 1 + (hashint4(n * 13 + k + 5000000) & 2147483647) % 10, 1), '' ORDER BY k),
    ' ', '')
    FROM generate_series(1, {words}) n, generate_series(1, 4) k WHERE k <= 2 + n % 3 GROUP BY n;
"""


def fill(tickets: int, opened: int) -> None:
    """A house with so many tickets; its indexes are built after the rows, which is many times faster."""
    values = {"tickets": tickets, "opened": opened, "customers": max(30, min(5000, tickets // 200))}
    values["words"] = int(50 * tickets**0.5)
    with db.engine.begin() as connection:
        # The stamp and the locks of the triggers are not what is measured.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        connection.exec_driver_sql(_sql(HOUSE, values))
        rebuilt = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tickets' AND indexname LIKE 'ix_%'"
        )
        indexes = connection.execute(text(rebuilt)).all()
        for name, _ in indexes:
            connection.execute(text(f"DROP INDEX {name}"))
        connection.exec_driver_sql(_sql(TICKETS, values))
        for _, definition in indexes:
            connection.exec_driver_sql(definition)
        connection.exec_driver_sql(_sql(AROUND, values))
        connection.exec_driver_sql(_sql(WORDS, values))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _sql(template: str, values: dict[str, int]) -> str:
    return template.format(**values).replace("%", "%%")
