-- +goose NO TRANSACTION
-- +goose Up
-- Two functions, each a statement that may be repeated.

-- The move of a gift takes a postal address along (migration 00096 has the rest): a new donor gets the one that was typed with the gift, and what the
-- donor before told the office, if no paid gift of theirs is left. Before, that was deleted.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_owner boolean := is_owner();
    g        record;
    entity   uuid;
    newest   record;
    papers   uuid[];
BEGIN
    IF NOT as_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role moves gifts in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    IF address IS NULL AND NOT as_owner OR address <> lower(address) OR address !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' OR address ~ '@invalid$' THEN
        RAISE EXCEPTION 'a gift moves to an address' USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_address';
    END IF;
    PERFORM lock_gift(of_receipt, address);
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    IF g.donation IS NULL THEN
        RAISE EXCEPTION 'there is no receipt %', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_receipt';
    END IF;
    SELECT d.entity_id INTO entity FROM donation d WHERE d.id = g.donation;
    from_donor := g.donor;
    plan := g.whole;
    moved := 0;
    SELECT d.id INTO to_donor FROM donor d WHERE d.entity_id = entity AND d.email = address;
    IF to_donor = from_donor THEN
        RETURN;
    END IF;
    PERFORM d.id FROM donor d WHERE d.id IN (from_donor, to_donor) ORDER BY d.id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM donor d WHERE d.id = to_donor AND d.email = address) THEN
        to_donor := NULL; -- the donor was removed before the lock: nobody has the address now
    END IF;
    IF EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id IN (from_donor, to_donor) AND e.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the donor of receipt % was erased', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_is_not_erased';
    END IF;
    IF NOT as_owner THEN
        PERFORM pg_advisory_xact_lock(hashtext('konbit moves')); -- one count at a time
        IF (SELECT count(DISTINCT c.recorded_in) FROM donation_owner_change c WHERE c.at > clock_timestamp() - interval '24 hours' AND NOT c.by_owner)
           >= (SELECT l.moved_a_day FROM server_limit l) THEN
            RAISE EXCEPTION 'the server''s role moved as many gifts today as it may' USING ERRCODE = 'check_violation', CONSTRAINT = 'moves_a_day';
        END IF;
    END IF;
    IF to_donor IS NULL THEN
        INSERT INTO donor AS d (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        SELECT new_donor, entity, address, coalesce(c.first_name, ''), coalesce(c.last_name, ''), n.language, clock_timestamp(),
               CASE WHEN c.organisation_name <> '' THEN o.kind ELSE 'person' END, CASE WHEN o.kind = 'organisation' THEN coalesce(c.organisation_name, '') ELSE '' END
          FROM donation n JOIN donor o ON o.id = n.donor_id LEFT JOIN donation_contact c ON c.donation_id = n.id WHERE n.id = g.donation
        ON CONFLICT (entity_id, email) DO NOTHING;
        SELECT d.id INTO STRICT to_donor FROM donor d WHERE d.id = new_donor OR d.entity_id = entity AND d.email = address FOR NO KEY UPDATE;
    END IF;
    INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
    SELECT id, entity, move_gift.from_donor, move_gift.to_donor, of_receipt, by, why, as_owner FROM unnest(g.gifts) WITH ORDINALITY AS u (id, n) ORDER BY n;
    UPDATE donation d SET donor_id = move_gift.to_donor WHERE d.id = ANY(g.gifts);
    UPDATE plan p SET donor_id = move_gift.to_donor WHERE p.id = g.whole;
    UPDATE plan_link l SET donor_id = move_gift.to_donor WHERE l.plan_id = g.whole AND l.ended_at IS NULL;
    UPDATE donation_contact c SET email = coalesce(address, '') WHERE c.donation_id = ANY(g.gifts) AND lower(c.email) IS DISTINCT FROM coalesce(address, '');
    moved := cardinality(g.gifts);

    UPDATE donor d SET first_name = c.first_name, last_name = c.last_name, language = n.language
      FROM donation n JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.id = g.donation AND d.id = move_gift.to_donor AND d.said_at IS NULL AND d.kind = 'person' AND d.first_name = '' AND d.last_name = '';
    UPDATE donor d SET first_gift_at = least(d.first_gift_at, m.at),
           news_consented_at = coalesce(d.news_consented_at, CASE WHEN NOT EXISTS (SELECT FROM donor_consent c
               WHERE c.donor_id IN (d.id, move_gift.from_donor) AND c.kind = 'news' AND NOT c.given AND c.at > m.news) THEN m.news END)
      FROM (SELECT min(n.charged_at) AS at, min(n.charged_at) FILTER (WHERE n.news) AS news FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled') m
     WHERE d.id = move_gift.to_donor;

    UPDATE donor d SET address_line1 = c.address_line1, address_line2 = c.address_line2, city = c.city, region = c.region, postal_code = c.postal_code, country = c.country
      FROM (SELECT t.* FROM donation n JOIN donation_contact t ON t.donation_id = n.id WHERE n.id = ANY(g.gifts) AND (t.address_line1 <> '' OR t.city <> '')
             ORDER BY n.charged_at DESC NULLS LAST, n.id LIMIT 1) c
     WHERE d.id = move_gift.to_donor AND d.id = new_donor;

    SELECT c.first_name, c.last_name, c.organisation_name, n.language INTO newest
      FROM donation n LEFT JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.donor_id = from_donor AND n.status = 'settled' ORDER BY n.charged_at DESC, n.id LIMIT 1;
    IF FOUND THEN
        UPDATE donor d SET first_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.first_name, '') ELSE d.first_name END,
               last_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.last_name, '') ELSE d.last_name END,
               organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' THEN coalesce(newest.organisation_name, '') ELSE d.organisation_name END,
               language = CASE WHEN d.said_at IS NULL THEN newest.language ELSE d.language END
         WHERE d.id = from_donor;
    ELSE
        UPDATE donor d SET address_line1 = o.address_line1, address_line2 = o.address_line2, city = o.city, region = o.region, postal_code = o.postal_code,
               country = o.country, phone = CASE WHEN d.phone = '' THEN o.phone ELSE d.phone END,
               said_at = CASE WHEN d.id = new_donor THEN o.said_at ELSE d.said_at END,
               first_name = CASE WHEN d.id = new_donor AND o.said_at IS NOT NULL THEN o.first_name ELSE d.first_name END,
               last_name = CASE WHEN d.id = new_donor AND o.said_at IS NOT NULL THEN o.last_name ELSE d.last_name END
          FROM donor o
         WHERE o.id = from_donor AND d.id = move_gift.to_donor AND d.said_at IS NULL AND (o.address_line1 <> '' OR o.city <> '')
           AND NOT EXISTS (SELECT FROM mailbox m WHERE m.email = o.email) -- else somebody else may have told it
           AND (d.id = new_donor OR d.address_line1 = '' AND d.city = '');
        UPDATE donor d SET kind = 'person', first_name = '', last_name = '', organisation_name = '', phone = '', address_line1 = '', address_line2 = '',
               city = '', region = '', postal_code = '', country = '', said_at = NULL
         WHERE d.id = from_donor;
    END IF;
    UPDATE donor d SET first_gift_at = (SELECT min(n.charged_at) FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled'),
           news_consented_at = CASE WHEN EXISTS (SELECT FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled' AND n.news)
               OR coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = 'news' ORDER BY c.n DESC LIMIT 1), false)
               THEN d.news_consented_at END
     WHERE d.id = from_donor;

    papers := ARRAY(SELECT s.id FROM statement s WHERE s.donor_id = from_donor AND s.year IN (
                       SELECT extract(year FROM n.tax_date) FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled'));
    IF papers <> '{}' THEN
        PERFORM set_config('konbit.erasing', 'yes', true);
        DELETE FROM statement_person p WHERE p.statement_id = ANY(papers);
        UPDATE letter l SET message = '', difference = NULL WHERE l.subject_id = ANY(papers) AND (l.message <> '' OR l.difference IS NOT NULL);
        UPDATE letter_delivery d SET declined_at = now()
          FROM letter l WHERE l.id = d.letter_id AND l.subject_id = ANY(papers) AND num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) = 0;
        PERFORM set_config('konbit.erasing', '', true);
    END IF;
END $$;
-- +goose StatementEnd

-- change_role as in migration 00120, but the end of a role takes effect at once: whoever lost their trust, or their phone, must not go on for two weeks
-- until a second admin looks. The end of an admin still needs the second one, where there is one: else one admin could end the others one by one, and
-- then grant roles alone.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION change_role(act text, new_id uuid, of_staff uuid, named text, entity uuid, organisation uuid, request uuid DEFAULT NULL) RETURNS void
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor     uuid := staff_actor();
    emergency boolean := EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff roles'), hashtext(entity::text));
    IF actor IS NOT NULL THEN
        IF emergency AND act = 'grant' AND named IS DISTINCT FROM 'admin' THEN
            PERFORM refuse_staff('emergency_grants_admin', 'an emergency access grants the role admin alone');
        END IF;
        IF NOT staff_has_role(actor, '{admin}', entity, organisation) THEN
            PERFORM refuse_staff('staff_is_admin', 'only an admin of the scope changes roles');
        END IF;
        IF staff_person_of(actor) = staff_person_of(of_staff) THEN
            PERFORM refuse_staff('role_is_of_another', 'nobody changes a role of their own');
        END IF;
        IF NOT emergency AND EXISTS (SELECT FROM staff_admins(entity, organisation) a WHERE a NOT IN (staff_person_of(actor), staff_person_of(of_staff)))
           AND (act IS DISTINCT FROM 'end' OR named = 'admin') AND NOT role_change_is_approved(request, act, of_staff, named, entity, organisation) THEN
            PERFORM refuse_staff('role_has_second_admin', 'a second admin approves a change of roles');
        END IF;
    END IF;
    IF EXISTS (SELECT FROM staff m WHERE m.id = of_staff AND (m.disabled_at IS NOT NULL AND act <> 'grant' OR m.break_glass)) THEN
        PERFORM refuse_staff('staff_is_enabled', 'this person is disabled');
    END IF;
    IF act = 'end' AND request IS NOT NULL AND named <> 'admin' THEN -- one that was approved before, or waits
        PERFORM role_change_is_approved(request, act, of_staff, named, entity, organisation);
    END IF;
    IF act = 'grant' THEN
        UPDATE staff m SET disabled_at = NULL WHERE m.id = of_staff AND m.disabled_at IS NOT NULL;
        INSERT INTO staff_role (id, staff_id, entity_id, organisation_id, role, granted_by) VALUES (new_id, of_staff, entity, organisation, named, actor);
    ELSIF act = 'end' THEN
        UPDATE staff_role r SET ended_at = clock_timestamp(), ended_by = actor WHERE r.staff_id = of_staff AND r.entity_id = entity
           AND r.organisation_id IS NOT DISTINCT FROM organisation AND r.role = named AND r.ended_at IS NULL;
        IF NOT FOUND THEN
            PERFORM refuse_staff('role_is_held', 'this person does not hold the role');
        END IF;
    ELSE
        PERFORM refuse_staff('role_change_is_known', 'a role is granted or ended');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION change_role(act text, new_id uuid, of_staff uuid, named text, entity uuid, organisation uuid, request uuid DEFAULT NULL) RETURNS void
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor     uuid := staff_actor();
    emergency boolean := EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff roles'), hashtext(entity::text));
    IF actor IS NOT NULL THEN
        IF emergency AND act = 'grant' AND named IS DISTINCT FROM 'admin' THEN
            PERFORM refuse_staff('emergency_grants_admin', 'an emergency access grants the role admin alone');
        END IF;
        IF NOT staff_has_role(actor, '{admin}', entity, organisation) THEN
            PERFORM refuse_staff('staff_is_admin', 'only an admin of the scope changes roles');
        END IF;
        IF staff_person_of(actor) = staff_person_of(of_staff) THEN
            PERFORM refuse_staff('role_is_of_another', 'nobody changes a role of their own');
        END IF;
        IF NOT emergency AND EXISTS (SELECT FROM staff_admins(entity, organisation) a WHERE a NOT IN (staff_person_of(actor), staff_person_of(of_staff)))
           AND NOT role_change_is_approved(request, act, of_staff, named, entity, organisation) THEN
            PERFORM refuse_staff('role_has_second_admin', 'a second admin approves a change of roles');
        END IF;
    END IF;
    IF EXISTS (SELECT FROM staff m WHERE m.id = of_staff AND (m.disabled_at IS NOT NULL AND act <> 'grant' OR m.break_glass)) THEN
        PERFORM refuse_staff('staff_is_enabled', 'this person is disabled');
    END IF;
    IF act = 'grant' THEN
        UPDATE staff m SET disabled_at = NULL WHERE m.id = of_staff AND m.disabled_at IS NOT NULL;
        INSERT INTO staff_role (id, staff_id, entity_id, organisation_id, role, granted_by) VALUES (new_id, of_staff, entity, organisation, named, actor);
    ELSIF act = 'end' THEN
        UPDATE staff_role r SET ended_at = clock_timestamp(), ended_by = actor WHERE r.staff_id = of_staff AND r.entity_id = entity
           AND r.organisation_id IS NOT DISTINCT FROM organisation AND r.role = named AND r.ended_at IS NULL;
        IF NOT FOUND THEN
            PERFORM refuse_staff('role_is_held', 'this person does not hold the role');
        END IF;
    ELSE
        PERFORM refuse_staff('role_change_is_known', 'a role is granted or ended');
    END IF;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_owner boolean := is_owner();
    g        record;
    entity   uuid;
    newest   record;
    papers   uuid[];
BEGIN
    IF NOT as_owner AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the server''s role moves gifts in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    IF address IS NULL AND NOT as_owner OR address <> lower(address) OR address !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' OR address ~ '@invalid$' THEN
        RAISE EXCEPTION 'a gift moves to an address' USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_address';
    END IF;
    PERFORM lock_gift(of_receipt, address);
    SELECT * INTO g FROM gift_of_receipt(of_receipt);
    IF g.donation IS NULL THEN
        RAISE EXCEPTION 'there is no receipt %', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_has_receipt';
    END IF;
    SELECT d.entity_id INTO entity FROM donation d WHERE d.id = g.donation;
    from_donor := g.donor;
    plan := g.whole;
    moved := 0;
    SELECT d.id INTO to_donor FROM donor d WHERE d.entity_id = entity AND d.email = address;
    IF to_donor = from_donor THEN
        RETURN;
    END IF;
    PERFORM d.id FROM donor d WHERE d.id IN (from_donor, to_donor) ORDER BY d.id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM donor d WHERE d.id = to_donor AND d.email = address) THEN
        to_donor := NULL; -- the donor was removed before the lock: nobody has the address now
    END IF;
    IF EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id IN (from_donor, to_donor) AND e.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the donor of receipt % was erased', of_receipt USING ERRCODE = 'check_violation', CONSTRAINT = 'moved_gift_is_not_erased';
    END IF;
    IF NOT as_owner THEN
        PERFORM pg_advisory_xact_lock(hashtext('konbit moves')); -- one count at a time
        IF (SELECT count(DISTINCT c.recorded_in) FROM donation_owner_change c WHERE c.at > clock_timestamp() - interval '24 hours' AND NOT c.by_owner)
           >= (SELECT l.moved_a_day FROM server_limit l) THEN
            RAISE EXCEPTION 'the server''s role moved as many gifts today as it may' USING ERRCODE = 'check_violation', CONSTRAINT = 'moves_a_day';
        END IF;
    END IF;
    IF to_donor IS NULL THEN
        INSERT INTO donor AS d (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
        SELECT new_donor, entity, address, coalesce(c.first_name, ''), coalesce(c.last_name, ''), n.language, clock_timestamp(),
               CASE WHEN c.organisation_name <> '' THEN o.kind ELSE 'person' END, CASE WHEN o.kind = 'organisation' THEN coalesce(c.organisation_name, '') ELSE '' END
          FROM donation n JOIN donor o ON o.id = n.donor_id LEFT JOIN donation_contact c ON c.donation_id = n.id WHERE n.id = g.donation
        ON CONFLICT (entity_id, email) DO NOTHING;
        SELECT d.id INTO STRICT to_donor FROM donor d WHERE d.id = new_donor OR d.entity_id = entity AND d.email = address FOR NO KEY UPDATE;
    END IF;
    INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
    SELECT id, entity, move_gift.from_donor, move_gift.to_donor, of_receipt, by, why, as_owner FROM unnest(g.gifts) WITH ORDINALITY AS u (id, n) ORDER BY n;
    UPDATE donation d SET donor_id = move_gift.to_donor WHERE d.id = ANY(g.gifts);
    UPDATE plan p SET donor_id = move_gift.to_donor WHERE p.id = g.whole;
    UPDATE plan_link l SET donor_id = move_gift.to_donor WHERE l.plan_id = g.whole AND l.ended_at IS NULL;
    UPDATE donation_contact c SET email = coalesce(address, '') WHERE c.donation_id = ANY(g.gifts) AND lower(c.email) IS DISTINCT FROM coalesce(address, '');
    moved := cardinality(g.gifts);

    UPDATE donor d SET first_name = c.first_name, last_name = c.last_name, language = n.language
      FROM donation n JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.id = g.donation AND d.id = move_gift.to_donor AND d.said_at IS NULL AND d.kind = 'person' AND d.first_name = '' AND d.last_name = '';
    UPDATE donor d SET first_gift_at = least(d.first_gift_at, m.at),
           news_consented_at = coalesce(d.news_consented_at, CASE WHEN NOT EXISTS (SELECT FROM donor_consent c
               WHERE c.donor_id IN (d.id, move_gift.from_donor) AND c.kind = 'news' AND NOT c.given AND c.at > m.news) THEN m.news END)
      FROM (SELECT min(n.charged_at) AS at, min(n.charged_at) FILTER (WHERE n.news) AS news FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled') m
     WHERE d.id = move_gift.to_donor;

    SELECT c.first_name, c.last_name, c.organisation_name, n.language INTO newest
      FROM donation n LEFT JOIN donation_contact c ON c.donation_id = n.id
     WHERE n.donor_id = from_donor AND n.status = 'settled' ORDER BY n.charged_at DESC, n.id LIMIT 1;
    IF FOUND THEN
        UPDATE donor d SET first_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.first_name, '') ELSE d.first_name END,
               last_name = CASE WHEN d.said_at IS NULL THEN coalesce(newest.last_name, '') ELSE d.last_name END,
               organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' THEN coalesce(newest.organisation_name, '') ELSE d.organisation_name END,
               language = CASE WHEN d.said_at IS NULL THEN newest.language ELSE d.language END
         WHERE d.id = from_donor;
    ELSE
        UPDATE donor d SET kind = 'person', first_name = '', last_name = '', organisation_name = '', phone = '', address_line1 = '', address_line2 = '',
               city = '', region = '', postal_code = '', country = '', said_at = NULL
         WHERE d.id = from_donor;
    END IF;
    UPDATE donor d SET first_gift_at = (SELECT min(n.charged_at) FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled'),
           news_consented_at = CASE WHEN EXISTS (SELECT FROM donation n WHERE n.donor_id = d.id AND n.status = 'settled' AND n.news)
               OR coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = 'news' ORDER BY c.n DESC LIMIT 1), false)
               THEN d.news_consented_at END
     WHERE d.id = from_donor;

    papers := ARRAY(SELECT s.id FROM statement s WHERE s.donor_id = from_donor AND s.year IN (
                       SELECT extract(year FROM n.tax_date) FROM donation n WHERE n.id = ANY(g.gifts) AND n.status = 'settled'));
    IF papers <> '{}' THEN
        PERFORM set_config('konbit.erasing', 'yes', true);
        DELETE FROM statement_person p WHERE p.statement_id = ANY(papers);
        UPDATE letter l SET message = '', difference = NULL WHERE l.subject_id = ANY(papers) AND (l.message <> '' OR l.difference IS NOT NULL);
        UPDATE letter_delivery d SET declined_at = now()
          FROM letter l WHERE l.id = d.letter_id AND l.subject_id = ANY(papers) AND num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) = 0;
        PERFORM set_config('konbit.erasing', '', true);
    END IF;
END $$;
-- +goose StatementEnd
