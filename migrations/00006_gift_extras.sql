-- +goose Up
-- Room donation: the part of a gift that was added to cover the processing fee. It is part of the gift; each fund's
-- part says what of it was added, so that the form can be shown again as it was filled in.
ALTER TABLE donation ADD COLUMN covered bigint NOT NULL DEFAULT 0 CHECK (covered >= 0 AND covered < amount);
ALTER TABLE designation ADD COLUMN covered bigint NOT NULL DEFAULT 0 CHECK (covered >= 0 AND covered < amount);

-- In whose honour or memory a gift is given, and who gets a card about it. It goes with what was typed, when that
-- is purged.
CREATE TABLE donation_dedication (
    donation_id  uuid PRIMARY KEY REFERENCES donation_contact (donation_id) ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('honour', 'memory')),
    name         text NOT NULL CHECK (name <> ''),
    card_name    text NOT NULL,
    card_email   text NOT NULL,
    card_message text NOT NULL,
    CHECK ((card_name = '') = (card_email = '')),
    CHECK (card_message = '' OR card_email <> '')
);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION designations_sum_to_gift() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
    added bigint;
BEGIN
    SELECT sum(d.amount), sum(d.covered) INTO total, added FROM public.designation d WHERE d.donation_id = NEW.id;
    IF total IS DISTINCT FROM NEW.amount OR added IS DISTINCT FROM NEW.covered THEN
        RAISE EXCEPTION 'designations of gift % sum to % (% of it covered), not to % (%)', NEW.id, total, added, NEW.amount, NEW.covered
            USING ERRCODE = 'check_violation', CONSTRAINT = 'designations_sum_to_gift';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE donation_dedication;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION designations_sum_to_gift() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    SELECT sum(d.amount) INTO total FROM public.designation d WHERE d.donation_id = NEW.id;
    IF total IS DISTINCT FROM NEW.amount THEN
        RAISE EXCEPTION 'designations of gift % sum to %, not to %', NEW.id, total, NEW.amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'designations_sum_to_gift';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER TABLE designation DROP COLUMN covered;
ALTER TABLE donation DROP COLUMN covered;
