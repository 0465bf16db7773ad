-- +goose Up
-- An erasure that the staff of a legal entity request covers that entity's donors alone. What another entity has of the same person stays, and
-- so does the person's sign-in, which both share.

ALTER TABLE erasure ADD COLUMN entity_id uuid; -- the donors of this legal entity alone; NULL: of every one, as the person requests

-- +goose StatementBegin
-- erasure_is_shared reports whether the person of an entity's erasure is a donor of another entity too, by one of the given addresses, by those
-- of the donors whom it names, or by one that the person linked with them. Who came after the erasure is a new person.
CREATE FUNCTION erasure_is_shared(of_erasure uuid, addresses text[]) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH named AS (
        SELECT lower(btrim(unnest(addresses))) AS email UNION
        SELECT d.email FROM erasure_donor n JOIN donor d ON d.id = n.donor_id WHERE n.erasure_id = of_erasure
    ), linked AS (
        SELECT email FROM named UNION
        SELECT o.email FROM named JOIN mailbox m ON m.email = named.email JOIN mailbox o ON o.person_id = m.person_id
    )
    SELECT EXISTS (SELECT FROM erasure e JOIN legal_entity other ON other.id <> e.entity_id CROSS JOIN linked
                     JOIN donor d ON d.entity_id = other.id AND d.email = linked.email
                    WHERE e.id = of_erasure AND coalesce(d.recorded_at, d.created_at) < coalesce(erased_at(of_erasure), 'infinity'))
$$;

-- addresses_of returns, as before, the given addresses and those of the donors whom an erasure names, in lower case; none if another legal
-- entity has this person's data too, and the erasure is of one entity.
CREATE OR REPLACE FUNCTION addresses_of(of_erasure uuid, addresses text[]) RETURNS text[] STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT lower(btrim(address))), '{}') FROM (
        SELECT unnest(addresses) UNION ALL
        SELECT d.email FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
         WHERE n.erasure_id = of_erasure AND d.email <> 'forgotten-' || d.id || '@invalid') a (address)
     WHERE NOT erasure_is_shared(of_erasure, addresses)
$$;

-- erasure_stays_in_entity leaves out a donor of another legal entity, whoever names one.
CREATE FUNCTION erasure_stays_in_entity() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM erasure e JOIN donor d ON d.id = NEW.donor_id WHERE e.id = NEW.erasure_id AND e.entity_id <> d.entity_id) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

-- shared_address_is_not_erased deletes the hashes of addresses that an entity's erasure leaves: the nightly comparison does not look for them.
CREATE FUNCTION shared_address_is_not_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM erasure_address a WHERE a.erasure_id = NEW.erasure_id AND erasure_is_shared(NEW.erasure_id, '{}');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER erasure_stays_in_entity BEFORE INSERT ON erasure_donor FOR EACH ROW EXECUTE FUNCTION erasure_stays_in_entity();
CREATE TRIGGER shared_address_is_not_erased AFTER UPDATE ON erasure_donor FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)
    EXECUTE FUNCTION shared_address_is_not_erased();

-- +goose Down
DROP TRIGGER shared_address_is_not_erased ON erasure_donor;
DROP TRIGGER erasure_stays_in_entity ON erasure_donor;
DROP FUNCTION shared_address_is_not_erased, erasure_stays_in_entity;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION addresses_of(of_erasure uuid, addresses text[]) RETURNS text[] STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT lower(btrim(address))), '{}') FROM (
        SELECT unnest(addresses) UNION ALL
        SELECT d.email FROM erasure_donor n JOIN donor d ON d.id = n.donor_id
         WHERE n.erasure_id = of_erasure AND d.email <> 'forgotten-' || d.id || '@invalid') a (address)
$$;
-- +goose StatementEnd
DROP FUNCTION erasure_is_shared;
-- An entity's erasure that waits would take the person in every entity.
UPDATE erasure SET withdrawn_at = clock_timestamp() WHERE entity_id IS NOT NULL AND done_at IS NULL AND withdrawn_at IS NULL;
ALTER TABLE erasure DROP COLUMN entity_id;
