-- What was attached before the signature stays; afterwards only a fault gets more, to show that it was remedied.
CREATE FUNCTION keep_signed_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    file inspection_files%ROWTYPE := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
BEGIN
    IF EXISTS (SELECT FROM inspections i WHERE i.id = file.inspection_id AND i.signed_at IS NOT NULL)
            AND (TG_OP <> 'INSERT' OR NOT EXISTS (SELECT FROM inspection_results r
                WHERE r.inspection_id = file.inspection_id AND r.pos = file.pos AND r.state = 'failed')) THEN
        RAISE EXCEPTION 'inspection % is signed', file.inspection_id USING ERRCODE = 'PD003';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_signed BEFORE INSERT OR UPDATE OR DELETE ON inspection_files
    FOR EACH ROW EXECUTE FUNCTION keep_signed_file();

-- An acceptance that was signed here says what was signed, of that device.
CREATE FUNCTION acceptance_repeats_inspection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM inspections i WHERE i.id = NEW.inspection_id
                   AND (i.device_id, i.outcome) = (NEW.device_id, NEW.outcome)) THEN
        RAISE EXCEPTION 'an acceptance of device % is not what was signed', NEW.device_id USING ERRCODE = 'PD004';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER repeats_inspection BEFORE INSERT OR UPDATE ON acceptances
    FOR EACH ROW WHEN (NEW.inspection_id IS NOT NULL) EXECUTE FUNCTION acceptance_repeats_inspection();
