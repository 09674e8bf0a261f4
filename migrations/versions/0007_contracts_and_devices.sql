-- A revoked acceptance lets nothing in from the day it was revoked on; what is in a contract since before stays.
CREATE OR REPLACE FUNCTION may_enter_contract(device integer, on_day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT d.purchased_from_us OR coalesce((
        SELECT a.outcome <> 'refused' AND (a.revoked_on IS NULL OR a.revoked_on > on_day)
        FROM acceptances a WHERE a.device_id = device AND a.inspected_on <= on_day
        ORDER BY a.inspected_on DESC LIMIT 1), false)
    FROM devices d WHERE d.id = device
$$;

-- A checklist's version, and an inspection from its signature on, are written once. What was remedied after a
-- refusal is noted beside the fault.
CREATE FUNCTION keep_signed_inspection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'inspection % is signed', OLD.id USING ERRCODE = 'PD003';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_signed BEFORE UPDATE OR DELETE ON inspections
    FOR EACH ROW EXECUTE FUNCTION keep_signed_inspection();

CREATE FUNCTION keep_signed_result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    inspection integer := CASE TG_OP WHEN 'INSERT' THEN NEW.inspection_id ELSE OLD.inspection_id END;
BEGIN
    IF EXISTS (SELECT FROM inspections WHERE id = inspection AND signed_at IS NOT NULL)
            AND (TG_OP <> 'UPDATE' OR (OLD.inspection_id, OLD.pos, OLD.state, OLD.note, OLD.answered_at)
                IS DISTINCT FROM (NEW.inspection_id, NEW.pos, NEW.state, NEW.note, NEW.answered_at)) THEN
        RAISE EXCEPTION 'inspection % is signed', inspection USING ERRCODE = 'PD003';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_signed BEFORE INSERT OR UPDATE OR DELETE ON inspection_results
    FOR EACH ROW EXECUTE FUNCTION keep_signed_result();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['checklist_templates', 'checklist_items', 'stored_files']
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;

-- Nobody signs with an open item, and a failed one excludes a plain acceptance.
CREATE FUNCTION signature_fits_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM inspection_results r WHERE r.inspection_id = NEW.id
               AND (r.state = 'open' OR r.state = 'failed' AND NEW.outcome = 'accepted')) THEN
        RAISE EXCEPTION 'inspection % cannot be signed as %', NEW.id, NEW.outcome USING ERRCODE = 'PD004';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER signature_fits_results AFTER INSERT OR UPDATE ON inspections
    FOR EACH ROW WHEN (NEW.signed_at IS NOT NULL) EXECUTE FUNCTION signature_fits_results();
