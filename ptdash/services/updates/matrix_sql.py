"""What the matrix asks the database: its rows, their tasks by customer, whom they concern, a month's figures."""

from datetime import date

from sqlalchemy import ARRAY, Date, Integer, ScalarSelect, and_, bindparam, func, or_, select, text
from sqlalchemy.sql.elements import BindParameter

from ptdash.models import Update, UpdateCheck

# The newest check of an update's present version, the one under way, the newest approval, and its tasks.
UPDATES = text("""
    WITH shown AS (
        SELECT u.* FROM updates u
        WHERE CASE WHEN CAST(:only AS integer[]) IS NOT NULL THEN u.id = ANY (:only)
              WHEN cardinality(CAST(:words AS text[])) > 0 THEN
                  fold(u.title || ' ' || u.version || ' ' || u.kb_number || ' ' || u.vendor)
                  LIKE ALL (SELECT '%' || w || '%' FROM unnest(CAST(:words AS text[])) w)
              ELSE (:current AND (u.state IN ('detected', 'in_test', 'deferred') OR u.released_on >= :month
                    OR (u.state = 'approved' AND NOT EXISTS (SELECT FROM rollout_tasks t WHERE t.update_id = u.id))
                    OR EXISTS (SELECT FROM rollout_tasks t WHERE t.update_id = u.id AND NOT t.followed
                               AND t.stopped_at IS NULL AND t.status IN ('planned', 'missed', 'failed'))
                    OR EXISTS (SELECT FROM update_approvals a WHERE a.update_id = u.id
                               AND (a.approved_at >= :month OR a.ended_at >= :month))))
                  OR EXISTS (SELECT FROM rollout_tasks t WHERE t.update_id = u.id AND t.window_month = :month)
              END
    ), tasks AS (
        SELECT t.update_id,
               count(*) FILTER (WHERE t.status IN ('planned', 'missed')) AS todo,
               count(*) FILTER (WHERE t.status IN ('installed', 'reboot_pending', 'verified')) AS done,
               count(*) FILTER (WHERE t.status IN ('failed', 'rolled_back')) AS failed
        FROM rollout_tasks t
        WHERE NOT t.followed AND t.stopped_at IS NULL AND t.update_id IN (SELECT id FROM shown)
        GROUP BY t.update_id
    ), checks AS (
        SELECT DISTINCT ON (c.update_id) c.update_id, c.result, c.finished_at, c.tester_id
        FROM update_checks c JOIN shown u ON u.id = c.update_id AND u.version = c.version
        WHERE c.result <> 'pending' ORDER BY c.update_id, c.n DESC
    ), approvals AS (
        SELECT DISTINCT ON (a.update_id) a.update_id, a.approved_at, a.approved_by_id, a.ended_at, a.ended_by_id
        FROM update_approvals a JOIN shown u ON u.id = a.update_id ORDER BY a.update_id, a.id DESC
    ), sections AS (
        SELECT DISTINCT ON (up.update_id) up.update_id, p.section
        FROM update_products up JOIN shown u ON u.id = up.update_id JOIN products p ON p.id = up.product_id
        WHERE p.section <> '' ORDER BY up.update_id, p.key
    )
    SELECT u.id, u.vendor, u.title, u.version, u.kb_number, u.severity, u.released_on, u.state, u.deferred_from,
           u.deferred_until, s.section, c.result, c.finished_at AS tested_at, c.tester_id, tester.name AS tester,
           running.id AS running, runner.name AS runner,
           a.approved_at, approver.name AS approver, a.ended_at, ender.name AS ender,
           coalesce(t.todo, 0) AS todo, coalesce(t.done, 0) AS done, coalesce(t.failed, 0) AS failed
    FROM shown u
    LEFT JOIN sections s ON s.update_id = u.id
    LEFT JOIN checks c ON c.update_id = u.id
    LEFT JOIN users tester ON tester.id = c.tester_id
    LEFT JOIN update_checks running ON running.update_id = u.id AND running.result = 'pending'
    LEFT JOIN users runner ON runner.id = running.tester_id
    LEFT JOIN approvals a ON a.update_id = u.id
    LEFT JOIN users approver ON approver.id = a.approved_by_id
    LEFT JOIN users ender ON ender.id = a.ended_by_id
    LEFT JOIN tasks t ON t.update_id = u.id
""").bindparams(bindparam("month", type_=Date()))

TASKS = text("""
    SELECT t.update_id, t.customer_id,
           count(*) FILTER (WHERE t.status IN ('planned', 'missed')) AS todo,
           count(*) FILTER (WHERE t.status IN ('installed', 'reboot_pending', 'verified')) AS done,
           count(*) FILTER (WHERE t.status IN ('failed', 'rolled_back')) AS failed,
           min(t.planned_on) FILTER (WHERE t.status = 'planned') AS next_day
    FROM rollout_tasks t
    WHERE t.update_id = ANY (:updates) AND NOT t.followed AND t.stopped_at IS NULL
    GROUP BY t.update_id, t.customer_id
""").bindparams(bindparam("updates", type_=ARRAY(Integer)))

# Customers of whom the same is to be said come together: thousands of cells say a few things.
TOGETHER = """
    SELECT update_id, todo, done, failed, next_day, array_agg(customer_id) AS customers
    FROM tasks GROUP BY update_id, todo, done, failed, next_day
"""
ALIKE = text("WITH tasks AS (" + TASKS.text + ")" + TOGETHER).bindparams(
    bindparam("updates", type_=ARRAY(Integer))
)

# Devices in running maintenance contracts that run a product of an update. Of approved ones only those that may
# get it and have no task: services/rollout/covering.py says the same of all. Whether a device runs a product in a
# contract is asked once, not for every update of the product.
WAITING = text("""
    WITH running AS MATERIALIZED (
        SELECT dp.product_id, dp.device_id, c.customer_id,
               dp.source = 'ours' OR p.offered_by_us OR EXISTS (
                   SELECT FROM software_agreements s WHERE s.contract_id = c.id AND fold(btrim(s.product)) = p.key
               ) AS may_get
        FROM products p
        JOIN device_products dp ON dp.product_id = p.id
        JOIN devices d ON d.id = dp.device_id AND (d.retired_on IS NULL OR d.retired_on > :today)
        JOIN contract_devices cd ON cd.device_id = dp.device_id AND cd.life @> CAST(:today AS date)
        JOIN contracts c ON c.id = cd.contract_id AND c.kind = 'maintenance' AND c.life @> CAST(:today AS date)
        WHERE p.id IN (SELECT product_id FROM update_products WHERE update_id = ANY (:updates || :approved))
    ), waiting AS (
        SELECT up.update_id, r.customer_id, r.device_id
        FROM update_products up JOIN running r ON r.product_id = up.product_id
        WHERE up.update_id = ANY (:updates)
        UNION
        SELECT up.update_id, r.customer_id, r.device_id
        FROM update_products up JOIN running r ON r.product_id = up.product_id AND r.may_get
        WHERE up.update_id = ANY (:approved) AND NOT EXISTS (
            SELECT FROM rollout_tasks t WHERE t.update_id = up.update_id AND t.device_id = r.device_id
                AND NOT t.followed AND t.stopped_at IS NULL)
    ), counted AS (
        SELECT update_id, customer_id, count(*) AS devices FROM waiting GROUP BY update_id, customer_id
    )
    SELECT update_id, devices, array_agg(customer_id) AS customers FROM counted GROUP BY update_id, devices
""").bindparams(
    bindparam("today", type_=Date()),
    bindparam("updates", type_=ARRAY(Integer)),
    bindparam("approved", type_=ARRAY(Integer)),
)

CUSTOMERS = text("""
    SELECT k.id, k.number, k.name, count(cd.id) AS devices
    FROM customers k
    LEFT JOIN contracts c ON c.customer_id = k.id AND c.kind = 'maintenance'
    LEFT JOIN contract_devices cd ON cd.contract_id = c.id AND cd.life @> CAST(:today AS date)
    WHERE k.id = ANY (:customers)
    GROUP BY k.id ORDER BY k.sort_key, k.number
""").bindparams(bindparam("today", type_=Date()), bindparam("customers", type_=ARRAY(Integer)))

MONTH = text("""
    SELECT count(*) FILTER (WHERE t.status IN ('installed', 'reboot_pending', 'verified')) AS done,
           count(*) FILTER (WHERE t.status = 'planned') AS planned,
           count(*) FILTER (WHERE t.status IN ('failed', 'rolled_back')) AS failed,
           count(*) AS total
    FROM rollout_tasks t
    WHERE t.window_month = :month AND t.stopped_at IS NULL AND t.status NOT IN ('not_applicable')
""").bindparams(bindparam("month", type_=Date()))


def to_approve(today: BindParameter[date]) -> ScalarSelect[int]:
    """How many updates wait for an approval on a day: tested and passed, no other check under way."""
    back = and_(Update.state == "deferred", Update.deferred_from == "in_test", Update.deferred_until <= today)
    newest = (
        select(UpdateCheck.result)
        .where(UpdateCheck.update_id == Update.id, UpdateCheck.version == Update.version)
        .order_by((UpdateCheck.result == "pending").desc(), UpdateCheck.n.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(func.count())
        .select_from(Update)
        .where(or_(Update.state == "in_test", back), newest == "passed")
        .scalar_subquery()
    )
