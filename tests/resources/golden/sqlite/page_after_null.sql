SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_", ('[' || (COALESCE('"' || (CASE
        WHEN "bookshop_book"."price" IS NOT NULL THEN printf('%%.2f', "bookshop_book"."price") END) || '"', 'null')) || ',' || "bookshop_book"."id" || ']') AS "keys_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE (1 = 0
    OR ("bookshop_book"."price" IS NULL
      AND "bookshop_book"."id" > %s))
  ORDER BY "bookshop_book"."price" ASC NULLS LAST, "bookshop_book"."id" ASC
  LIMIT %s)
ORDER BY "bookshop_book"."price" ASC NULLS LAST, "bookshop_book"."id" ASC
-- {1} {0}
