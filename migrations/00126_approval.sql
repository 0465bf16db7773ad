-- +goose Up
-- Acts that need a second person. Owned by internal/people/approval. The server's role reads these tables and writes them only through the
-- functions below, which read the staff session themselves. Whoever holds the server's role can open sessions; what it cannot do is give an
-- approval without the code of a person's second factor, or leave out the second person.
--
--   requested ──┬── executed   by the act's own table (requires_approval), once, if as many other people approve as it needs
--               ├── declined   by one person
--               ├── withdrawn  by the requester, or replaced by an edited version, which has no approvals
--               └── expired    14 days after the request
CREATE TABLE approval_request (
    id              uuid PRIMARY KEY,
    entity_id       uuid NOT NULL REFERENCES legal_entity (id),
    organisation_id uuid,
    kind            text NOT NULL CHECK (kind IN ('refund', 'void', 'suspense', 'opening', 'transfer', 'reopening', 'write_off', 'roles')),
    subject         text NOT NULL CHECK (subject <> ''), -- the row that the act is about, as the act's table names it
    body            text NOT NULL CHECK (body <> ''),    -- the canonical text: what is shown is what is approved and executed
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    needs           smallint NOT NULL DEFAULT 1 CHECK (needs BETWEEN 1 AND 5), -- approvals of others
    requested_by    uuid NOT NULL REFERENCES staff (id),
    requested_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at      timestamptz NOT NULL,
    factor          text NOT NULL CHECK (factor IN ('totp', 'passkey')), -- of the requester
    assertion       jsonb,                                               -- the passkey's answer, NULL for a code
    replaces        uuid UNIQUE REFERENCES approval_request (id), -- the version that was edited
    executed_at     timestamptz,
    executed_in     xid8,
    declined_at     timestamptz,
    withdrawn_at    timestamptz,
    UNIQUE (id, hash),
    CHECK (expires_at = requested_at + interval '14 days'),
    CHECK (num_nonnulls(executed_at, declined_at, withdrawn_at) <= 1),
    CHECK ((executed_at IS NULL) = (executed_in IS NULL)),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id)
);
CREATE INDEX approval_request_open ON approval_request (entity_id, requested_at) WHERE executed_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX approval_request_of_subject ON approval_request (kind, subject);

CREATE TABLE approval (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL,
    hash       bytea NOT NULL,
    decision   text NOT NULL CHECK (decision IN ('approve', 'decline')),
    staff_id   uuid REFERENCES staff (id), -- NULL: an operator, for requests of kind roles
    person_id  uuid,                       -- the human behind the staff account, at that time
    factor     text CHECK (factor IN ('totp', 'passkey')),
    assertion  jsonb,                      -- the passkey's answer; its challenge is a hash of the request's hash and a nonce
    reason     text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (request_id, person_id),
    CHECK ((staff_id IS NULL) = (person_id IS NULL)),
    CHECK (staff_id IS NULL OR decision = 'decline' OR factor IS NOT NULL),
    CHECK ((factor IS NOT DISTINCT FROM 'passkey') = (assertion IS NOT NULL)),
    FOREIGN KEY (request_id, hash) REFERENCES approval_request (id, hash)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose StatementBegin
-- The roles of those who request and approve acts of a kind.
CREATE FUNCTION approval_roles(of_kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE of_kind WHEN 'roles' THEN '{admin}'::text[] ELSE '{finance}'::text[] END
$$;

-- Whether a staff member may request, or approve, acts of a kind now. Money belongs to the legal entity, so its roles are held there.
CREATE FUNCTION approval_is_for(the_staff uuid, the_kind text, the_entity uuid, the_organisation uuid) RETURNS boolean STABLE LANGUAGE sql
SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM staff s WHERE s.id = the_staff AND s.disabled_at IS NULL)
       AND staff_has_role(the_staff, approval_roles(the_kind), the_entity, CASE the_kind WHEN 'roles' THEN the_organisation END)
$$;

CREATE FUNCTION approval_hash(r approval_request) RETURNS bytea STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT sha256(convert_to(length_prefixed('konbit approval 1') || length_prefixed(r.id::text) || length_prefixed(r.entity_id::text)
        || length_prefixed(r.organisation_id::text) || length_prefixed(r.kind) || length_prefixed(r.subject) || length_prefixed(r.body)
        || length_prefixed(r.needs::text) || length_prefixed(r.requested_by::text), 'UTF8'))
$$;

-- Keeps what was requested. The functions below set one end, once.
CREATE FUNCTION approval_request_is_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR num_nonnulls(OLD.executed_at, OLD.declined_at, OLD.withdrawn_at) > 0
       OR to_jsonb(OLD) - ARRAY['executed_at', 'executed_in', 'declined_at', 'withdrawn_at']
          <> to_jsonb(NEW) - ARRAY['executed_at', 'executed_in', 'declined_at', 'withdrawn_at'] THEN
        RAISE EXCEPTION 'approval request % does not change', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_request_is_kept';
    END IF;
    RETURN NEW;
END $$;

-- Whether somebody is a person whom a request concerns: the requester, or whose role it changes.
CREATE FUNCTION approval_concerns(r approval_request, the_staff uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT staff_person_of(the_staff) = staff_person_of(r.requested_by) OR r.kind = 'roles' AND staff_person_of(the_staff) = staff_person_of(r.subject::uuid)
$$;

-- refuse_approval refuses an act; rule names why.
CREATE FUNCTION refuse_approval(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- Requests an act for the person of the session and returns the hash that others approve. The person used a factor in the last five minutes;
-- for an act on money a passkey signed this hash, or the entity allows codes. A change of a role is of the subject, in the request's scope. With instead_of it replaces an open request of the same person.
CREATE FUNCTION request_approval(the_id uuid, the_entity uuid, the_organisation uuid, the_kind text, the_subject text, the_body text,
    the_needs integer, instead_of uuid) RETURNS bytea LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
    f record;
BEGIN
    r.id := the_id; r.entity_id := the_entity; r.organisation_id := the_organisation; r.kind := the_kind; r.subject := the_subject;
    r.body := the_body; r.needs := greatest(the_needs, 1); r.replaces := instead_of; r.requested_by := staff_of_session();
    r.requested_at := clock_timestamp();
    r.expires_at := r.requested_at + interval '14 days';
    r.hash := approval_hash(r);
    SELECT * INTO f FROM staff_factor();
    r.factor := f.kind;
    r.assertion := f.assertion;
    IF r.requested_by IS NULL THEN
        PERFORM refuse_approval('approval_has_session', 'there is no staff session');
    ELSIF NOT coalesce(approval_is_for(r.requested_by, the_kind, the_entity, the_organisation), false) THEN
        PERFORM refuse_approval('approval_has_role', 'the person of this session has no role for this act');
    ELSIF the_kind = 'roles' AND staff_person_of(the_subject::uuid) = staff_person_of(r.requested_by) THEN
        PERFORM refuse_approval('approval_by_another', 'nobody changes a role of their own');
    ELSIF the_kind = 'roles' AND the_body IS DISTINCT FROM
          role_change_text(split_part(the_body, ' ', 2), the_subject::uuid, split_part(the_body, ' ', 4), the_entity, the_organisation) THEN
        PERFORM refuse_approval('approval_is_of_subject', 'the change of a role is of another person, or in another scope');
    ELSIF NOT staff_factor_is_fresh()
          OR the_kind <> 'roles' AND NOT (staff_money_factor_is_fresh(the_entity) AND (f.kind = 'totp' OR f.act = r.hash)) THEN
        PERFORM refuse_approval('approval_has_factor', 'no second factor was used for this act in the last five minutes');
    END IF;
    IF instead_of IS NOT NULL THEN
        UPDATE approval_request SET withdrawn_at = clock_timestamp()
         WHERE id = instead_of AND requested_by = r.requested_by AND kind = the_kind AND entity_id = the_entity
           AND executed_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL AND expires_at > clock_timestamp();
        IF NOT FOUND THEN
            PERFORM refuse_approval('approval_is_open', 'the replaced request is no open request of this person');
        END IF;
    END IF;
    INSERT INTO approval_request SELECT r.*;
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, before, after)
    VALUES ('approval.requested', r.entity_id, r.organisation_id, 'approval_request', r.id::text,
            CASE WHEN instead_of IS NOT NULL THEN jsonb_build_object('request', instead_of) END,
            jsonb_build_object('kind', r.kind, 'subject', r.subject, 'hash', encode(r.hash, 'hex')));
    RETURN r.hash;
END $$;

-- Approves or declines a request for the person of the session. An approval needs a code, which is checked here, where the entity allows codes
-- for acts on money; without a code it needs a passkey that signed the request's hash in the last five minutes (use_staff_passkey; konbit staff
-- verify checks the stored answer again). It returns false if the code is wrong: the caller commits, so that the try is counted. What must be
-- true of request and person is checked again by approval_is_valid, at the end of the transaction.
CREATE FUNCTION decide_approval(the_request uuid, the_hash bytea, the_decision text, the_code text, the_reason text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
    f record;
    who uuid := staff_of_session();
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = the_request FOR UPDATE;
    IF who IS NULL THEN
        PERFORM refuse_approval('approval_has_session', 'there is no staff session');
    ELSIF r.id IS NULL OR r.hash IS DISTINCT FROM the_hash THEN
        PERFORM refuse_approval('approval_has_hash', 'there is no request with this hash');
    ELSIF NOT approval_is_for(who, r.kind, r.entity_id, r.organisation_id) THEN
        PERFORM refuse_approval('approval_has_role', 'the person of this session has no role for this act');
    ELSIF num_nonnulls(r.executed_at, r.declined_at, r.withdrawn_at) > 0 OR r.expires_at <= clock_timestamp() THEN
        PERFORM refuse_approval('approval_is_open', 'this request is not open');
    ELSIF approval_concerns(r, who) THEN
        PERFORM refuse_approval('approval_by_another', 'another person approves or declines this request');
    ELSIF the_decision = 'approve' AND the_code IS NOT NULL THEN
        IF r.kind <> 'roles' AND NOT EXISTS (SELECT FROM legal_entity e WHERE e.id = r.entity_id AND e.money_factor = 'totp') THEN
            PERFORM refuse_approval('approval_has_factor', 'this act needs a passkey');
        ELSIF NOT staff_check_code(the_code) THEN
            RETURN false;
        END IF;
    END IF;
    SELECT * INTO f FROM staff_factor();
    IF the_decision = 'approve' AND the_code IS NULL AND NOT coalesce(staff_factor_is_fresh() AND f.kind = 'passkey' AND f.act = r.hash, false) THEN
        PERFORM refuse_approval('approval_has_factor', 'no passkey signed this act in the last five minutes');
    END IF;
    INSERT INTO approval (request_id, hash, decision, staff_id, person_id, factor, assertion, reason)
    VALUES (the_request, the_hash, the_decision, who, staff_person_of(who), CASE the_decision WHEN 'approve' THEN f.kind END,
            CASE WHEN the_decision = 'approve' AND f.kind = 'passkey' THEN f.assertion END, coalesce(the_reason, ''));
    IF the_decision = 'decline' THEN
        UPDATE approval_request SET declined_at = clock_timestamp() WHERE id = the_request;
    END IF;
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, after, reason)
    VALUES (CASE the_decision WHEN 'approve' THEN 'approval.approved' ELSE 'approval.declined' END, r.entity_id, r.organisation_id,
            'approval_request', r.id::text, jsonb_build_object('hash', encode(the_hash, 'hex')), coalesce(the_reason, ''));
    RETURN true;
END $$;

-- Approves a request of kind roles as the operator, where the second admin of a scope cannot. Only the owner's role may execute it.
CREATE FUNCTION approve_as_operator(the_request uuid, the_reason text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = the_request FOR UPDATE;
    IF NOT FOUND OR r.kind <> 'roles' OR NOT is_owner() THEN
        PERFORM refuse_approval('operator_approves_roles', 'an operator approves requests of kind roles only');
    ELSIF num_nonnulls(r.executed_at, r.declined_at, r.withdrawn_at) > 0 OR r.expires_at <= clock_timestamp() THEN
        PERFORM refuse_approval('approval_is_open', 'this request is not open');
    END IF;
    INSERT INTO approval (request_id, hash, decision, reason) VALUES (r.id, r.hash, 'approve', the_reason);
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, after, reason)
    VALUES ('approval.approved', r.entity_id, r.organisation_id, 'approval_request', r.id::text, jsonb_build_object('hash', encode(r.hash, 'hex')), the_reason);
END $$;

CREATE FUNCTION withdraw_approval(the_request uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    UPDATE approval_request SET withdrawn_at = clock_timestamp()
     WHERE id = the_request AND requested_by = staff_of_session() AND executed_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL
       AND expires_at > clock_timestamp()
    RETURNING * INTO r;
    IF NOT FOUND THEN
        PERFORM refuse_approval('approval_is_open', 'this is no open request of this person');
    END IF;
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id)
    VALUES ('approval.withdrawn', r.entity_id, r.organisation_id, 'approval_request', r.id::text);
END $$;

-- The number of other people whose approvals of a request count now: each holds the role and is not disabled, and none is the requester under
-- another account. Their rows are locked, so that a role that ends at the same time has ended before or ends afterwards. NULL if the request
-- cannot be executed: another hash, ended, expired, or its requester has no role any more.
CREATE FUNCTION approvals_of(r approval_request) RETURNS integer LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM staff s WHERE s.id = r.requested_by OR s.id IN (SELECT a.staff_id FROM approval a WHERE a.request_id = r.id) ORDER BY s.id FOR SHARE;
    PERFORM FROM staff_role o WHERE o.entity_id = r.entity_id AND o.ended_at IS NULL
        AND (o.staff_id = r.requested_by OR o.staff_id IN (SELECT a.staff_id FROM approval a WHERE a.request_id = r.id)) ORDER BY o.id FOR SHARE;
    IF num_nonnulls(r.executed_at, r.declined_at, r.withdrawn_at) > 0 OR r.expires_at <= clock_timestamp() OR r.hash <> approval_hash(r)
       OR NOT approval_is_for(r.requested_by, r.kind, r.entity_id, r.organisation_id)
       OR EXISTS (SELECT FROM approval a WHERE a.request_id = r.id AND a.decision <> 'approve') THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT count(DISTINCT coalesce(staff_person_of(a.staff_id), r.id)) FROM approval a
             WHERE a.request_id = r.id AND a.hash = r.hash AND a.decision = 'approve'
               AND CASE WHEN a.staff_id IS NULL THEN r.kind = 'roles'
                        ELSE NOT approval_concerns(r, a.staff_id) AND approval_is_for(a.staff_id, r.kind, r.entity_id, r.organisation_id) END);
END $$;

-- Whether a request may be executed now: what a page shows and a job waits for. requires_approval decides.
CREATE FUNCTION is_approved(the_request uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = the_request;
    RETURN coalesce(approvals_of(r) >= r.needs, false);
END $$;

-- At the end of the transaction, a decision is by somebody whom the request does not concern, who holds the role and is not disabled.
CREATE FUNCTION approval_is_valid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = NEW.request_id;
    PERFORM FROM staff s WHERE s.id = NEW.staff_id FOR SHARE;
    PERFORM FROM staff_role o WHERE o.staff_id = NEW.staff_id AND o.entity_id = r.entity_id AND o.ended_at IS NULL ORDER BY o.id FOR SHARE;
    IF NEW.staff_id IS NULL AND r.kind <> 'roles' OR NEW.staff_id IS NOT NULL AND (
           NEW.person_id <> staff_person_of(NEW.staff_id)
           OR approval_concerns(r, NEW.staff_id)
           OR NOT approval_is_for(NEW.staff_id, r.kind, r.entity_id, r.organisation_id)) THEN
        RAISE EXCEPTION 'request % is approved by another person who holds the role', NEW.request_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_is_valid';
    END IF;
    RETURN NULL;
END $$;

-- Executes a request: once, by the act's own table in the act's transaction. It returns false if the request does not allow the act.
CREATE FUNCTION execute_approval(the_request uuid, the_hash bytea, the_kind text, the_entity uuid, the_subject text) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = the_request FOR UPDATE;
    IF (r.hash, r.kind, r.entity_id, r.subject) IS DISTINCT FROM (the_hash, the_kind, the_entity, the_subject) OR coalesce(approvals_of(r) < r.needs, true) THEN
        RETURN false;
    END IF;
    UPDATE approval_request SET executed_at = clock_timestamp(), executed_in = pg_current_xact_id() WHERE id = r.id;
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, after)
    VALUES ('approval.executed', r.entity_id, r.organisation_id, 'approval_request', r.id::text, jsonb_build_object('kind', r.kind, 'subject', r.subject));
    RETURN true;
END $$;

-- Trigger helper. A row of the act's table refers to its request by two columns (request_id, request_hash), a foreign key to
-- approval_request (id, hash). The trigger executes the request in the row's transaction, or refuses the row:
--
--   CREATE TRIGGER requires_approval AFTER UPDATE ON refund_order FOR EACH ROW WHEN (OLD.state = 'ordered' AND NEW.state = 'sent' AND …)
--       EXECUTE FUNCTION requires_approval('refund', 'id');
--
-- The arguments are the kind and the column whose value is the request's subject. A request is executed once.
CREATE FUNCTION requires_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    act jsonb := to_jsonb(NEW);
BEGIN
    IF NOT execute_approval((act ->> 'request_id')::uuid, (act ->> 'request_hash')::bytea, TG_ARGV[0], (act ->> 'entity_id')::uuid, act ->> TG_ARGV[1]) THEN
        RAISE EXCEPTION '% % needs a request that other people approved', TG_TABLE_NAME, act ->> TG_ARGV[1]
            USING ERRCODE = 'check_violation', CONSTRAINT = 'requires_approval';
    END IF;
    RETURN NULL;
END $$;

-- A second admin approved this change of a role (migration 00120), of this person and in this scope: its request is executed here. One from
-- before the person was disabled is not.
CREATE OR REPLACE FUNCTION role_change_is_approved(request uuid, act text, of_staff uuid, named text, entity uuid, organisation uuid) RETURNS boolean VOLATILE
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request a WHERE a.id = request AND a.kind = 'roles' AND a.subject = of_staff::text AND a.entity_id = entity
        AND a.organisation_id IS NOT DISTINCT FROM organisation AND a.body = role_change_text(act, of_staff, named, entity, organisation)
        AND NOT EXISTS (SELECT FROM staff m WHERE m.id = of_staff AND m.disabled_at > a.requested_at);
    RETURN r.id IS NOT NULL AND execute_approval(r.id, r.hash, r.kind, r.entity_id, r.subject);
END $$;
-- +goose StatementEnd

CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON approval_request FOR EACH ROW EXECUTE FUNCTION approval_request_is_kept();
CREATE CONSTRAINT TRIGGER approval_is_valid AFTER INSERT ON approval DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approval_is_valid();

-- +goose Down
DROP TABLE approval;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION role_change_is_approved(request uuid, act text, of_staff uuid, named text, entity uuid, organisation uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT false
$$;
-- +goose StatementEnd
DROP FUNCTION requires_approval, execute_approval, approval_is_valid, is_approved, approvals_of, withdraw_approval, approve_as_operator, decide_approval,
    request_approval, refuse_approval, approval_concerns, approval_request_is_kept, approval_hash, approval_is_for CASCADE;
DROP TABLE approval_request;
DROP FUNCTION approval_roles;
