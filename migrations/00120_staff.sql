-- +goose Up
-- Staff: who they are, their roles, how they prove who they are, and their sessions. Owned by internal/people/staff.
--
-- The server's role inserts and changes nothing here but challenges. It calls the functions below, and each of them reads the session from
-- the setting konbit.staff_session: the SHA-256 hash of the cookie's secret as hexadecimal digits, local to the transaction. The owner of the
-- tables (the operator's commands) needs no session.

CREATE EXTENSION IF NOT EXISTS pgcrypto;

CREATE TABLE staff (
    id          uuid PRIMARY KEY,
    email       text NOT NULL UNIQUE CHECK (email = lower(email) AND email ~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$'),
    name        text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    language    text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'es')),
    break_glass boolean NOT NULL DEFAULT false, -- an emergency access: it reads and repairs roles, holds no row of staff_role, and uses no factor
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by  uuid REFERENCES staff (id), -- NULL: the operator
    disabled_at timestamptz,
    CONSTRAINT staff_break_glass_check CHECK (break_glass = (email LIKE 'break-glass-%@invalid'))
);

-- One human with two accounts: staff_id is the same human as person_id. Without a row the person is the account.
CREATE TABLE staff_person (
    staff_id  uuid PRIMARY KEY REFERENCES staff (id),
    person_id uuid NOT NULL REFERENCES staff (id) CHECK (person_id <> staff_id),
    joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    joined_by uuid REFERENCES staff (id)
);
CREATE INDEX staff_person_by_person ON staff_person (person_id);

-- A role in a scope: a legal entity with all its organisations, or one organisation.
CREATE TABLE staff_role (
    id              uuid PRIMARY KEY,
    staff_id        uuid NOT NULL REFERENCES staff (id),
    entity_id       uuid NOT NULL REFERENCES legal_entity (id),
    organisation_id uuid,
    role            text NOT NULL CHECK (role IN ('entry', 'finance', 'admin', 'auditor')),
    granted_by      uuid REFERENCES staff (id) CHECK (granted_by <> staff_id), -- NULL: the operator
    granted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at        timestamptz,
    ended_by        uuid REFERENCES staff (id),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id),
    CHECK (ended_at IS NOT NULL OR ended_by IS NULL)
);
CREATE UNIQUE INDEX staff_role_once ON staff_role (staff_id, entity_id, coalesce(organisation_id, entity_id), role) WHERE ended_at IS NULL;
CREATE INDEX staff_role_by_scope ON staff_role (entity_id, role) WHERE ended_at IS NULL;

-- A link that leads to setting up a factor, once. The secret is only in the link.
CREATE TABLE staff_invitation (
    id         uuid PRIMARY KEY,
    staff_id   uuid NOT NULL REFERENCES staff (id),
    kind       text NOT NULL CHECK (kind IN ('invite', 'reset', 'break-glass')),
    token_hash bytea UNIQUE CHECK (octet_length(token_hash) = 32), -- NULL: its email is not written yet
    made_by    uuid REFERENCES staff (id), -- NULL: the operator
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
    used_at    timestamptz,
    ended_at   timestamptz -- replaced by a newer one, or its staff member was disabled
);
CREATE INDEX staff_invitation_of_staff ON staff_invitation (staff_id);

CREATE TABLE staff_session (
    id               uuid PRIMARY KEY,
    staff_id         uuid NOT NULL REFERENCES staff (id),
    secret_hash      bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    made_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at          timestamptz NOT NULL DEFAULT clock_timestamp() + interval '12 hours',
    ended_at         timestamptz,
    ended_because    text,
    device           text NOT NULL DEFAULT '' CHECK (length(device) <= 200),
    network          text NOT NULL DEFAULT '' CHECK (length(network) <= 64),
    stage            text NOT NULL DEFAULT 'first' CHECK (stage IN ('first', 'full')), -- first: password only, or an invitation's link
    invitation_id    uuid REFERENCES staff_invitation (id), -- that opened it: a first factor may be set up in it
    factor_at        timestamptz,
    factor_kind      text CHECK (factor_kind IN ('totp', 'passkey', 'recovery')),
    factor_act       bytea CHECK (octet_length(factor_act) = 32), -- the hash of the text that a passkey signed; NULL for a code
    factor_assertion jsonb, -- the passkey's answer, with the nonce; NULL for a code
    failed           integer NOT NULL DEFAULT 0, -- wrong codes since the last right one; the fifth ends the session
    CHECK ((ended_at IS NULL) = (ended_because IS NULL)),
    CHECK ((factor_at IS NULL) = (factor_kind IS NULL)),
    CHECK (factor_assertion IS NULL OR factor_kind = 'passkey')
);
CREATE INDEX staff_session_of_staff ON staff_session (staff_id) WHERE ended_at IS NULL;

CREATE TABLE staff_password (
    staff_id uuid PRIMARY KEY REFERENCES staff (id),
    hash     text NOT NULL CHECK (hash LIKE '$argon2id$%'),
    set_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What allowed a session to set up a factor: the link that opened it, or the factor that its person used last. konbit staff verify follows
-- these from one passkey to the one before: a link that an operator made was never in the database, a passkey's answer can be checked again.
CREATE TYPE staff_authority AS (
    kind          text, -- invitation, passkey, totp, recovery
    invitation_id uuid,
    act           bytea, -- the hash of the text that a passkey signed
    assertion     jsonb  -- its answer, with the nonce
);

-- The secret of an authenticator app. Only the owner of the tables reads it; codes are checked by staff_check_code.
CREATE TABLE staff_totp (
    id           uuid PRIMARY KEY,
    staff_id     uuid NOT NULL REFERENCES staff (id),
    secret       bytea NOT NULL CHECK (octet_length(secret) = 20),
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    confirmed_at timestamptz, -- NULL: no code was typed yet
    ended_at     timestamptz,
    last_step    bigint NOT NULL DEFAULT 0, -- the step of 30 seconds of the last accepted code: each is accepted once
    authority    staff_authority -- what allowed to set it up
);
CREATE UNIQUE INDEX staff_totp_current ON staff_totp (staff_id, (confirmed_at IS NULL)) WHERE ended_at IS NULL;

CREATE TABLE staff_passkey (
    id            uuid PRIMARY KEY,
    staff_id      uuid NOT NULL REFERENCES staff (id),
    credential_id bytea NOT NULL UNIQUE,
    credential    jsonb NOT NULL, -- all of it as the WebAuthn library stores it: public key, flags, transports
    sign_count    bigint NOT NULL DEFAULT 0,
    name          text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at       timestamptz,
    ended_at      timestamptz,
    authority     staff_authority -- what allowed to add it
);
CREATE INDEX staff_passkey_of_staff ON staff_passkey (staff_id);

-- Ten codes for whoever lost the factor; each is used once. bcrypt.
CREATE TABLE staff_recovery (
    staff_id uuid NOT NULL REFERENCES staff (id),
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    n        integer NOT NULL CHECK (n BETWEEN 0 AND 9),
    hash     text NOT NULL,
    used_at  timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (staff_id, made_at, n)
);

-- What a passkey signs, once and within five minutes: SHA-256 of act and a nonce. Stored is the hash of that.
CREATE TABLE staff_challenge (
    id           uuid PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    act          bytea NOT NULL CHECK (octet_length(act) = 32), -- the hash of the text that is signed
    session_id   uuid REFERENCES staff_session (id),
    browser_hash bytea CHECK (octet_length(browser_hash) = 32), -- of a cookie, where there is no session yet
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL DEFAULT clock_timestamp() + interval '5 minutes',
    used_at      timestamptz,
    CHECK ((session_id IS NULL) <> (browser_hash IS NULL))
);
CREATE INDEX staff_challenge_by_time ON staff_challenge (made_at);

-- The hour since 1970 times 1,000, and the codes that were tried in it. A sequence is not rolled back: whoever holds the server's role cannot
-- guess codes in transactions that are undone. See staff_count_code.
CREATE SEQUENCE staff_code_tries;

-- +goose StatementBegin
-- staff_person_of returns the human behind an account.
CREATE FUNCTION staff_person_of(staff_id uuid) RETURNS uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT p.person_id FROM staff_person p WHERE p.staff_id = $1), $1)
$$;

-- open_staff_session returns the row of the session of this transaction, whatever its stage; NULL if there is none, or if it has ended.
CREATE FUNCTION open_staff_session() RETURNS staff_session STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT s.* FROM staff_session s JOIN staff m ON m.id = s.staff_id
     WHERE s.secret_hash = CASE WHEN current_setting('konbit.staff_session', true) ~ '^[0-9a-f]{64}$' THEN decode(current_setting('konbit.staff_session', true), 'hex') END
       AND s.ended_at IS NULL AND s.ends_at > clock_timestamp() AND s.seen_at > clock_timestamp() - interval '60 minutes' AND m.disabled_at IS NULL
$$;

-- staff_of_session returns who is signed in with both factors in the session of this transaction; NULL if nobody is.
CREATE FUNCTION staff_of_session() RETURNS uuid STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT (s).staff_id FROM open_staff_session() s WHERE (s).stage = 'full'
$$;

-- staff_has_role reports whether somebody holds now one of some roles in a scope. A role for the entity covers its organisations; without
-- an organisation the scope is the entity as a whole.
CREATE FUNCTION staff_has_role(staff_id uuid, roles text[], entity_id uuid, organisation_id uuid DEFAULT NULL) RETURNS boolean
STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM staff m WHERE m.id = $1 AND m.disabled_at IS NULL AND (m.break_glass AND $2 && '{admin,auditor}'
        OR EXISTS (SELECT FROM staff_role r WHERE r.staff_id = m.id AND r.ended_at IS NULL AND r.role = ANY($2) AND r.entity_id = $3
                      AND (r.organisation_id IS NULL OR r.organisation_id = $4))))
$$;

-- staff_factor_is_fresh reports whether the person of this transaction's session used a passkey or a code in the last five minutes.
CREATE FUNCTION staff_factor_is_fresh() RETURNS boolean STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM open_staff_session() s
        WHERE (s).stage = 'full' AND (s).factor_kind IN ('totp', 'passkey') AND (s).factor_at > clock_timestamp() - interval '5 minutes')
$$;

-- staff_factor returns the factor that the person of this transaction's session used last: when, its kind, and for a passkey the hash of
-- the text that it signed and its answer.
CREATE FUNCTION staff_factor(OUT used_at timestamptz, OUT kind text, OUT act bytea, OUT assertion jsonb) RETURNS record STABLE SECURITY DEFINER LANGUAGE sql
SET search_path = public, pg_temp AS $$
    SELECT (s).factor_at, (s).factor_kind, (s).factor_act, (s).factor_assertion FROM open_staff_session() s WHERE (s).stage = 'full'
$$;

-- see_staff_session returns the session of this transaction, whatever its stage, and notes that it was used. No row if there is none.
CREATE FUNCTION see_staff_session() RETURNS TABLE (id uuid, staff_id uuid, name text, email text, language text, break_glass boolean, stage text, invitation text,
    factor_at timestamptz, factor_kind text, factor_is_fresh boolean, made_at timestamptz, ends_at timestamptz)
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    s staff_session := open_staff_session();
BEGIN
    IF s.id IS NULL THEN
        RETURN;
    END IF;
    IF s.seen_at < clock_timestamp() - interval '1 minute' THEN
        UPDATE staff_session o SET seen_at = clock_timestamp() WHERE o.id = s.id;
    END IF;
    RETURN QUERY SELECT s.id, m.id, m.name, m.email, m.language, m.break_glass, s.stage,
            (SELECT i.kind FROM staff_invitation i WHERE i.id = s.invitation_id), s.factor_at, s.factor_kind,
            coalesce(s.stage = 'full' AND s.factor_kind IN ('totp', 'passkey') AND s.factor_at > clock_timestamp() - interval '5 minutes', false), s.made_at, s.ends_at
       FROM staff m WHERE m.id = s.staff_id;
END $$;

-- refuse_staff refuses an act of staff; rule names why.
CREATE FUNCTION refuse_staff(rule text, message text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- staff_actor returns who acts: NULL for the owner of the tables, else the person of the session, who used a factor in the last five minutes.
-- In an emergency access there is no factor.
CREATE FUNCTION staff_actor() RETURNS uuid LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor uuid := staff_of_session();
BEGIN
    IF actor IS NULL AND is_owner() THEN
        RETURN NULL;
    END IF;
    IF actor IS NULL THEN
        PERFORM refuse_staff('staff_is_signed_in', 'nobody is signed in');
    END IF;
    IF NOT staff_factor_is_fresh() AND NOT (SELECT m.break_glass FROM staff m WHERE m.id = actor) THEN
        PERFORM refuse_staff('staff_factor_is_fresh', 'no factor was used in the last five minutes');
    END IF;
    RETURN actor;
END $$;

-- staff_admin_of reports whether somebody is admin of each scope in which another holds a role (or, with any_scope, of one of them).
CREATE FUNCTION staff_admin_of(actor uuid, other uuid, any_scope boolean) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(CASE WHEN any_scope THEN bool_or(a.is) ELSE bool_and(a.is) END, false)
      FROM staff_role r CROSS JOIN LATERAL (SELECT staff_has_role(actor, '{admin}', r.entity_id, r.organisation_id) AS is) a
     WHERE r.staff_id = other AND r.ended_at IS NULL
$$;

-- staff_can_sign_in reports whether somebody has a passkey, or a password and an authenticator app.
CREATE FUNCTION staff_can_sign_in(staff_id uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM staff_passkey p WHERE p.staff_id = $1 AND p.ended_at IS NULL)
        OR EXISTS (SELECT FROM staff_password w WHERE w.staff_id = $1) AND EXISTS (SELECT FROM staff_totp t WHERE t.staff_id = $1 AND t.confirmed_at IS NOT NULL AND t.ended_at IS NULL)
$$;

-- staff_admins returns the persons who are admins of a scope and can sign in.
CREATE FUNCTION staff_admins(entity_id uuid, organisation_id uuid) RETURNS SETOF uuid STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT DISTINCT staff_person_of(r.staff_id) FROM staff_role r JOIN staff m ON m.id = r.staff_id
     WHERE r.ended_at IS NULL AND r.role = 'admin' AND r.entity_id = $1 AND (r.organisation_id IS NULL OR r.organisation_id = $2)
       AND m.disabled_at IS NULL AND staff_can_sign_in(m.id)
$$;

-- role_change_text is what a second admin approves.
CREATE FUNCTION role_change_text(act text, staff_id uuid, role text, entity_id uuid, organisation_id uuid) RETURNS text IMMUTABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT concat_ws(' ', 'role', act, staff_id, role, entity_id, coalesce(organisation_id::text, 'whole'))
$$;

-- role_change_is_approved reports whether a second admin approved a change of a role by a request. Approvals are not built yet: none is.
CREATE FUNCTION role_change_is_approved(request uuid, act text, of_staff uuid, named text, entity uuid, organisation uuid) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT false
$$;

-- add_staff adds a person, or finds the one with the address, and returns the id. An admin of any scope may; a role gives them a scope, and
-- enables whoever is disabled.
CREATE FUNCTION add_staff(new_id uuid, address text, called text, speaks text) RETURNS uuid SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor uuid := staff_actor();
    found uuid;
BEGIN
    IF actor IS NOT NULL AND NOT EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass)
       AND NOT EXISTS (SELECT FROM staff_role r WHERE r.staff_id = actor AND r.role = 'admin' AND r.ended_at IS NULL) THEN
        PERFORM refuse_staff('staff_is_admin', 'only an admin adds staff');
    END IF;
    IF address LIKE 'break-glass-%@invalid' THEN
        PERFORM refuse_staff('staff_break_glass_check', 'this address is of emergency accesses');
    END IF;
    INSERT INTO staff (id, email, name, language, created_by) VALUES (new_id, lower(address), called, speaks, actor)
        ON CONFLICT (email) DO UPDATE SET email = EXCLUDED.email RETURNING id INTO found;
    RETURN found;
END $$;

-- change_role grants a role in a scope (act grant), which enables a person who was disabled, or ends it (act end). Nobody changes a role of
-- their own; where the scope has two admins besides whom it concerns, a second one approves.
CREATE FUNCTION change_role(act text, new_id uuid, of_staff uuid, named text, entity uuid, organisation uuid, request uuid DEFAULT NULL) RETURNS void
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor     uuid := staff_actor();
    emergency boolean := EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff roles'), hashtext(entity::text));
    IF actor IS NOT NULL THEN
        IF emergency AND act = 'grant' AND named IS DISTINCT FROM 'admin' THEN
            PERFORM refuse_staff('emergency_grants_admin', 'an emergency access grants the role admin alone');
        END IF;
        IF NOT staff_has_role(actor, '{admin}', entity, organisation) THEN
            PERFORM refuse_staff('staff_is_admin', 'only an admin of the scope changes roles');
        END IF;
        IF staff_person_of(actor) = staff_person_of(of_staff) THEN
            PERFORM refuse_staff('role_is_of_another', 'nobody changes a role of their own');
        END IF;
        IF NOT emergency AND EXISTS (SELECT FROM staff_admins(entity, organisation) a WHERE a NOT IN (staff_person_of(actor), staff_person_of(of_staff)))
           AND NOT role_change_is_approved(request, act, of_staff, named, entity, organisation) THEN
            PERFORM refuse_staff('role_has_second_admin', 'a second admin approves a change of roles');
        END IF;
    END IF;
    IF EXISTS (SELECT FROM staff m WHERE m.id = of_staff AND (m.disabled_at IS NOT NULL AND act <> 'grant' OR m.break_glass)) THEN
        PERFORM refuse_staff('staff_is_enabled', 'this person is disabled');
    END IF;
    IF act = 'grant' THEN
        UPDATE staff m SET disabled_at = NULL WHERE m.id = of_staff AND m.disabled_at IS NOT NULL;
        INSERT INTO staff_role (id, staff_id, entity_id, organisation_id, role, granted_by) VALUES (new_id, of_staff, entity, organisation, named, actor);
    ELSIF act = 'end' THEN
        UPDATE staff_role r SET ended_at = clock_timestamp(), ended_by = actor WHERE r.staff_id = of_staff AND r.entity_id = entity
           AND r.organisation_id IS NOT DISTINCT FROM organisation AND r.role = named AND r.ended_at IS NULL;
        IF NOT FOUND THEN
            PERFORM refuse_staff('role_is_held', 'this person does not hold the role');
        END IF;
    ELSE
        PERFORM refuse_staff('role_change_is_known', 'a role is granted or ended');
    END IF;
END $$;

-- invite_staff makes a link for a person: invite, or reset by an admin of all their scopes. Older links end. Without token the job of its
-- email sets one (set_invitation_token).
CREATE FUNCTION invite_staff(new_id uuid, of_staff uuid, link text, token bytea) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor uuid := staff_actor();
BEGIN
    IF link NOT IN ('invite', 'reset') OR link IS NULL THEN
        PERFORM refuse_staff('invitation_is_known', 'a link invites or resets');
    END IF;
    IF actor IS NOT NULL THEN
        IF token IS NOT NULL THEN
            PERFORM refuse_staff('invitation_is_mailed', 'the link of an admin''s invitation is only in its email');
        END IF;
        IF staff_person_of(actor) = staff_person_of(of_staff) THEN
            PERFORM refuse_staff('role_is_of_another', 'nobody resets themselves');
        END IF;
        IF NOT EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass) AND NOT staff_admin_of(actor, of_staff, false) THEN
            PERFORM refuse_staff('staff_is_admin', 'only an admin of all scopes of a person invites or resets them');
        END IF;
        IF link = 'invite' AND staff_can_sign_in(of_staff) THEN
            PERFORM refuse_staff('invitation_is_first', 'this person can sign in');
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM staff m WHERE m.id = of_staff AND m.disabled_at IS NULL AND NOT m.break_glass) THEN
        PERFORM refuse_staff('staff_is_enabled', 'this person is disabled');
    END IF;
    UPDATE staff_invitation i SET ended_at = clock_timestamp() WHERE i.staff_id = of_staff AND i.used_at IS NULL AND i.ended_at IS NULL;
    INSERT INTO staff_invitation (id, staff_id, kind, token_hash, made_by) VALUES (new_id, of_staff, link, token, actor);
END $$;

-- set_invitation_token stores the hash of the secret that the email of an admin's invitation has. An email that is written again has another.
CREATE FUNCTION set_invitation_token(invitation uuid, token bytea) RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE staff_invitation i SET token_hash = token
     WHERE i.id = invitation AND i.made_by IS NOT NULL AND i.used_at IS NULL AND i.ended_at IS NULL AND i.expires_at > clock_timestamp();
    RETURN FOUND;
END $$;

-- end_surplus_sessions ends the sessions of a person beyond the five that were used last.
CREATE FUNCTION end_surplus_sessions(of_staff uuid) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE staff_session s SET ended_at = clock_timestamp(), ended_because = 'surplus'
     WHERE s.id IN (SELECT o.id FROM staff_session o WHERE o.staff_id = of_staff AND o.ended_at IS NULL ORDER BY o.seen_at DESC, o.made_at DESC, o.id OFFSET 5)
$$;

-- begin_staff_session opens a session of stage first: after the password, or while a passkey's answer is checked.
CREATE FUNCTION begin_staff_session(new_id uuid, of_staff uuid, secret bytea, on_device text, from_network text) RETURNS void
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO staff_session (id, staff_id, secret_hash, device, network)
    SELECT new_id, m.id, secret, left(on_device, 200), left(from_network, 64) FROM staff m WHERE m.id = of_staff AND m.disabled_at IS NULL AND NOT m.break_glass;
    IF NOT FOUND THEN
        PERFORM refuse_staff('staff_is_enabled', 'this person is disabled');
    END IF;
    PERFORM end_surplus_sessions(of_staff);
END $$;

-- use_invitation opens a session by the link of an invitation, and returns its kind; NULL if the link is wrong, used, ended or expired.
CREATE FUNCTION use_invitation(new_id uuid, token bytea, secret bytea, on_device text, from_network text) RETURNS text
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    i staff_invitation;
BEGIN
    UPDATE staff_invitation o SET used_at = clock_timestamp() FROM staff m
     WHERE o.token_hash = token AND o.used_at IS NULL AND o.ended_at IS NULL AND o.expires_at > clock_timestamp() AND m.id = o.staff_id AND m.disabled_at IS NULL
    RETURNING o.* INTO i;
    IF i.id IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO staff_session (id, staff_id, secret_hash, device, network, invitation_id, stage, ends_at)
    VALUES (new_id, i.staff_id, secret, left(on_device, 200), left(from_network, 64), i.id,
            CASE i.kind WHEN 'break-glass' THEN 'full' ELSE 'first' END,
            clock_timestamp() + CASE i.kind WHEN 'break-glass' THEN interval '1 hour' ELSE interval '12 hours' END);
    PERFORM end_surplus_sessions(i.staff_id);
    RETURN i.kind;
END $$;

-- may_change_factors returns the session in which its person may add, replace or remove factors: opened by an invitation, or with a factor or
-- a recovery code used in the last five minutes.
CREATE FUNCTION may_change_factors() RETURNS staff_session LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := open_staff_session();
BEGIN
    IF s.id IS NULL OR EXISTS (SELECT FROM staff m WHERE m.id = s.staff_id AND m.break_glass) THEN
        PERFORM refuse_staff('staff_is_signed_in', 'nobody is signed in');
    END IF;
    IF NOT (s.stage = 'first' AND s.invitation_id IS NOT NULL OR s.stage = 'full' AND s.factor_at > clock_timestamp() - interval '5 minutes') THEN
        PERFORM refuse_staff('staff_factor_is_fresh', 'no factor was used in the last five minutes');
    END IF;
    RETURN s;
END $$;

-- authority_of returns what allows a session of may_change_factors to set up a factor. The first passkey of an invitation's session has signed
-- nothing yet, so that what follows rests on the invitation too.
CREATE FUNCTION authority_of(s staff_session) RETURNS staff_authority IMMUTABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN s.factor_assertion IS NOT NULL THEN ROW('passkey', NULL, s.factor_act, s.factor_assertion)::staff_authority
                WHEN s.invitation_id IS NOT NULL AND coalesce(s.factor_kind, 'passkey') = 'passkey' THEN ROW('invitation', s.invitation_id, NULL, NULL)::staff_authority
                ELSE ROW(s.factor_kind, NULL, NULL, NULL)::staff_authority END
$$;

-- note_factor makes a session full by a factor that was used now.
CREATE FUNCTION note_factor(of_session uuid, by_kind text) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE staff_session s SET stage = 'full', factor_at = clock_timestamp(), factor_kind = by_kind, factor_act = NULL, factor_assertion = NULL, failed = 0
     WHERE s.id = of_session
$$;

-- end_enrolment makes the session of an invitation full, by its first factor. The factors from before end: a reset replaces them. It does
-- nothing in another session.
CREATE FUNCTION end_enrolment(s staff_session, by_kind text) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF s.stage = 'full' THEN
        RETURN;
    END IF;
    UPDATE staff_passkey p SET ended_at = clock_timestamp() WHERE p.staff_id = s.staff_id AND p.ended_at IS NULL AND p.made_at < s.made_at;
    UPDATE staff_totp t SET ended_at = clock_timestamp() WHERE t.staff_id = s.staff_id AND t.ended_at IS NULL AND t.made_at < s.made_at;
    UPDATE staff_recovery r SET ended_at = clock_timestamp() WHERE r.staff_id = s.staff_id AND r.ended_at IS NULL AND r.made_at < s.made_at;
    DELETE FROM staff_password w WHERE w.staff_id = s.staff_id AND w.set_at < s.made_at;
    PERFORM note_factor(s.id, by_kind);
END $$;

CREATE FUNCTION set_staff_password(new_hash text) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
BEGIN
    INSERT INTO staff_password (staff_id, hash) VALUES (s.staff_id, new_hash)
        ON CONFLICT (staff_id) DO UPDATE SET hash = EXCLUDED.hash, set_at = clock_timestamp();
END $$;

-- set_staff_totp stores the secret of a new authenticator app, which counts after confirm_staff_totp.
CREATE FUNCTION set_staff_totp(new_id uuid, new_secret bytea) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
BEGIN
    UPDATE staff_totp t SET ended_at = clock_timestamp() WHERE t.staff_id = s.staff_id AND t.confirmed_at IS NULL AND t.ended_at IS NULL;
    INSERT INTO staff_totp (id, staff_id, secret, authority) VALUES (new_id, s.staff_id, new_secret, authority_of(s));
END $$;

-- totp_code returns the code of a step of 30 seconds (RFC 6238, SHA-1, six digits).
CREATE FUNCTION totp_code(secret bytea, step bigint) RETURNS text IMMUTABLE STRICT LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    mac bytea := hmac(int8send(step), secret, 'sha1');
    at  integer := get_byte(mac, 19) & 15;
BEGIN
    RETURN lpad(((((get_byte(mac, at) & 127) << 24) | (get_byte(mac, at + 1) << 16) | (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3)) % 1000000)::text, 6, '0');
END $$;

-- totp_step_of returns the step, the current one or a neighbour, whose code was typed, and which is later than after; NULL if none is.
CREATE FUNCTION totp_step_of(secret bytea, code text, after bigint) RETURNS bigint LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT max(n) FROM generate_series(floor(extract(epoch FROM clock_timestamp()) / 30)::bigint - 1, floor(extract(epoch FROM clock_timestamp()) / 30)::bigint + 1) n
     WHERE n > after AND totp_code(secret, n) = code
$$;

-- staff_count_code counts a try of a code, of all staff together: at most 500 in an hour of the clock. Neither nextval nor setval is rolled
-- back, so whoever holds the server's role cannot try all codes in transactions that are undone. Each session has five tries of its own.
CREATE FUNCTION staff_count_code() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    first bigint := floor(extract(epoch FROM clock_timestamp()) / 3600)::bigint * 1000; -- of this hour
    tried bigint;
BEGIN
    SELECT last_value + 1 INTO tried FROM staff_code_tries;
    IF tried <= first + 500 THEN -- beyond it nothing is counted, so that the value never reaches the next hour's
        tried := nextval('staff_code_tries');
        IF tried <= first THEN -- the last try was in an earlier hour: one transaction sets the value forward, the others wait
            PERFORM pg_advisory_xact_lock(hashtext('konbit staff codes'));
            PERFORM setval('staff_code_tries', first) FROM staff_code_tries s WHERE s.last_value < first;
            tried := nextval('staff_code_tries');
        END IF;
    END IF;
    IF tried > first + 500 THEN
        PERFORM refuse_staff('staff_codes_an_hour', 'too many codes were tried in this hour');
    END IF;
END $$;

-- count_wrong_code counts a wrong code of a session, and ends the session at the fifth.
CREATE FUNCTION count_wrong_code(of_session uuid) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE staff_session s SET failed = s.failed + 1, ended_at = CASE WHEN s.failed >= 4 THEN clock_timestamp() END, ended_because = CASE WHEN s.failed >= 4 THEN 'wrong codes' END
     WHERE s.id = of_session AND s.ended_at IS NULL
$$;

-- confirm_staff_totp takes a new authenticator app into use by its first code; the one before ends. In the session of an invitation it
-- needs a password, and is the first factor.
CREATE FUNCTION confirm_staff_totp(code text) RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
    t staff_totp;
    n bigint;
BEGIN
    PERFORM staff_count_code();
    SELECT * INTO t FROM staff_totp o WHERE o.staff_id = s.staff_id AND o.confirmed_at IS NULL AND o.ended_at IS NULL FOR UPDATE;
    n := totp_step_of(t.secret, code, t.last_step);
    IF n IS NULL THEN
        PERFORM count_wrong_code(s.id);
        RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM staff_password w WHERE w.staff_id = s.staff_id AND (s.stage = 'full' OR w.set_at >= s.made_at)) THEN
        PERFORM refuse_staff('totp_has_password', 'a code needs a password besides');
    END IF;
    UPDATE staff_totp o SET ended_at = clock_timestamp() WHERE o.staff_id = s.staff_id AND o.confirmed_at IS NOT NULL AND o.ended_at IS NULL;
    UPDATE staff_totp o SET confirmed_at = clock_timestamp(), last_step = n WHERE o.id = t.id;
    PERFORM end_enrolment(s, 'totp');
    RETURN true;
END $$;

-- staff_check_code reports whether a code is right for the person of this transaction's session. A right one is accepted once, makes the
-- session full and is a fresh factor.
CREATE FUNCTION staff_check_code(code text) RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := open_staff_session();
    t staff_totp;
    n bigint;
BEGIN
    IF s.id IS NULL OR s.stage = 'first' AND s.invitation_id IS NOT NULL OR EXISTS (SELECT FROM staff m WHERE m.id = s.staff_id AND m.break_glass) THEN
        RETURN false;
    END IF;
    PERFORM staff_count_code();
    SELECT * INTO t FROM staff_totp o WHERE o.staff_id = s.staff_id AND o.confirmed_at IS NOT NULL AND o.ended_at IS NULL FOR UPDATE;
    n := totp_step_of(t.secret, code, t.last_step);
    IF n IS NULL THEN
        PERFORM count_wrong_code(s.id);
        RETURN false;
    END IF;
    UPDATE staff_totp o SET last_step = n WHERE o.id = t.id;
    PERFORM note_factor(s.id, 'totp');
    RETURN true;
END $$;

-- is_staff_recovery reports whether a recovery code, without the dashes, is one of a person's that was not used. It takes the same time for
-- nobody, and uses nothing up. The code has 80 bits, so no count of tries protects it: a stranger spends nothing of others'.
CREATE FUNCTION is_staff_recovery(of_staff uuid, code text) RETURNS boolean STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT crypt(code, h.hash) = h.hash
      FROM (SELECT coalesce((SELECT r.hash FROM staff_recovery r JOIN staff m ON m.id = r.staff_id AND m.disabled_at IS NULL
                              WHERE r.staff_id = of_staff AND r.n::text = left(code, 1) AND r.used_at IS NULL AND r.ended_at IS NULL),
                            '$2a$08$0123456789012345678901') AS hash) h
$$;

-- use_staff_recovery is like staff_check_code for a recovery code. It is no factor for acts that move money.
CREATE FUNCTION use_staff_recovery(code text) RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := open_staff_session();
    r staff_recovery;
BEGIN
    IF s.id IS NULL OR s.stage <> 'first' OR s.invitation_id IS NOT NULL THEN
        RETURN false;
    END IF;
    IF code ~ '^[0-9][a-z2-7]{16}$' THEN
        SELECT * INTO r FROM staff_recovery o WHERE o.staff_id = s.staff_id AND o.n = left(code, 1)::integer AND o.used_at IS NULL AND o.ended_at IS NULL FOR UPDATE;
    END IF;
    IF r.n IS NULL OR crypt(code, r.hash) <> r.hash THEN
        PERFORM count_wrong_code(s.id);
        RETURN false;
    END IF;
    UPDATE staff_recovery o SET used_at = clock_timestamp() WHERE o.staff_id = r.staff_id AND o.made_at = r.made_at AND o.n = r.n;
    PERFORM note_factor(s.id, 'recovery');
    RETURN true;
END $$;

-- set_staff_recovery replaces the recovery codes of the person of this transaction's session. The codes are ten, in order: digit and 80 bits.
CREATE FUNCTION set_staff_recovery(codes text[]) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
BEGIN
    IF s.stage <> 'full' OR cardinality(codes) <> 10 OR EXISTS (SELECT FROM unnest(codes) WITH ORDINALITY c (code, n) WHERE c.code !~ ('^' || n - 1 || '[a-z2-7]{16}$')) THEN
        PERFORM refuse_staff('recovery_codes_are_ten', 'recovery codes are ten, made after a factor');
    END IF;
    UPDATE staff_recovery r SET ended_at = clock_timestamp() WHERE r.staff_id = s.staff_id AND r.ended_at IS NULL;
    INSERT INTO staff_recovery (staff_id, made_at, n, hash)
    SELECT s.staff_id, now.at, c.n - 1, crypt(c.code, gen_salt('bf', 8)) FROM (SELECT clock_timestamp() AS at) now, unnest(codes) WITH ORDINALITY c (code, n);
END $$;

-- use_challenge marks a challenge of a session, or of a browser without one, as used; NULL if it is wrong, used, expired, or of another act.
CREATE FUNCTION use_challenge(challenge bytea, of_act bytea, of_session uuid, browser bytea) RETURNS uuid LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE staff_challenge c SET used_at = clock_timestamp()
     WHERE c.hash = challenge AND c.act = of_act AND c.used_at IS NULL AND c.expires_at > clock_timestamp()
       AND (c.session_id = of_session OR c.browser_hash = browser)
    RETURNING c.id
$$;

-- add_staff_passkey stores a passkey whose registration the program checked. In the session of an invitation it is the first factor.
CREATE FUNCTION add_staff_passkey(new_id uuid, challenge bytea, of_act bytea, credential_id bytea, credential jsonb, sign_count bigint, named text) RETURNS boolean
SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
BEGIN
    IF use_challenge(challenge, of_act, s.id, NULL) IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO staff_passkey (id, staff_id, credential_id, credential, sign_count, name, authority)
    VALUES (new_id, s.staff_id, add_staff_passkey.credential_id, add_staff_passkey.credential, add_staff_passkey.sign_count, named, authority_of(s));
    PERFORM end_enrolment(s, 'passkey');
    RETURN true;
END $$;

-- use_staff_passkey notes the answer of a passkey, which the program checked and konbit staff verify checks again: the session is full, and
-- the factor is fresh, for the act that was signed. browser is that of a challenge before the session. A counter that does not grow is refused.
CREATE FUNCTION use_staff_passkey(challenge bytea, of_act bytea, browser bytea, passkey uuid, count bigint, now_credential jsonb, answer jsonb) RETURNS boolean
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

-- end_staff_factor removes a factor of the person of this transaction's session: a passkey, or the password with its authenticator app
-- (passkey is NULL). The last way to sign in stays.
CREATE FUNCTION end_staff_factor(passkey uuid) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s staff_session := may_change_factors();
BEGIN
    PERFORM m.id FROM staff m WHERE m.id = s.staff_id FOR NO KEY UPDATE;
    IF passkey IS NULL THEN
        UPDATE staff_totp t SET ended_at = clock_timestamp() WHERE t.staff_id = s.staff_id AND t.ended_at IS NULL;
        DELETE FROM staff_password w WHERE w.staff_id = s.staff_id;
    ELSE
        UPDATE staff_passkey p SET ended_at = clock_timestamp() WHERE p.id = passkey AND p.staff_id = s.staff_id AND p.ended_at IS NULL;
        IF NOT FOUND THEN
            PERFORM refuse_staff('factor_is_there', 'there is no such passkey');
        END IF;
    END IF;
    IF NOT staff_can_sign_in(s.staff_id) THEN
        PERFORM refuse_staff('last_factor_stays', 'the last way to sign in cannot be removed');
    END IF;
END $$;

-- end_staff_sessions ends sessions and returns how many: of oneself (one, or with NULL all), or as an admin of one of a person's scopes all of
-- that person's.
CREATE FUNCTION end_staff_sessions(of_staff uuid, one uuid, because text) RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s     staff_session := open_staff_session();
    ended bigint;
BEGIN
    IF NOT is_owner() AND (s.id IS NULL OR s.staff_id <> of_staff AND NOT (s.stage = 'full' AND staff_admin_of(s.staff_id, of_staff, true))) THEN
        RETURN 0;
    END IF;
    UPDATE staff_session o SET ended_at = clock_timestamp(), ended_because = because
     WHERE o.staff_id = of_staff AND (one IS NULL OR o.id = one) AND o.ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

-- disable_staff ends everything of a person: roles, factors, sessions, links.
CREATE FUNCTION disable_staff(of_staff uuid) RETURNS void SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor uuid := staff_actor();
BEGIN
    IF actor IS NOT NULL THEN
        PERFORM refuse_staff('staff_is_operator', 'an admin ends roles; the operator disables an account');
    END IF;
    UPDATE staff m SET disabled_at = clock_timestamp() WHERE m.id = of_staff AND m.disabled_at IS NULL;
END $$;

-- join_staff notes that two accounts are one human, and returns the account that got the other one's person; NULL if they were one already. An
-- admin of a scope of each may; nobody takes it back but the owner of the tables.
CREATE FUNCTION join_staff(account uuid, same_as uuid) RETURNS uuid SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    actor  uuid := staff_actor();
    person uuid := staff_person_of(same_as);
BEGIN
    IF actor IS NOT NULL AND (EXISTS (SELECT FROM staff m WHERE m.id = actor AND m.break_glass)
            OR NOT (staff_admin_of(actor, account, true) AND staff_admin_of(actor, same_as, true))) THEN
        PERFORM refuse_staff('staff_is_admin', 'only an admin of both joins two accounts');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff persons'), 0);
    person := staff_person_of(same_as);
    IF staff_person_of(account) = person THEN
        RETURN NULL;
    END IF;
    account := staff_person_of(account);
    UPDATE staff_person p SET person_id = person WHERE p.person_id = account;
    INSERT INTO staff_person (staff_id, person_id, joined_by) VALUES (account, person, actor);
    RETURN account;
END $$;

-- end_sessions_of ends the sessions of a person but the one of this transaction: a role or a factor of theirs changed.
CREATE FUNCTION end_sessions_of() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    changed uuid;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD.staff_id;
    ELSE
        changed := NEW.staff_id;
    END IF;
    UPDATE staff_session s SET ended_at = clock_timestamp(), ended_because = TG_ARGV[0]
     WHERE s.staff_id = changed AND s.ended_at IS NULL AND s.id IS DISTINCT FROM (open_staff_session()).id;
    RETURN NULL;
END $$;

-- last_admin_stays refuses the end of a role without which nobody would be admin of its scope.
CREATE FUNCTION last_admin_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff roles'), hashtext(OLD.entity_id::text));
    IF NOT EXISTS (SELECT FROM staff_role r JOIN staff m ON m.id = r.staff_id WHERE r.entity_id = OLD.entity_id AND r.role = 'admin' AND r.ended_at IS NULL
                      AND r.id <> OLD.id AND m.disabled_at IS NULL AND (r.organisation_id IS NULL OR r.organisation_id = OLD.organisation_id)) THEN
        PERFORM refuse_staff('last_admin_stays', 'the last admin of a scope stays');
    END IF;
    RETURN NULL;
END $$;

-- disabled_staff_has_nothing ends what a disabled person had.
CREATE FUNCTION disabled_staff_has_nothing() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE staff_role r SET ended_at = NEW.disabled_at WHERE r.staff_id = NEW.id AND r.ended_at IS NULL;
    UPDATE staff_session s SET ended_at = NEW.disabled_at, ended_because = 'disabled' WHERE s.staff_id = NEW.id AND s.ended_at IS NULL;
    UPDATE staff_passkey p SET ended_at = NEW.disabled_at WHERE p.staff_id = NEW.id AND p.ended_at IS NULL;
    UPDATE staff_totp t SET ended_at = NEW.disabled_at WHERE t.staff_id = NEW.id AND t.ended_at IS NULL;
    UPDATE staff_recovery c SET ended_at = NEW.disabled_at WHERE c.staff_id = NEW.id AND c.ended_at IS NULL;
    UPDATE staff_invitation i SET ended_at = NEW.disabled_at WHERE i.staff_id = NEW.id AND i.used_at IS NULL AND i.ended_at IS NULL;
    DELETE FROM staff_password w WHERE w.staff_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER role_change_ends_sessions AFTER INSERT OR UPDATE ON staff_role FOR EACH ROW EXECUTE FUNCTION end_sessions_of('role changed');
CREATE TRIGGER last_admin_stays AFTER UPDATE ON staff_role FOR EACH ROW WHEN (OLD.role = 'admin' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION last_admin_stays();
CREATE TRIGGER factor_change_ends_sessions AFTER UPDATE ON staff_passkey FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE TRIGGER factor_change_ends_sessions AFTER UPDATE ON staff_totp FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND OLD.confirmed_at IS NOT NULL) EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE TRIGGER factor_change_ends_sessions AFTER UPDATE OR DELETE ON staff_password FOR EACH ROW EXECUTE FUNCTION end_sessions_of('factor changed');
CREATE TRIGGER disabled_staff_has_nothing AFTER UPDATE ON staff FOR EACH ROW WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
    EXECUTE FUNCTION disabled_staff_has_nothing();

-- +goose Down
DROP FUNCTION join_staff(uuid, uuid), disable_staff(uuid), end_staff_sessions(uuid, uuid, text), end_staff_factor(uuid),
    use_staff_passkey(bytea, bytea, bytea, uuid, bigint, jsonb, jsonb), add_staff_passkey(uuid, bytea, bytea, bytea, jsonb, bigint, text),
    use_challenge(bytea, bytea, uuid, bytea), set_staff_recovery(text[]), use_staff_recovery(text), is_staff_recovery(uuid, text), staff_check_code(text), confirm_staff_totp(text),
    count_wrong_code(uuid), staff_count_code(), totp_step_of(bytea, text, bigint), totp_code(bytea, bigint), set_staff_totp(uuid, bytea), set_staff_password(text),
    end_enrolment(staff_session, text), note_factor(uuid, text), authority_of(staff_session), may_change_factors(), use_invitation(uuid, bytea, bytea, text, text), begin_staff_session(uuid, uuid, bytea, text, text),
    end_surplus_sessions(uuid), set_invitation_token(uuid, bytea), invite_staff(uuid, uuid, text, bytea), change_role(text, uuid, uuid, text, uuid, uuid, uuid),
    add_staff(uuid, text, text, text), role_change_is_approved(uuid, text, uuid, text, uuid, uuid), role_change_text(text, uuid, text, uuid, uuid), staff_admins(uuid, uuid),
    staff_can_sign_in(uuid), staff_admin_of(uuid, uuid, boolean), staff_actor(), refuse_staff(text, text), see_staff_session(), staff_factor(), staff_factor_is_fresh(),
    staff_has_role(uuid, text[], uuid, uuid), staff_of_session(), open_staff_session(), staff_person_of(uuid);
DROP TABLE staff_challenge, staff_recovery, staff_passkey, staff_totp, staff_password, staff_session, staff_invitation, staff_role, staff_person, staff;
DROP TYPE staff_authority;
DROP SEQUENCE staff_code_tries;
DROP FUNCTION end_sessions_of(), last_admin_stays(), disabled_staff_has_nothing();
DROP EXTENSION pgcrypto;
