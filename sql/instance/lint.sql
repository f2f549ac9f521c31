-- Catalogue lint: one row per finding. Run before the service opens, and in the tests: it must be empty.
-- Tenants' schemas are t_N, staff's SQL logins u_N, the service's login kontor_app.
with ns as (select oid, nspname from pg_namespace
    where nspname ~ '^t_[0-9]+(_rep)?$'),
 login as (select * from pg_roles
    where rolname ~ '^u_' or rolname = 'kontor_app'),
 fn as (select p.*, n.nspname from pg_proc p join pg_namespace n on n.oid=p.pronamespace
    where n.nspname not in ('pg_catalog','information_schema') and not exists (select from pg_depend d
    where d.objid=p.oid and d.deptype='e'))
select 'L01 login with a dangerous attribute' as finding, rolname::text as object from login
    where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
union all
select 'L02 login is member of a predefined or owner role', l.rolname||' in '||r.rolname from login l join pg_roles r on pg_has_role(l.oid,r.oid,'member') and r.oid<>l.oid and not l.rolsuper
  
    where r.rolname ~ '^pg_' or exists (select from pg_class c join ns on ns.oid=c.relnamespace
    where c.relowner=r.oid and c.relkind in ('r','p'))
union all
select 'L03 SQL login without connection limit', rolname from login
    where rolname ~ '^u_' and rolconnlimit < 0
union all
select 'L04 tenant table without ENABLE+FORCE row security', c.oid::regclass::text from pg_class c join ns on ns.oid=relnamespace
    where relkind in ('r','p') and not (relrowsecurity and relforcerowsecurity)
union all
select 'L05 policy lets all rows through', polrelid::regclass||'.'||polname from pg_policy
    where pg_get_expr(polqual,polrelid)='true' and polpermissive and polroles='{0}' and not exists (select from pg_policy q
    where q.polrelid=pg_policy.polrelid and not q.polpermissive)
union all
select 'L06 policy calls a function per row (wrap in a sub-select)', polrelid::regclass||'.'||polname from pg_policy
    where coalesce(pg_get_expr(polqual,polrelid),'') ~ '\m(me|may|current_setting)\(' and pg_get_expr(polqual,polrelid) !~* 'select'
union all
select 'L07 view neither security_invoker nor security_barrier', c.oid::regclass::text from pg_class c join ns on ns.oid=relnamespace
    where relkind='v' and not coalesce(reloptions::text,'') ~ 'security_(invoker|barrier)=(true|on)|security_(invoker|barrier)[,}]'
union all
select 'L08 view owner skips row security', c.oid::regclass::text from pg_class c join ns on ns.oid=relnamespace join pg_roles o on o.oid=relowner
    where relkind='v' and (o.rolsuper or o.rolbypassrls)
union all
select 'L09 materialized view or sequence readable by a login', c.oid::regclass||' by '||l.rolname from pg_class c join ns on ns.oid=relnamespace cross join login l
    where not l.rolsuper and ((relkind='m' and has_table_privilege(l.oid,c.oid,'select')) or (relkind='S' and l.rolname ~ '^u_' and has_sequence_privilege(l.oid,c.oid,'select,usage')))
union all
select 'L10 TRUNCATE/REFERENCES/TRIGGER granted', c.oid::regclass||' to '||r.rolname from pg_class c join ns on ns.oid=relnamespace, aclexplode(relacl) a join pg_roles r on r.oid=a.grantee
    where privilege_type in ('TRUNCATE','REFERENCES','TRIGGER') and a.grantee<>relowner
union all
select 'L11 definer function without fixed search_path ending in pg_temp', oid::regprocedure::text from fn
    where prosecdef and not coalesce(array_to_string(proconfig,';'),'') ~ 'search_path=.*pg_temp(;|$)'
union all
select 'L12 definer function open to PUBLIC', f.oid::regprocedure::text from fn f
    where prosecdef and prorettype<>'event_trigger'::regtype and (proacl is null or exists (select from aclexplode(proacl) a
    where grantee=0))
union all
select 'L13 IMMUTABLE function reads a setting', oid::regprocedure::text from fn
    where provolatile='i' and prosrc ~ 'current_setting|session_user|current_user'
union all
select 'L14 PUBLIC may CREATE or TEMP here', datname from pg_database, aclexplode(coalesce(datacl,acldefault('d',datdba))) a
    where datname=current_database() and grantee=0 and privilege_type in ('TEMPORARY','CREATE')
union all
select 'L15 PUBLIC may CREATE in schema', nspname from pg_namespace, aclexplode(nspacl) a
    where grantee=0 and privilege_type='CREATE'
union all
select 'L16 PUBLIC may connect', datname from pg_database, aclexplode(coalesce(datacl,acldefault('d',datdba))) a
    where datallowconn and grantee=0 and privilege_type='CONNECT' and datname<>current_database()
union all
select 'L17 PUBLIC may execute', p.oid::regprocedure::text from pg_proc p
    where pronamespace='pg_catalog'::regnamespace and has_function_privilege('public',p.oid,'execute') and (proname ~ '^pg_(try_)?advisory_' or proname in ('lo_from_bytea','lo_creat','lo_create','lo_put','lowrite','pg_stat_get_activity','pg_stat_get_live_tuples','pg_relation_size','pg_total_relation_size','pg_get_functiondef'))
union all
select 'L18 language usable by PUBLIC (DO blocks)', lanname from pg_language l
    where lanpltrusted and exists (select from aclexplode(coalesce(lanacl,acldefault('l',lanowner))) a
    where grantee=0)
union all
select 'L19 invalid index', indexrelid::regclass::text from pg_index
    where not indisvalid
union all
select 'L20 extension reaching outside', extname from pg_extension
    where extname in ('dblink','postgres_fdw','file_fdw','adminpack','plpython3u','plperlu')
union all
select 'L21 server older than the last minor that closed a row-security or dump hole', current_setting('server_version')
    where current_setting('server_version_num')::int < 150014
union all
select 'L22 SQL login may read a base table', c.oid::regclass||' by '||l.rolname from pg_class c join ns on ns.oid=relnamespace join login l on l.rolname ~ '^u_'
    where relkind in ('r','p') and has_schema_privilege(l.oid,ns.oid,'usage') and has_any_column_privilege(l.oid,c.oid,'select')
order by 1,2
