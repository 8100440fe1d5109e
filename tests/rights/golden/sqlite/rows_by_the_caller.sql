SELECT ('{"id":' || "bookshop_author"."id" ||
  ',"name":' || json_quote("bookshop_author"."name") || '}') AS "json_"
FROM "bookshop_author"
WHERE "bookshop_author"."id" IN (SELECT "bookshop_author"."id" AS "pk_"
  FROM "bookshop_author"
  WHERE ("bookshop_author"."born" IS NOT NULL
    OR "bookshop_author"."id" = (%s))
  ORDER BY "bookshop_author"."name" ASC, "bookshop_author"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_author"."name" ASC, "bookshop_author"."id" ASC
-- {caller:account_id} {0} {1}
