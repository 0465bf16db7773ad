-- Today's schema, for readers. Generated from the catalogue: go test ./migrations -run TestSchemaFile -update
-- What changes it is a new migration; what the server's role may do is in grants.sql.

CREATE TABLE account (
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    class text,
    PRIMARY KEY (code),
    UNIQUE (name),
    CONSTRAINT account_class_check CHECK (class = ANY (ARRAY['without'::text, 'with'::text])),
    CONSTRAINT account_code_check CHECK (code ~ '^[0-9]{4}$'::text),
    CONSTRAINT account_kind_check CHECK (kind = ANY (ARRAY['asset'::text, 'liability'::text, 'net_assets'::text, 'revenue'::text, 'expense'::text, 'memo'::text])),
    CONSTRAINT account_memo CHECK ((kind = 'memo'::text) = (code >= '9000'::text)),
    CONSTRAINT account_name_check CHECK (name ~ '^[A-Z0-9][A-Za-z0-9-]*$'::text)
);

CREATE TABLE approval (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    request_id uuid NOT NULL,
    hash bytea NOT NULL,
    decision text NOT NULL,
    staff_id uuid,
    person_id uuid,
    factor text,
    assertion jsonb,
    reason text NOT NULL DEFAULT ''::text,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (n),
    UNIQUE NULLS NOT DISTINCT (request_id, person_id),
    CONSTRAINT approval_check CHECK ((staff_id IS NULL) = (person_id IS NULL)),
    CONSTRAINT approval_check1 CHECK (staff_id IS NULL OR decision = 'decline'::text OR factor IS NOT NULL),
    CONSTRAINT approval_check2 CHECK ((NOT factor IS DISTINCT FROM 'passkey'::text) = (assertion IS NOT NULL)),
    CONSTRAINT approval_decision_check CHECK (decision = ANY (ARRAY['approve'::text, 'decline'::text])),
    CONSTRAINT approval_factor_check CHECK (factor = ANY (ARRAY['totp'::text, 'passkey'::text])),
    CONSTRAINT approval_reason_check CHECK (length(reason) <= 1000),
    CONSTRAINT approval_request_id_hash_fkey FOREIGN KEY (request_id, hash) REFERENCES approval_request(id, hash),
    CONSTRAINT approval_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE CONSTRAINT TRIGGER approval_is_valid AFTER INSERT ON approval DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approval_is_valid();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE approval_request (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid,
    kind text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    hash bytea NOT NULL,
    needs smallint NOT NULL DEFAULT 1,
    requested_by uuid NOT NULL,
    requested_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamp with time zone NOT NULL,
    factor text NOT NULL,
    assertion jsonb,
    replaces uuid,
    executed_at timestamp with time zone,
    executed_in xid8,
    declined_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (id, hash),
    UNIQUE (replaces),
    CONSTRAINT approval_request_body_check CHECK (body <> ''::text),
    CONSTRAINT approval_request_check CHECK (expires_at = (requested_at + '14 days'::interval)),
    CONSTRAINT approval_request_check1 CHECK (num_nonnulls(executed_at, declined_at, withdrawn_at) <= 1),
    CONSTRAINT approval_request_check2 CHECK ((executed_at IS NULL) = (executed_in IS NULL)),
    CONSTRAINT approval_request_factor_check CHECK (factor = ANY (ARRAY['totp'::text, 'passkey'::text])),
    CONSTRAINT approval_request_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT approval_request_kind_check CHECK (kind = ANY (ARRAY['refund'::text, 'void'::text, 'suspense'::text, 'opening'::text, 'transfer'::text, 'reopening'::text, 'write_off'::text, 'roles'::text])),
    CONSTRAINT approval_request_needs_check CHECK (needs >= 1 AND needs <= 5),
    CONSTRAINT approval_request_subject_check CHECK (subject <> ''::text),
    CONSTRAINT approval_request_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT approval_request_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT approval_request_replaces_fkey FOREIGN KEY (replaces) REFERENCES approval_request(id),
    CONSTRAINT approval_request_replaces_of_entity FOREIGN KEY (replaces, entity_id) REFERENCES approval_request(id, entity_id),
    CONSTRAINT approval_request_requested_by_fkey FOREIGN KEY (requested_by) REFERENCES staff(id)
);
CREATE INDEX approval_request_of_subject ON approval_request USING btree (kind, subject);
CREATE INDEX approval_request_open ON approval_request USING btree (entity_id, requested_at) WHERE ((executed_at IS NULL) AND (declined_at IS NULL) AND (withdrawn_at IS NULL));
CREATE UNIQUE INDEX approval_request_of_entity ON approval_request USING btree (id, entity_id);
CREATE TRIGGER kept BEFORE DELETE OR UPDATE ON approval_request FOR EACH ROW EXECUTE FUNCTION approval_request_is_kept();

CREATE TABLE audit_entry (
    serial bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    staff_id uuid,
    operator boolean NOT NULL DEFAULT false,
    act text NOT NULL,
    entity_id uuid,
    organisation_id uuid,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    before jsonb,
    after jsonb,
    reason text NOT NULL DEFAULT ''::text,
    recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (serial),
    CONSTRAINT audit_entry_act_check CHECK (act ~ '^[a-z]+(\.[a-z_]+)+$'::text),
    CONSTRAINT audit_entry_check CHECK (NOT operator OR staff_id IS NULL),
    CONSTRAINT audit_entry_check1 CHECK (organisation_id IS NULL OR entity_id IS NOT NULL),
    CONSTRAINT audit_entry_object_id_check CHECK (object_id <> ''::text),
    CONSTRAINT audit_entry_object_kind_check CHECK (object_kind <> ''::text),
    CONSTRAINT audit_entry_reason_check CHECK (length(reason) <= 1000),
    CONSTRAINT audit_entry_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT audit_entry_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT audit_entry_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX audit_entry_of_act ON audit_entry USING btree (act, serial);
CREATE INDEX audit_entry_of_day ON audit_entry USING btree (at);
CREATE INDEX audit_entry_of_entity ON audit_entry USING btree (entity_id, serial);
CREATE INDEX audit_entry_of_object ON audit_entry USING btree (object_kind, object_id, serial);
CREATE INDEX audit_entry_of_object_id ON audit_entry USING btree (object_id, serial);
CREATE INDEX audit_entry_of_operator ON audit_entry USING btree (serial) WHERE operator;
CREATE INDEX audit_entry_of_staff ON audit_entry USING btree (staff_id, serial);
CREATE TRIGGER attributed BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_is_attributed();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER waits_for_seal AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_waits_for_seal();

CREATE TABLE audit_head (
    entity_id uuid NOT NULL,
    day date NOT NULL,
    n bigint NOT NULL,
    hash bytea NOT NULL,
    kept_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity_id, day),
    CONSTRAINT audit_head_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT audit_head_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT audit_head_n_fkey FOREIGN KEY (n) REFERENCES audit_seal(n)
);
CREATE TRIGGER audit_head_is_newest BEFORE INSERT ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_is_newest();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE audit_seal (
    n bigint NOT NULL,
    serial bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (n),
    UNIQUE (serial),
    CONSTRAINT audit_seal_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT audit_seal_n_check CHECK (n > 0),
    CONSTRAINT audit_seal_serial_fkey FOREIGN KEY (serial) REFERENCES audit_entry(serial)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE audit_unsealed (
    serial bigint NOT NULL,
    PRIMARY KEY (serial),
    CONSTRAINT audit_unsealed_serial_fkey FOREIGN KEY (serial) REFERENCES audit_entry(serial)
);

CREATE TABLE balance_lookup (
    entity_id uuid NOT NULL,
    read_through timestamp with time zone NOT NULL,
    newest_due timestamp with time zone,
    nudged boolean NOT NULL DEFAULT false,
    idle_looks integer NOT NULL DEFAULT 0,
    next_look timestamp with time zone NOT NULL,
    leased_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
    holder uuid,
    begun timestamp with time zone NOT NULL DEFAULT now(),
    failing_since timestamp with time zone,
    failure text,
    PRIMARY KEY (entity_id),
    CONSTRAINT balance_lookup_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE TRIGGER balance_read_is_kept BEFORE INSERT ON balance_lookup FOR EACH ROW EXECUTE FUNCTION balance_read_is_kept();
CREATE TRIGGER balance_read_on_is_kept BEFORE UPDATE ON balance_lookup FOR EACH ROW WHEN ((new.read_through > old.read_through)) EXECUTE FUNCTION balance_read_is_kept();

CREATE TABLE balance_observation (
    entity_id uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    currency text NOT NULL,
    held bigint NOT NULL,
    kept bigint NOT NULL,
    PRIMARY KEY (entity_id, at),
    CONSTRAINT balance_observation_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT balance_observation_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON balance_observation FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE balance_transaction (
    entity_id uuid NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    source_id text NOT NULL,
    amount bigint NOT NULL,
    fee bigint NOT NULL,
    net bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    available_on timestamp with time zone NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    changed_charge text,
    PRIMARY KEY (entity_id, id),
    CONSTRAINT balance_transaction_check CHECK (net = (amount - fee)),
    CONSTRAINT balance_transaction_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT balance_transaction_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX balance_transaction_by_date ON balance_transaction USING btree (entity_id, created_at);
CREATE INDEX balance_transaction_by_source ON balance_transaction USING btree (entity_id, source_id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON balance_transaction FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE bank_account (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    last4 text NOT NULL,
    currency text NOT NULL,
    holds text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (slug, entity_id),
    UNIQUE (slug),
    CONSTRAINT bank_account_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT bank_account_holds_check CHECK (holds = ANY (ARRAY['all'::text, 'gifts'::text])),
    CONSTRAINT bank_account_last4_check CHECK (last4 ~ '^[0-9]{4}$'::text),
    CONSTRAINT bank_account_name_check CHECK (name <> ''::text),
    CONSTRAINT bank_account_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text AND length(slug) <= 40 AND slug <> 'stripe'::text),
    CONSTRAINT bank_account_entity_id_currency_fkey FOREIGN KEY (entity_id, currency) REFERENCES books(entity_id, currency),
    CONSTRAINT bank_account_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);

CREATE TABLE bank_file (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    format text NOT NULL,
    bytes bigint NOT NULL,
    lines integer NOT NULL,
    added integer NOT NULL,
    warnings jsonb NOT NULL DEFAULT '[]'::jsonb,
    stored_by uuid,
    stored_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    UNIQUE (account_id, sha256),
    UNIQUE (id, entity_id, account_id),
    CONSTRAINT bank_file_added_check CHECK (added >= 0),
    CONSTRAINT bank_file_bytes_check CHECK (bytes > 0),
    CONSTRAINT bank_file_format_check CHECK (format <> ''::text),
    CONSTRAINT bank_file_lines_check CHECK (lines >= 0),
    CONSTRAINT bank_file_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT bank_file_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_file_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT bank_file_stored_by_fkey FOREIGN KEY (stored_by) REFERENCES staff(id)
);
CREATE TRIGGER begins BEFORE INSERT ON bank_file FOR EACH ROW EXECUTE FUNCTION bank_row_begins();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON bank_file FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_file DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_file', 'id');

CREATE TABLE bank_layout (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    fingerprint text NOT NULL,
    layout jsonb NOT NULL,
    made_by uuid,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    replaced_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    CONSTRAINT bank_layout_fingerprint_check CHECK (fingerprint <> ''::text),
    CONSTRAINT bank_layout_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT bank_layout_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff(id)
);
CREATE UNIQUE INDEX bank_layout_of_fingerprint ON bank_layout USING btree (entity_id, fingerprint) WHERE (replaced_at IS NULL);
CREATE TRIGGER begins BEFORE INSERT ON bank_layout FOR EACH ROW EXECUTE FUNCTION bank_row_begins();
CREATE TRIGGER keeps BEFORE UPDATE ON bank_layout FOR EACH ROW EXECUTE FUNCTION bank_layout_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_layout FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_layout DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_layout', 'id');

CREATE TABLE bank_line (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    statement_id uuid NOT NULL,
    n integer NOT NULL,
    booked_on date NOT NULL,
    amount bigint NOT NULL,
    text text NOT NULL,
    text_hash bytea NOT NULL,
    reference text NOT NULL DEFAULT ''::text,
    bank_ref text NOT NULL DEFAULT ''::text,
    nth integer NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (account_id, booked_on, amount, text_hash, nth),
    UNIQUE (id, entity_id, account_id),
    CONSTRAINT bank_line_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_line_n_check CHECK (n > 0),
    CONSTRAINT bank_line_nth_check CHECK (nth > 0),
    CONSTRAINT bank_line_text_hash_check CHECK (octet_length(text_hash) = 32),
    CONSTRAINT bank_line_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_line_statement_id_entity_id_account_id_fkey FOREIGN KEY (statement_id, entity_id, account_id) REFERENCES bank_statement(id, entity_id, account_id)
);
CREATE INDEX bank_line_by_day ON bank_line USING btree (account_id, booked_on, id);
CREATE TRIGGER keeps BEFORE UPDATE ON bank_line FOR EACH ROW EXECUTE FUNCTION bank_line_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_line FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE bank_match (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    on_date date NOT NULL,
    rule_id uuid,
    matched_by uuid,
    matched_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    undone_by uuid,
    undone_at timestamp with time zone,
    undo_reason text,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id, account_id),
    UNIQUE (id, entity_id),
    CONSTRAINT bank_match_undo_reason_check CHECK (length(undo_reason) <= 500),
    CONSTRAINT bank_match_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_match_matched_by_fkey FOREIGN KEY (matched_by) REFERENCES staff(id),
    CONSTRAINT bank_match_rule_id_entity_id_account_id_fkey FOREIGN KEY (rule_id, entity_id, account_id) REFERENCES bank_rule(id, entity_id, account_id),
    CONSTRAINT bank_match_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES staff(id)
);
CREATE INDEX bank_match_of_account ON bank_match USING btree (account_id, on_date);
CREATE INDEX bank_match_of_rule ON bank_match USING btree (rule_id) WHERE (rule_id IS NOT NULL);
CREATE TRIGGER begins BEFORE INSERT ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_begins();
CREATE TRIGGER ends AFTER UPDATE ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_ends();
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('id');
CREATE TRIGGER keeps BEFORE UPDATE ON bank_match FOR EACH ROW EXECUTE FUNCTION bank_match_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_match DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_match', 'id');
CREATE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON bank_match FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE bank_match_item (
    match_id uuid NOT NULL,
    n integer NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    amount bigint NOT NULL,
    booked boolean NOT NULL,
    clears_match uuid,
    undone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (match_id, n),
    CONSTRAINT bank_match_item_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_match_item_check CHECK (kind <> 'aside'::text OR NOT booked),
    CONSTRAINT bank_match_item_check1 CHECK (clears_match IS NULL OR kind = 'transfer'::text AND NOT booked),
    CONSTRAINT bank_match_item_check2 CHECK (kind <> 'transfer'::text OR booked OR clears_match IS NOT NULL),
    CONSTRAINT bank_match_item_kind_check CHECK (kind ~ '^[a-z_]+$'::text),
    CONSTRAINT bank_match_item_n_check CHECK (n > 0),
    CONSTRAINT bank_match_item_ref_check CHECK (length(ref) <= 500),
    CONSTRAINT bank_match_item_clears_match_entity_id_fkey FOREIGN KEY (clears_match, entity_id) REFERENCES bank_match(id, entity_id),
    CONSTRAINT bank_match_item_match_id_entity_id_account_id_fkey FOREIGN KEY (match_id, entity_id, account_id) REFERENCES bank_match(id, entity_id, account_id)
);
CREATE INDEX bank_match_item_of_gift ON bank_match_item USING btree (ref) WHERE (kind = 'gift'::text);
CREATE UNIQUE INDEX bank_match_item_clears ON bank_match_item USING btree (clears_match, account_id) WHERE ((NOT undone) AND (clears_match IS NOT NULL));
CREATE UNIQUE INDEX bank_match_item_live ON bank_match_item USING btree (entity_id, kind, ref) WHERE ((NOT undone) AND (kind <> ALL (ARRAY['fee'::text, 'interest'::text, 'spending'::text, 'transfer'::text, 'aside'::text])));
CREATE TRIGGER begins BEFORE INSERT ON bank_match_item FOR EACH ROW WHEN ((new.clears_match IS NOT NULL)) EXECUTE FUNCTION bank_item_begins();
CREATE CONSTRAINT TRIGGER deposit_match_holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.kind = ANY (ARRAY['deposit'::text, 'returned'::text]))) EXECUTE FUNCTION deposit_match_holds();
CREATE TRIGGER erased_stays_erased AFTER INSERT ON bank_match_item FOR EACH ROW WHEN ((new.kind = 'gift'::text)) EXECUTE FUNCTION bank_line_stays_erased();
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('match_id');
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match_item FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER repayment_match_holds AFTER INSERT OR UPDATE ON bank_match_item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.kind = 'refund'::text)) EXECUTE FUNCTION repayment_match_holds();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON bank_match_item FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE bank_match_line (
    match_id uuid NOT NULL,
    line_id uuid NOT NULL,
    part integer NOT NULL DEFAULT 0,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount bigint NOT NULL,
    undone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (match_id, line_id, part),
    CONSTRAINT bank_match_line_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_match_line_part_check CHECK (part >= 0),
    CONSTRAINT bank_match_line_line_id_entity_id_account_id_fkey FOREIGN KEY (line_id, entity_id, account_id) REFERENCES bank_line(id, entity_id, account_id),
    CONSTRAINT bank_match_line_match_id_entity_id_account_id_fkey FOREIGN KEY (match_id, entity_id, account_id) REFERENCES bank_match(id, entity_id, account_id)
);
CREATE UNIQUE INDEX bank_match_line_live ON bank_match_line USING btree (line_id, part) WHERE (NOT undone);
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_match_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('match_id');
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_match_line FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON bank_match_line FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE bank_opening (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    on_date date NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    opened_by uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    UNIQUE (id, entity_id, account_id, on_date),
    UNIQUE (request_id),
    CONSTRAINT bank_opening_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT bank_opening_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_opening_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT bank_opening_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES staff(id),
    CONSTRAINT bank_opening_request_id_entity_id_fkey FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id),
    CONSTRAINT bank_opening_request_id_request_hash_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request(id, hash)
);
CREATE TRIGGER bank_opening_begins BEFORE INSERT ON bank_opening FOR EACH ROW EXECUTE FUNCTION bank_opening_begins();
CREATE CONSTRAINT TRIGGER bank_opening_is_booked AFTER INSERT ON bank_opening DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_opening_is_booked('id');
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON bank_opening FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER requires_approval AFTER INSERT ON bank_opening FOR EACH ROW EXECUTE FUNCTION requires_approval('opening', 'id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON bank_opening DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_opening', 'id', 'opened_by');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON bank_opening FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE bank_opening_part (
    opening_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    on_date date NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (opening_id, fund_id),
    UNIQUE (entity_id, on_date, account_id, fund_id),
    CONSTRAINT bank_opening_part_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_opening_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT bank_opening_part_opening_id_entity_id_account_id_on_date_fkey FOREIGN KEY (opening_id, entity_id, account_id, on_date) REFERENCES bank_opening(id, entity_id, account_id, on_date)
);
CREATE CONSTRAINT TRIGGER bank_opening_is_booked AFTER INSERT ON bank_opening_part DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_opening_is_booked('opening_id');
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON bank_opening_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE bank_rule (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    words text NOT NULL,
    direction text NOT NULL,
    amount bigint,
    parts jsonb NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    ended_by uuid,
    ended_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id, account_id),
    CONSTRAINT bank_rule_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_rule_check CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CONSTRAINT bank_rule_direction_check CHECK (direction = ANY (ARRAY['in'::text, 'out'::text])),
    CONSTRAINT bank_rule_parts_check CHECK (jsonb_typeof(parts) = 'array'::text AND jsonb_array_length(parts) >= 1 AND jsonb_array_length(parts) <= 20),
    CONSTRAINT bank_rule_words_check CHECK (btrim(words) <> ''::text AND length(words) <= 200),
    CONSTRAINT bank_rule_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_rule_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES staff(id),
    CONSTRAINT bank_rule_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff(id)
);
CREATE INDEX bank_rule_of_account ON bank_rule USING btree (account_id, made_at);
CREATE TRIGGER keeps BEFORE INSERT OR UPDATE ON bank_rule FOR EACH ROW EXECUTE FUNCTION bank_rule_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_rule FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_rule DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_rule', 'id');

CREATE TABLE bank_split (
    line_id uuid NOT NULL,
    part integer NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount bigint NOT NULL,
    reason text NOT NULL,
    split_by uuid,
    split_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    joined_by uuid,
    joined_at timestamp with time zone,
    PRIMARY KEY (line_id, part),
    CONSTRAINT bank_split_amount_check CHECK (amount <> 0),
    CONSTRAINT bank_split_part_check CHECK (part > 0),
    CONSTRAINT bank_split_reason_check CHECK (btrim(reason) <> ''::text AND length(reason) <= 500),
    CONSTRAINT bank_split_joined_by_fkey FOREIGN KEY (joined_by) REFERENCES staff(id),
    CONSTRAINT bank_split_line_id_entity_id_account_id_fkey FOREIGN KEY (line_id, entity_id, account_id) REFERENCES bank_line(id, entity_id, account_id),
    CONSTRAINT bank_split_split_by_fkey FOREIGN KEY (split_by) REFERENCES staff(id)
);
CREATE CONSTRAINT TRIGGER holds AFTER INSERT OR UPDATE ON bank_split DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bank_match_holds('line_id');
CREATE TRIGGER keeps BEFORE INSERT OR UPDATE ON bank_split FOR EACH ROW EXECUTE FUNCTION bank_split_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bank_split FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON bank_split DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('bank_line', 'line_id');
CREATE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON bank_split FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE bank_statement (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    file_id uuid NOT NULL,
    n integer NOT NULL,
    from_on date NOT NULL,
    until_on date NOT NULL,
    opening bigint,
    closing bigint,
    PRIMARY KEY (id),
    UNIQUE (file_id, n),
    UNIQUE (id, entity_id, account_id),
    CONSTRAINT bank_statement_check CHECK (from_on <= until_on),
    CONSTRAINT bank_statement_n_check CHECK (n > 0),
    CONSTRAINT bank_statement_file_id_entity_id_account_id_fkey FOREIGN KEY (file_id, entity_id, account_id) REFERENCES bank_file(id, entity_id, account_id)
);
CREATE INDEX bank_statement_of_account ON bank_statement USING btree (account_id, until_on);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON bank_statement FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE bank_upload (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL,
    content bytea NOT NULL,
    layout jsonb,
    uploaded_by uuid NOT NULL,
    uploaded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    CONSTRAINT bank_upload_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT bank_upload_uploaded_by_fkey FOREIGN KEY (uploaded_by) REFERENCES staff(id)
);
CREATE INDEX bank_upload_of_account ON bank_upload USING btree (account_id, uploaded_at);
CREATE TRIGGER begins BEFORE INSERT ON bank_upload FOR EACH ROW EXECUTE FUNCTION bank_row_begins();

CREATE TABLE books (
    entity_id uuid NOT NULL,
    currency text NOT NULL,
    closed_through date,
    PRIMARY KEY (entity_id),
    UNIQUE (entity_id, currency),
    CONSTRAINT books_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT books_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);

CREATE TABLE check_progress (
    checker text NOT NULL,
    serial bigint NOT NULL,
    whole_at timestamp with time zone NOT NULL,
    PRIMARY KEY (checker)
);

CREATE TABLE check_run (
    day date NOT NULL,
    checker text NOT NULL,
    found bigint NOT NULL,
    took interval NOT NULL,
    checked_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (day, checker),
    CONSTRAINT check_run_found_check CHECK (found >= 0)
);
CREATE TRIGGER check_is_counted BEFORE INSERT ON check_run FOR EACH ROW EXECUTE FUNCTION check_is_counted();
CREATE TRIGGER finding_is_a_task AFTER INSERT ON check_run FOR EACH ROW WHEN ((new.found > 0)) EXECUTE FUNCTION finding_is_a_task();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON check_run FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON check_run FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE checkout (
    donation_id uuid NOT NULL,
    form_id uuid NOT NULL,
    form_hash bytea NOT NULL,
    try smallint NOT NULL DEFAULT 1,
    session_id text,
    session_url text,
    expires_at timestamp with time zone NOT NULL,
    ended boolean NOT NULL DEFAULT false,
    PRIMARY KEY (donation_id),
    CONSTRAINT checkout_check CHECK (num_nulls(session_id, session_url) = ANY (ARRAY[0, 2])),
    CONSTRAINT checkout_form_hash_check CHECK (octet_length(form_hash) = 32),
    CONSTRAINT checkout_try_check CHECK (try >= 1 AND try <= 9),
    CONSTRAINT checkout_donation_id_fkey FOREIGN KEY (donation_id) REFERENCES donation(id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX checkout_by_session ON checkout USING btree (session_id) WHERE (session_id IS NOT NULL);
CREATE UNIQUE INDEX checkout_one_live_per_form ON checkout USING btree (form_id) WHERE (NOT ended);

CREATE TABLE clearing_move (
    entity_id uuid NOT NULL,
    source_id text NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    carried_by text,
    PRIMARY KEY (entity_id, source_id, fund_id),
    CONSTRAINT clearing_move_amount_check CHECK (amount <> 0),
    CONSTRAINT clearing_move_carried_by_check CHECK (carried_by <> ''::text),
    CONSTRAINT clearing_move_source_id_check CHECK (source_id <> ''::text),
    CONSTRAINT clearing_move_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT clearing_move_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE INDEX clearing_move_waits ON clearing_move USING btree (entity_id) WHERE (carried_by IS NULL);
CREATE TRIGGER clearing_move_is_carried_once BEFORE UPDATE ON clearing_move FOR EACH ROW EXECUTE FUNCTION clearing_move_is_carried_once();
CREATE CONSTRAINT TRIGGER clearing_move_is_even AFTER INSERT ON clearing_move DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION clearing_move_is_even();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON clearing_move FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE clearing_share (
    transaction_id text NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (transaction_id, entity_id, fund_id),
    CONSTRAINT clearing_share_amount_check CHECK (amount <> 0),
    CONSTRAINT clearing_share_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON clearing_share FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE deposit (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    n integer NOT NULL,
    currency text NOT NULL,
    submission uuid NOT NULL,
    account_id uuid,
    deposited_on date,
    created_by uuid,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    closed_by uuid,
    closed_at timestamp with time zone,
    removed_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, n),
    UNIQUE (id, entity_id, currency),
    UNIQUE (submission),
    CONSTRAINT deposit_check CHECK (num_nulls(account_id, deposited_on, closed_at) = ANY (ARRAY[0, 3])),
    CONSTRAINT deposit_check1 CHECK (closed_at IS NULL OR removed_at IS NULL),
    CONSTRAINT deposit_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT deposit_n_check CHECK (n > 0),
    CONSTRAINT deposit_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT deposit_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff(id),
    CONSTRAINT deposit_created_by_fkey FOREIGN KEY (created_by) REFERENCES staff(id),
    CONSTRAINT deposit_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE TRIGGER begins BEFORE INSERT ON deposit FOR EACH ROW EXECUTE FUNCTION deposit_begins();
CREATE TRIGGER changes BEFORE UPDATE ON deposit FOR EACH ROW EXECUTE FUNCTION deposit_changes();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON deposit FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON deposit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('deposit', 'id');

CREATE TABLE deposit_item (
    gift_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    deposit_id uuid,
    left_at timestamp with time zone,
    PRIMARY KEY (gift_id),
    CONSTRAINT deposit_item_amount_check CHECK (amount > 0),
    CONSTRAINT deposit_item_check CHECK (deposit_id IS NULL OR left_at IS NULL),
    CONSTRAINT deposit_item_method_check CHECK (method = ANY (ARRAY['check'::text, 'cash'::text])),
    CONSTRAINT deposit_item_deposit_id_entity_id_currency_fkey FOREIGN KEY (deposit_id, entity_id, currency) REFERENCES deposit(id, entity_id, currency),
    CONSTRAINT deposit_item_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id)
);
CREATE INDEX deposit_item_of_deposit ON deposit_item USING btree (deposit_id) WHERE (deposit_id IS NOT NULL);
CREATE INDEX deposit_item_waiting ON deposit_item USING btree (entity_id, currency) WHERE ((deposit_id IS NULL) AND (left_at IS NULL));
CREATE TRIGGER changes BEFORE UPDATE ON deposit_item FOR EACH ROW EXECUTE FUNCTION deposit_item_changes();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON deposit_item FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE designation (
    donation_id uuid NOT NULL,
    n smallint NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    covered bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (donation_id, n),
    UNIQUE (donation_id, fund_id),
    CONSTRAINT designation_amount_check CHECK (amount > 0),
    CONSTRAINT designation_check CHECK (covered >= 0 AND covered < amount),
    CONSTRAINT designation_n_check CHECK (n >= 1 AND n <= 50),
    CONSTRAINT designation_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT designation_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE INDEX designation_newest ON designation USING btree (fund_id, donation_id DESC);
CREATE CONSTRAINT TRIGGER designation_fits_gift AFTER INSERT ON designation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION designation_fits_gift();

CREATE TABLE dispute (
    entity_id uuid NOT NULL,
    ref text NOT NULL,
    charge_ref text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    reason text,
    status text,
    due_at timestamp with time zone,
    told_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    won_at timestamp with time zone,
    lost_at timestamp with time zone,
    PRIMARY KEY (entity_id, ref),
    CONSTRAINT dispute_amount_check CHECK (amount > 0),
    CONSTRAINT dispute_charge_ref_check CHECK (charge_ref <> ''::text),
    CONSTRAINT dispute_check CHECK ((status IS NULL) = (told_at IS NULL)),
    CONSTRAINT dispute_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT dispute_reason_check CHECK (reason ~ '^[a-z_]+$'::text),
    CONSTRAINT dispute_ref_check CHECK (ref <> ''::text),
    CONSTRAINT dispute_status_check CHECK (status ~ '^[a-z_]+$'::text),
    CONSTRAINT dispute_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX dispute_newest ON dispute USING btree (entity_id, opened_at DESC, ref DESC);
CREATE INDEX dispute_of_charge ON dispute USING btree (entity_id, charge_ref);
CREATE INDEX dispute_open ON dispute USING btree (entity_id, due_at) WHERE ((won_at IS NULL) AND (lost_at IS NULL));

CREATE TABLE donation (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    public_ref text NOT NULL,
    status text NOT NULL,
    frequency text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    language text NOT NULL,
    anonymous boolean NOT NULL,
    news boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payment_intent_id text,
    charge_id text,
    charged_at timestamp with time zone,
    settled_at timestamp with time zone,
    covered bigint NOT NULL DEFAULT 0,
    source text,
    plan_id uuid,
    tax_date date,
    given_by text,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (public_ref),
    CONSTRAINT donation_amount_check CHECK (amount > 0),
    CONSTRAINT donation_check2 CHECK (covered >= 0 AND covered < amount),
    CONSTRAINT donation_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT donation_frequency_check CHECK (frequency = ANY (ARRAY['once'::text, 'weekly'::text, 'monthly'::text, 'quarterly'::text, 'yearly'::text])),
    CONSTRAINT donation_given_by_check CHECK (given_by = ANY (ARRAY['daf'::text, 'foundation'::text, 'employer_match'::text])),
    CONSTRAINT donation_public_ref_check CHECK (length(public_ref) >= 22),
    CONSTRAINT donation_settled CHECK (status <> 'settled'::text OR settled_at IS NOT NULL AND tax_date IS NOT NULL),
    CONSTRAINT donation_source_check CHECK (source = ANY (ARRAY['form'::text, 'plan'::text, 'office'::text, 'import'::text])),
    CONSTRAINT donation_status_check CHECK (status = ANY (ARRAY['started'::text, 'processing'::text, 'settled'::text, 'held'::text, 'failed'::text, 'expired'::text])),
    CONSTRAINT donation_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT donation_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT donation_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX donation_abandoned ON donation USING btree (created_at) WHERE (status = ANY (ARRAY['started'::text, 'expired'::text, 'failed'::text]));
CREATE INDEX donation_by_donor ON donation USING btree (donor_id, created_at);
CREATE INDEX donation_newest ON donation USING btree (entity_id, charged_at DESC, id DESC) WHERE (charged_at IS NOT NULL);
CREATE INDEX donation_of_amount ON donation USING btree (organisation_id, amount, charged_at DESC, id DESC) WHERE (charged_at IS NOT NULL);
CREATE INDEX donation_of_organisation ON donation USING btree (organisation_id, charged_at DESC, id DESC) WHERE (charged_at IS NOT NULL);
CREATE INDEX donation_unsettled ON donation USING btree (created_at) WHERE (status = ANY (ARRAY['started'::text, 'processing'::text]));
CREATE TRIGGER checkout_of_donation AFTER UPDATE ON donation FOR EACH ROW WHEN (((new.source = 'form'::text) AND ((new.status = ANY (ARRAY['expired'::text, 'failed'::text])) <> (old.status = ANY (ARRAY['expired'::text, 'failed'::text]))))) EXECUTE FUNCTION checkout_of_donation();
CREATE CONSTRAINT TRIGGER designations_sum_to_gift AFTER INSERT ON donation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION designations_sum_to_gift();
CREATE TRIGGER donation_step_is_legal BEFORE UPDATE ON donation FOR EACH ROW WHEN (((old.status = 'settled'::text) AND (new.status <> 'settled'::text))) EXECUTE FUNCTION donation_step_is_legal();
CREATE TRIGGER donor_years_move AFTER UPDATE ON donation FOR EACH ROW WHEN ((old.donor_id IS DISTINCT FROM new.donor_id)) EXECUTE FUNCTION donor_years_move();
CREATE TRIGGER moved_address_has_words AFTER UPDATE ON donation FOR EACH ROW WHEN ((old.donor_id IS DISTINCT FROM new.donor_id)) EXECUTE FUNCTION moved_address_has_words();
CREATE TRIGGER owner_change_is_recorded BEFORE UPDATE ON donation FOR EACH ROW WHEN ((old.donor_id IS DISTINCT FROM new.donor_id)) EXECUTE FUNCTION owner_change_is_recorded();
CREATE TRIGGER settled_gift_is_frozen BEFORE UPDATE ON donation FOR EACH ROW WHEN (((old.status = 'settled'::text) AND ((old.entity_id IS DISTINCT FROM new.entity_id) OR (old.organisation_id IS DISTINCT FROM new.organisation_id) OR (old.amount IS DISTINCT FROM new.amount) OR (old.covered IS DISTINCT FROM new.covered) OR (old.currency IS DISTINCT FROM new.currency) OR (old.created_at IS DISTINCT FROM new.created_at) OR (old.settled_at IS DISTINCT FROM new.settled_at) OR (old.tax_date IS DISTINCT FROM new.tax_date) OR (old.charged_at IS DISTINCT FROM new.charged_at) OR (old.charge_id IS DISTINCT FROM new.charge_id) OR (old.payment_intent_id IS DISTINCT FROM new.payment_intent_id)))) EXECUTE FUNCTION settled_gift_is_frozen();

CREATE TABLE donation_contact (
    donation_id uuid NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    address_line1 text NOT NULL,
    address_line2 text NOT NULL,
    city text NOT NULL,
    region text NOT NULL,
    postal_code text NOT NULL,
    country text NOT NULL,
    note text NOT NULL,
    organisation_name text NOT NULL DEFAULT ''::text,
    PRIMARY KEY (donation_id),
    CONSTRAINT donation_contact_donation_id_fkey FOREIGN KEY (donation_id) REFERENCES donation(id)
);
CREATE TRIGGER address_had_words AFTER DELETE ON donation_contact REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION address_had_words();
CREATE TRIGGER address_has_words AFTER INSERT ON donation_contact FOR EACH ROW WHEN (((new.address_line1 <> ''::text) OR (new.city <> ''::text) OR (new.postal_code <> ''::text))) EXECUTE FUNCTION address_has_words();
CREATE TRIGGER changed_address_has_words AFTER UPDATE ON donation_contact FOR EACH ROW WHEN (((old.address_line1 IS DISTINCT FROM new.address_line1) OR (old.address_line2 IS DISTINCT FROM new.address_line2) OR (old.city IS DISTINCT FROM new.city) OR (old.postal_code IS DISTINCT FROM new.postal_code))) EXECUTE FUNCTION address_has_words();
CREATE TRIGGER contact_of_paid_gift_stays BEFORE DELETE ON donation_contact FOR EACH ROW EXECUTE FUNCTION contact_of_paid_gift_stays();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON donation_contact FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER sees_every_commit BEFORE DELETE ON donation_contact FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE donation_dedication (
    donation_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    card_name text NOT NULL,
    card_email text NOT NULL,
    card_message text NOT NULL,
    PRIMARY KEY (donation_id),
    CONSTRAINT donation_dedication_check CHECK ((card_name = ''::text) = (card_email = ''::text)),
    CONSTRAINT donation_dedication_check1 CHECK (card_message = ''::text OR card_email <> ''::text),
    CONSTRAINT donation_dedication_kind_check CHECK (kind = ANY (ARRAY['honour'::text, 'memory'::text])),
    CONSTRAINT donation_dedication_name_check CHECK (name <> ''::text),
    CONSTRAINT donation_dedication_donation_id_fkey FOREIGN KEY (donation_id) REFERENCES donation_contact(donation_id) ON DELETE CASCADE
);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON donation_dedication FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();

CREATE TABLE donation_notice (
    id uuid NOT NULL,
    donation_id uuid NOT NULL,
    kind text NOT NULL,
    cause text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (donation_id, kind, cause),
    CONSTRAINT donation_notice_amount_check CHECK (amount > 0),
    CONSTRAINT donation_notice_kind_check CHECK (kind = ANY (ARRAY['failed'::text, 'held'::text, 'returned'::text, 'refund failed'::text, 'refunded later'::text])),
    CONSTRAINT donation_notice_donation_id_fkey FOREIGN KEY (donation_id) REFERENCES donation(id)
);
CREATE INDEX donation_notice_held ON donation_notice USING btree (cause) WHERE (kind = 'held'::text);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON donation_notice FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE donation_owner_change (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    donation_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    from_donor uuid NOT NULL,
    to_donor uuid NOT NULL,
    receipt_id uuid NOT NULL,
    ordered_by text NOT NULL,
    reason text NOT NULL,
    by_owner boolean NOT NULL,
    recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (n),
    CONSTRAINT donation_owner_change_check CHECK (to_donor <> from_donor),
    CONSTRAINT donation_owner_change_ordered_by_check CHECK (ordered_by <> ''::text),
    CONSTRAINT donation_owner_change_reason_check CHECK (reason <> ''::text),
    CONSTRAINT donation_owner_change_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT donation_owner_change_from_donor_entity_id_fkey FOREIGN KEY (from_donor, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT donation_owner_change_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt(id),
    CONSTRAINT donation_owner_change_to_donor_entity_id_fkey FOREIGN KEY (to_donor, entity_id) REFERENCES donor(id, entity_id)
);
CREATE INDEX donation_owner_change_by_time ON donation_owner_change USING btree (entity_id, at);
CREATE INDEX donation_owner_change_of_donation ON donation_owner_change USING btree (donation_id, n);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON donation_owner_change FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON donation_owner_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.ordered_by ~~ 'staff %'::text)) EXECUTE FUNCTION requires_audit('receipt', 'receipt_id');

CREATE TABLE donation_step (
    donation_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    cause text NOT NULL,
    PRIMARY KEY (donation_id, at, status),
    CONSTRAINT donation_step_donation_id_fkey FOREIGN KEY (donation_id) REFERENCES donation(id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON donation_step FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE donor (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    email text,
    first_name text NOT NULL,
    last_name text NOT NULL,
    language text NOT NULL,
    news_consented_at timestamp with time zone,
    first_gift_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    phone text NOT NULL DEFAULT ''::text,
    address_line1 text NOT NULL DEFAULT ''::text,
    address_line2 text NOT NULL DEFAULT ''::text,
    city text NOT NULL DEFAULT ''::text,
    region text NOT NULL DEFAULT ''::text,
    postal_code text NOT NULL DEFAULT ''::text,
    country text NOT NULL DEFAULT ''::text,
    said_at timestamp with time zone,
    kind text NOT NULL DEFAULT 'person'::text,
    organisation_name text NOT NULL DEFAULT ''::text,
    recorded_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, email),
    UNIQUE (id, entity_id),
    CONSTRAINT donor_email_check CHECK (email = lower(email)),
    CONSTRAINT donor_kind_check CHECK (kind = ANY (ARRAY['person'::text, 'organisation'::text])),
    CONSTRAINT donor_organisation_name CHECK (kind = 'organisation'::text OR organisation_name = ''::text),
    CONSTRAINT donor_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE TRIGGER address_has_words AFTER UPDATE ON donor FOR EACH ROW WHEN (((old.address_line1 IS DISTINCT FROM new.address_line1) OR (old.address_line2 IS DISTINCT FROM new.address_line2) OR (old.city IS DISTINCT FROM new.city) OR (old.postal_code IS DISTINCT FROM new.postal_code))) EXECUTE FUNCTION address_has_words();
CREATE TRIGGER address_is_locked BEFORE INSERT ON donor FOR EACH ROW EXECUTE FUNCTION address_is_locked();
CREATE TRIGGER changed_email_has_words AFTER UPDATE ON donor FOR EACH ROW WHEN ((old.email IS DISTINCT FROM new.email)) EXECUTE FUNCTION email_has_words();
CREATE TRIGGER email_has_words AFTER INSERT OR DELETE ON donor FOR EACH ROW EXECUTE FUNCTION email_has_words();
CREATE TRIGGER erased_stays_erased BEFORE UPDATE ON donor FOR EACH ROW WHEN ((old.email = (('forgotten-'::text || old.id) || '@invalid'::text))) EXECUTE FUNCTION erased_donor_stays_erased();
CREATE TRIGGER refund_notes_are_erased AFTER UPDATE ON donor FOR EACH ROW WHEN (((new.email = (('forgotten-'::text || new.id) || '@invalid'::text)) AND (old.email IS DISTINCT FROM new.email))) EXECUTE FUNCTION refund_notes_are_erased();
CREATE TRIGGER words_of_donor AFTER INSERT OR DELETE ON donor FOR EACH ROW EXECUTE FUNCTION words_of_donor();
CREATE TRIGGER words_of_renamed_donor AFTER UPDATE ON donor FOR EACH ROW WHEN (((old.first_name IS DISTINCT FROM new.first_name) OR (old.last_name IS DISTINCT FROM new.last_name) OR (old.organisation_name IS DISTINCT FROM new.organisation_name))) EXECUTE FUNCTION words_of_donor();

CREATE TABLE donor_address_word (
    donor_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    word text NOT NULL
);
CREATE INDEX donor_address_word_by_beginning ON donor_address_word USING btree (entity_id, "left"(word, 3)) INCLUDE (donor_id, word);
CREATE INDEX donor_address_word_of_donor ON donor_address_word USING btree (donor_id);

CREATE TABLE donor_consent (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    donor_id uuid NOT NULL,
    kind text NOT NULL,
    given boolean NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (n),
    CONSTRAINT donor_consent_kind_check CHECK (kind = ANY (ARRAY['news'::text, 'reminders'::text, 'statements'::text])),
    CONSTRAINT donor_consent_donor_id_fkey FOREIGN KEY (donor_id) REFERENCES donor(id)
);
CREATE INDEX donor_consent_newest ON donor_consent USING btree (donor_id, kind, n DESC);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON donor_consent FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE donor_email_word (
    donor_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    word text NOT NULL
);
CREATE INDEX donor_email_word_by_beginning ON donor_email_word USING btree (entity_id, "left"(word, 3)) INCLUDE (donor_id, word);
CREATE INDEX donor_email_word_of_donor ON donor_email_word USING btree (donor_id);

CREATE TABLE donor_word (
    donor_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    word text NOT NULL
);
CREATE INDEX donor_word_by_beginning ON donor_word USING btree (entity_id, "left"(word, 3)) INCLUDE (donor_id, word);
CREATE INDEX donor_word_of_donor ON donor_word USING btree (donor_id);

CREATE TABLE donor_year (
    donor_id uuid NOT NULL,
    year integer NOT NULL,
    entity_id uuid NOT NULL,
    gifts integer NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (donor_id, year),
    CONSTRAINT donor_year_amount_check CHECK (amount > 0),
    CONSTRAINT donor_year_gifts_check CHECK (gifts > 0)
);
CREATE INDEX donor_year_largest ON donor_year USING btree (entity_id, year, amount DESC, donor_id);

CREATE TABLE donor_year_due (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    donor_id uuid NOT NULL,
    PRIMARY KEY (n)
);

CREATE TABLE donor_year_through (
    one boolean NOT NULL DEFAULT true,
    serial bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (one),
    CONSTRAINT donor_year_through_one_check CHECK (one)
);

CREATE TABLE email_model (
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    hash bytea NOT NULL,
    content bytea NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (id),
    UNIQUE (hash),
    CONSTRAINT email_model_check CHECK (hash = sha256(content))
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON email_model FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE entity_fact (
    entity_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    legal_name text NOT NULL,
    ein text NOT NULL,
    timezone text,
    address jsonb,
    changed_by text NOT NULL DEFAULT SESSION_USER,
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (n),
    CONSTRAINT entity_fact_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX entity_fact_newest ON entity_fact USING btree (entity_id, since);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON entity_fact FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE erasure (
    id uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    asked_by text NOT NULL,
    language text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    done_at timestamp with time zone,
    tell bytea,
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    first_done_at timestamp with time zone,
    entity_id uuid,
    PRIMARY KEY (id),
    CONSTRAINT erasure_check CHECK (due_at >= asked_at),
    CONSTRAINT erasure_check1 CHECK (withdrawn_at IS NULL OR done_at IS NULL)
);
CREATE INDEX erasure_due ON erasure USING btree (due_at) WHERE ((done_at IS NULL) AND (withdrawn_at IS NULL));
CREATE TRIGGER erasure_is_asked BEFORE INSERT OR UPDATE ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_is_asked();
CREATE TRIGGER erasure_is_done BEFORE INSERT OR UPDATE ON erasure FOR EACH ROW WHEN ((new.done_at IS NOT NULL)) EXECUTE FUNCTION erasure_is_done();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON erasure DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.asked_by ~~ 'staff %'::text)) EXECUTE FUNCTION requires_audit('erasure', 'id');

CREATE TABLE erasure_address (
    erasure_id uuid NOT NULL,
    mac bytea NOT NULL,
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (erasure_id, mac),
    CONSTRAINT erasure_address_mac_check CHECK (octet_length(mac) = 32),
    CONSTRAINT erasure_address_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(id)
);
CREATE TRIGGER done_erasure_names_nobody_else BEFORE INSERT ON erasure_address FOR EACH ROW EXECUTE FUNCTION done_erasure_names_nobody_else();

CREATE TABLE erasure_done (
    erasure_id uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    people integer NOT NULL,
    by_owner boolean NOT NULL,
    CONSTRAINT erasure_done_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(id)
);
CREATE INDEX erasure_done_by_time ON erasure_done USING btree (at);

CREATE TABLE erasure_donor (
    erasure_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamp with time zone,
    PRIMARY KEY (erasure_id, donor_id),
    CONSTRAINT erasure_donor_donor_id_fkey FOREIGN KEY (donor_id) REFERENCES donor(id),
    CONSTRAINT erasure_donor_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(id)
);
CREATE INDEX erasure_of_donor ON erasure_donor USING btree (donor_id);
CREATE TRIGGER bank_lines_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION bank_lines_are_erased();
CREATE TRIGGER bank_uploads_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION bank_uploads_are_erased();
CREATE TRIGGER done_erasure_names_nobody_else BEFORE INSERT ON erasure_donor FOR EACH ROW EXECUTE FUNCTION done_erasure_names_nobody_else();
CREATE TRIGGER erasure_stays_in_entity BEFORE INSERT ON erasure_donor FOR EACH ROW EXECUTE FUNCTION erasure_stays_in_entity();
CREATE TRIGGER gift_imports_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION gift_imports_are_erased();
CREATE TRIGGER gift_void_requests_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION gift_void_requests_are_erased();
CREATE TRIGGER offline_gifts_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION offline_gifts_are_erased();
CREATE TRIGGER shared_address_is_not_erased AFTER UPDATE ON erasure_donor REFERENCING NEW TABLE AS updated FOR EACH STATEMENT EXECUTE FUNCTION shared_address_is_not_erased();
CREATE TRIGGER staff_notes_are_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (((old.erased_at IS NULL) AND (new.erased_at IS NOT NULL))) EXECUTE FUNCTION staff_notes_are_erased();

CREATE TABLE erasure_trace (
    place text NOT NULL,
    subject text NOT NULL,
    noticed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (place, subject)
);

CREATE TABLE erasure_trace_run (
    day date NOT NULL,
    mac bytea NOT NULL,
    PRIMARY KEY (day)
);

CREATE TABLE event_pass (
    id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL DEFAULT now(),
    expires_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (token_hash),
    CONSTRAINT event_pass_check CHECK (expires_at > opened_at AND expires_at <= (opened_at + '08:00:00'::interval)),
    CONSTRAINT event_pass_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT event_pass_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisation(id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON event_pass FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE event_pass_step (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    pass_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (n),
    CONSTRAINT event_pass_step_kind_check CHECK (kind = ANY (ARRAY['opened'::text, 'device'::text, 'gift'::text, 'closed'::text])),
    CONSTRAINT event_pass_step_pass_id_fkey FOREIGN KEY (pass_id) REFERENCES event_pass(id)
);
CREATE INDEX event_pass_step_by_pass ON event_pass_step USING btree (pass_id, kind);
CREATE UNIQUE INDEX event_pass_closed_once ON event_pass_step USING btree (pass_id) WHERE (kind = 'closed'::text);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON event_pass_step FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE fee_due (
    entity_id uuid NOT NULL,
    charge_id text NOT NULL,
    charged_at timestamp with time zone NOT NULL,
    PRIMARY KEY (entity_id, charge_id),
    CONSTRAINT fee_due_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE CONSTRAINT TRIGGER fee_is_booked AFTER DELETE ON fee_due DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fee_is_booked();

CREATE TABLE finance_task (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'::jsonb,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    times integer NOT NULL DEFAULT 1,
    closed_by uuid,
    PRIMARY KEY (id),
    UNIQUE (entity_id, kind, subject),
    CONSTRAINT finance_task_check CHECK (closed_at >= opened_at),
    CONSTRAINT finance_task_times_check CHECK (times > 0),
    CONSTRAINT finance_task_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff(id),
    CONSTRAINT finance_task_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX finance_task_open ON finance_task USING btree (opened_at) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX finance_task_of_entity ON finance_task USING btree (id, entity_id);

CREATE TABLE fund (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid,
    slug text NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    restriction text NOT NULL,
    purpose jsonb NOT NULL,
    "position" integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, code),
    UNIQUE (id, entity_id),
    CONSTRAINT fund_check CHECK (organisation_id IS NOT NULL OR slug = 'operations'::text AND code = 'operations'::text AND restriction = 'none'::text),
    CONSTRAINT fund_code_check CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text AND length(code) <= 101),
    CONSTRAINT fund_restriction_check CHECK (restriction = ANY (ARRAY['none'::text, 'purpose'::text, 'time'::text])),
    CONSTRAINT fund_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text AND length(slug) <= 60),
    CONSTRAINT fund_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT fund_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id)
);
CREATE UNIQUE INDEX fund_slug_in_organisation ON fund USING btree (organisation_id, slug) WHERE (organisation_id IS NOT NULL);

CREATE TABLE gift_batch (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid,
    n integer NOT NULL,
    received_on date NOT NULL,
    counted integer NOT NULL,
    total bigint NOT NULL,
    currency text NOT NULL,
    fund_id uuid,
    account text,
    submission uuid NOT NULL,
    created_by uuid,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    posted_by uuid,
    posted_at timestamp with time zone,
    reason text,
    removed_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, n),
    UNIQUE (id, entity_id),
    UNIQUE (submission),
    CONSTRAINT gift_batch_account_check CHECK (account ~ '^[a-z0-9-]{1,63}$'::text),
    CONSTRAINT gift_batch_check CHECK (posted_at IS NULL OR removed_at IS NULL),
    CONSTRAINT gift_batch_counted_check CHECK (counted >= 1 AND counted <= 10000),
    CONSTRAINT gift_batch_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT gift_batch_n_check CHECK (n > 0),
    CONSTRAINT gift_batch_reason_check CHECK (length(reason) >= 1 AND length(reason) <= 500),
    CONSTRAINT gift_batch_total_check CHECK (total >= 0),
    CONSTRAINT gift_batch_created_by_fkey FOREIGN KEY (created_by) REFERENCES staff(id),
    CONSTRAINT gift_batch_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT gift_batch_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT gift_batch_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT gift_batch_posted_by_fkey FOREIGN KEY (posted_by) REFERENCES staff(id)
);
CREATE TRIGGER begins BEFORE INSERT ON gift_batch FOR EACH ROW EXECUTE FUNCTION gift_batch_begins();
CREATE TRIGGER changes BEFORE UPDATE ON gift_batch FOR EACH ROW EXECUTE FUNCTION gift_batch_changes();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_batch FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON gift_batch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_batch', 'id', 'anyone');

CREATE TABLE gift_batch_row (
    batch_id uuid NOT NULL,
    n integer NOT NULL,
    entity_id uuid NOT NULL,
    submission uuid NOT NULL,
    typed jsonb NOT NULL,
    donor_id uuid,
    same_as integer,
    method text NOT NULL,
    given_by text NOT NULL,
    amount bigint,
    in_return_value bigint,
    number text NOT NULL DEFAULT ''::text,
    postmarked_on date,
    soft_credit uuid,
    gift_id uuid,
    removed_at timestamp with time zone,
    changed_by uuid,
    changed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, n),
    UNIQUE (batch_id, n, entity_id),
    UNIQUE (submission),
    CONSTRAINT gift_batch_row_amount_check CHECK (amount > 0),
    CONSTRAINT gift_batch_row_check CHECK (in_return_value > 0 AND in_return_value < amount),
    CONSTRAINT gift_batch_row_check1 CHECK (amount IS NOT NULL OR method = 'in_kind'::text),
    CONSTRAINT gift_batch_row_check2 CHECK (gift_id IS NULL OR removed_at IS NULL),
    CONSTRAINT gift_batch_row_check3 CHECK (same_as < n),
    CONSTRAINT gift_batch_row_given_by_check CHECK (given_by = ANY (ARRAY['person'::text, 'organisation'::text, 'daf'::text, 'foundation'::text, 'employer_match'::text])),
    CONSTRAINT gift_batch_row_method_check CHECK (method = ANY (ARRAY['check'::text, 'cash'::text, 'transfer'::text, 'stock'::text, 'in_kind'::text])),
    CONSTRAINT gift_batch_row_n_check CHECK (n > 0),
    CONSTRAINT gift_batch_row_typed_check CHECK (jsonb_typeof(typed) = 'object'::text),
    CONSTRAINT gift_batch_row_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch(id, entity_id),
    CONSTRAINT gift_batch_row_changed_by_fkey FOREIGN KEY (changed_by) REFERENCES staff(id),
    CONSTRAINT gift_batch_row_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT gift_batch_row_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id),
    CONSTRAINT gift_batch_row_soft_credit_entity_id_fkey FOREIGN KEY (soft_credit, entity_id) REFERENCES donor(id, entity_id)
);
CREATE INDEX gift_batch_row_of_donor ON gift_batch_row USING btree (donor_id) WHERE (donor_id IS NOT NULL);
CREATE INDEX gift_batch_row_of_soft_credit ON gift_batch_row USING btree (soft_credit) WHERE (soft_credit IS NOT NULL);
CREATE TRIGGER changes BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH ROW EXECUTE FUNCTION gift_batch_row_changes();
CREATE TRIGGER erased_stays_erased BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH ROW EXECUTE FUNCTION gift_batch_row_stays_erased();
CREATE CONSTRAINT TRIGGER gift_batch_row_is_whole AFTER INSERT OR UPDATE ON gift_batch_row DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gift_batch_row_is_whole();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_batch_row FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT OR UPDATE ON gift_batch_row FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE gift_batch_row_part (
    batch_id uuid NOT NULL,
    row_n integer NOT NULL,
    n smallint NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (batch_id, row_n, n),
    UNIQUE (batch_id, row_n, fund_id),
    CONSTRAINT gift_batch_row_part_amount_check CHECK (amount >= 0),
    CONSTRAINT gift_batch_row_part_n_check CHECK (n >= 1 AND n <= 50),
    CONSTRAINT gift_batch_row_part_batch_id_row_n_entity_id_fkey FOREIGN KEY (batch_id, row_n, entity_id) REFERENCES gift_batch_row(batch_id, n, entity_id),
    CONSTRAINT gift_batch_row_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE TRIGGER changes BEFORE INSERT OR DELETE OR UPDATE ON gift_batch_row_part FOR EACH ROW EXECUTE FUNCTION gift_batch_row_part_changes();
CREATE CONSTRAINT TRIGGER gift_batch_row_is_whole AFTER INSERT OR DELETE ON gift_batch_row_part DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gift_batch_row_is_whole();

CREATE TABLE gift_import (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    n integer NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea,
    fingerprint bytea NOT NULL,
    rows integer NOT NULL,
    mapping jsonb NOT NULL,
    without_bad boolean NOT NULL DEFAULT false,
    posted integer NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    left_out integer NOT NULL DEFAULT 0,
    problem text,
    uploaded_by uuid,
    uploaded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    ordered_by uuid,
    ordered_at timestamp with time zone,
    ended_at timestamp with time zone,
    discarded_at timestamp with time zone,
    undo_by uuid,
    undo_at timestamp with time zone,
    undone_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, n),
    UNIQUE (id, entity_id),
    CONSTRAINT gift_import_check CHECK (ended_at IS NULL OR ordered_at IS NOT NULL),
    CONSTRAINT gift_import_check1 CHECK (undo_at IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT gift_import_check2 CHECK (undone_at IS NULL OR undo_at IS NOT NULL),
    CONSTRAINT gift_import_fingerprint_check CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT gift_import_mapping_check CHECK (jsonb_typeof(mapping) = 'object'::text),
    CONSTRAINT gift_import_n_check CHECK (n > 0),
    CONSTRAINT gift_import_name_check CHECK (length(name) <= 200),
    CONSTRAINT gift_import_posted_check CHECK (posted >= 0),
    CONSTRAINT gift_import_problem_check CHECK (length(problem) <= 200),
    CONSTRAINT gift_import_rows_check CHECK (rows > 0),
    CONSTRAINT gift_import_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT gift_import_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT gift_import_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES staff(id),
    CONSTRAINT gift_import_undo_by_fkey FOREIGN KEY (undo_by) REFERENCES staff(id),
    CONSTRAINT gift_import_uploaded_by_fkey FOREIGN KEY (uploaded_by) REFERENCES staff(id)
);
CREATE INDEX gift_import_kept ON gift_import USING btree (uploaded_at) WHERE (content IS NOT NULL);
CREATE UNIQUE INDEX gift_import_once ON gift_import USING btree (entity_id, sha256) WHERE ((discarded_at IS NULL) AND (undone_at IS NULL));
CREATE TRIGGER begins BEFORE INSERT ON gift_import FOR EACH ROW EXECUTE FUNCTION gift_import_begins();
CREATE TRIGGER changes BEFORE UPDATE ON gift_import FOR EACH ROW EXECUTE FUNCTION gift_import_changes();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_import FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE gift_import_batch (
    batch_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    import_id uuid NOT NULL,
    PRIMARY KEY (batch_id),
    CONSTRAINT gift_import_batch_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch(id, entity_id),
    CONSTRAINT gift_import_batch_import_id_entity_id_fkey FOREIGN KEY (import_id, entity_id) REFERENCES gift_import(id, entity_id)
);
CREATE INDEX gift_import_batch_of_import ON gift_import_batch USING btree (import_id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON gift_import_batch FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE gift_import_mapping (
    entity_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    mapping jsonb NOT NULL,
    PRIMARY KEY (entity_id, fingerprint),
    CONSTRAINT gift_import_mapping_fingerprint_check CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT gift_import_mapping_mapping_check CHECK (jsonb_typeof(mapping) = 'object'::text),
    CONSTRAINT gift_import_mapping_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);

CREATE TABLE gift_void (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    gift_id uuid NOT NULL,
    new_gift_id uuid,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    voided_by uuid NOT NULL,
    voided_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    UNIQUE (gift_id),
    UNIQUE (new_gift_id),
    CONSTRAINT gift_void_check CHECK (gift_id <> new_gift_id),
    CONSTRAINT gift_void_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id),
    CONSTRAINT gift_void_new_gift_id_entity_id_fkey FOREIGN KEY (new_gift_id, entity_id) REFERENCES offline_gift(id, entity_id),
    CONSTRAINT gift_void_request_id_entity_id_fkey FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id),
    CONSTRAINT gift_void_request_id_request_hash_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request(id, hash),
    CONSTRAINT gift_void_voided_by_fkey FOREIGN KEY (voided_by) REFERENCES staff(id)
);
CREATE TRIGGER gift_void_begins BEFORE INSERT ON gift_void FOR EACH ROW EXECUTE FUNCTION gift_void_begins();
CREATE CONSTRAINT TRIGGER gift_void_is_booked AFTER INSERT ON gift_void DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gift_void_is_booked();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON gift_void FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER requires_approval AFTER INSERT ON gift_void FOR EACH ROW EXECUTE FUNCTION requires_approval('void', 'id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON gift_void DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('gift_void', 'id', 'voided_by');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON gift_void FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE gift_void_request (
    request_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    gift_id uuid NOT NULL,
    reason text NOT NULL,
    typed jsonb,
    donor_id uuid,
    received_on date,
    account text,
    PRIMARY KEY (request_id),
    CONSTRAINT gift_void_request_account_check CHECK (account ~ '^[a-z0-9-]{1,63}$'::text),
    CONSTRAINT gift_void_request_check CHECK ((typed IS NULL) = (received_on IS NULL)),
    CONSTRAINT gift_void_request_check1 CHECK (typed IS NOT NULL OR num_nonnulls(donor_id, account) = 0),
    CONSTRAINT gift_void_request_reason_check CHECK (length(reason) <= 500),
    CONSTRAINT gift_void_request_typed_check CHECK (jsonb_typeof(typed) = 'object'::text),
    CONSTRAINT gift_void_request_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT gift_void_request_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id),
    CONSTRAINT gift_void_request_request_id_entity_id_fkey FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id)
);
CREATE INDEX gift_void_request_of_donor ON gift_void_request USING btree (donor_id) WHERE (donor_id IS NOT NULL);
CREATE INDEX gift_void_request_of_gift ON gift_void_request USING btree (gift_id);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_stays_erased();
CREATE TRIGGER gift_void_request_begins BEFORE INSERT ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_begins();
CREATE TRIGGER gift_void_request_keeps BEFORE UPDATE ON gift_void_request FOR EACH ROW EXECUTE FUNCTION gift_void_request_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON gift_void_request FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON gift_void_request FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE UNLOGGED TABLE guard_count (
    key bytea NOT NULL,
    slice bigint NOT NULL,
    shard smallint NOT NULL,
    n integer NOT NULL,
    until timestamp with time zone NOT NULL,
    PRIMARY KEY (key, slice, shard),
    CONSTRAINT guard_count_key_check CHECK (octet_length(key) = 16),
    CONSTRAINT guard_count_n_check CHECK (n > 0)
);
CREATE INDEX guard_count_old ON guard_count USING btree (until);

CREATE UNLOGGED TABLE guard_failure (
    id text NOT NULL,
    page text NOT NULL,
    at timestamp with time zone NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX guard_failure_recent ON guard_failure USING btree (at);

CREATE UNLOGGED TABLE guard_step_used (
    nonce bytea NOT NULL,
    until timestamp with time zone NOT NULL,
    PRIMARY KEY (nonce),
    CONSTRAINT guard_step_used_nonce_check CHECK (octet_length(nonce) = 16)
);
CREATE INDEX guard_step_used_old ON guard_step_used USING btree (until);

CREATE TABLE installation (
    fact text NOT NULL,
    value text NOT NULL,
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fact),
    CONSTRAINT installation_check CHECK (fact <> 'secret key'::text OR value ~ '^[0-9a-f]{16}$'::text),
    CONSTRAINT installation_fact_check CHECK (fact = ANY (ARRAY['secret key'::text, 'base url'::text])),
    CONSTRAINT installation_value_check CHECK (value <> ''::text)
);

CREATE TABLE instalment (
    entity_id uuid NOT NULL,
    invoice_id text NOT NULL,
    plan_id uuid NOT NULL,
    first boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    n integer,
    donation_id uuid,
    refused boolean NOT NULL DEFAULT false,
    ours boolean NOT NULL DEFAULT false,
    PRIMARY KEY (entity_id, invoice_id),
    UNIQUE (donation_id),
    UNIQUE (plan_id, n),
    CONSTRAINT instalment_check CHECK ((n IS NULL) = (donation_id IS NULL)),
    CONSTRAINT instalment_check1 CHECK (NOT refused OR n IS NULL),
    CONSTRAINT instalment_n_check CHECK (n > 0),
    CONSTRAINT instalment_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT instalment_plan_id_entity_id_fkey FOREIGN KEY (plan_id, entity_id) REFERENCES plan(id, entity_id)
);
CREATE INDEX instalment_owed ON instalment USING btree (plan_id) WHERE (ours AND (n IS NULL) AND (NOT refused));

CREATE TABLE journal_entry (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    currency text NOT NULL,
    entry_date date NOT NULL,
    fact_date date NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    kind text NOT NULL,
    fact_hash bytea NOT NULL,
    line_count smallint NOT NULL,
    reverses uuid,
    dimensions jsonb NOT NULL DEFAULT '{}'::jsonb,
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    recorded_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    serial bigint NOT NULL DEFAULT 
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval('journal_entry_serial'::regclass)
    ELSE NULL::bigint
END,
    PRIMARY KEY (id),
    UNIQUE (source_id, kind, source, entity_id),
    UNIQUE (id, entity_id, currency, line_count, serial),
    UNIQUE (reverses),
    UNIQUE (serial),
    CONSTRAINT journal_entry_check CHECK (entry_date >= fact_date),
    CONSTRAINT journal_entry_dates CHECK (fact_date >= '2000-01-01'::date AND entry_date < '2100-01-01'::date),
    CONSTRAINT journal_entry_fact_hash_check CHECK (octet_length(fact_hash) = 32),
    CONSTRAINT journal_entry_kind_check CHECK (kind <> ''::text),
    CONSTRAINT journal_entry_line_count_check CHECK (line_count >= 2 AND line_count <= 2000),
    CONSTRAINT journal_entry_source_check CHECK (source <> ''::text),
    CONSTRAINT journal_entry_source_id_check CHECK (source_id <> ''::text),
    CONSTRAINT journal_entry_entity_id_currency_fkey FOREIGN KEY (entity_id, currency) REFERENCES books(entity_id, currency),
    CONSTRAINT journal_entry_reverses_fkey FOREIGN KEY (reverses) REFERENCES journal_entry(id)
);
CREATE INDEX journal_entry_by_date ON journal_entry USING btree (entry_date, entity_id);
CREATE CONSTRAINT TRIGGER bank_entry_has_match AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.source = 'bank match'::text)) EXECUTE FUNCTION bank_entry_has_match();
CREATE CONSTRAINT TRIGGER bank_entry_has_opening AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.source = 'bank opening'::text)) EXECUTE FUNCTION bank_entry_has_opening();
CREATE CONSTRAINT TRIGGER bank_reversal_is_open AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.reverses IS NOT NULL)) EXECUTE FUNCTION bank_reversal_is_open();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER journal_entry_in_open_period AFTER INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_entry_in_open_period();
CREATE CONSTRAINT TRIGGER journal_entry_is_sealed AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_entry_is_sealed();

CREATE TABLE ledger_day (
    entity_id uuid NOT NULL,
    day date NOT NULL,
    fund_id uuid NOT NULL,
    account_code text NOT NULL,
    amount bigint NOT NULL,
    lines bigint NOT NULL,
    PRIMARY KEY (entity_id, day, fund_id, account_code),
    CONSTRAINT ledger_day_lines_check CHECK (lines > 0)
);

CREATE TABLE ledger_day_through (
    one boolean NOT NULL DEFAULT true,
    serial bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (one),
    CONSTRAINT ledger_day_through_one_check CHECK (one)
);

CREATE TABLE ledger_head (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    day date NOT NULL,
    n bigint NOT NULL,
    hash bytea NOT NULL,
    trial_balance bigint NOT NULL,
    kept_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (entity_id, day),
    CONSTRAINT ledger_head_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT ledger_head_entity_id_n_fkey FOREIGN KEY (entity_id, n) REFERENCES ledger_seal(entity_id, n)
);
CREATE TRIGGER head_is_newest BEFORE INSERT ON ledger_head FOR EACH ROW EXECUTE FUNCTION head_is_newest();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_head FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_head FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE ledger_month (
    entity_id uuid NOT NULL,
    month date NOT NULL,
    fund_id uuid NOT NULL,
    account_code text NOT NULL,
    amount bigint NOT NULL,
    lines bigint NOT NULL,
    PRIMARY KEY (entity_id, month, fund_id, account_code),
    CONSTRAINT ledger_month_lines_check CHECK (lines > 0),
    CONSTRAINT ledger_month_month_check CHECK (EXTRACT(day FROM month) = 1::numeric)
);

CREATE TABLE ledger_month_through (
    one boolean NOT NULL DEFAULT true,
    serial bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (one),
    CONSTRAINT ledger_month_through_one_check CHECK (one)
);

CREATE TABLE ledger_seal (
    entity_id uuid NOT NULL,
    n bigint NOT NULL,
    entry_id uuid NOT NULL,
    serial bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (entity_id, n),
    UNIQUE (serial),
    CONSTRAINT ledger_seal_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT ledger_seal_n_check CHECK (n > 0),
    CONSTRAINT ledger_seal_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES books(entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_seal FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER seals_follow_entries AFTER INSERT ON ledger_seal REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION seals_follow_entries();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_seal FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE ledger_snapshot (
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    n bigint NOT NULL,
    account_code text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (fund_id, n, account_code),
    CONSTRAINT ledger_snapshot_account_code_fkey FOREIGN KEY (account_code) REFERENCES account(code),
    CONSTRAINT ledger_snapshot_entity_id_n_fkey FOREIGN KEY (entity_id, n) REFERENCES ledger_seal(entity_id, n),
    CONSTRAINT ledger_snapshot_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_snapshot FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON ledger_snapshot FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER snapshots_are_sums AFTER INSERT ON ledger_snapshot REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION snapshots_are_sums();

CREATE TABLE legal_entity (
    id uuid NOT NULL,
    slug text NOT NULL,
    legal_name text NOT NULL,
    ein text NOT NULL,
    address jsonb NOT NULL,
    timezone text NOT NULL,
    currency text NOT NULL,
    mail_from text NOT NULL,
    fee_borne_by text NOT NULL DEFAULT 'fund'::text,
    fee_basis_points integer NOT NULL DEFAULT 0,
    fee_fixed bigint NOT NULL DEFAULT 0,
    sponsor_basis_points integer NOT NULL DEFAULT 0,
    sponsor_of text NOT NULL DEFAULT 'gross'::text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    receipt_prefix text NOT NULL DEFAULT ''::text,
    money_factor text NOT NULL DEFAULT 'passkey'::text,
    fiscal_year_starts smallint NOT NULL DEFAULT 1,
    two_persons_refund bigint NOT NULL DEFAULT 0,
    without_cards boolean NOT NULL DEFAULT false,
    giving_by_mail jsonb NOT NULL DEFAULT '{}'::jsonb,
    PRIMARY KEY (id),
    UNIQUE (slug),
    CONSTRAINT legal_entity_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT legal_entity_ein_check CHECK (ein ~ '^[0-9]{2}-[0-9]{7}$'::text),
    CONSTRAINT legal_entity_fee_basis_points_check CHECK (fee_basis_points >= 0 AND fee_basis_points <= 10000),
    CONSTRAINT legal_entity_fee_borne_by_check CHECK (fee_borne_by = ANY (ARRAY['fund'::text, 'operations'::text])),
    CONSTRAINT legal_entity_fee_fixed_check CHECK (fee_fixed >= 0),
    CONSTRAINT legal_entity_fiscal_year_starts_check CHECK (fiscal_year_starts >= 1 AND fiscal_year_starts <= 12),
    CONSTRAINT legal_entity_legal_name_check CHECK (legal_name <> ''::text),
    CONSTRAINT legal_entity_money_factor_check CHECK (money_factor = ANY (ARRAY['passkey'::text, 'totp'::text])),
    CONSTRAINT legal_entity_receipt_prefix_check CHECK (receipt_prefix ~ '^([A-Z0-9]+(-[A-Z0-9]+)*)?$'::text AND length(receipt_prefix) <= 20),
    CONSTRAINT legal_entity_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text AND length(slug) <= 40),
    CONSTRAINT legal_entity_sponsor_basis_points_check CHECK (sponsor_basis_points >= 0 AND sponsor_basis_points <= 10000),
    CONSTRAINT legal_entity_sponsor_of_check CHECK (sponsor_of = ANY (ARRAY['gross'::text, 'net'::text])),
    CONSTRAINT legal_entity_two_persons_refund_check CHECK (two_persons_refund >= 0)
);
CREATE UNIQUE INDEX legal_entity_receipt_prefix_key ON legal_entity USING btree (COALESCE(NULLIF(receipt_prefix, ''::text), upper(slug)));
CREATE TRIGGER entity_fact_begins AFTER INSERT ON legal_entity FOR EACH ROW EXECUTE FUNCTION entity_fact_is_kept();
CREATE TRIGGER entity_fact_changes AFTER UPDATE ON legal_entity FOR EACH ROW WHEN (((old.legal_name IS DISTINCT FROM new.legal_name) OR (old.ein IS DISTINCT FROM new.ein) OR (old.timezone IS DISTINCT FROM new.timezone) OR (old.address IS DISTINCT FROM new.address))) EXECUTE FUNCTION entity_fact_is_kept();

CREATE TABLE letter (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    sender text NOT NULL,
    message_id text NOT NULL,
    message bytea NOT NULL,
    rendered_at timestamp with time zone NOT NULL,
    donor_id uuid,
    choice text,
    model_id integer,
    difference bytea,
    PRIMARY KEY (id),
    UNIQUE (kind, subject_id),
    UNIQUE (message_id),
    CONSTRAINT letter_choice CHECK ((donor_id IS NULL) = (choice IS NULL)),
    CONSTRAINT letter_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX letter_of_subject ON letter USING btree (subject_id);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON letter FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON letter FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();
CREATE TRIGGER only_the_person_goes BEFORE DELETE OR UPDATE ON letter FOR EACH ROW EXECUTE FUNCTION only_the_person_goes();

CREATE TABLE letter_delivery (
    id uuid NOT NULL,
    letter_id uuid NOT NULL,
    recipient text NOT NULL,
    cause text NOT NULL,
    ordered_by text NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    smtp_reply text,
    accepted_at timestamp with time zone,
    refused_at timestamp with time zone,
    declined_at timestamp with time zone,
    PRIMARY KEY (id),
    CONSTRAINT letter_delivery_cause_check CHECK (cause = ANY (ARRAY['first'::text, 'resend'::text, 'address'::text])),
    CONSTRAINT letter_delivery_check CHECK (num_nonnulls(accepted_at, refused_at) < 2),
    CONSTRAINT letter_delivery_declined CHECK (num_nonnulls(accepted_at, declined_at) < 2),
    CONSTRAINT letter_delivery_letter_id_fkey FOREIGN KEY (letter_id) REFERENCES letter(id)
);
CREATE INDEX letter_delivery_of_letter ON letter_delivery USING btree (letter_id, ordered_at);
CREATE INDEX letter_delivery_of_recipient ON letter_delivery USING btree (lower(recipient));
CREATE INDEX letter_delivery_open ON letter_delivery USING btree (ordered_at) WHERE (accepted_at IS NULL);
CREATE UNIQUE INDEX letter_delivery_first ON letter_delivery USING btree (letter_id) WHERE (cause = 'first'::text);
CREATE TRIGGER delivery_ends_once BEFORE UPDATE ON letter_delivery FOR EACH ROW EXECUTE FUNCTION delivery_ends_once();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON letter_delivery FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();

CREATE TABLE mailbox (
    email text NOT NULL,
    person_id uuid NOT NULL,
    proved_at timestamp with time zone NOT NULL,
    chosen boolean NOT NULL DEFAULT false,
    closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (email),
    CONSTRAINT mailbox_email_check CHECK (email = lower(email))
);
CREATE INDEX mailbox_by_person ON mailbox USING btree (person_id);
CREATE UNIQUE INDEX mailbox_chosen ON mailbox USING btree (person_id) WHERE chosen;
CREATE TRIGGER address_is_locked BEFORE INSERT ON mailbox FOR EACH ROW EXECUTE FUNCTION address_is_locked();
CREATE TRIGGER choice_stays_with_person BEFORE UPDATE ON mailbox FOR EACH ROW WHEN ((new.person_id <> old.person_id)) EXECUTE FUNCTION choice_stays_with_person();

CREATE TABLE mailbox_step (
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    kind text NOT NULL,
    before uuid,
    after uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (n),
    CONSTRAINT mailbox_step_check CHECK ((kind = ANY (ARRAY['proved'::text, 'vouched'::text])) = (before IS NULL)),
    CONSTRAINT mailbox_step_kind_check CHECK (kind = ANY (ARRAY['proved'::text, 'vouched'::text, 'joined'::text, 'moved'::text, 'parted'::text, 'chosen'::text, 'unchosen'::text])),
    CONSTRAINT mailbox_step_email_fkey FOREIGN KEY (email) REFERENCES mailbox(email)
);
CREATE INDEX mailbox_step_of_mailbox ON mailbox_step USING btree (email, n DESC);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON mailbox_step FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();

CREATE TABLE offline_gift (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donation_id uuid,
    donor_id uuid,
    batch_id uuid,
    row_n integer,
    method text NOT NULL,
    given_by text NOT NULL,
    paid bigint,
    currency text NOT NULL,
    number text NOT NULL DEFAULT ''::text,
    postmarked_on date,
    described text NOT NULL DEFAULT ''::text,
    in_return text NOT NULL DEFAULT ''::text,
    in_return_value bigint,
    counted_by text NOT NULL DEFAULT ''::text,
    note text NOT NULL DEFAULT ''::text,
    PRIMARY KEY (id),
    UNIQUE (batch_id, row_n),
    UNIQUE (donation_id),
    UNIQUE (id, entity_id),
    CONSTRAINT offline_gift_check CHECK (in_return_value > 0 AND in_return_value < paid),
    CONSTRAINT offline_gift_check1 CHECK (num_nonnulls(donation_id, donor_id) = 1),
    CONSTRAINT offline_gift_check2 CHECK (donation_id IS NULL OR paid IS NOT NULL),
    CONSTRAINT offline_gift_check3 CHECK ((in_return = ''::text) = (in_return_value IS NULL)),
    CONSTRAINT offline_gift_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT offline_gift_given_by_check CHECK (given_by = ANY (ARRAY['person'::text, 'organisation'::text, 'daf'::text, 'foundation'::text, 'employer_match'::text])),
    CONSTRAINT offline_gift_method_check CHECK (method = ANY (ARRAY['check'::text, 'cash'::text, 'transfer'::text, 'stock'::text, 'in_kind'::text])),
    CONSTRAINT offline_gift_paid_check CHECK (paid > 0),
    CONSTRAINT offline_gift_batch_id_entity_id_fkey FOREIGN KEY (batch_id, entity_id) REFERENCES gift_batch(id, entity_id),
    CONSTRAINT offline_gift_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT offline_gift_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id)
);
CREATE INDEX offline_gift_by_number ON offline_gift USING btree (entity_id, number, paid) WHERE (number <> ''::text);
CREATE INDEX offline_gift_of_donor ON offline_gift USING btree (donor_id) WHERE (donor_id IS NOT NULL);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON offline_gift FOR EACH ROW EXECUTE FUNCTION offline_gift_stays_erased();
CREATE TRIGGER keeps BEFORE UPDATE ON offline_gift FOR EACH ROW EXECUTE FUNCTION offline_gift_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON offline_gift FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON offline_gift FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER waits_to_be_deposited AFTER INSERT ON offline_gift FOR EACH ROW WHEN (((new.method = ANY (ARRAY['check'::text, 'cash'::text])) AND (new.donation_id IS NOT NULL))) EXECUTE FUNCTION offline_gift_waits();

CREATE TABLE organisation (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    slug text NOT NULL,
    name jsonb NOT NULL,
    sponsored boolean NOT NULL,
    languages text[] NOT NULL,
    presets bigint[] NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    frequencies text[] NOT NULL,
    accent text NOT NULL,
    "position" integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (slug),
    CONSTRAINT organisation_accent_check CHECK (accent ~ '^#[0-9a-f]{6}$'::text),
    CONSTRAINT organisation_check CHECK (maximum >= minimum),
    CONSTRAINT organisation_frequencies_check CHECK (cardinality(frequencies) > 0),
    CONSTRAINT organisation_languages_check CHECK (cardinality(languages) > 0),
    CONSTRAINT organisation_minimum_check CHECK (minimum > 0),
    CONSTRAINT organisation_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text AND length(slug) <= 40),
    CONSTRAINT organisation_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);

CREATE TABLE payment (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donation_id uuid,
    method text NOT NULL,
    processor text,
    charge_ref text,
    intent_ref text,
    asset_account text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (entity_id, processor, charge_ref),
    CONSTRAINT payment_amount_check CHECK (amount > 0),
    CONSTRAINT payment_asset_account_check CHECK (asset_account = ANY (ARRAY['1010'::text, '1050'::text, '1100'::text, '1300'::text, '5300'::text])),
    CONSTRAINT payment_check CHECK ((processor IS NOT NULL) = (method = ANY (ARRAY['card'::text, 'bank_debit'::text]))),
    CONSTRAINT payment_check1 CHECK (num_nulls(processor, charge_ref, intent_ref) = ANY (ARRAY[0, 3])),
    CONSTRAINT payment_check2 CHECK (donation_id IS NOT NULL OR status = 'suspense'::text),
    CONSTRAINT payment_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT payment_method_check CHECK (method = ANY (ARRAY['card'::text, 'bank_debit'::text, 'check'::text, 'cash'::text, 'bank_transfer'::text, 'stock'::text, 'donor_advised_fund'::text, 'in_kind'::text, 'suspense'::text])),
    CONSTRAINT payment_processor_check CHECK (processor = 'stripe'::text),
    CONSTRAINT payment_status_check CHECK (status = ANY (ARRAY['settled'::text, 'suspense'::text])),
    CONSTRAINT payment_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT payment_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE UNIQUE INDEX payment_one_settled ON payment USING btree (donation_id) WHERE (status = 'settled'::text);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payment FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER payment_out_of_suspense AFTER INSERT ON payment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.method = 'suspense'::text)) EXECUTE FUNCTION payment_out_of_suspense();

CREATE TABLE payment_change (
    entity_id uuid NOT NULL,
    object_id text NOT NULL,
    kind text NOT NULL,
    payment_id uuid NOT NULL,
    amount bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    owed bigint NOT NULL DEFAULT 0,
    beyond bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (object_id, kind, entity_id),
    CONSTRAINT payment_change_amount_check CHECK (amount >= 0 AND owed >= 0 AND beyond >= 0 AND (amount + owed + beyond) > 0),
    CONSTRAINT payment_change_kind_check CHECK (kind = ANY (ARRAY['refund'::text, 'refund failed'::text, 'dispute withdrawn'::text, 'dispute won'::text, 'dispute lost'::text])),
    CONSTRAINT payment_change_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT payment_change_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment(id)
);
CREATE INDEX payment_change_by_payment ON payment_change USING btree (payment_id);
CREATE INDEX payment_change_failed ON payment_change USING btree (entity_id, object_id) WHERE (kind = 'refund failed'::text);
CREATE INDEX payment_change_refunds ON payment_change USING btree (entity_id, at, object_id COLLATE "C") WHERE (kind = 'refund'::text);
CREATE TRIGGER dispute_follows_change AFTER INSERT ON payment_change FOR EACH ROW WHEN ((new.kind = ANY (ARRAY['dispute withdrawn'::text, 'dispute won'::text, 'dispute lost'::text]))) EXECUTE FUNCTION dispute_follows_change();
CREATE TRIGGER donor_years_change AFTER INSERT ON payment_change REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION donor_years_change();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payment_change FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER payment_void_has_cause AFTER INSERT ON payment_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.object_id ~~ 'void %'::text)) EXECUTE FUNCTION payment_void_has_cause();

CREATE TABLE payment_change_share (
    entity_id uuid NOT NULL,
    object_id text NOT NULL,
    kind text NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    fee bigint NOT NULL,
    sponsor_fee bigint NOT NULL,
    absorbed bigint NOT NULL DEFAULT 0,
    owed bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (object_id, kind, entity_id, fund_id),
    CONSTRAINT payment_change_share_amount_check CHECK (amount >= 0),
    CONSTRAINT payment_change_share_check CHECK (absorbed >= 0 AND absorbed <= amount),
    CONSTRAINT payment_change_share_owed_check CHECK (owed >= 0),
    CONSTRAINT payment_change_share_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT payment_change_share_object_id_kind_entity_id_fkey FOREIGN KEY (object_id, kind, entity_id) REFERENCES payment_change(object_id, kind, entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payment_change_share FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE payment_share (
    payment_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    gift bigint NOT NULL,
    fee bigint NOT NULL,
    sponsor_fee bigint NOT NULL,
    PRIMARY KEY (payment_id, fund_id),
    CONSTRAINT payment_share_gift_check CHECK (gift >= 0),
    CONSTRAINT payment_share_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payment_share FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE payment_source (
    payment_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    source text NOT NULL,
    ignored boolean NOT NULL,
    PRIMARY KEY (payment_id),
    CONSTRAINT payment_source_source_check CHECK (source <> ''::text),
    CONSTRAINT payment_source_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT payment_source_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment(id)
);
CREATE INDEX payment_source_by_source ON payment_source USING btree (entity_id, source, ignored);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payment_source FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE payout (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    processor text NOT NULL,
    payout_ref text NOT NULL,
    kind text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    arrival_on date NOT NULL,
    status text NOT NULL,
    descriptor text NOT NULL DEFAULT ''::text,
    created_at timestamp with time zone NOT NULL,
    members_stored boolean NOT NULL DEFAULT false,
    read_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (entity_id, processor, payout_ref),
    CONSTRAINT payout_check CHECK (NOT members_stored OR NOT kind IS DISTINCT FROM 'automatic'::text),
    CONSTRAINT payout_check1 CHECK (kind IS NULL OR read_at IS NOT NULL),
    CONSTRAINT payout_kind_check CHECK (kind = ANY (ARRAY['automatic'::text, 'manual'::text, 'instant'::text])),
    CONSTRAINT payout_processor_check CHECK (processor = 'stripe'::text),
    CONSTRAINT payout_status_check CHECK (status = ANY (ARRAY['pending'::text, 'in_transit'::text, 'paid'::text, 'failed'::text, 'canceled'::text])),
    CONSTRAINT payout_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX payout_to_read ON payout USING btree (entity_id, read_at) WHERE ((read_at IS NULL) OR (status = ANY (ARRAY['pending'::text, 'in_transit'::text])));

CREATE TABLE payout_member (
    payout_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    transaction_id text NOT NULL,
    PRIMARY KEY (payout_id, transaction_id),
    CONSTRAINT payout_member_payout_id_entity_id_fkey FOREIGN KEY (payout_id, entity_id) REFERENCES payout(id, entity_id)
);
CREATE INDEX payout_member_by_transaction ON payout_member USING btree (transaction_id, entity_id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON payout_member FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE pending_charge (
    charge_id text NOT NULL,
    entity_id uuid NOT NULL,
    transaction_id text NOT NULL,
    amount bigint NOT NULL,
    cleared_at timestamp with time zone,
    bill text,
    at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (charge_id, entity_id),
    CONSTRAINT pending_charge_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX pending_charge_open ON pending_charge USING btree (entity_id) WHERE (cleared_at IS NULL);

CREATE TABLE pending_movement (
    transaction_id text NOT NULL,
    entity_id uuid NOT NULL,
    charge_id text NOT NULL,
    category text NOT NULL,
    cleared_at timestamp with time zone,
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (transaction_id, entity_id),
    CONSTRAINT pending_movement_charge_id_entity_id_fkey FOREIGN KEY (charge_id, entity_id) REFERENCES pending_charge(charge_id, entity_id)
);
CREATE INDEX pending_movement_open ON pending_movement USING btree (charge_id, entity_id) WHERE (cleared_at IS NULL);

CREATE TABLE plan (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    public_ref text NOT NULL,
    status text NOT NULL,
    frequency text NOT NULL,
    amount bigint NOT NULL,
    covered bigint NOT NULL,
    currency text NOT NULL,
    language text NOT NULL,
    total integer,
    paid integer NOT NULL DEFAULT 0,
    terms integer NOT NULL DEFAULT 1,
    customer_id text,
    subscription_id text,
    schedule_id text,
    phase_start timestamp with time zone,
    iterations integer NOT NULL DEFAULT 0,
    card_brand text,
    card_last4 text,
    card_expires date,
    next_at timestamp with time zone,
    paused_until timestamp with time zone,
    failing_since timestamp with time zone,
    failing_code text,
    failing_invoice text,
    look_due timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    begun_at timestamp with time zone,
    ended_at timestamp with time zone,
    anchor_day smallint NOT NULL DEFAULT 0,
    ends_at timestamp with time zone,
    ended_because text,
    disputed_since timestamp with time zone,
    discounted bigint,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (public_ref),
    CONSTRAINT plan_amount_check CHECK (amount > 0),
    CONSTRAINT plan_anchor_day_check CHECK (anchor_day >= 0 AND anchor_day <= 31),
    CONSTRAINT plan_card_last4_check CHECK (card_last4 ~ '^[0-9]{4}$'::text),
    CONSTRAINT plan_check CHECK (covered >= 0 AND covered < amount),
    CONSTRAINT plan_check1 CHECK (total IS NULL OR paid <= total),
    CONSTRAINT plan_check2 CHECK ((status = ANY (ARRAY['finished'::text, 'cancelled'::text, 'failed'::text])) = (ended_at IS NOT NULL)),
    CONSTRAINT plan_check3 CHECK (ended_at IS NULL OR next_at IS NULL),
    CONSTRAINT plan_check4 CHECK (ended_because IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT plan_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT plan_ended_because_check CHECK (ended_because = ANY (ARRAY['completed'::text, 'asked'::text, 'unpaid'::text, 'disputed'::text, 'at_stripe'::text, 'unexpected'::text])),
    CONSTRAINT plan_frequency_check CHECK (frequency = ANY (ARRAY['weekly'::text, 'monthly'::text, 'quarterly'::text, 'yearly'::text])),
    CONSTRAINT plan_paid_check CHECK (paid >= 0),
    CONSTRAINT plan_public_ref_check CHECK (length(public_ref) >= 22),
    CONSTRAINT plan_status_check CHECK (status = ANY (ARRAY['started'::text, 'active'::text, 'paused'::text, 'finished'::text, 'cancelled'::text, 'failed'::text])),
    CONSTRAINT plan_total_check CHECK (total > 1),
    CONSTRAINT plan_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT plan_id_entity_id_fkey FOREIGN KEY (id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT plan_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id)
);
CREATE INDEX plan_by_customer ON plan USING btree (entity_id, customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX plan_by_donor ON plan USING btree (donor_id);
CREATE INDEX plan_next ON plan USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX plan_to_look_at ON plan USING btree (look_due) WHERE (look_due IS NOT NULL);
CREATE UNIQUE INDEX plan_by_subscription ON plan USING btree (entity_id, subscription_id) WHERE (subscription_id IS NOT NULL);
CREATE TRIGGER erased_stays_erased BEFORE INSERT OR UPDATE ON plan FOR EACH ROW WHEN (((new.card_brand IS NOT NULL) OR (new.card_last4 IS NOT NULL) OR (new.card_expires IS NOT NULL))) EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER owner_change_is_recorded BEFORE UPDATE ON plan FOR EACH ROW WHEN ((old.donor_id IS DISTINCT FROM new.donor_id)) EXECUTE FUNCTION owner_change_is_recorded();
CREATE TRIGGER plan_step_is_legal BEFORE UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION plan_step_is_legal();

CREATE TABLE plan_event (
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    kind text NOT NULL,
    cause text NOT NULL,
    detail jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (plan_id, kind, cause),
    CONSTRAINT plan_event_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
);
CREATE INDEX plan_event_of_plan ON plan_event USING btree (plan_id, at);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON plan_event FOR EACH ROW WHEN ((new.detail <> cardless(new.detail))) EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON plan_event FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();

CREATE TABLE plan_link (
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    code_mac bytea NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    expires_at timestamp with time zone NOT NULL DEFAULT (now() + '1 year 1 mon'::interval),
    ended_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (code_mac),
    UNIQUE (token_hash),
    CONSTRAINT plan_link_check CHECK (expires_at > created_at AND expires_at <= (created_at + '1 year 1 mon'::interval)),
    CONSTRAINT plan_link_code_mac_check CHECK (octet_length(code_mac) = 32),
    CONSTRAINT plan_link_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT plan_link_donor_id_fkey FOREIGN KEY (donor_id) REFERENCES donor(id),
    CONSTRAINT plan_link_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
);
CREATE INDEX plan_link_of_donor ON plan_link USING btree (donor_id) WHERE (ended_at IS NULL);
CREATE INDEX plan_link_of_plan ON plan_link USING btree (plan_id, created_at);
CREATE INDEX plan_link_old ON plan_link USING btree (expires_at);
CREATE TRIGGER plan_link_ends_once BEFORE UPDATE ON plan_link FOR EACH ROW WHEN ((old.ended_at IS NOT NULL)) EXECUTE FUNCTION plan_link_ends_once();

CREATE TABLE plan_part (
    plan_id uuid NOT NULL,
    n integer NOT NULL,
    "position" smallint NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    covered bigint NOT NULL,
    PRIMARY KEY (plan_id, n, "position"),
    CONSTRAINT plan_part_amount_check CHECK (amount > 0),
    CONSTRAINT plan_part_check CHECK (covered >= 0 AND covered < amount),
    CONSTRAINT plan_part_position_check CHECK ("position" >= 1 AND "position" <= 50),
    CONSTRAINT plan_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT plan_part_plan_id_n_fkey FOREIGN KEY (plan_id, n) REFERENCES plan_terms(plan_id, n)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON plan_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE plan_request (
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    carried_at timestamp with time zone,
    refused text,
    PRIMARY KEY (id),
    UNIQUE (plan_id, kind, subject),
    CONSTRAINT plan_request_check CHECK (carried_at IS NULL OR refused IS NULL),
    CONSTRAINT plan_request_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
);
CREATE INDEX plan_request_open ON plan_request USING btree (asked_at) WHERE ((carried_at IS NULL) AND (refused IS NULL));
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON plan_request FOR EACH ROW WHEN ((new.detail <> cardless(new.detail))) EXECUTE FUNCTION erased_stays_erased();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON plan_request DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.asked_by ~~ 'staff %'::text)) EXECUTE FUNCTION requires_audit('plan', 'plan_id');

CREATE TABLE plan_terms (
    plan_id uuid NOT NULL,
    n integer NOT NULL,
    since timestamp with time zone NOT NULL,
    amount bigint NOT NULL,
    covered bigint NOT NULL,
    PRIMARY KEY (plan_id, n),
    CONSTRAINT plan_terms_amount_check CHECK (amount > 0),
    CONSTRAINT plan_terms_check CHECK (covered >= 0 AND covered < amount),
    CONSTRAINT plan_terms_n_check CHECK (n > 0),
    CONSTRAINT plan_terms_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plan(id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON plan_terms FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE posting (
    entry_id uuid NOT NULL,
    n smallint NOT NULL,
    entity_id uuid NOT NULL,
    currency text NOT NULL,
    line_count smallint NOT NULL,
    account_code text NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    dimensions jsonb,
    foreign_currency text,
    foreign_amount bigint,
    rate numeric(24,12),
    serial bigint NOT NULL,
    PRIMARY KEY (entry_id, n),
    CONSTRAINT posting_amount_check CHECK (amount <> 0),
    CONSTRAINT posting_amount_is_possible CHECK (amount >= '-1000000000000000'::bigint AND amount <= '1000000000000000'::bigint),
    CONSTRAINT posting_check CHECK (n >= 1 AND n <= line_count),
    CONSTRAINT posting_check1 CHECK (num_nulls(foreign_currency, foreign_amount, rate) = ANY (ARRAY[0, 3])),
    CONSTRAINT posting_dimensions_are_named CHECK (jsonb_typeof(dimensions) = 'object'::text),
    CONSTRAINT posting_foreign_amount CHECK (foreign_currency <> currency AND sign(foreign_amount::double precision) = sign(amount::double precision)),
    CONSTRAINT posting_foreign_currency_check CHECK (foreign_currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT posting_rate_check CHECK (rate > 0::numeric),
    CONSTRAINT posting_account_code_fkey FOREIGN KEY (account_code) REFERENCES account(code),
    CONSTRAINT posting_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT posting_of_entry FOREIGN KEY (entry_id, entity_id, currency, line_count, serial) REFERENCES journal_entry(id, entity_id, currency, line_count, serial)
);
CREATE INDEX posting_by_fund ON posting USING btree (fund_id, serial) INCLUDE (account_code, amount);
CREATE INDEX posting_of_account ON posting USING btree (entity_id, account_code, serial DESC) WHERE (account_code = ANY (ARRAY['1015'::text, '1020'::text, '1050'::text, '1090'::text, '1095'::text, '1100'::text, '2300'::text]));
CREATE CONSTRAINT TRIGGER bank_posting_has_account AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.account_code = '1100'::text) AND (new.dimensions ? 'bank'::text))) EXECUTE FUNCTION bank_posting_has_account();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER suspense_has_cause AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.account_code = '1090'::text)) EXECUTE FUNCTION suspense_has_cause();

CREATE TABLE receipt (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    donation_id uuid NOT NULL,
    replaces uuid,
    language text NOT NULL,
    words_version smallint NOT NULL,
    facts jsonb NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (entity_id, year, number),
    UNIQUE (id, donation_id),
    UNIQUE (replaces),
    CONSTRAINT receipt_number_check CHECK (number > 0),
    CONSTRAINT receipt_words_version_check CHECK (words_version > 0),
    CONSTRAINT receipt_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT receipt_entity_id_year_fkey FOREIGN KEY (entity_id, year) REFERENCES receipt_counter(entity_id, year),
    CONSTRAINT receipt_replaces_fkey FOREIGN KEY (replaces) REFERENCES receipt(id),
    CONSTRAINT receipt_replaces_void FOREIGN KEY (replaces, donation_id) REFERENCES receipt_void(receipt_id, donation_id)
);
CREATE INDEX receipt_by_issue ON receipt USING btree (issued_at);
CREATE UNIQUE INDEX receipt_one_per_gift ON receipt USING btree (donation_id) WHERE (replaces IS NULL);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON receipt FOR EACH STATEMENT EXECUTE FUNCTION kept_until_erased();
CREATE TRIGGER only_the_person_goes BEFORE DELETE OR UPDATE ON receipt FOR EACH ROW EXECUTE FUNCTION only_the_person_goes();
CREATE TRIGGER receipt_numbers_are_taken AFTER INSERT ON receipt REFERENCING NEW TABLE AS issued FOR EACH STATEMENT EXECUTE FUNCTION receipt_numbers_are_taken();

CREATE TABLE receipt_counter (
    entity_id uuid NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (entity_id, year),
    CONSTRAINT receipt_counter_last_check CHECK (last >= 0),
    CONSTRAINT receipt_counter_year_check CHECK (year >= 2000 AND year <= 2200),
    CONSTRAINT receipt_counter_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE CONSTRAINT TRIGGER receipt_counter_is_last AFTER INSERT OR UPDATE ON receipt_counter DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_counter_is_last();

CREATE TABLE receipt_hold (
    receipt_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    sealed bytea NOT NULL,
    reason text NOT NULL,
    held_until date NOT NULL,
    PRIMARY KEY (receipt_id),
    CONSTRAINT receipt_hold_reason_check CHECK (reason <> ''::text),
    CONSTRAINT receipt_hold_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(id),
    CONSTRAINT receipt_hold_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt(id)
);
CREATE INDEX receipt_hold_over ON receipt_hold USING btree (held_until);
CREATE TRIGGER hold_is_long_enough BEFORE INSERT ON receipt_hold FOR EACH ROW EXECUTE FUNCTION hold_is_long_enough();
CREATE TRIGGER hold_is_over BEFORE DELETE ON receipt_hold FOR EACH ROW EXECUTE FUNCTION hold_is_over();

CREATE TABLE receipt_hold_reading (
    receipt_id uuid NOT NULL,
    read_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    read_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (receipt_id, read_at),
    CONSTRAINT receipt_hold_reading_reason_check CHECK (reason <> ''::text),
    CONSTRAINT receipt_hold_reading_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt(id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON receipt_hold_reading FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE receipt_kept (
    receipt_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    masked bytea NOT NULL,
    pads bytea[] NOT NULL,
    reason text NOT NULL DEFAULT 'tax law: records of contributions are shown on request for seven years'::text,
    held_until date NOT NULL,
    kept_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (receipt_id),
    CONSTRAINT receipt_kept_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(id),
    CONSTRAINT receipt_kept_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt(id)
);
CREATE INDEX receipt_kept_over ON receipt_kept USING btree (held_until);

CREATE TABLE receipt_pad (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    pad bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT receipt_pad_pad_check CHECK (octet_length(pad) = 2048)
);

CREATE TABLE receipt_void (
    receipt_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    reason text NOT NULL,
    changed_on date NOT NULL,
    ordered_by text NOT NULL,
    voided_at timestamp with time zone NOT NULL,
    PRIMARY KEY (receipt_id),
    UNIQUE (receipt_id, donation_id),
    CONSTRAINT receipt_void_reason_check CHECK (reason = ANY (ARRAY['correction'::text, 'refund'::text, 'dispute'::text])),
    CONSTRAINT receipt_void_receipt_id_donation_id_fkey FOREIGN KEY (receipt_id, donation_id) REFERENCES receipt(id, donation_id)
);
CREATE INDEX receipt_void_by_time ON receipt_void USING btree (voided_at);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON receipt_void FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON receipt_void DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.ordered_by ~~ 'staff %'::text)) EXECUTE FUNCTION requires_audit('receipt', 'receipt_id');

CREATE TABLE refund_order (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    charge_ref text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    submission uuid NOT NULL,
    requested_by uuid NOT NULL,
    ordered_by uuid,
    request_id uuid,
    request_hash bytea,
    factor text,
    signed bytea,
    assertion jsonb,
    ordered_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    state text NOT NULL DEFAULT 'ordered'::text,
    tries integer NOT NULL DEFAULT 0,
    stripe_refund_id text,
    problem text,
    changed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    checked_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (id, entity_id),
    UNIQUE (submission),
    CONSTRAINT refund_order_amount_check CHECK (amount > 0),
    CONSTRAINT refund_order_check CHECK (num_nulls(request_id, request_hash) = ANY (ARRAY[0, 2])),
    CONSTRAINT refund_order_check1 CHECK ((state = 'ordered'::text) = (tries = 0)),
    CONSTRAINT refund_order_check2 CHECK ((state = ANY (ARRAY['ordered'::text, 'sent'::text])) OR (state = 'refused'::text) = (stripe_refund_id IS NULL)),
    CONSTRAINT refund_order_note_check CHECK (length(note) <= 2000),
    CONSTRAINT refund_order_problem_check CHECK (problem <> ''::text),
    CONSTRAINT refund_order_reason_check CHECK (reason = ANY (ARRAY['duplicate'::text, 'requested'::text, 'fraudulent'::text, 'mistake'::text])),
    CONSTRAINT refund_order_request_hash_check CHECK (octet_length(request_hash) = 32),
    CONSTRAINT refund_order_state_check CHECK (state = ANY (ARRAY['ordered'::text, 'sent'::text, 'pending'::text, 'succeeded'::text, 'failed'::text, 'refused'::text])),
    CONSTRAINT refund_order_stripe_refund_id_check CHECK (stripe_refund_id <> ''::text),
    CONSTRAINT refund_order_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT refund_order_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT refund_order_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment(id),
    CONSTRAINT refund_order_request_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request(id, hash),
    CONSTRAINT refund_order_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id),
    CONSTRAINT refund_order_requested_by_fkey FOREIGN KEY (requested_by) REFERENCES staff(id)
);
CREATE INDEX refund_order_by_entity ON refund_order USING btree (entity_id, ordered_at);
CREATE INDEX refund_order_by_payment ON refund_order USING btree (payment_id);
CREATE INDEX refund_order_by_person ON refund_order USING btree (requested_by, ordered_at);
CREATE INDEX refund_order_unfinished ON refund_order USING btree (entity_id, ordered_at) WHERE (state <> 'succeeded'::text);
CREATE INDEX refund_order_waiting ON refund_order USING btree (changed_at) WHERE (state = ANY (ARRAY['ordered'::text, 'sent'::text, 'pending'::text]));
CREATE INDEX refund_order_without_processor ON refund_order USING btree (entity_id, payment_id) WHERE (charge_ref = ''::text);
CREATE UNIQUE INDEX refund_order_by_refund ON refund_order USING btree (entity_id, stripe_refund_id) WHERE (stripe_refund_id IS NOT NULL);
CREATE UNIQUE INDEX refund_order_by_request ON refund_order USING btree (request_id) WHERE (request_id IS NOT NULL);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON refund_order FOR EACH ROW WHEN ((new.note <> ''::text)) EXECUTE FUNCTION refund_note_stays_erased();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON refund_order FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER refund_order_begins BEFORE INSERT ON refund_order FOR EACH ROW EXECUTE FUNCTION refund_order_begins();
CREATE CONSTRAINT TRIGGER refund_order_is_whole AFTER INSERT ON refund_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refund_order_is_whole();
CREATE TRIGGER refund_order_steps BEFORE UPDATE ON refund_order FOR EACH ROW EXECUTE FUNCTION refund_order_steps();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON refund_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('refund_order', 'id', 'ordered_by');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON refund_order FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE refund_order_part (
    order_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (order_id, fund_id),
    CONSTRAINT refund_order_part_amount_check CHECK (amount > 0),
    CONSTRAINT refund_order_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT refund_order_part_order_id_entity_id_fkey FOREIGN KEY (order_id, entity_id) REFERENCES refund_order(id, entity_id)
);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON refund_order_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER refund_order_part_begins BEFORE INSERT ON refund_order_part FOR EACH ROW EXECUTE FUNCTION refund_order_part_begins();

CREATE TABLE refund_request (
    request_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (request_id),
    CONSTRAINT refund_request_note_check CHECK (length(note) <= 2000),
    CONSTRAINT refund_request_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT refund_request_request_id_fkey FOREIGN KEY (request_id) REFERENCES approval_request(id),
    CONSTRAINT refund_request_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id)
);
CREATE INDEX refund_request_by_donation ON refund_request USING btree (donation_id);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON refund_request FOR EACH ROW WHEN ((new.note <> ''::text)) EXECUTE FUNCTION refund_request_note_stays_erased();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON refund_request FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER refund_request_begins BEFORE INSERT ON refund_request FOR EACH ROW EXECUTE FUNCTION refund_request_begins();
CREATE TRIGGER refund_request_keeps BEFORE UPDATE ON refund_request FOR EACH ROW EXECUTE FUNCTION refund_request_keeps();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON refund_request FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE repayment (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    n integer NOT NULL,
    payment_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    method text NOT NULL,
    number text NOT NULL DEFAULT ''::text,
    paid_on date NOT NULL,
    account_id uuid,
    submission uuid NOT NULL,
    made_by uuid,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    recorded_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    withdrawn_by uuid,
    withdrawn_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (entity_id, n),
    UNIQUE (id, entity_id),
    UNIQUE (submission),
    CONSTRAINT repayment_amount_check CHECK (amount > 0),
    CONSTRAINT repayment_check CHECK ((method = 'returned'::text) = (account_id IS NULL)),
    CONSTRAINT repayment_check1 CHECK (method = 'returned'::text OR btrim(number) <> ''::text),
    CONSTRAINT repayment_method_check CHECK (method = ANY (ARRAY['check'::text, 'transfer'::text, 'returned'::text])),
    CONSTRAINT repayment_n_check CHECK (n > 0),
    CONSTRAINT repayment_number_check CHECK (length(number) <= 40),
    CONSTRAINT repayment_account_id_entity_id_fkey FOREIGN KEY (account_id, entity_id) REFERENCES bank_account(id, entity_id),
    CONSTRAINT repayment_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT repayment_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT repayment_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff(id),
    CONSTRAINT repayment_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment(id),
    CONSTRAINT repayment_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES staff(id)
);
CREATE INDEX repayment_of_account ON repayment USING btree (account_id, n) WHERE (withdrawn_at IS NULL);
CREATE INDEX repayment_of_payment ON repayment USING btree (payment_id);
CREATE TRIGGER begins BEFORE INSERT ON repayment FOR EACH ROW EXECUTE FUNCTION repayment_begins();
CREATE TRIGGER keeps BEFORE UPDATE ON repayment FOR EACH ROW EXECUTE FUNCTION repayment_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON repayment FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER repayment_is_whole AFTER INSERT ON repayment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION repayment_is_whole();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON repayment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('repayment', 'id');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON repayment FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE repayment_part (
    repayment_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    fund_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (repayment_id, fund_id),
    CONSTRAINT repayment_part_amount_check CHECK (amount > 0),
    CONSTRAINT repayment_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund(id, entity_id),
    CONSTRAINT repayment_part_repayment_id_entity_id_fkey FOREIGN KEY (repayment_id, entity_id) REFERENCES repayment(id, entity_id)
);
CREATE TRIGGER begins BEFORE INSERT ON repayment_part FOR EACH ROW EXECUTE FUNCTION repayment_part_begins();
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON repayment_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE server_limit (
    one boolean NOT NULL DEFAULT true,
    erasure_delay interval NOT NULL DEFAULT '3 days'::interval,
    erased_a_day integer NOT NULL DEFAULT 50,
    business_clock_lead interval NOT NULL DEFAULT '1 day'::interval,
    moved_a_day integer NOT NULL DEFAULT 100,
    PRIMARY KEY (one),
    CONSTRAINT server_limit_business_clock_lead_check CHECK (business_clock_lead >= '1 day'::interval),
    CONSTRAINT server_limit_erased_a_day_check CHECK (erased_a_day >= 0),
    CONSTRAINT server_limit_erasure_delay_check CHECK (erasure_delay >= '00:00:00'::interval),
    CONSTRAINT server_limit_moved_a_day_check CHECK (moved_a_day >= 0),
    CONSTRAINT server_limit_one_check CHECK (one)
);

CREATE TABLE session (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    email text NOT NULL,
    sign_in_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamp with time zone NOT NULL DEFAULT now(),
    ended_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (sign_in_id),
    UNIQUE (token_hash),
    CONSTRAINT session_token_hash_check CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX session_by_email ON session USING btree (email) WHERE (ended_at IS NULL);
CREATE INDEX session_by_person ON session USING btree (person_id) WHERE (ended_at IS NULL);

CREATE TABLE session_network (
    session_id uuid NOT NULL,
    network_hash bytea NOT NULL,
    PRIMARY KEY (session_id),
    CONSTRAINT session_network_network_hash_check CHECK (octet_length(network_hash) = 32),
    CONSTRAINT session_network_session_id_fkey FOREIGN KEY (session_id) REFERENCES session(id) ON DELETE CASCADE
);
CREATE INDEX session_network_by_hash ON session_network USING btree (network_hash);

CREATE TABLE sign_in (
    id uuid NOT NULL,
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    person_id uuid,
    language text NOT NULL,
    browser_hash bytea NOT NULL,
    asked_at timestamp with time zone NOT NULL DEFAULT now(),
    expires_at timestamp with time zone NOT NULL DEFAULT (now() + '00:10:00'::interval),
    token_hash bytea,
    code_mac bytea,
    used_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (token_hash),
    CONSTRAINT sign_in_browser_hash_check CHECK (octet_length(browser_hash) = 32),
    CONSTRAINT sign_in_check CHECK (expires_at <= (asked_at + '00:10:00'::interval)),
    CONSTRAINT sign_in_check1 CHECK ((token_hash IS NULL) = (code_mac IS NULL)),
    CONSTRAINT sign_in_check2 CHECK (used_at IS NULL OR token_hash IS NOT NULL),
    CONSTRAINT sign_in_code_mac_check CHECK (octet_length(code_mac) = 32),
    CONSTRAINT sign_in_email_check CHECK (email = lower(email)),
    CONSTRAINT sign_in_token_hash_check CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX sign_in_by_browser ON sign_in USING btree (browser_hash);
CREATE INDEX sign_in_newest ON sign_in USING btree (email, n DESC);
CREATE INDEX sign_in_old ON sign_in USING btree (asked_at);
CREATE TRIGGER address_is_locked BEFORE INSERT ON sign_in FOR EACH ROW EXECUTE FUNCTION address_is_locked();
CREATE TRIGGER sign_in_is_used_once BEFORE UPDATE ON sign_in FOR EACH ROW WHEN ((old.used_at IS NOT NULL)) EXECUTE FUNCTION sign_in_is_used_once();

CREATE TABLE soft_credit (
    gift_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    PRIMARY KEY (gift_id, donor_id),
    CONSTRAINT soft_credit_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT soft_credit_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id)
);
CREATE INDEX soft_credit_of_donor ON soft_credit USING btree (donor_id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON soft_credit FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE source_choice (
    entity_id uuid NOT NULL,
    mark text NOT NULL,
    ignored boolean NOT NULL,
    chosen_by text NOT NULL,
    chosen_at timestamp with time zone NOT NULL,
    n bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (n),
    CONSTRAINT source_choice_mark_check CHECK (mark ~ '^(metadata|product) [^ ]'::text),
    CONSTRAINT source_choice_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX source_choice_newest ON source_choice USING btree (entity_id, mark, n);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON source_choice FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE staff (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    language text NOT NULL DEFAULT 'en'::text,
    break_glass boolean NOT NULL DEFAULT false,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    created_by uuid,
    disabled_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (email),
    CONSTRAINT staff_break_glass_check CHECK (break_glass = (email ~~ 'break-glass-%@invalid'::text)),
    CONSTRAINT staff_email_check CHECK (email = lower(email) AND email ~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$'::text),
    CONSTRAINT staff_language_check CHECK (language = ANY (ARRAY['en'::text, 'es'::text])),
    CONSTRAINT staff_name_check CHECK (name <> ''::text AND length(name) <= 200),
    CONSTRAINT staff_created_by_fkey FOREIGN KEY (created_by) REFERENCES staff(id)
);
CREATE TRIGGER disabled_staff_has_nothing AFTER UPDATE ON staff FOR EACH ROW WHEN (((old.disabled_at IS NULL) AND (new.disabled_at IS NOT NULL))) EXECUTE FUNCTION disabled_staff_has_nothing();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE OF disabled_at ON staff DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'id');

CREATE TABLE staff_challenge (
    id uuid NOT NULL,
    hash bytea NOT NULL,
    act bytea NOT NULL,
    session_id uuid,
    browser_hash bytea,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamp with time zone NOT NULL DEFAULT (clock_timestamp() + '00:05:00'::interval),
    used_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (hash),
    CONSTRAINT staff_challenge_act_check CHECK (octet_length(act) = 32),
    CONSTRAINT staff_challenge_browser_hash_check CHECK (octet_length(browser_hash) = 32),
    CONSTRAINT staff_challenge_check CHECK ((session_id IS NULL) <> (browser_hash IS NULL)),
    CONSTRAINT staff_challenge_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT staff_challenge_session_id_fkey FOREIGN KEY (session_id) REFERENCES staff_session(id)
);
CREATE INDEX staff_challenge_by_time ON staff_challenge USING btree (made_at);

CREATE TABLE staff_form (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    content bytea NOT NULL,
    used_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    CONSTRAINT staff_form_content_check CHECK (octet_length(content) = 32),
    CONSTRAINT staff_form_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);

CREATE TABLE staff_invitation (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    kind text NOT NULL,
    token_hash bytea,
    made_by uuid,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamp with time zone NOT NULL DEFAULT (clock_timestamp() + '24:00:00'::interval),
    used_at timestamp with time zone,
    ended_at timestamp with time zone,
    PRIMARY KEY (id),
    UNIQUE (token_hash),
    CONSTRAINT staff_invitation_kind_check CHECK (kind = ANY (ARRAY['invite'::text, 'reset'::text, 'break-glass'::text])),
    CONSTRAINT staff_invitation_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT staff_invitation_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff(id),
    CONSTRAINT staff_invitation_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX staff_invitation_of_staff ON staff_invitation USING btree (staff_id);
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_invitation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');

CREATE TABLE staff_note (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid,
    donation_id uuid,
    donor_id uuid,
    payout_id uuid,
    task_id uuid,
    text text NOT NULL,
    author uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    CONSTRAINT staff_note_check CHECK (num_nonnulls(donation_id, donor_id, payout_id, task_id) = 1),
    CONSTRAINT staff_note_text_check CHECK (length(text) <= 4000),
    CONSTRAINT staff_note_author_fkey FOREIGN KEY (author) REFERENCES staff(id),
    CONSTRAINT staff_note_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT staff_note_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT staff_note_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT staff_note_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT staff_note_payout_id_entity_id_fkey FOREIGN KEY (payout_id, entity_id) REFERENCES payout(id, entity_id),
    CONSTRAINT staff_note_task_id_fkey FOREIGN KEY (task_id) REFERENCES finance_task(id),
    CONSTRAINT staff_note_task_of_entity FOREIGN KEY (task_id, entity_id) REFERENCES finance_task(id, entity_id)
);
CREATE INDEX staff_note_of_donor ON staff_note USING btree (donor_id, at) WHERE (donor_id IS NOT NULL);
CREATE INDEX staff_note_of_gift ON staff_note USING btree (donation_id, at) WHERE (donation_id IS NOT NULL);
CREATE INDEX staff_note_of_payout ON staff_note USING btree (payout_id, at) WHERE (payout_id IS NOT NULL);
CREATE INDEX staff_note_of_task ON staff_note USING btree (task_id, at) WHERE (task_id IS NOT NULL);
CREATE TRIGGER begins BEFORE INSERT ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_begins();
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_stays_erased();
CREATE TRIGGER keeps BEFORE UPDATE ON staff_note FOR EACH ROW EXECUTE FUNCTION staff_note_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON staff_note FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff_note', 'id');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON staff_note FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

CREATE TABLE staff_passkey (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    credential_id bytea NOT NULL,
    credential jsonb NOT NULL,
    sign_count bigint NOT NULL DEFAULT 0,
    name text NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    used_at timestamp with time zone,
    ended_at timestamp with time zone,
    authority staff_authority,
    PRIMARY KEY (id),
    UNIQUE (credential_id),
    CONSTRAINT staff_passkey_name_check CHECK (name <> ''::text AND length(name) <= 100),
    CONSTRAINT staff_passkey_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX staff_passkey_of_staff ON staff_passkey USING btree (staff_id);
CREATE CONSTRAINT TRIGGER end_requires_audit AFTER UPDATE ON staff_passkey DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE TRIGGER factor_change_ends_sessions AFTER UPDATE ON staff_passkey FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_passkey DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');

CREATE TABLE staff_password (
    staff_id uuid NOT NULL,
    hash text NOT NULL,
    set_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (staff_id),
    CONSTRAINT staff_password_hash_check CHECK (hash ~~ '$argon2id$%'::text),
    CONSTRAINT staff_password_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE TRIGGER factor_change_ends_sessions AFTER DELETE OR UPDATE ON staff_password FOR EACH ROW EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR DELETE OR UPDATE ON staff_password DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id', 'anyone');

CREATE TABLE staff_person (
    staff_id uuid NOT NULL,
    person_id uuid NOT NULL,
    joined_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    joined_by uuid,
    PRIMARY KEY (staff_id),
    CONSTRAINT staff_person_check CHECK (person_id <> staff_id),
    CONSTRAINT staff_person_joined_by_fkey FOREIGN KEY (joined_by) REFERENCES staff(id),
    CONSTRAINT staff_person_person_id_fkey FOREIGN KEY (person_id) REFERENCES staff(id),
    CONSTRAINT staff_person_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX staff_person_by_person ON staff_person USING btree (person_id);
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER split_requires_audit AFTER DELETE ON staff_person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');

CREATE TABLE staff_recovery (
    staff_id uuid NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    n integer NOT NULL,
    hash text NOT NULL,
    used_at timestamp with time zone,
    ended_at timestamp with time zone,
    PRIMARY KEY (staff_id, made_at, n),
    CONSTRAINT staff_recovery_n_check CHECK (n >= 0 AND n <= 9),
    CONSTRAINT staff_recovery_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_recovery DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER use_requires_audit AFTER UPDATE ON staff_recovery DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.used_at IS NULL) AND (new.used_at IS NOT NULL))) EXECUTE FUNCTION requires_audit('staff', 'staff_id');

CREATE TABLE staff_role (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    organisation_id uuid,
    role text NOT NULL,
    granted_by uuid,
    granted_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamp with time zone,
    ended_by uuid,
    PRIMARY KEY (id),
    CONSTRAINT staff_role_check CHECK (granted_by <> staff_id),
    CONSTRAINT staff_role_check1 CHECK (ended_at IS NOT NULL OR ended_by IS NULL),
    CONSTRAINT staff_role_role_check CHECK (role = ANY (ARRAY['entry'::text, 'finance'::text, 'admin'::text, 'auditor'::text])),
    CONSTRAINT staff_role_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES staff(id),
    CONSTRAINT staff_role_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT staff_role_granted_by_fkey FOREIGN KEY (granted_by) REFERENCES staff(id),
    CONSTRAINT staff_role_organisation_id_entity_id_fkey FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation(id, entity_id),
    CONSTRAINT staff_role_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX staff_role_by_scope ON staff_role USING btree (entity_id, role) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX staff_role_once ON staff_role USING btree (staff_id, entity_id, COALESCE(organisation_id, entity_id), role) WHERE (ended_at IS NULL);
CREATE TRIGGER last_admin_stays AFTER UPDATE ON staff_role FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION last_admin_stays();
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE ON staff_role DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE TRIGGER role_change_ends_sessions AFTER INSERT OR UPDATE ON staff_role FOR EACH ROW EXECUTE FUNCTION end_sessions_of('role changed');

CREATE TABLE staff_session (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    ends_at timestamp with time zone NOT NULL DEFAULT (clock_timestamp() + '12:00:00'::interval),
    ended_at timestamp with time zone,
    ended_because text,
    device text NOT NULL DEFAULT ''::text,
    network text NOT NULL DEFAULT ''::text,
    stage text NOT NULL DEFAULT 'first'::text,
    invitation_id uuid,
    factor_at timestamp with time zone,
    factor_kind text,
    factor_act bytea,
    factor_assertion jsonb,
    failed integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE (secret_hash),
    CONSTRAINT staff_session_check CHECK ((ended_at IS NULL) = (ended_because IS NULL)),
    CONSTRAINT staff_session_check1 CHECK ((factor_at IS NULL) = (factor_kind IS NULL)),
    CONSTRAINT staff_session_check2 CHECK (factor_assertion IS NULL OR factor_kind = 'passkey'::text),
    CONSTRAINT staff_session_device_check CHECK (length(device) <= 200),
    CONSTRAINT staff_session_factor_act_check CHECK (octet_length(factor_act) = 32),
    CONSTRAINT staff_session_factor_kind_check CHECK (factor_kind = ANY (ARRAY['totp'::text, 'passkey'::text, 'recovery'::text])),
    CONSTRAINT staff_session_network_check CHECK (length(network) <= 64),
    CONSTRAINT staff_session_secret_hash_check CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT staff_session_stage_check CHECK (stage = ANY (ARRAY['first'::text, 'full'::text])),
    CONSTRAINT staff_session_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES staff_invitation(id),
    CONSTRAINT staff_session_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE INDEX staff_session_of_staff ON staff_session USING btree (staff_id) WHERE (ended_at IS NULL);

CREATE TABLE staff_totp (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    secret bytea NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    confirmed_at timestamp with time zone,
    ended_at timestamp with time zone,
    last_step bigint NOT NULL DEFAULT 0,
    authority staff_authority,
    PRIMARY KEY (id),
    CONSTRAINT staff_totp_secret_check CHECK (octet_length(secret) = 20),
    CONSTRAINT staff_totp_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff(id)
);
CREATE UNIQUE INDEX staff_totp_current ON staff_totp USING btree (staff_id, ((confirmed_at IS NULL))) WHERE (ended_at IS NULL);
CREATE TRIGGER factor_change_ends_sessions AFTER UPDATE ON staff_totp FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL) AND (old.confirmed_at IS NOT NULL))) EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE CONSTRAINT TRIGGER requires_audit AFTER UPDATE ON staff_totp DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.confirmed_at IS DISTINCT FROM new.confirmed_at) OR ((new.confirmed_at IS NOT NULL) AND (old.ended_at IS DISTINCT FROM new.ended_at)))) EXECUTE FUNCTION requires_audit('staff', 'staff_id');

CREATE TABLE statement (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    year integer NOT NULL,
    n smallint NOT NULL,
    language text NOT NULL,
    words_version smallint NOT NULL,
    facts jsonb NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (donor_id, year, n),
    CONSTRAINT statement_n_check CHECK (n > 0),
    CONSTRAINT statement_words_version_check CHECK (words_version > 0),
    CONSTRAINT statement_year_check CHECK (year >= 2000 AND year <= 2200),
    CONSTRAINT statement_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id)
);
CREATE INDEX statement_by_year ON statement USING btree (entity_id, year, donor_id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE statement_person (
    statement_id uuid NOT NULL,
    person jsonb NOT NULL,
    PRIMARY KEY (statement_id),
    CONSTRAINT statement_person_statement_id_fkey FOREIGN KEY (statement_id) REFERENCES statement(id)
);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON statement_person FOR EACH ROW EXECUTE FUNCTION erased_stays_erased();

CREATE TABLE stripe_event (
    entity_id uuid NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    api_version text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payload bytea,
    payload_sha256 bytea NOT NULL,
    received_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'new'::text,
    tries integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    due_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    reason text,
    done_at timestamp with time zone,
    PRIMARY KEY (entity_id, id),
    CONSTRAINT stripe_event_check CHECK ((state = 'done'::text) = (done_at IS NOT NULL)),
    CONSTRAINT stripe_event_check1 CHECK ((state = ANY (ARRAY['new'::text, 'done'::text])) OR reason IS NOT NULL),
    CONSTRAINT stripe_event_payload_sha256_check CHECK (octet_length(payload_sha256) = 32),
    CONSTRAINT stripe_event_state_check CHECK (state = ANY (ARRAY['new'::text, 'parked'::text, 'done'::text, 'set_aside'::text])),
    CONSTRAINT stripe_event_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id)
);
CREATE INDEX stripe_event_payload ON stripe_event USING btree (received_at) WHERE (payload IS NOT NULL);
CREATE INDEX stripe_event_set_aside ON stripe_event USING btree (received_at) WHERE (state = 'set_aside'::text);
CREATE INDEX stripe_event_waiting ON stripe_event USING btree (due_at) WHERE (state = ANY (ARRAY['new'::text, 'parked'::text]));
CREATE TRIGGER payload_is_erased_only BEFORE UPDATE OF payload ON stripe_event FOR EACH ROW WHEN ((new.payload IS NOT NULL)) EXECUTE FUNCTION payload_is_erased_only();

CREATE TABLE suspense_resolution (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    subject text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    account_code text,
    donation_id uuid,
    refunded boolean NOT NULL DEFAULT false,
    reason text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    resolved_by uuid NOT NULL,
    resolved_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    UNIQUE (donation_id),
    UNIQUE (request_id),
    CONSTRAINT suspense_resolution_amount_check CHECK (amount <> 0),
    CONSTRAINT suspense_resolution_check CHECK ((num_nonnulls(account_code, donation_id) + refunded::integer) = 1),
    CONSTRAINT suspense_resolution_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
    CONSTRAINT suspense_resolution_reason_check CHECK (reason <> ''::text AND length(reason) <= 500),
    CONSTRAINT suspense_resolution_subject_check CHECK (subject <> ''::text),
    CONSTRAINT suspense_resolution_account_code_fkey FOREIGN KEY (account_code) REFERENCES account(code),
    CONSTRAINT suspense_resolution_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation(id, entity_id),
    CONSTRAINT suspense_resolution_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity(id),
    CONSTRAINT suspense_resolution_request_id_request_hash_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request(id, hash),
    CONSTRAINT suspense_resolution_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request(id, entity_id),
    CONSTRAINT suspense_resolution_resolved_by_fkey FOREIGN KEY (resolved_by) REFERENCES staff(id)
);
CREATE INDEX suspense_resolution_of_subject ON suspense_resolution USING btree (entity_id, subject);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OR TRUNCATE ON suspense_resolution FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER requires_approval AFTER INSERT ON suspense_resolution FOR EACH ROW EXECUTE FUNCTION requires_approval('suspense', 'id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON suspense_resolution DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('suspense_resolution', 'id', 'resolved_by');
CREATE TRIGGER sees_every_commit BEFORE INSERT ON suspense_resolution FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE TRIGGER suspense_resolution_begins BEFORE INSERT ON suspense_resolution FOR EACH ROW EXECUTE FUNCTION suspense_resolution_begins();
CREATE CONSTRAINT TRIGGER suspense_resolution_is_booked AFTER INSERT ON suspense_resolution DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION suspense_resolution_is_booked();

CREATE TABLE thank_you (
    id uuid NOT NULL,
    entity_id uuid NOT NULL,
    gift_id uuid NOT NULL,
    donor_id uuid NOT NULL,
    words text NOT NULL,
    words_version smallint NOT NULL,
    language text NOT NULL,
    facts jsonb NOT NULL,
    person jsonb,
    issued_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (gift_id, donor_id),
    CONSTRAINT thank_you_words_check CHECK (words = ANY (ARRAY['daf'::text, 'foundation'::text, 'employer_match'::text, 'in_kind'::text, 'daf_adviser'::text, 'foundation_adviser'::text, 'employer_match_adviser'::text])),
    CONSTRAINT thank_you_words_version_check CHECK (words_version > 0),
    CONSTRAINT thank_you_donor_id_entity_id_fkey FOREIGN KEY (donor_id, entity_id) REFERENCES donor(id, entity_id),
    CONSTRAINT thank_you_gift_id_entity_id_fkey FOREIGN KEY (gift_id, entity_id) REFERENCES offline_gift(id, entity_id)
);
CREATE INDEX thank_you_of_donor ON thank_you USING btree (donor_id);
CREATE TRIGGER erased_stays_erased BEFORE INSERT ON thank_you FOR EACH ROW EXECUTE FUNCTION thank_you_stays_erased();
CREATE TRIGGER keeps BEFORE UPDATE ON thank_you FOR EACH ROW EXECUTE FUNCTION thank_you_keeps();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON thank_you FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER sees_every_commit BEFORE INSERT ON thank_you FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();

-- VIEW bank_cleared (entity_id uuid, kind text, ref text, match_id uuid)

-- VIEW bank_match_entry (match_id uuid, entry_id uuid, entry_date date)

-- VIEW bank_part (line_id uuid, part integer, entity_id uuid, account_id uuid, booked_on date, amount bigint, reason text)

-- VIEW bank_standing (entity_id uuid, account_id uuid, kind text, ref text, on_date date, amount bigint)

-- VIEW bank_standing_posting (entity_id uuid, account_id uuid, kind text, ref text, entry_date date, amount bigint)

-- VIEW check_audit_chain (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_bank_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_chain_broken (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_clearing_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_day_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_deposit_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_donor_year_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_erased_person (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_event_overdue (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_event_set_aside (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_gift_without_charge (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_gift_without_receipt (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_job_overdue (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_month_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_not_booked_once (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_paid_without_gift (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_receipt_beyond_charge (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_receipt_facts (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_receipt_gap (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_receipt_not_mailed (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_repayment_differs (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_restricted_below_zero (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW check_uneven_entry (checker text, entity_id uuid, subject text, detail text, since timestamp with time zone)

-- VIEW clearing_ahead (entity_id uuid, charge_id text, entry_date date, amount bigint)

-- VIEW clearing_movement (entity_id uuid, currency text, type text, net bigint, created_at timestamp with time zone)

-- VIEW clearing_unread (entity_id uuid, at timestamp with time zone, held bigint, amount bigint)

-- VIEW deposit_gift (id uuid, in_return_value bigint)

-- VIEW deposit_line (gift_id uuid, entity_id uuid, deposit_id uuid, amount bigint, currency text, method text, number text, public_ref text, organisation_id uuid, tax_date date, received_on date, batch integer, row_n integer, payer text, returned_by uuid)

-- VIEW deposit_refund (payment_id uuid, object_id text)

-- VIEW deposit_row (id uuid, entity_id uuid, n integer, currency text, account_id uuid, account text, deposited_on date, created_by uuid, created_at timestamp with time zone, closed_by uuid, closed_at timestamp with time zone, checks bigint, checks_amount bigint, cash bigint, cash_amount bigint, match_id uuid, booked_on date)

-- VIEW dispute_row (entity_id uuid, ref text, charge_ref text, amount bigint, currency text, opened_at timestamp with time zone, reason text, due_at timestamp with time zone, withdrawn_at timestamp with time zone, won_at timestamp with time zone, lost_at timestamp with time zone, state text, payment_id uuid, donation_id uuid, public_ref text, organisation_id uuid, plan_id uuid)

-- VIEW dispute_share (entity_id uuid, ref text, step text, fund_id uuid, amount bigint, at timestamp with time zone)

-- VIEW donor_found_by (donor_id uuid, entity_id uuid, word text)

-- VIEW donor_row (id uuid, entity_id uuid, kind text, first_name text, last_name text, organisation_name text, email text, key text, erased boolean)

-- VIEW email_after_move (delivery_id uuid, kind text, donation_id uuid, moved_at timestamp with time zone, accepted_at timestamp with time zone)

-- VIEW erased_address (mac bytea, at timestamp with time zone)

-- VIEW gift_import_donor (id uuid, entity_id uuid, kind text, email text, name text, postal_code text)

-- VIEW gift_import_gift (gift_id uuid, entity_id uuid, number text, paid bigint, batch_id uuid, donor_id uuid, public_ref text, received_on date)

-- VIEW gift_import_row (import_id uuid, submission uuid)

-- VIEW gift_key (id uuid, entity_id uuid, organisation_id uuid, donor_id uuid, public_ref text, status text, source text, frequency text, amount bigint, charged_at timestamp with time zone)

-- VIEW gift_of_fund (fund_id uuid, donation_id uuid, amount bigint)

-- VIEW gift_of_payout (entity_id uuid, payout_id uuid, payout_ref text, status text, arrival_on date, donation_id uuid)

-- VIEW gift_ref (id uuid, entity_id uuid, organisation_id uuid, public_ref text, charge_ref text, intent_ref text)

-- VIEW gift_row (id uuid, entity_id uuid, organisation_id uuid, donor_id uuid, plan_id uuid, public_ref text, status text, source text, frequency text, amount bigint, covered bigint, currency text, created_at timestamp with time zone, charged_at timestamp with time zone, tax_date date, donor_kind text, first_name text, last_name text, organisation_name text, email text, funds uuid[], parts bigint[], returned bigint)

-- VIEW gift_voided (donation_id uuid)

-- VIEW owed_payment (entity_id uuid, payment_id uuid, since timestamp with time zone)

-- VIEW owed_row (entity_id uuid, payment_id uuid, since timestamp with time zone, method text, currency text, amount bigint, donation_id uuid, public_ref text, organisation_id uuid, donor text)

-- VIEW payment_change_of_void (payment_id uuid)

-- VIEW payment_return (payment_id uuid, object_id text, at timestamp with time zone, amount bigint, reason text)

-- VIEW payout_booked (entity_id uuid, payout_id uuid, transaction_id text, type text, fund_id uuid, amount bigint)

-- VIEW payout_carried (entity_id uuid, payout_id uuid, source_id text, fund_id uuid, amount bigint)

-- VIEW payout_line (entity_id uuid, payout_id uuid, payout_ref text, transaction_id text, type text, source_id text, amount bigint, fee bigint, net bigint, currency text, created_at timestamp with time zone, charge_ref text)

-- VIEW payout_part (entity_id uuid, payout_id uuid, transaction_id text, fund_id uuid, amount bigint)

-- VIEW payout_transaction (entity_id uuid, payout_id uuid, transaction_id text, type text, amount bigint, fee bigint, net bigint, currency text, created_at timestamp with time zone, booked_at timestamp with time zone)

-- VIEW refund_elsewhere (entity_id uuid, organisation_id uuid, donation_id uuid, ref text, donor text, payment_id uuid, order_id uuid, refund_id text, origin text, amount bigint, currency text, reason text, note text, requested_by uuid, state text, at timestamp with time zone, key text, changed_at timestamp with time zone, problem text, booked boolean, charge_ref text)

-- VIEW refund_failed (entity_id uuid, refund_id text)

-- VIEW refund_list (entity_id uuid, organisation_id uuid, donation_id uuid, ref text, donor text, payment_id uuid, order_id uuid, refund_id text, origin text, amount bigint, currency text, reason text, note text, requested_by uuid, state text, at timestamp with time zone, key text, changed_at timestamp with time zone, problem text, booked boolean, charge_ref text)

-- VIEW refund_ordered (entity_id uuid, organisation_id uuid, donation_id uuid, ref text, donor text, payment_id uuid, order_id uuid, refund_id text, origin text, amount bigint, currency text, reason text, note text, requested_by uuid, state text, at timestamp with time zone, key text, changed_at timestamp with time zone, problem text, booked boolean, charge_ref text)

-- VIEW repayment_row (id uuid, entity_id uuid, n integer, payment_id uuid, donation_id uuid, currency text, amount bigint, method text, number text, paid_on date, account_id uuid, account text, submission uuid, made_by uuid, made_at timestamp with time zone, withdrawn_at timestamp with time zone, match_id uuid, booked_on date, public_ref text, organisation_id uuid, donor text)

-- VIEW sealed_by_key (what text, key_id text, n bigint)

-- VIEW staff_note_row (id uuid, entity_id uuid, donation_id uuid, donor_id uuid, payout_id uuid, task_id uuid, text text, author uuid, at timestamp with time zone, author_name text)

-- VIEW stored_address (place text, subject text, address text, since timestamp with time zone)

-- VIEW suspense_posting (entity_id uuid, subject text, fund_id uuid, currency text, amount bigint, serial bigint, n smallint, entry_date date, source text, source_id text, kind text)

-- VIEW suspense_row (entity_id uuid, subject text, currency text, amount bigint, since date, serial bigint, entries bigint, clears_itself boolean)

-- VIEW takeout_designation (entity_id uuid, donation_id uuid, public_ref text, n smallint, fund text, amount bigint, currency text)

-- VIEW takeout_donor (entity_id uuid, id uuid, kind text, first_name text, last_name text, organisation_name text, email text, phone text, address_line1 text, address_line2 text, city text, region text, postal_code text, country text, language text, created_at timestamp with time zone, first_gift_at timestamp with time zone, news boolean)

-- VIEW takeout_gift (entity_id uuid, id uuid, public_ref text, donor_id uuid, organisation text, plan_ref text, status text, source text, frequency text, method text, charge_ref text, amount bigint, covered bigint, currency text, charged_at timestamp with time zone, tax_date date, anonymous boolean, returned bigint, receipt text)

-- VIEW takeout_plan (entity_id uuid, id uuid, public_ref text, donor_id uuid, organisation text, status text, frequency text, amount bigint, covered bigint, currency text, total integer, paid integer, begun_at timestamp with time zone, next_at timestamp with time zone, paused_until timestamp with time zone, ended_at timestamp with time zone, ended_because text, customer_id text, subscription_id text, card_brand text, card_last4 text, card_expires date)

-- VIEW takeout_plan_part (entity_id uuid, plan_id uuid, public_ref text, n smallint, fund text, amount bigint, currency text)

-- VIEW takeout_receipt (entity_id uuid, id uuid, number text, year integer, n integer, public_ref text, issued_at timestamp with time zone, voided_at timestamp with time zone, void_because text)

-- FUNCTION add_staff(new_id uuid, address text, called text, speaks text) RETURNS uuid

-- FUNCTION add_staff_passkey(new_id uuid, challenge bytea, of_act bytea, credential_id bytea, credential jsonb, sign_count bigint, named text) RETURNS boolean

-- FUNCTION add_to_days(most integer) RETURNS bigint

-- FUNCTION add_to_months(most integer) RETURNS bigint

-- FUNCTION address_had_words() RETURNS trigger

-- FUNCTION address_has_words() RETURNS trigger

-- FUNCTION address_is_locked() RETURNS trigger

-- FUNCTION address_is_unused(the_address text) RETURNS boolean

-- FUNCTION addressee(gift uuid) RETURNS TABLE(typed donation_contact, address text, erased boolean)

-- FUNCTION addresses_of(of_erasure uuid, addresses text[]) RETURNS text[]

-- FUNCTION approval_concerns(r approval_request, the_staff uuid) RETURNS boolean

-- FUNCTION approval_hash(r approval_request) RETURNS bytea

-- FUNCTION approval_is_for(the_staff uuid, the_kind text, the_entity uuid, the_organisation uuid) RETURNS boolean

-- FUNCTION approval_is_valid() RETURNS trigger

-- FUNCTION approval_request_is_kept() RETURNS trigger

-- FUNCTION approval_roles(of_kind text) RETURNS text[]

-- FUNCTION approvals_of(r approval_request) RETURNS integer

-- FUNCTION approve_as_operator(the_request uuid, the_reason text) RETURNS void

-- FUNCTION are_erased(donors uuid[]) RETURNS boolean

-- FUNCTION audit_entry_is_attributed() RETURNS trigger

-- FUNCTION audit_entry_waits_for_seal() RETURNS trigger

-- FUNCTION audit_hash(e audit_entry, n bigint, previous bytea) RETURNS bytea

-- FUNCTION audit_head_is_newest() RETURNS trigger

-- FUNCTION authority_of(s staff_session) RETURNS staff_authority

-- FUNCTION balance_read_is_kept() RETURNS trigger

-- FUNCTION bank_entry_has_match() RETURNS trigger

-- FUNCTION bank_entry_has_opening() RETURNS trigger

-- FUNCTION bank_item_begins() RETURNS trigger

-- FUNCTION bank_layout_keeps() RETURNS trigger

-- FUNCTION bank_line_keeps() RETURNS trigger

-- FUNCTION bank_line_stays_erased() RETURNS trigger

-- FUNCTION bank_lines_are_erased() RETURNS trigger

-- FUNCTION bank_match_begins() RETURNS trigger

-- FUNCTION bank_match_ends() RETURNS trigger

-- FUNCTION bank_match_holds() RETURNS trigger

-- FUNCTION bank_match_keeps() RETURNS trigger

-- FUNCTION bank_match_problem(the_match uuid) RETURNS text

-- FUNCTION bank_opening_begins() RETURNS trigger

-- FUNCTION bank_opening_is_booked() RETURNS trigger

-- FUNCTION bank_posting_has_account() RETURNS trigger

-- FUNCTION bank_reversal_is_open() RETURNS trigger

-- FUNCTION bank_row_begins() RETURNS trigger

-- FUNCTION bank_rule_keeps() RETURNS trigger

-- FUNCTION bank_split_keeps() RETURNS trigger

-- FUNCTION bank_standing_of(the_entity uuid, the_account uuid, the_kind text, the_ref text) RETURNS bigint

-- FUNCTION bank_uploads_are_erased() RETURNS trigger

-- FUNCTION begin_gift(gift uuid, entity uuid, organisation uuid, ref text, the_frequency text, total bigint, added bigint, the_currency text, the_language text, is_anonymous boolean, wants_news boolean, at timestamp with time zone, plan uuid, form uuid, hash bytea, page_expires_at timestamp with time zone, new_donor uuid, address text, the_note text, the_first_name text, the_last_name text, the_organisation_name text, the_email text, the_phone text, line1 text, line2 text, the_city text, the_region text, the_postal_code text, the_country text, funds uuid[], amounts bigint[], additions bigint[]) RETURNS uuid

-- FUNCTION begin_staff_session(new_id uuid, of_staff uuid, secret bytea, on_device text, from_network text) RETURNS void

-- FUNCTION broken_seals(after bigint) RETURNS TABLE(entity_id uuid, subject text, detail text, since timestamp with time zone)

-- FUNCTION cardless(detail jsonb) RETURNS jsonb

-- FUNCTION change_role(act text, new_id uuid, of_staff uuid, named text, entity uuid, organisation uuid, request uuid DEFAULT NULL::uuid) RETURNS void

-- FUNCTION check_from(the_checker text) RETURNS bigint

-- FUNCTION check_is_counted() RETURNS trigger

-- FUNCTION checkout_of_donation() RETURNS trigger

-- FUNCTION checkout_superseded(donation uuid) RETURNS boolean

-- FUNCTION choice_stays_with_person() RETURNS trigger

-- FUNCTION clearing_move_is_carried_once() RETURNS trigger

-- FUNCTION clearing_move_is_even() RETURNS trigger

-- FUNCTION confirm_staff_totp(code text) RETURNS boolean

-- FUNCTION contact_of_paid_gift_stays() RETURNS trigger

-- FUNCTION count_attempt(keys bytea[], shards smallint[], lengths double precision[], limits integer[], slices integer, anyway boolean) RETURNS SETOF integer

-- FUNCTION count_wrong_code(of_session uuid) RETURNS void

-- FUNCTION decide_approval(the_request uuid, the_hash bytea, the_decision text, the_code text, the_reason text) RETURNS boolean

-- FUNCTION delete_old_staff_sessions() RETURNS bigint

-- FUNCTION delivery_ends_once() RETURNS trigger

-- FUNCTION deposit_begins() RETURNS trigger

-- FUNCTION deposit_changes() RETURNS trigger

-- FUNCTION deposit_is_matched(d deposit) RETURNS boolean

-- FUNCTION deposit_item_changes() RETURNS trigger

-- FUNCTION deposit_match_holds() RETURNS trigger

-- FUNCTION deposit_match_problem(i bank_match_item) RETURNS text

-- FUNCTION designation_fits_gift() RETURNS trigger

-- FUNCTION designations_sum_to_gift() RETURNS trigger

-- FUNCTION disable_staff(of_staff uuid) RETURNS void

-- FUNCTION disabled_staff_has_nothing() RETURNS trigger

-- FUNCTION dispute_follows_change() RETURNS trigger

-- FUNCTION dispute_without_task(entity uuid, charge text) RETURNS boolean

-- FUNCTION donation_step_is_legal() RETURNS trigger

-- FUNCTION donations_with_address(gifts uuid[]) RETURNS SETOF uuid

-- FUNCTION done_erasure_names_nobody_else() RETURNS trigger

-- FUNCTION donor_years_behind() RETURNS boolean

-- FUNCTION donor_years_change() RETURNS trigger

-- FUNCTION donor_years_move() RETURNS trigger

-- FUNCTION donors_of(subject uuid) RETURNS SETOF uuid

-- FUNCTION donors_of_entries(after bigint, upto bigint) RETURNS SETOF uuid

-- FUNCTION donors_of_note(of_donation uuid, of_donor uuid, of_task uuid) RETURNS SETOF uuid

-- FUNCTION donors_shown(donors uuid[], organisations uuid[], wanted text[], most integer) RETURNS uuid[]

-- FUNCTION drop_expired_receipts() RETURNS void

-- FUNCTION email_has_words() RETURNS trigger

-- FUNCTION end_enrolment(s staff_session, by_kind text) RETURNS void

-- FUNCTION end_sessions_of() RETURNS trigger

-- FUNCTION end_staff_factor(passkey uuid) RETURNS void

-- FUNCTION end_staff_sessions(of_staff uuid, one uuid, because text) RETURNS bigint

-- FUNCTION end_surplus_sessions(of_staff uuid) RETURNS void

-- FUNCTION entity_fact_is_kept() RETURNS trigger

-- FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void

-- FUNCTION erase_people(erasure uuid, addresses text[], candidates jsonb) RETURNS void

-- FUNCTION erased_at(of_erasure uuid) RETURNS timestamp with time zone

-- FUNCTION erased_donor_stays_erased() RETURNS trigger

-- FUNCTION erased_stays_erased() RETURNS trigger

-- FUNCTION erasure_is_asked() RETURNS trigger

-- FUNCTION erasure_is_done() RETURNS trigger

-- FUNCTION erasure_is_shared(of_erasure uuid, addresses text[]) RETURNS boolean

-- FUNCTION erasure_stays_in_entity() RETURNS trigger

-- FUNCTION execute_approval(the_request uuid, the_hash bytea, the_kind text, the_entity uuid, the_subject text) RETURNS boolean

-- FUNCTION fee_is_booked() RETURNS trigger

-- FUNCTION find_donors(of_entity uuid, words text, most integer) RETURNS SETOF uuid

-- FUNCTION finding_is_a_task() RETURNS trigger

-- FUNCTION gave_card(of_entity uuid, customer text, the_donor uuid) RETURNS boolean

-- FUNCTION gift_batch_begins() RETURNS trigger

-- FUNCTION gift_batch_changes() RETURNS trigger

-- FUNCTION gift_batch_row_changes() RETURNS trigger

-- FUNCTION gift_batch_row_is_whole() RETURNS trigger

-- FUNCTION gift_batch_row_part_changes() RETURNS trigger

-- FUNCTION gift_batch_row_stays_erased() RETURNS trigger

-- FUNCTION gift_evidence(of_gift uuid) RETURNS TABLE(part text, at timestamp with time zone, name text, value text)

-- FUNCTION gift_import_begins() RETURNS trigger

-- FUNCTION gift_import_changes() RETURNS trigger

-- FUNCTION gift_import_runs(of_entity uuid) RETURNS boolean

-- FUNCTION gift_imports_are_erased() RETURNS trigger

-- FUNCTION gift_of_receipt(of_receipt uuid, OUT donation uuid, OUT donor uuid, OUT whole uuid, OUT gifts uuid[]) RETURNS record

-- FUNCTION gift_void_begins() RETURNS trigger

-- FUNCTION gift_void_body(q gift_void_request) RETURNS text

-- FUNCTION gift_void_is_booked() RETURNS trigger

-- FUNCTION gift_void_request_begins() RETURNS trigger

-- FUNCTION gift_void_request_donors(q gift_void_request) RETURNS uuid[]

-- FUNCTION gift_void_request_keeps() RETURNS trigger

-- FUNCTION gift_void_request_stays_erased() RETURNS trigger

-- FUNCTION gift_void_requests_are_erased() RETURNS trigger

-- FUNCTION gifts_of_person(of_donor uuid) RETURNS SETOF uuid

-- FUNCTION head_is_newest() RETURNS trigger

-- FUNCTION hold_is_long_enough() RETURNS trigger

-- FUNCTION hold_is_over() RETURNS trigger

-- FUNCTION insert_only() RETURNS trigger

-- FUNCTION invite_staff(new_id uuid, of_staff uuid, link text, token bytea) RETURNS void

-- FUNCTION is_approved(the_request uuid) RETURNS boolean

-- FUNCTION is_erased(of_donor uuid) RETURNS boolean

-- FUNCTION is_owner() RETURNS boolean

-- FUNCTION is_staff_recovery(of_staff uuid, code text) RETURNS boolean

-- FUNCTION join_staff(account uuid, same_as uuid) RETURNS uuid

-- FUNCTION journal_entry_in_open_period() RETURNS trigger

-- FUNCTION journal_entry_is_sealed() RETURNS trigger

-- FUNCTION keep_receipt(of_receipt uuid, of_erasure uuid) RETURNS void

-- FUNCTION kept_until_erased() RETURNS trigger

-- FUNCTION last_admin_stays() RETURNS trigger

-- FUNCTION length_prefixed(value text) RETURNS text

-- FUNCTION lock_addressee(gift uuid) RETURNS TABLE(typed donation_contact, address text, erased boolean)

-- FUNCTION lock_donors_of(gifts uuid[]) RETURNS void

-- FUNCTION lock_gift(of_receipt uuid, address text) RETURNS void

-- FUNCTION lock_owner(donation uuid) RETURNS void

-- FUNCTION lock_people(of_erasure uuid, addresses text[]) RETURNS void

-- FUNCTION lock_people(of_erasure uuid, addresses text[], candidates jsonb) RETURNS void

-- FUNCTION may_change_factors() RETURNS staff_session

-- FUNCTION may_erase(erasure uuid, addresses text[]) RETURNS void

-- FUNCTION may_pay_for_another(of_plan uuid) RETURNS boolean

-- FUNCTION may_type_batches(roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean

-- FUNCTION mistyped_of(of_erasure uuid) RETURNS SETOF uuid

-- FUNCTION move_gift(of_receipt uuid, address text, new_donor uuid, by text, why text, OUT from_donor uuid, OUT to_donor uuid, OUT plan uuid, OUT moved integer) RETURNS record

-- FUNCTION moved_address_has_words() RETURNS trigger

-- FUNCTION next_sealed(after bigint, most integer) RETURNS bigint

-- FUNCTION note_factor(of_session uuid, by_kind text) RETURNS void

-- FUNCTION office_can_sign_in(of_staff uuid) RETURNS boolean

-- FUNCTION office_changed_gifts(of_entity uuid, kinds text[]) RETURNS SETOF uuid

-- FUNCTION office_donor_names(of_entity uuid, of_organisation uuid, donors uuid[]) RETURNS TABLE(id uuid, name text)

-- FUNCTION office_donors_to_choose(of_entity uuid, of_organisation uuid, words text, most integer) RETURNS TABLE(id uuid, kind text, first_name text, last_name text, organisation_name text, email text, address_line1 text, city text, region text, postal_code text)

-- FUNCTION office_entities(roles text[]) RETURNS uuid[]

-- FUNCTION office_find_donors(of_entity uuid, of_organisation uuid, words text, most integer) RETURNS SETOF uuid

-- FUNCTION office_find_gifts(of_entity uuid, known_by text, value text, of_year integer, of_number integer) RETURNS SETOF uuid

-- FUNCTION office_funds(roles text[]) RETURNS uuid[]

-- FUNCTION office_gift_disputes(gifts uuid[]) RETURNS TABLE(donation_id uuid, state text)

-- FUNCTION office_gift_entries(of_gift uuid) RETURNS TABLE(entry_id uuid, entry_date date, kind text, serial bigint, n smallint, account_code text, fund_id uuid, amount bigint)

-- FUNCTION office_gift_history(of_gift uuid) RETURNS TABLE(at timestamp with time zone, what text, name text, amount bigint, ref text, person text, detail text)

-- FUNCTION office_gift_rows(gifts uuid[]) RETURNS SETOF gift_row

-- FUNCTION office_gift_shares(of_gift uuid) RETURNS TABLE(fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, refunded bigint, disputed bigint)

-- FUNCTION office_organisations(roles text[]) RETURNS uuid[]

-- FUNCTION office_person_of_request(request uuid) RETURNS TABLE(name text, email text)

-- FUNCTION offline_gift_keeps() RETURNS trigger

-- FUNCTION offline_gift_stays_erased() RETURNS trigger

-- FUNCTION offline_gift_waits() RETURNS trigger

-- FUNCTION offline_gifts_are_erased() RETURNS trigger

-- FUNCTION only_the_person_goes() RETURNS trigger

-- FUNCTION open_staff_session() RETURNS staff_session

-- FUNCTION owner_change_is_recorded() RETURNS trigger

-- FUNCTION payload_addresses(payload bytea) RETURNS SETOF text

-- FUNCTION payload_is_erased_only() RETURNS trigger

-- FUNCTION payload_json(payload bytea) RETURNS json

-- FUNCTION payload_pattern(people uuid[], payments uuid[], emails text[]) RETURNS text

-- FUNCTION payment_is_disputed(of_payment uuid) RETURNS boolean

-- FUNCTION payment_of_charge(of_entity uuid, charge text) RETURNS uuid

-- FUNCTION payment_out_of_suspense() RETURNS trigger

-- FUNCTION payment_owed(of_payment uuid) RETURNS TABLE(fund_id uuid, amount bigint)

-- FUNCTION payment_position(of_payment uuid) RETURNS TABLE(fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, remaining bigint, refunded bigint, fee_back bigint, sponsor_fee_back bigint, owed bigint, stated bigint)

-- FUNCTION payment_refundable(of_payment uuid) RETURNS TABLE(fund_id uuid, amount bigint)

-- FUNCTION payment_void_has_cause() RETURNS trigger

-- FUNCTION personal_subjects(of_erasure uuid, people uuid[], emails text[], before timestamp with time zone) RETURNS SETOF uuid

-- FUNCTION personless(facts jsonb) RETURNS jsonb

-- FUNCTION plan_link_ends_once() RETURNS trigger

-- FUNCTION plan_step_is_legal() RETURNS trigger

-- FUNCTION rebuild_days() RETURNS void

-- FUNCTION rebuild_donor_years() RETURNS void

-- FUNCTION rebuild_months() RETURNS void

-- FUNCTION receipt_counter_is_last() RETURNS trigger

-- FUNCTION receipt_numbers_are_taken() RETURNS trigger

-- FUNCTION receipt_reference(facts jsonb, year integer, number integer) RETURNS text

-- FUNCTION refresh_address_words(donors uuid[]) RETURNS void

-- FUNCTION refresh_donor_years(most integer) RETURNS integer

-- FUNCTION refund_is_approved(o refund_order) RETURNS boolean

-- FUNCTION refund_needs_second_person(o refund_order) RETURNS boolean

-- FUNCTION refund_note_stays_erased() RETURNS trigger

-- FUNCTION refund_notes_are_erased() RETURNS trigger

-- FUNCTION refund_of_erased(o refund_order) RETURNS boolean

-- FUNCTION refund_order_begins() RETURNS trigger

-- FUNCTION refund_order_body(of_order uuid) RETURNS text

-- FUNCTION refund_order_counts(o refund_order) RETURNS boolean

-- FUNCTION refund_order_is_whole() RETURNS trigger

-- FUNCTION refund_order_part_begins() RETURNS trigger

-- FUNCTION refund_order_steps() RETURNS trigger

-- FUNCTION refund_request_begins() RETURNS trigger

-- FUNCTION refund_request_keeps() RETURNS trigger

-- FUNCTION refund_request_note_stays_erased() RETURNS trigger

-- FUNCTION refuse_approval(rule text, message text) RETURNS void

-- FUNCTION refuse_bank(rule text, message text) RETURNS void

-- FUNCTION refuse_deposit(rule text, message text) RETURNS void

-- FUNCTION refuse_import(rule text, message text) RETURNS void

-- FUNCTION refuse_repayment(rule text, message text) RETURNS void

-- FUNCTION refuse_staff(rule text, message text) RETURNS void

-- FUNCTION repayment_begins() RETURNS trigger

-- FUNCTION repayment_is_whole() RETURNS trigger

-- FUNCTION repayment_keeps() RETURNS trigger

-- FUNCTION repayment_match_holds() RETURNS trigger

-- FUNCTION repayment_match_problem(i bank_match_item) RETURNS text

-- FUNCTION repayment_part_begins() RETURNS trigger

-- FUNCTION request_approval(the_id uuid, the_entity uuid, the_organisation uuid, the_kind text, the_subject text, the_body text, the_needs integer, instead_of uuid) RETURNS bytea

-- FUNCTION requires_approval() RETURNS trigger

-- FUNCTION requires_audit() RETURNS trigger

-- FUNCTION role_change_is_approved(request uuid, act text, of_staff uuid, named text, entity uuid, organisation uuid) RETURNS boolean

-- FUNCTION role_change_text(act text, staff_id uuid, role text, entity_id uuid, organisation_id uuid) RETURNS text

-- FUNCTION rows_to_clear(of_erasure uuid, addresses text[]) RETURNS jsonb

-- FUNCTION seal_audit_entries() RETURNS integer

-- FUNCTION seals_follow_entries() RETURNS trigger

-- FUNCTION see_staff_session() RETURNS TABLE(id uuid, staff_id uuid, name text, email text, language text, break_glass boolean, stage text, invitation text, factor_at timestamp with time zone, factor_kind text, factor_is_fresh boolean, made_at timestamp with time zone, ends_at timestamp with time zone)

-- FUNCTION sees_every_commit() RETURNS trigger

-- FUNCTION set_invitation_token(invitation uuid, token bytea) RETURNS boolean

-- FUNCTION set_staff_password(new_hash text) RETURNS void

-- FUNCTION set_staff_recovery(codes text[]) RETURNS void

-- FUNCTION set_staff_totp(new_id uuid, new_secret bytea) RETURNS void

-- FUNCTION settled_gift_is_frozen() RETURNS trigger

-- FUNCTION shared_address_is_not_erased() RETURNS trigger

-- FUNCTION sign_in_is_used_once() RETURNS trigger

-- FUNCTION snapshots_are_sums() RETURNS trigger

-- FUNCTION split_staff(account uuid) RETURNS TABLE(alone uuid, other uuid)

-- FUNCTION staff_actor() RETURNS uuid

-- FUNCTION staff_admin_of(actor uuid, other uuid, any_scope boolean) RETURNS boolean

-- FUNCTION staff_admins(entity_id uuid, organisation_id uuid) RETURNS SETOF uuid

-- FUNCTION staff_can_sign_in(staff_id uuid) RETURNS boolean

-- FUNCTION staff_check_code(code text) RETURNS boolean

-- FUNCTION staff_count_code() RETURNS void

-- FUNCTION staff_factor(OUT used_at timestamp with time zone, OUT kind text, OUT act bytea, OUT assertion jsonb) RETURNS record

-- FUNCTION staff_factor_is_fresh() RETURNS boolean

-- FUNCTION staff_has_role(staff_id uuid, roles text[], entity_id uuid, organisation_id uuid DEFAULT NULL::uuid) RETURNS boolean

-- FUNCTION staff_money_factor_is_fresh(entity_id uuid) RETURNS boolean

-- FUNCTION staff_note_begins() RETURNS trigger

-- FUNCTION staff_note_keeps() RETURNS trigger

-- FUNCTION staff_note_object(of_kind text, of_id uuid) RETURNS TABLE(entity_id uuid, organisation_id uuid, ref text)

-- FUNCTION staff_note_stays_erased() RETURNS trigger

-- FUNCTION staff_notes_are_erased() RETURNS trigger

-- FUNCTION staff_of_session() RETURNS uuid

-- FUNCTION staff_person_of(staff_id uuid) RETURNS uuid

-- FUNCTION subjects_of_gift(of_receipt uuid) RETURNS SETOF uuid

-- FUNCTION sums_by_day(after bigint, upto bigint) RETURNS TABLE(entity_id uuid, day date, fund_id uuid, account_code text, amount bigint, lines bigint)

-- FUNCTION sums_by_month(after bigint, upto bigint) RETURNS TABLE(entity_id uuid, month date, fund_id uuid, account_code text, amount bigint, lines bigint)

-- FUNCTION suspense_body(entity uuid, subject text, amount bigint, currency text, account text, gift uuid, refunded boolean, reason text) RETURNS text

-- FUNCTION suspense_has_cause() RETURNS trigger

-- FUNCTION suspense_origin(of_entity uuid, subject text) RETURNS TABLE(account text, received_at timestamp with time zone)

-- FUNCTION suspense_resolution_begins() RETURNS trigger

-- FUNCTION suspense_resolution_is_booked() RETURNS trigger

-- FUNCTION thank_you_has_person(letter uuid) RETURNS boolean

-- FUNCTION thank_you_keeps() RETURNS trigger

-- FUNCTION thank_you_stays_erased() RETURNS trigger

-- FUNCTION totp_code(secret bytea, step bigint) RETURNS text

-- FUNCTION totp_step_of(secret bytea, code text, after bigint) RETURNS bigint

-- FUNCTION unaddressed(message bytea) RETURNS bytea

-- FUNCTION uneven_entries(after bigint) RETURNS TABLE(entity_id uuid, entry_id uuid, currency text, total numeric)

-- FUNCTION use_challenge(challenge bytea, of_act bytea, of_session uuid, browser bytea) RETURNS uuid

-- FUNCTION use_invitation(new_id uuid, token bytea, secret bytea, on_device text, from_network text) RETURNS text

-- FUNCTION use_staff_form(form uuid, says bytea, roles text[], of_entity uuid, of_organisation uuid) RETURNS boolean

-- FUNCTION use_staff_passkey(challenge bytea, of_act bytea, browser bytea, passkey uuid, count bigint, now_credential jsonb, answer jsonb) RETURNS boolean

-- FUNCTION use_staff_recovery(code text) RETURNS boolean

-- FUNCTION withdraw_approval(the_request uuid) RETURNS void

-- FUNCTION words_of_addresses(of_donor uuid) RETURNS SETOF text

-- FUNCTION words_of_donor() RETURNS trigger

-- FUNCTION words_of_email(email text) RETURNS text[]

-- FUNCTION words_of_name(first_name text, last_name text, organisation_name text) RETURNS text[]

-- FUNCTION words_of_search(of_entity uuid, text_typed text) RETURNS text[]

-- FUNCTION wrong_days(after bigint) RETURNS TABLE(entity_id uuid, subject text, detail text)

-- FUNCTION wrong_donor_years(after bigint) RETURNS TABLE(entity_id uuid, subject text, detail text)

-- FUNCTION wrong_months(after bigint) RETURNS TABLE(entity_id uuid, subject text, detail text)

-- FUNCTION years_of_donors(donors uuid[]) RETURNS TABLE(donor_id uuid, year integer, entity_id uuid, gifts integer, amount bigint)
