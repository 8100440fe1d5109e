SELECT ('{"id":' || "bookshop_edition"."id" || '}') AS "json_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  ORDER BY "bookshop_edition"."position" ASC, "bookshop_edition"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_edition"."position" ASC, "bookshop_edition"."id" ASC
-- {0} {1}
