-- +goose Up
-- Links of emails to plans. A link's secrets are only in emails: the token after the # of its address, and a code for browsers without
-- scripts. They are made again from SECRET_KEY and the id, so that the emails of a month hold the same link. The database sets the times.
CREATE TABLE plan_link (
    id         uuid PRIMARY KEY,
    plan_id    uuid NOT NULL REFERENCES plan (id),
    donor_id   uuid NOT NULL REFERENCES donor (id),
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    code_mac   bytea NOT NULL UNIQUE CHECK (octet_length(code_mac) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '13 months',
    ended_at   timestamptz,
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '13 months')
);
CREATE INDEX plan_link_of_plan ON plan_link (plan_id, created_at);
CREATE INDEX plan_link_of_donor ON plan_link (donor_id) WHERE ended_at IS NULL;
CREATE INDEX plan_link_old ON plan_link (expires_at);

-- +goose StatementBegin
CREATE FUNCTION plan_link_ends_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'plan_link % has ended', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_link_ends_once';
END $$;
-- +goose StatementEnd
CREATE TRIGGER plan_link_ends_once BEFORE UPDATE ON plan_link FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION plan_link_ends_once();

-- +goose Down
DROP TABLE plan_link;
DROP FUNCTION plan_link_ends_once;
