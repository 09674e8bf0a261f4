-- What was issued stays as it is for eight years and longer; failures and archives are work in progress.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['invoice_xmls', 'invoice_pdfs']
    LOOP
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;

-- An attempt that said DATA, or that ended, stays what it was.
CREATE FUNCTION keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.outcome IS NOT NULL
            OR (NEW.message_id, NEW.n, NEW.started_at) <> (OLD.message_id, OLD.n, OLD.started_at)
            OR (OLD.data_at IS NOT NULL AND NEW.data_at IS DISTINCT FROM OLD.data_at) THEN
        RAISE EXCEPTION 'attempt % of message % is over', OLD.n, OLD.message_id USING ERRCODE = 'PD003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_attempt BEFORE UPDATE OR DELETE ON delivery_attempts
    FOR EACH ROW EXECUTE FUNCTION keep_attempt();

-- A message that was handed to a server stays what it was: only its state, and that it came back, are added.
CREATE FUNCTION keep_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.once, NEW.recipient, NEW.subject, NEW.body, NEW.message_id)
            IS DISTINCT FROM (OLD.once, OLD.recipient, OLD.subject, OLD.body, OLD.message_id)
            OR (OLD.state = 'sent' AND NEW.state <> 'sent') THEN
        RAISE EXCEPTION 'message % is on its way', OLD.id USING ERRCODE = 'PD003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_message BEFORE UPDATE OR DELETE ON outbox_messages
    FOR EACH ROW WHEN (OLD.state IN ('sending', 'sent', 'unclear', 'refused')) EXECUTE FUNCTION keep_message();
