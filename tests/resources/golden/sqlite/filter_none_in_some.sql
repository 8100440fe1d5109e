SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE EXISTS(SELECT %s AS "a"
    FROM "bookshop_edition" V0
    WHERE (V0."book_id" = ("bookshop_book"."id")
      AND NOT EXISTS(SELECT %s AS "a"
        FROM "bookshop_review" U0
        WHERE (U0."edition_id" = (V0."id")
          AND U0."stars" < %s)
        LIMIT 1))
    LIMIT 1)
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- 1 1 {0} {1} {2}
