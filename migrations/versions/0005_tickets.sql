-- Text as it is searched: small letters, no accents, and ä, ae and a alike, so that Mueller finds Müller.
-- ptdash.domain.searching.fold does the same for what is typed.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE FUNCTION fold(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(replace(
        replace(replace(replace(replace(
            translate(regexp_replace(normalize(lower(value), NFKD), '[\u0300-\u036f]', '', 'g'), 'ıøđðł', 'ioddl'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
    'ae', 'a'), 'oe', 'o'), 'ue', 'u');

-- Whoever changes the business hours, the targets or the federal state: open tickets' deadlines are computed again.
CREATE FUNCTION forget_deadlines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets SET deadline_known = false
        WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
    RETURN NULL;
END $$;
CREATE TRIGGER forget_deadlines AFTER INSERT OR UPDATE ON settings FOR EACH ROW
    WHEN (NEW.key LIKE 'hours.%' OR NEW.key LIKE 'target.%' OR NEW.key = 'company.federal_state')
    EXECUTE FUNCTION forget_deadlines();
