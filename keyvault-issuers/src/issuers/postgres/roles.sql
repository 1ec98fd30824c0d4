/* keyvault-issuers: what the two roles may do, and what stands in the way of a new password */
WITH two AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname IN (ROLES)),
here AS (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
SELECT rolname, 'found', '' FROM two
UNION ALL
SELECT rolname, 'may', pg_catalog.format('the attribute %s: %s', key, value)
FROM two, pg_catalog.jsonb_each_text(
    pg_catalog.to_jsonb(two) - ARRAY['oid', 'rolname', 'rolpassword', 'rolconfig'])
UNION ALL
SELECT rolname, 'may', pg_catalog.format('the setting %s in %s', setting, coalesce(datname, 'every database'))
FROM two JOIN pg_catalog.pg_db_role_setting s ON s.setrole = two.oid
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) setting
UNION ALL
SELECT rolname, 'may', pg_catalog.format('the membership in %s %s', m.roleid::pg_catalog.regrole,
    pg_catalog.to_jsonb(m) - ARRAY['oid', 'roleid', 'member', 'grantor'])
FROM two JOIN pg_catalog.pg_auth_members m ON m.member = two.oid
UNION ALL
SELECT rolname, 'may', pg_catalog.format('%s%s on %s', x.privilege_type,
    CASE WHEN x.is_grantable THEN ' with grant option' END,
    pg_catalog.pg_describe_object(o.class, o.id, o.part))
FROM (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, 0, relacl FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum, attacl FROM pg_catalog.pg_attribute
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, 0, proacl FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, 0, nspacl FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, 0, typacl FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid, 0, lanacl FROM pg_catalog.pg_language
    UNION ALL SELECT 'pg_catalog.pg_database'::pg_catalog.regclass, oid, 0, datacl FROM pg_catalog.pg_database
    UNION ALL SELECT 'pg_catalog.pg_tablespace'::pg_catalog.regclass, oid, 0, spcacl FROM pg_catalog.pg_tablespace
    UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, 0, lomacl
        FROM pg_catalog.pg_largeobject_metadata
    UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid, 0, fdwacl
        FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid, 0, srvacl
        FROM pg_catalog.pg_foreign_server
) o (class, id, part, acl), pg_catalog.aclexplode(o.acl) x JOIN two ON two.oid = x.grantee
UNION ALL
SELECT rolname, 'may', pg_catalog.format('%s on what %s creates (%s in %s)', x.privilege_type,
    a.defaclrole::pg_catalog.regrole, a.defaclobjtype, a.defaclnamespace::pg_catalog.regnamespace)
FROM pg_catalog.pg_default_acl a, pg_catalog.aclexplode(a.defaclacl) x JOIN two ON two.oid = x.grantee
UNION ALL
/* Of every database: who owns what, and which policies and grants name the role. */
SELECT rolname, 'may', pg_catalog.format('%s %s%s',
    CASE d.deptype WHEN 'o' THEN 'the ownership of' WHEN 'a' THEN 'a grant on' ELSE 'the mention in' END,
    CASE WHEN d.dbid IN (0, here.oid) THEN pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE pg_catalog.format('%s %s', d.classid::pg_catalog.regclass, d.objid) END,
    (SELECT ' in database ' || datname FROM pg_catalog.pg_database WHERE oid = d.dbid))
FROM here, two JOIN pg_catalog.pg_shdepend d
    ON d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = two.oid
WHERE NOT (d.deptype = 'a' AND d.dbid = here.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE d.dbid = here.oid AND c.oid = d.objid
        AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relpersistence = 't')
UNION ALL
SELECT rolname, 'obstacle', 'may not log in (NOLOGIN)' FROM two WHERE NOT rolcanlogin
UNION ALL
SELECT rolname, 'obstacle', pg_catalog.format('has a password that has expired (VALID UNTIL %s)', rolvaliduntil)
FROM two WHERE rolvaliduntil <= pg_catalog.now()
UNION ALL
SELECT rolname, 'obstacle', 'cannot be altered by ' || current_user
    || ': give it CREATEROLE, and from PostgreSQL 16 on the role WITH ADMIN OPTION'
FROM two WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles me WHERE me.rolname = current_user AND (me.rolsuper
    OR me.rolcreaterole AND NOT two.rolsuper AND (
        pg_catalog.current_setting('server_version_num')::int < 160000 AND NOT two.rolreplication
        OR pg_catalog.pg_has_role(two.oid, 'MEMBER WITH ADMIN OPTION'))))
UNION ALL
SELECT rolname, 'obstacle', 'cannot be altered here: the server is a standby' FROM two WHERE pg_catalog.pg_is_in_recovery()
UNION ALL
SELECT rolname, 'session', pg_catalog.format('of %s since %s', coalesce(client_addr::text, 'this machine'), backend_start)
FROM two JOIN pg_catalog.pg_stat_activity s ON s.usesysid = two.oid WHERE s.application_name <> 'keyvault-issuers'
