-- What the queue is ordered by, as a column: an index alone can count it.
ALTER TABLE tickets ADD COLUMN due_key timestamptz NOT NULL
    GENERATED ALWAYS AS (coalesce(due_at, '9999-12-31 00:00:00+00'::timestamptz)) STORED;
DROP INDEX ix_tickets_queue;
DROP INDEX ix_tickets_open_assignee;
CREATE INDEX ix_tickets_queue ON tickets (due_key, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_assignee ON tickets (assignee_id, due_key, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
-- Of open tickets: each filter in the order of the deadline, and the other orders.
CREATE INDEX ix_tickets_open_customer ON tickets (customer_id, due_key, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_status ON tickets (status, due_key, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_priority ON tickets ((CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END), due_key, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_created ON tickets (created_at, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_updated ON tickets (updated_at, id)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_search ON tickets USING gin (search gin_trgm_ops)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
-- Of those that are done, and of one customer: the newest first.
CREATE INDEX ix_tickets_done ON tickets (status, created_at, id) WHERE status IN ('resolved', 'closed', 'merged');
CREATE INDEX ix_tickets_customer ON tickets (customer_id, created_at, id);
DROP INDEX ix_tickets_customer_id;
