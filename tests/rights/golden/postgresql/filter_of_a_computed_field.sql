SELECT '{}' AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE ("bookshop_book"."status" = %s
      AND CASE
      WHEN ("bookshop_book"."status" = %s) THEN (("bookshop_book"."price" * %s) > %s::numeric)
      ELSE NULL END)
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- active active 2 {0} {1} {2}
