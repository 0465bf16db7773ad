-- +goose Up
-- What happened to the money of a donation and no receipt says: a bank debit was not paid, money does not fit, a refund came back. The donor
-- gets an email about each. Owned by internal/giving/notice.
CREATE TABLE donation_notice (
    id          uuid PRIMARY KEY,
    donation_id uuid NOT NULL REFERENCES donation (id),
    kind        text NOT NULL CHECK (kind IN ('failed', 'held', 'returned', 'refund failed')),
    cause       text NOT NULL, -- the processor's event, charge or refund
    amount      bigint NOT NULL CHECK (amount > 0), -- minor units
    currency    text NOT NULL,
    at          timestamptz NOT NULL,
    UNIQUE (donation_id, kind, cause)
);
CREATE INDEX donation_notice_held ON donation_notice (cause) WHERE kind = 'held';
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON donation_notice FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- donors_of returns the donors that an email about a subject names: a donation, its notice, a receipt, a plan's event, a statement, an erasure.
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donor_id FROM donation WHERE id = subject
    UNION ALL SELECT g.donor_id FROM donation_notice n JOIN donation g ON g.id = n.donation_id WHERE n.id = subject
    UNION ALL SELECT g.donor_id FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM plan_event e JOIN plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT donor_id FROM statement WHERE id = subject
    UNION ALL SELECT donor_id FROM erasure_donor WHERE erasure_id = subject
$$;

-- +goose Down
CREATE OR REPLACE FUNCTION donors_of(subject uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT donor_id FROM donation WHERE id = subject
    UNION ALL SELECT g.donor_id FROM receipt r JOIN donation g ON g.id = r.donation_id WHERE r.id = subject
    UNION ALL SELECT p.donor_id FROM plan_event e JOIN plan p ON p.id = e.plan_id WHERE e.id = subject
    UNION ALL SELECT donor_id FROM statement WHERE id = subject
    UNION ALL SELECT donor_id FROM erasure_donor WHERE erasure_id = subject
$$;
DROP TABLE donation_notice;
