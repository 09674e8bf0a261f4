"""Updates, customers and tasks for the matrix, made by the database itself."""

from sqlalchemy import text

from ptdash.db import db

# Every device runs one product with updates and three without; a product is spread over all customers.
HOUSE = """
INSERT INTO settings VALUES ('company.name', 'Bench'), ('company.federal_state', 'NW');
INSERT INTO users (email, name, role) VALUES ('m@pt.example', 'Miriam Vogt', 'manager');
INSERT INTO users (email, name, role)
    SELECT 't' || n || '@pt.example', 'Technik ' || n, 'technician' FROM generate_series(1, 6) n;
INSERT INTO customers (number, name, sort_key, street, postal_code, city)
    SELECT (10000 + n)::text, chr(65 + n % 26) || chr(97 + n / 26) || 'rnold ' || n || ' GmbH',
           lpad(n::text, 6, '0'), 's', '48143', 'Münster'
    FROM generate_series(1, {customers}) n;
INSERT INTO customer_books SELECT id FROM customers;
INSERT INTO contracts (number, customer_id, kind, monthly_fee, starts_on, term_months, notice_months,
                       renewal_months)
    SELECT 'WV-' || id, id, 'maintenance', 49, '2024-01-01', 12, 1, 12 FROM customers;
INSERT INTO products (name, vendor, section, offered_by_us)
    SELECT 'Produkt ' || n, 'Hersteller ' || n % 5, 'Abschnitt ' || n % 4, true FROM generate_series(1, 60) n;
INSERT INTO devices (inventory_number, customer_id, type, name, purchased_from_us)
    SELECT 'D-' || n, 1 + n % {customers}, 'desktop', 'Platz ' || n, true FROM generate_series(0, {devices} - 1) n;
INSERT INTO contract_devices (contract_id, device_id, included_from, monthly_fee)
    SELECT customer_id, id, '2024-01-01', 9.90 FROM devices;
INSERT INTO device_products (device_id, product, product_id, source)
    SELECT d.id, p.name, p.id, 'ours' FROM devices d JOIN products p
        ON p.id = 1 + (d.id / {customers} + d.id) % 20 OR p.id IN (21 + d.id % 10, 31 + d.id % 10, 41 + d.id % 10);
"""

UPDATES = """
INSERT INTO updates (vendor, title, version, kb_number, severity, released_on, state, created_at)
    SELECT 'Hersteller ' || n % 5, 'Kumulatives Update ' || n, '1.' || n, 'KB5' || lpad(n::text, 6, '0'),
           (ARRAY['critical', 'important', 'important', 'moderate'])[1 + n % 4], CURRENT_DATE - n % 20,
           CASE WHEN n > {updates} * 4 / 5 THEN 'in_test' ELSE 'approved' END, now() - interval '30 days'
    FROM generate_series(1, {updates}) n;
INSERT INTO update_products SELECT id, 1 + id % 20 FROM updates;
INSERT INTO update_checks (update_id, n, version, tested_on, tester_id, started_at, finished_at, result)
    SELECT id, 1, version, 'PT-TEST-01', 2, created_at, created_at + interval '1 hour', 'passed' FROM updates;
INSERT INTO update_approvals (update_id, check_id, approved_at, approved_by_id, four_eyes)
    SELECT u.id, c.id, c.finished_at + interval '1 hour', 1, true
    FROM updates u JOIN update_checks c ON c.update_id = u.id WHERE u.state = 'approved';
INSERT INTO maintenance_windows
    SELECT month, ARRAY[month + 14, month + 15, month + 16, month + 17, month + 18], '07:00', '15:00', '[]'::jsonb,
           now()
    FROM (SELECT date_trunc('month', now())::date AS month) AS this;
INSERT INTO rollout_tasks (update_id, approval_id, device_id, contract_id, customer_id, window_month, planned_on,
                           technician_id, status, reason, installed_at, installed_by_id, verified_at, created_at,
                           changed_at)
SELECT update_id, approval_id, device_id, contract_id, customer_id, month, month + 14 + (device_id % 5),
       2 + device_id % 6, status, CASE WHEN status IN ('failed', 'missed') THEN 'Fehler' ELSE '' END,
       CASE WHEN status IN ('installed', 'verified') THEN now() END,
       CASE WHEN status IN ('installed', 'verified') THEN 2 END, CASE WHEN status = 'verified' THEN now() END,
       now(), now()
FROM (SELECT a.update_id, a.id AS approval_id, d.id AS device_id, cd.contract_id, d.customer_id,
             date_trunc('month', now())::date AS month,
             (ARRAY['verified', 'verified', 'verified', 'verified', 'installed', 'planned', 'planned', 'missed',
                    'verified', 'verified', 'verified', 'verified', 'verified', 'planned', 'failed'])
             [1 + (a.update_id * 7 + d.id * 3) % 15] AS status
      FROM update_approvals a
      JOIN update_products up ON up.update_id = a.update_id
      JOIN device_products dp ON dp.product_id = up.product_id
      JOIN devices d ON d.id = dp.device_id
      JOIN contract_devices cd ON cd.device_id = d.id) AS made;
"""


def fill(updates: int, customers: int, devices: int) -> int:
    """A house with so many of each; how many tasks there are."""
    values = {"updates": updates, "customers": customers, "devices": devices}
    with db.engine.begin() as connection:
        # The triggers are not what is measured.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for template in (HOUSE, UPDATES):
            connection.exec_driver_sql(template.format(**values).replace("%", "%%"))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        return int(connection.execute(text("SELECT count(*) FROM rollout_tasks")).scalar_one())
