-- Late facts, cancelled invoices and orders for one customer.

ALTER TABLE runs
    ADD COLUMN kind varchar NOT NULL DEFAULT 'month',
    ADD COLUMN customer_id integer CONSTRAINT fk_runs_customer_id_customers REFERENCES customers (id),
    ADD COLUMN reason varchar,
    ADD COLUMN released_at timestamptz,
    ADD COLUMN released_by_id integer CONSTRAINT fk_runs_released_by_id_users REFERENCES users (id),
    ADD CONSTRAINT ck_runs_kind CHECK (kind IN ('month', 'customer', 'storno')),
    ADD CONSTRAINT ck_runs_customer CHECK ((kind = 'month') = (customer_id IS NULL)),
    ADD CONSTRAINT ck_runs_reason CHECK ((kind = 'storno') = (reason IS NOT NULL)),
    ADD CONSTRAINT ck_runs_released CHECK ((released_at IS NULL) = (released_by_id IS NULL));

-- An invoice can carry adjustments of several months.
ALTER TABLE postings
    DROP CONSTRAINT uq_postings_invoice_id,
    ADD COLUMN owed_cents integer NOT NULL DEFAULT 0,
    ADD COLUMN separate_minutes integer NOT NULL DEFAULT 0,
    ADD COLUMN vat_category varchar,
    ADD COLUMN vat_rate numeric(5, 2),
    ADD CONSTRAINT ck_postings_vat CHECK ((vat_category IS NULL) = (vat_rate IS NULL));
CREATE INDEX ix_postings_invoice_id ON postings (invoice_id);

-- What the postings of the state before owed is what their invoices billed.
ALTER TABLE postings DISABLE TRIGGER refuse_change;
UPDATE postings p SET separate_minutes = l.quantity::integer FROM invoice_lines l
    WHERE l.invoice_id = p.invoice_id AND l.kind = 'separate';
UPDATE postings p SET owed_cents = i.net_cents, vat_category = l.vat_category, vat_rate = l.vat_rate
    FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id AND l.pos = 1 WHERE i.id = p.invoice_id;
ALTER TABLE postings ENABLE TRIGGER refuse_change;

CREATE TABLE stale_customers (
    customer_id integer CONSTRAINT pk_stale_customers PRIMARY KEY
        CONSTRAINT fk_stale_customers_customer_id_customers REFERENCES customers (id) ON DELETE CASCADE,
    since date NOT NULL
);

-- A month is held by its postings until its invoice is cancelled; then it is billed anew, whole.
CREATE FUNCTION month_is_held(customer integer, on_month date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM postings WHERE customer_id = customer AND month = on_month) AND (
        NOT EXISTS (SELECT FROM invoices WHERE customer_id = customer AND period = on_month AND kind = 'bill')
        OR EXISTS (SELECT FROM invoices b WHERE b.customer_id = customer AND b.period = on_month AND b.kind = 'bill'
                   AND NOT EXISTS (SELECT FROM invoices s WHERE s.cancels_id = b.id)))
$$;

CREATE OR REPLACE FUNCTION refuse_posted(customer integer, from_month date, what text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM postings p WHERE p.customer_id = customer
               AND p.month >= date_trunc('month', from_month) AND month_is_held(customer, p.month)) THEN
        RAISE EXCEPTION 'a posting has taken %', what USING ERRCODE = 'PD001';
    END IF;
END $$;

-- A start or an end that becomes known after its month was posted: the months since then are calculated anew.
CREATE FUNCTION mark_stale(customer integer, since_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date;
BEGIN
    SELECT min(month) INTO first FROM postings
        WHERE customer_id = customer AND month >= date_trunc('month', since_day);
    IF first IS NOT NULL THEN
        INSERT INTO stale_customers VALUES (customer, first)
            ON CONFLICT (customer_id) DO UPDATE SET since = least(stale_customers.since, excluded.since);
    END IF;
END $$;

CREATE FUNCTION stale_by_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM mark_stale(NEW.customer_id, NEW.starts_on);
    ELSIF (OLD.starts_on, OLD.ends_before) IS DISTINCT FROM (NEW.starts_on, NEW.ends_before) THEN
        IF OLD.starts_on <> NEW.starts_on THEN
            PERFORM mark_stale(NEW.customer_id, least(OLD.starts_on, NEW.starts_on));
        END IF;
        IF OLD.ends_before IS DISTINCT FROM NEW.ends_before THEN
            PERFORM mark_stale(NEW.customer_id, least(OLD.ends_before, NEW.ends_before));
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stale_by_contract AFTER INSERT OR UPDATE ON contracts
    FOR EACH ROW EXECUTE FUNCTION stale_by_contract();

CREATE FUNCTION stale_by_device() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    customer integer;
BEGIN
    SELECT customer_id INTO customer FROM contracts WHERE id = NEW.contract_id;
    IF TG_OP = 'INSERT' THEN
        PERFORM mark_stale(customer, NEW.included_from);
    ELSE
        IF OLD.included_from <> NEW.included_from THEN
            PERFORM mark_stale(customer, least(OLD.included_from, NEW.included_from));
        END IF;
        IF OLD.ends_before IS DISTINCT FROM NEW.ends_before THEN
            PERFORM mark_stale(customer, least(OLD.ends_before, NEW.ends_before));
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stale_by_device AFTER INSERT OR UPDATE ON contract_devices
    FOR EACH ROW EXECUTE FUNCTION stale_by_device();

-- A Storno repeats what it cancels, turned round; itself it is never cancelled.
CREATE FUNCTION storno_repeats_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoices b WHERE b.id = NEW.cancels_id AND b.kind = 'bill'
                   AND b.customer_id = NEW.customer_id AND b.period = NEW.period AND b.revision = NEW.revision
                   AND b.net_cents = -NEW.net_cents AND b.vat_cents = -NEW.vat_cents) THEN
        RAISE EXCEPTION 'Storno % does not turn round what it cancels', NEW.number USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER storno_repeats_invoice AFTER INSERT ON invoices
    FOR EACH ROW WHEN (NEW.kind = 'storno') EXECUTE FUNCTION storno_repeats_invoice();

-- A month has one bill in force: the next revision only after the one before is cancelled.
CREATE FUNCTION one_bill_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> 1 + (SELECT count(*) FROM invoices b WHERE b.customer_id = NEW.customer_id
                            AND b.period = NEW.period AND b.kind = 'storno') THEN
        RAISE EXCEPTION 'revision % of period % is not the next one', NEW.revision, NEW.period USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_bill_in_force BEFORE INSERT ON invoices
    FOR EACH ROW WHEN (NEW.kind = 'bill') EXECUTE FUNCTION one_bill_in_force();

-- A credit is a material with a negative price, granted with a reason.
ALTER TABLE materials
    ADD COLUMN reason varchar NOT NULL DEFAULT '',
    ADD CONSTRAINT ck_materials_credit_reason CHECK (net >= 0 OR btrim(reason) <> '');
