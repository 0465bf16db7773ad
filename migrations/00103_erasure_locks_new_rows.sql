-- +goose Up
-- lock_people locks the donors and addresses of an erasure until the transaction ends. After it, every statement sees all rows about them that
-- will be inserted before the erasure: nobody inserts a link while the plan is locked, or a session while the mailbox is. The order of locks
-- is: erasures, sign_in, address, mailbox, plan, plan_link, session, letter_delivery, donor. Writers take them in this order too, and several
-- rows of a table in the order of their ids.
--
-- As in migration 00094; and it locks what was written between its locks on plans and deliveries and its lock on the donors. Whoever
-- holds such a row may wait for a donor (orders a delivery, changes a plan), so the erasure does not wait for the row: the statement fails with
-- lock_not_available, and the erasure is tried again. After the locks on the donors, nobody writes more.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_people(of_erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = of_erasure);
    emails text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- an erasure clears rows about people whom another one names
    emails := addresses_of(of_erasure, addresses);
    PERFORM id FROM sign_in WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM pg_advisory_xact_lock(hashtext('konbit address'), a.hash)
       FROM (SELECT DISTINCT hashtext(email) AS hash FROM unnest(emails) AS e (email) ORDER BY 1) a;
    PERFORM email FROM mailbox WHERE email = ANY(emails) ORDER BY email FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan_link WHERE donor_id = ANY(people) AND ended_at IS NULL ORDER BY id FOR UPDATE;
    PERFORM id FROM session WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM id FROM letter_delivery WHERE id IN (
            SELECT d.id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
             WHERE d.recipient <> '' AND l.subject_id IN (SELECT personal_subjects(of_erasure, people, emails, 'infinity'))
             UNION SELECT jsonb_array_elements_text(candidates -> 'letter_delivery')::uuid)
      ORDER BY id FOR UPDATE;
    PERFORM id FROM donor WHERE id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE NOWAIT;
    PERFORM id FROM letter_delivery WHERE id IN (
            SELECT d.id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
             WHERE d.recipient <> '' AND l.subject_id IN (SELECT personal_subjects(of_erasure, people, emails, 'infinity')))
      ORDER BY id FOR UPDATE NOWAIT;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_people(of_erasure uuid, addresses text[], candidates jsonb) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = of_erasure);
    emails text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit erasures')); -- an erasure clears rows about people whom another one names
    emails := addresses_of(of_erasure, addresses);
    PERFORM id FROM sign_in WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM pg_advisory_xact_lock(hashtext('konbit address'), a.hash)
       FROM (SELECT DISTINCT hashtext(email) AS hash FROM unnest(emails) AS e (email) ORDER BY 1) a;
    PERFORM email FROM mailbox WHERE email = ANY(emails) ORDER BY email FOR UPDATE;
    PERFORM id FROM plan WHERE donor_id = ANY(people) ORDER BY id FOR UPDATE;
    PERFORM id FROM plan_link WHERE donor_id = ANY(people) AND ended_at IS NULL ORDER BY id FOR UPDATE;
    PERFORM id FROM session WHERE email = ANY(emails) ORDER BY id FOR UPDATE;
    PERFORM id FROM letter_delivery WHERE id IN (
            SELECT d.id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id
             WHERE d.recipient <> '' AND l.subject_id IN (SELECT personal_subjects(of_erasure, people, emails, 'infinity'))
             UNION SELECT jsonb_array_elements_text(candidates -> 'letter_delivery')::uuid)
      ORDER BY id FOR UPDATE;
    PERFORM id FROM donor WHERE id = ANY(people) ORDER BY id FOR UPDATE;
END $$;
-- +goose StatementEnd
