-- +goose NO TRANSACTION
-- +goose Up
-- What settling repeated for each gift is done once, or costs less. No rule changes.

-- The payload of an event stands beside its row, unless it is short: the worker writes the row again when the event is done, and no longer its
-- payload too. Rows that are stored already stay as they are.
ALTER TABLE stripe_event SET (toast_tuple_target = 256);

-- lock_donors_of locks donations, in the order of their ids, as lock_owner does, and then their donors as are_erased does. A transaction that will
-- write about many donors calls it before it takes locks that all need: funds, counters of receipts. Otherwise all of them wait while it waits for
-- one erasure.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_donors_of(gifts uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM g.id FROM donation g WHERE g.id = ANY(gifts) ORDER BY g.id FOR KEY SHARE;
    PERFORM are_erased(ARRAY(SELECT DISTINCT g.donor_id FROM donation g WHERE g.id = ANY(gifts)));
END $$;
-- +goose StatementEnd

-- As before, but planned once a connection. PostgreSQL plans a function in SQL again for each call, and storing an email calls it twice: half a
-- millisecond each.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT g.donor_id FROM public.donation g WHERE g.id = subject
    UNION ALL SELECT g.donor_id FROM public.donation_notice n JOIN public.donation g ON g.id = n.donation_id WHERE n.id = subject
    UNION ALL SELECT g.donor_id FROM public.receipt r JOIN public.donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM public.plan_event e JOIN public.plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT s.donor_id FROM public.statement s WHERE s.id = subject
    UNION ALL SELECT d.donor_id FROM public.erasure_donor d WHERE d.erasure_id = subject;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donor_id FROM donation WHERE id = subject
    UNION ALL SELECT g.donor_id FROM donation_notice n JOIN donation g ON g.id = n.donation_id WHERE n.id = subject
    UNION ALL SELECT g.donor_id FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM plan_event e JOIN plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT donor_id FROM statement WHERE id = subject
    UNION ALL SELECT donor_id FROM erasure_donor WHERE erasure_id = subject
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION lock_donors_of(gifts uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM are_erased(ARRAY(SELECT DISTINCT g.donor_id FROM donation g WHERE g.id = ANY(gifts)));
END $$;
-- +goose StatementEnd
ALTER TABLE stripe_event RESET (toast_tuple_target);
