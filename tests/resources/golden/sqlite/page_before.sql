SELECT ('{"id":' || "bookshop_edition"."id" || '}') AS "json_", ('[' || "bookshop_edition"."position" || ',' || "bookshop_edition"."id" || ']') AS "keys_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  WHERE ("bookshop_edition"."position", "bookshop_edition"."id") < (%s, %s)
  ORDER BY "bookshop_edition"."position" DESC, "bookshop_edition"."id" DESC
  LIMIT %s)
ORDER BY "bookshop_edition"."position" DESC, "bookshop_edition"."id" DESC
-- {1} {2} {0}
