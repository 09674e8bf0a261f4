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
    )
    SELECT u.id, u.vendor, u.title, u.version, u.kb_number, u.severity, u.released_on, u.state, u.deferred_from,
           u.deferred_until,
           (SELECT p.section FROM update_products up JOIN products p ON p.id = up.product_id
            WHERE up.update_id = u.id AND p.section <> '' ORDER BY p.key LIMIT 1) AS section,
           c.result, c.finished_at AS tested_at, c.tester_id, tester.name AS tester,
           running.id AS running, runner.name AS runner,
           a.approved_at, approver.name AS approver, a.ended_at, ender.name AS ender,
           coalesce(t.todo, 0) AS todo, coalesce(t.done, 0) AS done, coalesce(t.failed, 0) AS failed
    FROM shown u
    LEFT JOIN LATERAL (SELECT * FROM update_checks c WHERE c.update_id = u.id AND c.result <> 'pending'
                       AND c.version = u.version ORDER BY c.n DESC LIMIT 1) c ON true
    LEFT JOIN users tester ON tester.id = c.tester_id
    LEFT JOIN update_checks running ON running.update_id = u.id AND running.result = 'pending'
    LEFT JOIN users runner ON runner.id = running.tester_id
    LEFT JOIN LATERAL (SELECT * FROM update_approvals a WHERE a.update_id = u.id
                       ORDER BY a.id DESC LIMIT 1) a ON true
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

# Devices in running maintenance contracts that run a product of an update. Of approved ones only those that may
# get it and have no task: services/rollout/covering.py says the same of all.
AFFECTED = text("""
    SELECT up.update_id, c.customer_id, count(DISTINCT cd.device_id) AS devices
    FROM update_products up
    JOIN device_products dp ON dp.product_id = up.product_id
    JOIN devices d ON d.id = dp.device_id AND (d.retired_on IS NULL OR d.retired_on > :today)
    JOIN contract_devices cd ON cd.device_id = dp.device_id AND cd.life @> CAST(:today AS date)
    JOIN contracts c ON c.id = cd.contract_id AND c.kind = 'maintenance' AND c.life @> CAST(:today AS date)
    WHERE up.update_id = ANY (:updates)
    GROUP BY up.update_id, c.customer_id
    UNION ALL
    SELECT up.update_id, c.customer_id, count(DISTINCT cd.device_id)
    FROM update_products up
    JOIN products p ON p.id = up.product_id
    JOIN device_products dp ON dp.product_id = up.product_id
    JOIN devices d ON d.id = dp.device_id AND (d.retired_on IS NULL OR d.retired_on > :today)
    JOIN contract_devices cd ON cd.device_id = dp.device_id AND cd.life @> CAST(:today AS date)
    JOIN contracts c ON c.id = cd.contract_id AND c.kind = 'maintenance' AND c.life @> CAST(:today AS date)
    LEFT JOIN rollout_tasks t ON t.update_id = up.update_id AND t.device_id = dp.device_id AND NOT t.followed
        AND t.stopped_at IS NULL
    WHERE up.update_id = ANY (:approved) AND t.id IS NULL
        AND (dp.source = 'ours' OR p.offered_by_us OR EXISTS (
            SELECT FROM software_agreements s WHERE s.contract_id = c.id AND fold(btrim(s.product)) = p.key))
    GROUP BY up.update_id, c.customer_id
""").bindparams(
    bindparam("today", type_=Date()),
    bindparam("updates", type_=ARRAY(Integer)),
    bindparam("approved", type_=ARRAY(Integer)),
)

CUSTOMERS = text("""
    SELECT k.id, k.number, k.name,
           (SELECT count(*) FROM contracts c JOIN contract_devices cd ON cd.contract_id = c.id
            WHERE c.customer_id = k.id AND c.kind = 'maintenance' AND cd.life @> CAST(:today AS date)) AS devices
    FROM customers k WHERE k.id = ANY (:customers) ORDER BY k.sort_key, k.number
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
