SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY backstay_round((CAST(("bookshop_book"."price" * %s) AS NUMERIC))) ASC NULLS LAST, "bookshop_book"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY backstay_round((CAST(("bookshop_book"."price" * %s) AS NUMERIC))) ASC NULLS LAST, "bookshop_book"."id" ASC
-- 2 {0} {1} 2
