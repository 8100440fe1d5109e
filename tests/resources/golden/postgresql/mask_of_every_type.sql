SELECT CONCAT('{"id":', "bookshop_specimen"."id",
  ',"text":', COALESCE((to_json("bookshop_specimen"."text"))::text, 'null'),
  ',"long_text":', COALESCE((to_json("bookshop_specimen"."long_text"))::text, 'null'),
  ',"slug":', COALESCE((to_json("bookshop_specimen"."slug"))::text, 'null'),
  ',"email":', COALESCE((to_json("bookshop_specimen"."email"))::text, 'null'),
  ',"url":', COALESCE((to_json("bookshop_specimen"."url"))::text, 'null'),
  ',"choice":', COALESCE((to_json("bookshop_specimen"."choice"))::text, 'null'),
  ',"small":', COALESCE(("bookshop_specimen"."small")::text, 'null'),
  ',"integer":', COALESCE(("bookshop_specimen"."integer")::text, 'null'),
  ',"big":', COALESCE(("bookshop_specimen"."big")::text, 'null'),
  ',"positive":', COALESCE(("bookshop_specimen"."positive")::text, 'null'),
  ',"positive_small":', COALESCE(("bookshop_specimen"."positive_small")::text, 'null'),
  ',"positive_big":', COALESCE(("bookshop_specimen"."positive_big")::text, 'null'),
  ',"real":', COALESCE((CASE
      WHEN "bookshop_specimen"."real" IN ('NaN', 'Infinity', '-Infinity') THEN 'null'
      ELSE "bookshop_specimen"."real"::text END)::text, 'null'),
  ',"money":', COALESCE('"' || "bookshop_specimen"."money" || '"', 'null'),
  ',"exact":', COALESCE('"' || "bookshop_specimen"."exact" || '"', 'null'),
  ',"truth":', COALESCE(("bookshop_specimen"."truth"::text)::text, 'null'),
  ',"day":', COALESCE('"' || "bookshop_specimen"."day" || '"', 'null'),
  ',"clock":', COALESCE('"' || replace(to_char("bookshop_specimen"."clock"::interval, 'HH24:MI:SS.US'), '.000000', '') || '"', 'null'),
  ',"moment":', COALESCE('"' || replace(to_char("bookshop_specimen"."moment" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '') || '"', 'null'),
  ',"span":', COALESCE('"' || CASE
    WHEN floor(extract(epoch
        FROM "bookshop_specimen"."span") / 86400) <> 0 THEN floor(extract(epoch
        FROM "bookshop_specimen"."span") / 86400)::bigint || ' '
    ELSE '' END || replace(to_char(make_interval(secs => (extract(epoch
              FROM "bookshop_specimen"."span") - floor(extract(epoch
                FROM "bookshop_specimen"."span") / 86400) * 86400)::float8), 'HH24:MI:SS.US'), '.000000', '') || '"', 'null'),
  ',"uuid":', COALESCE('"' || "bookshop_specimen"."uuid" || '"', 'null'),
  ',"ip":', COALESCE('"' || host("bookshop_specimen"."ip") || '"', 'null'),
  ',"file":', COALESCE((to_json(NULLIF("bookshop_specimen"."file", '')))::text, 'null'),
  ',"path":', COALESCE((to_json("bookshop_specimen"."path"))::text, 'null'),
  ',"binary":', COALESCE('"' || translate(encode("bookshop_specimen"."binary", 'base64'), E'\n', '') || '"', 'null'),
  ',"document":', COALESCE(("bookshop_specimen"."document")::text, 'null'),
  ',"required_text":', to_json("bookshop_specimen"."required_text"),
  ',"required_integer":', "bookshop_specimen"."required_integer",
  ',"required_real":', CASE
  WHEN "bookshop_specimen"."required_real" IN ('NaN', 'Infinity', '-Infinity') THEN 'null'
  ELSE "bookshop_specimen"."required_real"::text END,
  ',"required_money":"', "bookshop_specimen"."required_money", '","required_truth":', "bookshop_specimen"."required_truth"::text,
  ',"required_day":"', "bookshop_specimen"."required_day", '","required_clock":"', replace(to_char("bookshop_specimen"."required_clock"::interval, 'HH24:MI:SS.US'), '.000000', ''), '","required_moment":"', replace(to_char("bookshop_specimen"."required_moment" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''), '","required_span":"', CASE
  WHEN floor(extract(epoch
      FROM "bookshop_specimen"."required_span") / 86400) <> 0 THEN floor(extract(epoch
      FROM "bookshop_specimen"."required_span") / 86400)::bigint || ' '
  ELSE '' END || replace(to_char(make_interval(secs => (extract(epoch
            FROM "bookshop_specimen"."required_span") - floor(extract(epoch
              FROM "bookshop_specimen"."required_span") / 86400) * 86400)::float8), 'HH24:MI:SS.US'), '.000000', ''), '","required_uuid":"', "bookshop_specimen"."required_uuid", '","required_document":', "bookshop_specimen"."required_document",
  ',"doubled":', COALESCE(("bookshop_specimen"."doubled")::text, 'null'), '}') AS "json_"
FROM "bookshop_specimen"
WHERE "bookshop_specimen"."id" = ANY(ARRAY(SELECT "bookshop_specimen"."id" AS "pk_"
    FROM "bookshop_specimen"
    ORDER BY "bookshop_specimen"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_specimen"."id" DESC
-- {0} {1}
