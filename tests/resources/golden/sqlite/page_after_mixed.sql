SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_", ('[' || json_quote("bookshop_book"."slug") || ',' || COALESCE("bookshop_book"."pages", 'null') || ',' || "bookshop_book"."id" || ']') AS "keys_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE (("bookshop_book"."slug" > %s
      OR ("bookshop_book"."slug" = %s
        AND ("bookshop_book"."pages" < %s
          OR ("bookshop_book"."pages" = %s
            AND "bookshop_book"."id" < %s))))
    AND "bookshop_book"."slug" >= %s)
  ORDER BY "bookshop_book"."slug" ASC, "bookshop_book"."pages" DESC NULLS FIRST, "bookshop_book"."id" DESC
  LIMIT %s)
ORDER BY "bookshop_book"."slug" ASC, "bookshop_book"."pages" DESC NULLS FIRST, "bookshop_book"."id" DESC
-- {1} {1} {2} {2} {3} {1} {0}
