-- +goose Up
-- What privileges cannot say, said by triggers: rules that a mistake in the program, or somebody with the server's
-- password, would otherwise get past.

-- Room ledger: a task that happens again after it was closed is opened again. times: how often it was opened.
ALTER TABLE finance_task ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0), ADD CHECK (closed_at >= opened_at);
CREATE INDEX finance_task_open ON finance_task (opened_at) WHERE closed_at IS NULL;

-- Room mail: letter_delivery_open is the same index.
DROP INDEX letter_delivery_unaccepted;

-- Room donation: a line that comes after its gift would make the sum wrong, so the sum is taken again.
-- +goose StatementBegin
CREATE FUNCTION designation_fits_gift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(d.amount) FROM public.designation d WHERE d.donation_id = NEW.donation_id)
       IS DISTINCT FROM (SELECT g.amount FROM public.donation g WHERE g.id = NEW.donation_id) THEN
        RAISE EXCEPTION 'designation % of gift % does not fit its amount', NEW.n, NEW.donation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'designation_fits_gift';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER designation_fits_gift AFTER INSERT ON designation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION designation_fits_gift();

-- A fee stops being due when the charge's balance transaction is booked, in one commit.
-- +goose StatementBegin
CREATE FUNCTION fee_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM public.balance_transaction b WHERE b.entity_id = OLD.entity_id AND b.source_id = OLD.charge_id) THEN
        RAISE EXCEPTION 'the fee of % is not booked', OLD.charge_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_is_booked';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER fee_is_booked AFTER DELETE ON fee_due
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fee_is_booked();

-- Room receipt: a statement's receipts take the numbers up to the counter's, and go on from the one before without a gap …
-- +goose StatementBegin
CREATE FUNCTION receipt_numbers_are_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT i.entity_id, i.year, min(i.number) AS first, max(i.number) AS last, count(*) AS n
                         FROM issued i GROUP BY i.entity_id, i.year) s
          JOIN public.receipt_counter c USING (entity_id, year)
         WHERE s.last <> c.last OR s.last - s.first + 1 <> s.n
            OR s.first > 1 AND NOT EXISTS (SELECT 1 FROM public.receipt r WHERE (r.entity_id, r.year, r.number) = (s.entity_id, s.year, s.first - 1))
    ) THEN
        RAISE EXCEPTION 'receipts take the numbers the counter gives, without a gap'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_numbers_are_taken';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER receipt_numbers_are_taken AFTER INSERT ON receipt REFERENCING NEW TABLE AS issued
    FOR EACH STATEMENT EXECUTE FUNCTION receipt_numbers_are_taken();

-- … and a counter stands, when its transaction commits, at the last receipt of its series.
-- +goose StatementBegin
CREATE FUNCTION receipt_counter_is_last() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT c.last FROM public.receipt_counter c WHERE (c.entity_id, c.year) = (NEW.entity_id, NEW.year))
       <> coalesce((SELECT max(r.number) FROM public.receipt r WHERE (r.entity_id, r.year) = (NEW.entity_id, NEW.year)), 0) THEN
        RAISE EXCEPTION 'the counter of % says a number that is not that of the last receipt', NEW.year
            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_counter_is_last';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER receipt_counter_is_last AFTER INSERT OR UPDATE ON receipt_counter
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_counter_is_last();

-- Room stripepay: what Stripe told is erased and never changed.
-- +goose StatementBegin
CREATE FUNCTION payload_is_erased_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the payload of event % is what Stripe sent', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'payload_is_erased_only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER payload_is_erased_only BEFORE UPDATE OF payload ON stripe_event
    FOR EACH ROW WHEN (NEW.payload IS NOT NULL) EXECUTE FUNCTION payload_is_erased_only();

-- Room payout: how far a balance was read is the date of a transaction that is kept, whatever clock a stand-in keeps;
-- further ahead, what Stripe dated between would never be read. A first look begins at a moment that has been.
CREATE INDEX balance_transaction_by_date ON balance_transaction (entity_id, created_at);
-- +goose StatementBegin
CREATE FUNCTION balance_read_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.read_through <= now() THEN
            RETURN NEW;
        END IF;
    ELSIF EXISTS (SELECT 1 FROM public.balance_transaction b WHERE b.entity_id = NEW.entity_id AND b.created_at >= NEW.read_through) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the balance of % was not read through %', NEW.entity_id, NEW.read_through
        USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_read_is_kept';
END $$;
-- +goose StatementEnd
CREATE TRIGGER balance_read_is_kept BEFORE INSERT ON balance_lookup
    FOR EACH ROW EXECUTE FUNCTION balance_read_is_kept();
CREATE TRIGGER balance_read_on_is_kept BEFORE UPDATE ON balance_lookup
    FOR EACH ROW WHEN (NEW.read_through > OLD.read_through) EXECUTE FUNCTION balance_read_is_kept();

-- +goose Down
DROP TRIGGER balance_read_on_is_kept ON balance_lookup;
DROP TRIGGER balance_read_is_kept ON balance_lookup;
DROP INDEX balance_transaction_by_date;
DROP TRIGGER payload_is_erased_only ON stripe_event;
DROP TRIGGER receipt_counter_is_last ON receipt_counter;
DROP TRIGGER receipt_numbers_are_taken ON receipt;
DROP TRIGGER fee_is_booked ON fee_due;
DROP TRIGGER designation_fits_gift ON designation;
DROP FUNCTION balance_read_is_kept, payload_is_erased_only, receipt_counter_is_last, receipt_numbers_are_taken, fee_is_booked, designation_fits_gift;
CREATE INDEX letter_delivery_unaccepted ON letter_delivery (ordered_at) WHERE accepted_at IS NULL;
DROP INDEX finance_task_open;
ALTER TABLE finance_task DROP COLUMN times, DROP CONSTRAINT finance_task_check;
