-- Indexes of open tickets that hold what the queue's tabs and filters ask beside their order: an index alone counts.
DROP INDEX ix_tickets_open_assignee;
DROP INDEX ix_tickets_open_customer;
DROP INDEX ix_tickets_open_status;
DROP INDEX ix_tickets_open_priority;
CREATE INDEX ix_tickets_open_assignee ON tickets (assignee_id, due_key, id) INCLUDE (customer_id, status, priority)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_customer ON tickets (customer_id, due_key, id) INCLUDE (assignee_id, status, priority)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_status ON tickets (status, due_key, id) INCLUDE (assignee_id, customer_id, priority)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
CREATE INDEX ix_tickets_open_priority ON tickets ((CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END), due_key, id) INCLUDE (assignee_id, customer_id, status, priority)
    WHERE status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');
-- Those that nobody has: IS NULL tells the planner nothing about the order of an index that begins with the column.
CREATE INDEX ix_tickets_open_nobodys ON tickets (due_key, id) INCLUDE (customer_id, status, priority)
    WHERE assignee_id IS NULL
    AND status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor');

-- The words that tickets and customers are searched by: what is typed wrongly is compared with these few, not with
-- every ticket. A word stays when the last text with it goes. Two people who write a new one at the same time both
-- add it, which does no harm: a unique index would make the one wait for the other's transaction.
CREATE TABLE search_words (id serial CONSTRAINT pk_search_words PRIMARY KEY, word character varying NOT NULL);
CREATE FUNCTION words_of(search text) RETURNS SETOF text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT DISTINCT word FROM regexp_split_to_table(search, '[^[:alnum:]]+') AS word
    WHERE length(word) >= 3 AND word !~ '^[0-9]+$'
$$;
INSERT INTO search_words (word) SELECT DISTINCT found.word
    FROM (SELECT search FROM tickets UNION ALL SELECT search FROM customers) AS texts, words_of(search) AS found (word);
-- A hash: a word may be longer than a tree takes.
CREATE INDEX ix_search_words_word ON search_words USING hash (word);
CREATE INDEX ix_search_words_alike ON search_words USING gin (word gin_trgm_ops);

CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_words (word) SELECT DISTINCT found.word FROM written, words_of(written.search) AS found (word)
        WHERE NOT EXISTS (SELECT FROM search_words AS known WHERE known.word = found.word);
    RETURN NULL;
END $$;
CREATE FUNCTION learn_changed_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_words (word) SELECT found.word FROM words_of(NEW.search) AS found (word)
        WHERE NOT EXISTS (SELECT FROM search_words AS known WHERE known.word = found.word);
    RETURN NULL;
END $$;
CREATE TRIGGER learn_words AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION learn_words();
CREATE TRIGGER learn_words AFTER INSERT ON customers
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION learn_words();
CREATE TRIGGER learn_changed_words AFTER UPDATE ON tickets FOR EACH ROW
    WHEN (NEW.search IS DISTINCT FROM OLD.search) EXECUTE FUNCTION learn_changed_words();
CREATE TRIGGER learn_changed_words AFTER UPDATE ON customers FOR EACH ROW
    WHEN (NEW.search IS DISTINCT FROM OLD.search) EXECUTE FUNCTION learn_changed_words();

-- The planner thinks that reading all words is cheaper than their index, which at 50,000 of them takes fifty times
-- as long. Whether a pattern is part of any word:
CREATE FUNCTION is_part_of_a_word(pattern text) RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET enable_seqscan = off AS $$ SELECT EXISTS (SELECT FROM search_words WHERE word LIKE pattern) $$;
-- What is typed and the words most like it, each anywhere in a text.
CREATE FUNCTION near_words(typed text) RETURNS text[] LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET enable_seqscan = off SET pg_trgm.similarity_threshold = 0.4 AS $$
    SELECT array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%') FROM (
        SELECT typed AS word UNION ALL
        (SELECT word FROM (SELECT DISTINCT word FROM search_words WHERE word % typed) AS alike
         ORDER BY similarity(word, typed) DESC, word LIMIT 8)) AS words
$$;
