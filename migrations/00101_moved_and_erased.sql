-- +goose Up
-- The move of gifts (migrations 00096 and 00098) and the erasure of their donors: what both left behind.

-- address_is_unused returns true if an address is a donor's only in a row that a move left empty: nobody proved the address, and no donor with
-- it, in any legal entity, has a donation that was paid or is on its way, or a form that donation.Purge has not cleared yet.
CREATE FUNCTION address_is_unused(the_address text) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM mailbox m WHERE m.email = the_address)
       AND NOT EXISTS (SELECT FROM session s WHERE s.email = the_address AND s.ended_at IS NULL)
       AND NOT EXISTS (SELECT FROM legal_entity e JOIN donor o ON o.entity_id = e.id AND o.email = the_address JOIN donation g ON g.donor_id = o.id
                        WHERE g.status IN ('processing', 'settled', 'held') OR EXISTS (SELECT FROM donation_contact c WHERE c.donation_id = g.id))
$$;

-- mistyped_of returns the donors who owned, before a move, what the donors of an erasure own now, if nobody uses their address. It was mistyped
-- and is often the person's own, misspelt, so the erasure takes it too. They are erased with the person and do not wait longer than the person.
CREATE FUNCTION mistyped_of(of_erasure uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT DISTINCT d.id FROM erasure_donor n JOIN donation g ON g.donor_id = n.donor_id JOIN donation_owner_change c ON c.donation_id = g.id
      JOIN donor d ON d.id = c.from_donor WHERE n.erasure_id = of_erasure AND d.id <> n.donor_id AND d.email IS NOT NULL AND address_is_unused(d.email)
$$;

-- As before; a donor of mistyped_of, whom the server's role names just before it erases, does not begin the wait anew.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := is_owner();
    allowed  server_limit;
    people   integer;
BEGIN
    IF NOT by_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role erases in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- one count at a time
    IF NOT by_owner THEN -- what is counted does not change until it is erased; the program has these locks
        PERFORM d.id FROM donor d JOIN erasure_donor n ON n.donor_id = d.id WHERE n.erasure_id = erasure ORDER BY d.id FOR NO KEY UPDATE OF d NOWAIT;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(addresses) a WHERE a IS NULL OR a !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$') THEN
        RAISE EXCEPTION 'erasure % is given what is no address', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    SELECT count(*) INTO people FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
     WHERE n.erasure_id = erasure AND (d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid'
            OR NOT EXISTS (SELECT FROM erasure_donor x WHERE x.donor_id = n.donor_id AND x.erased_at IS NOT NULL));
    people := people + cardinality(addresses);
    IF NOT by_owner THEN
        SELECT * INTO allowed FROM server_limit;
        IF (SELECT max(t.recorded_at) FROM (
                SELECT e.recorded_at FROM erasure e WHERE e.id = erasure
                UNION ALL SELECT n.recorded_at FROM erasure_donor n WHERE n.erasure_id = erasure AND n.donor_id NOT IN (SELECT mistyped_of(erasure))
                UNION ALL SELECT a.recorded_at FROM erasure_address a WHERE a.erasure_id = erasure) t)
           > clock_timestamp() - allowed.erasure_delay THEN
            RAISE EXCEPTION 'erasure % waits: it is due % after the database recorded it', erasure, allowed.erasure_delay
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_due';
        END IF;
        IF cardinality(addresses) > (SELECT count(*) FROM erasure_address a WHERE a.erasure_id = erasure) THEN
            RAISE EXCEPTION 'erasure % names fewer addresses', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
        END IF;
        IF people > 0 AND people + (SELECT coalesce(sum(d.people), 0) FROM erasure_done d WHERE d.at > clock_timestamp() - interval '24 hours' AND NOT d.by_owner)
           > allowed.erased_a_day THEN
            RAISE EXCEPTION 'erasure % waits: the server erases at most % people in 24 hours', erasure, allowed.erased_a_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasures_a_day';
        END IF;
    END IF;
    UPDATE erasure_donor n SET erased_at = clock_timestamp() WHERE n.erasure_id = erasure AND n.erased_at IS NULL;
    INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (erasure, people, by_owner);
END $$;
-- +goose StatementEnd

-- A17. As before; and the mistyped address of an erased donor.
CREATE OR REPLACE VIEW check_erased_person AS
WITH erased AS MATERIALIZED (
    SELECT n.donor_id AS id, max(n.erased_at) AS at FROM erasure_donor n WHERE n.erased_at IS NOT NULL GROUP BY n.donor_id
), gift AS MATERIALIZED (
    SELECT g.id, g.entity_id, x.at FROM erased x JOIN donation g ON g.donor_id = x.id
), of_plan AS MATERIALIZED (
    SELECT p.id, p.entity_id, x.at FROM erased x JOIN plan p ON p.donor_id = x.id
), receipts AS MATERIALIZED (
    SELECT r.id, g.entity_id, g.at, r.facts FROM gift g JOIN receipt r ON r.donation_id = g.id
), of_statement AS MATERIALIZED (
    SELECT s.id, s.entity_id, x.at FROM erased x JOIN statement s ON s.donor_id = x.id
), email AS MATERIALIZED (
    SELECT l.id, l.entity_id, s.at, l.message FROM (
        SELECT id, at FROM gift UNION ALL SELECT id, at FROM receipts UNION ALL SELECT id, at FROM of_statement
         UNION ALL SELECT n.id, g.at FROM gift g JOIN donation_notice n ON n.donation_id = g.id
         UNION ALL SELECT e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id
         UNION ALL SELECT n.erasure_id, x.at FROM erased x JOIN erasure_donor n ON n.donor_id = x.id) s
      JOIN letter l ON l.subject_id = s.id
), found AS (
    SELECT d.entity_id, 'donor ' || d.id AS subject, x.at FROM erased x JOIN donor d ON d.id = x.id
     WHERE d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid' OR d.news_consented_at IS NOT NULL
        OR concat(d.first_name, d.last_name, d.organisation_name, d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country) <> ''
    UNION ALL SELECT g.entity_id, 'donation_contact ' || g.id, g.at FROM gift g JOIN donation_contact c ON c.donation_id = g.id
    UNION ALL SELECT r.entity_id, 'receipt ' || r.id, r.at FROM receipts r WHERE r.facts <> personless(r.facts)
    UNION ALL SELECT s.entity_id, 'statement_person ' || s.id, s.at FROM of_statement s JOIN statement_person p ON p.statement_id = s.id
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> ''
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
     WHERE lower(d.recipient) = '' AND d.cause = 'first' AND l.message <> '' AND l.message <> unaddressed(l.message)
    UNION ALL SELECT d.entity_id, 'donor ' || d.id, g.at
      FROM gift g JOIN donation_owner_change c ON c.donation_id = g.id JOIN donor d ON d.id = c.from_donor
     WHERE d.email <> 'forgotten-' || d.id || '@invalid' AND address_is_unused(d.email)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases. Or Purge forgot a donor who paid later
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');

-- donations_with_address returns those of the donations whose donor has an address now.
CREATE FUNCTION donations_with_address(gifts uuid[]) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT g.id FROM donation g JOIN donor d ON d.id = g.donor_id WHERE g.id = ANY(gifts) AND d.email <> 'forgotten-' || d.id || '@invalid'
$$;

-- gave_card returns true if a donor opened Stripe's page for a new card of a customer last. Older events have no donor but the plan's.
CREATE FUNCTION gave_card(of_entity uuid, customer text, the_donor uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT coalesce(e.detail ->> 'donor', m.donor_id::text) = the_donor::text FROM plan m JOIN plan_event e ON e.plan_id = m.id
                      WHERE m.entity_id = of_entity AND m.customer_id = customer AND e.kind = 'new card asked for' AND e.detail ->> 'customer' = customer
                      ORDER BY e.at DESC, e.id LIMIT 1), false)
$$;

-- may_pay_for_another returns true if the card of a running plan may be of another person than its donor: a card was given after the first
-- payment, or is about to be charged, or a plan of another donor is charged to the same customer at Stripe; and not the donor gave one last.
CREATE FUNCTION may_pay_for_another(of_plan uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM plan p WHERE p.id = of_plan AND p.status IN ('active', 'paused') AND NOT gave_card(p.entity_id, p.customer_id, p.donor_id)
        AND (EXISTS (SELECT FROM plan_event e WHERE e.plan_id = p.id AND e.kind = 'card mended')
          OR EXISTS (SELECT FROM plan_request r WHERE r.plan_id = p.id AND r.kind IN ('card', 'move') AND r.carried_at IS NULL AND r.refused IS NULL)
          OR EXISTS (SELECT FROM plan o WHERE o.entity_id = p.entity_id AND o.customer_id = p.customer_id AND o.donor_id <> p.donor_id AND o.status IN ('active', 'paused'))))
$$;

-- Emails about a moved gift that a mail server accepted for the address before after the move. A worker of the release before 00096 may send
-- one while both run. konbit doctor lists them; the view and its line there go one release later.
CREATE VIEW email_after_move AS
SELECT d.id AS delivery_id, l.kind, c.donation_id, c.at AS moved_at, d.accepted_at
  FROM donation_owner_change c JOIN donor f ON f.id = c.from_donor
  CROSS JOIN LATERAL (SELECT r.id FROM receipt r WHERE r.donation_id = c.donation_id
            UNION ALL SELECT n.id FROM donation_notice n WHERE n.donation_id = c.donation_id
            UNION ALL SELECT e.id FROM plan_event e WHERE e.plan_id = c.donation_id) s
  JOIN letter l ON l.subject_id = s.id JOIN letter_delivery d ON d.letter_id = l.id
 WHERE d.accepted_at > c.at AND lower(d.recipient) = f.email
   AND NOT EXISTS (SELECT FROM donation_owner_change b WHERE b.donation_id = c.donation_id AND b.to_donor = c.from_donor AND b.n > c.n AND b.at < d.accepted_at);

-- Running plans that migration 00098 moved to a donor without an address: nobody gets emails about them. Finance finds the address.
INSERT INTO finance_task (id, entity_id, kind, subject, opened_at)
SELECT gen_random_uuid(), p.entity_id, 'plan_without_address', p.id::text, now() FROM plan p JOIN donor d ON d.id = p.donor_id
 WHERE p.status IN ('active', 'paused') AND d.email IS NULL AND EXISTS (SELECT FROM donation_owner_change c WHERE c.donation_id = p.id AND c.to_donor = p.donor_id)
ON CONFLICT DO NOTHING;

-- +goose Down
DROP VIEW email_after_move;
CREATE OR REPLACE VIEW check_erased_person AS
WITH erased AS MATERIALIZED (
    SELECT n.donor_id AS id, max(n.erased_at) AS at FROM erasure_donor n WHERE n.erased_at IS NOT NULL GROUP BY n.donor_id
), gift AS MATERIALIZED (
    SELECT g.id, g.entity_id, x.at FROM erased x JOIN donation g ON g.donor_id = x.id
), of_plan AS MATERIALIZED (
    SELECT p.id, p.entity_id, x.at FROM erased x JOIN plan p ON p.donor_id = x.id
), receipts AS MATERIALIZED (
    SELECT r.id, g.entity_id, g.at, r.facts FROM gift g JOIN receipt r ON r.donation_id = g.id
), of_statement AS MATERIALIZED (
    SELECT s.id, s.entity_id, x.at FROM erased x JOIN statement s ON s.donor_id = x.id
), email AS MATERIALIZED (
    SELECT l.id, l.entity_id, s.at, l.message FROM (
        SELECT id, at FROM gift UNION ALL SELECT id, at FROM receipts UNION ALL SELECT id, at FROM of_statement
         UNION ALL SELECT n.id, g.at FROM gift g JOIN donation_notice n ON n.donation_id = g.id
         UNION ALL SELECT e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id
         UNION ALL SELECT n.erasure_id, x.at FROM erased x JOIN erasure_donor n ON n.donor_id = x.id) s
      JOIN letter l ON l.subject_id = s.id
), found AS (
    SELECT d.entity_id, 'donor ' || d.id AS subject, x.at FROM erased x JOIN donor d ON d.id = x.id
     WHERE d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid' OR d.news_consented_at IS NOT NULL
        OR concat(d.first_name, d.last_name, d.organisation_name, d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country) <> ''
    UNION ALL SELECT g.entity_id, 'donation_contact ' || g.id, g.at FROM gift g JOIN donation_contact c ON c.donation_id = g.id
    UNION ALL SELECT r.entity_id, 'receipt ' || r.id, r.at FROM receipts r WHERE r.facts <> personless(r.facts)
    UNION ALL SELECT s.entity_id, 'statement_person ' || s.id, s.at FROM of_statement s JOIN statement_person p ON p.statement_id = s.id
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> ''
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
     WHERE lower(d.recipient) = '' AND d.cause = 'first' AND l.message <> '' AND l.message <> unaddressed(l.message)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases. Or Purge forgot a donor who paid later
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := is_owner();
    allowed  server_limit;
    people   integer;
BEGIN
    IF NOT by_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role erases in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- one count at a time
    IF NOT by_owner THEN -- what is counted does not change until it is erased; the program has these locks
        PERFORM d.id FROM donor d JOIN erasure_donor n ON n.donor_id = d.id WHERE n.erasure_id = erasure ORDER BY d.id FOR NO KEY UPDATE OF d NOWAIT;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(addresses) a WHERE a IS NULL OR a !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$') THEN
        RAISE EXCEPTION 'erasure % is given what is no address', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    SELECT count(*) INTO people FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
     WHERE n.erasure_id = erasure AND (d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid'
            OR NOT EXISTS (SELECT FROM erasure_donor x WHERE x.donor_id = n.donor_id AND x.erased_at IS NOT NULL));
    people := people + cardinality(addresses);
    IF NOT by_owner THEN
        SELECT * INTO allowed FROM server_limit;
        IF (SELECT max(t.recorded_at) FROM (
                SELECT e.recorded_at FROM erasure e WHERE e.id = erasure
                UNION ALL SELECT n.recorded_at FROM erasure_donor n WHERE n.erasure_id = erasure
                UNION ALL SELECT a.recorded_at FROM erasure_address a WHERE a.erasure_id = erasure) t)
           > clock_timestamp() - allowed.erasure_delay THEN
            RAISE EXCEPTION 'erasure % waits: it is due % after the database recorded it', erasure, allowed.erasure_delay
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_due';
        END IF;
        IF cardinality(addresses) > (SELECT count(*) FROM erasure_address a WHERE a.erasure_id = erasure) THEN
            RAISE EXCEPTION 'erasure % names fewer addresses', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_names_them';
        END IF;
        IF people > 0 AND people + (SELECT coalesce(sum(d.people), 0) FROM erasure_done d WHERE d.at > clock_timestamp() - interval '24 hours' AND NOT d.by_owner)
           > allowed.erased_a_day THEN
            RAISE EXCEPTION 'erasure % waits: the server erases at most % people in 24 hours', erasure, allowed.erased_a_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasures_a_day';
        END IF;
    END IF;
    UPDATE erasure_donor n SET erased_at = clock_timestamp() WHERE n.erasure_id = erasure AND n.erased_at IS NULL;
    INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (erasure, people, by_owner);
END $$;
-- +goose StatementEnd
DROP FUNCTION mistyped_of, address_is_unused, donations_with_address, may_pay_for_another, gave_card;
