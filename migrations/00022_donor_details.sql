-- +goose Up
-- Room donor: what donors say of themselves, signed in. From then on no form changes it.
ALTER TABLE donor
    ADD phone         text NOT NULL DEFAULT '',
    ADD address_line1 text NOT NULL DEFAULT '',
    ADD address_line2 text NOT NULL DEFAULT '',
    ADD city          text NOT NULL DEFAULT '',
    ADD region        text NOT NULL DEFAULT '',
    ADD postal_code   text NOT NULL DEFAULT '',
    ADD country       text NOT NULL DEFAULT '',
    ADD said_at       timestamptz; -- NULL: never; names and language are those last given with

-- Letters a donor wished for or no longer wished for, append-only. What a form asked for stands with its gift.
CREATE TABLE donor_consent (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    donor_id uuid NOT NULL REFERENCES donor (id),
    kind     text NOT NULL CHECK (kind IN ('news')),
    given    boolean NOT NULL,
    at       timestamptz NOT NULL,
    by       text NOT NULL
);
CREATE INDEX donor_consent_of_donor ON donor_consent (donor_id, n);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON donor_consent
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE donor_consent;
ALTER TABLE donor DROP phone, DROP address_line1, DROP address_line2, DROP city, DROP region, DROP postal_code, DROP country, DROP said_at;
