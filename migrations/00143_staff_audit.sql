-- +goose Up
-- What the server may do with a passkey, old sessions, and changed factors without an entry in the audit log.

-- +goose StatementBegin
-- use_staff_passkey notes the answer of a passkey, as before; of what the server passes it stores the counter and the flags alone. The public
-- key is what konbit staff verify checks approvals with: it is as it was registered.
CREATE OR REPLACE FUNCTION use_staff_passkey(challenge bytea, of_act bytea, browser bytea, passkey uuid, count bigint, now_credential jsonb, answer jsonb) RETURNS boolean
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := open_staff_session();
BEGIN
    IF s.id IS NULL OR s.stage = 'first' AND s.invitation_id IS NOT NULL OR answer IS NULL OR use_challenge(challenge, of_act, s.id, browser) IS NULL THEN
        RETURN false;
    END IF;
    UPDATE staff_passkey p SET used_at = clock_timestamp(), sign_count = count, credential = p.credential || jsonb_build_object('flags', now_credential -> 'flags', 'authenticator',
               coalesce(p.credential -> 'authenticator', '{}') || jsonb_build_object('signCount', now_credential -> 'authenticator' -> 'signCount'))
     WHERE p.id = passkey AND p.staff_id = s.staff_id AND p.ended_at IS NULL AND (count > p.sign_count OR count = 0 AND p.sign_count = 0);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM note_factor(s.id, 'passkey');
    UPDATE staff_session o SET factor_act = of_act, factor_assertion = answer WHERE o.id = s.id;
    RETURN true;
END $$;

-- execute_approval executes a request, as before; what an operator approved has the operator's reason in the log.
CREATE OR REPLACE FUNCTION execute_approval(the_request uuid, the_hash bytea, the_kind text, the_entity uuid, the_subject text) RETURNS boolean LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    r approval_request;
BEGIN
    SELECT * INTO r FROM approval_request WHERE id = the_request FOR UPDATE;
    IF (r.hash, r.kind, r.entity_id, r.subject) IS DISTINCT FROM (the_hash, the_kind, the_entity, the_subject) OR coalesce(approvals_of(r) < r.needs, true) THEN
        RETURN false;
    END IF;
    UPDATE approval_request SET executed_at = clock_timestamp(), executed_in = pg_current_xact_id() WHERE id = r.id;
    INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, after, reason)
    VALUES ('approval.executed', r.entity_id, r.organisation_id, 'approval_request', r.id::text, jsonb_build_object('kind', r.kind, 'subject', r.subject),
        coalesce((SELECT a.reason FROM approval a WHERE a.request_id = r.id AND a.staff_id IS NULL ORDER BY a.n DESC LIMIT 1), ''));
    RETURN true;
END $$;

-- delete_old_staff_sessions deletes sessions that ended or expired 30 days ago, and challenges that expired a day ago. Nothing else refers to
-- them: approvals keep their own copy of an answer. It returns how many sessions.
CREATE FUNCTION delete_old_staff_sessions() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    deleted bigint;
BEGIN
    DELETE FROM staff_challenge c WHERE c.expires_at < clock_timestamp() - interval '1 day';
    DELETE FROM staff_session s WHERE least(s.ended_at, s.ends_at, s.seen_at + interval '1 hour') < clock_timestamp() - interval '30 days'
       AND NOT EXISTS (SELECT FROM staff_challenge c WHERE c.session_id = s.id);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_passkey DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER end_requires_audit AFTER UPDATE ON staff_passkey DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER requires_audit AFTER UPDATE ON staff_totp DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at OR NEW.confirmed_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at)
    EXECUTE FUNCTION requires_audit('staff', 'staff_id');
-- Who sets the first password has no full session yet: the entry has nobody.
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE OR DELETE ON staff_password DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id', 'anyone');
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON staff_recovery DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');
CREATE CONSTRAINT TRIGGER use_requires_audit AFTER UPDATE ON staff_recovery DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.used_at IS NULL AND NEW.used_at IS NOT NULL) EXECUTE FUNCTION requires_audit('staff', 'staff_id');

-- +goose Down
DROP TRIGGER use_requires_audit ON staff_recovery;
DROP TRIGGER requires_audit ON staff_recovery;
DROP TRIGGER requires_audit ON staff_password;
DROP TRIGGER requires_audit ON staff_totp;
DROP TRIGGER end_requires_audit ON staff_passkey;
DROP TRIGGER requires_audit ON staff_passkey;
DROP FUNCTION delete_old_staff_sessions;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION execute_approval(the_request uuid, the_hash bytea, the_kind text, the_entity uuid, the_subject text) RETURNS boolean LANGUAGE plpgsql
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
CREATE OR REPLACE FUNCTION use_staff_passkey(challenge bytea, of_act bytea, browser bytea, passkey uuid, count bigint, now_credential jsonb, answer jsonb) RETURNS boolean
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := open_staff_session();
BEGIN
    IF s.id IS NULL OR s.stage = 'first' AND s.invitation_id IS NOT NULL OR answer IS NULL OR use_challenge(challenge, of_act, s.id, browser) IS NULL THEN
        RETURN false;
    END IF;
    UPDATE staff_passkey p SET used_at = clock_timestamp(), sign_count = count, credential = now_credential
     WHERE p.id = passkey AND p.staff_id = s.staff_id AND p.ended_at IS NULL AND (count > p.sign_count OR count = 0 AND p.sign_count = 0);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM note_factor(s.id, 'passkey');
    UPDATE staff_session o SET factor_act = of_act, factor_assertion = answer WHERE o.id = s.id;
    RETURN true;
END $$;
-- +goose StatementEnd
