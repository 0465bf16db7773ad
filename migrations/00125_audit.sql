-- +goose Up
-- The audit log: what staff and operators did. Owned by internal/people/audit. Rows hold ids, amounts and states, never a donor's name.
-- Who and when are set here, from the staff session and the database's clock; what a statement gives for them is ignored.
CREATE TABLE audit_entry (
    serial          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    staff_id        uuid REFERENCES staff (id), -- NULL: an operator, or the program itself
    operator        boolean NOT NULL DEFAULT false, -- by the owner's role, on the command line
    act             text NOT NULL CHECK (act ~ '^[a-z]+(\.[a-z_]+)+$'),
    entity_id       uuid REFERENCES legal_entity (id),
    organisation_id uuid,
    object_kind     text NOT NULL CHECK (object_kind <> ''),
    object_id       text NOT NULL CHECK (object_id <> ''),
    before          jsonb,
    after           jsonb,
    reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
    recorded_in     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CHECK (NOT operator OR staff_id IS NULL),
    CHECK (organisation_id IS NULL OR entity_id IS NOT NULL),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id)
);
CREATE INDEX audit_entry_of_object ON audit_entry (object_kind, object_id, serial);
CREATE INDEX audit_entry_of_staff ON audit_entry (staff_id, serial);
CREATE INDEX audit_entry_of_entity ON audit_entry (entity_id, serial);
CREATE INDEX audit_entry_of_operator ON audit_entry (serial) WHERE operator;

-- Entries that have no seal yet. Only the functions below write here.
CREATE TABLE audit_unsealed (
    serial bigint PRIMARY KEY REFERENCES audit_entry (serial)
);

-- The hash chain over all entries: number n is the n-th entry in the order in which they were sealed, shortly after their commit.
CREATE TABLE audit_seal (
    n         bigint PRIMARY KEY CHECK (n > 0),
    serial    bigint NOT NULL UNIQUE REFERENCES audit_entry (serial),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The end of the chain on a day, as it was emailed to the auditors of an entity.
CREATE TABLE audit_head (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    day       date NOT NULL,
    n         bigint NOT NULL REFERENCES audit_seal (n),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    kept_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity_id, day)
);

-- +goose StatementBegin
-- An entry is of the person of the staff session; without one it is an operator's if the owner's role writes it.
CREATE FUNCTION audit_entry_is_attributed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := clock_timestamp();
    NEW.recorded_in := pg_current_xact_id();
    NEW.staff_id := staff_of_session();
    NEW.operator := NEW.staff_id IS NULL AND is_owner();
    IF NEW.operator AND NEW.reason = '' THEN
        RAISE EXCEPTION 'an operator gives a reason for %', NEW.act USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_entry_has_reason';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit_entry_waits_for_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_unsealed (serial) VALUES (NEW.serial);
    RETURN NULL;
END $$;

-- The hash of entry number n: SHA-256 over these fields, each as "length:bytes" (length_prefixed, migration 00061).
--
--   konbit audit 1, hash of entry n-1 (64 hexadecimal digits; zeros for n = 1), n,
--   serial, at (UTC, to the microsecond), staff_id, operator, act, entity_id, organisation_id, object_kind, object_id, before, after, reason,
--   recorded_in
CREATE FUNCTION audit_hash(e audit_entry, n bigint, previous bytea) RETURNS bytea STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT sha256(convert_to(length_prefixed('konbit audit 1') || length_prefixed(encode(coalesce(previous, decode(repeat('00', 32), 'hex')), 'hex'))
        || length_prefixed(n::text) || length_prefixed(e.serial::text)
        || length_prefixed(to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || length_prefixed(e.staff_id::text) || length_prefixed(e.operator::text) || length_prefixed(e.act) || length_prefixed(e.entity_id::text)
        || length_prefixed(e.organisation_id::text) || length_prefixed(e.object_kind) || length_prefixed(e.object_id)
        || length_prefixed(e.before::text) || length_prefixed(e.after::text) || length_prefixed(e.reason) || length_prefixed(e.recorded_in::text), 'UTF8'))
$$;

-- Seals at most 1,000 entries and returns their number; 0 if there are none, or if another transaction is sealing. It takes no argument, so its
-- caller decides nothing about the chain. An entry that is committed late is sealed later; each entry is sealed once.
CREATE FUNCTION seal_audit_entries() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last audit_seal;
    e audit_entry;
    sealed integer := 0;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'audit entries are sealed in read committed transactions' USING ERRCODE = 'check_violation', CONSTRAINT = 'sees_every_commit';
    END IF;
    PERFORM FROM server_limit FOR NO KEY UPDATE SKIP LOCKED; -- one row, which the server's role reads and cannot lock
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM audit_seal ORDER BY n DESC LIMIT 1;
    FOR e IN SELECT a.* FROM audit_unsealed u JOIN audit_entry a USING (serial) ORDER BY a.serial LIMIT 1000 LOOP
        INSERT INTO audit_seal (n, serial, hash) VALUES (coalesce(last.n, 0) + 1, e.serial, audit_hash(e, coalesce(last.n, 0) + 1, last.hash))
        RETURNING * INTO last;
        DELETE FROM audit_unsealed WHERE serial = e.serial;
        sealed := sealed + 1;
    END LOOP;
    RETURN sealed;
END $$;

-- A head is that of the newest seal, and its day has come by the business clock, as for ledger_head.
CREATE FUNCTION audit_head_is_newest() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    latest timestamptz := clock_timestamp() + (SELECT business_clock_lead FROM server_limit);
BEGIN
    IF NEW.day > (latest AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'the head of the audit log is recorded before its day % has come', NEW.day
            USING ERRCODE = 'check_violation', CONSTRAINT = 'head_is_not_early';
    END IF;
    NEW.kept_at := clock_timestamp();
    SELECT n, hash INTO NEW.n, NEW.hash FROM audit_seal ORDER BY n DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

-- Trigger helper. A row of the table is committed only together with an audit entry about it, by a person of staff or an operator:
--
--   CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON refund_order DEFERRABLE INITIALLY DEFERRED
--       FOR EACH ROW EXECUTE FUNCTION requires_audit('refund_order', 'id');
--
-- The arguments are the entry's object_kind and the column that has its object_id. A third argument is the column that has whose act it is:
-- the entry is of the same person. 'anyone' also accepts an entry of the program itself, which has neither a staff member nor an operator.
CREATE FUNCTION requires_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed jsonb;
    id      text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := to_jsonb(OLD);
    ELSE
        changed := to_jsonb(NEW);
    END IF;
    id := changed ->> TG_ARGV[1];
    IF NOT EXISTS (SELECT FROM audit_entry a WHERE a.object_kind = TG_ARGV[0] AND a.object_id = id AND a.recorded_in = pg_current_xact_id()
                      AND CASE WHEN TG_NARGS < 3 THEN a.staff_id IS NOT NULL OR a.operator
                               ELSE TG_ARGV[2] = 'anyone' OR a.staff_id = (changed ->> TG_ARGV[2])::uuid END) THEN
        RAISE EXCEPTION '% % has no audit entry in its transaction', TG_TABLE_NAME, id USING ERRCODE = 'check_violation', CONSTRAINT = 'requires_audit';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER attributed BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_is_attributed();
CREATE TRIGGER waits_for_seal AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_waits_for_seal();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER audit_head_is_newest BEFORE INSERT ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_is_newest();

-- Staff, their roles and links change only with an entry about the person.
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE OF disabled_at ON staff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON staff_role DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_person DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_invitation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');

-- Checker A21: every entry of the audit log is sealed within five minutes of its commit, and every seal follows from its entry and the seal before.
CREATE VIEW check_audit_chain AS
SELECT 'A21'::text AS checker, a.entity_id, a.serial::text AS subject,
       CASE WHEN s.n IS NULL THEN 'this audit entry is not sealed' ELSE 'this audit entry, or the seal before it, was changed after it was sealed' END AS detail,
       a.at AS since
  FROM (SELECT n, serial, hash, lag(hash) OVER (ORDER BY n) AS previous, lag(n, 1, 0::bigint) OVER (ORDER BY n) AS before FROM audit_seal) s
  FULL JOIN audit_entry a USING (serial)
 WHERE CASE WHEN s.n IS NULL THEN a.at < clock_timestamp() - interval '5 minutes'
            WHEN a.act IS NULL OR s.before <> s.n - 1 THEN true
            ELSE s.hash <> audit_hash(a, s.n, s.previous) END;

-- +goose Down
DROP VIEW check_audit_chain;
DROP TABLE audit_head, audit_seal, audit_unsealed;
DROP FUNCTION requires_audit, audit_head_is_newest, seal_audit_entries, audit_hash, audit_entry_waits_for_seal CASCADE;
DROP TABLE audit_entry;
DROP FUNCTION audit_entry_is_attributed;
