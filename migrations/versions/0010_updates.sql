-- The catalogue knows every product that a device runs, by its name.
CREATE FUNCTION product_of_name(name text, vendor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    SELECT p.id INTO found FROM products p WHERE p.key = fold(btrim(product_of_name.name));
    IF found IS NULL THEN
        INSERT INTO products (name, vendor) VALUES (btrim(product_of_name.name), product_of_name.vendor)
            ON CONFLICT (key) DO NOTHING;
        SELECT p.id INTO found FROM products p WHERE p.key = fold(btrim(product_of_name.name));
    END IF;
    RETURN found;
END $$;
CREATE FUNCTION catalogue_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.product_id := product_of_name(NEW.product, NEW.vendor);
    RETURN NEW;
END $$;
CREATE TRIGGER catalogue_product BEFORE INSERT OR UPDATE OF product ON device_products
    FOR EACH ROW EXECUTE FUNCTION catalogue_product();
UPDATE device_products SET product_id = product_of_name(product, vendor);
ALTER TABLE device_products ALTER COLUMN product_id SET NOT NULL;
ALTER TABLE device_products ADD CONSTRAINT fk_device_products_product_id_products
    FOREIGN KEY (product_id) REFERENCES products (id);
CREATE INDEX ix_device_products_product_id ON device_products (product_id);

-- A finished check stays as it is, with its results and files.
CREATE FUNCTION keep_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked integer := CASE TG_OP WHEN 'INSERT' THEN NEW.check_id ELSE OLD.check_id END;
BEGIN
    IF EXISTS (SELECT FROM update_checks c WHERE c.id = checked AND c.result <> 'pending') THEN
        RAISE EXCEPTION 'check % is finished', checked USING ERRCODE = 'PD003';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_check BEFORE INSERT OR UPDATE OR DELETE ON update_check_results
    FOR EACH ROW EXECUTE FUNCTION keep_check();
CREATE TRIGGER keep_check BEFORE INSERT OR UPDATE OR DELETE ON update_check_files
    FOR EACH ROW EXECUTE FUNCTION keep_check();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON update_checks
    FOR EACH ROW WHEN (OLD.result <> 'pending') EXECUTE FUNCTION refuse_change();

-- A passed check has results, and none of them is open or failed.
CREATE FUNCTION check_fits_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM update_check_results r WHERE r.check_id = NEW.id)
            OR EXISTS (SELECT FROM update_check_results r WHERE r.check_id = NEW.id AND r.state IN ('open', 'failed'))
    THEN
        RAISE EXCEPTION 'check % has open or failed items', NEW.id USING ERRCODE = 'PD004';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER check_fits_results AFTER INSERT OR UPDATE ON update_checks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.result = 'passed') EXECUTE FUNCTION check_fits_results();

-- No approval without a passed check of just this version; with four eyes, by somebody else than its tester.
CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked update_checks%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.ended_at IS NOT NULL
            OR (NEW.update_id, NEW.check_id, NEW.approved_at, NEW.approved_by_id, NEW.four_eyes)
            <> (OLD.update_id, OLD.check_id, OLD.approved_at, OLD.approved_by_id, OLD.four_eyes)) THEN
        RAISE EXCEPTION 'approval % stays as it is', OLD.id USING ERRCODE = 'PD003';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    PERFORM FROM updates u WHERE u.id = NEW.update_id FOR SHARE;
    SELECT * INTO checked FROM update_checks c WHERE c.id = NEW.check_id;
    IF checked.result IS DISTINCT FROM 'passed' OR checked.update_id <> NEW.update_id
            OR checked.finished_at > NEW.approved_at
            OR checked.version <> (SELECT u.version FROM updates u WHERE u.id = NEW.update_id) THEN
        RAISE EXCEPTION 'update % has no passed check', NEW.update_id USING ERRCODE = 'PD005';
    END IF;
    NEW.four_eyes := coalesce(nullif((SELECT s.value FROM settings s WHERE s.key = 'four_eyes'), ''), 'yes') <> 'no';
    IF NEW.four_eyes AND checked.tester_id = NEW.approved_by_id THEN
        RAISE EXCEPTION 'the tester of update % approves it', NEW.update_id USING ERRCODE = 'PD005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_approval BEFORE INSERT OR UPDATE ON update_approvals
    FOR EACH ROW EXECUTE FUNCTION guard_approval();

-- An update is approved exactly while an approval of it is in force; what was tested is not renamed afterwards.
CREATE FUNCTION approved_is_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject integer := CASE TG_TABLE_NAME WHEN 'updates' THEN to_jsonb(NEW) ->> 'id'
                       ELSE to_jsonb(NEW) ->> 'update_id' END;
BEGIN
    IF EXISTS (SELECT FROM updates u WHERE u.id = subject AND (u.state = 'approved')
               <> EXISTS (SELECT FROM update_approvals a WHERE a.update_id = u.id AND a.ended_at IS NULL)) THEN
        RAISE EXCEPTION 'update % is approved without an approval, or the other way round', subject
            USING ERRCODE = 'PD005';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER approved_is_in_force AFTER INSERT OR UPDATE ON updates DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION approved_is_in_force();
CREATE CONSTRAINT TRIGGER approved_is_in_force AFTER INSERT OR UPDATE ON update_approvals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approved_is_in_force();
CREATE TRIGGER keep_tested BEFORE UPDATE OF vendor, title, version, kb_number ON updates FOR EACH ROW
    WHEN (OLD.state NOT IN ('detected', 'in_test', 'deferred')
          AND (NEW.vendor, NEW.title, NEW.version, NEW.kb_number)
          IS DISTINCT FROM (OLD.vendor, OLD.title, OLD.version, OLD.kb_number))
    EXECUTE FUNCTION refuse_change();

-- A window keeps its days once work is planned in it.
CREATE FUNCTION keep_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rollout_tasks t WHERE t.window_month = OLD.month) THEN
        RAISE EXCEPTION 'work is planned in the window of %', OLD.month USING ERRCODE = 'PD003';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_window BEFORE UPDATE OR DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION keep_window();

-- Nothing is installed that is not approved at that instant. The share lock makes a withdrawal wait for whoever
-- ticks off, and the other way round; what was installed before a withdrawal stays. Outside its window a task is
-- installed only as an emergency with a reason and a manager.
CREATE FUNCTION guard_task() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    approval update_approvals%ROWTYPE;
    at_berlin timestamp := NEW.installed_at AT TIME ZONE 'Europe/Berlin';
    becomes_installed boolean := NEW.status IN ('installed', 'reboot_pending', 'verified')
        AND (TG_OP = 'INSERT' OR OLD.status NOT IN ('installed', 'reboot_pending', 'verified'));
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.update_id, NEW.approval_id, NEW.device_id, NEW.contract_id, NEW.customer_id,
                             NEW.created_at)
            <> (OLD.update_id, OLD.approval_id, OLD.device_id, OLD.contract_id, OLD.customer_id, OLD.created_at) THEN
        RAISE EXCEPTION 'task % keeps its update and its device', OLD.id USING ERRCODE = 'PD003';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status IN ('installed', 'reboot_pending', 'verified') AND NOT becomes_installed
            AND NEW.status IN ('installed', 'reboot_pending', 'verified', 'rolled_back', 'failed')
            AND (NEW.installed_at, NEW.installed_by_id) IS DISTINCT FROM (OLD.installed_at, OLD.installed_by_id) THEN
        RAISE EXCEPTION 'task % keeps when and by whom it was installed', OLD.id USING ERRCODE = 'PD003';
    END IF;
    IF NOT EXISTS (SELECT FROM maintenance_windows w WHERE w.month = NEW.window_month AND NEW.planned_on = ANY (w.days))
    THEN
        RAISE EXCEPTION 'a task is planned outside its window' USING ERRCODE = 'PD004';
    END IF;
    IF NOT (TG_OP = 'INSERT' OR becomes_installed) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO approval FROM update_approvals a WHERE a.id = NEW.approval_id FOR SHARE;
    IF approval.ended_at IS NOT NULL OR approval.update_id <> NEW.update_id
            OR (becomes_installed AND (NEW.installed_at IS NULL OR NEW.installed_at < approval.approved_at)) THEN
        RAISE EXCEPTION 'update % is not approved', NEW.update_id USING ERRCODE = 'PD005';
    END IF;
    IF becomes_installed AND NEW.emergency_by_id IS NULL
            AND NOT EXISTS (SELECT FROM maintenance_windows w WHERE w.month = NEW.window_month
                AND at_berlin::date = ANY (w.days) AND at_berlin::time >= w.opens_at AND at_berlin::time < w.closes_at)
    THEN
        RAISE EXCEPTION 'task % is installed outside its window', NEW.id USING ERRCODE = 'PD006';
    END IF;
    IF becomes_installed AND NEW.emergency_by_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM users u WHERE u.id = NEW.emergency_by_id AND u.role = 'manager') THEN
        RAISE EXCEPTION 'an emergency needs a manager' USING ERRCODE = 'PD006';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_task BEFORE INSERT OR UPDATE ON rollout_tasks FOR EACH ROW EXECUTE FUNCTION guard_task();
CREATE TRIGGER refuse_delete BEFORE DELETE ON rollout_tasks FOR EACH ROW EXECUTE FUNCTION refuse_change();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['test_plans', 'maintenance_reports']
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;
