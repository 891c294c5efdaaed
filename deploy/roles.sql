-- Roles of Keyward. Idempotent. Run by a superuser, connected to Keyward's database:
-- the roles belong to the cluster, the last grant to this one database.
--
--   keyward_owner     owns every table; nobody logs in as it
--   keyward_migrator  may act as the owner: runs migrations and rebuilds
--   keyward_writer    group: appends events, never changes or removes one
--   keyward_reader    group: reads
--
-- Give the service a login role of your own:
--   CREATE ROLE keyward LOGIN PASSWORD '...' IN ROLE keyward_writer;
--   ALTER ROLE keyward_migrator PASSWORD '...';

DO $$
DECLARE
    wanted text;
BEGIN
    -- Taken for this transaction, so that several of these at once do not trip over each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('keyward roles', 0));
    FOREACH wanted IN ARRAY ARRAY['keyward_owner', 'keyward_writer', 'keyward_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keyward_migrator') THEN
        CREATE ROLE keyward_migrator LOGIN;
    END IF;
    IF NOT pg_has_role('keyward_migrator', 'keyward_owner', 'MEMBER') THEN
        GRANT keyward_owner TO keyward_migrator;
    END IF;
    IF NOT has_database_privilege('keyward_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO keyward_owner', current_database());
    END IF;
END
$$;
