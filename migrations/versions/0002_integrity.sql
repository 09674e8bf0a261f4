-- What the database refuses, whoever asks. SQLSTATE class PD: PD001 posted facts, PD002 begun prices,
-- PD003 issued documents, PD004 devices and acceptance.

-- Locks -----------------------------------------------------------------------------------------------
CREATE FUNCTION add_customer_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer_books (customer_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER add_customer_book AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION add_customer_book();

-- Whoever writes a fact that a posting reads holds this until the end of its transaction; a posting holds
-- it exclusively. So a fact is in the posting or after it, never half.
CREATE FUNCTION lock_customer_shared(customer integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM customer_books WHERE customer_id = customer FOR SHARE;
END $$;

CREATE FUNCTION lock_own_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_customer_shared(OLD.id);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER lock_own_customer BEFORE UPDATE OR DELETE ON customers
    FOR EACH ROW EXECUTE FUNCTION lock_own_customer();

-- Time and material: stamped with the posting that will take them, fixed once it has ------------------
CREATE FUNCTION stamp_for_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    new_month date;
    moved boolean := TG_OP = 'INSERT';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM lock_customer_shared(OLD.customer_id);
        IF EXISTS (SELECT FROM postings p WHERE p.customer_id = OLD.customer_id
                   AND p.month = OLD.service_month AND p.n >= OLD.posting_n) THEN
            RAISE EXCEPTION 'a posting has taken % %', TG_TABLE_NAME, OLD.id USING ERRCODE = 'PD001';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_TABLE_NAME = 'time_entries' THEN
        new_month := date_trunc('month', NEW.started_at AT TIME ZONE 'Europe/Berlin')::date;
    ELSE
        new_month := date_trunc('month', NEW.day::timestamp)::date;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        moved := NEW.customer_id <> OLD.customer_id OR new_month <> OLD.service_month;
        NEW.posting_n := OLD.posting_n;
    END IF;
    IF moved THEN
        PERFORM lock_customer_shared(NEW.customer_id);
        NEW.posting_n := (SELECT coalesce(max(n), 0) + 1 FROM postings
                          WHERE customer_id = NEW.customer_id AND month = new_month);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stamp_for_posting BEFORE INSERT OR UPDATE OR DELETE ON time_entries
    FOR EACH ROW EXECUTE FUNCTION stamp_for_posting();
CREATE TRIGGER stamp_for_posting BEFORE INSERT OR UPDATE OR DELETE ON materials
    FOR EACH ROW EXECUTE FUNCTION stamp_for_posting();

-- Time and material belong to the customer of their ticket when they are written.
CREATE FUNCTION customer_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tickets WHERE id = NEW.ticket_id AND customer_id = NEW.customer_id) THEN
        RAISE EXCEPTION '% % has another customer than its ticket', TG_TABLE_NAME, NEW.id
            USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER customer_of_ticket AFTER INSERT OR UPDATE ON time_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.reverses_id IS NULL) EXECUTE FUNCTION customer_of_ticket();
CREATE CONSTRAINT TRIGGER customer_of_ticket AFTER INSERT OR UPDATE ON materials
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION customer_of_ticket();

-- A reversal repeats what it reverses: customer, start and treatment.
CREATE FUNCTION reversal_repeats_original() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM time_entries o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
                   AND o.customer_id = NEW.customer_id AND o.started_at = NEW.started_at
                   AND o.ended_at IS NOT DISTINCT FROM NEW.ended_at
                   AND o.treatment IS NOT DISTINCT FROM NEW.treatment) THEN
        RAISE EXCEPTION 'reversal % differs from what it reverses', NEW.id USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reversal_repeats_original AFTER INSERT OR UPDATE ON time_entries
    FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION reversal_repeats_original();

-- Contracts -------------------------------------------------------------------------------------------
-- Package and fees change only for months that no posting has taken; a start or an end that becomes known
-- later may (the difference follows as an adjustment).
CREATE FUNCTION refuse_posted(customer integer, from_month date, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM postings WHERE customer_id = customer AND month >= date_trunc('month', from_month)) THEN
        RAISE EXCEPTION 'a posting has taken %', what USING ERRCODE = 'PD001';
    END IF;
END $$;

CREATE FUNCTION guard_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM lock_customer_shared(OLD.customer_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM lock_customer_shared(NEW.customer_id);
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.package, OLD.monthly_fee, OLD.kind, OLD.customer_id)
            IS DISTINCT FROM (NEW.package, NEW.monthly_fee, NEW.kind, NEW.customer_id) OR TG_OP = 'DELETE' THEN
        PERFORM refuse_posted(OLD.customer_id, OLD.starts_on, 'contract ' || OLD.number);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER guard_contract BEFORE INSERT OR UPDATE OR DELETE ON contracts
    FOR EACH ROW EXECUTE FUNCTION guard_contract();

CREATE FUNCTION guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    customer integer;
BEGIN
    SELECT customer_id INTO customer FROM contracts
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.contract_id ELSE NEW.contract_id END;
    PERFORM lock_customer_shared(customer);
    IF TG_OP <> 'INSERT' THEN
        PERFORM refuse_posted(customer, OLD.effective_on, TG_TABLE_NAME || ' from ' || OLD.effective_on);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM refuse_posted(customer, NEW.effective_on, TG_TABLE_NAME || ' from ' || NEW.effective_on);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER guard_change BEFORE INSERT OR UPDATE OR DELETE ON package_changes
    FOR EACH ROW EXECUTE FUNCTION guard_change();
CREATE TRIGGER guard_change BEFORE INSERT OR UPDATE OR DELETE ON fee_changes
    FOR EACH ROW EXECUTE FUNCTION guard_change();

CREATE FUNCTION guard_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'notice % stays on record; withdraw it', OLD.id USING ERRCODE = 'PD003';
    END IF;
    PERFORM lock_customer_shared(customer_id) FROM contracts WHERE id = NEW.contract_id;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_notice BEFORE INSERT OR UPDATE OR DELETE ON contract_notices
    FOR EACH ROW EXECUTE FUNCTION guard_notice();

-- Devices and acceptance ------------------------------------------------------------------------------
-- A device that was not bought from us enters a contract only with a valid acceptance: the newest one up
-- to that day, accepted with or without reservations.
CREATE FUNCTION may_enter_contract(device integer, on_day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT d.purchased_from_us OR coalesce((
        SELECT a.outcome <> 'refused' FROM acceptances a
        WHERE a.device_id = device AND a.inspected_on <= on_day ORDER BY a.inspected_on DESC LIMIT 1), false)
    FROM devices d WHERE d.id = device
$$;

CREATE FUNCTION guard_contract_device() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    contract contracts%ROWTYPE;
    device devices%ROWTYPE;
BEGIN
    SELECT * INTO contract FROM contracts
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.contract_id ELSE NEW.contract_id END;
    PERFORM lock_customer_shared(contract.customer_id);
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (OLD.monthly_fee, OLD.contract_id, OLD.device_id)
            IS DISTINCT FROM (NEW.monthly_fee, NEW.contract_id, NEW.device_id) THEN
        PERFORM refuse_posted(contract.customer_id, OLD.included_from, 'a device of contract ' || contract.number);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    SELECT * INTO device FROM devices WHERE id = NEW.device_id FOR SHARE;
    IF contract.kind <> 'maintenance' OR device.customer_id <> contract.customer_id THEN
        RAISE EXCEPTION 'device % cannot be in contract %', device.inventory_number, contract.number
            USING ERRCODE = '23514';
    END IF;
    IF NEW.included_from < contract.starts_on OR contract.ends_before IS NOT NULL
            AND (NEW.ends_before IS NULL OR NEW.ends_before > contract.ends_before) THEN
        RAISE EXCEPTION 'device % would be in contract % outside its life', device.inventory_number, contract.number
            USING ERRCODE = '23514';
    END IF;
    IF NOT may_enter_contract(NEW.device_id, NEW.included_from) THEN
        RAISE EXCEPTION 'device % has no valid acceptance', device.inventory_number USING ERRCODE = 'PD004';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract_device BEFORE INSERT OR UPDATE OR DELETE ON contract_devices
    FOR EACH ROW EXECUTE FUNCTION guard_contract_device();

-- Neither an acceptance nor the origin of a device can be changed so that a device in a contract loses its gate.
CREATE FUNCTION keep_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    device integer := CASE WHEN TG_TABLE_NAME = 'devices' THEN (to_jsonb(OLD) ->> 'id')::integer
                           ELSE (to_jsonb(OLD) ->> 'device_id')::integer END;
BEGIN
    IF EXISTS (SELECT FROM contract_devices c WHERE c.device_id = device
               AND NOT may_enter_contract(device, c.included_from)) THEN
        RAISE EXCEPTION 'a contract relies on the acceptance of device %', device USING ERRCODE = 'PD004';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER keep_gate AFTER UPDATE OR DELETE ON acceptances
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION keep_gate();
CREATE CONSTRAINT TRIGGER keep_gate AFTER UPDATE ON devices
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION keep_gate();

-- Prices ----------------------------------------------------------------------------------------------
CREATE FUNCTION guard_price() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    price prices%ROWTYPE := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM 1 FROM books FOR SHARE;
    IF TG_OP = 'UPDATE' AND (OLD.item, OLD.valid_from) <> (NEW.item, NEW.valid_from) THEN
        RAISE EXCEPTION 'a price keeps its item and its day' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (SELECT FROM periods p WHERE p.month >= price.valid_from AND NOT EXISTS (
            SELECT FROM prices later WHERE later.item = price.item
            AND later.valid_from > price.valid_from AND later.valid_from <= p.month)) THEN
        RAISE EXCEPTION 'the close of a month that % from % would change has begun', price.item, price.valid_from
            USING ERRCODE = 'PD002';
    END IF;
    RETURN price;
END $$;
CREATE TRIGGER guard_price BEFORE INSERT OR UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION guard_price();

-- Issued documents, postings, settlements, audit: written once ----------------------------------------
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are written once and stay as they are', TG_TABLE_NAME USING ERRCODE = 'PD003';
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['invoices', 'invoice_lines', 'postings', 'settlements', 'audit_events', 'audit_seals']
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['periods', 'number_series', 'books']
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_delete BEFORE DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;

-- The transaction that issues an invoice writes all of its lines; their sum is its net amount.
CREATE FUNCTION refuse_later_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoices WHERE id = NEW.invoice_id
                   AND xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'invoice % is issued', NEW.invoice_id USING ERRCODE = 'PD003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_later_line BEFORE INSERT ON invoice_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_later_line();

CREATE FUNCTION invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines bigint;
    net bigint;
    vat bigint;
BEGIN
    SELECT count(*), sum(net_cents) INTO lines, net FROM invoice_lines WHERE invoice_id = NEW.id;
    SELECT sum(round(rate_net * vat_rate / 100)) INTO vat FROM (
        SELECT vat_rate, sum(net_cents) AS rate_net FROM invoice_lines
        WHERE invoice_id = NEW.id GROUP BY vat_category, vat_rate) AS rates;
    IF lines = 0 OR net <> NEW.net_cents OR vat <> NEW.vat_cents THEN
        RAISE EXCEPTION 'invoice % does not add up', NEW.number USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoice_adds_up AFTER INSERT ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up();

CREATE FUNCTION number_was_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM number_series WHERE year = NEW.series_year AND last >= NEW.series_number
                   AND xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'number % was not drawn by the transaction that issues it', NEW.number
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_was_drawn BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION number_was_drawn();

CREATE FUNCTION postings_count_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM postings
                 WHERE customer_id = NEW.customer_id AND month = NEW.month) THEN
        RAISE EXCEPTION 'posting % of customer % is out of order', NEW.n, NEW.customer_id USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER postings_count_up BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION postings_count_up();

-- Months close in order, without a gap, from the first one on.
CREATE FUNCTION months_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM periods) AND NOT EXISTS (
            SELECT FROM periods WHERE month = (NEW.month - interval '1 month')::date) THEN
        RAISE EXCEPTION 'month % does not follow the last one', NEW.month USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER months_in_order BEFORE INSERT ON periods FOR EACH ROW EXECUTE FUNCTION months_in_order();

-- What is there from the first day on -----------------------------------------------------------------
INSERT INTO books (id) VALUES (1);
INSERT INTO prices (item, valid_from, net, included_minutes) VALUES
    ('package_S', '2024-01-01', 15, 10),
    ('package_M', '2024-01-01', 40, 30),
    ('package_L', '2024-01-01', 80, 60),
    ('vat_standard', '2024-01-01', 19, NULL);
