-- The same refusals, once a statement instead of once a row; and indexes of the few rows that are corrections.

CREATE INDEX ix_time_entries_reversals ON time_entries (customer_id, service_month) INCLUDE (reverses_id)
    WHERE reverses_id IS NOT NULL;
CREATE INDEX ix_time_entries_late ON time_entries (customer_id) WHERE posting_n > 1;
CREATE INDEX ix_materials_late ON materials (customer_id) WHERE posting_n > 1;

-- What a run has still to post of a batch: found by both, also before the table was ever analysed.
DROP INDEX ix_customer_months_run_id;
CREATE INDEX ix_customer_months_run ON customer_months (run_id, customer_id);
DROP INDEX ix_postings_run_id;
CREATE INDEX ix_postings_run ON postings (run_id, customer_id);

-- What is reversed stays as its reversal repeats it, so that both leave the draw together.
CREATE FUNCTION keep_reversed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM time_entries r WHERE r.reverses_id = OLD.id) THEN
        RAISE EXCEPTION 'time entry % is reversed', OLD.id USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_reversed AFTER UPDATE ON time_entries FOR EACH ROW
    WHEN ((OLD.customer_id, OLD.started_at, OLD.ended_at, OLD.treatment)
          IS DISTINCT FROM (NEW.customer_id, NEW.started_at, NEW.ended_at, NEW.treatment))
    EXECUTE FUNCTION keep_reversed();

-- The transaction that issues an invoice writes all of its lines; their sum is its net amount.
DROP TRIGGER refuse_later_line ON invoice_lines;
CREATE OR REPLACE FUNCTION refuse_later_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    issued integer;
BEGIN
    SELECT l.invoice_id INTO issued FROM (SELECT DISTINCT invoice_id FROM added) l
        WHERE NOT EXISTS (SELECT FROM invoices i WHERE i.id = l.invoice_id AND i.xmin = pg_current_xact_id()::xid);
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is issued', issued USING ERRCODE = 'PD003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_later_line AFTER INSERT ON invoice_lines REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_later_line();

CREATE OR REPLACE FUNCTION invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    net bigint;
    vat bigint;
BEGIN
    SELECT sum(rate_net), sum(round(rate_net * vat_rate / 100)) INTO net, vat FROM (
        SELECT vat_rate, sum(net_cents) AS rate_net FROM invoice_lines
        WHERE invoice_id = NEW.id GROUP BY vat_category, vat_rate) AS rates;
    IF net IS DISTINCT FROM NEW.net_cents OR vat IS DISTINCT FROM NEW.vat_cents THEN
        RAISE EXCEPTION 'invoice % does not add up', NEW.number USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER number_was_drawn ON invoices;
CREATE OR REPLACE FUNCTION number_was_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stolen text;
BEGIN
    SELECT i.number INTO stolen FROM added i
        WHERE NOT EXISTS (SELECT FROM number_series s WHERE s.year = i.series_year AND s.last >= i.series_number
                          AND s.xmin = pg_current_xact_id()::xid);
    IF FOUND THEN
        RAISE EXCEPTION 'number % was not drawn by the transaction that issues it', stolen
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER number_was_drawn AFTER INSERT ON invoices REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION number_was_drawn();

-- A month has one bill in force: the next revision only after the one before is cancelled.
DROP TRIGGER one_bill_in_force ON invoices;
CREATE OR REPLACE FUNCTION one_bill_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong invoices%ROWTYPE;
BEGIN
    SELECT i.* INTO wrong FROM added i
        WHERE i.kind = 'bill' AND i.revision <> 1 + (
            SELECT count(*) FROM invoices s
            WHERE s.customer_id = i.customer_id AND s.period = i.period AND s.kind = 'storno');
    IF FOUND THEN
        RAISE EXCEPTION 'revision % of period % is not the next one', wrong.revision, wrong.period
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER one_bill_in_force AFTER INSERT ON invoices REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION one_bill_in_force();

-- Each posting is the first of its month or follows the one before.
DROP TRIGGER postings_count_up ON postings;
CREATE OR REPLACE FUNCTION postings_count_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong postings%ROWTYPE;
BEGIN
    SELECT p.* INTO wrong FROM added p
        WHERE p.n <> 1 AND NOT EXISTS (SELECT FROM postings before WHERE before.customer_id = p.customer_id
                                       AND before.month = p.month AND before.n = p.n - 1);
    IF FOUND THEN
        RAISE EXCEPTION 'posting % of customer % is out of order', wrong.n, wrong.customer_id
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER postings_count_up AFTER INSERT ON postings REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION postings_count_up();
