SELECT ('{"id":' || "bookshop_edition"."id" || '}') AS "json_", ('[' || "bookshop_edition"."position" || ',' || "bookshop_edition"."id" || ']') AS "keys_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  WHERE ("bookshop_edition"."position", "bookshop_edition"."id") > (%s, %s)
  ORDER BY "bookshop_edition"."position" ASC, "bookshop_edition"."id" ASC
  LIMIT %s)
ORDER BY "bookshop_edition"."position" ASC, "bookshop_edition"."id" ASC
-- {1} {2} {0}
