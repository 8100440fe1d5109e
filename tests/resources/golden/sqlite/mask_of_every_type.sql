SELECT (('{"id":' || "bookshop_specimen"."id" ||
    ',"text":' || (COALESCE(json_quote("bookshop_specimen"."text"), 'null')) ||
    ',"long_text":' || (COALESCE(json_quote("bookshop_specimen"."long_text"), 'null')) ||
    ',"slug":' || (COALESCE(json_quote("bookshop_specimen"."slug"), 'null')) ||
    ',"email":' || (COALESCE(json_quote("bookshop_specimen"."email"), 'null')) ||
    ',"url":' || (COALESCE(json_quote("bookshop_specimen"."url"), 'null')) ||
    ',"choice":' || (COALESCE(json_quote("bookshop_specimen"."choice"), 'null')) ||
    ',"small":' || COALESCE("bookshop_specimen"."small", 'null') ||
    ',"integer":' || COALESCE("bookshop_specimen"."integer", 'null') ||
    ',"big":' || COALESCE("bookshop_specimen"."big", 'null') ||
    ',"positive":' || COALESCE("bookshop_specimen"."positive", 'null') ||
    ',"positive_small":' || COALESCE("bookshop_specimen"."positive_small", 'null') ||
    ',"positive_big":' || COALESCE("bookshop_specimen"."positive_big", 'null') ||
    ',"real":' || (COALESCE(backstay_float("bookshop_specimen"."real"), 'null')) ||
    ',"money":' || (COALESCE('"' || (CASE
          WHEN "bookshop_specimen"."money" IS NOT NULL THEN printf('%%.2f', "bookshop_specimen"."money") END) || '"', 'null')) ||
    ',"exact":' || (COALESCE('"' || (backstay_decimal("bookshop_specimen"."exact", 30, 10)) || '"', 'null')) ||
    ',"truth":' || CASE
    WHEN "bookshop_specimen"."truth" IS NULL THEN 'null'
    ELSE CASE
    WHEN "bookshop_specimen"."truth" THEN 'true'
    ELSE 'false' END END ||
    ',"day":' || (COALESCE('"' || ("bookshop_specimen"."day") || '"', 'null')) ||
    ',"clock":' || (COALESCE('"' || (CASE length("bookshop_specimen"."clock")
          WHEN 12 THEN backstay_time("bookshop_specimen"."clock")
          ELSE "bookshop_specimen"."clock" END) || '"', 'null')) ||
    ',"moment":' || (COALESCE('"' || (CASE length("bookshop_specimen"."moment")
          WHEN 23 THEN backstay_datetime("bookshop_specimen"."moment")
          ELSE replace("bookshop_specimen"."moment", ' ', 'T') || 'Z' END) || '"', 'null')) ||
    ',"span":' || (COALESCE('"' || (backstay_duration("bookshop_specimen"."span")) || '"', 'null')) ||
    ',"uuid":' || (COALESCE('"' || (substr("bookshop_specimen"."uuid", 1, 8) || '-' || substr("bookshop_specimen"."uuid", 9, 4) || '-' || substr("bookshop_specimen"."uuid", 13, 4) || '-' || substr("bookshop_specimen"."uuid", 17, 4) || '-' || substr("bookshop_specimen"."uuid", 21, 12)) || '"', 'null')) ||
    ',"ip":' || (COALESCE('"' || ("bookshop_specimen"."ip") || '"', 'null')) ||
    ',"file":' || (COALESCE(json_quote(NULLIF("bookshop_specimen"."file", '')), 'null')) ||
    ',"path":' || (COALESCE(json_quote("bookshop_specimen"."path"), 'null'))) || (
    ',"binary":' || (COALESCE('"' || (backstay_base64("bookshop_specimen"."binary")) || '"', 'null')) ||
    ',"document":' || COALESCE("bookshop_specimen"."document", 'null') ||
    ',"required_text":' || json_quote("bookshop_specimen"."required_text") ||
    ',"required_integer":' || "bookshop_specimen"."required_integer" ||
    ',"required_real":' || backstay_float("bookshop_specimen"."required_real") ||
    ',"required_money":"' || CASE
    WHEN "bookshop_specimen"."required_money" IS NOT NULL THEN printf('%%.2f', "bookshop_specimen"."required_money") END || '","required_truth":' || CASE
    WHEN "bookshop_specimen"."required_truth" THEN 'true'
    ELSE 'false' END ||
    ',"required_day":"' || "bookshop_specimen"."required_day" || '","required_clock":"' || CASE length("bookshop_specimen"."required_clock")
    WHEN 12 THEN backstay_time("bookshop_specimen"."required_clock")
    ELSE "bookshop_specimen"."required_clock" END || '","required_moment":"' || CASE length("bookshop_specimen"."required_moment")
    WHEN 23 THEN backstay_datetime("bookshop_specimen"."required_moment")
    ELSE replace("bookshop_specimen"."required_moment", ' ', 'T') || 'Z' END || '","required_span":"' || backstay_duration("bookshop_specimen"."required_span") || '","required_uuid":"' || (substr("bookshop_specimen"."required_uuid", 1, 8) || '-' || substr("bookshop_specimen"."required_uuid", 9, 4) || '-' || substr("bookshop_specimen"."required_uuid", 13, 4) || '-' || substr("bookshop_specimen"."required_uuid", 17, 4) || '-' || substr("bookshop_specimen"."required_uuid", 21, 12)) || '","required_document":' || "bookshop_specimen"."required_document" ||
    ',"doubled":' || COALESCE("bookshop_specimen"."doubled", 'null') || '}')) AS "json_"
FROM "bookshop_specimen"
WHERE "bookshop_specimen"."id" IN (SELECT "bookshop_specimen"."id" AS "pk_"
  FROM "bookshop_specimen"
  ORDER BY "bookshop_specimen"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_specimen"."id" DESC
-- {0} {1}
