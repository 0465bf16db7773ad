-- +goose Up
-- Room access: how donors come in. No secret stands here, only hashes of them; the code's is keyed, for it is short.

-- Somebody asked for a letter that proves an address, to sign in or to add the address to those they have. It is good for ten
-- minutes, by this clock, and once; only the newest of an address counts.
CREATE TABLE sign_in (
    id           uuid PRIMARY KEY,
    n            bigint GENERATED ALWAYS AS IDENTITY,
    email        text NOT NULL CHECK (email = lower(email)),
    person_id    uuid, -- who adds the address; NULL: somebody signs in
    language     text NOT NULL,
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    asked_at     timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '10 minutes',
    token_hash   bytea UNIQUE CHECK (octet_length(token_hash) = 32), -- NULL until the letter is written
    code_mac     bytea CHECK (octet_length(code_mac) = 32),
    used_at      timestamptz,
    CHECK (expires_at <= asked_at + interval '10 minutes'),
    CHECK ((token_hash IS NULL) = (code_mac IS NULL)),
    CHECK (used_at IS NULL OR token_hash IS NOT NULL)
);
CREATE INDEX sign_in_newest ON sign_in (email, n DESC);
CREATE INDEX sign_in_by_browser ON sign_in (browser_hash);
CREATE INDEX sign_in_old ON sign_in (asked_at);

-- +goose StatementBegin
CREATE FUNCTION sign_in_is_used_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'sign-in % was used', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'sign_in_is_used_once';
END $$;
-- +goose StatementEnd
CREATE TRIGGER sign_in_is_used_once BEFORE UPDATE ON sign_in
    FOR EACH ROW WHEN (OLD.used_at IS NOT NULL) EXECUTE FUNCTION sign_in_is_used_once();

-- An address that somebody has proved to read, and whose it is. A person is nothing but the addresses that bear their id.
CREATE TABLE mailbox (
    email     text PRIMARY KEY CHECK (email = lower(email)),
    person_id uuid NOT NULL,
    proved_at timestamptz NOT NULL -- last
);
CREATE INDEX mailbox_by_person ON mailbox (person_id);

-- What happened to an address, append-only: taken back, a joining leads to who had it before.
CREATE TABLE mailbox_step (
    n      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email  text NOT NULL REFERENCES mailbox (email),
    kind   text NOT NULL CHECK (kind IN ('proved', 'joined', 'parted')),
    before uuid, -- whose it was; NULL: nobody's
    after  uuid NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'proved') = (before IS NULL))
);
CREATE INDEX mailbox_step_of_mailbox ON mailbox_step (email, n DESC);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mailbox_step
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE session (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL,
    email      text NOT NULL, -- proved to open it
    sign_in_id uuid NOT NULL UNIQUE, -- one proof opens one session
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    opened_at  timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX session_by_person ON session (person_id) WHERE ended_at IS NULL;
CREATE INDEX session_by_email ON session (email) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE session, mailbox_step, mailbox, sign_in;
DROP FUNCTION sign_in_is_used_once;
