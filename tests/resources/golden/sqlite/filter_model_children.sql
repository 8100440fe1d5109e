SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE ("bookshop_book"."pages" > %s
    AND EXISTS(SELECT %s AS "a"
      FROM "bookshop_edition" U0
      WHERE (U0."book_id" = ("bookshop_book"."id")
        AND U0."stock" > %s)
      LIMIT 1))
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {1} 1 {0} {2} {3}
