CREATE TABLE event (
    id          text PRIMARY KEY,
    body        text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE gift (
    id         bigint PRIMARY KEY,
    fund_id    integer NOT NULL,
    amount     bigint NOT NULL,
    status     text NOT NULL DEFAULT 'started',
    charge     text UNIQUE,
    settled_at timestamptz
) WITH (fillfactor = 50);
CREATE TABLE entry (
    id        bigserial PRIMARY KEY,
    gift_id   bigint NOT NULL UNIQUE REFERENCES gift (id),
    booked_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE posting (
    entry_id bigint NOT NULL REFERENCES entry (id),
    n        smallint NOT NULL,
    account  text NOT NULL,
    fund_id  integer NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (entry_id, n)
);
CREATE INDEX posting_by_fund ON posting (fund_id, account);
CREATE TABLE balance (
    fund_id integer NOT NULL,
    account text NOT NULL,
    amount  bigint NOT NULL,
    PRIMARY KEY (fund_id, account)
);
INSERT INTO balance VALUES (1, '1010', 0), (1, '4100', 0);
CREATE TABLE counter (year integer PRIMARY KEY, last integer NOT NULL);
INSERT INTO counter VALUES (2026, 0);
CREATE SEQUENCE receipt_number START 1000001;
CREATE TABLE receipt (
    id      bigserial PRIMARY KEY,
    year    integer NOT NULL,
    number  integer NOT NULL,
    gift_id bigint NOT NULL UNIQUE REFERENCES gift (id),
    facts   jsonb NOT NULL,
    UNIQUE (year, number)
);
CREATE TABLE job (
    id         bigserial PRIMARY KEY,
    kind       text NOT NULL,
    args       jsonb NOT NULL,
    state      text NOT NULL DEFAULT 'available',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_waiting ON job (state, id);
