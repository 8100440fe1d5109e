SELECT '{}' AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE ("bookshop_book"."status" = %s
    AND CASE
    WHEN ("bookshop_book"."status" = %s) THEN (backstay_round((CAST(("bookshop_book"."price" * %s) AS NUMERIC))) > CAST(%s AS NUMERIC))
    ELSE NULL END)
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- active active 2 {0} {1} {2}
